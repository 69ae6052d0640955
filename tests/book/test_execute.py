import json
import os
import threading
import time
from importlib import metadata

import nbformat
import pytest
from papermill.exceptions import PapermillExecutionError
from small_notebook import NOTEBOOK, printed

from a2a.book import execute as execution
from a2a.book import provenance as made_by
from a2a.book.output import check_output, text_digest
from a2a.book.parameters import checked, read_parameters
from a2a.book.provenance import provenance
from a2a.book.references import as_reference
from a2a.book.runs import chapter_of, existing, notebook_parameters, read_run
from a2a.execute import execute

KNOWN = read_parameters('d = 3\neta = 0.1\nname = "plain"\nflag = True\nsizes = [1, 2]\nlimit = None\n')


@pytest.fixture
def notebook(tmp_path):
    file = tmp_path / "chapter" / "02_small.py"
    file.parent.mkdir()
    file.write_text(NOTEBOOK)
    return file


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One real run, with two parameters of their own; its folder, and the cells that were announced."""
    started = []
    folder = tmp_path_factory.mktemp("chapter")
    (folder / "02_small.py").write_text(NOTEBOOK)
    run = execute(
        folder / "02_small.py",
        folder / "new" / "run.ipynb",
        {"d": 5, "eta": 1},
        before_cell=lambda cell, cell_index: started.append(cell_index),
    )
    return run, folder, started


def test_a_run_has_its_parameters_and_the_notebooks_folder(finished):
    run, folder, _ = finished
    assert printed(run) == f"5 1.0 plain True {folder.name}\n6\n"


def test_a_run_records_where_it_came_from(finished):
    metadata = nbformat.read(finished[0], as_version=4).metadata
    everything = {"d": 5, "eta": 1.0, "name": "plain", "flag": True}
    assert metadata["papermill"]["parameters"] == {"d": 5, "eta": 1.0}
    text = text_digest(nbformat.read(finished[0], as_version=4))
    assert metadata["a2a"] == {**provenance(), "parameters": everything, "text": text}


def test_a_reference_keeps_what_is_compared_and_drops_what_differs_a_run(finished):
    reference = finished[1] / "reference.ipynb"
    as_reference(finished[0], reference)
    content = nbformat.read(reference, as_version=4)
    assert printed(reference) == "6\n" and set(content.metadata) == {"kernelspec"}
    assert not any(cell.metadata for cell in content.cells)


def test_cell_ids_are_stable(finished):
    ids = [cell["id"] for cell in nbformat.read(finished[0], as_version=4).cells]
    assert ids[0] == "cell-0" and ids[-1] == "cell-2"


def test_the_source_is_not_touched(finished):
    assert (finished[1] / "02_small.py").read_text() == NOTEBOOK


def test_a_failing_cell_keeps_the_output(notebook, tmp_path):
    with pytest.raises(PapermillExecutionError, match="d is too large"):
        execute(notebook, tmp_path / "run.ipynb", {"d": 10})
    assert printed(tmp_path / "run.ipynb").startswith("10 0.1 plain True chapter")
    assert "d is too large" in (tmp_path / "run.ipynb").read_text()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"etaa": 1}, 'no parameter "etaa"; 02_small has d, eta, name, flag; did you mean "eta"?'),
        ({"zzzzzz": 1}, 'no parameter "zzzzzz"; 02_small has d, eta, name, flag'),
        ({"d": 2.5}, 'parameter "d" is int (default 3), got 2.5'),
        ({"d": True}, 'parameter "d" is int (default 3), got True'),
        ({"d": "many"}, "parameter \"d\" is int (default 3), got 'many'"),
        ({"d": 0}, 'parameter "d" must be in [1, 100], got 0'),
        ({"flag": 1}, 'parameter "flag" is bool (default True), got 1'),
        ({"name": 3}, "parameter \"name\" is str (default 'plain'), got 3"),
    ],
)
def test_a_wrong_parameter_stops_before_the_run(notebook, tmp_path, parameters, message):
    with pytest.raises(ValueError) as caught:
        execute(notebook, tmp_path / "new" / "run.ipynb", parameters)
    assert str(caught.value) == message and not (tmp_path / "new").exists()


def test_a_wrong_default_stops_before_the_run(notebook, tmp_path):
    notebook.write_text(NOTEBOOK.replace("d = 3", "d = 0"))
    with pytest.raises(ValueError, match=r'"d" must be in \[1, 100\], got 0, its default'):
        execute(notebook, tmp_path / "run.ipynb")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("d", "16", 16),
        ("eta", "2", 2.0),
        ("eta", ".5", 0.5),
        ("eta", "1e-3", 1e-3),
        ("eta", "-1", -1.0),
        ("name", "16", "16"),
        ("flag", "false", False),
        ("flag", "True", True),
        ("sizes", "[3, 4]", [3, 4]),
        ("limit", "7", 7),
        ("limit", "none", None),
        ("limit", "none given", "none given"),
    ],
)
def test_text_takes_the_type_of_the_default(name, text, value):
    (found,) = checked(KNOWN, {name: text}, "02").values()
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("d", "1.5"), ("d", "1e3"), ("eta", "nan"), ("eta", "9" * 400), ("flag", "1"), ("sizes", "3"), ("sizes", "[1.5]")],
)
def test_text_of_another_type_is_refused(name, text):
    with pytest.raises(ValueError, match=rf'parameter "{name}.*" is .*, got'):
        checked(KNOWN, {name: text}, "02")


def test_a_notebook_without_parameters_says_so():
    with pytest.raises(ValueError, match='no parameter "d"; 02 has none'):
        checked({}, {"d": 1}, "02")


def test_a_notebook_without_a_parameters_cell_has_none(tmp_path):
    (tmp_path / "bare.py").write_text("# %%\nprint(1)\n")
    assert notebook_parameters(tmp_path / "bare.py") == {}


def test_the_parameters_are_those_of_the_notebook_in_order(notebook):
    known = notebook_parameters(notebook)
    assert [(name, parameter.default) for name, parameter in known.items()] == [
        ("d", 3),
        ("eta", 0.1),
        ("name", "plain"),
        ("flag", True),
    ]


@pytest.mark.parametrize("name", ["run.txt", "02_small.py", "run"])
def test_the_output_is_a_notebook(notebook, name):
    with pytest.raises(ValueError, match=r"the output must be an \.ipynb file, got"):
        execute(notebook, notebook.parent / name)
    assert notebook.read_text() == NOTEBOOK


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}']
)
def test_what_is_no_run_is_not_overwritten(notebook, tmp_path, content):
    other = tmp_path / "notes.ipynb"
    other.write_text(content)
    with pytest.raises(ValueError, match=r"notes\.ipynb exists and isn't a run of 02_small; it isn't overwritten"):
        execute(notebook, other)
    assert other.read_text() == content


def test_a_run_of_another_notebook_is_not_overwritten(finished, tmp_path):
    other = tmp_path / "03_other.py"
    other.write_text(NOTEBOOK)
    with pytest.raises(ValueError, match="isn't a run of 03_other"):
        execute(other, finished[0])


def test_the_books_own_run_keeps_the_books_parameters(notebook):
    with pytest.raises(ValueError, match=r"is the book's own run of 02_small[.]py at its defaults"):
        execute(notebook, notebook.with_suffix(".ipynb"), {"d": 5})
    assert not notebook.with_suffix(".ipynb").exists()
    check_output(notebook.with_suffix(".ipynb"), notebook, standard=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_no_run_takes_the_place_of_another_chapters_own(notebook, overwrite):
    notebook.with_name("03_other.py").write_text(NOTEBOOK)
    with pytest.raises(ValueError, match=r"is the book's own run of 03_other[.]py"):
        execute(notebook, notebook.with_name("03_other.ipynb"), overwrite=overwrite)
    assert not notebook.with_name("03_other.ipynb").exists()


def test_what_is_no_run_is_overwritten_if_that_is_asked_for(notebook, tmp_path):
    other = tmp_path / "notes.ipynb"
    other.write_text("mine")
    check_output(other, notebook, standard=True, overwrite=True)
    with pytest.raises(ValueError, match=r"must be an \.ipynb file"):
        check_output(tmp_path / "notes.txt", notebook, standard=True, overwrite=True)


def test_a_run_that_a_reader_has_edited_is_not_overwritten(finished, tmp_path):
    edited = nbformat.read(finished[0], as_version=4)
    edited.cells[-1].outputs = []
    nbformat.write(edited, tmp_path / "run.ipynb")
    check_output(tmp_path / "run.ipynb", finished[1] / "02_small.py", standard=False)
    edited.cells.append(nbformat.v4.new_markdown_cell("My note."))
    nbformat.write(edited, tmp_path / "run.ipynb")
    with pytest.raises(ValueError, match=r"run\.ipynb exists and was edited after its run; it isn't overwritten"):
        check_output(tmp_path / "run.ipynb", finished[1] / "02_small.py", standard=False)
    check_output(tmp_path / "run.ipynb", finished[1] / "02_small.py", standard=False, overwrite=True)


def test_a_run_can_be_made_again(finished):
    check_output(finished[0], finished[1] / "02_small.py", standard=False)


def test_a_run_knows_its_chapter(finished, tmp_path):
    assert chapter_of(read_run(finished[0])) == "02_small"
    assert read_run(tmp_path / "none.ipynb") is None


def test_a_notebook_that_nbformat_asserts_about_is_no_run(tmp_path, monkeypatch):
    def stumbles(*given, **more):
        raise AssertionError

    (tmp_path / "run.ipynb").write_text("{}")
    monkeypatch.setattr(nbformat, "read", stumbles)
    assert read_run(tmp_path / "run.ipynb") is None


def test_a_missing_notebook(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no notebook .*none\.py"):
        execute(tmp_path / "none.py", tmp_path / "run.ipynb")


def test_provenance_without_git(monkeypatch):
    def no_git(*args, **options):
        raise FileNotFoundError("git")

    monkeypatch.setattr(made_by.subprocess, "run", no_git)
    assert provenance()["commit"] == "" and provenance()["libraries"]["numpy"]


def test_the_versions_are_of_what_the_package_and_its_extras_require_but_for_the_developers():
    found = provenance()["libraries"]
    assert {"numpy", "scipy", "scikit-learn", "transformers", "jupyter-book"} <= found.keys()
    assert not {"pytest", "ruff", "mypy"} & found.keys() and found["scipy"] == metadata.version("scipy")


def test_a_kernel_has_one_thread_unless_it_is_told_otherwise(monkeypatch, tmp_path):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    file = tmp_path / "threads.py"
    code = 'import os\n\nprint(*(os.environ[f"{name}_NUM_THREADS"] for name in ("OMP", "OPENBLAS", "MKL")))\n'
    file.write_text(f"{NOTEBOOK.partition('# %%')[0]}# %%\n{code}")
    assert printed(execute(file, tmp_path / "run.ipynb")) == "1 2 1\n"
    assert "OMP_NUM_THREADS" not in os.environ and os.environ["OPENBLAS_NUM_THREADS"] == "2"


def test_each_cell_is_announced(finished):
    assert finished[2] == [0, 1, 2, 3]  # the cell with the given parameters among them


def test_a_notebook_knows_where_its_run_was_started(monkeypatch, tmp_path, notebook):
    monkeypatch.setenv("A2A_STARTED_IN", "elsewhere")
    monkeypatch.chdir(tmp_path)
    notebook.write_text(notebook.read_text() + "\n# %%\nfrom a2a.places import given_path\n\nprint(given_path('x'))\n")
    assert f"{tmp_path}/x" in printed(execute(notebook, tmp_path / "out.ipynb"))
    assert os.environ["A2A_STARTED_IN"] == "elsewhere"


def test_a_run_is_a_valid_notebook(finished):
    nbformat.validate(nbformat.read(finished[0], as_version=4))
    assert json.loads(finished[0].read_text())["metadata"]["kernelspec"]["name"] == "python3"


def test_a_notebook_is_found_by_the_number_that_it_had(notebook):
    former = notebook.with_name("07_small.py")
    assert existing(former) == notebook and notebook_parameters(former).keys() == {"d", "eta", "name", "flag"}


def test_a_run_of_a_chapter_that_was_renumbered_since_is_a_run_of_it(finished):
    check_output(finished[0], finished[1] / "07_small.py", standard=False)


def test_an_unknown_notebook_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no notebook .*02_nothing\.py"):
        existing(tmp_path / "02_nothing.py")


def test_an_output_that_no_kernel_can_send_is_kept(notebook, tmp_path):
    notebook.write_text(NOTEBOOK + '\n# %%\nprint("half of a \\ud83d letter")\n\n# %%\nprint("whole: \\U0001f600")\n')
    assert "half of a \\u{d83d} letter\nwhole: \U0001f600" in printed(execute(notebook, tmp_path / "run.ipynb"))


def test_what_is_printed_at_one_go_is_one_output(notebook, tmp_path):
    code = 'import time\n\nfor word in "abc":\n    print(word, flush=True)\n    time.sleep(0.3)\n'
    notebook.write_text(f"{NOTEBOOK}\n# %%\n{code}")
    run = read_run(execute(notebook, tmp_path / "run.ipynb"))
    assert [output.text for output in run.cells[-1].outputs] == ["a\nb\nc\n"]


def test_a_name_with_braces_is_a_name(tmp_path):
    file = tmp_path / "{d}.py"
    file.write_text(NOTEBOOK)
    run = execute(file, tmp_path / "{e}" / "{d}{}.ipynb")
    assert chapter_of(read_run(run)) == "{d}" and read_run(run).metadata.papermill.output_path == str(run)


def test_a_parameter_that_holds_a_password_is_refused(notebook, tmp_path):
    with pytest.raises(ValueError, match='parameter "name" holds a key, or an address with a user') as caught:
        execute(notebook, tmp_path / "run.ipynb", {"name": "http://me:secret@127.0.0.1/v1#m"})
    assert "secret" not in str(caught.value)


def test_the_error_of_a_cell_has_no_key_in_it(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "planted-0123456789")
    notebook.write_text(f"{NOTEBOOK}\n# %%\nraise ValueError(os.environ['OPENAI_API_KEY'])\n")
    with pytest.raises(PapermillExecutionError) as caught:
        execute(notebook, tmp_path / "run.ipynb")
    assert caught.value.evalue == "[removed]" and "planted" not in f"{caught.value}{caught.value!r}"


def test_runs_of_several_threads_wait_for_each_other(notebook, tmp_path, monkeypatch):
    """Each changes the folder and the environment of the process."""
    under_way, most = [], []

    def runs(*given, **more):
        under_way.append(given)
        time.sleep(0.2)
        most.append(len(under_way))
        under_way.pop()

    monkeypatch.setattr(execution, "_run", runs)
    threads = [threading.Thread(target=execute, args=(notebook, tmp_path / f"{d}.ipynb")) for d in (4, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == [1, 1] and "A2A_STARTED_IN" not in os.environ


def test_a_pipe_is_no_run(notebook, tmp_path):
    os.mkfifo(tmp_path / "run.ipynb")
    assert read_run(tmp_path / "run.ipynb") is None
    with pytest.raises(ValueError, match=r"must be an \.ipynb file"):
        execute(notebook, tmp_path / "run.ipynb", overwrite=True)
