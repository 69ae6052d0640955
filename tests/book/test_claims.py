import json
import re

import numpy as np
import pytest
from hostile import HOSTILE, misleading

from a2a.book.claims import METADATA, Checks, requires
from a2a.book.collected import SOURCES, claim_verdict, claims_json, collect, load_statements
from a2a.book.evidence import close, every
from a2a.execute import execute

GOOD, BAD = every([True]), every([False])


def made(*arguments, **options):
    checks = Checks("exact agents")
    checks.add("A4", "bias", *arguments, **options)
    return checks.made[0]


@pytest.mark.parametrize(
    ("relation", "bound", "holds", "what"),
    [
        ("<", 1, False, "rho(PQ) = 1.57, wanted < 1"),
        (">=", 0.5, True, "rho(PQ) = 0.5, wanted >= 0.5"),
        (">", 0.5, False, "rho(PQ) = 0.5, wanted > 0.5"),
        ("<=", 2, True, "rho(PQ) = 1.57, wanted <= 2"),
    ],
)
def test_an_assumption_shows_its_worst_number(relation, bound, holds, what):
    found = requires("rho(PQ)", [0.5, 1.57], relation, bound)
    assert (found.what, found.holds) == (what, holds)


def test_an_assumption_on_what_is_no_number_does_not_hold():
    assert not requires("rho", np.nan, "<", 1).holds


def test_a_number_just_below_its_bound_is_not_shown_as_the_bound():
    assert requires("rho", 0.99999, "<", 1).what == "rho = 0.99999, wanted < 1"


def test_an_assumption_needs_a_value():
    with pytest.raises(ValueError, match="the assumption on rho needs a value"):
        requires("rho", [], "<", 1)


def test_a_broken_assumption_makes_a_check_not_applicable():
    check = made(BAD, given=[requires("n", 4, ">=", 8), requires("rho(PQ)", 1.57, "<", 1)])
    assert check.verdict == "not applicable"
    assert check.line == "A4 not applicable: bias; n = 4, wanted >= 8; rho(PQ) = 1.57, wanted < 1"


def test_what_a_failed_check_may_mean_is_said_only_then():
    assert made(BAD, otherwise="train longer").line.endswith("wanted all 1; train longer")
    assert "train longer" not in made(GOOD, otherwise="train longer").line


def test_checks_name_their_models():
    assert made(GOOD).models == ("exact agents",)
    assert made(GOOD, models=["gpt-5-mini"]).models == ("gpt-5-mini",)


def test_texts_are_escaped():
    checks = Checks()
    checks.add("A4", "<script>", GOOD)
    assert "<script>" not in checks.made[0]._repr_mimebundle_()["text/html"]
    assert "<script>" not in checks.table()._repr_mimebundle_()[0]["text/html"]


def test_the_table_is_in_order_of_the_claims():
    checks = Checks()
    for id in ("B1", "A10", "A2"):
        checks.add(id, "x", GOOD)
    lines = checks.table()._repr_mimebundle_()[0]["text/plain"].splitlines()
    assert [line.split()[0] for line in lines] == ["A2", "A10", "B1"]


def test_what_is_kept_is_json():
    checks = Checks()
    checks.add("A4", "x", close(np.nan, 1, tolerance=0.1))
    kept = checks.table()._repr_mimebundle_()[1][METADATA]
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept


def of(*verdicts, models=("small",)):
    return [{"verdict": verdict, "models": list(models)} for verdict in verdicts]


@pytest.mark.parametrize(
    ("verdicts", "verdict"),
    [
        ([], "not tested"),
        (["supported", "supported"], "supported"),
        (["supported", "undecided"], "undecided"),
        (["supported", "undecided", "contradicted"], "contradicted"),
        (["supported", "not applicable", "descriptive"], "supported"),
        (["not applicable", "descriptive"], "not applicable"),
        (["descriptive"], "not tested"),
    ],
)
def test_a_claim_is_as_strong_as_its_weakest_check(verdicts, verdict):
    assert claim_verdict(of(*verdicts), {}) == verdict


def test_what_is_said_of_a_papers_models_alone_is_not_tested_on_others():
    said = {"models": ["GPT-5-mini"], "only_these": True}
    assert claim_verdict(of("supported"), said) == "not tested"
    assert claim_verdict(of("supported", models=["gpt-5-mini-2025"]) + of("contradicted"), said) == "supported"


def test_the_statements_of_the_book_are_whole():
    statements = load_statements()
    assert list(statements) == [f"A{i}" for i in range(1, 14)] + [f"B{i}" for i in range(1, 11)]
    assert {statement["source"] for statement in statements.values()} == set(SOURCES)


NOTEBOOK = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
size = 2.0  # of the gap

# %%
from a2a.book.claims import Checks, requires
from a2a.book.evidence import close

checks = Checks("exact agents")

# %%
checks.add("A4", "first", close(size, 2.0, tolerance=0.1))
checks.add("A6", "second", close(size, 3.0, tolerance=0.1), given=[requires("size", size, "<", 1)])

# %%
checks.table()
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    source = tmp_path_factory.mktemp("book") / "02_small.py"
    source.write_text(NOTEBOOK)
    return execute(source, source.parent / "out" / "02_small.ipynb")


def test_checks_are_collected_from_executed_notebooks(run):
    first, second = collect([run])
    assert (first["notebook"], first["id"], first["verdict"], first["measured"]) == (
        "02_small",
        "A4",
        "supported",
        "2.00",
    )
    assert second["verdict"] == "not applicable"


def test_claims_json_has_every_claim_with_its_checks(run):
    statements = {
        "A4": {"says": "one", "source": "ours"},
        "A6": {"says": "two", "source": "paper A", "models": ["big"]},
    }
    first, second = claims_json([run], statements)["claims"]
    assert (first["says"], first["source"], first["verdict"]) == ("one", "ours", "supported")
    assert (first["tested_on_papers_models"], second["tested_on_papers_models"]) == (None, False)
    assert second["verdict"] == "not applicable"
    (check,) = second["checks"]
    assert check["assumptions"] == [{"what": "size = 2, wanted < 1", "holds": False}]
    assert (check["what"], check["notebook"], check["models"]) == ("second", "02_small", ["exact agents"])


def test_a_check_of_no_claim_is_refused(run):
    with pytest.raises(ValueError, match="02_small checks claim A6, which isn't one of A4"):
        claims_json([run], {"A4": {"says": "one", "source": "ours"}})


def test_without_a_book_a_notebooks_claims_speak_for_themselves(run):
    assert [claim["id"] for claim in claims_json([run], {})["claims"]] == ["A4", "A6"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_of_models_and_of_what_was_compared_stay_text(text):
    checks = Checks(text)
    checks.add("A1", text, every([True, False]), otherwise=text)
    shown, kept = checks.table()._repr_mimebundle_()
    (made,) = checks.made
    for said in (*shown.values(), *made._repr_mimebundle_().values(), *made.models, made.what, made.note):
        assert not misleading(said) and len(said) < 5000
    assert len(shown["text/plain"].splitlines()) == 1
    assert not re.search(r"<(script|h1|img)", shown["text/html"])
    assert json.loads(json.dumps(kept))
