"""A pair of prompts whose objectives lie apart, and conversations about them with real agents."""

import numpy as np
import pytest

from a2a import UnstableInteraction, equilibrium
from a2a.chat.experiment import Asking, Experiment
from a2a.chat.lineup import line_up
from a2a.chat.pairs import Pair

GAPS = [0.5, 2.0]


@pytest.fixture(scope="module")
def pair():
    return Pair.draw(np.random.default_rng(0), GAPS, 3, 12, 3, 0.5, 4)


@pytest.fixture(scope="module")
def talk(base_url, pair):
    experiment = Experiment(line_up(3, model="gradient", base_url=base_url), Asking(0.5))
    first = experiment.agent("gradient", pair.prompt_first, 1)
    second = experiment.agent("gradient", pair.prompt_second, 2)
    return pair.converse(first, second, 12)


def test_the_objectives_are_as_far_apart_as_the_gaps(pair):
    apart = pair.prompt_second.theta[:, 0] - pair.prompt_first.theta
    assert np.allclose(np.linalg.norm(apart, axis=1), GAPS)
    assert np.allclose(apart[0] / GAPS[0], apart[1] / GAPS[1]), "in one direction"
    assert pair.prompt_second.y.shape == (2, 1, 12) and pair.d == 3


def test_every_gap_has_its_own_starts(pair):
    assert pair.w0.shape == (2, 3, 3) and (pair.w0 == np.round(pair.w0, 4)).all()
    assert len(np.unique(pair.w0[..., 0])) == 6


def test_of_random_inputs_those_are_used_that_settle_fastest():
    rates = []
    for seed in range(8):
        pair = Pair.draw(np.random.default_rng(seed), [1.0], 1, 6, 2, 0.5, 6)
        rates.append(pair.theory.rate)
        inputs = np.random.default_rng(seed).standard_normal((2, 30, 6, 2))  # as random as any
        P, Q = np.eye(2) - 0.5 * np.swapaxes(inputs, -1, -2) @ inputs / 6
        usual = np.abs(np.linalg.eigvals(P @ Q)).max(axis=-1)
        assert pair.theory.rate < np.median(usual)
    assert max(rates) < 0.5


def test_the_theory_is_of_the_numbers_as_stated(pair):
    X = np.round(pair.prompt_first.X, 4)
    assert np.allclose(pair.first.S, X.T @ X / 12, atol=1e-14)
    coarse = Pair(pair.prompt_first, pair.prompt_second, pair.gap, pair.w0, 0.5, 1)
    X = np.round(pair.prompt_first.X, 1)
    assert np.allclose(coarse.first.S, X.T @ X / 12, atol=1e-14)


def test_plateaus_are_distances_from_objectives_to_fixed_points(pair):
    for gap in range(2):
        for agent in range(2):
            distance = pair.expected[agent, gap] - pair.objectives[agent, gap]
            assert pair.plateau[agent, gap] == pytest.approx(np.linalg.norm(distance))
    settled = equilibrium(pair.first, pair.second)
    assert np.allclose(pair.expected[0], settled.first[:, 0])
    assert np.allclose(pair.objectives[1], pair.second.theta[:, 0])
    assert np.allclose(pair.plateau[:, 1] / pair.plateau[:, 0], 4, atol=1e-3), "they grow in proportion to the gap"


def test_a_step_too_large_has_no_equilibrium():
    pair = Pair.draw(np.random.default_rng(0), [1.0], 1, 12, 3, 0.5, 4)
    wild = Pair(pair.prompt_first, pair.prompt_second, pair.gap, pair.w0, 5.0, 4)
    with pytest.raises(UnstableInteraction):
        _ = wild.theory


def test_exact_agents_end_at_the_equilibrium(pair):
    exact = pair.exact(60)
    assert exact.turns == 60 and exact.exchanges == ()
    assert np.allclose(exact.run.first[-1], pair.theory.first, atol=1e-12)
    assert np.allclose(exact.settled.mean(axis=2), pair.expected, atol=1e-9)


def test_a_conversation_of_real_agents_follows_the_exact_one(talk, pair):
    exact = pair.exact(12)
    assert talk.run.first.shape == (12, 2, 3, 3)
    assert np.abs(talk.run.first - exact.run.first).max() < 5e-4
    assert np.abs(talk.run.second - exact.run.second).max() < 5e-4


def test_the_last_quarter_of_all_starts_together(talk):
    assert talk.settled.shape == (2, 2, 9, 3)
    for agent, run in enumerate((talk.run.first, talk.run.second)):
        for gap in range(2):
            said = {tuple(w) for w in run[-3:, gap].reshape(-1, 3)}
            assert {tuple(w) for w in talk.settled[agent, gap]} == said


@pytest.mark.parametrize("agent", [0, 1])
def test_the_first_half_is_what_each_read_and_wrote_there(talk, agent):
    read, written = talk.first_half(agent)
    assert read.shape == written.shape == (2, 18, 3)
    run = (talk.run.first, talk.run.second)[agent]
    for gap in range(2):
        said = {tuple(w) for w in run[:6, gap].reshape(-1, 3)}
        assert {tuple(w) for w in written[gap]} == said
    before = talk.run.second if agent == 0 else talk.run.first
    heard = {tuple(w) for w in before[:6, 1].reshape(-1, 3)} | {tuple(w) for w in talk.pair.w0[1]}
    assert {tuple(w) for w in read[1]} <= heard


def test_the_difference_between_starts_shrinks(talk, pair):
    path = talk.difference
    assert path.shape == (13,)
    centred = pair.w0 - pair.w0.mean(axis=1, keepdims=True)
    assert path[0] == pytest.approx(np.sqrt(np.mean(centred**2)))
    assert (np.diff(path[:5]) < 0).all() and path[-1] < 1e-3 * path[0]


def test_equal_seeds_draw_equal_pairs():
    def drawn(seed):
        return Pair.draw(np.random.default_rng(seed), GAPS, 2, 5, 2, 0.5, 4)

    assert (drawn(1).w0 == drawn(1).w0).all() and (drawn(1).prompt_second.y == drawn(1).prompt_second.y).all()
    assert (drawn(1).w0 != drawn(2).w0).any()


@pytest.mark.parametrize(("instances", "n", "d"), [(1, 1, 1), (2, 3, 5), (4, 20, 2)])
def test_every_size(instances, n, d):
    pair = Pair.draw(np.random.default_rng(0), GAPS, instances, n, d, 0.1, 4)
    assert pair.w0.shape == (2, instances, d) and pair.prompt_first.n == n
    assert pair.exact(4).settled.shape == (2, 2, instances, d)
