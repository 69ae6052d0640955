"""Metrics on cases that can be computed by hand."""

import math

import numpy as np
import pytest

from a2a.loops import metrics
from a2a.loops.words import words

VECTORS = {"east": [1, 0], "north": [0, 1], "west": [-1, 0], "northeast": [math.sqrt(0.5)] * 2}


def embed(texts):
    return np.array([VECTORS[text] for text in texts], dtype=float)


def test_words():
    assert words("Don't stop, it’s GOOD. 3.5") == ["don't", "stop", ",", "it’s", "good", ".", "3", ".", "5"]


def test_cosine():
    found = metrics.cosine(embed)(["east"] * 4, ["east", "northeast", "north", "west"])
    assert found == pytest.approx([0, 1 - math.sqrt(0.5), 1, 2])


def test_jaccard():
    found = metrics.jaccard_distance(["a b c", "A b", "", "", "a a"], ["b c d", "b a", "", "a", "a"])
    assert found.tolist() == [0.5, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("text", "other", "bleu"),
    [
        ("the cat sat on the mat", "the cat sat on the mat", 1),
        # matches: 4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 quadruples
        ("a b c d x", "a b c d e", (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25),
        # brevity: 4 words against 5; all n-grams match
        ("a b c d", "a b c d e", math.exp(1 - 5 / 4)),
        # no pair matches: 0.1 of 1 pair; the order is 2, the length of the shorter text
        ("b a", "a b c", math.exp(1 - 3 / 2) * math.sqrt(1 * 0.1 / 1)),
        ("a a a a", "a b c d", (1 / 4 * 0.1 / 3 * 0.1 / 2 * 0.1 / 1) ** 0.25),
        ("sea", "sea", 1),
        ("sea", "hill", 0),
        ("", "", 1),
        ("", "sea", 0),
    ],
)
def test_bleu(text, other, bleu):
    assert metrics.bleu_distance([text], [other]) == pytest.approx([1 - bleu])


def test_distances_at_a_lag():
    two_cycle = ["east", "north", "west", "north", "west"]
    cosine = metrics.cosine(embed)
    assert metrics.distances(cosine, [two_cycle], 1).tolist() == [[1, 1, 1, 1]]
    assert metrics.distances(cosine, [two_cycle], 2)[0, 1:].tolist() == [2, 0, 0]
    assert np.isnan(metrics.distances(cosine, [two_cycle], 2)[0, 0])
    assert metrics.distances(cosine, [["east", "west"]], 5).shape == (1, 1)


def test_silence_is_no_repetition():
    found = metrics.distances(metrics.jaccard_distance, [["a", "a", " ", "", "a", "a"]], 1)
    assert np.array_equal(found, [[0, np.nan, np.nan, np.nan, 0]], equal_nan=True)
    found = metrics.drift(metrics.jaccard_distance, [["a", "", "a"]])
    assert np.array_equal(found, [[np.nan, 0]], equal_nan=True)


def test_distances_are_one_batch():
    calls = []

    def metric(texts, others):
        calls.append(len(texts))
        return np.zeros(len(texts))

    assert metrics.distances(metric, [["a", "b", "c"]] * 5, 1).shape == (5, 2)
    assert calls == [10]


def test_drift():
    assert metrics.drift(metrics.cosine(embed), [["east", "north", "west", "east"]]).tolist() == [[1, 2, 0]]


def test_conversations_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="equally many outputs"):
        metrics.drift(metrics.jaccard_distance, [["a", "b"], ["a", "b", "c"]])


def test_distinct_n():
    assert metrics.distinct_n(["a b a b a", "a b c", "a"], 2).tolist()[:2] == [0.5, 1]
    assert np.isnan(metrics.distinct_n(["a"], 2)[0])


def test_repetition_rate():
    rates = metrics.repetition_rate(["a b c d e", "x a b c d", "y y y y y y", "z"])
    assert rates[:2] == pytest.approx([0.5, 2 / 3])
    assert np.isnan(rates[2])


def test_length():
    assert metrics.length(["One, two.", ""]).tolist() == [4, 0]


def test_vendi():
    assert metrics.vendi(np.eye(5)) == pytest.approx(5)
    assert metrics.vendi(np.ones((5, 1))) == pytest.approx(1)
    # K / 3 has the eigenvalues 2/3 and 1/3
    assert metrics.vendi(np.array([[1.0, 0], [1, 0], [0, 1]])) == pytest.approx(3 / 2 ** (2 / 3))
    assert metrics.vendi(np.stack([np.eye(4), np.ones((4, 4)) / 2])) == pytest.approx([4, 1])


def test_crossed_conversations_answer_nobody():
    told = [["a0", "a1", "a2"], ["b0", "b1", "b2"], ["c0", "c1", "c2"]]
    assert metrics.crossed(told) == [["a0", "b1", "a2"], ["b0", "c1", "b2"], ["c0", "a1", "c2"]]


def test_every_metric_is_taken_at_both_lags():
    told = [["x", "a b", "a b", "c d"], ["x", "c", "d", "c"]]
    found = metrics.measure({"Jaccard": metrics.jaccard_distance}, told)
    assert found.keys() == {("Jaccard", 1), ("Jaccard", 2)}
    assert np.array_equal(found["Jaccard", 2], metrics.distances(metrics.jaccard_distance, told, 2), equal_nan=True)
