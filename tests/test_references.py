"""Guards for what nbval can't see: cells that never ran, and references that compare nothing."""

import jupytext
import nbformat
import pytest
from chapters import CHAPTERS, ROOT

REFERENCES = sorted((ROOT / "tests" / "reference").glob("*.ipynb"))
LEAST_COMPARED = 8
"""Compared cells that every chapter's reference must have at least."""


@pytest.fixture(params=REFERENCES, ids=lambda file: file.stem)
def reference(request):
    return nbformat.read(request.param, as_version=4)


def test_every_chapter_has_a_reference():
    assert [file.stem for file in REFERENCES] == list(CHAPTERS)


def test_every_code_cell_was_run(reference):
    code = [cell for cell in reference.cells if cell.cell_type == "code" and cell.source.strip()]
    assert code
    assert all(cell.execution_count for cell in code)


def test_enough_cells_are_compared(reference):
    compared = [cell for cell in reference.cells if cell.source.startswith("# NBVAL_CHECK_OUTPUT")]
    assert len(compared) >= LEAST_COMPARED
    assert all(cell.outputs for cell in compared)


@pytest.mark.parametrize("file", REFERENCES, ids=lambda file: file.stem)
def test_the_source_is_the_chapters(file):
    """A chapter that was edited needs a new reference: `make references`."""
    chapter = jupytext.read(ROOT / "notebooks" / f"{file.stem}.py")
    stored = [cell.source.removeprefix("# NBVAL_CHECK_OUTPUT\n") for cell in nbformat.read(file, as_version=4).cells]
    assert [source for source in stored if not source.startswith("# Parameters")] == [
        cell.source for cell in chapter.cells
    ]
