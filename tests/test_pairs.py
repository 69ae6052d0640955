"""Many random pairs, some of them, and steps that are set by the largest eigenvalue."""

import numpy as np
import pytest
from instances import agent, close

from a2a import pairs, sample_pair
from a2a.affine import spectral_radius
from a2a.pairs import only, random_pairs, random_ring, with_largest


def test_pairs_are_those_of_sample_pair(rng):
    drawn = random_pairs(np.random.default_rng(1), 5, 6, 3, 0.3, 0.2)
    wanted = sample_pair(np.random.default_rng(1), 6, 3, 0.3, 0.2, batch=(5,))
    for one, other in zip(drawn, wanted, strict=True):
        assert close(one.S, other.S, 0) and close(one.theta, other.theta, 0) and one.eta == other.eta


@pytest.mark.parametrize("at_once", [1, 40, 10_000])
def test_as_many_pairs_come_as_are_asked_for_a_few_at_a_time(monkeypatch, rng, at_once):
    monkeypatch.setattr(pairs, "AT_ONCE", at_once)
    first, second = random_pairs(rng, 7, 5, 2, 0.3, 0.2)
    assert first.S.shape == second.S.shape == (7, 2, 2) and first.theta.shape == second.theta.shape == (7, 2)
    assert len(np.unique(first.theta)) == len(np.unique(second.theta)) == 14


def test_draws_at_a_time_are_the_same_for_each_size(monkeypatch):
    monkeypatch.setattr(pairs, "AT_ONCE", 2 * 10)
    first, _ = random_pairs(np.random.default_rng(3), 3, 5, 2, 0.3, 0.2)
    rng = np.random.default_rng(3)
    parts = [sample_pair(rng, 5, 2, 0.3, 0.2, batch=(size,))[0].theta for size in (2, 1)]
    assert close(first.theta, np.concatenate(parts), 0)


@pytest.mark.parametrize("sizes", [(0, 5, 2), (3, 0, 2), (3, 5, 0), (3, 5, True)])
def test_sizes_are_whole_numbers(untyped, rng, sizes):
    with pytest.raises(ValueError, match="whole number of at least 1"):
        random_pairs(rng, *sizes, 0.3, 0.2)


@pytest.mark.parametrize("picked", [2, slice(1, 3), np.array([True, False, True, False]), [3, 0]])
def test_only_picks_agents_of_a_batch(rng, picked):
    first, _ = random_pairs(rng, 4, 5, 2, 0.3, 0.2)
    some, w = only(first, picked), rng.standard_normal(2)
    assert close(some(w), first(w)[picked]) and some.eta == first.eta


@pytest.mark.parametrize("batch", [(), (3,)])
def test_the_largest_eigenvalue_is_as_told(lib, rng, batch):
    largest = rng.uniform(0.1, 3, batch)
    stepped = with_largest(agent(rng, 3, lib, batch=batch), lib(largest))
    assert close(np.linalg.eigvalsh(np.asarray(stepped.step))[..., -1], largest)


def test_an_agent_whose_largest_eigenvalue_is_2_just_does_not_settle(rng):
    still = with_largest(agent(rng, 3), 2.0)
    assert still.spectral_radius() == pytest.approx(1)


@pytest.mark.parametrize("count", [1, 4])
def test_a_ring_contracts(rng, count):
    ring = random_ring(rng, count, 6, 5, 3)
    assert len(ring) == count and all(one.theta.shape == (6, 3) for one in ring)
    turn = ring[0]
    for one in ring[1:]:
        turn = one @ turn
    assert (spectral_radius(turn.M) < 1).all()
    tops = np.array([np.linalg.eigvalsh(one.step)[..., -1] for one in ring])
    assert (tops >= 0.2 - 1e-9).all() and (tops <= 1 + 1e-9).all()
