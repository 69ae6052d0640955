"""Whether two agents that take turns settle, and how fast, told from steps of any size.

With P = I - A and Q = I - B, a full turn P Q has the eigenvalues 1 - mu, mu those of I - P Q = A + B - A B, which keeps
the digits of small steps. Where P is positive semi-definite, the mu are those of the symmetric A + P^1/2 B P^1/2: real,
cheap and accurate. Complex ones need both P and Q indefinite.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from jaxtyping import Bool, Float

from a2a import arrays, linalg
from a2a.affine import AffineMap
from a2a.arrays import Array
from a2a.linalg import eigh, product, transpose
from a2a.solving import filling, projector


@dataclass(frozen=True, eq=False)
class Contraction:
    """What one full turn of a pair does to an error.

    Attributes:
        rate: spectral radius of P Q without the directions that neither sees, shape (...).
        settles: whether rate < 1 in the directions that one of them sees, (...).
        share: the smallest |mu| as a share of the largest, (...): 0 if some direction that is seen isn't moved.
        unseen: projector on the directions that neither prompt sees, (..., d, d); 0 for general maps.
    """

    rate: Float[Array, "*batch"]
    settles: Bool[Array, "*batch"]
    share: Float[Array, "*batch"]
    unseen: Float[Array, "*#batch d d"]


def contraction(first: AffineMap, second: AffineMap) -> Contraction:
    """What one full turn does, for each pair of a batch.

    Two symmetric maps, as gradient agents are, with all eigenvalues of A and B in [0, 2) contract whatever one of them
    sees, however small the steps: |P Q w| < |w| unless A w = B w = 0. Other pairs settle if their rate is below 1 by
    more than rounding.
    """
    if first.symmetric and second.symmetric:
        return _of_symmetric_maps(_Spectrum.of(first.step), _Spectrum.of(second.step))
    return contraction_of_ring([second, first])


def contraction_of_ring(agents: Sequence[AffineMap]) -> Contraction:
    """What one round of a ring does, told from steps of any size if all its maps are symmetric."""
    turn = reduce(lambda before, agent: agent @ before, agents)
    mu = linalg.apply("eigvals", turn.step)
    rate = _largest(1 - mu)
    exact = all(agent.symmetric for agent in agents)
    settles = _clearly_inside(mu) if exact else rate < 1 - arrays.tolerance(turn.M)
    return Contraction(rate, settles, _share(mu), arrays.namespace(M=turn.M).zeros_like(turn.M))


@dataclass(frozen=True, eq=False)
class _Spectrum:
    """A symmetric matrix (..., d, d) with its eigenvalues, ascending, (..., d), and eigenvectors (..., d, d)."""

    matrix: Float[Array, "*batch d d"]
    values: Float[Array, "*batch d"]
    vectors: Float[Array, "*batch d d"]

    @classmethod
    def of(cls, matrix: Float[Array, "*batch d d"]) -> _Spectrum:
        return cls(matrix, *eigh(matrix))

    def map(self, values: Float[Array, "*batch d"]) -> Float[Array, "*batch d d"]:
        """The matrix with these eigenvalues in place of its own."""
        return product(self.vectors * values[..., None, :], transpose(self.vectors))

    @property
    def rounding(self) -> Float[Array, "*batch"]:
        """Size below which an eigenvalue may be rounding."""
        return arrays.tolerance(self.matrix) * _largest(self.values)

    @property
    def leaves_a_root(self) -> Bool[Array, "*batch"]:
        """Whether I - matrix is positive semi-definite."""
        return self.values[..., -1] <= 1 + self.rounding

    @property
    def is_stable(self) -> Bool[Array, "*batch"]:
        """Whether all eigenvalues are in [0, 2)."""
        return (self.values[..., 0] >= -self.rounding) & (self.values[..., -1] < 2 - self.rounding)


def _of_symmetric_maps(A: _Spectrum, B: _Spectrum) -> Contraction:
    unseen = _unseen(A, B)
    mu = _moved(A, B, unseen)
    settles = (A.is_stable & B.is_stable) | _clearly_inside(mu)
    return Contraction(_largest(1 - mu), settles, _share(mu), unseen)


def _unseen(A: _Spectrum, B: _Spectrum) -> Float[Array, "*batch d d"]:
    """Projector on the directions that A and B both miss, each by its own size: a small step hides nothing."""
    by_A, by_B = (one.map(abs(one.values)) / filling(one.matrix)[..., None, None] for one in (A, B))
    seen = _Spectrum.of(by_A + by_B)
    missing = seen.values <= seen.rounding[..., None]
    if not bool(missing.any()):  # and no gradient through eigenvectors, which is NaN where eigenvalues meet
        return arrays.array_namespace(seen.matrix).zeros_like(seen.matrix)
    return projector(seen.vectors, missing)


def _moved(A: _Spectrum, B: _Spectrum, unseen: Float[Array, "*batch d d"]) -> Array:
    """The mu of each pair, real or complex, (..., d); in an unseen direction, which has none, the mean of the others.

    The mean lies in their convex hull: it can't be the one that decides.
    """
    xp = arrays.namespace(unseen=unseen)
    turn = arrays.floating("A + B - A B", A.matrix + B.matrix - product(A.matrix, B.matrix))
    left = unseen.shape[-1] - xp.linalg.trace(unseen)
    mean = xp.where(left > 0.5, xp.linalg.trace(turn) / xp.where(left > 0.5, left, 1.0), 1.0)
    filled = mean[..., None, None] * unseen
    symmetric = xp.where(A.leaves_a_root[..., None, None], _symmetric(A, B), _symmetric(B, A))
    mu = linalg.apply("eigvalsh", symmetric + filled)
    real = A.leaves_a_root | B.leaves_a_root
    if bool(real.all()):
        return mu
    return xp.where(real[..., None], mu, linalg.apply("eigvals", turn + filled))


def _symmetric(A: _Spectrum, B: _Spectrum) -> Float[Array, "*batch d d"]:
    """I - P^1/2 Q P^1/2 = A + P^1/2 B P^1/2, nonsense where P isn't positive semi-definite."""
    root = A.map(arrays.namespace(A=A.matrix).clip(1 - A.values, 0.0) ** 0.5)
    return A.matrix + product(root, B.matrix, root)


def _clearly_inside(mu: Array) -> Bool[Array, "*batch"]:
    """Whether all |1 - mu| are below 1 by more than rounding, told from 1 - |1 - mu|^2."""
    return _least(2 * mu.real - abs(mu) ** 2) > arrays.tolerance(mu.real) * _largest(mu)


def _largest(values: Array) -> Float[Array, "*batch"]:
    return arrays.namespace(values=values).max(abs(values), axis=-1)


def _least(values: Array) -> Float[Array, "*batch"]:
    return arrays.namespace(values=values).min(values, axis=-1)


def _share(mu: Array) -> Float[Array, "*batch"]:
    xp = arrays.namespace(mu=mu)
    largest = _largest(mu)
    return xp.where(largest > 0, _least(abs(mu)) / xp.where(largest > 0, largest, 1.0), 0.0)
