import math

import numpy as np
import pytest

from a2a.loops import distances, metrics

VECTORS = {"east": [1, 0], "north": [0, 1], "west": [-1, 0], "northeast": [math.sqrt(0.5)] * 2}

NAN = float("nan")


def embed(texts):
    return np.array([VECTORS[text] for text in texts], dtype=float)


def test_distances_at_a_lag():
    two_cycle = ["east", "north", "west", "north", "west"]
    cosine = metrics.cosine(embed)
    assert distances.distances(cosine, [two_cycle], 1).tolist() == [[1, 1, 1, 1]]
    assert distances.distances(cosine, [two_cycle], 2)[0, 1:].tolist() == [2, 0, 0]
    assert np.isnan(distances.distances(cosine, [two_cycle], 2)[0, 0])
    assert distances.distances(cosine, [["east", "west"]], 5).shape == (1, 1)


def test_silence_is_no_repetition():
    found = distances.distances(metrics.jaccard_distance, [["a", "a", " ", "", "a", "a"]], 1)
    assert np.array_equal(found, [[0, np.nan, np.nan, np.nan, 0]], equal_nan=True)
    found = distances.drift(metrics.jaccard_distance, [["a", "", "a"]])
    assert np.array_equal(found, [[np.nan, 0]], equal_nan=True)


def test_distances_are_one_batch():
    calls = []

    def metric(texts, others):
        calls.append(len(texts))
        return np.zeros(len(texts))

    assert distances.distances(metric, [["a", "b", "c"]] * 5, 1).shape == (5, 2)
    assert calls == [10]


def test_drift():
    assert distances.drift(metrics.cosine(embed), [["east", "north", "west", "east"]]).tolist() == [[1, 2, 0]]


def test_conversations_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="equally many outputs"):
        distances.drift(metrics.jaccard_distance, [["a", "b"], ["a", "b", "c"]])


def test_crossed_conversations_answer_nobody():
    told = [["a0", "a1", "a2"], ["b0", "b1", "b2"], ["c0", "c1", "c2"]]
    assert distances.crossed(told) == [["a0", "b1", "c2"], ["b0", "c1", "a2"], ["c0", "a1", "b2"]]


TOLD = [["x", "a b", "a b", "c d"], ["x", "c", "d", "c"]]


def test_each_distance_is_computed_once():
    calls = []

    def metric(texts, others):
        calls.append(len(texts))
        return metrics.jaccard_distance(texts, others)

    found = distances.Distances(TOLD, {"Jaccard": metric})
    for lag in (1, 2, 1, 2):
        expected = distances.distances(metrics.jaccard_distance, TOLD, lag)
        assert np.array_equal(found.at("Jaccard", lag), expected, equal_nan=True)
    assert np.array_equal(found.to_seed("Jaccard"), distances.drift(metrics.jaccard_distance, TOLD))
    found.to_seed("Jaccard")
    assert calls == [6, 4, 6]


def test_an_output_is_compared_with_the_last_texts_together_and_silence_is_looked_past():
    told = ["a b", "c d", "", "a b", "e f", "e f g h"]
    by_window = [distances.beyond_last([told], window)[0] for window in (1, 2, 3)]
    expected = [[1, NAN, 1, 1, 0.5], [1, NAN, 0, 1, 0.5], [1, NAN, 0, 1, 0.5]]
    assert np.array_equal(by_window, expected, equal_nan=True)
    assert np.isnan(distances.beyond_last([["", "", ""]], 3)).all()
    assert np.array_equal(distances.beyond_last([["", "a", "a"]], 3), [[NAN, 0]], equal_nan=True)
    pieces = ["a b c", "d e f", "x y z", "a b c d e f"]
    assert distances.beyond_last([pieces], 3)[0, -1] == 0 and distances.beyond_last([pieces], 2)[0, -1] == 0.5


def test_what_goes_beyond_the_last_texts_is_computed_once(monkeypatch):
    found = distances.Distances(TOLD, {})
    first = found.to_last(2)
    assert np.array_equal(first, distances.beyond_last(TOLD, 2)) and found.to_last(2) is first
    assert not np.array_equal(first, found.to_last(1))


def test_the_control_of_distances_has_crossed_conversations():
    found = distances.Distances(TOLD, {"Jaccard": metrics.jaccard_distance}).crossed()
    assert found.conversations == distances.crossed(TOLD)
    assert list(found.metrics) == ["Jaccard"]


def test_mean_of_what_is_known():
    values = np.array([[1, np.nan, 3], [np.nan, np.nan, np.nan]])
    assert distances.mean_known(values).tolist() == [2, np.inf]


def test_last_minus_first():
    values = np.array([[1, 3, 9, 5, 7], [np.nan, np.nan, 1, 1, 1], [np.nan, 2, 0, 1, np.nan]])
    assert np.array_equal(distances.last_minus_first(values, 2), [4, np.nan, -1], equal_nan=True)


def test_telling_conversations():
    """The nearest and the farthest by the first metric, and the first on which two metrics differ most."""
    one, two = {"a": 0.1, "b": 0.5, "c": 0.9}, {"a": 0.5, "b": 0.1, "c": 0.0}
    told = [["seed", name, name] for name in "abc"]
    by = [lambda texts, others, of=of: np.array([of[text] for text in texts]) for of in (one, two)]
    assert distances.telling(distances.Distances(told, dict(zip("xy", by, strict=True)))) == [0, 2, 0]


def test_distances_are_those_of_the_pairs_one_by_one(rng):
    told = [[" ".join(rng.choice(list("abc"), size=3)) for _ in range(7)] for _ in range(4)]
    for lag in (1, 2, 3):
        found = distances.distances(metrics.jaccard_distance, told, lag)
        for row, texts in zip(found, told, strict=True):
            expected = [metrics.jaccard(texts[t], texts[t - lag]) for t in range(lag, 7)]
            assert np.isnan(row[: lag - 1]).all() and row[lag - 1 :].tolist() == expected


def test_at_the_first_turn_the_output_before_is_the_seed():
    found = distances.Distances(TOLD, {"Jaccard": metrics.jaccard_distance})
    assert np.array_equal(found.at("Jaccard")[:, 0], found.to_seed("Jaccard")[:, 0])


def test_backwards_the_change_has_the_other_sign(rng):
    values = rng.random((20, 11))
    values[rng.random(values.shape) < 0.3] = np.nan
    forth, back = distances.last_minus_first(values, 3), distances.last_minus_first(values[:, ::-1], 3)
    assert np.allclose(forth, -back, equal_nan=True)
    assert np.allclose(distances.mean_known(values), np.nanmean(values, axis=1))
