"""How many turns it takes: counted in maps that never let an error grow, bounded by norms, and done in few steps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays
from a2a.interaction import turns_to
from a2a.linalg import matvec, norm
from a2a.plain import brief, in_numpy, real


def most_turns(norms: Any, share: float, agents: int = 2) -> Float[np.ndarray, "*batch"]:
    """Turns after which no error is above `share` of the first, before rounding up, (...): log(share) / (agents log r).

    Args:
        norms: the larger operator norm r of the agents that move, (...).
        share: between 0 and 1.
        agents: how many of the two move.

    Returns:
        infinity where r is 1 or more.
    """
    slowest = np.log(np.clip(in_numpy("norms", norms).astype(float), 1e-300, 1))
    share, agents = arrays.share("share", share), arrays.positive_int("agents", agents)
    return np.divide(math.log(share), agents * slowest, out=np.full_like(slowest, np.inf), where=slowest < 0)


def turns_to_share(
    M: Float[np.ndarray, "*#batch d d"], error: Float[np.ndarray, "*#batch d"], share: Any, longest: float
) -> Float[np.ndarray, "*both"]:
    """Turns until an error that is multiplied by M a turn is down to `share` of the first one, at least 1; (...).

    Found by bisection in powers of two, which is exact if errors never grow, |M| <= 1. Powers of a matrix close to the
    identity have lost digits: above some 1e7 turns float64 doesn't count well.

    Args:
        M: what a full turn does to an error.
        error: the first errors.
        share: between 0 and 1, a float or a batch (...).
        longest: an upper bound for the number of turns. If it is infinite, as `most_turns` is where errors may grow,
            nothing is counted, and every number is infinite.

    Raises:
        ValueError: if errors grow beyond the range of numbers.
    """
    M, error = in_numpy("M", arrays.square("M", M)), in_numpy("error", error)
    error, share = arrays.vector("error", error, M.shape[-1]), in_numpy("share", share)
    limit = real("longest", longest)
    if limit.ndim:
        raise ValueError(f"longest must be one number, got {brief(longest)}")
    if not math.isfinite(limit):
        return np.full(norm(error).shape, np.inf)
    with np.errstate(over="ignore", invalid="ignore"):
        return _counted(M, error, share * norm(error), float(limit))


def _counted(
    M: Float[np.ndarray, "*#batch d d"], error: Float[np.ndarray, "*#batch d"], goal: Any, limit: float
) -> Float[np.ndarray, "*both"]:
    powers, done = [M], np.zeros(1)
    while 2 ** len(powers) <= limit:
        powers.append(powers[-1] @ powers[-1])
    for exponent in reversed(range(len(powers))):
        ahead = in_numpy("what M makes of the error", matvec(powers[exponent], error))
        far = norm(ahead) > goal
        error, done = np.where(far[..., None], ahead, error), done + far * 2.0**exponent
    return done + 1


def doublings_to_rest(rate: Float[np.ndarray, "*batch"], share: float = 1e-12) -> int:
    """How often to double a turn until the slowest error of all pairs is down to `share` of the first one.

    Where pairs drift apart, with a rate (...) of 1 or more, until that can be seen of the fastest of them.
    """
    rate = in_numpy("rate", rate)
    turns = np.asarray(turns_to(rate, share, at_most=2**50))
    drifting = turns[rate >= 1]
    return math.ceil(math.log2(drifting.min() if drifting.size else turns.max()))
