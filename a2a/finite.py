"""Numbers in range: telling NaN and infinity in what comes in, and refusing them in what goes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj

from a2a.linalg import Array

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def all_finite(array: Array) -> bool:
    """Whether no entry is NaN or infinite; a finite sum proves it, for far less than asking every entry."""
    xp = array_namespace(array)
    with np.errstate(over="ignore", invalid="ignore"):
        total = xp.sum(array)
    return bool(xp.isfinite(total)) or bool(xp.all(xp.isfinite(array)))


def within_range(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """The function, with a ValueError in place of a result that holds infinity or NaN.

    What it returns is looked at, and not the processor's flags, which some BLAS libraries raise for nothing.
    """

    @wraps(function)
    def checked(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        with np.errstate(over="ignore", invalid="ignore"):
            result = function(*arguments, **options)
        values = vars(result).values() if is_dataclass(result) else result if isinstance(result, tuple) else [result]
        numbers = [value for value in values if isinstance(value, float) or is_array_api_obj(value)]
        if not all(all_finite(np.asarray(value) if isinstance(value, float) else value) for value in numbers):
            name = function.__name__.strip("_")
            raise ValueError(f"{name} must stay within the range of its numbers, got infinity or NaN: scale its input")
        return result

    return checked
