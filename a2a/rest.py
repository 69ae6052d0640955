"""Where a long conversation ends, measured: the agents take turns until the slowest error is below rounding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays
from a2a.affine import AffineMap, fit_together
from a2a.agents import GradientAgent
from a2a.contraction import contraction
from a2a.interaction import alternate, turns_to
from a2a.linalg import Array, norm
from a2a.longrun import doubled
from a2a.plain import in_numpy

SLOWEST = 0.999
"""The rate from which on a pair has no measured end: it takes tens of thousands of turns, in which rounding adds up."""


def at_rest(first: AffineMap, second: AffineMap, w0: Any, *, slowest: float = SLOWEST) -> tuple[Array, Array]:
    """What the first and the second agent write in the last turn of a long conversation from w0, each (..., d).

    Pairs of a batch whose rate is `slowest` or more, those that diverge among them, have NaN there. The conversation is
    taken in strides: the map of a turn applied twice is the map of two turns, and so on. Directions that neither agent
    sees keep what the start has there.

    Args:
        first, second: agents of one batch (...), in NumPy; the first one moves first.
        w0: the start, (..., d).
        slowest: below 1.
    """
    fit_together(AffineMap, first=first, second=second)
    w0 = in_numpy("w0", first.vector("w0", w0))
    slowest = arrays.share("slowest", slowest)
    rate = np.asarray(contraction(first, second).rate)
    rests = rate < slowest
    turn = second @ first
    stride = AffineMap(np.where(rests[..., None, None], turn.M, 0), np.where(rests[..., None], turn.c, 0))
    longest = np.max(rate, where=rests, initial=0.1)
    stride = doubled(stride, math.ceil(math.log2(turns_to(longest, 1e-17))))
    last = first(stride(w0))
    a, b = (np.where(rests[..., None], written, np.nan) for written in (last, second(last)))
    return a, b


def turns_until_rest(rate: Any, patience: int = 5000) -> tuple[int, int]:
    """Turns until the slowest error of a batch is down to 1e-20 of the first one, and how many to follow it for.

    Where that is more than `patience`, or turns don't contract, it is followed for 500 turns only. If errors grow, the
    first number says when one may have grown 1e20-fold.
    """
    rate = in_numpy("rate", rate)
    needed = turns_to(rate.max(initial=0.0).item(), 1e-20, at_most=10**9)
    return needed, needed if needed <= patience else 500


def held_below(growth: Any, turns: int, limit: float = 1e20) -> int:
    """As many turns as asked for, or fewer, but one at least, if an error could exceed `limit` times the first one.

    Args:
        growth: the largest factor by which errors may grow a turn, a float or a batch (...).
    """
    fastest = in_numpy("growth", growth).max(initial=0.0).item()
    turns, limit = arrays.positive_int("turns", turns), arrays.positive_float("limit", limit)
    if fastest <= 1:
        return turns
    return max(1, min(turns, int(math.log(limit) / math.log(fastest))))


def settled_error(first: GradientAgent, second: GradientAgent, gaps: Any, turns: int) -> Float[Array, "*batch"]:
    """How far the first agent ends from its objective, (...), if the second's objective lies `gaps` (..., d) beyond it.

    The two start at the first agent's objective and take the given number of turns: enough, if they have settled by
    then.
    """
    moved = GradientAgent(second.S, first.theta + first.vector("gaps", gaps), second.eta)
    last = alternate(first, moved, first.theta, turns, history=False).first[0, ...]
    return norm(last - first.theta)
