"""Linear algebra over leading batch dimensions: NumPy or torch in, the same kind out.

Nothing is checked here: what comes in has passed the door, `a2a.arrays`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import reduce
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array
from jaxtyping import Float

from a2a.threads import ONE_BLAS_THREAD

Array = Any
"""A NumPy array or a torch tensor."""


def apply(function: str, *matrices: Array, **options: Any) -> Any:
    """A function of the arrays' own `linalg`: on a stack of small NumPy matrices with one BLAS thread.

    With two threads, which wait for each other at every matrix, a busy machine takes ten times as long and more.
    torch's threads are its own.
    """
    call: Callable[..., Any] = getattr(array_namespace(*matrices).linalg, function)
    stacked = any(matrix.ndim > 2 for matrix in matrices)
    small = stacked and matrices[0].shape[-1] <= 256 and not is_torch_array(matrices[0])
    with ONE_BLAS_THREAD if small else nullcontext():
        return call(*matrices, **options)


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


def product(*matrices: Float[Array, "*#batch _ _"]) -> Float[Array, "*both _ _"]:
    """The matrix product of all, from left to right, over leading batch dimensions."""
    return reduce(lambda left, right: apply("matmul", left, right), matrices)


def solve(matrix: Float[Array, "*#batch d d"], v: Float[Array, "*#batch d"]) -> Float[Array, "*both d"]:
    """The solution x of matrix x = v over leading batch dimensions; shape (..., d)."""
    return apply("solve", matrix, v[..., None])[..., 0]


def largest_entry(matrix: Float[Array, "*batch n d"]) -> Float[Array, "*batch"]:
    """Largest absolute entry of each matrix."""
    xp = array_namespace(matrix)
    return xp.max(xp.abs(matrix), axis=(-2, -1))


def power_of_two(size: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
    """The largest power of 2 up to a positive size: a unit that changes no digits."""
    xp = array_namespace(size)
    return 2.0 ** xp.floor(xp.log2(size))


def norm(v: Float[Array, "*batch d"]) -> Float[Array, "*batch"]:
    """Euclidean norm over the last dimension, scaled where squares would leave the range; infinite where it does."""
    xp = array_namespace(v)
    with np.errstate(over="ignore", under="ignore"):
        plain = xp.linalg.vector_norm(v, axis=-1)
    root = float(xp.finfo(v.dtype).smallest_normal) ** 0.5
    in_range = (plain > root / float(xp.finfo(v.dtype).eps)) & (plain < 1 / root)
    if bool(xp.all(in_range)):
        return plain
    size = xp.max(xp.abs(v), axis=-1)
    as_it_is = in_range | (size == 0) | ~xp.isfinite(size)
    unit = xp.where(as_it_is, 1.0, size)
    with np.errstate(over="ignore"):
        return xp.where(as_it_is, plain, xp.linalg.vector_norm(v / unit[..., None], axis=-1) * unit)


def unit(v: Float[Array, "*batch d"]) -> Float[Array, "*batch d"]:
    """v / |v|, of vectors of any size but 0."""
    v = v / array_namespace(v).max(abs(v), axis=-1, keepdims=True)
    return v / norm(v)[..., None]


def operator_norm(matrix: Float[Array, "*batch n d"]) -> Float[Array, "*batch"]:
    """Largest singular value."""
    return apply("svdvals", matrix)[..., 0]


def eigh(matrix: Float[Array, "*batch d d"]) -> tuple[Float[Array, "*batch d"], Float[Array, "*batch d d"]]:
    """Eigenvalues, ascending, and orthonormal eigenvectors, in columns, of a symmetric matrix."""
    values, vectors = apply("eigh", matrix)
    return values, vectors
