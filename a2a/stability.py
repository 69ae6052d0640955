"""Refusing what never settles: the error that says so, and the door that a pair or a ring has to pass."""

from __future__ import annotations

from typing import Any

from a2a import arrays
from a2a.affine import AffineMap
from a2a.contraction import Contraction, contraction
from a2a.solving import smallest_share, warn_if_ill_conditioned


class UnstableInteraction(ValueError):
    """The turns don't settle: the spectral radius of one full turn, `rate`, is 1 or more."""

    def __init__(self, rate: Any, hint: str = "") -> None:
        super().__init__(
            f"the turns must contract to settle, got a spectral radius of {rate:.6g} (wanted: below 1){hint}"
        )
        self.rate = rate


def settling(first: AffineMap, second: AffineMap, unseen_allowed: bool, require_stable: bool = True) -> Contraction:
    """What a turn does; UnstableInteraction if it doesn't settle, ValueError if there is nothing to settle on."""
    turn = contraction(first, second)
    if not unseen_allowed and bool((abs(turn.unseen) > 0.5 / first.d).any()):
        raise UnstableInteraction(max(1.0, turn.rate.max().item()), "; neither prompt sees some direction: pass w0")
    if require_stable:
        require_settling(turn)
    if not bool((turn.settles | (turn.share > smallest_share(first.M))).all()):
        raise ValueError("no unique fixed point: a turn leaves some direction as it is, I - PQ is singular")
    warn_if_ill_conditioned("I - PQ", turn.share)
    return turn


def require_settling(turn: Contraction) -> None:
    """UnstableInteraction, with the largest rate of those in a batch that don't settle, if there are any."""
    if not bool(turn.settles.all()):
        xp = arrays.namespace(rate=turn.rate)
        raise UnstableInteraction(xp.max(xp.where(turn.settles, 0.0, turn.rate)).item())
