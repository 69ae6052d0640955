"""The generated parts of the book: what the status page says, and the picture of the landing page."""

import base64

import nbformat
import pytest

from a2a.book.report import headline_picture, status_table


@pytest.fixture
def executed(tmp_path):
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["papermill"] = {"duration": 12.4, "start_time": "2026-01-02T03:04:05.6"}
    made_by = {"version": "1.2", "commit": "", "python": "3.11", "libraries": {"numpy": "2"}, "parameters": {"d": 4}}
    notebook.metadata["a2a"] = made_by
    picture = {"application/papermill.record/image/png": base64.b64encode(b"picture").decode()}
    output = nbformat.v4.new_output("display_data", picture, metadata={"scrapbook": {"name": "head"}})
    notebook.cells.append(nbformat.v4.new_code_cell("x", outputs=[output]))
    nbformat.write(notebook, tmp_path / "07_x.ipynb")
    return tmp_path / "07_x.ipynb"


def test_the_status_says_how_a_notebook_was_made(executed):
    table = status_table([executed])
    assert "| {doc}`/notebooks/07_x` | `d = 4` | 12 | 2026-01-02 03:04 UTC | 1.2 | none |" in table
    assert "07_x ran on python 3.11, numpy 2." in table


def test_a_variant_has_a_page_of_its_own(executed):
    variant = executed.rename(executed.with_name("07_x--wide.ipynb"))
    assert '| <a href="../variants/07_x--wide.html">wide</a> of 07_x | `d = 4` |' in status_table([variant])


def test_the_headline_picture_is_found_by_its_name(executed):
    assert headline_picture(executed, "head") == b"picture"
    with pytest.raises(ValueError, match="keeps no figure named 'tail'"):
        headline_picture(executed, "tail")
