"""Fitting an agent from its exchanges (w_in, w_out): its map, its objective, its step size, and how well it fits."""

from __future__ import annotations

import math
import warnings
from typing import Any, Literal

from jaxtyping import Bool, Float

from a2a import arrays, linalg
from a2a.affine import AffineMap
from a2a.arrays import Array, as_float
from a2a.exchanges import Centred, Spread, checked
from a2a.finite import within_range
from a2a.linalg import matvec, transpose
from a2a.solving import IllConditioned, filling

Structure = Literal["unrestricted", "symmetric", "step size"]


class IdentifiedMap(AffineMap):
    """An affine map fitted to exchanges, with its statistics.

    Attributes:
        r_squared: share of the variance of w_out that the fit explains, a float or (...); 1 is an affine agent, and an
            agent that always gives the same answer is one. NaN where the fit has no degrees of freedom left or the
            exchanges leave it open: such a fit explains whatever it is given.
        residual_std: root mean square of what the fit leaves unexplained, per coordinate, a float or (...).
        eta: the fitted step size (structure "step size" only, else None).
        exchanges: how many exchanges were fitted.
        degrees_of_freedom: exchanges minus unknowns, per coordinate. The unknowns per coordinate are d + 1 for
            "unrestricted", (d + 3) / 2 for "symmetric" and 1 + 1 / d for "step size".
        condition: condition number of w_in about its mean, a float or (...), infinite where it doesn't span all
            directions: how many times less the exchanges tell of M in one direction than in another.
    """

    def __init__(
        self,
        M: Array,
        c: Array,
        *,
        r_squared: Array,
        residual_std: Array,
        eta: Array | None,
        exchanges: int,
        degrees_of_freedom: float,
        condition: Array,
    ) -> None:
        super().__init__(M, c)
        self.r_squared, self.residual_std = as_float(r_squared), as_float(residual_std)
        self.eta = None if eta is None else as_float(eta)
        self.exchanges, self.degrees_of_freedom = exchanges, degrees_of_freedom
        self.condition = as_float(condition)


@within_range
def identify(w_in: Any, w_out: Any, structure: Structure = "unrestricted", S: Any = None) -> IdentifiedMap:
    """Fit w_out = M w_in + c by least squares.

    Exchanges that leave M open are refused. Of a batch, as of bootstrap resamples, some may leave it open: they get the
    smallest M that fits as well as any (the smallest step size, 0), and a warning says how many they are.

    Args:
        w_in, w_out: exchanges of one agent, (..., m, d): what it read and what it answered.
        structure: "unrestricted"; "symmetric" (M = M^T); or "step size" (M = I - eta S, S known, eta the one unknown).
        S: the prompt geometry (..., d, d), for "step size".

    Raises:
        ValueError: if the shapes don't match, there are too few exchanges for the structure, they don't span all
            directions, S is missing, or S sees no change in w_in, so that the step size is open.

    Warns:
        IllConditioned: if some of a batch, not all, leave M open.
    """
    w_in, w_out = checked(w_in, w_out)
    _require_enough(w_in, structure)
    read, written = Centred.of(w_in), Centred.of(w_out)
    spread, eta = Spread.of(read), None
    if structure == "step size":
        M, told, eta = _fit_step_size(read, written, _known_geometry(S, w_in))
    else:
        M, told = _fit_map(read, written, spread, structure), spread.rank == read.d
        rank = int(spread.rank.min())
        _require_told(told, f"w_in must span all {read.d} directions about its mean to tell M, got rank {rank}")
    freedom = read.m - _unknowns(structure, read.d) / read.d
    r_squared, residual_std = _statistics(read, written, M)
    return IdentifiedMap(
        M,
        written.mean - matvec(M, read.mean),
        r_squared=arrays.namespace(M=M).where(told & (freedom > 0), r_squared, float("nan")),
        residual_std=residual_std,
        eta=eta,
        exchanges=read.m,
        degrees_of_freedom=freedom,
        condition=spread.condition,
    )


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


def _require_told(told: Bool[Array, "*batch"], wanted: str) -> None:
    """ValueError unless the exchanges tell one fit at least; the warning IllConditioned unless they tell all."""
    if not bool(told.any()):
        raise ValueError(wanted)
    if not bool(told.all()):
        share = f"{int((~told).sum())} of {math.prod(told.shape)} sets of exchanges leave their fit open"
        warnings.warn(f"{share} (they get the smallest one): {wanted}", IllConditioned, stacklevel=4)


def _unknowns(structure: str, d: int) -> float:
    return {"unrestricted": d * (d + 1.0), "symmetric": d * (d + 3) / 2, "step size": d + 1.0}[structure]


def _statistics(read: Centred, written: Centred, M: Float[Array, "*both d d"]) -> tuple[Array, Array]:
    """R^2 and the root mean square of the residual, each (...)."""
    xp = arrays.namespace(M=M)
    ratio = (read.unit / written.unit)[..., None, None]
    unexplained = xp.sum((written.centred - read.centred @ transpose(ratio * M)) ** 2, axis=(-2, -1))
    total = xp.maximum(xp.sum(written.centred**2, axis=(-2, -1)), written.rounding**2)
    total = xp.where(total > 0, total, 1.0)  # all answers are 0
    residual_std = arrays.floating("the residual", xp.sqrt(unexplained / (read.m * read.d)) * written.unit)
    return 1 - unexplained / total, residual_std


def _fit_map(read: Centred, written: Centred, spread: Spread, structure: str) -> Float[Array, "*batch d d"]:
    """Least squares over all M, or over the symmetric ones: M G + G M = C + C^T, solved in the eigenbasis of G.

    With read = left diag(sizes) right, G = read^T read has the eigenvectors right^T. The smallest M where it is open.
    """
    moved = transpose(spread.left) @ written.centred
    sizes, other = spread.sizes[..., :, None], spread.sizes[..., None, :]
    if structure == "symmetric":
        moved = moved @ transpose(spread.right)
        inner = _over(sizes * moved + transpose(sizes * moved), sizes**2 + other**2)
        M = transpose(spread.right) @ inner @ spread.right
    else:
        M = transpose(transpose(spread.right) @ _over(moved, sizes))
    return M * (written.unit / read.unit)[..., None, None]


def _over(numerator: Array, denominator: Array) -> Array:
    """The quotient, 0 where the denominator is 0."""
    xp = arrays.namespace(denominator=denominator)
    return xp.where(denominator > 0, numerator / xp.where(denominator > 0, denominator, 1.0), 0.0)


def _fit_step_size(
    read: Centred, written: Centred, S: Float[Array, "*prompts d d"]
) -> tuple[Float[Array, "*both d d"], Bool[Array, "*both"], Float[Array, "*both"]]:
    """M = I - eta S, which fits are told by the exchanges, and eta; 0 where it is open."""
    xp = arrays.namespace(S=S)
    size = filling(S)
    pull = read.centred @ (S / size[..., None, None])
    told = xp.linalg.vector_norm(pull, axis=(-2, -1)) > read.rounding * linalg.operator_norm(S) / size
    _require_told(told, "the exchanges must differ where S sees it to tell the step size, got no change in S w_in")
    taken = read.centred - written.centred * (written.unit / read.unit)[..., None, None]
    squares = xp.where(told, xp.sum(pull**2, axis=(-2, -1)), 0.0)
    eta = _over(xp.sum(pull * taken, axis=(-2, -1)), squares) / size
    return linalg.identity(S) - eta[..., None, None] * S, told, eta
