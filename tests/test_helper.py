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


@given(seed=seeds, d=dimensions, batch=batches)
def test_anderson_is_done_within_d_plus_1_turns(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    main = fast_agent(rng, d, lib, batch=batch)
    w0 = lib(rng.standard_normal(d))
    helper = Helper(fast_agent(rng, d, lib), Anderson(w0))
    run = alternate(main, helper, w0, d + 1)
    assert close(run.second[-1], np.broadcast_to(main.theta, (*batch, d)), 1e-6)


def test_anderson_stays_where_it_is_done(lib, rng):
    main, w0 = fast_agent(rng, 4, lib), lib(np.zeros(4))
    run = alternate(main, Anderson(w0), w0, 40)
    assert np.abs(np.asarray(run.second[5:] - main.theta)).max() < 1e-6


def test_anderson_needs_more_than_d_minus_1_turns(rng):
    main, w0 = fast_agent(rng, 4), np.zeros(4)
    run = alternate(main, Anderson(w0), w0, 3)
    assert not close(run.second[-1], main.theta, 1e-6)


def test_anderson_beats_plain_alternation_on_a_bad_condition(rng):
    S = random_covariance(rng, np.geomspace(1.0, 1e-3, 4))
    main, w0 = GradientAgent(S, rng.standard_normal(4), 1.0), np.zeros(4)
    helped, plain = alternate(main, Anderson(w0), w0, 6), alternate(main, lambda w: w, w0, 6)
    errors = [np.linalg.norm(run.second[-1] - main.theta) for run in (helped, plain)]
    assert errors[0] < 1e-4 * errors[1]


def test_a_short_memory_keeps_that_many_differences(rng):
    main, w0 = fast_agent(rng, 5), np.zeros(5)
    runs = [alternate(main, Anderson(w0, memory), w0, 4).second for memory in (None, 3, 1)]
    assert close(runs[0], runs[1]) and not close(runs[0], runs[2], 1e-6)


def test_anderson_takes_a_batch_from_a_single_start(lib, rng):
    main, w0 = fast_agent(rng, 2, lib, batch=(5,)), lib(np.zeros(2))
    run = alternate(main, Anderson(w0), w0, 3)
    assert close(run.second[-1], np.broadcast_to(main.theta, (5, 2)), 1e-6)


@pytest.mark.parametrize("memory", [0, -1])
def test_memory_is_at_least_1(memory):
    with pytest.raises(ValueError, match=f"memory must be a whole number of at least 1, got {memory}"):
        Anderson([0.0], memory)


@pytest.mark.parametrize(
    ("w", "message"), [([0.0], r"w must have shape \(\.\.\., 2\)"), ([0.0, np.nan], "must be finite")]
)
def test_what_anderson_is_handed_must_fit(w, message):
    with pytest.raises(ValueError, match=message):
        Anderson(np.zeros(2))(w)


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
