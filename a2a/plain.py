"""What counts as a plain array of real numbers, and what a message says of anything else."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj, is_numpy_array, is_torch_array

from a2a.finite import all_finite
from a2a.linalg import Array

LONGEST = 80
"""Characters that a message quotes of what came."""


def brief(value: Any) -> str:
    """The value in one short line, however large it is."""
    try:
        shown = " ".join(reprlib.repr(value).split())
    except ValueError:  # Python writes no whole number of more than 4300 digits
        shown = f"a {type(value).__name__} too long to show"
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 3] + "..."


def floating(name: str, value: Any) -> Array:
    """`value` as an array of float32 or float64, integers as float64; ValueError for other types and if not finite."""
    array = real(name, value)
    if not all_finite(array):
        raise ValueError(f"{name} must be finite, got NaN or infinity in an array of shape {tuple(array.shape)}")
    return array


def in_numpy(name: str, value: Any) -> np.ndarray:
    """`value` as a finite NumPy array, for what computes in NumPy alone; ValueError for a tensor."""
    array = floating(name, value)
    if not is_numpy_array(array):
        raise ValueError(f"{name} must be a NumPy array, got a {type(array).__name__} of {array.dtype}")
    return np.asarray(array)


def real(name: str, value: Any) -> Array:
    """`value` as an array of float32 or float64, integers as float64, finite or not; ValueError for other types."""
    array = _plain(name, value)
    xp = array_namespace(array)
    if xp.isdtype(array.dtype, ("bool", "integral")):
        array = xp.astype(array, xp.float64)
    if not xp.isdtype(array.dtype, "real floating"):
        raise ValueError(f"{name} must hold real numbers, got {brief(array.dtype)} in {brief(value)}")
    if array.dtype not in (xp.float32, xp.float64):
        raise ValueError(f"{name} must be of type float32 or float64, got {array.dtype}")
    return array


def _plain(name: str, value: Any) -> Array:
    """`value` as an array all of whose entries are there to be read; ValueError for sparse, masked and other kinds.

    NumPy's subclasses become arrays: for a matrix `*` is another product.
    """
    if _is_masked(value):
        raise ValueError(f"{name} must be a plain array, got a masked one: fill it or drop the masked entries")
    if is_torch_array(value):
        return _plain_tensor(name, value)
    if is_array_api_obj(value) and not isinstance(value, np.ndarray):
        return value
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must hold real numbers, got {brief(value)}") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, got {brief(array.dtype)} in {brief(value)}")
    return array


def _is_masked(value: Any, depth: int = 64) -> bool:
    """Whether it is a masked array or a list of such, to the depth that NumPy reads: it would drop their masks."""
    if depth and isinstance(value, list | tuple):
        only_numbers = {*map(type, value)} <= {float, int}  # of a million a call each takes longer than all the rest
        return not only_numbers and any(_is_masked(one, depth - 1) for one in value)
    return isinstance(value, np.ma.MaskedArray)


def _plain_tensor(name: str, tensor: Array) -> Array:
    if tensor.is_meta:
        kind = "one without data (meta)"
    elif tensor.layout != array_namespace(tensor).strided:
        kind = f"a sparse one ({tensor.layout})"
    elif tensor.is_nested or type(tensor).__name__ not in ("Tensor", "Parameter"):
        kind = "a nested one" if tensor.is_nested else f"a {type(tensor).__name__}"
    else:
        return tensor
    raise ValueError(f"{name} must be a plain tensor, got {kind}")
