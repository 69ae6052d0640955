"""Short forms for the checks of a chapter that is about one claim, and the assumptions that they share."""

from __future__ import annotations

from typing import Any

import numpy as np

from a2a.agents import GradientAgent
from a2a.book.claims import Assumption, Checks, requires
from a2a.book.evidence import close, every
from a2a.intervals import Number

PRECISION = float(np.finfo(float).eps)
"""Of float64: what is 0 in exact arithmetic is left at some condition number times this."""


class OneClaim:
    """Adds checks of one claim to a chapter's.

    Args:
        checks: the chapter's checks.
        id: the claim's, such as "A9".
        tolerance: up to which a deviation is rounding, where a check doesn't say.
    """

    def __init__(self, checks: Checks, id: str, tolerance: Number) -> None:
        self.checks, self.id, self.tolerance = checks, id, tolerance

    def vanishes(self, what: str, deviation: Any, *given: Assumption, tolerance: Number | None = None) -> None:
        """Check that a relative deviation, which is 0 in exact arithmetic, is 0 up to rounding."""
        evidence = close(deviation, tolerance=self.tolerance if tolerance is None else tolerance)
        self.checks.add(self.id, what, evidence, given=given)

    def equals(self, what: str, measured: Any, predicted: Any, *given: Assumption) -> None:
        """Check that whole numbers are exactly the predicted ones."""
        self.checks.add(self.id, what, close(measured, predicted, tolerance=0), given=given)

    def holds(self, what: str, right: Any, *given: Assumption) -> None:
        """Check that something is as the theorem says in every instance."""
        self.checks.add(self.id, what, every(right), given=given)


def invertible_prompts(first: GradientAgent, second: GradientAgent) -> Assumption:
    """That both agents see every direction."""
    eigenvalues = np.linalg.eigvalsh(np.stack([first.S, second.S]))
    return requires("smallest eigenvalue of S_A, S_B", eigenvalues, ">", 0)


def digits_left(kappa: Any) -> Assumption:
    """That prompts of condition number kappa leave enough digits to see a deviation of 1e-7."""
    return requires("kappa x float64 precision", np.asarray(kappa) * PRECISION, "<", 1e-9)
