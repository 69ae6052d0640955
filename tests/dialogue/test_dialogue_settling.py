import numpy as np
import pytest

from a2a.dialogue.settling import Places, centre, contraction, embedded, late_means, position, settled


def test_a_pair_that_writes_alike_is_fully_contracted(rng):
    a, b, here = rng.standard_normal((3, 5, 8))
    assert contraction(a, b, here, here) == pytest.approx(np.ones(5))
    assert contraction(a, b, a, b) == pytest.approx(np.zeros(5))
    assert contraction(a, b, 2 * a, 2 * b) == pytest.approx(-np.ones(5))


@pytest.mark.parametrize("share", [-0.5, 0.0, 0.3, 1.0])
def test_a_position_is_a_share_of_the_way(rng, share):
    a, b, other = rng.standard_normal((3, 8))
    line = b - a
    aside = other - other @ line / (line @ line) * line
    assert position(a + share * line + aside, a, b) == pytest.approx(share)


def test_leading_dimensions_broadcast(rng):
    a, b = rng.standard_normal((2, 3))
    points = rng.standard_normal((4, 5, 3))
    assert position(points, a, b).shape == (4, 5)


def test_texts_as_vectors_and_silence_as_nothing():
    vectors = embedded(lambda texts: np.array([[len(text), 1.0] for text in texts]), [["ab", " "], ["c", "def"]])
    assert np.array_equal(vectors, [[[2, 1], [np.nan, np.nan]], [[1, 1], [3, 1]]], equal_nan=True)


def test_late_means_of_all_and_of_one_writer():
    vectors = np.arange(5.0)[None, :, None].repeat(2, axis=0)  # the seed sentence is turn 0
    vectors[1, 3:] = np.nan
    assert np.array_equal(late_means(vectors, 2), [[3.5], [np.nan]], equal_nan=True)
    assert np.array_equal(late_means(vectors, 4, parity=1), [[2], [1]])
    assert np.array_equal(late_means(vectors, 4, parity=0), [[3], [2]])


def test_the_centre_of_those_that_are_somewhere():
    assert centre(np.array([[1.0, 2], [np.nan, 0], [3, 4]])).tolist() == [2, 3]
    assert np.isnan(centre(np.full((2, 3), np.nan))).all()


def test_where_a_pair_settles_has_intervals_around_it(rng):
    a, b = np.zeros((30, 4)), np.ones((30, 4))
    noise = 0.1 * rng.standard_normal((2, 30, 4))
    found = settled([a, b, 0.4 + noise[0], 0.6 + noise[1]], rng, 300)
    assert found.n == 30
    assert (found.place_a.value, found.place_b.value) == pytest.approx((0.4, 0.6), abs=0.05)
    assert found.contraction.value == pytest.approx(0.8, abs=0.1)
    low, high = found.place_a.interval()
    assert low < 0.4 < high and high - low < 0.1


def test_seed_sentences_without_a_place_are_left_out(rng):
    centres = [np.full((3, 2), value) for value in (0.0, 1.0, 0.5, 0.5)]
    centres[2][0] = np.nan
    assert settled(centres, rng, 20).n == 2
    centres[2][:] = np.nan
    nowhere = settled(centres, rng, 20)
    assert nowhere.n == 0 and str(nowhere.contraction) == "unknown"


@pytest.fixture
def places():
    """A alone at 0, B alone at 1; in the pair A, which comes second, writes at 0.25 and B at 0.75."""
    vectors = {name: np.full((2, 5, 1), value) for name, value in (("aa", 0.0), ("bb", 1.0), ("ba", 0.25))}
    vectors["ba"][:, 1::2] = 0.75
    return Places(vectors, {"aa": ["x", "y"], "bb": ["y", "x"], "ba": ["x", "y"]}, ("aa", "bb"), late=2)


def test_a_pair_lies_between_its_models(places, rng):
    found = places.settled("ba", rng, 20, a_is_first=False)
    assert [one.value for one in (found.contraction, found.place_a, found.place_b)] == [0.5, 0.25, 0.75]
    assert places.along("ba").tolist() == [[0.75, 0.25, 0.75, 0.25]] * 2
