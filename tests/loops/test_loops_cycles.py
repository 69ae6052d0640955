"""Loops of any length: each case of `a2a.loops.cases`, the rule by hand, and what must hold of it for any texts."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2a.loops.cases import TURNS, cases
from a2a.loops.containment import containment
from a2a.loops.cycles import MOST, CycleRule
from a2a.loops.distances import Distances
from a2a.loops.rule import LoopRule

CASES = {case.name: case for case in cases()}
RULE = CycleRule()


def one_by_one(texts, others):
    """Containment as a distance of two texts, as the paper's rule takes one."""
    return np.array([1 - containment(text, [other]) for text, other in zip(texts, others, strict=True)])


def distances(*conversations):
    return Distances(conversations, {"one by one": one_by_one})


def inside(texts, rule=RULE):
    """The turns in a loop."""
    return (np.flatnonzero(rule.in_loop(distances(texts))[0]) + 1).tolist()


@pytest.mark.parametrize("name", CASES)
def test_each_case_has_its_answer(name):
    case = CASES[name]
    assert len(case.texts) == TURNS + 1
    assert RULE.falls(distances(case.texts)).tolist() == [case.loops]


def test_the_cases_are_those_that_misled_a_rule():
    assert {f"cycle of {length}" for length in range(1, 7)} <= CASES.keys()
    assert sum(case.loops for case in CASES.values()) == 18 and len(CASES) == 31


@pytest.mark.parametrize(
    ("name", "turns"),
    [
        ("cycle of 1", range(2, 13)),
        ("cycle of 4", range(5, 13)),
        ("cycle of 6", range(7, 13)),
        ("empty every third turn", range(2, 12)),  # the silence between two repetitions is in the loop, that behind not
        ("empty every fourth turn", range(3, 12)),
        ("the seed sentence", range(1, 13)),
        ("left again", range(6, 9)),
    ],
)
def test_where_the_loop_of_a_case_is(name, turns):
    texts = CASES[name].texts
    assert inside(texts) == list(turns)
    assert RULE.onset(distances(texts)) == [turns[0]]


def test_the_papers_rule_sees_a_cycle_of_one_alone():
    """Whatever its threshold: an output of a longer cycle has little to do with the one before it."""
    papers = LoopRule("one by one", 1, 0.8)
    found = [papers.falls(distances(CASES[f"cycle of {length}"].texts))[0] for length in range(1, 7)]
    assert found == [True, False, False, False, False, False]


def test_a_cycle_is_seen_up_to_the_length_that_the_rule_looks_back():
    for back in range(1, 7):
        found = [CycleRule(lag=back).falls(distances(CASES[f"cycle of {n}"].texts))[0] for n in range(1, 7)]
        assert found == [length <= back for length in range(1, 7)]


@pytest.mark.parametrize(("old", "repeats"), [(5, False), (6, False), (7, True)])
def test_an_output_repeats_if_more_than_half_of_it_does(old, repeats):
    seed, words = "a b c d e f g h i j k l", ["a", "b", "c", "d", "e", "f", "g"][:old]
    new = [*words, *(f"new{i}" for i in range(12 - old))]
    assert CycleRule(steps=1).falls(distances([seed, " ".join(new)])).tolist() == [repeats]
    assert RULE.threshold == MOST == 0.5


def test_silence_neither_counts_nor_breaks_a_row():
    row = ["a b c", "a b c", "", " ", "a b c", "", "a b c", ""]
    assert inside(row) == [1, 2, 3, 4, 5, 6]
    assert inside(["a b c", "a b c", "", "a b c", "", ""]) == []
    assert RULE.score(distances(["a b c", "", "", ""])) == [np.inf]


def test_a_rule_has_what_every_rule_has():
    told = distances(*(case.texts for case in CASES.values()))
    loops = np.array([case.loops for case in CASES.values()])
    chosen = RULE.calibrated(told, loops)
    assert RULE.name == "containment, last 6" and CycleRule(2).name == "containment, last 2"
    assert np.array_equal(chosen.falls(told), loops) and isinstance(chosen, CycleRule)
    assert RULE.moved(0.5).threshold == 0.25
    assert np.array_equal(np.isnan(RULE.onset(told)), ~RULE.falls(told))
    with pytest.raises(ValueError, match="lag and steps of a rule must be at least 1, got 0 and 3"):
        CycleRule(lag=0)


def test_with_one_text_back_it_is_a_rule_at_lag_1_but_for_silence(rng):
    told = distances(*_drawn(rng, 40))
    assert np.array_equal(CycleRule(lag=1).in_loop(told), LoopRule("one by one", 1, 0.5).in_loop(told))


KNOWN = ["sea", "hill", "boat", "rose"]
TEXTS = st.lists(st.sampled_from(KNOWN), min_size=1, max_size=6).map(" ".join)
TOLD = st.lists(st.one_of(TEXTS, st.just("")), min_size=5, max_size=14)


def _drawn(rng, count):
    """Conversations in which some texts repeat others."""
    return [[" ".join(rng.choice(KNOWN, size=rng.integers(1, 7))) for _ in range(12)] for _ in range(count)]


@given(TOLD, st.integers(0, 5))
def test_a_loop_that_comes_later_is_the_same_loop(told, later):
    new = [f"new{i}a new{i}b new{i}c" for i in range(later)]
    assert inside([*new, *told]) == [turn + later for turn in inside(told)]


@given(TOLD, TOLD)
def test_conversations_one_after_the_other_have_the_loops_of_both(one, other):
    renamed = [f"{text.upper()}X".replace(" ", "X ") if text else "" for text in other]
    renamed[0] = renamed[0] or "FIRST"
    found = inside([*one, *renamed])
    assert found == [*inside(one), *(turn + len(one) for turn in inside(renamed))]


@given(TOLD, st.permutations(KNOWN))
def test_other_names_for_the_words_change_nothing(told, names):
    renamed = dict(zip(KNOWN, names, strict=True))
    assert inside([" ".join(renamed[word] for word in text.split()) for text in told]) == inside(told)


def test_a_higher_threshold_and_a_longer_look_back_never_end_a_loop(rng):
    told = distances(*_drawn(rng, 60))
    by_threshold = [CycleRule(threshold=cut).in_loop(told) for cut in (0.1, 0.3, 0.5, 0.7, 1.1)]
    by_lag = [CycleRule(lag=lag).in_loop(told) for lag in range(1, 8)]
    for found in (by_threshold, by_lag):
        assert all((more | ~less).all() for less, more in itertools.pairwise(found))
        assert found[0].sum() < found[-1].sum()


@given(TOLD)
def test_a_conversation_ends_in_a_loop_where_the_rule_says_so_of_all_of_it(told):
    heard = [text for text in told if text]
    expected = len(heard) > 1 and bool(RULE.in_loop(distances(heard))[0, -1])
    assert RULE.ends_in_loop(told) == expected


@pytest.mark.parametrize("turns", [9, 90])
def test_the_end_of_a_conversation_costs_the_same_however_long_it_is(turns, monkeypatch):
    asked = []
    monkeypatch.setattr("a2a.loops.cycles.containment", lambda text, others: asked.append(len(others)) or 1.0)
    assert RULE.ends_in_loop(["a b c"] * (turns + 1))
    assert asked == [RULE.lag] * RULE.steps
