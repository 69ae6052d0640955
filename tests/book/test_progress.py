import io

import jupytext
import nbformat
import pytest
from small_notebook import NOTEBOOK

from a2a.book.progress import Progress, duration, earlier_run, expectation

CELLS = jupytext.reads(NOTEBOOK, fmt="py:percent").cells
DEFAULTS = {"d": 3, "eta": 0.1}


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "notebooks" / "02_small.py"
    file.parent.mkdir()
    file.write_text(NOTEBOOK)
    return file


def run(file, *, seconds=(20.0, 5.0), end="2026-01-01T00:00:00", exception=None, chapter="02_small", **parameters):
    """Write a run of the notebook, as it stands in a file: some seconds for each of its last two cells."""
    sources = [cell.source for cell in CELLS[1:]]
    cells = [
        nbformat.v4.new_code_cell(source, metadata={"papermill": {"duration": each}})
        for source, each in zip(sources, seconds, strict=True)
    ]
    told = {"input_path": f"/x/{chapter}.ipynb", "duration": sum(seconds), "end_time": end, "exception": exception}
    metadata = {"papermill": told, "a2a": {"parameters": DEFAULTS | parameters}}
    file.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), file)


def told(notebook, **values):
    found = earlier_run(notebook, DEFAULTS | values)
    return found and expectation(found, DEFAULTS)


def test_without_an_earlier_run_nothing_is_told(notebook):
    assert told(notebook) is None


def test_the_books_own_run_tells_how_long_it_takes(notebook):
    run(notebook.with_suffix(".ipynb"))
    assert told(notebook) == "about 25 s at the parameters of the book"


def test_the_latest_run_counts(notebook):
    run(notebook.with_suffix(".ipynb"))
    run(notebook.parent.parent / "runs" / "02_small__d=9.ipynb", seconds=(2.0, 1.0), end="2026-01-02T00:00:00", d=9)
    assert told(notebook, d=4) == "about 3 s with d = 9"


def test_a_run_with_the_same_parameters_comes_first(notebook):
    run(notebook.with_suffix(".ipynb"))
    run(notebook.parent.parent / "runs" / "02_small__d=9.ipynb", seconds=(2.0, 1.0), end="2026-01-02T00:00:00", d=9)
    assert told(notebook) == "about 25 s at the parameters of the book"


@pytest.mark.parametrize("how", [{"exception": True}, {"end": None}, {"chapter": "02_smaller"}])
def test_a_run_that_failed_or_is_of_something_else_doesnt_count(notebook, how):
    run(notebook.parent.parent / "runs" / "02_small__d=9.ipynb", **how)
    assert told(notebook) is None


def test_a_link_that_leads_nowhere_doesnt_count(notebook):
    (notebook.parent.parent / "runs").mkdir()
    (notebook.parent.parent / "runs" / "02_small__old.ipynb").symlink_to("gone.ipynb")
    assert told(notebook) is None


def test_a_file_that_is_no_run_doesnt_count(notebook):
    (notebook.parent.parent / "runs").mkdir()
    (notebook.parent.parent / "runs" / "02_small.ipynb").write_text("{")
    assert told(notebook) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (19.6, "20 s"), (89.0, "89 s"), (100.0, "2 min"), (3000.0, "50 min")]
)
def test_a_duration_in_words(seconds, text):
    assert duration(seconds) == text


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def shown(notebook, monkeypatch):
    """What a stream receives while the notebook runs with parameters of its own, which make one cell more."""

    def lines(stream, *, earlier=True):
        monkeypatch.setattr("sys.stderr", stream)
        run(notebook.with_suffix(".ipynb"))
        progress = Progress(notebook, earlier_run(notebook, DEFAULTS) if earlier else None)
        for number, cell in enumerate([CELLS[0], nbformat.v4.new_code_cell("# Parameters\nd = 4"), *CELLS[1:]]):
            progress(cell, number)
        progress.close()
        return stream.getvalue().split("\r\033[K")[1:]

    return lines


def test_a_terminal_shows_the_cell_and_the_time_that_is_left(shown):
    lines = ["cell 1 of 3, about 25 s left", "cell 2 of 3, about 25 s left", "cell 3 of 3, about 5 s left", ""]
    assert shown(Terminal()) == lines


def test_without_an_earlier_run_the_time_is_left_out(shown):
    assert shown(Terminal(), earlier=False) == ["cell 1 of 3", "cell 2 of 3", "cell 3 of 3", ""]


def test_a_log_shows_nothing(shown):
    stream = io.StringIO()
    assert shown(stream) == [] and stream.getvalue() == ""
