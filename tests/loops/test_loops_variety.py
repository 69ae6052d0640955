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


def test_vendi_counts_between_one_and_all(rng):
    vectors = rng.standard_normal((20, 6, 4))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    found = variety.vendi(vectors)
    assert found.shape == (20,)
    assert (found >= 1).all() and (found <= 4).all()  # six vectors in four dimensions: four at most
    turn, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    assert variety.vendi(vectors[:, ::-1] @ turn) == pytest.approx(found)


def test_what_is_said_again_is_repeated_whole():
    said = "one two three four five"
    assert variety.repetition_rate(["other words stand here now", said, said])[1:].tolist() == [1]
    assert variety.repetition_rate([said, "one two three", ""], n=2) == pytest.approx([1, np.nan], nan_ok=True)


def test_the_mean_over_pairs_is_that_of_the_distances(rng):
    from scipy.spatial.distance import pdist, squareform

    points, kept = rng.random((3, 8, 2)), rng.random((3, 8)) < 0.7
    apart = np.array([squareform(pdist(one)) for one in points])
    expected = [pdist(one[keep]).mean() for one, keep in zip(points, kept, strict=True)]
    assert variety.mean_over_pairs(apart, kept) == pytest.approx(expected)


def test_longer_sequences_are_never_repeated_more_often():
    told = ["a b c a b d a b c a", "c a b d x a b c a b", "a b c a b d a b c a"]
    rates = [variety.repetition_rate(told, n) for n in (1, 2, 3, 4)]
    assert (np.diff(rates, axis=0) <= 1e-12).all()


def test_the_spread_at_both_ends_is_of_the_first_and_of_the_last_outputs():
    places = np.array([[0.0, 1, 2, 9, 9, 9]])
    apart = np.abs(places[:, :, None] - places[:, None])
    assert variety.at_both_ends(apart, np.ones((1, 6), bool), 3).tolist() == [[pytest.approx(4 / 3)], [0]]
    assert variety.at_both_ends(apart, np.ones((1, 6), bool), 2).tolist() == [[1], [0]]


def test_an_end_with_one_output_has_no_spread():
    kept = np.array([[True, False, False, True, True, True]])
    found = variety.at_both_ends(np.ones((1, 6, 6)), kept, 3)
    assert np.isnan(found[0, 0]) and found[1, 0] == 1


def test_the_ratio_of_means_is_over_the_last_axis():
    assert variety.ratio_of_means(np.array([1.0, 3]), np.array([4.0, 4])) == 0.5
    assert variety.ratio_of_means(np.ones((5, 3)), np.full((5, 3), 2.0)).tolist() == [0.5] * 5
