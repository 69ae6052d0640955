"""Fitting an agent from its exchanges (w_in, w_out): its map, its objective, its step size, and how well it fits."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from jaxtyping import Float
from scipy.stats import f as f_distribution

from a2a import arrays
from a2a.affine import AffineMap
from a2a.arrays import Array, matvec, transpose

Structure = Literal["unrestricted", "symmetric", "step size"]


class IdentifiedMap(AffineMap):
    """An affine map fitted to exchanges, with its statistics.

    Attributes:
        r_squared: share of the variance of w_out that the fit explains, a float or (...); 1 is an affine agent, and an
            agent that always gives the same answer is one.
        residual_std: root mean square of what the fit leaves unexplained, per coordinate, a float or (...).
        eta: the fitted step size (structure "step size" only, else None).
        exchanges: how many exchanges were fitted.
    """

    def __init__(self, M: Array, c: Array, w_in: Array, w_out: Array, eta: Any = None) -> None:
        super().__init__(M, c)
        xp = arrays.namespace(w_in=w_in)
        residual = w_out - w_in @ transpose(M) - c[..., None, :]
        unexplained = xp.sum(residual**2, axis=(-2, -1))
        total = xp.sum((w_out - xp.mean(w_out, axis=-2, keepdims=True)) ** 2, axis=(-2, -1))
        rounding = (
            arrays.tolerance(w_out) ** 2 * xp.sum(w_out**2, axis=(-2, -1)) + xp.finfo(w_out.dtype).smallest_normal
        )
        self.exchanges = int(w_in.shape[-2])
        self.r_squared = arrays.as_float(1 - unexplained / xp.maximum(total, rounding))
        self.residual_std = arrays.as_float(xp.sqrt(unexplained / (self.exchanges * self.d)))
        self.eta = eta


def identify(w_in: Any, w_out: Any, structure: Structure = "unrestricted", S: Any = None) -> IdentifiedMap:
    """Fit w_out = M w_in + c by least squares.

    Args:
        w_in, w_out: exchanges of one agent, (..., m, d): what it read and what it answered.
        structure: "unrestricted"; "symmetric" (M = M^T); or "step size" (M = I - eta S, S known, eta the one unknown).
        S: the prompt geometry (..., d, d), for "step size".

    Raises:
        ValueError: if the shapes don't match, there are too few exchanges for the structure, S is missing, or S sees
            no change in w_in, so that the step size is open.
    """
    w_in, w_out = _exchanges(w_in, w_out)
    _require_enough(w_in, structure)
    xp = arrays.namespace(w_in=w_in)
    mean_in, mean_out = xp.mean(w_in, axis=-2), xp.mean(w_out, axis=-2)
    read, written = w_in - mean_in[..., None, :], w_out - mean_out[..., None, :]
    eta = None
    if structure == "step size":
        S = _known_geometry(S, w_in)
        fitted = _fit_step_size(read, written, S, arrays.tolerance(S) * xp.linalg.vector_norm(w_in, axis=(-2, -1)))
        M = arrays.identity(S) - fitted[..., None, None] * S
        eta = arrays.as_float(fitted)
    elif structure == "symmetric":
        M = _fit_symmetric(read, written)
    else:
        M = transpose(xp.linalg.pinv(read) @ written)
    return IdentifiedMap(M, mean_out - matvec(M, mean_in), w_in, w_out, eta)


def resample(rng: np.random.Generator, w_in: Any, w_out: Any, resamples: int) -> tuple[Array, Array]:
    """Bootstrap: exchanges drawn again with replacement, (resamples, m, d) each, from NumPy arrays (m, d).

    `identify` fits them all at once, and the spread of whatever follows from the fits is its uncertainty.
    """
    w_in, w_out = _exchanges(w_in, w_out)
    drawn = rng.integers(w_in.shape[-2], size=(arrays.positive_int("resamples", resamples), w_in.shape[-2]))
    return w_in[..., drawn, :], w_out[..., drawn, :]


def linearity_test(w_in: Any, w_out: Any) -> tuple[float, float]:
    """F statistic and p-value for quadratic terms in w_out as a function of w_in, NumPy arrays (m, d).

    A small p-value says that no affine map describes the agent. What is left of an exactly affine agent
    is rounding, which counts as no evidence. The coordinates' errors are taken as independent and of one variance.

    Raises:
        ValueError: if the shapes don't match, or there are too few exchanges to fit all quadratic terms.
    """
    w_in, w_out = _exchanges(w_in, w_out)
    m, d = w_in.shape[-2:]
    rows, columns = np.triu_indices(d)
    spare = m - (1 + d + len(rows))
    if spare < 1:
        raise ValueError(f"a test against quadratic terms in d = {d} needs at least {m - spare + 1} exchanges, got {m}")
    read = (w_in - w_in.mean(axis=0)) / np.maximum(w_in.std(axis=0), np.finfo(float).tiny)
    affine = np.column_stack([np.ones(m), read])
    quadratic = np.column_stack([affine, read[:, rows] * read[:, columns]])
    rounding = m * d * (arrays.tolerance(w_out) * np.abs(w_out).max()) ** 2
    unexplained = [_unexplained(terms, w_out) + rounding for terms in (affine, quadratic)]
    statistic = (unexplained[0] - unexplained[1]) / len(rows) / (unexplained[1] / spare)
    return statistic, float(f_distribution.sf(statistic, d * len(rows), d * spare))


def _unexplained(terms: Float[np.ndarray, "m terms"], w_out: Float[np.ndarray, "m d"]) -> float:
    residual = w_out - terms @ np.linalg.lstsq(terms, w_out, rcond=None)[0]
    return float(np.sum(residual**2))


def _exchanges(w_in: Any, w_out: Any) -> tuple[Array, Array]:
    w_in = arrays.vector("w_in", w_in)
    w_out = arrays.vector("w_out", w_out, w_in.shape[-1])
    if w_in.ndim < 2 or w_in.shape != w_out.shape:
        raise ValueError(f"w_in and w_out must both be (..., m, d), got {tuple(w_in.shape)} and {tuple(w_out.shape)}")
    arrays.namespace(w_in=w_in, w_out=w_out)
    return w_in, w_out


def _require_enough(w_in: Array, structure: str) -> None:
    m, d = w_in.shape[-2:]
    needed = {"unrestricted": d + 1, "symmetric": d + 1, "step size": 2}.get(structure)
    if needed is None:
        raise ValueError(f'structure must be "unrestricted", "symmetric" or "step size", got {structure!r}')
    if m < needed:
        raise ValueError(f'structure "{structure}" in d = {d} needs at least {needed} exchanges, got {m}')


def _known_geometry(S: Any, w_in: Array) -> Array:
    if S is None:
        raise ValueError('structure "step size" needs the prompt geometry S, got None')
    S = arrays.symmetric("S", S, w_in.shape[-1])
    arrays.namespace(w_in=w_in, S=S)
    arrays.batch_shape(w_in=tuple(w_in.shape[:-2]), S=tuple(S.shape[:-2]))
    return S


def _fit_step_size(
    read: Float[Array, "*batch m d"],
    written: Float[Array, "*batch m d"],
    S: Float[Array, "*prompts d d"],
    rounding: Array,
) -> Float[Array, "*both"]:
    xp = arrays.namespace(read=read)
    pull = read @ S
    if not bool((xp.linalg.vector_norm(pull, axis=(-2, -1)) > rounding * arrays.operator_norm(S)).all()):
        raise ValueError("the exchanges must differ where S sees it to tell the step size, got no change in S w_in")
    return xp.sum(pull * (read - written), axis=(-2, -1)) / xp.sum(pull**2, axis=(-2, -1))


def _fit_symmetric(read: Float[Array, "*batch m d"], written: Float[Array, "*batch m d"]) -> Float[Array, "*batch d d"]:
    """Least squares over symmetric M: the normal equations G M + M G = C + C^T, solved in the eigenbasis of G.

    Where no exchange has a component, M is open and gets 0, as from a pseudo-inverse.
    """
    xp = arrays.namespace(read=read)
    C = transpose(read) @ written
    values, vectors = xp.linalg.eigh(transpose(read) @ read)
    right = transpose(vectors) @ (C + transpose(C)) @ vectors
    sums = values[..., :, None] + values[..., None, :]
    told = sums > arrays.tolerance(sums) * values[..., -1:, None]
    return vectors @ xp.where(told, right / xp.where(told, sums, 1.0), 0.0) @ transpose(vectors)
