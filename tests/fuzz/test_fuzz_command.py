"""The command line with whatever arguments and files: an exit code and at most one line of error, and no traceback."""

import contextlib
import copy
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from small_notebook import NOTEBOOK

from a2a import __main__ as command
from a2a.book import execute as execution
from a2a.book import page
from a2a.execute import execute

CHECKED = """
# %%
from a2a.book.claims import Checks
from a2a.book.evidence import close

checks = Checks("agents")
checks.add("A1", "residual", close(0.5, 0.4, tolerance=1))
checks.table()
"""
LETTERS = st.characters(exclude_characters="/\0")
NAMES = st.one_of(st.sampled_from(["d", "eta", "name", "flag", "dd", ""]), st.text(max_size=8))
VALUES = st.one_of(
    st.sampled_from(["1", "2.5", "[1, 2]", "none", "nan", "1e400", "9" * 5000, "(" * 200, "-" * 5000 + "1", "{}{d}"]),
    st.from_type(int | float | bool | list[int]).map(str),
    st.text(max_size=200),
)
OUTPUTS = st.one_of(
    st.sampled_from(
        [
            "run.ipynb",
            "02_small.py",
            "02_small.ipynb",
            "link.ipynb",
            "loop.ipynb",
            "folder.ipynb",
            "README.md",
            ".ipynb",
        ]
    ),
    st.lists(st.text(LETTERS, min_size=1, max_size=90), min_size=1, max_size=3).map(
        lambda parts: "/".join(parts) + ".ipynb"
    ),
    st.text(LETTERS, max_size=260),
).filter(lambda name: ".." not in name)
NOTEBOOKS = st.one_of(
    st.sampled_from(["small", "02_small.py", "x/02_small.py", "", "README.md"]), st.text(max_size=300)
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A real run, and its claims."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "02_small.py").write_text(NOTEBOOK + CHECKED)
    run = execute(folder / "02_small.py", folder / "run.ipynb")
    assert call("compare", run, run)[0] == 0
    from a2a.book.sides import run_claims

    (folder / "run.claims.json").write_text(json.dumps(run_claims(run)))
    return folder


@pytest.fixture
def folder(kept, tmp_path, monkeypatch):
    """Where the command runs: a notebook, what mustn't be overwritten, and runs that take no time."""
    sources = {"02_small.py": NOTEBOOK, "README.md": "mine"}
    (tmp_path / "links").mkdir()
    for name, text in sources.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(
        execution, "_run", lambda source, output, *given, **more: shutil.copy(kept / "run.ipynb", output)
    )
    monkeypatch.setattr(page, "write_page", lambda executed, notebook, file, own: None)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments):
    """The exit code and what went to standard error."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = command.main([*map(str, arguments)])
        except SystemExit as usage:
            assert usage.code in (0, 2)  # argparse has shown how the command is used
            return 0, ""
    return code, err.getvalue()


def is_told(code, err):
    told = [line for line in err.split("\n") if line and " takes about " not in line]
    return code in (0, 1) or (code == 2 and len(told) == 1 and told[0].startswith("a2a: error: "))


@fuzzed(30)
@given(NOTEBOOKS | st.just("small"), st.lists(st.tuples(NAMES, VALUES), max_size=3), st.none() | OUTPUTS, st.booleans())
def test_a_run_with_odd_arguments(folder, notebook, parameters, output, force):
    with lay_out(folder):
        given = [part for name, value in parameters for part in ("-p", name, value)]
        code, err = call("run", notebook, *given, *(["-o", output] if output is not None else []), *["--force"] * force)
        assert is_told(code, err)
        assert Path("02_small.py").read_text() == NOTEBOOK and Path("README.md").read_text() == "mine"


@contextlib.contextmanager
def lay_out(folder):
    """A fresh folder of its own inside a folder, which nothing leaves."""
    inside = folder / "inside"
    inside.mkdir()
    for name in ("02_small.py", "README.md"):
        shutil.copy(folder / name, inside)
    (inside / "link.ipynb").symlink_to("README.md")
    (inside / "loop.ipynb").symlink_to("loop.ipynb")
    (inside / "folder.ipynb").mkdir()
    (inside / "notebooks").mkdir()
    shutil.copy(folder / "02_small.py", inside / "notebooks")
    os.chdir(inside)
    try:
        yield
        assert sorted(os.listdir(folder)) == ["02_small.py", "README.md", "inside", "links"]
    finally:
        os.chdir(folder)
        shutil.rmtree(inside)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from([10**400, "A1", 1e308]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(content, path=()):
    """Where there is something in decoded JSON."""
    yield path
    children = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for name, child in children:
        yield from places(child, (*path, name))


@st.composite
def damaged(draw, content):
    """Decoded JSON in which one thing, or several, is something else or gone."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from([path for path in places(content) if path] or [("more",)]))
        around = content
        for name in way:
            around = around[name]
        if draw(st.booleans()):
            around[last] = draw(JSON)
        elif last != "more":
            del around[last]
    return content


@fuzzed(20)
@given(st.data())
def test_comparing_damaged_files(kept, folder, data):
    name = data.draw(st.sampled_from(["run.ipynb", "run.claims.json"]))
    good = kept / name
    bad = folder / f"bad{good.suffix}"
    bad.write_text(json.dumps(data.draw(damaged(json.loads(good.read_text())))))
    for pair in ((bad, good), (kept / "run.ipynb", bad)):
        assert is_told(*call("compare", *pair))


@fuzzed(15)
@given(st.sampled_from(["run.ipynb", "run.claims.json"]), st.data())
def test_comparing_what_is_not_even_json(kept, folder, name, data):
    content = (kept / name).read_bytes()
    cut = content[: data.draw(st.integers(0, len(content)))] + data.draw(st.binary(max_size=20))
    nested = st.sampled_from(
        [b"[" * 100_000, b'{"claims":' * 100_000, b'{"claims": [' + b"9" * 5000 + b"]}", b"\xff\xfe"]
    )
    (folder / name).write_bytes(data.draw(st.just(cut) | nested | st.binary(max_size=50)))
    assert is_told(*call("compare", folder / name, kept / name))


PORTS = st.integers(max_value=-1) | st.integers(min_value=65536) | st.text(LETTERS, max_size=6)


@fuzzed(20)
@given(PORTS.filter(lambda port: isinstance(port, int) or not port.strip().lstrip("+").isdigit()))
def test_serving_at_an_odd_port(port):
    assert is_told(*call("serve", f"--port={port}"))


def test_comparing_a_run_with_a_cell_that_lost_its_source(kept, folder):
    run = json.loads((kept / "run.ipynb").read_text())
    next(cell for cell in run["cells"] if "nbval-check-output" in cell["metadata"]["tags"])["source"] = []
    (folder / "bad.ipynb").write_text(json.dumps(run))
    assert call("compare", folder / "bad.ipynb", kept / "run.ipynb") == (1, "")
