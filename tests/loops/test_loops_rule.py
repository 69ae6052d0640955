import numpy as np
import pytest

from a2a.loops.rule import in_loop, loop_score, loop_text, onset, vote

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


def test_the_text_of_a_loop():
    conversation = ["seed", "one", "two", "three", "two", "three"]
    assert loop_text(conversation, 2.0) == ["two"]
    assert loop_text(conversation, 2.0, lag=2) == ["two", "three"]
    assert loop_text(conversation, NAN) == []
