"""Levels at which errors come to rest, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from a2a.book.evidence import within


def told(values: Any, tolerance: float = 1e-10) -> str:
    """The mean of `values`, or that they are zero up to rounding, have no bound, or that some isn't at rest.

    Args:
        values: errors >= 0; NaN where there is none because turns don't come to rest, infinite where none bounds it.
        tolerance: up to which an error is zero.
    """
    values = np.asarray(values, dtype=float)
    if np.isnan(values).any():
        return "not at rest"
    if np.isinf(values).any():
        return "not bounded"
    return within(values, tolerance) if np.max(values) <= tolerance else f"{np.mean(values):.3g}"
