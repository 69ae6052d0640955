from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from a2a.book.paired import QUESTIONS, Paired, falls, stays
from a2a.dialogue.comparison import AT_SOME, TURNS, Comparison, Loops
from a2a.dialogue.plan import load_plan
from a2a.intervals import mean
from a2a.loops.distances import Distances
from a2a.loops.metrics import jaccard_distance
from a2a.loops.rule import LoopRule
from a2a.significance import random_signs

PLAN = load_plan()
MARGIN = PLAN.margins["share"]
LOOP, FREE = ["x", "a", "a", "a", "a", "b"], ["x", "b", "c", "d", "e", "f"]
IDS = [f"c{i}" for i in range(12)]


def paired_of(plan=PLAN, **looping):
    """Studies of twelve conversations, of which those at some positions loop, by two distances that agree."""
    rows = {name: [LOOP if i in which else FREE for i in range(12)] for name, which in looping.items()}
    metrics = {"cosine": jaccard_distance, "Jaccard": jaccard_distance}
    known = {name: Distances(texts, metrics) for name, texts in rows.items()}
    loops = {by: Loops(LoopRule(by, 1, 0.5), known) for by in metrics}
    return Paired(Comparison(dict.fromkeys(rows, IDS)), loops, plan, seed=0, draws=200)


TWELVE = replace(PLAN, margins={**PLAN.margins, "share": 0.25})
"""With a margin for which the conversations here are enough."""


@pytest.fixture
def paired():
    return paired_of(main=range(10), same=range(10), less=[], some=[*range(6), 10, 11])


def test_a_study_that_is_the_same_a_study_that_differs_and_one_that_leaves_it_open(paired):
    found = paired.same(["same", "less", "some"], AT_SOME)
    assert {name: one.verdict for name, one in found.items()} == {
        "same": "supported",
        "less": "contradicted",
        "some": "undecided",
    }


def test_an_undecided_answer_says_how_many_pairs_would_decide(paired):
    changes = paired.changes(["some"], AT_SOME)["some"]["cosine"]
    note = paired.same(["some"], AT_SOME)["some"].note
    assert f"{PLAN.pairs_for_same(changes, MARGIN):,} to show that nothing changes" in note
    assert note.endswith("there are 12")


def test_an_answer_that_is_sure_says_nothing_more(paired):
    assert {one.note for one in paired.same(["same", "less"], AT_SOME).values()} == {""}


def test_distances_that_disagree_leave_it_open(paired):
    changes = {"s": {"cosine": -np.ones(12), "Jaccard": np.zeros(12)}}
    found = paired.judged(changes, stays, {"cosine": MARGIN, "Jaccard": MARGIN})["s"]
    assert found.verdict == "undecided"
    assert "by cosine contradicted, by Jaccard supported" in found.note and "disagree" in found.note


def test_a_fall_within_the_margin_is_none(paired):
    found = paired.judged(
        {"s": {"cosine": np.full(12, -0.01)}, "t": {"cosine": -np.ones(12)}, "u": {"cosine": np.ones(12)}},
        falls,
        {"cosine": PLAN.margins["turns"]},
    )
    assert [one.verdict for one in found.values()] == ["supported", "supported", "contradicted"]
    small = {"s": {"cosine": np.array([-0.01, 0.01] * 6)}}
    assert paired.judged(small, falls, {"cosine": 0.1})["s"].verdict == "contradicted"


def test_p_values_are_adjusted_over_the_studies_of_a_claim(paired):
    alone = paired.p_values(paired.changes(["some"], AT_SOME))["cosine"]["some"]
    together = paired.p_values(paired.changes(["some", "same", "less"], AT_SOME))["cosine"]
    assert together["some"] >= alone and set(together) == {"some", "same", "less"}


def test_turns_have_a_margin_of_their_own(paired):
    assert [paired.margin(question) for question in QUESTIONS] == [MARGIN, MARGIN, PLAN.margins["turns"]]
    assert paired.margin(TURNS) != MARGIN


def test_the_table_has_both_distances_and_all_questions_side_by_side():
    table = paired_of(TWELVE, main=range(10), same=range(10), less=[]).table({"same": "the same", "less": "nothing"})
    assert [row[:3] for row in table.rows[:3]] == [["the same", question, "12"] for question in QUESTIONS]
    assert table.columns[3:] == ["cosine", "change", "p", "Jaccard", "change", "p", "answer"]
    assert table.rows[0][3] == "10 to 10" and table.rows[3][3] == "10 to 0"
    assert table.rows[3][-1] == "different" and table.rows[0][-1] == "the same"


def test_the_table_says_what_the_check_says(paired):
    table, check = paired.table({"less": "nothing"}), paired.same(["less"], AT_SOME)["less"]
    assert table.rows[0][4].replace("+", "") in check.measured


def test_too_few_pairs_get_no_answer(paired):
    assert len(IDS) < PLAN.fewest and paired.same(["same"], AT_SOME)["same"].verdict == "supported"
    assert {row[-1] for row in paired.table({"same": "the same", "less": "nothing"}).rows} == {"too few pairs"}


def test_a_rule_that_goes_by_a_distance_gets_no_answer_from_it():
    rows = (
        paired_of(TWELVE, main=range(10), same=range(10), less=[])
        .table({"same": "the same", "less": "nothing"}, unjudged=["less"])
        .rows
    )
    assert [row[-1] for row in rows] == ["the same"] * 3 + [""] * 3


def test_new_pairs_are_only_described(paired):
    new = {"same": np.zeros(12, bool), "some": np.arange(12) >= 6}
    table = paired.table_of(new, {"same": "the same", "some": "some"})
    assert [row[0] for row in table.rows] == ["some"] * 3
    assert table.rows[0][2:4] == ["6", "4 to 2"] and "answer" not in table.columns


def test_text_that_is_no_worse_by_any_measure(paired):
    steady = {what: np.zeros(12) for what in PLAN.quality}
    assert paired.no_worse(steady).verdict == "supported"
    worse = steady | {"coherence": np.full(12, -0.05)}
    assert paired.no_worse(worse).verdict == "contradicted"
    better = {"log perplexity": -np.ones(12), "coherence": np.ones(12), "distinct-2": np.ones(12)}
    assert paired.no_worse(better).verdict == "supported"


def test_quality_that_is_undecided_says_for_which_measure(paired):
    unsure = {what: np.zeros(12) for what in PLAN.quality} | {"coherence": np.array([-0.1, 0.1] * 6)}
    found = paired.no_worse(unsure)
    needed = PLAN.pairs_for_no_worse(unsure["coherence"], PLAN.quality["coherence"])
    assert found.verdict == "undecided" and f"coherence {needed:,}; there are 12" in found.note


def test_pairs_without_a_value_are_not_counted(paired):
    half = {what: np.where(np.arange(12) < 6, 0.0, np.nan) for what in PLAN.quality}
    assert paired.no_worse(half).verdict == "supported"
    assert paired.estimate(half["coherence"]).n == 6


def paired_outcomes(rng, n, share, change):
    """The change of n pairs of outcomes that have nothing to do with each other."""
    return (rng.random(n) < share + change).astype(float) - (rng.random(n) < share)


def false_rate(verdict_of, wrong, studies=200):
    """Whether a wrong verdict isn't shown to be more frequent than 5 %, and its share."""
    count = sum(verdict_of() == wrong for _ in range(studies))
    return binomtest(count, studies, 0.05, alternative="greater").pvalue, count / studies


@pytest.mark.parametrize("n", sorted(set(PLAN.studies.values())))
def test_a_difference_that_is_none_is_seldom_found(n):
    rng = np.random.default_rng(n)

    def verdict():
        change = paired_outcomes(rng, n, 0.5, 0.0)
        return stays(mean(change, rng, 200), MARGIN, random_signs(change, rng, 200)).verdict

    p, share = false_rate(verdict, "contradicted")
    assert p > 0.01, share


@pytest.mark.parametrize("n", sorted(set(PLAN.studies.values())))
def test_a_difference_as_large_as_the_margin_is_seldom_called_the_same(n):
    rng = np.random.default_rng(n)

    def verdict():  # that two shares are the same doesn't hang on the p-value
        return stays(mean(paired_outcomes(rng, n, 0.5, MARGIN), rng, 200), MARGIN, 1.0).verdict

    p, share = false_rate(verdict, "supported")
    assert p > 0.01, share


def test_the_planned_number_of_pairs_is_enough_to_see_what_it_should():
    """With the larger number a difference of twice the margin is nearly always found, and none is mostly called so."""
    rng = np.random.default_rng(0)
    n = max(PLAN.studies.values())
    found, same = (
        sum(
            stays(mean(paired_outcomes(rng, n, 0.5, change), rng, 200), MARGIN, 0.001).verdict == verdict
            for _ in range(60)
        )
        for change, verdict in ((2 * MARGIN, "contradicted"), (0.0, "supported"))
    )
    assert found >= 55 and same >= 30
