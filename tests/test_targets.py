"""Targets of a helper that learns: from one exchange, or from all so far."""

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
    OneExchange,
    alternate,
    objective_from_exchange,
    probe,
    probe_attack,
    random_covariance,
)


@given(seed=seeds, d=dimensions, batch=batches)
def test_anderson_is_done_within_d_plus_1_turns(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    main = fast_agent(rng, d, lib, batch=batch)
    w0 = lib(rng.standard_normal(d))
    helper = Helper(fast_agent(rng, d, lib), Anderson(w0))
    run = alternate(main, helper, w0, d + 1)
    assert close(run.second[-1], np.broadcast_to(main.theta, (*batch, d)), 1e-6)


@given(seed=seeds, d=dimensions)
def test_anderson_is_done_on_maps_with_a_positive_definite_step(lib, seed, d):
    rng = np.random.default_rng(seed)
    skew = rng.standard_normal((d, d))
    K = random_covariance(rng, rng.uniform(0.5, 2.0, d)) + skew - skew.T  # far from symmetric, and far from stable
    main, w0 = AffineMap(lib(np.eye(d) - K), lib(rng.standard_normal(d))), lib(rng.standard_normal(d))
    assert close(alternate(main, Anderson(w0), w0, d + 1).second[-1], main.fixed_point(), 1e-6)


def test_anderson_may_stagnate_on_other_maps(lib):
    main, w0 = AffineMap(lib([[1.0, -1.0], [-1.0, 1.0]]), lib([1.0, 0.0])), lib([0.0, 0.0])
    run = alternate(main, Anderson(w0), w0, 40)
    assert close(main.fixed_point(), [0.0, 1.0]) and close(run.second, np.tile([1.0, 0.0], (40, 1)))


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


@given(seed=seeds, d=dimensions, batch=batches)
def test_one_exchange_gives_the_objective_away(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    main, w = agent(rng, d, lib, batch=batch), lib(rng.standard_normal(d))
    found = objective_from_exchange(main.S, main.eta, w, main(w))
    assert close(found, np.broadcast_to(main.theta, (*batch, d)), 1e-6)


@given(seed=seeds, d=st.integers(2, 5))
def test_what_the_prompt_does_not_see_stays_open(lib, seed, d):
    rng = np.random.default_rng(seed)
    main, w = agent(rng, d, lib, n=d - 1), rng.standard_normal(d)
    found = np.asarray(objective_from_exchange(main.S, main.eta, lib(w), main(lib(w))))
    unseen = np.linalg.eigh(np.asarray(main.S))[1][:, 0]
    assert close(found @ unseen, w @ unseen, 1e-6)
    assert close(np.asarray(main.S) @ found, np.asarray(main.S) @ np.asarray(main.theta), 1e-6)


@pytest.mark.parametrize("kappa", [1e4, 1e12])
def test_a_helper_that_knows_the_geometry_needs_one_exchange(lib, rng, kappa):
    S = random_covariance(rng, np.geomspace(1.0, 1 / kappa, 4), (50,))
    main, partner = GradientAgent(lib(S), lib(rng.standard_normal((50, 4))), 0.7), fast_agent(rng, 4, lib)
    w0 = lib(rng.standard_normal(4))
    run = alternate(main, Helper(partner, OneExchange(main.S, main.eta, w0)), w0, 5)
    for written in (*run.second, *run.first[1:]):
        assert close(written, main.theta, 1e-15 * kappa)


def test_a_helper_that_can_not_land_is_told_the_right_place_in_every_turn(lib, rng):
    main, w0 = fast_agent(rng, 3, lib), lib(rng.standard_normal(3))
    target = OneExchange(main.S, main.eta, w0)
    alternate(main, Helper(agent(rng, 3, lib, n=1), target), w0, 4)
    assert close(target(w0), main.theta)


@pytest.mark.parametrize(
    ("S", "eta", "w_in", "w_out", "message"),
    [
        (np.triu(np.ones((2, 2))), 0.5, np.ones(2), np.ones(2), "S must be symmetric"),
        (np.eye(2), -0.5, np.ones(2), np.ones(2), "eta must be a positive step size"),
        (np.eye(2), 0.5, np.ones(3), np.ones(3), r"must have shape \(\.\.\., 2\), got \(3,\)"),
        (np.eye(2), 0.5, np.ones(2), [np.nan, 1.0], "w_out must be finite"),
        (np.eye(2), 0.5, np.ones(2), torch.ones(2, dtype=torch.float64), "w_out is torch"),
        (np.eye(2), 0.5, np.ones((3, 2)), np.ones((4, 2)), "broadcast"),
    ],
)
def test_what_is_no_exchange(S, eta, w_in, w_out, message):
    with pytest.raises(ValueError, match=message):
        objective_from_exchange(S, eta, w_in, w_out)


def test_the_start_of_an_exchange_must_fit():
    with pytest.raises(ValueError, match=r"must have shape \(\.\.\., 2\), got \(3,\)"):
        OneExchange(np.eye(2), 0.5, np.ones(3))


def in_place(w):
    w *= 0.5
    return w


@given(seed=seeds, batch=batches)
def test_agents_and_targets_that_write_in_place_change_nothing_outside(lib, seed, batch):
    rng = np.random.default_rng(seed)
    start = rng.standard_normal((*batch, 2))
    w0 = lib(start.copy())
    anderson, exchange = Anderson(w0), OneExchange(lib(np.eye(2)), 0.5, w0)
    assert close(probe(in_place, w0).M, np.broadcast_to(np.eye(2) / 2, (*batch, 2, 2)))
    assert close(probe_attack(in_place, w0, 1.0).S, probe_attack(lambda w: w / 2, w0, 1.0).S)
    assert close(Helper(GradientAgent(lib(np.eye(2)), lib(np.ones(2)), 0.1), in_place)(w0), start / 2)
    for target in (anderson, exchange):
        in_place(target(w0 / 2))
    in_place(w0)
    assert close(anderson.read, [start, start / 2]) and close(exchange.w0, start) and close(exchange(w0), 0 * start)
