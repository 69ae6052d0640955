import sys

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import agent, batches, close, coupled_fixed_point, covariance, dimensions, fast_agent, isotropic, seeds

from a2a import (
    AffineMap,
    GradientAgent,
    UnstableInteraction,
    alternate,
    bias_bound,
    equilibrium,
    noise_floor,
    ring_equilibrium,
    small_step_bias,
)

module = sys.modules["a2a.equilibrium"]  # the package has the function of that name
few = settings(max_examples=8)


@given(seed=seeds, d=dimensions)
def test_equilibrium_solves_the_coupled_equations(lib, seed, d):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d, lib), agent(rng, d, lib)
    settled = equilibrium(first, second)
    a, b = coupled_fixed_point(first, second)
    assert close(settled.first, a) and close(settled.second, b)
    assert close(settled.bias_first, a - np.asarray(first.theta))
    assert close(settled.bias_second, b - np.asarray(second.theta))


@few
@given(seed=seeds, d=dimensions, batch=batches)
def test_the_turns_reach_the_equilibrium(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    first, second = fast_agent(rng, d, lib), fast_agent(rng, d, lib, batch=batch)
    run = alternate(first, second, lib(rng.standard_normal(d)), 200, history=False)
    settled = equilibrium(first, second)
    assert close(run.first[0], settled.first, 1e-8) and close(run.second[0], settled.second, 1e-8)


@given(seed=seeds, d=dimensions, batch=batches, theta_batch=batches)
def test_a_batch_is_its_single_pairs(lib, seed, d, batch, theta_batch):
    rng = np.random.default_rng(seed)
    first = agent(rng, d, lib, batch=batch, theta_batch=theta_batch if not batch else ())
    second = agent(rng, d, lib)
    settled = equilibrium(first, second)
    shape = first.batch
    M, theta = np.broadcast_to(first.M, (*shape, d, d)), np.broadcast_to(first.theta, (*shape, d))
    expected = np.empty((*shape, d))
    for i in np.ndindex(shape):
        single = GradientAgent(np.eye(d) - M[i], theta[i], 1.0)
        expected[i] = coupled_fixed_point(single, second)[0]
    assert close(settled.first, expected)


def test_mixed_batches_broadcast(lib, rng):
    first, second = agent(rng, 2, lib, batch=(3, 1)), agent(rng, 2, lib, theta_batch=(4,))
    settled = equilibrium(first, second)
    assert tuple(settled.first.shape) == tuple(settled.bias_second.shape) == (3, 4, 2)
    assert tuple(settled.rate.shape) == (3, 1)


@given(seed=seeds, d=dimensions)
def test_bias_is_linear_in_the_gap(lib, seed, d):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d, lib), agent(rng, d, lib)
    settled, gap = equilibrium(first, second), second.theta - first.theta
    assert close(settled.gain_first @ gap, settled.bias_first)
    assert close(settled.gain_second @ -gap, settled.bias_second)
    wider = GradientAgent(second.S, first.theta + 10 * gap, second.eta)
    assert close(equilibrium(first, wider).bias_first, 10 * settled.bias_first)


@given(seed=seeds, d=dimensions)
def test_the_worst_gap_is_the_gains_singular_vector(seed, d):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d), agent(rng, d)
    gaps = rng.standard_normal((200, d))
    biases = equilibrium(first, GradientAgent(second.S, first.theta + gaps, second.eta)).bias_first
    largest = np.linalg.norm(biases, axis=-1) / np.linalg.norm(gaps, axis=-1)
    values = np.linalg.svd(equilibrium(first, second).gain_first)[1]
    assert largest.max() <= values[0] * (1 + 1e-9) and largest.min() >= values[-1] * (1 - 1e-9)


@given(seed=seeds, p=st.floats(-0.9, 0.9), q=st.floats(-0.9, 0.9), d=dimensions)
def test_isotropic_prompts(lib, seed, p, q, d):
    gap = np.random.default_rng(seed).standard_normal(d)
    settled = equilibrium(isotropic(lib, 1 - p, np.zeros(d)), isotropic(lib, 1 - q, gap))
    assert close(settled.bias_first, p * (1 - q) / (1 - p * q) * gap)
    assert close(settled.bias_second, -q * (1 - p) / (1 - p * q) * gap)
    assert settled.rate == pytest.approx(abs(p * q), abs=1e-12)


@given(seed=seeds, d=dimensions)
def test_small_steps_have_an_error_of_first_order(lib, seed, d):
    rng = np.random.default_rng(seed)
    S, theta = covariance(rng, d, batch=(2,)), rng.standard_normal((2, d))

    def relative_error(eta):
        first, second = (GradientAgent(lib(S[i]), lib(theta[i]), eta * (i + 1)) for i in range(2))
        exact, limit = equilibrium(first, second).bias_first, small_step_bias(first, second)
        return np.linalg.norm(np.asarray(exact - limit)) / np.linalg.norm(np.asarray(limit))

    slope = np.log2(relative_error(1e-4) / relative_error(5e-5))
    assert slope == pytest.approx(1.0, abs=0.02)


def test_the_small_step_limit_takes_singular_prompts_and_tiny_steps(lib):
    first, second = (GradientAgent(lib(np.diag([1.0, 0.0])), lib([t, t]), 1e-9) for t in (0.0, 1.0))
    assert close(small_step_bias(first, second), [0.5, 0.0])


@given(seed=seeds, d=dimensions, batch=batches)
def test_the_bound_holds(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d, lib, batch=batch), agent(rng, d, lib)
    bias = np.linalg.norm(np.asarray(equilibrium(first, second).bias_first), axis=-1)
    assert np.all(bias <= np.asarray(bias_bound(first, second)) * (1 + 1e-9))


def test_the_bound_is_reached_by_isotropic_prompts(lib):
    first, second = isotropic(lib, 0.5, [0.0, 0.0]), isotropic(lib, 0.25, [3.0, 4.0])
    assert bias_bound(first, second) == pytest.approx(0.5 * 0.25 / (1 - 0.5 * 0.75) * 5)


def test_the_bound_is_infinite_where_norms_say_nothing(lib):
    assert bias_bound(isotropic(lib, 3.0, [0.0]), isotropic(lib, 1.5, [1.0])) == float("inf")


@given(seed=seeds, d=dimensions, batch=batches)
def test_stable_alone_is_stable_together(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d, lib, batch=batch), agent(rng, d, lib)
    norms = [np.linalg.norm(np.asarray(one.M), 2, axis=(-2, -1)) for one in (first, second)]
    assert np.all(np.asarray(equilibrium(first, second).rate) <= norms[0] * norms[1] * (1 + 1e-9))


def test_a_partner_holds_an_agent_that_diverges_alone(lib):
    wild, calm = isotropic(lib, 2.5, [0.0, 0.0]), isotropic(lib, 0.5, [1.0, 1.0])
    assert wild.spectral_radius() > 1
    run = alternate(wild, calm, lib([5.0, -5.0]), 200)
    assert close(run.first[-1], equilibrium(wild, calm).first)


@given(seed=seeds, d=dimensions)
def test_the_rate_is_the_factor_a_turn(seed, d):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d), agent(rng, d)
    settled = equilibrium(first, second)
    run = alternate(first, second, settled.second + rng.standard_normal(d), 40)
    errors = np.linalg.norm(run.second - settled.second, axis=-1)
    assert errors[-1] <= np.linalg.cond(first.M) * 1e3 * settled.rate**40 * errors[0] + 1e-12


@given(seed=seeds, d=st.integers(2, 5), n=st.integers(1, 2))
def test_too_few_examples_settle_in_the_seen_space_and_stay_in_the_rest(lib, seed, d, n):
    rng = np.random.default_rng(seed)
    first, second = (agent(rng, d, lib, n=min(n, d - 1)) for _ in range(2))
    w0 = rng.standard_normal(d)
    kernel = scipy.linalg.null_space(np.concatenate([first.S, second.S]), rcond=1e-9)
    seen = scipy.linalg.null_space(kernel.T)
    restricted = [AffineMap(seen.T @ np.asarray(one.M) @ seen, seen.T @ np.asarray(one.c)) for one in (first, second)]
    a, b = (seen @ x + kernel @ (kernel.T @ w0) for x in coupled_fixed_point(*restricted))
    settled = equilibrium(first, second, lib(w0))
    assert close(settled.first, a, 1e-6) and close(settled.second, b, 1e-6)


def test_too_few_examples_settle_where_the_turns_lead(lib, rng):
    first, second = (
        GradientAgent(lib(S), lib(np.ones(3)), 0.5) for S in (np.diag([1.0, 0, 0]), np.diag([1.0, 1.0, 0]))
    )
    w0 = lib(rng.standard_normal((4, 3)))
    run = alternate(first, second, w0, 100, history=False)
    assert close(run.first[0], equilibrium(first, second, w0).first)


@pytest.mark.parametrize("eta", [0.5, 1e-9])
def test_the_common_kernel_is_found_at_any_step_size(lib, eta):
    first, second = (GradientAgent(lib(np.diag([1.0, 0.0])), lib([t, t]), eta) for t in (0.0, 1.0))
    settled = equilibrium(first, second, lib([9.0, 7.0]))
    assert close(settled.first[1], 7.0) and settled.rate == pytest.approx((1 - eta) ** 2)


def test_two_blind_agents_stay_at_the_start(lib):
    first, second = (GradientAgent(lib(np.zeros((2, 2))), lib([t, t]), 0.1) for t in (0.0, 1.0))
    settled = equilibrium(first, second, lib([9.0, 7.0]))
    assert settled.first.tolist() == settled.second.tolist() == [9.0, 7.0]


def test_a_start_does_not_settle_what_the_prompts_see(lib):
    first, second = (GradientAgent(lib(np.diag([3.0, 0.0])), lib([t, t]), 1.0) for t in (0.0, 1.0))
    with pytest.raises(UnstableInteraction, match=r"below 1\)$"):
        equilibrium(first, second, lib([0.0, 0.0]))


def test_random_prompts_concentrate_at_the_root_of_n(rng):
    population, theta = np.diag([1.0, 0.5]), np.array([[0.0, 0.0], [1.0, -1.0]])

    def errors(n):
        X = rng.standard_normal((2, 4000, n, 2)) @ np.sqrt(population)
        S = X.mT @ X / n
        first, second = (GradientAgent(S[i], theta[i], 0.4) for i in range(2))
        limit = equilibrium(*(GradientAgent(population, theta[i], 0.4) for i in range(2))).bias_first
        return np.linalg.norm(equilibrium(first, second).bias_first - limit, axis=-1).mean()

    assert np.log2(errors(200) / errors(800)) / 2 == pytest.approx(0.5, abs=0.05)


PAIRWISE = [equilibrium, small_step_bias, bias_bound, lambda one, two: noise_floor(one, two, np.eye(2), np.eye(2))]


@pytest.mark.parametrize("function", PAIRWISE)
@pytest.mark.parametrize(
    ("second", "message"),
    [
        (GradientAgent(np.eye(3), np.ones(3), 0.1), "one dimension, but first has d = 2, second has d = 3"),
        (GradientAgent(torch.eye(2), torch.ones(2), 0.1), "first is numpy, second is torch"),
        (GradientAgent(np.stack([np.eye(2)] * 4), np.ones(2), 0.1), r"first has \(3,\), second has \(4,\)"),
    ],
)
def test_agents_must_fit_together(function, second, message):
    first = GradientAgent(np.stack([np.eye(2)] * 3), np.ones(2), 0.1)
    with pytest.raises(ValueError, match=message):
        function(first, second)


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize("function", PAIRWISE)
def test_agents_must_be_affine_maps(function):
    with pytest.raises(ValueError, match=r"second must be an? .*GradientAgent, got function"):
        function(GradientAgent(np.eye(2), np.ones(2), 0.1), lambda w: w)


@pytest.mark.parametrize(("w0", "message"), [(np.ones(3), r"w0 must have shape"), (torch.ones(2), "w0 is torch")])
def test_the_start_must_fit_the_agents(w0, message):
    one = GradientAgent(np.eye(2), np.ones(2), 0.1)
    with pytest.raises(ValueError, match=message):
        equilibrium(one, one, w0)


def test_a_map_without_a_fixed_point_has_no_objective(lib):
    moving = AffineMap(lib([[1.0]]), lib([1.0]))
    with pytest.raises(ValueError, match="no unique fixed point"):
        equilibrium(moving, isotropic(lib, 0.5, [0.0]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_equilibrium_keeps_library_and_dtype(lib, dtype):
    one = GradientAgent(lib(np.eye(2, dtype=dtype)), lib(np.ones(2, dtype)), 0.5)
    settled = equilibrium(one, one, one.theta)
    found = [settled.first, settled.bias_second, settled.gain_first, small_step_bias(one, one), ring_equilibrium([one])]
    found += noise_floor(one, one, one.M, one.M)
    assert {(type(array), array.dtype) for array in found} == {(type(one.theta), one.theta.dtype)}


def test_gradients_flow_from_the_equilibrium_to_the_prompts():
    S = torch.eye(2, dtype=torch.float64).requires_grad_()
    first, second = (GradientAgent(S, torch.full((2,), t, dtype=torch.float64), 0.5) for t in (0.0, 1.0))
    settled = equilibrium(first, second)
    settled.first.sum().backward()
    assert type(settled.rate) is float and torch.isfinite(S.grad).all() and S.grad.abs().max() > 0


@pytest.mark.parametrize(
    "wrong",
    [
        lambda P, Q: -np.linalg.solve(np.eye(3) - P @ Q, P @ (np.eye(3) - Q)),
        lambda P, Q: np.linalg.solve(np.eye(3) + P @ Q, P @ (np.eye(3) - Q)),
        lambda P, Q: np.linalg.solve(np.eye(3) - P @ Q, P @ (np.eye(3) + Q)),
        lambda P, Q: np.linalg.solve(np.eye(3) - Q @ P, P @ (np.eye(3) - Q)),
    ],
    ids=["sign", "plus in the inverse", "plus in I - Q", "order"],
)
def test_a_wrong_gain_would_be_noticed(monkeypatch, rng, wrong):
    first, second = (GradientAgent(covariance(rng, 3), rng.standard_normal(3), 0.5) for _ in range(2))
    simulated = alternate(first, second, np.zeros(3), 200, history=False).first[0]
    assert close(equilibrium(first, second).first, simulated)
    monkeypatch.setattr(module, "_gain", lambda own, other, unseen: wrong(own.M, other.M))
    assert not close(equilibrium(first, second).first, simulated, 1e-3)
