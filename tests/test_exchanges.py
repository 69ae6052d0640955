"""Exchanges drawn again: the bootstrap."""

import numpy as np
import pytest

from a2a import identify, resample, sample_pair


def exchanges(rng, bend=0.0, noise=0.0, m=60, d=3):
    agent, _ = sample_pair(rng, 12, d, 0.4, 0.4)
    w_in = rng.standard_normal((m, d))
    return w_in, agent(w_in) + bend * w_in**2 + noise * rng.standard_normal((m, d)), agent


def test_the_bootstrap_covers_the_step_size():
    rng = np.random.default_rng(1)
    w_in, w_out, agent = exchanges(rng, noise=0.05)
    fits = identify(*resample(rng, w_in, w_out, 400), "step size", S=agent.S)
    low, high = np.quantile(fits.eta, [0.005, 0.995])
    assert low < 0.4 < high
    assert high - low < 0.1


def test_resampled_exchanges_stay_pairs():
    rng = np.random.default_rng(2)
    w_in, w_out, agent = exchanges(rng)
    again_in, again_out = resample(rng, w_in, w_out, 5)
    assert again_in.shape == (5, *w_in.shape)
    np.testing.assert_allclose(agent(again_in), again_out)


@pytest.mark.usefixtures("untyped")
def test_resampling_needs_a_generator():
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator, got 7"):
        resample(7, np.ones((3, 1)), np.ones((3, 1)), 5)
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator, got None"):
        sample_pair(None, 3, 2, 0.1, 0.1)
