"""The noise floor: what two agents write when each output is noisy, however long they take turns."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from a2a import arrays
from a2a.affine import AffineMap, fit_together
from a2a.arrays import Array
from a2a.finite import within_range
from a2a.linalg import identity, largest_entry, product, transpose
from a2a.stability import settling


@within_range
def noise_floor(first: AffineMap, second: AffineMap, noise_first: Any, noise_second: Any) -> tuple[Array, Array]:
    """Stationary covariances (..., d, d) of what the first and the second agent write when their outputs are noisy.

    noise_first and noise_second are the covariances (..., d, d) of the independent noise on each output. The mean
    squared error of an agent is then |bias|^2 plus the trace of its covariance.

    Raises:
        UnstableInteraction: if the rate is 1 or more.
        ValueError: if a covariance isn't a symmetric positive semi-definite (..., d, d).
    """
    fit_together(AffineMap, first=first, second=second)
    P, Q = first.M, second.M
    settling(first, second, unseen_allowed=False)
    C_first = arrays.covariance("noise_first", noise_first, first.d)
    C_second = arrays.covariance("noise_second", noise_second, first.d)
    matrices = {"first": P, "second": Q, "noise_first": C_first, "noise_second": C_second}
    arrays.namespace(**matrices)
    arrays.batch_shape(**{name: tuple(matrix.shape[:-2]) for name, matrix in matrices.items()})
    cov_second = _stationary_covariance((second @ first).step, product(Q, C_first, transpose(Q)) + C_second)
    return product(P, cov_second, transpose(P)) + C_first, cov_second


def _stationary_covariance(K: Float[Array, "*#batch d d"], C: Float[Array, "*#batch d d"]) -> Float[Array, "*both d d"]:
    """The solution of Sigma = A Sigma A^T + C for A = I - K by doubling: it adds 2^k terms of the series in k steps.

    I - A^2 = K (2 I - K) keeps the digits of small steps. SciPy's solver takes neither batches nor torch tensors.
    """
    xp = arrays.namespace(C=C)
    eye, sigma = identity(C), C
    for _ in range(1100):  # more than the smallest step needs to become 1
        new = sigma + product(eye - K, sigma, transpose(eye - K))
        change, size = largest_entry(new - sigma), largest_entry(new)
        if bool(xp.all(change <= arrays.tolerance(C) * 1e-3 * size)):
            return new
        sigma, K = new, product(K, 2 * eye - K)
    return sigma
