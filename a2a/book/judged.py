"""Theorems checked on those of many random pairs that fulfil their assumptions, and how many those are."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from jaxtyping import Bool

from a2a.affine import AffineMap
from a2a.agents import GradientAgent
from a2a.book.claims import RELATIONS, Assumption, requires
from a2a.contraction import contraction
from a2a.intervals import Number
from a2a.linalg import matvec, norm, operator_norm
from a2a.rest import SLOWEST

Assumed = tuple[str, Any, Literal["<", "<=", ">", ">="], Number]
"""What a theorem takes for granted: a name, a value a pair, what is wanted of it, such as ">", and the bound."""
ALL = slice(None)


def fulfilling(*assumed: Assumed, of: Any = ALL) -> Bool[np.ndarray, "*instances"]:
    """Which pairs fulfil all assumptions.

    Args:
        of: the pairs that are asked about, as an index of the values.
    """
    return np.all(
        [RELATIONS[relation](np.atleast_1d(value)[of], bound) for _, value, relation, bound in assumed], axis=0
    )


def judged_by(*assumed: Assumed, of: Any = ALL) -> tuple[Bool[np.ndarray, "*instances"], list[Assumption], str]:
    """The pairs that fulfil all assumptions, the assumptions of a check on them, and their number in words.

    Where no pair does it is all pairs, whose worst values say why the check is not applicable.
    """
    judged = fulfilling(*assumed, of=of)
    which = judged if judged.any() else ~judged
    given = [
        requires(name, np.atleast_1d(value)[of][which], relation, bound) for name, value, relation, bound in assumed
    ]
    return which, given, f"{judged.sum():,} of {judged.size:,} pairs"


def rests(first: AffineMap, second: AffineMap) -> Assumed:
    """That the slowest error shrinks enough a turn to be waited for, in the directions that someone sees."""
    return "rho(PQ)", contraction(first, second).rate, "<", SLOWEST


def attack_works(victim: GradientAgent, theta: Any) -> tuple[Assumed, ...]:
    """The assumptions of the theorem on the white-box attack by an agent with the objective theta (..., d).

    Eigenvalues are rounded, so that zero is zero; the last but one says that the pair comes to rest in time.
    """
    values = np.round(np.linalg.eigvalsh(victim.step), 9) + 0.0
    gap = victim.theta - theta
    return (
        ("smallest eigenvalue of eta_B S_B", values[..., 0], ">", 0),
        ("largest eigenvalue of eta_B S_B", values[..., -1], "<", 2),
        ("|Q|", operator_norm(victim.M), "<", SLOWEST),
        ("|v| / |Delta|", norm(matvec(victim.step, gap)) / norm(gap), ">", 1e-6),
    )
