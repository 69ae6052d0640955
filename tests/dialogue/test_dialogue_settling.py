import numpy as np
import pytest

from a2a.dialogue.settling import contraction, position


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
