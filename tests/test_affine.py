import numpy as np
import pytest
import torch
from hypothesis import given
from instances import agent, batches, close, dimensions, seeds

from a2a import AffineMap, GradientAgent, spectral_radius


def some_map(rng, d, batch=(), lib=np.asarray):
    return AffineMap(lib(rng.standard_normal((*batch, d, d))), lib(rng.standard_normal((*batch, d))))


@given(seed=seeds, d=dimensions, batch=batches)
def test_composition_applies_the_right_map_first(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    f, g, w = some_map(rng, d, batch, lib), some_map(rng, d, lib=lib), lib(rng.standard_normal(d))
    assert close((g @ f)(w), g(f(w)))


@given(seed=seeds, d=dimensions, batch=batches)
def test_the_fixed_point_stays(lib, seed, d, batch):
    f = some_map(np.random.default_rng(seed), d, batch, lib)
    assert close(f(f.fixed_point()), f.fixed_point(), 1e-6)


@given(seed=seeds, d=dimensions, batch=batches)
def test_the_spectral_radius_is_the_largest_modulus_of_an_eigenvalue(lib, seed, d, batch):
    M = np.random.default_rng(seed).standard_normal((*batch, d, d))
    M = M + M.mT
    assert np.allclose(spectral_radius(lib(M)), np.linalg.norm(M, 2, axis=(-2, -1)))


def test_the_spectral_radius_of_one_matrix_is_a_float(lib):
    assert spectral_radius(lib([[0.0, 2.0], [-2.0, 0.0]])) == pytest.approx(2.0)


def test_a_map_calls_like_the_formula(lib):
    assert AffineMap(lib([[1.0, 2.0], [3.0, 4.0]]), lib([1.0, 1.0]))(lib([1.0, -1.0])).tolist() == [0.0, 0.0]


def test_lists_are_taken():
    assert AffineMap([[2]], [1])([3]).tolist() == [7.0]


def test_float32_stays_float32(lib):
    f = AffineMap(lib(np.eye(2, dtype="float32") / 2), lib(np.ones(2, "float32")))
    assert f(f.c).dtype == (f @ f).c.dtype == f.fixed_point().dtype == f.c.dtype


def test_gradients_flow_through_torch():
    M = (torch.eye(2, dtype=torch.float64) / 2).requires_grad_()
    AffineMap(M, torch.ones(2, dtype=torch.float64)).fixed_point().sum().backward()
    assert close(M.grad, np.full((2, 2), 4.0))


def test_no_unique_fixed_point(lib):
    with pytest.raises(ValueError, match="no unique fixed point: I - M is singular"):
        AffineMap(lib(np.diag([1.0, 0.5])), lib([0.0, 0.0])).fixed_point()


@pytest.mark.parametrize(
    ("M", "c", "message"),
    [
        (np.ones((2, 3)), np.ones(2), r"M must have shape \(\.\.\., d, d\)"),
        (np.ones((0, 0)), np.ones(0), r"M must have shape \(\.\.\., d, d\)"),
        (np.eye(2), np.ones(3), r"c must have shape \(\.\.\., 2\), got \(3,\)"),
        (np.eye(2), [np.nan, 0.0], "c must be finite"),
        (np.stack([np.eye(2)] * 2), np.ones((3, 2)), r"must broadcast, but M has \(2,\), c has \(3,\)"),
        (np.eye(2), torch.ones(2), "M is numpy, c is torch"),
    ],
)
def test_what_is_no_affine_map(M, c, message):
    with pytest.raises(ValueError, match=message):
        AffineMap(M, c)


@pytest.mark.parametrize(
    ("w", "message"),
    [
        (np.ones(3), r"w must have shape \(\.\.\., 2\), got \(3,\)"),
        (np.float64(1.0), r"w must have shape \(\.\.\., 2\), got \(\)"),
        ([np.inf, 0.0], "w must be finite"),
        (torch.ones(2), "w is torch, the agent is numpy"),
        (np.ones((4, 2)), r"w has \(4,\), the agent has \(3,\)"),
    ],
)
def test_what_a_map_can_not_be_called_on(w, message):
    with pytest.raises(ValueError, match=message):
        AffineMap(np.eye(2), np.ones((3, 2)))(w)


def test_maps_of_different_dimensions_do_not_compose():
    with pytest.raises(ValueError, match="outer has d = 1, inner has d = 2"):
        AffineMap([[1.0]], [0.0]) @ AffineMap(np.eye(2), np.zeros(2))


def test_maps_of_different_libraries_do_not_compose():
    with pytest.raises(ValueError, match="outer is numpy, inner is torch"):
        AffineMap([[1.0]], [0.0]) @ GradientAgent(torch.ones(1, 1), torch.ones(1), 0.1)


@pytest.mark.usefixtures("untyped")
def test_a_map_composes_with_maps_only():
    with pytest.raises(TypeError, match="unsupported operand"):
        AffineMap([[1.0]], [0.0]) @ None


@given(seed=seeds, d=dimensions, batch=batches)
def test_shrinkage_is_1_minus_the_norm_and_keeps_the_digits_of_a_small_step(lib, seed, d, batch):
    one = agent(np.random.default_rng(seed), d, lib, batch=batch)
    norm = np.linalg.norm(np.asarray(one.M), 2, axis=(-2, -1))
    assert close(one.shrinkage(), 1 - norm) and close(AffineMap(one.M, one.c).shrinkage(), 1 - norm)
    slow = GradientAgent(one.S, one.theta, one.eta * 1e-14)
    least = np.linalg.eigvalsh(np.asarray(one.step))[..., 0]
    assert np.allclose(np.asarray(slow.shrinkage()) / 1e-14, least, rtol=1e-9, atol=1e-12)


def test_a_composition_of_symmetric_maps_is_not_symmetric(rng):
    one = agent(rng, 3)
    assert one.symmetric and not (one @ one).symmetric and not AffineMap(one.M, one.c).symmetric


def test_eigenvalues_out_of_range_are_refused(lib):
    with pytest.raises(ValueError, match="spectral_radius must stay within the range of its numbers"):
        spectral_radius(lib(1.7e308 * np.ones((2, 2))))
