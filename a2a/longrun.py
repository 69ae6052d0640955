"""What very many turns do, told by squaring the map of one."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from a2a import arrays
from a2a.affine import AffineMap
from a2a.agents import Agent, answer
from a2a.linalg import apply, operator_norm
from a2a.plain import in_numpy


def doubled(turn: AffineMap, times: int) -> AffineMap:
    """The map of 2**times turns."""
    for _ in range(times):
        turn = turn @ turn
    return turn


def turn_matrix(first: Agent, second: Agent, d: int) -> Float[np.ndarray, "*batch d d"]:
    """The matrix of a turn of two agents that are affine maps of w (..., d), read off what they write.

    They take one turn from the origin and one from each unit vector; the differences are its columns.

    Args:
        first, second: NumPy agents of a batch (...).
        d: dimension of what they read.
    """
    d = arrays.positive_int("d", d)
    moved = [answer(second, answer(first, w)) for w in (*np.eye(d), np.zeros(d))]
    return np.stack(moved[:-1], axis=-1) - moved[-1][..., None]


def log_norms(M: Float[np.ndarray, "*batch d d"], squarings: int) -> Float[np.ndarray, times * batch]:
    """log |M^t| for t = 1, 2, 4, ..., 2**squarings, the logarithm of the largest singular value; (squarings + 1, ...).

    The matrix is scaled before each squaring, so that nothing overflows or vanishes. M must not be nilpotent.
    """
    M, squarings = in_numpy("M", arrays.square("M", M)), arrays.positive_int("squarings", squarings)
    total, logs = np.zeros(M.shape[:-2]), []
    for _ in range(squarings + 1):
        size = operator_norm(M)
        if not bool((size > 0).all()):
            raise ValueError("M must not be nilpotent, got one of which a power is 0")
        total = 2 * total + np.log(size)
        logs.append(total)
        M = M / size[..., None, None]
        M = M @ M
    return np.array(logs)


def contracts(first: AffineMap, second: AffineMap) -> Bool[Any, "*batch"]:
    """Whether |1 - mu| < 1 for all eigenvalues mu of I - P Q, however small they are: no rounding is allowed for."""
    mu = apply("eigvals", (first @ second).step)
    inside = 2 * mu.real > abs(mu) ** 2
    return arrays.namespace(M=first.M).all(inside, axis=-1)
