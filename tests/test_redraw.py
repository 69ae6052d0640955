"""An agent that redraws its prompt: its answers, and the moments that they lead to, against sums over all prompts."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, batches, close, dimensions, seeds

from a2a import alternate, sample_pair
from a2a.redraw import RedrawingAgent, redraw_factor, redrawn_mean_squares

NODES = np.sqrt(3) * np.array([-1.0, 0.0, 1.0])
WEIGHTS = np.array([1, 4, 1]) / 6
"""Of a quadrature that is exact for polynomials of a standard normal number up to degree 5."""


def all_prompts(n, d):
    """Prompts (prompts, n, d) and weights (prompts,) that stand for standard normal ones, up to the fourth moment."""
    choices = list(itertools.product(range(3), repeat=n * d))
    X = np.array([NODES[list(one)] for one in choices]).reshape(-1, n, d)
    return X, np.array([WEIGHTS[list(one)].prod() for one in choices])


def geometries(n, d):
    X, weights = all_prompts(n, d)
    return X.mT @ X / n, weights


def second_turn(first, gap, error, eta, S, weights):
    """Mean squares of both errors in the first turn and of the first agent's in the second, over all prompts."""
    u = gap - error
    pulled = eta * np.einsum("kij,j->ki", S, u)
    second = -(u - pulled)
    after = (error + pulled) @ first.M.T
    return weights @ (second**2).sum(-1), weights @ (after**2).sum(-1)


@pytest.mark.parametrize(("n", "d"), [(1, 1), (2, 1), (1, 2), (2, 2), (4, 2), (2, 3)])
def test_the_moments_are_those_over_all_prompts(n, d, rng):
    S, weights = geometries(n, d)
    first, eta = agent(rng, d), 0.7
    gap, error = rng.standard_normal((2, d))
    squares = redrawn_mean_squares(first, gap, error, eta, n, 2)
    of_second, later = second_turn(first, gap, error, eta, S, weights)
    assert squares[0, 0] == pytest.approx(error @ error)
    assert squares[1, 0] == pytest.approx(of_second)
    assert squares[0, 1] == pytest.approx(later)


def test_a_third_turn_follows_from_the_second(rng):
    n, d, eta = 1, 2, 0.4
    S, weights = geometries(n, d)
    first, gap, error = agent(rng, d), *rng.standard_normal((2, d))
    after = (error + eta * np.einsum("kij,j->ki", S, gap - error)) @ first.M.T
    third = sum(w * second_turn(first, gap, e, eta, S, weights)[1] for w, e in zip(weights, after, strict=True))
    assert redrawn_mean_squares(first, gap, error, eta, n, 3)[0, 2] == pytest.approx(third)


@pytest.mark.parametrize(("n", "d", "eta"), [(1, 1, 0.5), (2, 2, 0.9), (4, 2, 1.7)])
def test_the_factor_is_the_mean_square_over_all_prompts(n, d, eta):
    S, weights = geometries(n, d)
    M = np.eye(d) - eta * S
    assert np.einsum("k,kij->ij", weights, M @ M) == pytest.approx(redraw_factor(n, d, eta) * np.eye(d))


def test_many_examples_make_a_redrawing_agent_steady():
    assert redraw_factor(10**9, 3, 1.0) == pytest.approx(0, abs=1e-8)


@given(seed=seeds, d=dimensions, batch=batches)
def test_batches_and_libraries_agree_with_one_pair_at_a_time(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    first = agent(rng, d, lib, batch=batch)
    gap, error = rng.standard_normal((2, *batch, d))
    squares = redrawn_mean_squares(first, lib(gap), lib(error), 0.5, 6, 3)
    assert tuple(squares.shape) == (2, 3, *batch)
    for index in np.ndindex(batch):
        alone = type(first)(first.S[index], first.theta, first.eta if not batch else first.eta[index])
        one = redrawn_mean_squares(alone, lib(gap[index]), lib(error[index]), 0.5, 6, 3)
        assert close(np.asarray(squares)[(..., *index)], np.asarray(one))


@pytest.mark.parametrize("n", [1, 5])
def test_a_redrawing_agent_reads_new_examples_for_every_vector(rng, n):
    redrawing = RedrawingAgent(np.zeros(2), 0.1, n, rng)
    answers = redrawing(np.ones((50, 2)))
    assert answers.shape == (50, 2) and len(np.unique(answers, axis=0)) == 50
    assert not np.array_equal(answers, redrawing(np.ones((50, 2))))


@given(seed=seeds, n=st.integers(1, 6), d=dimensions)
def test_its_objective_is_a_fixed_point(lib, seed, n, d):
    rng = np.random.default_rng(seed)
    theta = rng.standard_normal((3, d))
    answer = RedrawingAgent(lib(theta), 0.5, n, rng)(lib(theta))
    assert type(answer) is type(lib(theta)) and close(answer, theta, 0)


def test_its_mean_answer_is_a_step_of_the_population(rng):
    theta, w = np.array([1.0, -2.0]), np.array([0.5, 0.5])
    answers = RedrawingAgent(theta, 0.3, 10, rng)(np.broadcast_to(w, (40_000, 2)))
    assert answers.mean(axis=0) == pytest.approx(w + 0.3 * (theta - w), abs=0.02)


def test_a_measured_conversation_follows_the_recursion(rng):
    n, d, eta = 12, 3, 0.6
    first, second = sample_pair(rng, n, d, 0.3, eta)
    gap, start = second.theta - first.theta, np.zeros((4000, d))
    run = alternate(first, RedrawingAgent(second.theta, eta, n, rng), start, 15)
    measured = [(np.square(w - x.theta)).sum(-1).mean(-1) for w, x in ((run.first, first), (run.second, second))]
    predicted = redrawn_mean_squares(first, gap, run.first[0, 0] - first.theta, eta, n, 15)
    assert np.allclose(measured, predicted, rtol=0.1)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"eta": 0.0}, "eta must be one positive number"),
        ({"n": 0}, "n must be a whole number"),
        ({"rng": 3}, "numpy.random.Generator"),
        ({"theta": [np.nan, 1.0]}, "theta must be finite"),
    ],
)
def test_what_is_refused(untyped, rng, changed, said):
    with pytest.raises(ValueError, match=said):
        RedrawingAgent(**({"theta": np.zeros(2), "eta": 0.5, "n": 3, "rng": rng} | changed))


def test_an_answer_needs_the_right_dimension(rng):
    with pytest.raises(ValueError, match="w must have shape"):
        RedrawingAgent(np.zeros(2), 0.5, 3, rng)(np.zeros(3))


def test_what_runs_out_of_range_is_refused(rng):
    first = agent(rng, 2)
    with pytest.raises(ValueError, match="within the range"):
        redrawn_mean_squares(first, np.ones(2), np.ones(2), 1e30, 1, 12)


def test_a_step_whose_square_is_out_of_range_is_refused(rng):
    for function, named in (
        (lambda: redraw_factor(9, 2, 5e154), "redraw_factor"),
        (lambda: redrawn_mean_squares(agent(rng, 2), np.ones(2), np.ones(2), 5e154, 9, 2), "redraw"),
    ):
        with pytest.raises(ValueError, match=f"{named}.* must stay within the range of its numbers"):
            function()
