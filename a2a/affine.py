"""Affine maps w -> M w + c: what an agent is, and what two agents in a row are."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays, linalg
from a2a.arrays import Array
from a2a.finite import within_range
from a2a.linalg import product


class AffineMap:
    """The map f(w) = M w + c.

    M has shape (..., d, d) and c (..., d); leading batch dimensions broadcast, with those of the w it is called on too.
    Both are copied: what becomes of the arrays that it was made from doesn't change it.
    `g @ f` is the map that applies first f, then g.

    Raises:
        ValueError: if the shapes don't match or hold NaN or infinity.
    """

    symmetric = False
    """Whether `step` is symmetric and kept with all its digits: what follows from steps of any size is told from it.

    A subclass that keeps such a step says so. It gains exact rates and biases however small the step, and directions
    that no step moves are told apart from slow ones."""

    def __init__(self, M: Any, c: Any) -> None:
        self.M = arrays.copy(arrays.square("M", M))
        self.c = arrays.copy(arrays.vector("c", c, self.d))
        arrays.namespace(M=self.M, c=self.c)
        self.batch = arrays.batch_shape(M=tuple(self.M.shape[:-2]), c=tuple(self.c.shape[:-1]))

    @property
    def d(self) -> int:
        """Dimension of w."""
        return int(self.M.shape[-1])

    @cached_property
    def step(self) -> Float[Array, "*#batch d d"]:
        """I - M, shape (..., d, d): what the map takes off an error.

        Gradient agents, and maps composed of them, have it with all the digits that I - M loses to the 1.
        """
        return linalg.identity(self.M) - self.M

    def __call__(self, w: Any) -> Array:
        """M w + c for w of shape (..., d), not finite where that leaves the range of numbers."""
        with np.errstate(over="ignore", invalid="ignore"):
            return linalg.matvec(self.M, self.vector("w", w)) + self.c

    def vector(self, name: str, value: Any) -> Array:
        """`value` as a vector (..., d) that the map can be applied to; ValueError, by its name, if it isn't one."""
        value = arrays.vector(name, value, self.d)
        arrays.namespace(**{name: value, "the agent": self.M})
        arrays.batch_shape(**{name: tuple(value.shape[:-1]), "the agent": self.batch})
        return value

    def __matmul__(self, before: AffineMap) -> AffineMap:
        if not isinstance(before, AffineMap):
            return NotImplemented
        fit_together(AffineMap, outer=self, inner=before)
        return _composed(self, before)

    def fixed_point(self) -> Float[Array, "*batch d"]:
        """The one w with f(w) = w, shape (..., d), stable or not.

        Raises:
            ValueError: if I - M is singular, so that there is no fixed point or more than one.
        """
        singular_values = linalg.apply("svdvals", self.step)
        if bool((singular_values[..., -1] <= arrays.tolerance(self.step) * singular_values[..., 0]).any()):
            raise ValueError("no unique fixed point: I - M is singular, so some direction is never moved")
        return linalg.solve(self.step, self.c)

    def objective(self) -> Float[Array, "*batch d"]:
        """What the map settles on when left alone, shape (..., d).

        Raises:
            ValueError: if it has no fixed point or more than one, and doesn't know its objective otherwise.
        """
        return self.fixed_point()

    def shrinkage(self) -> Float[Array, "*#batch"]:
        """1 - |M|, shape (...): the share of every error that the map takes off at least; below 0 if some grow."""
        if not self.symmetric:
            return 1 - linalg.operator_norm(self.M)
        values = linalg.apply("eigvalsh", self.step)  # 1 - |M| has lost the digits of a small step
        return arrays.namespace(M=self.M).minimum(values[..., 0], 2 - values[..., -1])

    def spectral_radius(self) -> Float[Array, "*batch"] | float:
        """Largest modulus of an eigenvalue of M: the factor by which the slowest error shrinks a step."""
        return spectral_radius(self.M)


@within_range
def _composed(after: AffineMap, before: AffineMap) -> AffineMap:
    both = AffineMap(product(after.M, before.M), linalg.matvec(after.M, before.c) + after.c)
    both.step = after.step + before.step - product(after.step, before.step)
    return both


def fit_together(kind: type[AffineMap], **agents: Any) -> None:
    """ValueError, naming them, unless the agents are of that kind, one dimension and library, and broadcast."""
    for name, agent in agents.items():
        if not isinstance(agent, kind):
            wanted = "an AffineMap such as a GradientAgent" if kind is AffineMap else f"a {kind.__name__}"
            raise ValueError(f"{name} must be {wanted}, got {type(agent).__name__}")
    if len({agent.d for agent in agents.values()}) > 1:
        got = ", ".join(f"{name} has d = {agent.d}" for name, agent in agents.items())
        raise ValueError(f"the agents must have one dimension, but {got}")
    arrays.namespace(**{name: agent.M for name, agent in agents.items()})
    arrays.batch_shape(**{name: agent.batch for name, agent in agents.items()})


@within_range
def spectral_radius(M: Float[Array, "*batch d d"]) -> Float[Array, "*batch"] | float:
    """Largest modulus of an eigenvalue of M (..., d, d), shape (...); a float for a single matrix.

    Raises:
        ValueError: if M isn't square, holds NaN or infinity, or has eigenvalues beyond the range of numbers.
    """
    M = arrays.square("M", M)
    xp = arrays.namespace(M=M)
    return arrays.as_float(xp.max(xp.abs(linalg.apply("eigvals", M)), axis=-1))
