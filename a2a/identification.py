"""Fitting an agent from its exchanges (w_in, w_out): its map, its objective, its step size, and how well it fits."""

from __future__ import annotations

from typing import Any, Literal

from jaxtyping import Float

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
    w_in = arrays.vector("w_in", w_in)
    w_out = arrays.vector("w_out", w_out, w_in.shape[-1])
    if w_in.ndim < 2 or w_in.shape != w_out.shape:
        raise ValueError(f"w_in and w_out must both be (..., m, d), got {tuple(w_in.shape)} and {tuple(w_out.shape)}")
    xp = arrays.namespace(w_in=w_in, w_out=w_out)
    m, d = w_in.shape[-2:]
    needed = {"unrestricted": d + 1, "symmetric": d + 1, "step size": 2}.get(structure)
    if needed is None:
        raise ValueError(f'structure must be "unrestricted", "symmetric" or "step size", got {structure!r}')
    if m < needed:
        raise ValueError(f'structure "{structure}" in d = {d} needs at least {needed} exchanges, got {m}')
    mean_in, mean_out = xp.mean(w_in, axis=-2), xp.mean(w_out, axis=-2)
    read, written = w_in - mean_in[..., None, :], w_out - mean_out[..., None, :]
    eta = None
    if structure == "step size":
        if S is None:
            raise ValueError('structure "step size" needs the prompt geometry S, got None')
        S = arrays.symmetric("S", S, d)
        arrays.namespace(w_in=w_in, S=S)
        arrays.batch_shape(w_in=tuple(w_in.shape[:-2]), S=tuple(S.shape[:-2]))
        fitted = _fit_step_size(read, written, S, arrays.tolerance(S) * xp.linalg.vector_norm(w_in, axis=(-2, -1)))
        M = arrays.identity(S) - fitted[..., None, None] * S
        eta = arrays.as_float(fitted)
    elif structure == "symmetric":
        M = _fit_symmetric(read, written)
    else:
        M = transpose(xp.linalg.pinv(read) @ written)
    return IdentifiedMap(M, mean_out - matvec(M, mean_in), w_in, w_out, eta)


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
