import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from instances import batches, close, dimensions, seeds

from a2a import Prompt, random_covariance, sample_prompt
from a2a.prompts import label_noise_error


@given(seed=seeds, n=st.integers(1, 8), d=dimensions, batch=batches)
def test_geometry_is_the_mean_outer_product(lib, seed, n, d, batch):
    X = np.random.default_rng(seed).standard_normal((*batch, n, d))
    expected = np.mean(X[..., :, None] * X[..., None, :], axis=-3)
    assert close(Prompt(lib(X), lib(np.zeros(n))).S, expected)


@given(seed=seeds, n=st.integers(1, 8), d=dimensions)
def test_objective_is_the_least_squares_solution(lib, seed, n, d):
    rng = np.random.default_rng(seed)
    X, y = rng.standard_normal((n, d)), rng.standard_normal(n)
    assert close(Prompt(lib(X), lib(y)).theta, np.linalg.lstsq(X, y)[0], 1e-6)


@given(seed=seeds, d=dimensions, batch=batches)
def test_objective_is_recovered_from_clean_labels(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    theta = lib(rng.standard_normal((*batch, d)))
    assert close(sample_prompt(rng, 3 * d + 2, d, theta).theta, theta, 1e-6)


def test_random_covariance_has_its_spectrum(rng):
    values = np.linalg.eigvalsh(random_covariance(rng, [0.0, 0.5, 2.0], batch=(7,)))
    assert close(values, np.broadcast_to([0.0, 0.5, 2.0], (7, 3)))


def test_random_directions_are_uniform(rng):
    mean = random_covariance(rng, [1.0, 2.0, 3.0], batch=(20_000,)).mean(axis=0)
    assert np.abs(mean - 2 * np.eye(3)).max() < 0.03  # five standard errors


def test_sampled_inputs_have_the_population_covariance(rng, lib):
    population = np.array([[2.0, 0.5], [0.5, 1.0]])
    prompt = sample_prompt(rng, 200_000, 2, lib([1.0, -1.0]), covariance=lib(population))
    assert np.abs(np.asarray(prompt.S) - population).max() < 0.04


def test_label_noise_has_its_standard_deviation(rng, lib):
    prompt = sample_prompt(rng, 100_000, 2, lib([1.0, -1.0]), noise=0.5)
    residual = np.asarray(prompt.y) - np.asarray(prompt.X) @ [1.0, -1.0]
    assert residual.std() == pytest.approx(0.5, rel=0.02)


def test_a_batch_of_objectives_gets_a_prompt_each(rng, lib):
    prompt = sample_prompt(rng, 4, 2, lib(np.ones((5, 2))), covariance=lib(np.stack([np.eye(2)] * 5)))
    assert tuple(prompt.X.shape) == (5, 4, 2) and tuple(prompt.y.shape) == (5, 4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_prompt_keeps_library_and_dtype(rng, lib, dtype):
    theta = lib(np.ones(2, dtype))
    prompt = sample_prompt(rng, 4, 2, theta, noise=0.1)
    parts = (prompt.X, prompt.y, prompt.S, prompt.theta)
    assert {(type(part), part.dtype) for part in parts} == {(type(theta), theta.dtype)}


def test_the_same_seed_gives_the_same_prompt():
    one, two = (sample_prompt(np.random.default_rng(3), 4, 2, [1.0, 2.0], noise=0.1) for _ in range(2))
    assert (one.X == two.X).all() and (one.y == two.y).all()


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.ones((0, 2)), np.ones(0), r"X must have shape \(\.\.\., n, d\) with no dimension of 0, got \(0, 2\)"),
        (np.ones((2, 0)), np.ones(2), r"X must have shape .*, got \(2, 0\)"),
        (np.ones(2), np.ones(2), r"X must have shape .*, got \(2,\)"),
        (np.ones((3, 2)), np.ones(2), r"y must have shape \(\.\.\., 3\), got \(2,\)"),
        (np.ones((3, 2)), np.ones((3, 1)), r"y must have shape \(\.\.\., 3\), got \(3, 1\)"),
        (np.full((3, 2), np.nan), np.ones(3), "X must be finite"),
        (np.ones((3, 2)), [1.0, np.inf, 0.0], "y must be finite"),
        (np.ones((3, 2)), torch.ones(3), "X is numpy, y is torch"),
        (np.ones((4, 3, 2)), np.ones((5, 3)), r"X has \(4,\), y has \(5,\)"),
    ],
)
def test_what_is_no_prompt(X, y, message):
    with pytest.raises(ValueError, match=message):
        Prompt(X, y)


@pytest.mark.parametrize(
    ("X", "theta", "message"),
    [
        (np.ones((3, 0)), np.ones(0), r"X must have shape .*, got \(3, 0\)"),
        (np.ones(2), np.ones(2), r"X must have shape .*, got \(2,\)"),
        (np.ones((3, 2)), np.ones(3), r"theta must have shape \(\.\.\., 2\), got \(3,\)"),
        (torch.ones(3, 2), np.ones(2), "X is torch, theta is numpy"),
        (np.ones((4, 3, 2)), np.ones((5, 2)), r"X has \(4,\), theta has \(5,\)"),
    ],
)
def test_what_gives_no_prompt_from_an_objective(X, theta, message):
    with pytest.raises(ValueError, match=message):
        Prompt.from_objective(X, theta)


@pytest.mark.parametrize("noise", [-0.1, np.nan, np.inf])
def test_noise_is_a_finite_standard_deviation(noise):
    with pytest.raises(ValueError, match="noise must be"):
        Prompt.from_objective(np.eye(2), np.ones(2), noise)


def test_noise_needs_a_generator():
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator, got None"):
        Prompt.from_objective(np.eye(2), np.ones(2), 0.1)


@pytest.mark.parametrize(
    ("n", "d", "theta", "options", "message"),
    [
        (0, 2, np.ones(2), {}, "n must be a whole number of at least 1, got 0"),
        (3, 0, np.ones(2), {}, "d must be a whole number of at least 1, got 0"),
        (3, 2, np.ones(3), {}, r"theta must have shape \(\.\.\., 2\), got \(3,\)"),
        (3, 2, np.ones(2), {"noise": -1.0}, "noise must be a standard deviation >= 0"),
        (3, 2, np.ones(2), {"covariance": np.diag([1.0, -1.0])}, "covariance must be positive semi-definite"),
        (3, 2, np.ones(2), {"covariance": np.triu(np.ones((2, 2)))}, "covariance must be symmetric"),
        (3, 2, np.ones(2), {"covariance": np.eye(3)}, r"covariance must have shape \(\.\.\., 2, 2\)"),
        (3, 2, np.ones(2), {"covariance": torch.eye(2)}, "theta is numpy, covariance is torch"),
    ],
)
def test_what_can_not_be_sampled(rng, n, d, theta, options, message):
    with pytest.raises(ValueError, match=message):
        sample_prompt(rng, n, d, theta, **options)


@pytest.mark.usefixtures("untyped")
def test_sampling_needs_a_generator():
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator, got 7"):
        sample_prompt(7, 3, 2, np.ones(2))


def test_a_spectrum_is_not_negative(rng):
    with pytest.raises(ValueError, match=r"spectrum must hold eigenvalues >= 0, got a smallest one of -0\.5"):
        random_covariance(rng, [1.0, -0.5])


def test_repeated_examples_have_the_same_geometry(lib, rng):
    prompt = Prompt(lib(rng.standard_normal((2, 4, 3))), lib(rng.standard_normal(4)))
    twice = prompt.repeated(2)
    assert twice.n == 8 and close(twice.S, prompt.S) and close(twice.theta, prompt.theta)


@pytest.mark.parametrize(("n", "d", "noise"), [(12, 3, 0.5), (3, 8, 0.5), (3, 8, 0.0), (8, 3, 0.0)])
def test_label_noise_takes_the_objective_as_far_as_in_theory(n, d, noise):
    rng = np.random.default_rng(3)
    theta = rng.standard_normal((4000, d))
    found = sample_prompt(rng, n, d, theta, noise=noise).theta - theta
    assert np.sqrt(np.mean(np.sum(found**2, axis=-1))) == pytest.approx(
        label_noise_error(n, d, noise), rel=0.05, abs=1e-6
    )


@pytest.mark.parametrize("n", [4, 5, 6])
def test_label_noise_in_between_has_no_finite_mean(n):
    assert label_noise_error(n, 5, 0.1) == np.inf


def test_label_noise_may_be_of_any_size():
    assert label_noise_error(9, 2, 1e200) == pytest.approx(1e200 * label_noise_error(9, 2, 1.0))
    assert label_noise_error(2, 9, 1e-200) == pytest.approx(7**0.5)


def test_a_covariance_without_a_square_root_in_range_is_refused(rng):
    with pytest.raises(ValueError, match="the square root of the covariance must be finite"):
        sample_prompt(rng, 9, 2, np.ones(2), covariance=1.7e308 * np.array([[1.0, 0.3], [0.3, 0.8]]))


def test_labels_out_of_range_are_refused(rng):
    with pytest.raises(ValueError, match="y must be finite"):
        sample_prompt(rng, 9, 2, np.ones(2), noise=1.7e308)
