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
