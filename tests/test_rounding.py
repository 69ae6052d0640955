"""An agent that rounds: on its grid, and stalled where the dead zone says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, close, dimensions, isotropic, seeds

from a2a import take_turns
from a2a.rounding import RoundingAgent, dead_zone, error_of_noise


@given(seed=seeds, d=dimensions, grid=st.sampled_from([0.01, 0.5, 3.0]))
def test_answers_lie_on_the_grid_next_to_the_exact_ones(lib, seed, d, grid):
    rng = np.random.default_rng(seed)
    exact, w = agent(rng, d, lib), rng.standard_normal((4, d))
    answer = np.asarray(RoundingAgent(exact, grid)(lib(w)))
    assert close(np.round(answer / grid) * grid, answer)
    assert (np.abs(answer - np.asarray(exact(lib(w)))) <= grid / 2 * (1 + 1e-9)).all()


def test_the_kind_of_array_stays(lib, rng):
    answer = RoundingAgent(agent(rng, 2, lib), 0.1)(lib(np.ones(2)))
    assert type(answer) is type(lib(np.ones(2)))


@given(seed=seeds, stride=st.floats(0.02, 0.5), grid=st.sampled_from([0.1, 1.0]))
def test_an_agent_that_starts_outside_the_dead_zone_stops_at_its_edge(seed, stride, grid):
    rng = np.random.default_rng(seed)
    theta, edge = rng.standard_normal(3), dead_zone(grid, stride)
    start = grid * np.round((theta + rng.choice([-1, 1], 3) * edge * rng.uniform(2, 6, 3)) / grid)
    rounding = RoundingAgent(isotropic(np.asarray, stride, theta), grid)
    end = take_turns([rounding], start, 500, history=False)[-1, 0]
    miss = np.abs(end - theta)
    assert np.array_equal(rounding(end), end)
    assert (miss <= edge + 1e-9).all() and (miss >= edge - grid - 1e-9).all()


@given(seed=seeds, stride=st.floats(0.02, 1.5))
def test_inside_the_dead_zone_nothing_moves(seed, stride):
    rng = np.random.default_rng(seed)
    theta, inside = rng.standard_normal(3), 0.99 * dead_zone(0.1, stride)
    w = 0.1 * np.round((theta + rng.uniform(-1, 1, 3) * inside) / 0.1)
    calm = np.abs(w - theta) < inside
    answer = RoundingAgent(isotropic(np.asarray, stride, theta), 0.1)(w)
    assert close(answer[calm], w[calm])


@pytest.mark.parametrize("stride", [0.1, 0.5, 1.0, 1.6])
def test_independent_noise_would_leave_what_is_said(rng, stride):
    error = np.zeros(20_000)
    for _ in range(200):
        error = (1 - stride) * error + rng.uniform(-0.5, 0.5, error.shape)
    assert error.std() == pytest.approx(error_of_noise(1.0, stride), rel=0.05)


def test_small_steps_round_away_more_than_noise_would_leave():
    strides = np.geomspace(1e-4, 0.1, 20)
    assert (dead_zone(0.1, strides) > error_of_noise(0.1, strides)).all()
    assert np.allclose(dead_zone(0.1, strides) / dead_zone(0.2, strides), 0.5)


@pytest.mark.parametrize("grid", [0.0, -1.0, np.nan])
def test_a_grid_is_positive(grid):
    with pytest.raises(ValueError, match="grid must be"):
        RoundingAgent(lambda w: w, grid)


def test_a_grid_finer_than_the_digits_rounds_nothing(lib):
    w = lib([0.1, -3.0, 0.0])
    assert RoundingAgent(lambda w: w, 1e-322)(w).tolist() == w.tolist()


@pytest.mark.parametrize("function", [dead_zone, error_of_noise])
def test_a_stride_too_small_to_divide_by_is_refused(function):
    with pytest.raises(ValueError, match=f"{function.__name__} must stay within the range of its numbers"):
        function(1e300, np.array([1e-320]))
