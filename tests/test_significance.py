from itertools import product

import numpy as np
import pytest

from a2a.significance import adjusted_p, holm, p_in_words, random_signs


def test_random_signs_by_hand(rng):
    # of the eight signings of (1, 2, 3) two have a mean as far from 0
    assert random_signs(np.array([1.0, 2.0, 3.0, np.nan]), rng, 100) == pytest.approx(2 / 8)
    assert random_signs(np.zeros(5), rng, 100) == 1
    assert random_signs(np.array([0.0, 0.5, 0.0]), rng, 100) == 1
    assert random_signs(np.full(3, np.nan), rng, 100) == 1


def test_zeros_have_no_sign_to_be_tried(rng):
    """Eight changes of 50 all point one way: 2 of 256 signings are as far from 0, whatever the draws."""
    assert random_signs(np.repeat([0.0, -1.0], [42, 8]), rng, 256) == 2 / 256


def test_random_signs_of_a_change_that_is_there(rng):
    assert random_signs(rng.normal(1, 1, 30), rng, 500) < 0.01


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_p_values_are_adjusted_by_name(rng):
    changes = {"clear": np.ones(8), "none": np.zeros(8)}
    assert adjusted_p(changes, rng, 1000) == {"clear": 4 / 256, "none": 1.0}
    assert adjusted_p({}, rng, 10) == {}


def test_p_values_in_words():
    assert [p_in_words(p) for p in (None, 0.004, 0.01, 0.456)] == ["", "< .01", "0.01", "0.46"]


def test_few_changes_have_the_p_value_of_the_signs_one_by_one(rng):
    for changes in rng.normal(0.3, 1, (10, 9)):
        means = [np.mean(signs * changes) for signs in np.array(list(product([-1, 1], repeat=9)))]
        expected = np.mean(np.abs(means) >= abs(changes.mean()) - 1e-12)
        assert random_signs(changes, rng, 512) == pytest.approx(expected)


def test_the_sign_and_the_unit_of_changes_do_not_matter(rng):
    changes = rng.normal(0.4, 1, 8)
    assert random_signs(-changes, rng, 256) == random_signs(changes, rng, 256) == random_signs(7 * changes, rng, 256)


def test_changes_by_nothing_are_rarely_found(rng):
    p = [random_signs(rng.normal(0, 1, 10), rng, 1024) for _ in range(300)]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.08


def test_holm_keeps_the_order_and_lies_between_each_and_bonferroni(rng):
    p = rng.random(12) ** 3
    adjusted = np.array(holm(p.tolist()))
    assert (p <= adjusted).all() and (adjusted <= np.minimum(12 * p, 1) + 1e-12).all()
    assert np.array_equal(np.argsort(adjusted, kind="stable")[:3], np.argsort(p)[:3])


@pytest.mark.parametrize("scale", [1e-300, 1e307])
def test_the_size_of_the_changes_is_nothing_to_the_p_value(rng, scale):
    changes = np.array([3.0, -1.0, 2.0, 4.0, 1.0])
    assert random_signs(scale * changes, rng, 100) == random_signs(changes, rng, 100)
