"""How a number is shown: with the digits that mean something."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from a2a.intervals import Number


def within(residual: Any, tolerance: Number) -> str:
    """ "within 1e-10" if no entry is larger, else the largest one: rounding noise has no digits to print."""
    largest = float(np.max(np.abs(np.asarray(residual, dtype=float))))
    return f"within {tolerance:g}" if largest <= tolerance else f"off by {largest:.1g}"


def number(value: Number, tolerance: Number) -> str:
    """`value` with a digit more than the tolerance can tell apart, at most six."""
    if value == 0 or not math.isfinite(value) or tolerance == 0:
        return f"{value:.6g}"
    digits = 1 - math.floor(math.log10(tolerance))
    return f"{round(value, digits):.{max(digits, 0)}f}" if digits <= 4 else f"{round(value, digits):.6g}"


def apart(value: float, bound: Number) -> str:
    """`value` with enough digits not to be mistaken for the bound."""
    digits = 3
    while f"{value:.{digits}g}" == f"{bound:.{digits}g}" and value != bound and digits < 17:
        digits += 1
    return f"{value:.{digits}g}"
