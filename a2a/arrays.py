"""The one door for arrays: NumPy or torch in, the same kind out; floating point, finite, of the right shape.

Every function of the package calls these on what it is given, so that a wrong shape, a NaN or a mixture of
NumPy and torch is named where it came in and not three calls later.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_array_api_obj, is_torch_namespace
from jaxtyping import Float

Array = Any
"""A NumPy array or a torch tensor."""


def namespace(**arrays: Array) -> ModuleType:
    """The array namespace that all `arrays` share; ValueError naming them when they can't be used together.

    NumPy promotes a mixture of precisions; torch doesn't, nor does it mix devices.
    """
    try:
        xp = array_namespace(*arrays.values())
    except TypeError as error:
        kinds = ", ".join(f"{name} is {type(value).__module__}" for name, value in arrays.items())
        raise ValueError(f"all arrays must come from one library, but {kinds}") from error
    if is_torch_namespace(xp) and len({(value.dtype, value.device) for value in arrays.values()}) > 1:
        kinds = ", ".join(f"{name} is {value.dtype} on {value.device}" for name, value in arrays.items())
        raise ValueError(f"all tensors must have one dtype and device, but {kinds}")
    return xp


def floating(name: str, value: Any) -> Array:
    """`value` as a floating-point array: its own dtype if that is one, float64 otherwise; ValueError if not finite."""
    try:
        array = value if is_array_api_obj(value) else np.asarray(value)
        xp = array_namespace(array)
        if xp.isdtype(array.dtype, ("bool", "integral")):
            array = xp.astype(array, xp.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{name} must hold real numbers, got {value!r}") from error
    if not xp.isdtype(array.dtype, "real floating"):
        raise ValueError(f"{name} must hold real numbers, got {array.dtype} in {value!r}")
    if not _all_finite(array):
        raise ValueError(f"{name} must be finite, got NaN or infinity in an array of shape {tuple(array.shape)}")
    return array


def _all_finite(array: Array) -> bool:
    """Whether no entry is NaN or infinite; a finite sum proves it, for far less than asking every entry."""
    xp = array_namespace(array)
    with np.errstate(over="ignore", invalid="ignore"):
        total = xp.sum(array)
    return bool(xp.isfinite(total)) or bool(xp.all(xp.isfinite(array)))


def vector(name: str, value: Any, d: int | None = None) -> Array:
    """`value` as a vector of shape (..., d); ValueError if its last dimension is missing, 0 or not `d`."""
    array = floating(name, value)
    wanted = "(..., d) with no dimension of 0" if d is None else f"(..., {d})"
    if array.ndim < 1 or 0 in array.shape or (d is not None and array.shape[-1] != d):
        raise ValueError(f"{name} must have shape {wanted}, got {tuple(array.shape)}")
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
    """`value` as a symmetric matrix of shape (..., d, d); ValueError that gives the largest asymmetry."""
    array = square(name, value, d)
    xp = array_namespace(array)
    gap = xp.max(xp.abs(array - transpose(array))).item()
    if gap > tolerance(array) * xp.max(xp.abs(array)).item():
        raise ValueError(f"{name} must be symmetric, got entries that differ from their transpose by up to {gap:.3g}")
    return array


def covariance(name: str, value: Any, d: int | None = None) -> Array:
    """`value` as a symmetric positive semi-definite matrix (..., d, d); ValueError with the smallest eigenvalue."""
    array = symmetric(name, value, d)
    xp = array_namespace(array)
    eigenvalues = xp.linalg.eigvalsh(array)
    if bool((eigenvalues[..., 0] < -tolerance(array) * xp.abs(eigenvalues[..., -1])).any()):
        least = xp.min(eigenvalues).item()
        raise ValueError(f"{name} must be positive semi-definite, got an eigenvalue of {least:.3g}")
    return array


def step_size(name: str, value: Any, like: Array = None) -> Array:
    """A step size, a float or a batch (...), of the kind of `like` if given; ValueError unless it is positive."""
    array = floating(name, value)
    if not bool((array > 0).all()):
        raise ValueError(f"{name} must be a positive step size, got {value!r}")
    if not array.ndim:
        return array.item()
    if like is None:
        return array
    return array_namespace(like).asarray(array, dtype=like.dtype, device=device(like))


def positive_float(name: str, value: Any) -> float:
    """One number above 0; ValueError that says what came."""
    array = floating(name, value)
    if array.ndim or not array > 0:
        raise ValueError(f"{name} must be one positive number, got {value!r}")
    return array.item()


def standard_deviation(name: str, value: Any) -> float:
    """One number of at least 0; ValueError that says what came."""
    array = floating(name, value)
    if array.ndim or not array >= 0:
        raise ValueError(f"{name} must be a standard deviation >= 0, got {value!r}")
    return array.item()


def positive_int(name: str, value: Any) -> int:
    """A whole number of at least 1; ValueError that says what came."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
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


def standard_normal(rng: Any, shape: tuple[int, ...], like: Array) -> Array:
    """Independent standard normal numbers of the kind of `like`; ValueError if `rng` isn't a generator."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, got {rng!r}")
    return array_namespace(like).asarray(rng.standard_normal(shape), dtype=like.dtype, device=device(like))


def identity(like: Float[Array, "*batch d"]) -> Float[Array, "d d"]:
    """The identity of the last dimension, dtype and device of `like`."""
    xp = array_namespace(like)
    return xp.eye(like.shape[-1], dtype=like.dtype, device=device(like))


def transpose(matrix: Float[Array, "*batch n d"]) -> Float[Array, "*batch d n"]:
    """Swap the last two dimensions."""
    return array_namespace(matrix).matrix_transpose(matrix)


def matvec(matrix: Float[Array, "*#batch n d"], w: Float[Array, "*#batch d"]) -> Float[Array, "*both n"]:
    """matrix @ w over leading batch dimensions; shape (..., n)."""
    if matrix.ndim == 2:
        return w @ transpose(matrix)  # one product for the whole batch
    xp = array_namespace(matrix)
    if hasattr(xp, "matvec"):  # NumPy's own, about twice as fast on small matrices; torch has none
        return xp.matvec(matrix, w)
    return (matrix @ w[..., None])[..., 0]


def solve(matrix: Float[Array, "*#batch d d"], v: Float[Array, "*#batch d"]) -> Float[Array, "*both d"]:
    """The solution x of matrix x = v over leading batch dimensions; shape (..., d)."""
    return array_namespace(matrix).linalg.solve(matrix, v[..., None])[..., 0]


def pseudo_inverse(matrix: Float[Array, "*batch d d"]) -> Float[Array, "*batch d d"]:
    """Moore-Penrose inverse, in which a direction that only rounding sees counts as unseen."""
    return array_namespace(matrix).linalg.pinv(matrix, rtol=tolerance(matrix))


def norm(v: Float[Array, "*batch d"]) -> Float[Array, "*batch"]:
    """Euclidean norm over the last dimension."""
    return array_namespace(v).linalg.vector_norm(v, axis=-1)


def operator_norm(matrix: Float[Array, "*batch n d"]) -> Float[Array, "*batch"]:
    """Largest singular value."""
    return array_namespace(matrix).linalg.svdvals(matrix)[..., 0]


def as_float(value: Array) -> Array:
    """A 0-d array as a Python float; anything larger as it is."""
    return value if value.ndim else value.item()
