"""The generated parts of the book: what the table of claims and the status page say, and what they refuse."""

import base64

import nbformat
import pytest
from bs4 import BeautifulSoup

from a2a.claims import claim
from a2a.report import claims_table, headline_picture, status_table

STATEMENTS = {
    "A1": {"paper": "A", "says": "one & all"},
    "A2": {"paper": "A", "says": "two", "pending": "too slow"},
    "A3": {"paper": "A", "says": "three", "measured_by": "big model", "pending": "needs a key"},
}


def rows(*checks):
    table = BeautifulSoup(claims_table(STATEMENTS, [("02_pairs", each) for each in checks]), "html.parser")
    return {head.strong.text: head.parent.parent.find_all("tr")[1:] for head in table.find_all("th", scope="rowgroup")}


def check(id="A1", what="bias", measured=1.0):
    return claim(id, what, predicted=1.0, measured=measured, tolerance=0.1)


@pytest.mark.parametrize(("measured", "verdict"), [(1.0, "✓ holds"), (2.0, "✗ failed")])
def test_a_check_is_a_row_with_its_verdict(measured, verdict):
    (row,) = rows(check(measured=measured))["A1"]
    cells = [cell.text for cell in row.find_all("td")]
    assert cells == ["A1", "bias", "1.00", f"{measured:.2f}", "0.1", verdict, "02"]
    assert row.a["href"] == "../notebooks/02_pairs.html"


def test_what_no_notebook_states_is_not_measured():
    found = rows(check())
    assert "not measured: too slow" in found["A2"][0].text
    assert "no notebook" in rows()["A1"][0].text


def test_a_claim_stays_pending_until_the_named_thing_was_measured():
    assert [row.text for row in rows(check("A3", "small model"))["A3"]][-1].endswith("needs a key")
    assert len(rows(check("A3", "the big model's bias"))["A3"]) == 1


def test_claims_about_what_did_not_run_are_counted():
    other, named = (claims_table(STATEMENTS, [("02_pairs", check("A3", what))]) for what in ("small", "big model"))
    assert "1 of the claims is about a model that wasn't run here" in other
    assert "wasn't run" not in named


def test_texts_are_escaped():
    assert "one &amp; all" in claims_table(STATEMENTS, [])
    assert "<script>" not in claims_table(STATEMENTS, [("x", check(what="<script>"))])


def test_failures_are_counted_first():
    found = [("x", check()), ("x", check(measured=3.0))]
    assert "1 of the checks failed" in claims_table(STATEMENTS, found)
    assert "all checks hold" in claims_table(STATEMENTS, found[:1])


def test_a_claim_that_no_paper_makes_is_refused():
    with pytest.raises(ValueError, match="02_pairs states claim Z9, which isn't one of A1, A2, A3"):
        claims_table(STATEMENTS, [("02_pairs", check("Z9"))])


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


def test_the_headline_picture_is_found_by_its_name(executed):
    assert headline_picture(executed, "head") == b"picture"
    with pytest.raises(ValueError, match="keeps no figure named 'tail'"):
        headline_picture(executed, "tail")
