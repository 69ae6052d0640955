"""Prompts: in-context examples of a linear regression task, and the geometry they give the agent that reads them."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from jaxtyping import Float

from a2a import arrays, linalg
from a2a.arrays import Array
from a2a.finite import within_range
from a2a.plain import in_numpy


class Prompt:
    """n in-context examples (x_i, y_i) of a d-dimensional linear regression task.

    X has shape (..., n, d), one example a row, and y (..., n); leading batch dimensions broadcast. Both are copied.

    Raises:
        ValueError: if the shapes don't match, n or d is 0, or a value is NaN or infinite.
    """

    def __init__(self, X: Any, y: Any) -> None:
        self.X, self.y = map(arrays.copy, examples(X, y))

    @classmethod
    def from_objective(cls, X: Any, theta: Any, noise: float = 0.0, rng: np.random.Generator | None = None) -> Prompt:
        """The prompt with inputs X (..., n, d) and labels X theta, plus Gaussian noise of standard deviation `noise`.

        Raises:
            ValueError: if theta isn't (..., d), `noise` is negative, or there is noise and no `rng` to draw it from.
        """
        X = arrays.matrix("X", X)
        theta = arrays.vector("theta", theta, X.shape[-1])
        noise = arrays.standard_deviation("noise", noise)
        arrays.namespace(X=X, theta=theta)
        arrays.batch_shape(X=tuple(X.shape[:-2]), theta=tuple(theta.shape[:-1]))
        with np.errstate(over="ignore", invalid="ignore"):
            y = arrays.floating("the labels X theta", linalg.matvec(X, theta))
            if noise:
                y = y + noise * arrays.standard_normal(rng, tuple(y.shape), like=y)
        return cls(X, y)

    def repeated(self, copies: int) -> Prompt:
        """The prompt that shows every example `copies` times: the same geometry S, and the same step."""
        xp, copies = array_namespace(self.X), arrays.positive_int("copies", copies)
        return Prompt(xp.concat([self.X] * copies, axis=-2), xp.concat([self.y] * copies, axis=-1))

    @property
    def n(self) -> int:
        """Number of in-context examples."""
        return int(self.X.shape[-2])

    @property
    def d(self) -> int:
        """Dimension of the inputs and of the objective."""
        return int(self.X.shape[-1])

    @cached_property
    def S(self) -> Float[Array, "*batch d d"]:
        """Prompt geometry X^T X / n: the empirical covariance, shape (..., d, d).

        Raises:
            ValueError: if the inputs are so large or so small that it overflows or vanishes.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            return arrays.not_vanished("X^T X / n", linalg.product(linalg.transpose(self.X), self.X) / self.n, self.X)

    @cached_property
    def theta(self) -> Float[Array, "*batch d"]:
        """The objective: the least-squares solution of the examples, the shortest when they leave it open; (..., d)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return arrays.floating("theta", linalg.matvec(linalg.apply("pinv", self.X), self.y))


def sample_prompt(
    rng: np.random.Generator, n: int, d: int, theta: Any, *, covariance: Any = None, noise: float = 0.0
) -> Prompt:
    """A random prompt for each objective in `theta`: rows x ~ N(0, covariance), labels x . theta + N(0, noise^2).

    Args:
        rng: the generator that everything random is drawn from.
        n: number of in-context examples.
        d: dimension.
        theta: objectives, (..., d); NumPy or torch, and the prompt is of the same kind, dtype and device.
        covariance: population covariance of the inputs, (..., d, d); the identity if None.
        noise: standard deviation of the label noise.

    Raises:
        ValueError: if n or d is below 1, a shape doesn't match, or `covariance` isn't symmetric positive semi-definite.
    """
    n, d = arrays.positive_int("n", n), arrays.positive_int("d", d)
    theta = arrays.vector("theta", theta, d)
    batch = tuple(theta.shape[:-1])
    if covariance is not None:
        covariance = arrays.covariance("covariance", covariance, d)
        arrays.namespace(theta=theta, covariance=covariance)
        batch = arrays.batch_shape(theta=batch, covariance=tuple(covariance.shape[:-2]))
    X = arrays.standard_normal(rng, (*batch, n, d), like=theta)
    if covariance is not None:
        X = linalg.product(X, _square_root(covariance))
    return Prompt.from_objective(X, theta, noise, rng)


def label_noise_error(n: int, d: int, noise: float) -> float:
    """How far label noise takes the objective of `sample_prompt` from the vector behind the labels, root mean square.

    For standard normal inputs and vectors, noise of that standard deviation. For n < d the shortest least-squares
    solution also misses what no example shows; for d - 1 <= n <= d + 1 there is no finite mean, unless `noise` is 0.
    """
    n, d = arrays.positive_int("n", n), arrays.positive_int("d", d)
    noise = arrays.standard_deviation("noise", noise)
    if not noise:
        return max(d - n, 0) ** 0.5
    if abs(n - d) <= 1:
        return float("inf")
    return math.hypot(max(d - n, 0) ** 0.5, noise * (min(n, d) / (abs(n - d) - 1)) ** 0.5)


@within_range
def random_covariance(
    rng: np.random.Generator, spectrum: Any, batch: tuple[int, ...] = ()
) -> Float[np.ndarray, "*out d d"]:
    """Covariances with the given eigenvalues in uniformly random orthonormal directions, shape (*batch, ..., d, d).

    The signs that a QR decomposition gives its columns don't matter: they cancel in Q diag(spectrum) Q^T.

    Raises:
        ValueError: if an eigenvalue of `spectrum` (..., d) is negative, or so large that its covariance overflows.
    """
    spectrum = in_numpy("spectrum", arrays.vector("spectrum", spectrum))
    if (spectrum < 0).any():
        raise ValueError(f"spectrum must hold eigenvalues >= 0, got a smallest one of {spectrum.min():.3g}")
    d = spectrum.shape[-1]
    Q, _ = linalg.apply("qr", arrays.standard_normal(rng, (*batch, *spectrum.shape[:-1], d, d), like=spectrum))
    S = linalg.product(Q * spectrum[..., None, :], linalg.transpose(Q))
    return (S + linalg.transpose(S)) / 2


def examples(X: Any, y: Any) -> tuple[Array, Array]:
    """Inputs X (..., n, d) and labels y (..., n) of one library that broadcast; ValueError unless they are."""
    X = arrays.matrix("X", X)
    y = arrays.vector("y", y, X.shape[-2])
    arrays.namespace(X=X, y=y)
    arrays.batch_shape(X=tuple(X.shape[:-2]), y=tuple(y.shape[:-1]))
    return X, y


def _square_root(S: Float[Array, "*batch d d"]) -> Float[Array, "*batch d d"]:
    xp = array_namespace(S)
    values, vectors = linalg.eigh(S)
    root = xp.sqrt(xp.clip(values, 0.0, None))
    with np.errstate(invalid="ignore"):
        product = linalg.product(vectors * root[..., None, :], linalg.transpose(vectors))
    return arrays.floating("the square root of the covariance", product)
