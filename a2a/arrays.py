"""The one door for arrays: NumPy or torch in, the same kind out; floating point, finite, of the right shape.

Every function of the package calls these on what it is given, so that a wrong shape, a NaN or a mixture of
NumPy and torch is named where it came in and not three calls later.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array, is_torch_namespace

from a2a import linalg
from a2a.linalg import Array, largest_entry, transpose
from a2a.plain import brief, floating


def namespace(**arrays: Array) -> ModuleType:
    """The array namespace that all `arrays` share; ValueError naming them when they can't be used together.

    NumPy promotes a mixture of precisions; torch doesn't, nor does it mix devices.
    """
    try:
        xp = array_namespace(*arrays.values())
    except TypeError as error:
        kinds = _each_kind({name: type(value).__module__ for name, value in arrays.items()})
        raise ValueError(f"all arrays must come from one library, but {kinds}") from error
    if is_torch_namespace(xp) and len({(value.dtype, value.device) for value in arrays.values()}) > 1:
        kinds = _each_kind({name: f"{value.dtype} on {value.device}" for name, value in arrays.items()})
        raise ValueError(f"all tensors must have one dtype and device, but {kinds}")
    return xp


def _each_kind(kinds: dict[str, str]) -> str:
    """Each kind once, by the first name of that kind: a ring may have a thousand agents."""
    first: dict[str, str] = {}
    for name, kind in kinds.items():
        first.setdefault(kind, name)
    return ", ".join(f"{name} is {kind}" for kind, name in first.items())


def matrix(name: str, value: Any, d: int | None = None) -> Array:
    """`value` as rows (..., n, d); ValueError if a dimension is missing or 0, or the last one is not `d`."""
    array = floating(name, value)
    if array.ndim < 2 or 0 in array.shape or (d is not None and array.shape[-1] != d):
        wanted = "(..., n, d) with no dimension of 0" if d is None else f"(..., n, {d})"
        raise ValueError(f"{name} must have shape {wanted}, got {tuple(array.shape)}")
    return array


def vector(name: str, value: Any, d: int | None = None) -> Array:
    """`value` as a vector of shape (..., d); ValueError if its last dimension is missing, 0 or not `d`."""
    array = floating(name, value)
    wanted = "(..., d) with no dimension of 0" if d is None else f"(..., {d})"
    if array.ndim < 1 or 0 in array.shape or (d is not None and array.shape[-1] != d):
        raise ValueError(f"{name} must have shape {wanted}, got {tuple(array.shape)}")
    return array


def direction(name: str, value: Any, d: int | None = None) -> Array:
    """`value` as a vector of shape (..., d) with a direction: ValueError if one is 0."""
    array = vector(name, value, d)
    if not bool(array_namespace(array).all((array != 0).any(axis=-1))):
        raise ValueError(f"{name} must have a direction, got a vector of zeros")
    return array


def square(name: str, value: Any, d: int | None = None) -> Array:
    """`value` as a matrix of shape (..., d, d); ValueError if it isn't square, is empty or is not `d` by `d`."""
    array = floating(name, value)
    wanted = "(..., d, d) with no dimension of 0" if d is None else f"(..., {d}, {d})"
    shape = tuple(array.shape)
    if len(shape) < 2 or shape[-1] != shape[-2] or 0 in shape or (d is not None and shape[-1] != d):
        raise ValueError(f"{name} must have shape {wanted}, got {shape}")
    return array


def symmetric(name: str, value: Any, d: int | None = None) -> Array:
    """`value` as a symmetric matrix of shape (..., d, d), each judged by its own size; ValueError with the gap."""
    array = square(name, value, d)
    xp = array_namespace(array)
    half = array / 2  # the difference of two halves can't overflow
    gaps, sizes = (xp.max(xp.abs(matrix), axis=(-2, -1)) for matrix in (half - transpose(half), half))
    wrong = gaps > tolerance(array) * sizes
    if bool(xp.any(wrong)):
        gap = 2 * xp.max(xp.where(wrong, gaps, 0.0)).item()
        raise ValueError(f"{name} must be symmetric, got entries that differ from their transpose by up to {gap:.3g}")
    return array


def covariance(name: str, value: Any, d: int | None = None) -> Array:
    """`value` as a symmetric positive semi-definite matrix (..., d, d); ValueError with the smallest eigenvalue."""
    array = symmetric(name, value, d)
    xp = array_namespace(array)
    least = linalg.apply("eigvalsh", array)[..., 0]
    wrong = least < -tolerance(array) * largest_entry(array)
    if bool(xp.any(wrong)):
        found = xp.min(xp.where(wrong, least, 0.0)).item()
        raise ValueError(f"{name} must be positive semi-definite, got an eigenvalue of {found:.3g}")
    return array


def step_size(name: str, value: Any, like: Array = None) -> Array:
    """A step size, a float or a batch (...), of the kind of `like` if given; ValueError unless it is positive."""
    array = floating(name, value)
    if 0 in array.shape or not bool((array > 0).all()):
        raise ValueError(f"{name} must be a positive step size, got {brief(value)}")
    if not array.ndim:
        return array.item()
    return copy(array if like is None else _converted(array, like))


def _converted(array: Array, like: Array) -> Array:
    """The array in the kind of `like`; a tensor that stays one keeps its gradient."""
    if is_torch_array(array) and is_torch_array(like):
        return array.to(like)
    numbers = array.detach().cpu().numpy() if is_torch_array(array) else copy(array)  # torch takes no reversed ones
    return array_namespace(like).asarray(numbers, dtype=like.dtype, device=device(like))


def positive_float(name: str, value: Any) -> float:
    """One number above 0; ValueError that says what came."""
    array = floating(name, value)
    if array.ndim or not array > 0:
        raise ValueError(f"{name} must be one positive number, got {brief(value)}")
    return array.item()


def share(name: str, value: Any) -> float:
    """One number between 0 and 1, neither of them; ValueError that says what came."""
    number = positive_float(name, value)
    if number >= 1:
        raise ValueError(f"{name} must be between 0 and 1, got {brief(value)}")
    return number


def standard_deviation(name: str, value: Any) -> float:
    """One number of at least 0; ValueError that says what came."""
    array = floating(name, value)
    if array.ndim or not array >= 0:
        raise ValueError(f"{name} must be a standard deviation >= 0, got {brief(value)}")
    return array.item()


def positive_int(name: str, value: Any) -> int:
    """A whole number of at least 1; ValueError that says what came."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {brief(value)}")
    return int(value)


def batch_shape(**shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that leading batch dimensions broadcast to; ValueError naming those that don't."""
    try:
        return np.broadcast_shapes(*shapes.values())
    except ValueError as error:
        got = ", ".join(f"{name} has {shape}" for name, shape in shapes.items())
        raise ValueError(f"batch dimensions must broadcast, but {got}") from error


def tolerance(array: Array) -> float:
    """Relative size below which numbers of this array's precision count as equal: 1e-13 d in float64, for d columns."""
    xp = array_namespace(array)
    return 512 * array.shape[-1] * float(xp.finfo(array.dtype).eps)


def generator(name: str, value: Any) -> np.random.Generator:
    """`value` if it is a NumPy generator, else a ValueError that says what came."""
    if not isinstance(value, np.random.Generator):
        raise ValueError(f"{name} must be a numpy.random.Generator, got {brief(value)}")
    return value


def standard_normal(rng: Any, shape: tuple[int, ...], like: Array) -> Array:
    """Independent standard normal numbers of the kind of `like`; ValueError if `rng` isn't a generator."""
    drawn = generator("rng", rng).standard_normal(shape)
    return array_namespace(like).asarray(drawn, dtype=like.dtype, device=device(like))


def not_vanished(name: str, product: Array, factor: Array) -> Array:
    """A finite `product` (..., n, m); ValueError if it overflowed, or is 0 where the `factor` is not."""
    product = floating(name, product)
    if bool(((largest_entry(product) == 0) & (largest_entry(factor) > 0)).any()):
        raise ValueError(f"{name} must not vanish, got numbers so small that their product is 0")
    return product


def copy(array: Array) -> Array:
    """The same numbers in memory of their own: what an agent does to them in place stays with the agent."""
    return array.clone() if is_torch_array(array) else array.copy()


def as_float(value: Array) -> Array:
    """A 0-d array as a Python float; anything larger as it is."""
    return value if value.ndim else value.item()
