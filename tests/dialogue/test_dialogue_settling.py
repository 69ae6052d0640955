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


def test_neither_place_nor_scale_nor_turn_of_the_space_matters(rng):
    points = rng.standard_normal((4, 6))
    turn, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    moved = 3 * points @ turn + rng.standard_normal(6)
    assert contraction(*moved) == pytest.approx(contraction(*points))
    assert position(moved[2], *moved[:2]) == pytest.approx(position(points[2], *points[:2]))


def test_the_two_sides_can_be_exchanged(rng):
    a, b, in_a, in_b = rng.standard_normal((4, 6))
    assert contraction(b, a, in_b, in_a) == pytest.approx(contraction(a, b, in_a, in_b))
    assert position(in_a, b, a) == pytest.approx(1 - position(in_a, a, b))


def test_both_writers_together_make_up_the_late_mean(rng):
    vectors = rng.standard_normal((5, 12, 3))
    odd, even = (late_means(vectors, 6, parity) for parity in (1, 0))
    assert (odd + even) / 2 == pytest.approx(late_means(vectors, 6))
    assert late_means(vectors, 6) == pytest.approx(vectors[:, 6:].mean(axis=1))


def test_the_seed_sentence_and_the_first_turns_do_not_count(rng):
    vectors = rng.standard_normal((4, 9, 3))
    other = vectors.copy()
    other[:, :5] = rng.standard_normal((4, 5, 3))
    assert np.array_equal(late_means(vectors, 4), late_means(other, 4))


def test_alone_a_model_settles_at_its_end_of_the_line(rng):
    """On average over the last turns: by construction, as the page says."""
    vectors = {name: rng.standard_normal((6, 11, 4)) for name in ("aa", "bb")}
    places = Places(vectors, {name: list("uvwxyz") for name in vectors}, ("aa", "bb"), late=10)
    assert places.along("aa").mean() == pytest.approx(0)
    assert places.along("bb").mean() == pytest.approx(1)


def test_seed_sentences_are_the_unit_of_the_bootstrap(rng):
    """A pair that settles at the same place from every seed sentence has no uncertainty."""
    a, b = np.zeros((8, 2)), np.ones((8, 2))
    found = settled([a, b, a + 0.25, a + 0.5], rng, 50)
    assert found.place_a.interval() == pytest.approx((0.25, 0.25))
    assert found.contraction.interval() == pytest.approx((0.75, 0.75))
    assert (found.contraction.n, found.contraction.unit) == (8, "conversations")


def test_without_a_study_alone_nobody_has_a_place(places, rng):
    vectors = {**places.vectors, "aa": np.full((2, 5, 1), np.nan)}
    nowhere = Places(vectors, places.ids, places.alone, places.late)
    assert nowhere.settled("ba", rng, 20, a_is_first=False).n == 0
    assert np.isnan(nowhere.along("ba")).all()
