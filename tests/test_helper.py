import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, batches, close, dimensions, fast_agent, seeds

from a2a import (
    AffineMap,
    Anderson,
    GradientAgent,
    Helper,
    IllConditioned,
    alternate,
    equilibrium,
    newton_objective,
    newton_target,
    probe,
    random_covariance,
    steering_objective,
)


@given(seed=seeds, d=dimensions, batch=batches)
def test_the_helpers_next_step_is_the_main_agents_newton_step(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    main, helper, w = agent(rng, d, lib, batch=batch), agent(rng, d, lib), lib(rng.standard_normal(d))
    step = GradientAgent(helper.S, newton_objective(main, helper, w), helper.eta)
    S, theta = np.asarray(main.S), np.asarray(main.theta)
    error = (S @ (np.asarray(w) - theta)[..., None])[..., 0]
    newton = np.asarray(w) - np.linalg.solve(S, error[..., None])[..., 0]
    assert close(step(w), newton, 1e-8) and close(newton, np.broadcast_to(theta, newton.shape), 1e-8)


@given(seed=seeds, d=dimensions, damping=st.floats(0.1, 1.9))
def test_a_damped_step_leaves_its_share_of_the_error(lib, seed, d, damping):
    rng = np.random.default_rng(seed)
    main, w = agent(rng, d, lib), lib(rng.standard_normal(d))
    error = np.asarray(newton_target(main, w, damping=damping) - main.theta)
    assert close(error, (1 - damping) * np.asarray(w - main.theta), 1e-8)


def test_a_wrong_hessian_is_the_one_that_is_used(lib):
    main = GradientAgent(lib(np.diag([1.0, 4.0])), lib([0.0, 0.0]), 0.1)
    assert close(newton_target(main, lib([1.0, 1.0]), hessian=lib(2 * np.eye(2))), [0.5, -1.0])


@pytest.mark.parametrize("eta", [1e-9, 0.3])
def test_a_singular_helper_steers_in_its_range_only(lib, eta):
    main = GradientAgent(lib(np.eye(2)), lib([1.0, 1.0]), 0.1)
    helper = GradientAgent(lib([[2.0, 2.0], [2.0, 2.0]]), lib([9.0, -9.0]), eta)
    moved = Helper(helper, lambda w: newton_target(main, w))(lib([2.0, 0.0]))
    assert close(moved, [2.0, 0.0])  # (1, 1) is wanted, and (2, 0) is at its distance from the range
    moved = Helper(helper, lambda w: newton_target(main, w))(lib([2.0, 2.0]))
    assert close(moved, [1.0, 1.0])


@given(seed=seeds, d=st.integers(2, 5))
def test_a_helper_with_too_few_examples_projects_the_newton_step(lib, seed, d):
    rng = np.random.default_rng(seed)
    main, helper, w = agent(rng, d, lib), agent(rng, d, lib, n=1), lib(rng.standard_normal(d))
    moved = np.asarray(Helper(helper, lambda w: newton_target(main, w))(w))
    S = np.asarray(helper.S)
    x = S[np.argmax(np.diag(S))] / np.linalg.norm(S[np.argmax(np.diag(S))])
    assert close(moved, np.asarray(w) + x * (x @ np.asarray(main.theta - w)), 1e-7)


@pytest.mark.parametrize("condition", [1e2, 1e6])
def test_the_plateau_is_gone_after_one_exchange_whatever_the_condition(lib, rng, condition):
    S = random_covariance(rng, np.geomspace(1.0, 1 / condition, 4))
    main, partner = GradientAgent(lib(S), lib(rng.standard_normal(4)), 0.5), fast_agent(rng, 4, lib)
    helped = alternate(main, Helper(partner, lambda w: newton_target(main, w)), lib(np.zeros(4)), 2)
    assert close(helped.first[1], main.theta, 1e-8)
    assert not close(equilibrium(main, partner).first, main.theta, 0.01)


def exchange(lib, kappa, dtype, partner_kappa=1.0):
    """Relative errors of what the main agent reads after one exchange with its helper, for a batch of pairs."""
    rng = np.random.default_rng(1)
    S, other = (
        random_covariance(rng, np.geomspace(1.0, 1 / k, 4), (50,)).astype(dtype) for k in (kappa, partner_kappa)
    )
    theta, w0 = rng.standard_normal((2, 50, 4)).astype(dtype)
    main, partner = GradientAgent(lib(S), lib(theta), 0.5), GradientAgent(lib(other), lib(theta), 0.5)
    helped = alternate(main, Helper(partner, lambda w: newton_target(main, w)), lib(w0), 1).second[0]
    return np.linalg.norm(np.asarray(helped) - theta, axis=-1) / np.linalg.norm(w0 - theta, axis=-1)


@pytest.mark.parametrize(
    ("kappa", "dtype", "median", "worst"),
    [(1e12, "float64", 1e-4, 1e-3), (1e13, "float64", 1e-3, 1e-2), (3e3, "float32", 1e-4, 1e-3)],
)
def test_a_badly_conditioned_agent_is_helped_in_one_exchange(lib, kappa, dtype, median, worst):
    for errors in (exchange(lib, kappa, dtype), exchange(lib, 1.0, dtype, kappa)):
        assert np.median(errors) < median and errors.max() < worst


@pytest.mark.parametrize(("kappa", "dtype"), [(1e14, "float64"), (2e5, "float32")])
@pytest.mark.parametrize("whose", ["the Hessian", "the helper's eta S"])
def test_where_digits_run_out_a_warning_names_the_condition_number(lib, kappa, dtype, whose):
    kappas = (kappa, 1.0) if whose == "the Hessian" else (1.0, kappa)
    with pytest.warns(IllConditioned, match=f"{whose} has a condition number of "):
        errors = exchange(lib, kappas[0], dtype, kappas[1])
    assert np.median(errors) < 0.1


def test_helper_and_steering_objective_agree(lib, rng):
    one, w, target = agent(rng, 3, lib), lib(rng.standard_normal(3)), lib(rng.standard_normal(3))
    stepped = GradientAgent(one.S, steering_objective(one, w, target), one.eta)(w)
    assert close(stepped, target) and close(Helper(one, lambda w: target)(w), target)


def test_a_helper_takes_lists():
    one = GradientAgent(np.eye(2), np.zeros(2), 0.5)
    assert Helper(one, lambda w: w + 1)([1, 2]).tolist() == [2.0, 3.0]


@given(seed=seeds, d=dimensions, batch=batches)
def test_a_probe_identifies_an_affine_map(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    main = agent(rng, d, lib, batch=batch)
    found = probe(main, lib(rng.standard_normal(d)))
    assert close(found.M, main.M) and close(found.c, np.broadcast_to(main.c, found.c.shape))
    assert close(found.fixed_point(), np.broadcast_to(main.theta, found.c.shape), 1e-6)


def test_a_probe_takes_d_plus_1_exchanges():
    calls = []
    probe(lambda w: calls.append(w) or w / 2, np.zeros(3))
    assert len(calls) == 4


MAIN = GradientAgent(np.eye(2), np.ones(2), 0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"damping": 0.0}, r"damping must be one positive number, got 0\.0"),
        ({"damping": -1.0}, "damping must be one positive number"),
        ({"damping": np.inf}, "damping must be finite"),
        ({"hessian": np.triu(np.ones((2, 2)))}, "hessian must be symmetric"),
        ({"hessian": np.eye(3)}, r"hessian must have shape \(\.\.\., 2, 2\)"),
        ({"hessian": torch.eye(2)}, "w is numpy, hessian is torch"),
    ],
)
@pytest.mark.parametrize("function", [newton_target, lambda main, w, **kw: newton_objective(main, main, w, **kw)])
def test_what_is_no_newton_step(function, options, message):
    with pytest.raises(ValueError, match=message):
        function(MAIN, np.zeros(2), **options)


@pytest.mark.parametrize(
    ("w", "message"),
    [
        (np.zeros(3), r"w must have shape \(\.\.\., 2\), got \(3,\)"),
        ([np.nan, 0.0], "w must be finite"),
        (torch.zeros(2), "w is torch, the agent is numpy"),
    ],
)
@pytest.mark.parametrize(
    "function",
    [
        lambda w: newton_target(MAIN, w),
        lambda w: newton_objective(MAIN, MAIN, w),
        lambda w: steering_objective(MAIN, w, np.zeros(2)),
        Helper(MAIN, lambda w: w),
    ],
)
def test_the_estimate_must_fit(function, w, message):
    with pytest.raises(ValueError, match=message):
        function(w)


def test_the_target_must_fit():
    with pytest.raises(ValueError, match=r"target must have shape \(\.\.\., 2\), got \(3,\)"):
        steering_objective(MAIN, np.zeros(2), np.zeros(3))


@pytest.mark.usefixtures("untyped")
def test_newton_needs_a_gradient_agent():
    with pytest.raises(ValueError, match="main must be a GradientAgent, got AffineMap"):
        newton_target(AffineMap(np.eye(2), np.ones(2)), np.zeros(2))


@pytest.mark.parametrize("answer", [[1.0], [np.nan, 0.0], torch.ones(2)])
def test_a_bad_answer_to_a_probe(answer):
    with pytest.raises(ValueError, match="the agent's answer"):
        probe(lambda w: answer, np.zeros(2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_helper_keeps_library_and_dtype(lib, dtype):
    w = lib(np.zeros(2, dtype))
    one = GradientAgent(lib(np.eye(2, dtype=dtype)), lib(np.ones(2, dtype)), 0.5)
    found = [newton_objective(one, one, w), Helper(one, Anderson(w))(w), probe(one, w).M]
    assert {(type(array), array.dtype) for array in found} == {(type(w), w.dtype)}
