import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, batches, close, covariance, dimensions, fast_agent, seeds

from a2a import (
    AffineMap,
    GradientAgent,
    alternate,
    asymmetry,
    attack_prompt,
    equilibrium,
    probe_attack,
)

steps = st.floats(0.05, 3.0)


@given(seed=seeds, d=dimensions, batch=batches)
def test_conditions_are_their_formulas(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d, lib, batch=batch), agent(rng, d, lib)
    P, Q, eye = np.asarray(first.M), np.asarray(second.M), np.eye(d)
    gap = np.asarray(second.theta - first.theta)
    measured = asymmetry(first, second)

    def share(matrix):
        return np.linalg.norm(matrix @ gap, axis=-1) / np.linalg.norm(gap)

    assert np.allclose(measured.first_wins, share(P @ (eye - Q)))
    assert np.allclose(measured.second_wins, share(Q @ (eye - P)))
    assert np.allclose(measured.unseen_by_first, share(eye - P))
    assert np.allclose(measured.unseen_by_second, share(eye - Q))


def test_the_first_wins_what_the_second_does_not_see(lib):
    first = GradientAgent(lib(np.diag([1.0, 2.0])), lib([0.0, 0.0]), 0.3)
    second = GradientAgent(lib(np.diag([1.0, 0.0])), lib([0.0, 1.0]), 0.3)
    settled, measured = equilibrium(first, second), asymmetry(first, second)
    assert (measured.first_wins, measured.unseen_by_second) == (0.0, 0.0)
    assert close(settled.bias_first, [0.0, 0.0]) and not close(settled.bias_second, [0.0, 0.0], 0.5)


def test_both_win_what_neither_sees(lib):
    first, second = (GradientAgent(lib(np.diag([1.0, 0.0])), lib([0.0, t]), 0.3) for t in (0.0, 1.0))
    run = alternate(first, second, lib([5.0, 1.0]), 200)
    measured = asymmetry(first, second)
    assert measured.unseen_by_first == measured.unseen_by_second == measured.second_wins == 0.0
    assert close(run.first[-1], [0.0, 1.0])  # both are at rest there: neither prompt tells (0, 0) from (0, 1)


def test_equal_objectives_have_nothing_to_win(lib):
    one = GradientAgent(lib(np.eye(2)), lib([1.0, 1.0]), 0.1)
    with pytest.raises(ValueError, match="the two objectives must differ"):
        asymmetry(one, one)


def test_conditions_need_agents_that_fit_together():
    one, two = GradientAgent(np.eye(2), np.ones(2), 0.1), GradientAgent(np.eye(3), np.ones(3), 0.1)
    with pytest.raises(ValueError, match="first has d = 2, second has d = 3"):
        asymmetry(one, two)


@pytest.mark.usefixtures("untyped")
def test_conditions_need_gradient_agents():
    one = GradientAgent(np.eye(1), np.ones(1), 0.1)
    with pytest.raises(ValueError, match="second must be a GradientAgent, got AffineMap"):
        asymmetry(one, AffineMap([[0.5]], [0.0]))


def attacks(victim, theta, eta):
    return attack_prompt(victim, theta, eta), probe_attack(victim, theta, eta)


@given(seed=seeds, d=st.integers(2, 5), eta=steps, batch=batches)
def test_the_attacker_wins_exactly_and_the_victim_misses(lib, seed, d, eta, batch):
    rng = np.random.default_rng(seed)
    victim, theta = agent(rng, d, lib, batch=batch), lib(rng.standard_normal(d))
    for prompt in attacks(victim, theta, eta):
        settled = equilibrium(GradientAgent(prompt.S, theta, eta), victim)
        assert close(settled.bias_first, np.zeros((*batch, d)), 1e-6)
        assert np.linalg.norm(np.asarray(settled.bias_second), axis=-1).min() > 1e-6


@given(seed=seeds, d=dimensions, eta=steps)
def test_one_example_has_the_step_as_an_eigenvector(lib, seed, d, eta):
    rng = np.random.default_rng(seed)
    victim, theta = agent(rng, d, lib), lib(rng.standard_normal(d))
    v = np.asarray(victim.step) @ np.asarray(victim.theta - theta)
    for prompt in attacks(victim, theta, eta):
        assert prompt.n == 1 and close(np.asarray(prompt.S) @ v, v / eta, 1e-8)
        assert close(prompt.y[0], np.asarray(prompt.X)[0] @ np.asarray(theta))


def test_an_attack_wins_in_the_simulation(lib, rng):
    victim, theta = fast_agent(rng, 3, lib), lib(rng.standard_normal(3))
    attacker = GradientAgent.from_prompt(attack_prompt(victim, theta, 0.7), 0.7)
    run = alternate(attacker, victim, lib(rng.standard_normal(3)), 200)
    assert close(run.first[-1], theta) and not close(run.second[-1], victim.theta, 0.01)


def test_an_identity_that_cancels_nothing_would_be_noticed(rng):
    victim, theta = fast_agent(rng, 3), rng.standard_normal(3)
    prompt = attack_prompt(victim, theta, 0.7)
    wrong_step = GradientAgent(prompt.S, theta, 0.5)
    assert not close(equilibrium(wrong_step, victim).bias_first, np.zeros(3), 0.01)


def test_the_probe_calls_its_victim_once():
    calls = []
    probe_attack(lambda w: calls.append(w) or w + 1, [0.0, 0.0], 0.1)
    assert len(calls) == 1 and calls[0].tolist() == [0.0, 0.0]


def test_what_the_attacker_writes_differs_along_one_direction_only(rng):
    victim, theta = agent(rng, 4), rng.standard_normal(4)
    attacker = GradientAgent(attack_prompt(victim, theta, 0.5).S, theta, 0.5)
    w = rng.standard_normal((50, 4))
    assert np.linalg.matrix_rank(attacker(w) - w, tol=1e-9) == 1


def test_a_victim_that_jumps_to_its_objective_is_immune(lib, rng):
    victim = GradientAgent(lib(2 * np.eye(3)), lib(rng.standard_normal(3)), 0.5)
    theta = lib(rng.standard_normal(3))
    attacker = GradientAgent(attack_prompt(victim, theta, 0.3).S, theta, 0.3)
    assert close(equilibrium(attacker, victim).second, victim.theta)


def test_a_redrawn_prompt_breaks_the_attack(rng):
    theta_victim, theta = np.ones(3), np.zeros(3)
    victims = [GradientAgent(covariance(rng, 3), theta_victim, 0.3) for _ in range(40)]
    attacker = GradientAgent(attack_prompt(victims[0], theta, 0.5).S, theta, 0.5)
    redrawn = iter(victims)
    run = alternate(attacker, lambda w: next(redrawn)(w), np.zeros(3), 40)
    assert np.linalg.norm(run.first[20:], axis=-1).min() > 0.01


def test_a_batch_of_step_sizes_is_a_batch_of_attacks(lib):
    victim = GradientAgent(lib(np.eye(2)), lib([1.0, 0.0]), 0.3)
    prompt = attack_prompt(victim, lib([0.0, 0.0]), [0.25, 1.0])
    assert close(prompt.X, [[[2.0, 0.0]], [[1.0, 0.0]]])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_attack_keeps_library_and_dtype(lib, dtype):
    theta = lib(np.zeros(2, dtype))
    victim = GradientAgent(lib(np.eye(2, dtype=dtype)), lib(np.ones(2, dtype)), 0.5)
    for prompt in attacks(victim, theta, 0.3):
        assert type(prompt.X) is type(theta) and prompt.X.dtype == prompt.y.dtype == theta.dtype


VICTIM = GradientAgent(np.eye(2), np.ones(2), 0.5)


@pytest.mark.parametrize("attack", [attack_prompt, probe_attack])
@pytest.mark.parametrize(
    ("theta", "eta", "message"),
    [
        (np.ones(2), 0.3, "the victim doesn't move theta"),
        (np.ones(3), 0.3, r"must have shape \(\.\.\., 2\), got \(3,\)"),
        ([np.nan, 0.0], 0.3, "theta must be finite"),
        (torch.ones(2), 0.3, "is torch, the agent is numpy"),
        (np.zeros(2), -0.3, r"eta must be a positive step size, got -0\.3"),
        (np.zeros(2), 0, "eta must be a positive step size, got 0"),
        (np.zeros((4, 2)), [0.1, 0.2, 0.3], r"victim has \(4,\), eta has \(3,\)"),
    ],
)
def test_what_can_not_be_attacked(attack, theta, eta, message):
    with pytest.raises(ValueError, match=message):
        attack(VICTIM, theta, eta)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([1.0], r"the victim's answer must have shape \(\.\.\., 2\), got \(1,\)"),
        ([np.inf, 0.0], "the victim's answer must be finite"),
        (torch.ones(2), "what it read is numpy, the victim's answer is torch"),
    ],
)
def test_a_bad_answer_of_the_victim(answer, message):
    with pytest.raises(ValueError, match=message):
        probe_attack(lambda w: answer, [0.0, 0.0], 0.3)


@pytest.mark.usefixtures("untyped")
def test_a_white_box_attack_needs_a_gradient_agent():
    with pytest.raises(ValueError, match="victim must be a GradientAgent, got function"):
        attack_prompt(lambda w: w, [0.0, 0.0], 0.3)
