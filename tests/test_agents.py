import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, batches, close, dimensions, seeds

from a2a import AffineMap, GradientAgent, NoisyAgent, sample_pair, sample_prompt, take_turns
from a2a.agents import held, left_alone, slowest


@given(seed=seeds, d=dimensions)
def test_a_step_goes_down_the_gradient_of_the_loss(seed, d):
    rng = np.random.default_rng(seed)
    prompt = sample_prompt(rng, 6, d, torch.asarray(rng.standard_normal(d)), noise=0.3)
    w = torch.asarray(rng.standard_normal(d), copy=True).requires_grad_()
    loss = (prompt.X @ w - prompt.y).square().sum() / (2 * prompt.n)
    loss.backward()
    stepped = GradientAgent(prompt.S, torch.linalg.lstsq(prompt.X, prompt.y, driver="gelsd")[0], 0.3)(w.detach())
    assert close(stepped, (w - 0.3 * w.grad).detach(), 1e-7)


@given(seed=seeds, d=dimensions)
def test_from_prompt_steps_down_the_same_gradient(seed, d):
    rng = np.random.default_rng(seed)
    prompt, w = sample_prompt(rng, 3, d, rng.standard_normal(d), noise=0.3), rng.standard_normal(d)
    gradient = prompt.X.T @ (prompt.X @ w - prompt.y) / prompt.n
    assert close(GradientAgent.from_prompt(prompt, 0.2)(w), w - 0.2 * gradient, 1e-7)


@given(seed=seeds, d=dimensions, batch=batches)
def test_step_and_map_agree(lib, seed, d, batch):
    one = agent(np.random.default_rng(seed), d, lib, batch=batch)
    assert close(one.M, np.eye(d) - np.asarray(one.step)) and close(one.fixed_point(), one(one.objective()), 1e-6)


def test_a_step_of_any_size_keeps_its_digits(lib):
    tiny = GradientAgent(lib(np.diag([1.0, 3.0])), lib([1.0, 1.0]), 1e-12)
    assert np.asarray(tiny.step)[1, 1] == 3e-12


@pytest.mark.parametrize("eta", [[0.1, 0.2], np.array([0.1, 0.2]), torch.tensor([0.1, 0.2])])
def test_a_batch_of_step_sizes_gives_a_batch_of_agents(lib, eta):
    one = GradientAgent(lib(np.eye(3)), lib(np.ones(3)), eta)
    assert np.allclose(one(lib(np.zeros(3))), [[0.1] * 3, [0.2] * 3])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("eta", [0.1, [0.1, 0.2]])
def test_an_agent_keeps_library_and_dtype(lib, dtype, eta):
    theta = lib(np.ones(2, dtype))
    answer = GradientAgent(lib(np.eye(2, dtype=dtype)), theta, eta)(theta)
    assert type(answer) is type(theta) and answer.dtype == theta.dtype


def test_integers_are_taken():
    assert GradientAgent([[1, 0], [0, 2]], [1, 1], 1)([0, 0]).tolist() == [1.0, 2.0]


def test_objective_is_theta_of_a_gradient_agent_though_its_prompt_leaves_it_open(lib):
    assert GradientAgent(lib(np.zeros((2, 2))), lib([1.0, 2.0]), 0.1).objective().tolist() == [1.0, 2.0]


def test_objective_is_the_fixed_point_of_another_map(lib):
    assert AffineMap(lib([[0.5]]), lib([1.0])).objective().tolist() == [2.0]


@pytest.mark.parametrize(
    ("S", "theta", "eta", "message"),
    [
        (np.triu(np.ones((2, 2))), np.ones(2), 0.1, "S must be symmetric, got entries .* by up to 1"),
        (np.ones((2, 3)), np.ones(2), 0.1, r"S must have shape \(\.\.\., d, d\)"),
        (np.ones((0, 0)), np.ones(0), 0.1, r"S must have shape .*, got \(0, 0\)"),
        (np.ones((0, 2, 2)), np.ones(2), 0.1, r"S must have shape .*, got \(0, 2, 2\)"),
        (np.diag([1.0, np.inf]), np.ones(2), 0.1, "S must be finite"),
        (np.eye(2), np.ones(3), 0.1, r"theta must have shape \(\.\.\., 2\), got \(3,\)"),
        (np.eye(2), [0.0, np.nan], 0.1, "theta must be finite"),
        (np.eye(2), np.ones(2), 0, "eta must be a positive step size, got 0"),
        (np.eye(2), np.ones(2), -0.1, r"eta must be a positive step size, got -0\.1"),
        (np.eye(2), np.ones(2), np.nan, "eta must be finite"),
        (np.eye(2), np.ones(2), "0.1", "eta must hold real numbers"),
        (np.eye(2), torch.ones(2), 0.1, "S is numpy, theta is torch"),
        (torch.eye(2), torch.ones(2, dtype=torch.float64), 0.1, "S is torch.float32 on cpu, theta is torch.float64"),
        (np.stack([np.eye(2)] * 4), np.ones(2), [0.1, 0.2, 0.3], r"S has \(4,\), theta has \(\), eta has \(3,\)"),
    ],
)
def test_what_is_no_gradient_agent(S, theta, eta, message):
    with pytest.raises(ValueError, match=message):
        GradientAgent(S, theta, eta)


def test_noise_has_its_covariance_and_no_mean(rng, lib):
    noisy = NoisyAgent(lambda w: w, 0.5, rng)
    drawn = np.asarray(noisy(lib(np.zeros((200_000, 2)))))
    assert np.abs(drawn.mean(axis=0)).max() < 0.01
    assert np.abs(np.cov(drawn.T) - 0.25 * np.eye(2)).max() < 0.01


def test_no_noise_changes_nothing(rng, lib):
    assert NoisyAgent(lambda w: 2 * w, 0.0, rng)(lib([1.0])).tolist() == [2.0]


@pytest.mark.parametrize("noise", [-0.1, np.nan])
def test_noise_is_a_standard_deviation(rng, noise):
    with pytest.raises(ValueError, match="noise must be"):
        NoisyAgent(lambda w: w, noise, rng)


def test_a_sampled_pair_is_independent_and_batched(rng):
    first, second = sample_pair(rng, 6, 2, 0.1, [0.1, 0.2, 0.3], batch=(3,))
    assert first.S.shape == second.S.shape == (3, 2, 2) and not np.allclose(first.S, second.S)


def test_an_agent_that_runs_away_is_held_in_its_direction(lib):
    far = held(lambda w: 3 * w, 100.0)
    assert close(far(lib([[30.0, 40.0], [3.0, 4.0]])), [[90.0 * 100 / 151, 120.0 * 100 / 151], [9.0, 12.0]])
    ended = take_turns([far], lib([3.0, 4.0]), 50)[-1, 0]
    assert np.linalg.norm(np.asarray(ended)) == pytest.approx(100, rel=0.02)


@given(seed=seeds, d=dimensions, batch=batches, steps=st.integers(1, 30))
def test_left_alone_is_where_the_steps_lead(lib, seed, d, batch, steps):
    rng = np.random.default_rng(seed)
    one, w = agent(rng, d, lib, batch=batch), lib(rng.standard_normal(d))
    assert close(left_alone(one, w, steps), take_turns([one], w, steps)[-1, 0], 1e-8)


@given(seed=seeds, d=dimensions, batch=batches)
def test_the_slowest_direction_shrinks_by_the_spectral_radius(lib, seed, d, batch):
    one = agent(np.random.default_rng(seed), d, lib, batch=batch)
    along, factor = slowest(one)
    assert close(factor, one.spectral_radius(), 1e-8)
    assert close(np.linalg.norm(np.asarray(one(one.theta + along) - one.theta), axis=-1), factor, 1e-8)
