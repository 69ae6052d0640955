import numpy as np
import pytest

from a2a.loops import variety


def test_distinct_n():
    assert variety.distinct_n(["a b a b a", "a b c", "a"], 2).tolist()[:2] == [0.5, 1]
    assert np.isnan(variety.distinct_n(["a"], 2)[0])


def test_repetition_rate():
    rates = variety.repetition_rate(["a b c d e", "x a b c d", "y y y y y y", "z"])
    assert rates[:2] == pytest.approx([0.5, 2 / 3])
    assert np.isnan(rates[2])


def test_length():
    assert variety.length(["One, two.", ""]).tolist() == [4, 0]


def test_vendi():
    assert variety.vendi(np.eye(5)) == pytest.approx(5)
    assert variety.vendi(np.ones((5, 1))) == pytest.approx(1)
    # K / 3 has the eigenvalues 2/3 and 1/3
    assert variety.vendi(np.array([[1.0, 0], [1, 0], [0, 1]])) == pytest.approx(3 / 2 ** (2 / 3))
    assert variety.vendi(np.stack([np.eye(4), np.ones((4, 4)) / 2])) == pytest.approx([4, 1])


def test_the_mean_over_pairs_of_kept_points():
    apart = np.array([[0.0, 1, 5], [1, 0, 3], [5, 3, 0]])
    kept = np.array([[True, True, True], [True, True, False], [False, True, False]])
    found = variety.mean_over_pairs(np.stack([apart] * 3), kept)
    assert np.array_equal(found, [3, 1, np.nan], equal_nan=True)
    assert variety.mean_over_pairs(apart, kept[0]) == 3
