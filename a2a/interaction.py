"""Agents taking turns, each reading what the one before it wrote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays
from a2a.agents import Agent
from a2a.arrays import Array


@dataclass(frozen=True, eq=False)
class Interaction:
    """What two agents wrote: `first` and `second`, each of shape (turns, ..., d)."""

    first: Float[Array, "turns *batch d"]
    second: Float[Array, "turns *batch d"]


def alternate(first: Agent, second: Agent, w0: Any, turns: int, *, history: bool = True) -> Interaction:
    """Let two agents alternate from w0 (..., d): a = first(b), then b = second(a), `turns` times.

    Any callables w -> w will do. With history=False only the last turn is kept, with a leading dimension of 1, and
    memory doesn't grow with `turns`.

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


def _turns(agents: Sequence[Agent], w: Array) -> Iterator[list[Array]]:
    d = w.shape[-1]
    turn = 0
    while True:
        turn += 1
        written = []
        for position, agent in enumerate(agents):
            name = f"what agent {position} wrote at turn {turn}"
            with np.errstate(over="ignore", invalid="ignore"):  # an overflow is reported once, by name
                answer = arrays.vector(name, agent(w), d)
            arrays.namespace(**{"what it read": w, name: answer})
            w = answer
            written.append(w)
        yield written
