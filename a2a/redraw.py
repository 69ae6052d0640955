"""A partner that redraws its prompt: fresh standard normal examples at every turn, labelled by the same objective.

Notation: the first agent's error is e, the gap between the objectives is Delta, and u = Delta - e is what the second
agent sees of it. With a fresh geometry S in every turn they become e' = P (e + eta_B S u) and -(I - eta_B S) u.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays
from a2a.affine import AffineMap
from a2a.finite import within_range
from a2a.linalg import Array, apply, identity, matvec, product, transpose


class RedrawingAgent:
    """A gradient agent that reads n fresh standard normal examples of its objective theta (..., d) at every turn.

    Called on w (..., d) it answers w + eta S (theta - w), with a new S for every vector; not finite where that leaves
    the range of numbers.

    Raises:
        ValueError: if eta isn't positive or n isn't a whole number of at least 1.
    """

    def __init__(self, theta: Any, eta: float, n: int, rng: np.random.Generator) -> None:
        self.theta, self.rng = arrays.copy(arrays.vector("theta", theta)), arrays.generator("rng", rng)
        self.eta, self.n = arrays.positive_float("eta", eta), arrays.positive_int("n", n)

    def __call__(self, w: Any) -> Array:
        w = arrays.vector("w", w, int(self.theta.shape[-1]))
        arrays.namespace(theta=self.theta, w=w)
        with np.errstate(over="ignore", invalid="ignore"):
            off = self.theta - w
            X = arrays.standard_normal(self.rng, (*off.shape[:-1], self.n, off.shape[-1]), like=off)
            return w + self.eta / self.n * matvec(transpose(X), matvec(X, off))


@within_range
def redraw_factor(n: int, d: int, eta: float) -> float:
    """The factor c = (1 - eta)^2 + eta^2 (d + 1) / n by which a redrawing agent multiplies the mean square of an error.

    E (I - eta S)^2 = c I for the geometry S of n standard normal examples in d dimensions.

    Raises:
        ValueError: if the factor leaves the range of numbers.
    """
    n, d, eta = arrays.positive_int("n", n), arrays.positive_int("d", d), arrays.positive_float("eta", eta)
    # products: a power of a Python float that leaves the range is an error of its own kind
    return (1 - eta) * (1 - eta) + eta * eta * (d + 1) / n


@within_range
def redrawn_mean_squares(
    first: AffineMap, gap: Any, error: Any, eta: float, n: int, turns: int
) -> Float[Array, "2 turns *batch"]:
    """Mean squares of both agents' errors, turn by turn, where the second one redraws its n examples every turn.

    E S = I and E S C S = (1 + 1/n) C + tr(C)/n I for symmetric C, the second moment of a Wishart matrix, close the
    recursion of mean and second moment of the first agent's error. The mean squares stay bounded where
    `redraw_factor` < 1 and |P| <= 1.

    Args:
        first: the agent that keeps its map; (..., d).
        gap: the second agent's objective minus the first one's, (..., d).
        error: what the first agent wrote in the first of these turns, minus its objective, (..., d).
        eta: the second agent's step size.
        n: its examples in a turn.
        turns: how many turns.

    Raises:
        ValueError: if the mean squares leave the range of numbers.
    """
    n, eta = arrays.positive_int("n", n), arrays.positive_float("eta", eta)
    mean, gap = arrays.vector("error", error, first.d), arrays.vector("gap", gap, first.d)
    xp = arrays.namespace(error=mean, gap=gap, first=first.M)
    factor, moment, squares = redraw_factor(n, first.d, eta), _outer(mean, mean), []
    for _ in range(arrays.positive_int("turns", turns)):
        off_target = _off_target(mean, moment, gap)
        squares.append(xp.stack([apply("trace", moment), factor * apply("trace", off_target)]))
        inner = moment + 2 * eta * (_symmetric(_outer(mean, gap)) - moment) + eta * eta * _between(off_target, n)
        mean, moment = matvec(first.M, mean + eta * (gap - mean)), product(first.M, inner, transpose(first.M))
    return xp.stack(squares, axis=1)


def _off_target(mean: Array, moment: Array, gap: Array) -> Array:
    """Second moment of u = gap - e, from mean and second moment of e."""
    return _outer(gap, gap) - 2 * _symmetric(_outer(gap, mean)) + moment


def _between(C: Array, n: int) -> Array:
    """E S C S for the geometry S of n standard normal examples and a symmetric C (..., d, d)."""
    return (1 + 1 / n) * C + apply("trace", C)[..., None, None] / n * identity(C)


def _outer(a: Array, b: Array) -> Array:
    return a[..., :, None] * b[..., None, :]


def _symmetric(C: Array) -> Array:
    return (C + transpose(C)) / 2
