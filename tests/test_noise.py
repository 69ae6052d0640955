"""The noise floor, against SciPy's solver and against noisy turns."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from instances import agent, close, covariance, dimensions, isotropic, seeds

from a2a import (
    GradientAgent,
    NoisyAgent,
    UnstableInteraction,
    alternate,
    equilibrium,
    noise_floor,
)

few = settings(max_examples=8)


@given(seed=seeds, d=dimensions)
def test_the_noise_floor_solves_the_lyapunov_equation(lib, seed, d):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d, lib), agent(rng, d, lib)
    P, Q, C, D = np.asarray(first.M), np.asarray(second.M), covariance(rng, d), covariance(rng, d)
    of_first, of_second = noise_floor(first, second, lib(C), lib(D))
    expected = scipy.linalg.solve_discrete_lyapunov(Q @ P, Q @ C @ Q.T + D)
    assert close(of_second, expected) and close(of_first, P @ expected @ P.T + C)


def test_a_quiet_pair_of_a_batch_is_as_exact_as_a_loud_one(lib):
    second = isotropic(lib, 0.001, [0.0])
    _, floor = noise_floor(second, second, lib([[[1.0]], [[1e-18]]]), lib([[0.0]]))
    assert close(floor[1] * 1e18, floor[0])


def test_no_noise_has_no_floor(lib):
    one, none = isotropic(lib, 0.5, [0.0, 0.0]), lib(np.zeros((2, 2)))
    assert not np.any([np.asarray(floor) for floor in noise_floor(one, one, none, none)])


def test_the_noise_floor_is_what_noisy_turns_measure(rng):
    first, second = agent(rng, 3), agent(rng, 3)
    noisy = [NoisyAgent(first, 0.3, rng), NoisyAgent(second, 0.2, rng)]
    run = alternate(*noisy, np.zeros((20_000, 3)), 400, history=False)
    floors = noise_floor(first, second, 0.09 * np.eye(3), 0.04 * np.eye(3))
    for written, floor in zip((run.first[0], run.second[0]), floors, strict=True):
        assert np.abs(np.cov(written.T) - floor).max() < 0.06 * np.abs(floor).max()
    squared_error = np.sum((run.first[0] - first.theta) ** 2, axis=-1).mean()
    bias = equilibrium(first, second).bias_first
    assert squared_error == pytest.approx(bias @ bias + np.trace(floors[0]), rel=0.05)


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (0.1, r"noise_first must have shape \(\.\.\., 2, 2\), got \(\)"),
        (np.triu(np.ones((2, 2))), "noise_first must be symmetric"),
        (-np.eye(2), "noise_first must be positive semi-definite, got an eigenvalue of -1"),
        (torch.eye(2), "noise_first is torch"),
        (np.full((2, 2), np.nan), "noise_first must be finite"),
    ],
)
def test_noise_comes_as_a_covariance(noise, message):
    one = GradientAgent(np.eye(2), np.ones(2), 0.5)
    with pytest.raises(ValueError, match=message):
        noise_floor(one, one, noise, np.eye(2))


def test_noise_in_an_unstable_pair_has_no_floor(lib):
    one = isotropic(lib, 2.5, [0.0])
    with pytest.raises(UnstableInteraction):
        noise_floor(one, one, lib([[1.0]]), lib([[1.0]]))
