"""Somebody's transcripts, made over real HTTP under a name that isn't ours: they appear in every table."""

import shutil

import pytest
from chapter_runner import run_apart
from chapters import ROOT, stem_of
from nbformat import read

from a2a.book.execute import execute
from a2a.chat import offline
from a2a.chat.offline import OfflineAgent, gradient
from a2a.chat.server import local_server

SMALL = {"steps": 4, "resamples": 100}
MODEL = "gpt-5-mini"


@pytest.fixture(scope="module")
def theirs():
    """The address of a server where a model of that name does the task."""
    offline.OFFLINE[MODEL] = OfflineAgent(MODEL, gradient, "Stands in for a paid model.")
    with local_server() as url:
        yield {"base_url": url, "model": MODEL, "mode": "record"}
    del offline.OFFLINE[MODEL]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A book of these chapters alone, with the recordings of ours."""
    root = tmp_path_factory.mktemp("book")
    shutil.copytree(ROOT / "transcripts", root / "transcripts")
    shutil.copytree(ROOT / "book", root / "book")
    for name in ("_toc.yml", "chapters.yml"):
        shutil.copy(ROOT / name, root / name)
    (root / "notebooks").mkdir()
    for name in ("blackbox", "blackbox_pairs"):
        shutil.copy(ROOT / "notebooks" / f"{stem_of(name)}.py", root / "notebooks")
    return root


def tables(notebook):
    """The text of every table that has our exact agent in it."""
    cells = (cell for cell in read(notebook, 4).cells if cell.cell_type == "code")
    shown = (output.get("data", {}).get("text/plain", "") for cell in cells for output in cell.outputs)
    return [text for text in shown if "softmax-icl" in text]


def test_they_are_in_every_table_and_in_the_first_sentence(theirs, book, tmp_path):
    run_apart(stem_of("blackbox"), SMALL | theirs | {"transcript": str(book / "transcripts")}, root=book)
    out = tmp_path / "out.ipynb"
    execute(book / "notebooks" / f"{stem_of('blackbox')}.py", out, SMALL)
    shown = tables(out)
    with_others = [text for text in shown if "gradient:noise=0.01" in text]
    assert len(with_others) >= 7 and all(MODEL in text for text in with_others)
    said = str(read(out, 4))
    assert f"of the language models, {MODEL} did the task" in said and f"as recorded of {MODEL}" in said


def test_pairs_of_them_are_judged_by_every_check(theirs, book, tmp_path):
    small = SMALL | {"gaps": [1.0], "turns": 12, "transcript": str(tmp_path)}
    made = run_apart(stem_of("blackbox_pairs"), small | theirs, root=book)
    again = run_apart(stem_of("blackbox_pairs"), small | {"mode": "replay"}, root=book)
    assert again == made and {check["verdict"] for check in again} == {"supported"}
    assert {tuple(check["models"]) for check in again} == {(MODEL,)}
