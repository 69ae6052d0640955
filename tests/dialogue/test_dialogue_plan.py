import re

import numpy as np
import pytest
import yaml
from chapters import ROOT, stem_of

from a2a.book.evidence import different, same
from a2a.dialogue import plan as plans
from a2a.dialogue.plan import Plan, load_plan
from a2a.dialogue.record import studies
from a2a.intervals import Estimate
from a2a.loops.metrics import METRICS

OWN = ROOT / "conversations" / "plan.yml"
CHAPTERS = [stem_of(name) for name in ("dialogue", "loops", "dialogue_sensitivity", "remedies")]


@pytest.fixture
def plan():
    return load_plan()


def changed(tmp_path, change):
    """The book's plan with a change, in a file."""
    content = yaml.safe_load(OWN.read_text())
    change(content)
    (tmp_path / "plan.yml").write_text(yaml.safe_dump(content))
    return tmp_path / "plan.yml"


def test_every_study_has_its_number_in_the_plan_and_the_reverse(plan):
    assert plan.studies.keys() == studies().keys()


def test_the_plan_asks_of_every_claim_of_paper_b(plan):
    claims = yaml.safe_load((ROOT / "book" / "claims.yml").read_text())
    assert list(plan.questions) == [id for id in claims if id.startswith("B")]


def test_every_study_but_those_of_histories_is_asked_about_by_itself(plan):
    asked = {name for id in plan.questions if id != "B7" for name in plan.asked_of(id)}
    assert plan.studies.keys() - asked == {"history_3", "history_all"}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_margins_of_a_chapter_are_the_plan_s(chapter):
    text = (ROOT / "notebooks" / f"{chapter}.py").read_text()
    assert "load_plan" in text
    named = re.findall(r"^(?:SHARE|TURNS|KAPPA|FALSE_ALARMS|WORST|AUC|ONSET)\b.*?= (.*)$", text, re.MULTILINE)
    assert named and all(value.startswith("plan.margins[") for value in named)


def test_evidence_goes_by_the_levels_of_the_plan(plan):
    asked = []

    def ends(level, n):
        asked.append(level)
        return -1.0, 1.0

    same(Estimate(0.0, ends, 10), margin=2)
    assert asked[0] == plan.levels["same"]
    asked.clear()
    different(Estimate(0.0, ends, 10), 1)
    assert set(asked) == {plan.levels["different"]}
    clear = Estimate(1.0, lambda level, n: (0.5, 1.5), 10)
    below, above = (same(clear, margin=0.1, p=plan.levels["p"] + by).verdict for by in (-1e-9, 1e-9))
    assert (below, above) == ("contradicted", "undecided")


def test_fewer_conversations_may_hold_none_of_a_kind_as_common_as_the_margin(plan):
    of_none = [(1 - plan.margins["share"]) ** n for n in (plan.fewest - 1, plan.fewest)]
    assert of_none[0] > plan.levels["p"] >= of_none[1]
    assert plan.fewest <= min(plan.studies.values())


def test_a_claim_about_all_studies_is_about_all(plan):
    assert plan.asked_of("B7") == list(plan.studies)
    assert plan.asked_of("B9") == ["tokens_25", "tokens_100"]
    assert plan.asked_of("B1") == []


def test_both_distances_have_a_metric(plan):
    assert set(plan.distances) <= METRICS.keys()


def test_pairs_for_the_same_are_those_of_two_one_sided_tests(plan):
    """sd 1, margin 0.5: (1.645 + 1.282)^2 / 0.25 = 34.3 pairs."""
    assert plan.pairs_for_same(np.array([-1, 1] * 5000), 0.5) == 35
    assert plan.pairs_for_same(np.array([-1, 1, np.nan] * 5000), 0.25) == 138


def test_pairs_for_a_change_are_those_of_its_two_sided_test(plan):
    """Mean 0.5, sd 1: (1.960 + 0.842)^2 / 0.25 = 31.4 pairs."""
    assert plan.pairs_for_different(np.array([-0.5, 1.5] * 5000)) == 32


def test_pairs_for_no_worse_look_to_one_side(plan):
    assert plan.pairs_for_no_worse(np.array([-1, 1] * 5000), -0.5) == 32


def test_as_many_pairs_as_that_show_it_that_often(plan, rng):
    """The number is checked by drawing: with it, the 90 % interval lies within the margin in 80 % of studies."""
    n = plan.pairs_for_same(np.array([-1, 1] * 5000), 0.2)
    means = rng.choice([-1, 1], size=(4000, n)).mean(axis=1)
    shown = np.abs(means) + 1.645 / np.sqrt(n) <= 0.2
    assert shown.mean() == pytest.approx(plan.power, abs=0.03)


@pytest.mark.parametrize("change", [np.array([]), np.array([1.0]), np.zeros(5), np.full(4, np.nan)])
def test_without_a_spread_no_number_of_pairs_is_known(plan, change):
    assert plan.pairs_for_same(change, 0.1) is None
    assert plan.pairs_for_different(change) is None
    assert "don't say" in plan.until_decided([change], [0.1])


def test_a_change_of_zero_needs_no_number_to_be_seen(plan):
    told = plan.until_decided([np.array([1.0, -1.0])], [0.5])
    assert "nothing changes" in told and "like this one" not in told


def test_the_larger_number_of_two_judges_is_told(plan):
    one, other = np.array([-1, 1, 0, 1.0] * 5), np.array([-2, 2, 0, 2.0] * 5)
    told = plan.until_decided([one, other], [0.1, 0.1])
    assert f"{plan.pairs_for_same(other, 0.1):,} to show that nothing changes" in told
    assert told.endswith("there are 20")
    assert plan.until_decided([], []) == ""


WRONG = {
    "not a mapping": (lambda plan: plan.clear(), "the plan must be named entries"),
    "a level above one": (lambda plan: plan["levels"].update(same=90), "levels: same must be a number between 0 and 1"),
    "a level too few": (
        lambda plan: plan["levels"].pop("p"),
        "levels must have same, different, p, got different, same",
    ),
    "no power": (lambda plan: plan.pop("power"), "power must be a number between 0 and 1, got None"),
    "a margin of words": (
        lambda plan: plan["margins"].update(share="little"),
        "margins: share must be a finite number",
    ),
    "a margin that is missing": (lambda plan: plan["margins"].pop("kappa"), "margins: kappa .* got None"),
    "a margin that is true": (lambda plan: plan["margins"].update(auc=True), "margins: auc .* got True"),
    "an infinite margin": (lambda plan: plan["margins"].update(auc=float("inf")), "margins: auc .* got inf"),
    "no quality": (lambda plan: plan["margins"].pop("quality"), "margins: quality must be named entries, got None"),
    "another quality": (lambda plan: plan["margins"]["quality"].update(taste=1), "must have .* got .*taste"),
    "an unknown distance": (lambda plan: plan.update(distances=["edit"]), "distances must be a list of some of cosine"),
    "no distance": (lambda plan: plan.update(distances=[]), "distances must be a list"),
    "half a conversation": (lambda plan: plan["studies"].update(hot=0.5), "studies: hot must be a whole number from 1"),
    "no conversation": (lambda plan: plan["studies"].update(hot=0), "studies: hot .* got 0"),
    "a question without a kind": (lambda plan: plan["questions"]["B5"].pop("kind"), "questions: B5 has an estimate"),
    "a question cut at a comma": (
        lambda plan: plan["questions"]["B5"].update({"ever and at the end": None}),
        "questions: B5 .* got .*ever and at the end",
    ),
    "a study that isn't planned": (
        lambda plan: plan["questions"]["B5"].update(studies=["cold"]),
        "questions: B5: studies must be",
    ),
    "a question of nothing": (lambda plan: plan["questions"].update(B5=None), "questions: B5 must be named entries"),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_plan_is_said_in_one_line(change, message, tmp_path):
    with pytest.raises(ValueError, match=f"^plan.yml: .*{message}") as raised:
        load_plan(changed(tmp_path, change))
    assert "\n" not in str(raised.value)


def test_a_plan_that_is_no_yaml(tmp_path):
    (tmp_path / "plan.yml").write_text("margins: {share: 0.15\n")
    with pytest.raises(ValueError, match=r"plan.yml isn't YAML: [^\n]*$"):
        load_plan(tmp_path / "plan.yml")


def test_another_plan_has_other_margins(tmp_path):
    found = load_plan(changed(tmp_path, lambda plan: plan["margins"].update(share=0.3)))
    assert isinstance(found, Plan) and found.margins["share"] == 0.3


def test_without_a_book_there_is_no_plan(monkeypatch):
    monkeypatch.setattr(plans, "book_root", lambda: None)
    with pytest.raises(FileNotFoundError, match="no book here"):
        load_plan()
