"""Exchanges of an agent, what it read and what it answered: drawn again, and prepared for a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays, linalg
from a2a.arrays import Array
from a2a.solving import filling


def checked(w_in: Any, w_out: Any) -> tuple[Array, Array]:
    """What an agent read and what it answered, as arrays (..., m, d); ValueError unless they are."""
    w_in = arrays.vector("w_in", w_in)
    w_out = arrays.vector("w_out", w_out, w_in.shape[-1])
    if w_in.ndim < 2 or w_in.shape != w_out.shape:
        raise ValueError(f"w_in and w_out must both be (..., m, d), got {tuple(w_in.shape)} and {tuple(w_out.shape)}")
    arrays.namespace(w_in=w_in, w_out=w_out)
    return w_in, w_out


def resample(rng: np.random.Generator, w_in: Any, w_out: Any, resamples: int) -> tuple[Array, Array]:
    """Bootstrap: exchanges drawn again with replacement, (resamples, m, d) each, from NumPy arrays (m, d).

    `identify` fits them all at once, and the spread of whatever follows from the fits is its uncertainty.
    """
    w_in, w_out = checked(w_in, w_out)
    m, resamples = w_in.shape[-2], arrays.positive_int("resamples", resamples)
    drawn = arrays.generator("rng", rng).integers(m, size=(resamples, m))
    return w_in[..., drawn, :], w_out[..., drawn, :]


@dataclass(frozen=True, eq=False)
class Centred:
    """What was read, or what was written, (..., m, d): about its mean (..., d), in a unit (...) of its own size.

    The unit is a power of 2, so that no digit changes, and squares stay in range. Below `rounding` (...) a change of it
    may be none.
    """

    centred: Float[Array, "*batch m d"]
    mean: Float[Array, "*batch d"]
    unit: Float[Array, "*batch"]
    rounding: Float[Array, "*batch"]

    @classmethod
    def of(cls, w: Float[Array, "*batch m d"]) -> Centred:
        xp = arrays.namespace(w=w)
        unit = linalg.power_of_two(filling(w))
        inside = w / unit[..., None, None]
        mean = xp.mean(inside, axis=-2)
        rounding = arrays.tolerance(w) * xp.linalg.vector_norm(inside, axis=(-2, -1))
        return cls(inside - mean[..., None, :], mean * unit[..., None], unit, rounding)

    @property
    def m(self) -> int:
        """Number of exchanges."""
        return int(self.centred.shape[-2])

    @property
    def d(self) -> int:
        """Dimension."""
        return int(self.centred.shape[-1])


@dataclass(frozen=True, eq=False)
class Spread:
    """How what was read spreads, as left diag(sizes) right, with 0 for the sizes that may be rounding."""

    left: Float[Array, "*batch m k"]
    sizes: Float[Array, "*batch k"]
    right: Float[Array, "*batch k d"]

    @classmethod
    def of(cls, read: Centred) -> Spread:
        left, sizes, right = linalg.apply("svd", read.centred, full_matrices=False)
        xp = arrays.namespace(sizes=sizes)
        return cls(left, xp.where(sizes > read.rounding[..., None], sizes, 0.0), right)

    @property
    def rank(self) -> Array:
        """Number of directions that what was read spans, (...)."""
        return arrays.namespace(sizes=self.sizes).sum(self.sizes > 0, axis=-1)

    @property
    def condition(self) -> Float[Array, "*batch"]:
        """Largest over smallest size, infinite where a direction is missing."""
        xp = arrays.namespace(sizes=self.sizes)
        full = self.rank == self.right.shape[-1]
        return xp.where(full, self.sizes[..., 0] / xp.where(full, self.sizes[..., -1], 1.0), float("inf"))
