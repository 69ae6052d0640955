import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_notebook import NOTEBOOK, printed

from a2a import __main__ as command
from a2a.book import page
from a2a.book import run as command_run
from a2a.book.output import check_companions
from a2a.book.runs import find_notebook, read_run
from a2a.execute import execute


@pytest.fixture
def notebook(tmp_path):
    file = tmp_path / "chapter" / "02_small.py"
    file.parent.mkdir()
    file.write_text(NOTEBOOK)
    return file


def run_command(capsys, *arguments):
    code = command.main(["run", *map(str, arguments)])
    return code, *capsys.readouterr()


def test_a_run_leaves_its_notebook_its_claims_and_its_page(notebook, tmp_path, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr(page, "write_page", lambda *given: asked.append(given))
    run = tmp_path / "new" / "run.ipynb"
    code, out, err = run_command(capsys, notebook, "-p", "d", "4", "-p", "name", "plain", "-o", run)
    written = [run, run.with_suffix(".claims.json"), run.with_suffix(".html")]
    assert (code, out.splitlines(), err) == (0, list(map(str, written)), "")
    assert printed(run).startswith("4 0.1 plain True")
    assert json.loads(written[1].read_text()) == {"claims": []}
    assert asked == [(run, notebook, written[2], {"d": 4})]
    check_companions(run, overwrite=False)  # what a run left can be written again


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A real run at the defaults."""
    file = tmp_path_factory.mktemp("finished") / "02_small.py"
    file.write_text(NOTEBOOK)
    return execute(file, file.with_name("run.ipynb"))


@pytest.fixture
def quickly(finished, monkeypatch):
    """Every run is that one, made before."""
    monkeypatch.setattr(command_run, "execute", lambda notebook, output, *given, **more: shutil.copy(finished, output))


def test_a_run_without_a_page_says_why_and_is_a_run(notebook, tmp_path, capsys, monkeypatch, quickly):
    def none(*given):
        raise page.NoPage("it rains")

    monkeypatch.setattr(page, "write_page", none)
    code, out, err = run_command(capsys, notebook, "-o", tmp_path / "run.ipynb")
    assert code == 0 and err == "a2a: no page: it rains\n"
    assert out.splitlines() == [str(tmp_path / "run.ipynb"), str(tmp_path / "run.claims.json")]


def test_the_notebook_alone(notebook, tmp_path, capsys, quickly):
    code, out, err = run_command(capsys, notebook, "--no-page", "-o", tmp_path / "run.ipynb")
    assert (code, out, err) == (0, f"{tmp_path / 'run.ipynb'}\n", "")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["chapter", "run.ipynb"]


def test_the_command_names_an_unknown_parameter(notebook, capsys):
    code, out, err = run_command(capsys, notebook, "-p", "etas", "4")
    assert (code, out) == (2, "") and 'no parameter "etas"' in err and 'did you mean "eta"?' in err


def test_the_command_names_what_is_out_of_range(notebook, capsys):
    code, out, err = run_command(capsys, notebook, "-p", "d", "0")
    assert (code, out, err) == (2, "", 'a2a: error: parameter "d" must be in [1, 100], got 0\n')


def test_the_command_names_the_failing_cell(notebook, tmp_path, capsys):
    code, _, err = run_command(capsys, notebook, "-p", "d", "10", "-o", tmp_path / "run.ipynb")
    assert code == 1 and "AssertionError: d is too large" in err and str(tmp_path / "run.ipynb") in err
    assert not (tmp_path / "run.html").exists()


@pytest.mark.parametrize("name", ["run.claims.json", "run.html"])
def test_what_stands_where_the_page_goes_is_not_overwritten(notebook, tmp_path, capsys, name):
    (tmp_path / name).write_text("mine")
    code, _, err = run_command(capsys, notebook, "-o", tmp_path / "run.ipynb")
    assert code == 2 and f"{name} exists and isn't of a run" in err and (tmp_path / name).read_text() == "mine"


def test_force_replaces_it(notebook, tmp_path, capsys, monkeypatch, quickly):
    monkeypatch.setattr(page, "write_page", lambda executed, source, file, own: file.write_text("a page"))
    for name in ("run.claims.json", "run.html", "run.ipynb"):
        (tmp_path / name).write_text("mine")
    code, *_ = run_command(capsys, notebook, "-o", tmp_path / "run.ipynb", "--force")
    assert code == 0 and "mine" not in (tmp_path / "run.html").read_text() + (tmp_path / "run.ipynb").read_text()


def test_the_source_is_not_overwritten(notebook, capsys):
    code, _, err = run_command(capsys, notebook, "-o", notebook)
    assert code == 2 and "must be an .ipynb file" in err and notebook.read_text() == NOTEBOOK


@pytest.fixture
def book(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "02_small.py").write_text(NOTEBOOK)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", ["02_small", "small", "notebooks/02_small.py", "07_small", "7_small.py"])
def test_a_notebook_has_a_name_with_its_number_without_it_and_with_a_former_one(book, name):
    assert find_notebook(name) == Path("notebooks/02_small.py")


def test_the_command_lists_the_notebooks(book, capsys):
    code, _, err = run_command(capsys, "03_large")
    assert code == 2 and err == 'a2a: error: no notebook "03_large"; there are 02_small\n'


def test_what_is_missing_is_named_with_what_installs_it(book, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "papermill", None)
    for name in [name for name in sys.modules if name.startswith("a2a.book.")]:
        monkeypatch.delitem(sys.modules, name)
    code, _, err = run_command(capsys, "small")
    assert (code, err) == (2, "a2a: error: papermill isn't installed: pip install 'a2a[book]'\n")


def test_help_on_a_notebook_lists_its_parameters(book, capsys):
    with pytest.raises(SystemExit) as caught:
        command.main(["run", "small", "--help"])
    out = capsys.readouterr().out
    assert caught.value.code == 0 and out.startswith("usage: a2a run") and "--no-page" in out
    assert "parameters of 02_small" in out
    assert "\n  d     3        [1, 100]  dimension\n  eta   0.1                step size\n" in out


def test_help_without_a_notebook_is_about_the_command(capsys):
    with pytest.raises(SystemExit) as caught:
        command.main(["run", "--help"])
    out = capsys.readouterr().out
    assert caught.value.code == 0 and "after a notebook, its parameters" in out and "parameters of" not in out


def test_help_on_no_notebook(book, capsys):
    assert command.main(["run", "large", "-h"]) == 2
    assert capsys.readouterr().err == 'a2a: error: no notebook "large"; there are 02_small\n'


@pytest.mark.parametrize("arguments", [[], ["walk"], ["run"], ["run", "02", "-p", "d"], ["compare", "x"]])
def test_a_wrong_command_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2 and "usage: a2a" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ({}, "02_small.ipynb"),
        ({"d": "4", "eta": ".5"}, "02_small__d=4,eta=.5.ipynb"),
        ({"name": "a/../b c"}, "02_small__name=a-..-b-c-afb82b90.ipynb"),
    ],
)
def test_the_output_is_named_for_the_parameters(parameters, name):
    assert command_run.default_output(Path("x/02_small.py"), parameters) == Path("runs") / name


def test_no_two_parameters_share_an_output():
    names = ("a b", "a-b", "a/b", "x" * 200, "x" * 201, "\ud800", "語" * 100, "語" * 101)
    outputs = {command_run.default_output(Path("02_small.py"), {"name": name}).name for name in names}
    assert len(outputs) == len(names) and max(len(output.encode()) for output in outputs) < 200


def test_an_error_of_several_lines_is_one_line(notebook, tmp_path, capsys):
    notebook.write_text(f'{NOTEBOOK}\n# %%\nraise ValueError("one\\ntwo")\n')
    code, _, err = run_command(capsys, notebook, "-o", tmp_path / "run.ipynb")
    assert code == 1 and err.startswith("a2a: error: ValueError: one two (cell") and err.count("\n") == 1


def test_an_error_steers_no_terminal(notebook, tmp_path, capsys):
    notebook.write_text(f'{NOTEBOOK}\n# %%\nraise ValueError("\\x1b[2J\\u202e")\n')
    _, _, err = run_command(capsys, notebook, "-o", tmp_path / "run.ipynb")
    assert err.startswith("a2a: error: ValueError: \\u{1b}[2J\\u{202e} (cell")


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_serving_at_no_port(capsys, port):
    assert command.main(["serve", f"--port={port}"]) == 2
    assert capsys.readouterr().err == f"a2a: error: port must be in [0, 65535], got {port}\n"


def test_the_module_runs_as_a_command(notebook, tmp_path):
    asked = [sys.executable, "-m", "a2a", "run", str(notebook), "-p", "d", "x"]
    done = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path, env=os.environ, check=False)
    assert done.returncode == 2 and "a2a: error: parameter \"d\" is int (default 3), got 'x'" in done.stderr


def test_a_kernel_that_dies_fails_the_run(notebook, tmp_path, capsys):
    notebook.write_text(f"{NOTEBOOK}\n# %%\nos._exit(1)\n")
    code, out, err = run_command(capsys, notebook, "-o", tmp_path / "run.ipynb")
    assert (code, out) == (1, "") and "the kernel died" in err and str(tmp_path / "run.ipynb") in err
    assert read_run(tmp_path / "run.ipynb").metadata["papermill"]["exception"], "it isn't taken for a finished run"


def claims(verdict, measured="0.5"):
    check = {"what": "residual", "verdict": verdict, "notebook": "02_small", "measured": measured, "wanted": "< 1"}
    return json.dumps({"claims": [{"id": "A1", "says": "", "source": "", "verdict": verdict, "checks": [check]}]})


@pytest.mark.parametrize("argv", [None, ["false"]], ids=["unknown", "broken"])
def test_a_kernel_that_does_not_start_is_one_line_and_costs_no_earlier_run(
    finished, notebook, tmp_path, capsys, monkeypatch, argv
):
    (tmp_path / "kernels" / "theirs").mkdir(parents=True)
    if argv:
        told = {"argv": argv, "display_name": "theirs", "language": "python"}
        (tmp_path / "kernels" / "theirs" / "kernel.json").write_text(json.dumps(told))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    notebook.write_text(NOTEBOOK.replace("name: python3", "name: theirs"))
    run = shutil.copy(finished, tmp_path / "run.ipynb")
    code, out, err = run_command(capsys, notebook, "--no-page", "-o", run)
    assert (code, out, err.count("\n")) == (2, "", 1) and "the notebook's kernel can't be started" in err
    assert run.read_bytes() == finished.read_bytes()


def test_compare_says_what_differs(tmp_path, capsys):
    (tmp_path / "x.json").write_text(claims("supported"))
    (tmp_path / "y.json").write_text(claims("contradicted"))
    assert command.main(["compare", str(tmp_path / "x.json"), str(tmp_path / "y.json")]) == 1
    assert "A1: supported → contradicted" in capsys.readouterr().out
    assert command.main(["compare", str(tmp_path / "x.json"), str(tmp_path / "x.json")]) == 0
    assert capsys.readouterr().out == "no differences\n"


def test_what_compare_says_steers_no_terminal(tmp_path, capsys):
    for name, measured in (("x", "1"), ("y", "2\x1b[2J\u202e")):
        (tmp_path / f"{name}.json").write_text(claims("supported", measured))
    assert command.main(["compare", str(tmp_path / "x.json"), str(tmp_path / "y.json")]) == 1
    assert "1 → 2\\u{1b}[2J\\u{202e}\n" in capsys.readouterr().out


def test_compare_refuses_what_isnt_there(tmp_path, capsys):
    assert command.main(["compare", str(tmp_path / "x.json"), str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"a2a: error: there is no {tmp_path / 'x.json'}\n"
