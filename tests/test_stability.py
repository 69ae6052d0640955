"""What never settles is refused, and says how fast it grows."""

import numpy as np
import pytest
from hypothesis import given, settings
from instances import agent, close, coupled_fixed_point, dimensions, isotropic, seeds

from a2a import (
    AffineMap,
    GradientAgent,
    UnstableInteraction,
    equilibrium,
    random_covariance,
    ring_equilibrium,
    spectral_radius,
)

few = settings(max_examples=8)


def test_an_unstable_pair_carries_its_rate(lib):
    with pytest.raises(UnstableInteraction, match=r"spectral radius of 2\.25 \(wanted: below 1\)$") as caught:
        equilibrium(isotropic(lib, 2.5, [0.0]), isotropic(lib, 2.5, [1.0]))
    assert caught.value.rate == pytest.approx(2.25)


def test_an_unstable_batch_carries_its_largest_rate(lib):
    first = GradientAgent(lib(np.eye(2)), lib([0.0, 0.0]), [0.5, 2.5, 3.0])
    with pytest.raises(UnstableInteraction) as caught:
        equilibrium(first, isotropic(lib, 2.0, [1.0, 1.0]))
    assert caught.value.rate == pytest.approx(2.0)


def test_a_rate_of_one_does_not_settle(lib):
    with pytest.raises(UnstableInteraction, match="spectral radius of 1 "):
        equilibrium(isotropic(lib, 2.0, [0.0]), isotropic(lib, 2.0, [1.0]))


def test_a_common_kernel_asks_for_the_start(lib):
    first, second = (GradientAgent(lib(np.diag([1.0, 0.0])), lib([t, t]), 0.1) for t in (0.0, 1.0))
    with pytest.raises(UnstableInteraction, match="neither prompt sees some direction: pass w0"):
        equilibrium(first, second)


def wild(rng, d, lib, low=0.2, high=4.0):
    """A gradient agent with eta lambda between `low` and `high`: many diverge alone."""
    S = random_covariance(rng, rng.uniform(low, high, d))
    return GradientAgent(lib(S), lib(rng.standard_normal(d)), 1.0)


@given(seed=seeds, d=dimensions)
def test_pairs_that_run_away_have_their_fixed_points_too(lib, seed, d):
    rng = np.random.default_rng(seed)
    first, second = wild(rng, d, lib, low=2.2), wild(rng, d, lib, low=2.2)
    settled = equilibrium(first, second, require_stable=False)
    a, b = coupled_fixed_point(first, second)
    assert close(settled.first, a, 1e-8) and close(settled.second, b, 1e-8) and settled.rate > 1
    assert close(ring_equilibrium([first, second], require_stable=False), np.stack([a, b]), 1e-8)
    with pytest.raises(UnstableInteraction):
        equilibrium(first, second)


def test_stable_and_unstable_pairs_of_a_batch_have_a_rate_each(lib):
    first = GradientAgent(lib(np.eye(2)), lib([0.0, 0.0]), [0.5, 2.5, 3.0])
    second = isotropic(lib, 2.0, [1.0, 1.0])
    settled = equilibrium(first, second, require_stable=False)
    assert np.allclose(settled.rate, [0.5, 1.5, 2.0])
    assert close(settled.first, [[2 * p / (1 + p)] * 2 for p in (0.5, -1.5, -2.0)])


def test_what_no_turn_moves_has_no_fixed_point_to_give(lib):
    two = isotropic(lib, 2.0, [0.0]), isotropic(lib, 2.0, [1.0])  # P Q = 1
    with pytest.raises(ValueError, match=r"no unique fixed point: a turn leaves .* I - PQ is singular"):
        equilibrium(*two, require_stable=False)
    with pytest.raises(ValueError, match="no unique fixed point"):
        ring_equilibrium(two, require_stable=False)


def test_a_common_kernel_asks_for_the_start_in_any_case(lib):
    first, second = (GradientAgent(lib(np.diag([3.0, 0.0])), lib([t, t]), 0.9) for t in (0.0, 1.0))
    with pytest.raises(UnstableInteraction, match="pass w0"):
        equilibrium(first, second, require_stable=False)
    settled = equilibrium(first, second, lib([5.0, 7.0]), require_stable=False)
    assert settled.rate == pytest.approx(1.7**2) and close(settled.first[1], 7.0)


def test_general_maps_keep_their_tolerance(lib):
    slow = AffineMap(lib([[1 - 1e-14]]), lib([0.0]))
    with pytest.raises(UnstableInteraction):
        equilibrium(slow, slow)


@given(seed=seeds, d=dimensions)
def test_the_rate_is_the_spectral_radius_of_a_turn(lib, seed, d):
    rng = np.random.default_rng(seed)
    for first, second in [(agent(rng, d, lib), agent(rng, d, lib)), (wild(rng, d, lib), wild(rng, d, lib))]:
        rate = equilibrium(first, second, require_stable=False).rate
        assert rate == pytest.approx(spectral_radius(first.M @ second.M), rel=1e-9, abs=1e-12)
