"""Agents taking turns, each reading what the one before it wrote."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jaxtyping import Float

from a2a import arrays
from a2a.agents import Agent, answer
from a2a.arrays import Array


@dataclass(frozen=True, eq=False)
class Interaction:
    """What two agents wrote: `first` and `second`, each of shape (turns, ..., d)."""

    first: Float[Array, "turns *batch d"]
    second: Float[Array, "turns *batch d"]


def alternate(first: Agent, second: Agent, w0: Any, turns: int, *, history: bool = True) -> Interaction:
    """Let two agents alternate from w0 (..., d): a = first(b), then b = second(a), `turns` times.

    Any callables w -> w will do; what they do in place to what they read stays with them. With history=False only the
    last turn is kept, with a leading dimension of 1, and memory doesn't grow with `turns`.

    Raises:
        ValueError: if turns < 1, or an agent is given or answers something that isn't a finite (..., d).
    """
    written = take_turns([first, second], w0, turns, history=history)
    return Interaction(written[:, 0, ...], written[:, 1, ...])


def take_turns(
    agents: Sequence[Agent], w0: Any, turns: int, *, history: bool = True
) -> Float[Array, "turns agents *batch d"]:
    """A ring of agents: what each wrote, in order, shape (turns, len(agents), ..., d).

    With history=False only the last turn is kept: (1, len(agents), ..., d).

    Raises:
        ValueError: if there is no agent, turns < 1, or an agent answers something that isn't a finite (..., d).
    """
    turns = arrays.positive_int("turns", turns)
    if not agents:
        raise ValueError("a ring needs at least one agent, got none")
    w0 = arrays.vector("w0", w0)
    kept = list(islice(_turns(agents, w0), 0 if history else turns - 1, turns))
    xp = arrays.namespace(w0=w0)
    shape = arrays.batch_shape(**{f"agent {i}": tuple(w.shape) for i, w in enumerate(kept[0])})
    return xp.stack([xp.stack([xp.broadcast_to(w, shape) for w in turn]) for turn in kept])


def turns_to(rate: Any, share: float, *, at_most: int | None = None) -> Any:
    """Turns after which the slowest error is down to `share` of the first one, at least 1; an int or an array of ints.

    It shrinks by the factor `rate` a turn. Where the rate is above 1, the turns after which the error has grown to
    1 / share times the first one. How long to simulate a batch is the largest of its numbers.

    Args:
        rate: spectral radius of a full turn, a float or a batch (...), as `Equilibrium.rate`.
        share: between 0 and 1.
        at_most: the answer for a rate of 1, and where more turns would be needed; no limit if None.

    Raises:
        ValueError: if a rate is negative or not finite, `share` isn't in (0, 1), or a rate is 1 without `at_most`.
    """
    rate = arrays.floating("rate", rate)
    if 0 in rate.shape:
        raise ValueError(f"rate must be a float or a batch of them, got an array of shape {tuple(rate.shape)}")
    share = arrays.share("share", share)
    xp = arrays.namespace(rate=rate)
    if bool(xp.any(rate < 0)):
        raise ValueError(f"rate must be a spectral radius >= 0, got {xp.min(rate).item():.6g}")
    if at_most is None and bool(xp.any(rate == 1)):
        raise ValueError("a rate of 1 takes no number of turns to get anywhere: give the largest number as at_most")
    most = float("inf") if at_most is None else float(arrays.positive_int("at_most", at_most))
    turns = _turns_to(rate, share, most)
    return turns if turns.ndim else int(turns)


def _turns_to(rate: Array, share: float, most: float) -> Array:
    xp = arrays.namespace(rate=rate)
    moving = (rate > 0) & (rate != 1)
    needed = -math.log(share) / xp.abs(xp.log(xp.where(moving, rate, 0.5)))
    needed = xp.ceil(
        needed * (1 - 16 * float(xp.finfo(rate.dtype).eps))
    )  # a whole number stays one though it is rounded
    needed = xp.where(rate == 0, 1.0, xp.where(rate == 1, most, needed))
    return xp.astype(xp.clip(needed, 1.0, most), xp.int64)


def _turns(agents: Sequence[Agent], w: Array) -> Iterator[list[Array]]:
    turn = 0
    while True:
        turn += 1
        written = []
        for position, agent in enumerate(agents):
            w = answer(agent, w, f"what agent {position} wrote at turn {turn}")
            written.append(w)
        yield written
