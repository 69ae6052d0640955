"""What is lost to the 1 in I - eta S, and isn't: compared with the same formulas in fifty digits."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instances import covariance, seeds

from a2a import (
    AffineMap,
    GradientAgent,
    IllConditioned,
    UnstableInteraction,
    bias_bound,
    equilibrium,
    noise_floor,
    ring_equilibrium,
    small_step_bias,
)

sizes = st.floats(-14, 0).map(lambda power: 10.0**power)
DIGITS = mpmath.workdps(50)


def exactly(values):
    return mpmath.matrix(np.asarray(values, dtype=float).tolist())


def gain(own, other):
    """(I - P Q)^-1 P (I - Q) of two gradient agents."""
    with DIGITS:
        A, B = (mpmath.mpf(float(one.eta)) * exactly(one.S) for one in (own, other))
        P, Q, eye = mpmath.eye(own.d) - A, mpmath.eye(own.d) - B, mpmath.eye(own.d)
        return (eye - P * Q) ** -1 * P * (eye - Q)


def relative_error(found, wanted):
    with DIGITS:
        found = np.asarray(found)
        off = exactly(found if found.ndim > 1 else found[:, None]) - wanted
        return float(mpmath.norm(off) / mpmath.norm(wanted))


def pair(rng, lib, steps, d=3, dtype="float64"):
    S = covariance(rng, d, 20, (2,)).astype(dtype)
    S = S / np.linalg.norm(S, 2, axis=(-2, -1))[:, None, None]  # the steps are eta lambda_max then
    theta = rng.standard_normal((2, d)).astype(dtype)
    return [GradientAgent(lib(S[i]), lib(theta[i]), float(np.dtype(dtype).type(steps[i]))) for i in range(2)]


def errors(first, second):
    """Relative errors of both biases and both gains."""
    settled = equilibrium(first, second)
    with DIGITS:
        gains = gain(first, second), gain(second, first)
        gap = exactly(np.asarray(second.theta)[:, None]) - exactly(np.asarray(first.theta)[:, None])
        wanted = [gains[0] * gap, -gains[1] * gap, *gains]
    found = settled.bias_first, settled.bias_second, settled.gain_first, settled.gain_second
    return [relative_error(*both) for both in zip(found, wanted, strict=True)]


@given(seed=seeds, first=sizes, second=sizes)
def test_bias_and_gain_have_their_digits_at_steps_of_any_size(lib, seed, first, second):
    assert max(errors(*pair(np.random.default_rng(seed), lib, (first, second)))) < 1e-12


@given(seed=seeds, power=st.floats(-6, 0))
def test_single_precision_has_its_digits_too(lib, seed, power):
    assert max(errors(*pair(np.random.default_rng(seed), lib, [10.0**power] * 2, dtype="float32"))) < 1e-5


@given(seed=seeds, power=st.integers(-14, -1))
def test_the_rate_of_small_steps(lib, seed, power):
    first, second = pair(np.random.default_rng(seed), lib, [10.0**power] * 2)
    with DIGITS:
        A, B = (mpmath.mpf(one.eta) * exactly(one.S) for one in (first, second))
        slowest = min(mpmath.re(mu) for mu in mpmath.eig(A + B - A * B, right=False))
    assert 1 - equilibrium(first, second).rate == pytest.approx(float(slowest), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("eta", [1e-14, 1e-30, 1e-100])
def test_no_step_is_too_small_to_settle(lib, eta):
    first, second = (GradientAgent(lib(np.diag([1.0, 2.0])), lib([t, t]), eta) for t in (0.0, 1.0))
    settled = equilibrium(first, second)
    assert np.allclose(settled.first, 0.5, rtol=1e-13) and np.allclose(settled.second, 0.5, rtol=1e-13)
    assert np.allclose(ring_equilibrium([first, second]), 0.5, rtol=1e-13)


@pytest.mark.parametrize("eta", [1e-12, 1e-14])
def test_a_small_step_beside_a_blind_prompt_is_seen(lib, eta):
    first = GradientAgent(lib([[2.0, 1.0], [1.0, 2.0]]), lib([0.0, 0.0]), eta)
    second = GradientAgent(lib(np.diag([1.0, 0.0])), lib([1.0, 1.0]), 0.5)
    assert max(errors(first, second)[:1]) < 1e-12


def test_a_direction_that_rounding_hides_is_named(lib):
    first = GradientAgent(lib(np.eye(2)), lib([0.0, 0.0]), 1e-16)
    second = GradientAgent(lib(np.diag([1.0, 0.0])), lib([1.0, 1.0]), 0.5)
    with pytest.warns(IllConditioned, match=r"I - PQ has a condition number of 5e\+15"):
        equilibrium(first, second)


@pytest.mark.parametrize("eta", [1e-14, 0.5])
def test_a_direction_that_neither_prompt_sees_is_not_settled_by_a_step(lib, eta):
    S = np.array([[0.5, 0.5], [0.5, 0.5]])
    first, second = (GradientAgent(lib(S), lib([t, -t]), eta) for t in (0.0, 1.0))
    with pytest.raises(UnstableInteraction, match="neither prompt sees some direction: pass w0"):
        equilibrium(first, second)
    settled = equilibrium(first, second, lib([3.0, 3.0]))
    assert np.allclose(settled.first, 0.0) and settled.rate == pytest.approx((1 - eta) ** 2, abs=1e-15)


@given(seed=seeds, power=st.integers(-14, -11))
def test_small_steps_beside_a_common_kernel_keep_their_digits(lib, seed, power):
    rng = np.random.default_rng(seed)
    S = rng.standard_normal((2, 20, 2)) @ rng.standard_normal((2, 3))
    S = S.mT @ S / 20
    theta = rng.standard_normal((2, 3))
    first, second = (GradientAgent(lib(S[i]), lib(theta[i]), 10.0**power) for i in range(2))
    limit = np.asarray(small_step_bias(first, second))
    off = np.asarray(equilibrium(first, second, first.theta).bias_first) - limit
    assert np.linalg.norm(off) < 1e-5 * np.linalg.norm(limit)


@given(seed=seeds, power=st.integers(-14, -2))
def test_the_noise_floor_of_small_steps(lib, seed, power):
    rng = np.random.default_rng(seed)
    first, second = pair(rng, lib, [10.0**power] * 2)
    twice = GradientAgent(first.S + second.S, first.theta, 10.0**power)
    floor = np.asarray(noise_floor(first, second, lib(np.eye(3)), lib(np.eye(3)))[1])
    limit = np.linalg.inv(np.asarray(twice.step))  # K Sigma + Sigma K = 2 I for small steps
    assert np.abs(floor - limit).max() < 3 * 10.0**power * np.abs(limit).max() + 1e-11 * np.abs(limit).max()


def test_the_bound_of_small_steps(lib):
    first, second = (GradientAgent(lib(np.eye(2)), lib([t, 0.0]), 1e-17) for t in (0.0, 1.0))
    assert bias_bound(first, second) == pytest.approx(0.5, rel=1e-13)


def test_composed_maps_keep_the_digits_of_their_steps(lib, rng):
    first, second = pair(rng, lib, (1e-13, 1e-13))
    both = second @ first
    assert np.allclose(both.step, np.asarray(first.step) + np.asarray(second.step), rtol=1e-12)
    settled = equilibrium(first, second).second
    assert relative_error(both.fixed_point(), exactly(np.asarray(settled)[:, None])) < 1e-12


def test_the_step_of_a_map_is_what_it_takes_off(lib):
    assert np.allclose(AffineMap(lib([[0.25]]), lib([1.0])).step, 0.75)


@pytest.mark.parametrize("kappa", [1e10, 1e13])
def test_the_small_step_limit_is_solved_for(lib, kappa):
    first, second = (GradientAgent(lib(np.diag([1.0, 1 / kappa])), lib([t, t]), 1e-3) for t in (0.0, 1.0))
    assert np.allclose(small_step_bias(first, second), 0.5, rtol=1e-12)
