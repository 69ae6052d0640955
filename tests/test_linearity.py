"""The test of linearity."""

import numpy as np
import pytest

from a2a import linearity_test, sample_pair


def exchanges(rng, bend=0.0, noise=0.0, m=60, d=3):
    agent, _ = sample_pair(rng, 12, d, 0.4, 0.4)
    w_in = rng.standard_normal((m, d))
    return w_in, agent(w_in) + bend * w_in**2 + noise * rng.standard_normal((m, d)), agent


def test_an_affine_agent_passes_the_linearity_test():
    p_values = [linearity_test(*exchanges(np.random.default_rng(seed), noise=0.1)[:2])[1] for seed in range(200)]
    assert 0.01 <= np.mean(np.array(p_values) < 0.05) <= 0.1


def test_an_exactly_affine_agent_gives_no_evidence_against_itself():
    assert linearity_test(*exchanges(np.random.default_rng(3))[:2])[1] > 0.05


def test_a_bent_agent_fails_the_linearity_test():
    assert linearity_test(*exchanges(np.random.default_rng(4), bend=0.1, noise=0.05)[:2])[1] < 1e-6


def test_the_linearity_test_says_how_many_exchanges_it_needs():
    with pytest.raises(ValueError, match="in d = 3 needs at least 11 exchanges, got 10"):
        linearity_test(*exchanges(np.random.default_rng(5), m=10)[:2])


@pytest.mark.parametrize("size", [1e-300, 1e150, 1e300])
def test_the_linearity_test_does_not_depend_on_the_unit(size):
    w_in, w_out, _ = exchanges(np.random.default_rng(6), bend=0.02, noise=0.05)
    assert linearity_test(w_in * size, w_out * size) == pytest.approx(linearity_test(w_in, w_out), rel=1e-9)
