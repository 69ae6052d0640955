"""The page of the claims: what stands in a line, what is folded, and the pictures."""

import math

import pytest
from bs4 import BeautifulSoup

from a2a.book.claims_page import WIDTH, claims_page, counts, picture

CHECK = {
    "what": "bias",
    "verdict": "supported",
    "notebook": "02_pairs",
    "wanted": "1, within 0.1",
    "measured": "1.05",
    "assumptions": [{"what": "rho = 0.5, wanted < 1", "holds": True}],
    "models": ["exact agents"],
    "effect": 1.05,
    "interval": None,
    "margin": [0.9, 1.1],
    "note": "",
}


def claim(id="A1", verdict="supported", source="paper A", checks=(CHECK,), tested=None, says="one & all"):
    return {
        "id": id,
        "says": says,
        "source": source,
        "verdict": verdict,
        "tested_on_papers_models": tested,
        "checks": list(checks),
    }


def page(*claims, **statement):
    return BeautifulSoup(claims_page(claims, {one["id"]: statement for one in claims}), "html.parser")


def test_a_claim_is_one_line_with_its_checks_folded_under_it():
    (details,) = page(claim()).find_all("details")
    assert details["data-verdict"] == "supported" and details["data-source"] == "paper A" and not details.get("open")
    assert "A1 one & all" in details.summary.text and "✓ supported" in details.summary.text
    assert "paper A · on exact agents" in details.summary.text
    (check,) = details.find_all("li")
    assert "measured 1.05, wanted 1, within 0.1" in check.text and "given rho = 0.5, wanted < 1" in check.text
    assert check.a["href"] == "../notebooks/02_pairs.html"


def test_a_broken_assumption_is_named():
    broken = CHECK | {"verdict": "not applicable", "assumptions": [{"what": "rho = 2, wanted < 1", "holds": False}]}
    assert "not so: rho = 2, wanted < 1" in page(claim(checks=[broken])).details.li.text


def test_models_that_did_not_run_are_named_with_the_command_that_runs_them():
    found = page(claim(tested=False), models=["Big"], run="a2a run 07")
    assert "not tested on the paper's models" in found.summary.text
    assert "(Big)" in found.details.text and found.code.text == "a2a run 07"
    assert "1 of the 1 claims" in found.text


def test_claims_are_counted_by_source():
    found = counts([claim(), claim("A2", "contradicted"), claim("B1", "not tested", "paper B")])
    assert found["paper A"] == {"supported": 1, "contradicted": 1} and found["paper B"] == {"not tested": 1}


def test_texts_are_escaped():
    html = claims_page([claim(says="<script>", checks=[CHECK | {"what": "<script>"}])], {"A1": {}})
    assert "<script>" not in html


def test_the_page_is_one_block_of_html_for_markdown():
    assert "\n\n" not in claims_page([claim()], {"A1": {}})


def shapes(**of):
    drawn = BeautifulSoup(picture(CHECK | of), "html.parser")
    return {name: drawn.find(class_=f"a2a-{name}") for name in ("band", "dot", "range")}


def test_the_dot_lies_in_the_band_if_the_number_lies_in_the_margin():
    drawn = shapes()
    start = float(drawn["band"]["x"])
    assert start < float(drawn["dot"]["cx"]) < start + float(drawn["band"]["width"])
    assert drawn["range"] is None


def test_what_is_far_off_is_an_arrow_at_the_edge():
    assert shapes(effect=9.0)["dot"]["d"].startswith(f"M{WIDTH - 4}.0 ")


@pytest.mark.parametrize("end", [None, math.inf])
def test_an_open_margin_goes_on_to_the_edge(end):
    drawn = shapes(effect=0.62, interval=[0.32, 0.91], margin=[0.6, end])
    assert float(drawn["band"]["x"]) + float(drawn["band"]["width"]) == WIDTH - 4
    assert drawn["range"]["d"].startswith("M")


@pytest.mark.parametrize("missing", [{"effect": None}, {"margin": None}])
def test_without_a_number_there_is_no_picture(missing):
    assert picture(CHECK | missing) == ""


def test_a_picture_says_what_it_shows():
    assert 'aria-label="measured 1.05, wanted 1, within 0.1"' in picture(CHECK)
