import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from papermill.exceptions import PapermillExecutionError

from a2a import __main__ as command
from a2a import execute as module
from a2a.execute import (
    as_reference,
    book_root,
    build_folder,
    checked_parameters,
    execute,
    given_path,
    known_parameters,
    provenance,
)

NOTEBOOK = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
d = 3  # dimension
eta = 0.1  # step size
name = "plain"  # a word
flag = True  # a switch

# %%
import os

print(d, eta, name, flag, os.path.basename(os.getcwd()))

# %% tags=["nbval-check-output"]
assert d < 9, "d is too large"
print(d + 1)
"""


@pytest.fixture
def notebook(tmp_path):
    file = tmp_path / "chapter" / "02_small.py"
    file.parent.mkdir()
    file.write_text(NOTEBOOK)
    return file


def printed(run):
    cells = nbformat.read(run, as_version=4).cells
    return "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One real run, with two parameters of their own."""
    folder = tmp_path_factory.mktemp("chapter")
    (folder / "02_small.py").write_text(NOTEBOOK)
    return execute(folder / "02_small.py", folder / "new" / "run.ipynb", {"d": 5, "eta": 1}), folder


def test_a_run_has_its_parameters_and_the_notebooks_folder(finished):
    run, folder = finished
    assert printed(run) == f"5 1.0 plain True {folder.name}\n6\n"


def test_a_run_records_where_it_came_from(finished):
    metadata = nbformat.read(finished[0], as_version=4).metadata
    everything = {"d": 5, "eta": 1.0, "name": "plain", "flag": True}
    assert metadata["papermill"]["parameters"] == {"d": 5, "eta": 1.0}
    assert metadata["a2a"] == {**provenance(), "parameters": everything}


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
        ({"flag": 1}, 'parameter "flag" is bool (default True), got 1'),
        ({"name": 3}, "parameter \"name\" is str (default 'plain'), got 3"),
    ],
)
def test_a_wrong_parameter_stops_before_the_run(notebook, tmp_path, parameters, message):
    with pytest.raises(ValueError) as caught:
        execute(notebook, tmp_path / "new" / "run.ipynb", parameters)
    assert str(caught.value) == message and not (tmp_path / "new").exists()


KNOWN = {"d": 3, "eta": 0.1, "name": "plain", "flag": True, "sizes": [1, 2], "limit": None}


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
        ("limit", "none given", "none given"),
    ],
)
def test_text_takes_the_type_of_the_default(name, text, value):
    (found,) = checked_parameters(KNOWN, {name: text}, "02").values()
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(("name", "text"), [("d", "1.5"), ("d", "1e3"), ("eta", "nan"), ("flag", "1"), ("sizes", "3")])
def test_text_of_another_type_is_refused(name, text):
    with pytest.raises(ValueError, match=f'parameter "{name}" is .*, got'):
        checked_parameters(KNOWN, {name: text}, "02")


def test_a_notebook_without_parameters_says_so():
    with pytest.raises(ValueError, match='no parameter "d"; 02 has none'):
        checked_parameters({}, {"d": 1}, "02")


def test_known_parameters_are_the_defaults_in_order(finished):
    assert list(known_parameters(finished[0]).items()) == [("d", 3), ("eta", 0.1), ("name", "plain"), ("flag", True)]


def test_a_missing_notebook(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no notebook .*none\.py"):
        execute(tmp_path / "none.py", tmp_path / "run.ipynb")


def test_provenance_without_git(monkeypatch):
    def no_git(*args, **options):
        raise FileNotFoundError("git")

    monkeypatch.setattr(module.subprocess, "run", no_git)
    assert provenance()["commit"] == "" and provenance()["libraries"]["numpy"]


def test_build_folder_is_the_chosen_one(monkeypatch, tmp_path):
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    assert build_folder() == tmp_path


def test_build_folder_is_the_books(monkeypatch, tmp_path):
    monkeypatch.delenv("A2A_BUILD", raising=False)
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert build_folder() == tmp_path.resolve() / "_build"


def test_build_folder_outside_a_book_is_the_users(monkeypatch, tmp_path):
    monkeypatch.delenv("A2A_BUILD", raising=False)
    monkeypatch.chdir(tmp_path)
    assert build_folder().name == "a2a"


def test_the_books_folder_is_the_nearest(monkeypatch, tmp_path):
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert book_root() == tmp_path.resolve()


def test_outside_a_book_it_is_the_packages(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert book_root() == Path(__file__).resolve().parent.parent


def test_no_book(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "site-packages" / "a2a" / "execute.py"))
    assert book_root() is None


def test_a_relative_path_counts_from_where_the_run_was_started(monkeypatch, tmp_path):
    monkeypatch.setenv("A2A_STARTED_IN", str(tmp_path))
    assert given_path("runs/x") == tmp_path / "runs/x"
    assert given_path("/runs/x") == Path("/runs/x")
    monkeypatch.delenv("A2A_STARTED_IN")
    assert given_path("runs/x") == Path("runs/x")


def test_a_notebook_knows_where_its_run_was_started(monkeypatch, tmp_path, notebook):
    monkeypatch.setenv("A2A_STARTED_IN", "elsewhere")
    monkeypatch.chdir(tmp_path)
    notebook.write_text(notebook.read_text() + "\n# %%\nfrom a2a.execute import given_path\n\nprint(given_path('x'))\n")
    assert f"{tmp_path}/x" in printed(execute(notebook, tmp_path / "out.ipynb"))
    assert os.environ["A2A_STARTED_IN"] == "elsewhere"


def run_command(capsys, *arguments):
    code = command.main(["run", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_the_command_prints_where_it_wrote(notebook, tmp_path, capsys):
    code, out, _ = run_command(capsys, notebook, "-p", "d", "4", "-p", "flag", "false", "-o", tmp_path / "run.ipynb")
    assert (code, out) == (0, f"{tmp_path / 'run.ipynb'}\n")
    assert printed(tmp_path / "run.ipynb").startswith("4 0.1 plain False")


def test_the_command_names_an_unknown_parameter(notebook, capsys):
    code, out, err = run_command(capsys, notebook, "-p", "etas", "4")
    assert (code, out) == (2, "") and 'no parameter "etas"' in err and 'did you mean "eta"?' in err


def test_the_command_names_the_failing_cell(notebook, tmp_path, capsys):
    code, _, err = run_command(capsys, notebook, "-p", "d", "10", "-o", tmp_path / "run.ipynb")
    assert code == 1 and "AssertionError: d is too large" in err and str(tmp_path / "run.ipynb") in err


def test_the_command_lists_the_notebooks(tmp_path, monkeypatch, capsys):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "02_small.py").write_text(NOTEBOOK)
    monkeypatch.chdir(tmp_path)
    code, _, err = run_command(capsys, "03_small")
    assert code == 2 and err == 'a2a: error: no notebook "03_small"; there are 02_small\n'
    assert command.find_notebook("02_small") == Path("notebooks/02_small.py")


@pytest.mark.parametrize("arguments", [[], ["walk"], ["run"], ["run", "02", "-p", "d"]])
def test_a_wrong_command_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2 and "usage: a2a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({}, "02_small.ipynb"),
        ({"d": "4", "eta": ".5"}, "02_small__d=4,eta=.5.ipynb"),
        ({"name": "a/../b c"}, "02_small__name=a-..-b-c.ipynb"),
    ],
)
def test_the_output_is_named_for_the_parameters(parameters, name):
    assert command._default_output(Path("x/02_small.py"), parameters) == Path("runs") / name


def test_the_module_runs_as_a_command(notebook, tmp_path):
    asked = [sys.executable, "-m", "a2a", "run", str(notebook), "-p", "d", "x"]
    done = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path, env=os.environ, check=False)
    assert done.returncode == 2 and "a2a: error: parameter \"d\" is int (default 3), got 'x'" in done.stderr


def test_a_run_is_a_valid_notebook(finished):
    nbformat.validate(nbformat.read(finished[0], as_version=4))
    assert json.loads(finished[0].read_text())["metadata"]["kernelspec"]["name"] == "python3"
