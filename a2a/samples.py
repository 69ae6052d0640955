"""What counts as samples of numbers, and as what they are drawn with."""

from __future__ import annotations

from typing import Any

import numpy as np


def generator(rng: Any) -> np.random.Generator:
    """`rng` if it is a NumPy generator, else a ValueError that says what came."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got {type(rng).__name__}")
    return rng


def known(name: str, values: Any) -> np.ndarray:
    """The values that aren't NaN, in one row; ValueError, by their name, if they aren't numbers or some are masked."""
    flat = numbers(name, values)
    return flat[~np.isnan(flat)]


def numbers(name: str, values: Any) -> np.ndarray:
    """The values in one row, NaN among them; ValueError, by their name, if they aren't numbers or some are masked."""
    parts = values if isinstance(values, list | tuple) else [values]
    if any(isinstance(part, np.ma.MaskedArray) for part in parts):
        raise ValueError(f"{name} must be a plain array, got a masked one: write NaN for what is missing")
    try:
        return np.asarray(values).astype(float, casting="same_kind").ravel()
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must hold real numbers, got {type(values).__name__}") from error
