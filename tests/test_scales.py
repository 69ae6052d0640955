"""Numbers far from 1: the same answer in other units, or a ValueError."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import agent, close, dimensions, seeds

from a2a import (
    GradientAgent,
    Helper,
    Prompt,
    asymmetry,
    attack_prompt,
    bias_bound,
    equilibrium,
    newton_target,
    noise_floor,
    objective_from_exchange,
    probe,
    probe_attack,
    ring_equilibrium,
    small_step_bias,
    steering_objective,
)

few = settings(max_examples=8)
units = st.sampled_from([1e-300, 1e-200, 1e-155, 1e-150, 1e150, 1e155, 1e200, 1e300])


def measured(first, second, w0):
    """What a pair gives that scales with the unit of w, and what doesn't."""
    settled = equilibrium(first, second)
    scaled = {
        "bias_first": settled.bias_first,
        "second": settled.second,
        "ring": ring_equilibrium([first, second, first]),
        "small steps": small_step_bias(first, second),
        "bound": np.asarray(bias_bound(first, second)),
        "newton": newton_target(first, w0),
        "steering": steering_objective(second, w0, first.theta),
        "helper": Helper(second, lambda w: first.theta)(w0),
        "exchange": objective_from_exchange(first.S, first.eta, w0, first(w0)),
    }
    same = {
        "gain": settled.gain_first,
        "rate": np.asarray(settled.rate),
        "asymmetry": np.array(list(vars(asymmetry(first, second)).values())),
        "attack": abs(attack_prompt(second, first.theta, 0.3).X),
        "probe attack": abs(probe_attack(second, first.theta, 0.3).X),
    }
    return scaled, same


@few
@given(seed=seeds, d=dimensions, unit=units)
def test_the_unit_of_w_does_not_matter(lib, seed, d, unit):
    rng = np.random.default_rng(seed)
    first, second, w0 = agent(rng, d, lib), agent(rng, d, lib), lib(rng.standard_normal(d))
    here = measured(first, second, w0)
    there = measured(*(GradientAgent(one.S, one.theta * unit, one.eta) for one in (first, second)), w0 * unit)
    for name, value in here[0].items():
        assert close(np.asarray(there[0][name]) / unit, value, 1e-8), name
    for name, value in here[1].items():
        assert close(there[1][name], value, 1e-8), name


@few
@given(seed=seeds, d=dimensions, unit=units)
def test_the_unit_of_the_examples_does_not_matter(lib, seed, d, unit):
    rng = np.random.default_rng(seed)
    first, second, w0 = agent(rng, d, lib), agent(rng, d, lib), lib(rng.standard_normal(d))
    here = measured(first, second, w0)
    there = measured(*(GradientAgent(one.S * unit, one.theta, one.eta / unit) for one in (first, second)), w0)
    for one, other in zip(here, there, strict=True):
        assert all(close(other[name], value, 1e-8) for name, value in one.items())


@pytest.mark.parametrize("unit", [1e-300, 1e-150, 1e150, 1e300])
def test_the_unit_of_the_noise_does_not_matter(lib, rng, unit):
    first, second = agent(rng, 3, lib), agent(rng, 3, lib)
    floor, scaled = (noise_floor(first, second, lib(s * np.eye(3)), lib(s * np.eye(3)))[0] for s in (1.0, unit))
    assert close(np.asarray(scaled) / unit, floor)


@pytest.mark.parametrize(("size", "message"), [(1e200, "must be finite"), (1e-200, "must not vanish")])
def test_examples_whose_squares_leave_the_range_are_refused(lib, size, message):
    prompt = Prompt(lib([[size, 2 * size]]), lib([1.0]))
    with pytest.raises(ValueError, match=rf"X\^T X / n {message}"):
        _ = prompt.S


@pytest.mark.parametrize(("size", "message"), [(1e200, "must be finite"), (1e-200, "must not vanish")])
def test_a_step_that_leaves_the_range_is_refused(lib, size, message):
    with pytest.raises(ValueError, match=f"eta S {message}"):
        GradientAgent(lib([[size]]), lib([1.0]), size)


def test_examples_of_zeros_are_no_underflow(lib):
    assert Prompt(lib([[0.0, 0.0]]), lib([1.0])).S.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_objectives_whose_gap_overflows_are_refused(lib):
    first, second = (GradientAgent(lib(np.eye(2)), lib([t, 0.0]), 0.5) for t in (1.7e308, -1.7e308))
    for function in (equilibrium, asymmetry, bias_bound, small_step_bias):
        with pytest.raises(ValueError, match=r"theta_B - theta_A must be finite"):
            function(first, second)


def test_steps_that_overflow_together_are_refused(lib):
    wild = GradientAgent(lib(np.diag([1.0, 2.0])), lib([1.0, 0.0]), 1e200)
    for function in (lambda: wild @ wild, lambda: equilibrium(wild, wild, require_stable=False)):
        with pytest.raises(ValueError, match=r"must stay within the range of its numbers|must be finite"):
            function()


def test_a_probe_that_rounding_would_swallow_is_refused(lib):
    with pytest.raises(ValueError, match=r"w0 must be small enough for a step of 1 to show, got .* 1e\+17"):
        probe(lambda w: w / 2, lib([1e17, 0.0]))
