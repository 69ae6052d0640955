"""Where long conversations end, and how long they are followed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, batches, close, coupled_fixed_point, dimensions, isotropic, seeds

from a2a import GradientAgent, alternate, equilibrium
from a2a.rest import SLOWEST, at_rest, held_below, settled_error, turns_until_rest


@given(seed=seeds, d=dimensions, batch=batches)
def test_pairs_end_at_their_equilibrium(seed, d, batch):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d, batch=batch), agent(rng, d, batch=batch)
    settled = equilibrium(first, second)
    slow = np.asarray(settled.rate) >= SLOWEST
    a, b = at_rest(first, second, rng.standard_normal((*batch, d)))
    assert np.array_equal(np.isnan(a).all(axis=-1), slow) and np.array_equal(np.isnan(b).any(axis=-1), slow)
    clear = np.asarray(settled.rate) < 0.99
    assert close(np.where(clear[..., None], a, 0), np.where(clear[..., None], settled.first, 0), 1e-8)
    assert close(np.where(clear[..., None], b, 0), np.where(clear[..., None], settled.second, 0), 1e-8)


def test_one_pair_ends_where_both_equations_hold(rng):
    first, second = agent(rng, 3), agent(rng, 3)
    for end, wanted in zip(at_rest(first, second, np.zeros(3)), coupled_fixed_point(first, second), strict=True):
        assert close(end, wanted, 1e-8)


def test_pairs_that_diverge_do_not_disturb_the_others(rng):
    sizes = np.array([0.5, 3.0])[:, None, None] * np.eye(2)
    pair = [GradientAgent(sizes, rng.standard_normal((2, 2)), 1.0) for _ in range(2)]
    a, b = at_rest(*pair, np.ones(2))
    assert np.isfinite(a[0]).all() and np.isfinite(b[0]).all()
    assert np.isnan(a[1]).all() and np.isnan(b[1]).all()


def test_what_the_start_has_in_unseen_directions_stays():
    blind = [GradientAgent(np.diag([1.0, 0.0]), theta, 0.5) for theta in ([1.0, 5.0], [-1.0, 7.0])]
    a, b = at_rest(*blind, np.array([9.0, 3.0]))
    assert a[1] == b[1] == 3.0


@pytest.mark.parametrize("slowest", [0.9, 0.999])
def test_a_slow_pair_has_no_end(slowest):
    slow = [isotropic(np.asarray, 1 - math.sqrt(0.95), np.ones(2)) for _ in range(2)]
    a, _ = at_rest(*slow, np.zeros(2), slowest=slowest)
    assert np.isnan(a).all() == (slowest < 0.95)


@pytest.mark.parametrize(
    ("growth", "turns", "wanted"), [(0.5, 40, 40), (1.0, 40, 40), (10.0, 40, 20), (10.0, 5, 5), (1e30, 40, 1)]
)
def test_growing_errors_are_stopped_in_time(growth, turns, wanted):
    assert held_below(growth, turns) == wanted
    assert held_below(np.array([0.1, growth]), turns) == wanted


def test_the_limit_is_what_an_error_may_grow_by():
    assert held_below(2.0, 100, limit=1024.0) == 10


@pytest.mark.parametrize(("rate", "followed"), [(0.1, 20), (0.5, 67), (0.999, 500), (1.0, 500), (10.0, 20)])
def test_turns_until_rest(rate, followed):
    needed, turns = turns_until_rest(rate)
    assert turns == followed and turns_until_rest(np.array([0.05, rate]))[1] == turns
    assert (needed == turns) == (needed <= 5000)


def test_patience_is_the_callers():
    assert turns_until_rest(0.5, patience=50) == (67, 500)


@given(seed=seeds, d=dimensions, factor=st.floats(0.1, 10))
def test_the_settled_error_is_the_gain_times_the_gap(seed, d, factor):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d, n=20 * d), agent(rng, d, n=20 * d)
    gaps = factor * rng.standard_normal((3, d))
    settled = equilibrium(first, second)
    turns = turns_until_rest(settled.rate)[0]
    if turns <= 2000:
        wanted = np.linalg.norm(gaps @ settled.gain_first.T, axis=-1)
        assert close(settled_error(first, second, gaps, turns), wanted, 1e-8)


def test_the_first_turns_are_those_of_a_conversation(rng):
    first, second = agent(rng, 2), agent(rng, 2)
    gap = np.array([1.0, 2.0])
    run = alternate(first, GradientAgent(second.S, first.theta + gap, second.eta), first.theta, 3)
    assert settled_error(first, second, gap, 3) == pytest.approx(np.linalg.norm(run.first[-1] - first.theta))
