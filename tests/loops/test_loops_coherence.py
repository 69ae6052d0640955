import math

import numpy as np
import pytest

from a2a.loops import coherence, metrics


@pytest.fixture
def small():
    """Four windows of two words: "a b" twice, "a c" and "c d" once."""
    return coherence.count(["a b", "b a", "a c", "c d"], window=2, vocabulary=4, skipped=0)


def score(small, first, second):
    return small.npmi[small.position[first], small.position[second]]


def test_counts(small):
    assert small.vocabulary == ("a", "b", "c", "d")
    assert small.windows == 4
    assert small.counts.tolist() == [[3, 2, 1, 0], [2, 2, 0, 0], [1, 0, 2, 1], [0, 0, 1, 1]]


def test_scores_by_hand(small):
    assert score(small, "a", "b") == pytest.approx(math.log(0.5 / (0.75 * 0.5)) / -math.log(0.5))
    assert score(small, "c", "d") == pytest.approx(math.log(0.25 / (0.5 * 0.25)) / -math.log(0.25))
    assert score(small, "a", "d") == pytest.approx(math.log(1e-12 / (0.75 * 0.25)) / -math.log(1e-12))


def test_words_that_always_come_together():
    assert coherence.count(["a b"], window=2, vocabulary=2, skipped=0).npmi.tolist() == [[1, 1], [1, 1]]


def test_independent_words_have_zero():
    every = ["a b", "a x", "y b", "y x"]
    assert score(coherence.count(every, window=2, vocabulary=4, skipped=0), "a", "b") == pytest.approx(0, abs=1e-10)


def test_coherence_is_the_mean_over_pairs(small):
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    expected = np.mean([score(small, *pair) for pair in pairs])
    assert small.coherence(["A b, b c unknown", "a", ""]) == pytest.approx([expected, 0, 0])


def test_windows_slide_and_stay_within_a_text():
    counted = coherence.count(["a b c", "d"], window=2, vocabulary=4, skipped=0)
    assert counted.windows == 3
    assert counted.counts[counted.position["a"], counted.position["c"]] == 0
    assert counted.counts[counted.position["b"], counted.position["b"]] == 2


def test_frequent_words_are_skipped():
    assert coherence.count(["a a a b b c"], vocabulary=1, skipped=1).vocabulary == ("b",)


def test_storing(small, tmp_path):
    coherence.save(small, tmp_path / "counts.npz")
    stored = coherence.reference(tmp_path / "counts.npz")
    assert (stored.vocabulary, stored.windows) == (small.vocabulary, small.windows)
    assert np.array_equal(stored.counts, small.counts)


def test_coherence_difference(small):
    first, second = small.coherence(["a b", "c d"])
    found = metrics.coherence_difference(small)(["a b", "a b"], ["c d", "b a"])
    assert found == pytest.approx([abs(first - second), 0])


def test_the_stored_reference_knows_what_belongs_together():
    counted = coherence.reference()
    assert len(counted.vocabulary) == coherence.VOCABULARY
    assert np.array_equal(counted.counts, counted.counts.T)
    assert score(counted, "sea", "ship") > score(counted, "sea", "table")


def by_hand(texts, window):
    """Shares of windows that hold each word, and each two words."""
    windows = []
    for text in texts:
        told = text.split()
        windows += [set(told[i : i + window]) for i in range(max(len(told) - window + 1, 1))]
    vocabulary = sorted(set().union(*windows))
    together = [[np.mean([{a, b} <= one for one in windows]) for b in vocabulary] for a in vocabulary]
    return vocabulary, len(windows), np.array(together)


def test_counts_and_scores_are_those_of_the_definition(rng):
    texts = [" ".join(rng.choice(list("abcdef"), size=size)) for size in (40, 3, 25)]
    vocabulary, windows, together = by_hand(texts, 5)
    counted = coherence.count(texts, window=5, vocabulary=6, skipped=0)
    assert (list(counted.vocabulary), counted.windows) == (vocabulary, windows)
    assert counted.counts / windows == pytest.approx(together)
    single, near = np.diag(together), together + coherence.EPSILON
    expected = np.log(near / np.outer(single, single)) / -np.log(near)
    assert counted.npmi[together < 1] == pytest.approx(expected[together < 1])


def test_scores_are_symmetric_and_bounded():
    npmi = coherence.reference().npmi
    assert np.array_equal(npmi, npmi.T)
    assert -1 <= npmi.min() < 0 < npmi.max() <= 1 + 1e-9


def test_neither_order_nor_repetition_nor_case_matters():
    known = coherence.reference()
    one, other = known.coherence(["The ship lost sight of land.", "LAND of sight, land: lost the ship ship"])
    assert one == pytest.approx(other) and one != 0


def test_an_empty_corpus_text_has_no_window():
    assert coherence.count(["", "1 2 3", "a b"], window=2, vocabulary=2, skipped=0).windows == 1


def test_a_reference_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.npz"):
        coherence.reference(tmp_path / "none.npz")
