"""What comes into the book: a run of each chapter at the book's own parameters, and nothing else."""

import nbformat
import pytest
from nbformat.v4 import new_notebook
from small_notebook import NOTEBOOK

from a2a.book.collected import claims_json, require_run
from a2a.book.page import write_page
from a2a.book.sides import run_claims

DEFAULTS = {"d": 3, "eta": 0.1, "name": "plain", "flag": True}


@pytest.fixture
def source(tmp_path):
    (tmp_path / "02_small.py").write_text(NOTEBOOK)
    return tmp_path / "02_small.py"


def write(file, stem="02_small", exception=None, **parameters):
    told = {"input_path": f"/tmp/{stem}.ipynb", "exception": exception}
    made = {"a2a": {"parameters": parameters}, "papermill": told}
    nbformat.write(new_notebook(metadata=made), file)
    return file


def test_a_run_at_the_defaults_comes_into_the_book(source):
    assert claims_json([write(source.with_suffix(".ipynb"), **DEFAULTS)], {}) == {"claims": []}


@pytest.mark.parametrize("parameters", [{"d": 4}, {"more": 1}, {"d": "3"}])
def test_a_run_with_other_parameters_does_not(source, parameters):
    file = write(source.with_suffix(".ipynb"), **DEFAULTS | parameters)
    with pytest.raises(
        ValueError, match=r"02_small\.ipynb isn't a finished run of 02_small\.py at the book's parameters"
    ):
        claims_json([file], {})
    assert run_claims(file) == {"claims": []}  # it may be compared with others


@pytest.mark.parametrize("stem", ["02_other", "03_small"])
def test_nor_does_a_run_of_another_notebook(source, stem):
    with pytest.raises(ValueError, match="remove it, and it is made again"):
        claims_json([write(source.with_suffix(".ipynb"), stem, **DEFAULTS)], {})


def test_nor_does_a_run_that_failed(source):
    with pytest.raises(ValueError, match="isn't a finished run of"):
        claims_json([write(source.with_suffix(".ipynb"), exception=True, **DEFAULTS)], {})


def test_nor_does_what_somebody_saved_there(source):
    nbformat.write(new_notebook(), source.with_suffix(".ipynb"))
    with pytest.raises(ValueError, match="isn't a finished run of"):
        claims_json([source.with_suffix(".ipynb")], {})


def test_a_variant_is_a_run_at_its_own_parameters(source, tmp_path):
    file = write(tmp_path / "02_small--large.ipynb", **DEFAULTS | {"d": 9, "eta": 1.0})
    require_run(file, source, {"d": 9, "eta": 1})
    with pytest.raises(ValueError, match=r"\(d = 8\)"):
        require_run(file, source, {"d": 8})


def test_the_page_of_a_variant_does_not_show_another_run(source, tmp_path):
    file = write(tmp_path / "02_small--large.ipynb", **DEFAULTS)
    with pytest.raises(ValueError, match="at the book's parameters"):
        write_page(file, source, tmp_path / "page.html", {"d": 9})
    assert not (tmp_path / "page.html").exists()
