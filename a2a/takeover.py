"""An attack in the middle of a conversation, and what it takes from the victim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jaxtyping import Float

from a2a import arrays
from a2a.agents import GradientAgent
from a2a.interaction import Interaction, alternate
from a2a.linalg import Array, norm, operator_norm
from a2a.rest import at_rest, held_below


@dataclass(frozen=True, eq=False)
class Takeover:
    """A conversation in which the first agent changes its prompt.

    Attributes:
        run: what both wrote, before and after.
        before, after: turns with the ordinary prompt and with the attacking one.
    """

    run: Interaction
    before: int
    after: int


def take_over(
    ordinary: GradientAgent, attacker: GradientAgent, victim: GradientAgent, w0: Any, before: int, after: int
) -> Takeover:
    """The first agent reads its ordinary prompt for some turns and then the attack prompt.

    Either part has fewer turns than asked for where errors might grow by more than 1e20, as its norms tell.

    Args:
        ordinary, attacker: the first agent with its two prompts, of batch (...).
        victim: the second agent.
        w0: the start, (..., d).
        before, after: turns with each prompt, at least 1.
    """
    growth = operator_norm(victim.M)
    before = held_below((operator_norm(ordinary.M) * growth).max().item(), before)
    after = held_below((operator_norm(attacker.M) * growth).max().item(), after)
    honest = alternate(ordinary, victim, w0, before)
    attacked = alternate(attacker, victim, honest.second[-1, ...], after)
    xp = arrays.namespace(honest=honest.first)
    both = (xp.concat(parts) for parts in ((honest.first, attacked.first), (honest.second, attacked.second)))
    return Takeover(Interaction(*both), before, after)


def share_lost(
    first: GradientAgent, victim: GradientAgent, theta: Float[Array, "*#batch d"], w0: Any
) -> Float[Array, "*both"]:
    """The victim's error once the pair is at rest, as a share of the gap between its objective and theta; (...).

    NaN where the pair doesn't come to rest (`at_rest`).
    """
    theta = victim.vector("theta", theta)
    return norm(at_rest(first, victim, w0)[1] - victim.theta) / norm(victim.theta - theta)
