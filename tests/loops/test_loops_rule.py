import itertools
from dataclasses import replace

import numpy as np
import pytest

from a2a.loops.agreement import kappa
from a2a.loops.distances import Distances
from a2a.loops.rule import LoopRule, Vote, calibrate, in_loop, loop_score, onset, pick, vote

NAN = float("nan")
DISTANCES = np.array(
    [
        [0.9, 0.1, 0.1, 0.1, 0.1, 0.9],  # from turn 2
        [0.9, 0.1, 0.1, 0.9, 0.1, 0.1],  # never three in a row
        [0.1, 0.2, 0.15, 0.9, 0.9, 0.9],  # from turn 1
        [0.9, 0.9, 0.9, 0.2, 0.2, 0.2],  # from turn 4, not below 0.2
    ]
)


def test_onset_by_hand():
    assert np.array_equal(onset(DISTANCES, 0.21), [2, NAN, 1, 4], equal_nan=True)
    assert np.array_equal(onset(DISTANCES, 0.2), [2, NAN, NAN, NAN], equal_nan=True)
    assert np.array_equal(onset(DISTANCES, 0.21, steps=2), [2, 2, 1, 4], equal_nan=True)


def test_turns_in_a_loop_by_hand():
    found = [np.flatnonzero(row) + 1 for row in in_loop(DISTANCES, 0.21)]
    assert [turns.tolist() for turns in found] == [[2, 3, 4, 5], [], [1, 2, 3], [4, 5, 6]]
    assert not in_loop(np.zeros((3, 2)), 0.5).any()


def test_the_first_turn_in_a_loop_is_the_onset(rng):
    distances = rng.random((200, 25))
    distances[rng.random(distances.shape) < 0.1] = NAN
    found, first = in_loop(distances, 0.5), onset(distances, 0.5)
    assert np.array_equal(found.any(-1), ~np.isnan(first))
    assert np.array_equal(found.argmax(-1)[found.any(-1)] + 1, first[found.any(-1)])


def test_loop_score_is_the_threshold_that_it_takes():
    assert loop_score(DISTANCES).tolist() == [0.1, 0.9, 0.2, 0.2]


def test_score_and_onset_agree(rng):
    distances = rng.random((7, 30, 25))
    for threshold in (0.1, 0.3, 0.5):
        assert np.array_equal(loop_score(distances) < threshold, ~np.isnan(onset(distances, threshold)))


def test_missing_distances_do_not_count():
    assert np.isnan(onset(np.array([NAN, 0.1, 0.1, 0.9]), 0.5))
    assert onset(np.array([NAN, 0.1, 0.1, 0.1]), 0.5) == 2


def test_too_few_turns():
    assert np.isnan(onset(np.zeros((3, 2)), 0.5)).all()
    assert np.isinf(loop_score(np.zeros((3, 2)))).all()


def test_votes():
    onsets = {"a": np.array([2.0, NAN, 5.0]), "b": np.array([4.0, 3.0, NAN]), "c": np.array([3.0, NAN, NAN])}
    assert np.array_equal(vote(onsets, 1), [2, 3, 5])
    assert np.array_equal(vote(onsets, 2), [3, NAN, NAN], equal_nan=True)
    assert np.array_equal(vote(onsets, 3), [4, NAN, NAN], equal_nan=True)
    with pytest.raises(ValueError, match="1 to 3"):
        vote(onsets, 4)


class Known(Distances):
    """Distances that are given, by metric: the same at lag 1 as at lag 2."""

    def __init__(self, **values):
        super().__init__([], dict.fromkeys(values, lambda texts, others: np.empty(0)))
        self.values = values

    def at(self, metric, lag=1):
        return self.values[metric]


def test_a_rule_says_what_its_functions_say():
    known, rule = Known(cosine=DISTANCES), LoopRule("cosine", 1, 0.21)
    assert rule.name == "cosine, lag 1"
    assert np.array_equal(rule.score(known), loop_score(DISTANCES))
    assert np.array_equal(rule.onset(known), onset(DISTANCES, 0.21), equal_nan=True)
    assert np.array_equal(rule.in_loop(known), in_loop(DISTANCES, 0.21))
    assert rule.falls(known).tolist() == [True, False, True, True]
    assert LoopRule("cosine", 1, 0.21, steps=2).falls(known).all()


def test_a_rule_without_a_threshold_finds_nothing():
    assert not LoopRule("cosine").falls(Known(cosine=DISTANCES)).any()


def test_a_moved_rule_is_the_same_but_for_its_threshold():
    moved = LoopRule("cosine", 2, 0.2, steps=4).moved(1.5)
    assert (moved.metric, moved.lag, moved.threshold, moved.steps) == ("cosine", 2, pytest.approx(0.3), 4)


@pytest.mark.parametrize("settings", [{"lag": 0}, {"steps": 0}, {"lag": -1, "steps": 3}])
def test_a_rule_that_looks_nowhere_is_refused(settings):
    with pytest.raises(ValueError, match="lag and steps of a rule must be at least 1, got"):
        LoopRule("cosine", **settings)


@pytest.mark.parametrize("needed", [0, 3])
def test_a_vote_needs_as_many_rules_as_it_asks_for(needed):
    with pytest.raises(ValueError, match=f"needed must be from 1 to 2, the number of rules, got {needed}"):
        Vote("some", (LoopRule("a"), LoopRule("b")), needed)


def test_labels_choose_the_threshold():
    loops = np.array([True, False, False, False])
    rule = LoopRule("cosine").calibrated(Known(cosine=DISTANCES), loops)
    assert rule.threshold == pytest.approx(0.15)
    assert np.array_equal(rule.falls(Known(cosine=DISTANCES)), loops)


def test_only_some_labels_choose():
    known, loops = Known(cosine=DISTANCES), np.array([True, False, True, False])
    rule = LoopRule("cosine").calibrated(known, loops, among=np.array([0, 1]))
    assert rule.threshold == pytest.approx(0.5)
    assert rule.falls(known).tolist() == [True, False, True, True]


def test_a_vote_of_rules():
    known = Known(a=DISTANCES, b=DISTANCES)
    strict, loose = LoopRule("a", 1, 0.15), LoopRule("b", 2, 0.21)
    either, both = Vote("either", (strict, loose), 1), Vote("both", (strict, loose), 2)
    assert either.falls(known).tolist() == loose.falls(known).tolist()
    assert both.falls(known).tolist() == strict.falls(known).tolist()
    assert np.array_equal(either.in_loop(known), loose.in_loop(known))
    assert np.array_equal(both.onset(known), strict.onset(known), equal_nan=True)


def test_all_rules_are_calibrated_together():
    known, loops = Known(a=DISTANCES, b=2 * DISTANCES), np.array([True, False, False, False])
    rules = calibrate(known, loops, steps=3, given={"b": 7.0})
    assert [rule.name for rule in rules] == ["a, lag 1", "a, lag 2", "b, lag 1", "b, lag 2"]
    assert [rule.threshold for rule in rules] == pytest.approx([0.15, 0.15, 7.0, 0.3])
    assert [rule.name for rule in calibrate(known, loops, lags=[2])] == ["a, lag 2", "b, lag 2"]


def test_a_rule_is_picked_by_its_metric_and_lag():
    rules = [LoopRule("a", 1), LoopRule("a", 2)]
    assert pick(rules, "a", 2) is rules[1]
    with pytest.raises(ValueError, match="no rule b, lag 1; there are a, lag 1; a, lag 2"):
        pick(rules, "b")


def test_a_higher_threshold_never_ends_a_loop(rng):
    distances = rng.random((50, 25))
    inside = [in_loop(distances, threshold) for threshold in (0.2, 0.4, 0.6, 0.8, 1.1)]
    assert all((loose | ~strict).all() for strict, loose in itertools.pairwise(inside))
    assert inside[-1].all()


def test_more_steps_never_find_a_loop_earlier(rng):
    distances = rng.random((50, 25))
    first = [np.nan_to_num(onset(distances, 0.6, steps), nan=np.inf) for steps in (1, 2, 3, 4, 25)]
    assert all((few <= many).all() for few, many in itertools.pairwise(first))
    assert (np.diff([loop_score(distances, steps) for steps in (1, 2, 3, 25)], axis=0) >= 0).all()
    assert loop_score(distances, 25) == pytest.approx(distances.max(axis=-1))


def test_the_chosen_threshold_beats_every_other(rng):
    """No other threshold agrees better with the labels than the one that they choose."""
    known, loops = Known(cosine=rng.random((30, 25))), rng.random(30) < 0.5
    rule = LoopRule("cosine").calibrated(known, loops)
    others = [replace(rule, threshold=value) for value in np.linspace(0, 1.1, 400)]
    best = max(np.nan_to_num(kappa(other.falls(known), loops)) for other in others)
    assert kappa(rule.falls(known), loops) >= best - 1e-12


def test_a_vote_of_one_rule_is_that_rule(rng):
    known, rule = Known(a=rng.random((40, 25))), LoopRule("a", 1, 0.6)
    vote_of_one = Vote("alone", (rule,), 1)
    assert np.array_equal(vote_of_one.falls(known), rule.falls(known))
    assert np.array_equal(vote_of_one.onset(known), rule.onset(known), equal_nan=True)
    assert np.array_equal(vote_of_one.in_loop(known), rule.in_loop(known))


def test_a_vote_falls_by_the_turn_at_which_enough_rules_do(rng):
    """Rules may find their loops at different turns: a vote falls though no turn is in a loop for enough of them."""
    early, late = np.full((1, 9), 0.9), np.full((1, 9), 0.9)
    early[0, :3] = late[0, 6:] = 0.1
    both = Vote("both", (LoopRule("a", 1, 0.5), LoopRule("b", 1, 0.5)), 2)
    known = Known(a=early, b=late)
    assert both.falls(known).tolist() == [True] and both.onset(known).tolist() == [7]
    assert not both.in_loop(known).any()
