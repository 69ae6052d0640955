"""How the bias comes near its small-step limit, against the exact formula and by halving the step."""

import numpy as np
import pytest
from hypothesis import given
from instances import agent, batches, close, dimensions, seeds

from a2a import AffineMap, sample_pair, small_steps


def pair(rng, d, lib=np.asarray, batch=()):
    return [agent(rng, d, lib, n=20 * d, batch=batch) for _ in range(2)]


@given(seed=seeds, d=dimensions, batch=batches)
def test_the_deviation_is_the_theorems(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    first, second = small_steps.slowed(0.1, *pair(rng, d, lib, batch))
    A, B = np.asarray(first.step), np.asarray(second.step)
    X, Y = A + B, A @ B
    gap = np.asarray(second.theta - first.theta)
    pulled = np.linalg.solve(X, (A @ gap[..., None]))
    wanted = -np.linalg.solve(X - Y, Y @ pulled)[..., 0]
    assert close(small_steps.deviation(first, second), wanted, 1e-8)


@given(seed=seeds, d=dimensions)
def test_the_correction_is_right_to_first_order(seed, d):
    rng = np.random.default_rng(seed)
    both = pair(rng, d)
    remainders = []
    for factor in (2e-3, 1e-3):
        slow = small_steps.slowed(factor, *both)
        off = small_steps.deviation(*slow) - small_steps.correction(*slow)
        share = np.linalg.norm(small_steps.ratio(*slow), 2)
        assert np.linalg.norm(off) <= 2 * share * np.linalg.norm(small_steps.correction(*slow)) + 1e-12
        remainders.append(np.linalg.norm(off))
    assert remainders[1] <= 0.3 * remainders[0] + 1e-12


@given(seed=seeds, d=dimensions, batch=batches)
def test_the_ratio_shrinks_with_the_steps(lib, seed, d, batch):
    both = pair(np.random.default_rng(seed), d, lib, batch)
    whole, tenth = small_steps.ratio(*both), small_steps.ratio(*small_steps.slowed(0.1, *both))
    assert close(tenth, 0.1 * np.asarray(whole))


def test_directions_that_nobody_sees_are_left_out(rng):
    first, second = sample_pair(rng, 1, 4, 0.1, 0.1)
    both = np.stack([first.S, second.S]).sum(axis=0)
    hidden = np.linalg.svd(both)[0][:, 2:]
    assert close(small_steps.correction(first, second) @ hidden, np.zeros(2))
    assert close(small_steps.deviation(first, second) @ hidden, np.zeros(2))


def test_slowed_agents_keep_their_prompts_and_objectives(rng):
    both = pair(rng, 2)
    for one, slow in zip(both, small_steps.slowed(0.5, *both), strict=True):
        assert close(slow.step, one.step / 2) and close(slow.theta, one.theta, 0) and close(slow.S, one.S, 0)


def test_general_maps_have_no_steps_to_shrink(untyped, rng):
    with pytest.raises(ValueError, match="must be a GradientAgent"):
        small_steps.ratio(AffineMap(0.5 * np.eye(2), np.zeros(2)), agent(rng, 2))
