"""What very many turns do, against turning once and again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, batches, close, dimensions, isotropic, seeds

from a2a import AffineMap, GradientAgent, alternate
from a2a.affine import spectral_radius
from a2a.longrun import contracts, doubled, log_norms, turn_matrix


@given(seed=seeds, d=dimensions, times=st.integers(0, 4))
def test_a_doubled_map_is_many_turns(lib, seed, d, times):
    rng = np.random.default_rng(seed)
    turn, w = agent(rng, d, lib) @ agent(rng, d, lib), lib(rng.standard_normal(d))
    again = w
    for _ in range(2**times):
        again = turn(again)
    assert close(doubled(turn, times)(w), again, 1e-8)


@given(seed=seeds, d=dimensions, batch=batches)
def test_the_matrix_of_a_turn_is_read_off_what_agents_write(seed, d, batch):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d, batch=batch), agent(rng, d, batch=batch)
    assert close(turn_matrix(first, second, d), second.M @ first.M)


def test_any_affine_callables_have_a_matrix():
    assert close(turn_matrix(lambda w: 2 * w + 1, lambda w: -w, 2), -2 * np.eye(2))


@given(seed=seeds, d=dimensions, batch=batches)
def test_logarithms_of_norms_are_those_of_powers(seed, d, batch):
    rng = np.random.default_rng(seed)
    M = rng.standard_normal((*batch, d, d))
    logs, power = log_norms(M, 3), M
    for log in logs:
        assert close(log, np.log(np.linalg.norm(power, 2, (-2, -1))), 1e-8)
        power = power @ power


@pytest.mark.parametrize("size", [1e-3, 0.5, 1.0, 3.0, 1e3])
def test_no_power_overflows_or_vanishes(size):
    logs = log_norms(size * np.eye(3), 60)
    assert np.isfinite(logs).all() and logs[-1] == pytest.approx(2.0**60 * np.log(size))


@given(seed=seeds, d=dimensions)
def test_in_the_long_run_the_rate_is_the_spectral_radius(seed, d):
    M = np.random.default_rng(seed).standard_normal((d, d))
    assert np.exp(log_norms(M, 40)[-1] / 2.0**40) == pytest.approx(spectral_radius(M), rel=1e-6)


@given(seed=seeds, d=dimensions, batch=batches, factor=st.sampled_from([0.5, 1.0, 1.7, 3.0]))
def test_pairs_contract_where_the_radius_is_below_1(lib, seed, d, batch, factor):
    rng = np.random.default_rng(seed)
    first, second = (agent(rng, d, batch=batch) for _ in range(2))
    first = GradientAgent(lib(first.S), lib(first.theta), lib(factor * np.asarray(first.eta)))
    second = GradientAgent(lib(second.S), lib(second.theta), lib(np.asarray(second.eta)))
    rate = spectral_radius(np.asarray(first.M) @ np.asarray(second.M))
    sure = np.abs(rate - 1) > 1e-9
    assert np.all((np.asarray(contracts(first, second)) == (rate < 1)) | ~sure)


@pytest.mark.parametrize("step", [1e-3, 1e-17, 1e-200])
def test_no_step_is_too_small_to_contract(step):
    pair = [GradientAgent(np.eye(2), np.ones(2), step) for _ in range(2)]
    assert contracts(*pair)


def test_a_pair_that_leaves_some_direction_does_not_contract():
    blind = isotropic(np.asarray, 1.0, np.zeros(2))
    assert contracts(blind, blind)
    assert not contracts(AffineMap(np.eye(2), np.zeros(2)), AffineMap(np.diag([1.0, 0.5]), np.zeros(2)))


def test_what_contracts_forgets_its_start(rng):
    first, second = agent(rng, 2, n=200), agent(rng, 2, n=200)
    ends = [alternate(first, second, w, 3000, history=False).second[-1] for w in np.eye(2)]
    assert contracts(first, second) and close(*ends, 1e-6)
