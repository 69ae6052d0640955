"""Rings of agents."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import agent, batches, close, dimensions, fast_agent, isotropic, seeds

from a2a import (
    AffineMap,
    UnstableInteraction,
    equilibrium,
    ring_equilibrium,
    take_turns,
)

few = settings(max_examples=8)


@given(seed=seeds, d=dimensions, members=st.integers(1, 5))
def test_a_ring_solves_its_cyclic_equations(lib, seed, d, members):
    rng = np.random.default_rng(seed)
    agents = [agent(rng, d, lib) for _ in range(members)]
    cyclic = np.eye(members * d)
    for i, one in enumerate(agents):
        cyclic[i * d : (i + 1) * d, (i - 1) % members * d :][:, :d] -= np.asarray(one.M)
    expected = np.linalg.solve(cyclic, np.concatenate([one.c for one in agents])).reshape(members, d)
    assert close(ring_equilibrium(agents), expected)


@few
@given(seed=seeds, members=st.integers(1, 5), batch=batches)
def test_a_ring_settles_where_its_turns_lead(lib, seed, members, batch):
    rng = np.random.default_rng(seed)
    agents = [fast_agent(rng, 2, lib, batch=batch if i == 0 else ()) for i in range(members)]
    settled = take_turns(agents, lib(rng.standard_normal(2)), 200, history=False)[0]
    assert close(settled, ring_equilibrium(agents), 1e-8)


def test_a_ring_of_two_is_a_pair(lib, rng):
    pair = [agent(rng, 3, lib), agent(rng, 3, lib)]
    settled = equilibrium(*pair)
    assert close(ring_equilibrium(pair), np.stack([settled.first, settled.second]))


def test_an_unstable_ring_carries_its_rate(lib):
    with pytest.raises(UnstableInteraction) as caught:
        ring_equilibrium([isotropic(lib, 2.5, [0.0])] * 3)
    assert caught.value.rate == pytest.approx(1.5**3)


def test_a_ring_needs_an_agent():
    with pytest.raises(ValueError, match="a ring needs at least one agent, got none"):
        ring_equilibrium([])


def test_a_ring_needs_one_dimension():
    with pytest.raises(ValueError, match="agent 0 has d = 1, agent 1 has d = 2"):
        ring_equilibrium([AffineMap([[0.5]], [0.0]), AffineMap(np.eye(2) / 2, np.zeros(2))])
