"""Solving with a symmetric matrix that may miss directions, or all but miss them, and saying so."""

from __future__ import annotations

import warnings

from array_api_compat import array_namespace
from jaxtyping import Float

from a2a.arrays import Array
from a2a.linalg import eigh, largest_entry, matvec, product, solve, transpose


class IllConditioned(RuntimeWarning):
    """A matrix so ill-conditioned that what is solved with it may be off by more than a hundredth: says its kappa."""


def filling(matrix: Float[Array, "*batch n d"]) -> Float[Array, "*batch"]:
    """A number of the matrix's own size, 1 for a matrix of zeros: for the directions that it misses."""
    size = largest_entry(matrix)
    return array_namespace(matrix).where(size > 0, size, 1.0)


def solve_seen(name: str, matrix: Float[Array, "*#batch d d"], v: Float[Array, "*#batch d"]) -> Float[Array, "*both d"]:
    """The x with matrix x = v for a symmetric matrix, in the directions that it sees; 0 in those that it misses.

    With kappa the largest over an eigenvalue's size and eps the machine precision: a direction with kappa eps above
    1 / (4 sqrt(d)) is missing (kappa of about 1e15 / sqrt(d) in float64, 2e6 / sqrt(d) in float32), for that is what
    rounding leaves of an exact 0 in X^T X / n. All others are solved for, to a relative error of about kappa eps.
    Where that is above 1/100 (kappa above 4.5e13, 8.4e4 in float32) the warning IllConditioned, by `name`, says so.
    """
    xp = array_namespace(matrix)
    sizes, vectors = eigh(matrix)
    sizes = xp.abs(sizes)
    missing = sizes <= smallest_share(matrix) * xp.max(sizes, axis=-1, keepdims=True)
    largest = xp.where(missing, 1.0, xp.max(sizes, axis=-1, keepdims=True))
    warn_if_ill_conditioned(name, xp.where(missing, 1.0, sizes / largest))
    if not bool(xp.any(missing)):  # and no gradient through eigenvectors, which is NaN where eigenvalues meet
        return solve(matrix, v)
    unseen = projector(vectors, missing)
    x = solve(matrix + filling(matrix)[..., None, None] * unseen, v - matvec(unseen, v))
    return x - matvec(unseen, x)


def warn_if_ill_conditioned(name: str, shares: Array) -> None:
    """The warning IllConditioned, by `name`, if an eigenvalue's share of the largest one leaves under two digits."""
    xp = array_namespace(shares)
    share, eps = xp.min(shares).item(), float(xp.finfo(shares.dtype).eps)
    if share >= 100 * eps:
        return
    kappa = 1 / share if share else float("inf")
    off = f"what is solved with it may be off by {min(1.0, kappa * eps):.1%}"
    warnings.warn(f"{name} has a condition number of {kappa:.2g}: {off}", IllConditioned, stacklevel=4)


def smallest_share(matrix: Array) -> float:
    """Share of the largest eigenvalue below which rounding can't tell a symmetric matrix's eigenvalue from 0."""
    return 4 * matrix.shape[-1] ** 0.5 * float(array_namespace(matrix).finfo(matrix.dtype).eps)


def projector(vectors: Float[Array, "*batch d d"], chosen: Array) -> Float[Array, "*batch d d"]:
    """The orthogonal projector on the chosen (..., d) of the orthonormal columns."""
    kept = vectors * array_namespace(vectors).astype(chosen, vectors.dtype)[..., None, :]
    return product(kept, transpose(kept))
