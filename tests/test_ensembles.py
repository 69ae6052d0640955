import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instances import close, seeds

from a2a.ensembles import conditioned_agents, root_mean_square


@given(seed=seeds, d=st.integers(2, 6), kappa=st.floats(1.0, 1e6))
def test_a_prompt_has_exactly_its_condition_number(seed, d, kappa):
    agent = conditioned_agents(np.random.default_rng(seed), kappa, d, 0.5)
    values = np.linalg.eigvalsh(agent.S)
    assert close(values, np.geomspace(1 / kappa, 1, d))
    assert agent.theta.shape == (d,) and agent.eta == 0.5


def test_each_agent_of_a_batch_has_its_own(rng):
    agent = conditioned_agents(rng, np.array([1.0, 10.0, 100.0]), 4, 1.0, (2,))
    assert agent.S.shape == (2, 3, 4, 4) and agent.theta.shape == (2, 3, 4)
    values = np.linalg.eigvalsh(agent.S)
    assert close(values[..., -1] / values[..., 0], np.broadcast_to([1.0, 10.0, 100.0], (2, 3)), 1e-9)
    assert not close(agent.S[0, 1], agent.S[1, 1], 1e-3)


@pytest.mark.parametrize("kappa", [0.5, [2.0, 0.0]])
def test_a_condition_number_is_at_least_1(rng, kappa):
    with pytest.raises(ValueError, match="kappa must be a condition number >= 1, got 0"):
        conditioned_agents(rng, kappa, 3, 0.5)


def test_the_root_mean_square_is_over_the_instances(lib):
    errors = lib([[[3.0, 4.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]])
    assert close(root_mean_square(errors), [12.5**0.5, 1.0])


def test_directions_and_objectives_are_random(rng):
    agents = conditioned_agents(rng, 4.0, 2, 0.5, (500,))
    assert close(agents.S.mean(axis=0), 0.625 * np.eye(2), 0.1)
    assert close(agents.theta.mean(axis=0), np.zeros(2), 0.2)
    assert close(agents.theta.std(axis=0), np.ones(2), 0.2)


def test_the_same_seed_draws_the_same():
    one, other = (conditioned_agents(np.random.default_rng(3), [2.0, 3.0], 3, 0.5) for _ in range(2))
    assert (one.S == other.S).all() and (one.theta == other.theta).all()


def test_a_root_mean_square_out_of_range_is_infinite(lib):
    assert root_mean_square(lib([[1e308, 1e308], [1e308, 1.7e308]])) == np.inf


def test_a_root_mean_square_of_nothing_is_refused(lib, untyped):
    with pytest.raises(ValueError, match=r"errors must have shape .* with no dimension of 0, got \(0, 0\)"):
        root_mean_square(lib(np.empty((0, 0))))
