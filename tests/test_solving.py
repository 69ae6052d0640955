"""Solving with what a prompt sees, and saying where rounding hides how much that is."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from instances import batches, close, covariance, dimensions, seeds

from a2a import IllConditioned, random_covariance
from a2a.solving import solve_seen


def ill(rng, kappa, d=4, batch=(), dtype="float64"):
    return random_covariance(rng, np.geomspace(1.0, 1 / kappa, d), batch).astype(dtype)


@given(seed=seeds, d=dimensions, batch=batches)
def test_an_invertible_matrix_is_solved_with(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    S, v = covariance(rng, d, batch=batch), rng.standard_normal(d)
    wanted = np.linalg.solve(S, np.broadcast_to(v, (*batch, d))[..., None])[..., 0]
    assert close(solve_seen("S", lib(S), lib(v)), wanted)


@given(seed=seeds, d=st.integers(2, 5), batch=batches, size=st.sampled_from([1e-300, 1e-9, 1.0, 1e300]))
def test_missing_directions_get_nothing(lib, seed, d, batch, size):
    rng = np.random.default_rng(seed)
    S, v = covariance(rng, d, n=d - 1, batch=batch), rng.standard_normal(d)
    found = np.asarray(solve_seen("S", lib(S * size), lib(v * size)))
    assert close(found, np.linalg.pinv(S, rtol=1e-12) @ v, 1e-9 * np.linalg.cond(S[..., :1, :1]).max())


def test_a_matrix_that_sees_nothing_gives_nothing(lib):
    assert solve_seen("S", lib(np.zeros((2, 2))), lib([1.0, 2.0])).tolist() == [0.0, 0.0]


def test_an_indefinite_matrix_is_solved_with(lib):
    assert close(solve_seen("S", lib(np.diag([1.0, -2.0, 0.0])), lib([1.0, 1.0, 1.0])), [1.0, -0.5, 0.0])


@pytest.mark.parametrize(
    ("dtype", "kappa", "error"), [("float64", 1e12, 1e-3), ("float64", 4e13, 1e-1), ("float32", 3e3, 1e-3)]
)
def test_up_to_the_border_there_is_an_answer_and_no_warning(lib, rng, dtype, kappa, error):
    S, e = ill(rng, kappa, batch=(100,), dtype=dtype), rng.standard_normal((100, 4)).astype(dtype)
    assert close(solve_seen("S", lib(S), lib((S @ e[..., None])[..., 0])), e, error)


@pytest.mark.parametrize(("dtype", "kappa"), [("float64", 1e14), ("float32", 3e5)])
def test_beyond_the_border_a_warning_names_the_condition_number(lib, rng, dtype, kappa):
    S = lib(np.diag([1.0, 1 / kappa]).astype(dtype))
    with pytest.warns(IllConditioned, match=rf"S has a condition number of {kappa:.0e}".replace("+", r"\+")):
        found = solve_seen("S", S, S[1])
    assert close(found, [0.0, 1.0])


def test_one_of_a_batch_is_enough_for_a_warning(lib):
    with pytest.warns(IllConditioned):
        solve_seen("S", lib([np.eye(2), np.diag([1.0, 1e-14])]), lib([1.0, 1.0]))


@given(seed=seeds, d=st.integers(2, 20), dtype=st.sampled_from(["float32", "float64"]), data=st.data())
def test_too_few_examples_are_missing_directions_and_no_ill_condition(lib, seed, d, dtype, data):
    rng = np.random.default_rng(seed)
    n = data.draw(st.integers(1, d - 1))
    X = rng.standard_normal((20, n, d)).astype(dtype)
    S = (0.3 * X.mT @ X / n).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if np.linalg.cond(X).max() > 30 else "error", IllConditioned)
        found = np.asarray(solve_seen("S", lib(S), lib(np.ones((20, d), dtype))))
    assert np.abs(found).max() <= 2 * (np.linalg.cond(X) ** 2 / np.linalg.norm(S, 2, (-2, -1)) * d**0.5).max()


def test_gradients_flow_where_eigenvalues_meet():
    S = torch.eye(2, dtype=torch.float64).requires_grad_()
    solve_seen("S", S, torch.ones(2, dtype=torch.float64)).sum().backward()
    assert torch.isfinite(S.grad).all()
