"""Where inexact pairs settle, against the conversations themselves."""

import numpy as np
import pytest
from layers import nearly

from a2a import AffineMap, GradientAgent, alternate, equilibrium, sample_prompt
from a2a.lsa.reach import identity_left, inverse_of_turn, probed_fixed_point, settle, shift, turns_to_rest
from a2a.lsa.trained import Reader

D, N, ETA, PAIRS = 3, 20, 0.3, 40
TYPICAL = (2 * D) ** 0.5


def pairs(rng, off):
    """Exact pairs, and pairs of layers that are a little off."""
    prompts = [sample_prompt(rng, N, D, rng.standard_normal((PAIRS, D))) for _ in range(2)]
    exact = tuple(GradientAgent.from_prompt(prompt, ETA) for prompt in prompts)
    return exact, tuple(Reader(nearly(rng, D, ETA, off), prompt) for prompt in prompts)


def size(v):
    return np.linalg.norm(v, axis=-1)


@pytest.mark.parametrize("off", [1e-4, 1e-3, 1e-2])
def test_pairs_in_reach_settle_within_their_bounds(rng, off):
    exact, trained = pairs(rng, off)
    w0 = rng.standard_normal((PAIRS, D))
    found = settle(exact, trained, w0, TYPICAL)
    in_reach = found.in_reach
    assert in_reach.mean() > 0.5
    slack = 2e-6 * TYPICAL
    assert (size(found.first - found.theory.first) <= found.balls.gap_first + slack)[in_reach].all()
    assert (size(found.second - found.theory.second) <= found.balls.gap_second + slack)[in_reach].all()
    assert (size(found.first - found.foreseen) <= found.balls.remainder + slack)[in_reach].all()


def test_starts_in_the_largest_ball_lead_to_its_fixed_point(rng):
    exact, trained = pairs(rng, 1e-3)
    found = settle(exact, trained, rng.standard_normal((PAIRS, D)), TYPICAL)
    h = rng.standard_normal((PAIRS, D))
    edge = found.theory.second + 0.99 * found.balls.largest[:, None] * h / size(h)[:, None]
    ends = alternate(*trained, edge, 2 * turns_to_rest(exact), history=False)
    assert found.balls.largest.min() > 0 and size(ends.first[0] - found.first).max() < 1e-5


def test_one_call_foretells_to_second_order(rng):
    seed = rng.integers(2**31)
    left, gaps = [], []
    for off in (1e-4, 1e-3):
        draws = np.random.default_rng(seed)
        exact, trained = pairs(draws, off)
        found = settle(exact, trained, draws.standard_normal((PAIRS, D)), TYPICAL)
        left.append(np.median(size(found.first - found.foreseen)))
        gaps.append(np.median(size(found.first - found.theory.first)))
    assert np.log10(gaps[1] / gaps[0]) == pytest.approx(1, abs=0.1)
    assert np.log10(left[1] / left[0]) == pytest.approx(2, abs=0.3)


def test_the_identity_leaves_nothing_where_pairs_rest(rng):
    exact, trained = pairs(rng, 1e-2)
    found = settle(exact, trained, rng.standard_normal((PAIRS, D)), TYPICAL)
    left, may_be = identity_left(exact, trained, found)
    assert (left <= may_be + 1e-9).all() and np.median(left) < 1e-5 < np.median(size(found.first - found.theory.first))


def test_a_wrong_sign_in_the_identity_would_be_noticed(rng):
    exact, trained = pairs(rng, 1e-2)
    found = settle(exact, trained, rng.standard_normal((PAIRS, D)), TYPICAL)
    misses = trained[0](found.second) - exact[0](found.second), trained[1](found.first) - exact[1](found.first)
    off = size(found.theory.first + shift(exact, misses[0], -misses[1]) - found.first)
    assert np.median(off) > 10 * np.median(identity_left(exact, trained, found)[0])


def test_probed_maps_come_nearer_than_the_exact_pair(rng):
    exact, trained = pairs(rng, 1e-3)
    found = settle(exact, trained, rng.standard_normal((PAIRS, D)), TYPICAL)
    by_probe = size(probed_fixed_point(trained, found.theory) - found.first)
    assert np.median(by_probe) < 0.05 * np.median(size(found.theory.first - found.first))


def test_constructed_layers_settle_where_the_theory_says(rng):
    exact, trained = pairs(rng, 0.0)
    found = settle(exact, trained, rng.standard_normal((PAIRS, D)), TYPICAL)
    assert found.in_reach.all() and size(found.first - found.theory.first).max() < 1e-5
    assert found.balls.remainder.max() < 1e-9


def test_a_pair_that_runs_away_has_no_ball(rng):
    prompts = [sample_prompt(rng, N, D, rng.standard_normal((4, D))) for _ in range(2)]
    exact = tuple(GradientAgent.from_prompt(prompt, 4.0) for prompt in prompts)
    trained = tuple(Reader(nearly(rng, D, 4.0, 1e-3), prompt) for prompt in prompts)
    found = settle(exact, trained, rng.standard_normal((4, D)), TYPICAL)
    assert not found.in_reach.any() and not found.balls.largest.any()
    assert np.isinf(found.balls.gap_first).all() and np.isinf(found.balls.remainder).all()


def test_the_shift_is_that_of_the_exact_fixed_point(rng):
    first, second = (AffineMap(0.3 * rng.standard_normal((D, D)), rng.standard_normal(D)) for _ in range(2))
    off = rng.standard_normal((2, D))
    moved = equilibrium(AffineMap(first.M, first.c + off[0]), AffineMap(second.M, second.c + off[1]))
    here = equilibrium(first, second)
    assert np.allclose(here.first + shift((first, second), *off), moved.first)
    assert np.allclose(inverse_of_turn((first, second)) @ (np.eye(D) - first.M @ second.M), np.eye(D))


@pytest.mark.parametrize(("size", "turns"), [(0.0, 20), (0.5**0.5, 20), (0.9**0.5, 132), (1.5, 702)])
def test_turns_are_between_20_and_702(size, turns):
    one = AffineMap(size * np.eye(2), np.zeros(2))
    assert turns_to_rest((one, one)) == turns
