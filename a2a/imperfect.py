"""Helpers that see or know less than the Newton helper does, and what an exchange with them does to an error."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays, linalg
from a2a.affine import AffineMap, fit_together
from a2a.agents import Agent, GradientAgent, answer
from a2a.finite import within_range
from a2a.helper import Helper, newton_target, probe
from a2a.linalg import Array, eigh, identity, matvec, operator_norm, product, transpose
from a2a.plain import brief, in_numpy
from a2a.solving import solve_seen


def partly_sighted(
    rng: np.random.Generator, rank: int, theta: Any, eta: float
) -> tuple[GradientAgent, Float[np.ndarray, "*batch unseen d"]]:
    """Agents whose prompts show `rank` random directions equally well, with an eigenvalue of 1, and no other direction.

    Args:
        rng: the generator that the directions are drawn from.
        rank: how many directions are seen, 0 to d.
        theta: objectives, (..., d).
        eta: step size.

    Returns:
        the agents, and an orthonormal basis of what each misses, one direction a row.

    Raises:
        ValueError: if `rank` isn't between 0 and d.
    """
    theta, eta = in_numpy("theta", arrays.vector("theta", theta)), arrays.positive_float("eta", eta)
    d = theta.shape[-1]
    if not 0 <= rank <= d:
        raise ValueError(f"rank must be between 0 and d = {d}, got {rank}")
    directions = transpose(linalg.apply("qr", arrays.standard_normal(rng, (*theta.shape, d), like=theta))[0])
    seen = directions[..., d - rank :, :]
    S = product(transpose(seen), seen)
    return GradientAgent((S + transpose(S)) / 2, theta, eta), directions[..., : d - rank, :]


@within_range
def wrong_hessian(
    rng: np.random.Generator, S: Float[np.ndarray, "*batch d d"], sigma: Any
) -> Float[np.ndarray, "*batch d d"]:
    """A symmetric positive definite H with (1 - sigma) S <= H <= (1 + sigma) S, and no smaller sigma.

    Args:
        S: the true Hessian, positive definite.
        sigma: relative error, a batch (...) of numbers in [0, 1).
    """
    S, sigma = in_numpy("S", arrays.covariance("S", S)), in_numpy("sigma", sigma)
    if not bool(((sigma >= 0) & (sigma < 1)).all()):
        raise ValueError(f"sigma must be in [0, 1), got {brief(sigma)}")
    if arrays.batch_shape(S=S.shape[:-2], sigma=sigma.shape) != S.shape[:-2]:
        raise ValueError(f"sigma must have shape {S.shape[:-2]} as S has matrices, got {sigma.shape}")
    W = arrays.standard_normal(rng, S.shape, like=S)
    W = W + transpose(W)
    W *= (sigma / operator_norm(W))[..., None, None]
    values, vectors = eigh(S)
    root = product(vectors * np.sqrt(values.clip(0))[..., None, :], transpose(vectors))
    H = product(root, identity(S) + W, root)
    return (H + transpose(H)) / 2


@within_range
def exchange_matrix(main: GradientAgent, hessian: Float[Array, "*batch d d"]) -> Float[Array, "*batch d d"]:
    """What an exchange does to an error if the helper takes `hessian` for the main agent's: (I - H^-1 S_A) P.

    Directions that the hessian misses are left uncorrected, as by `newton_target`.

    Raises:
        ValueError: if the hessian is so small that its inverse leaves the range of numbers.

    Warns:
        IllConditioned: if the hessian is so ill-conditioned that the matrix may be off by more than 1/100.
    """
    hessian = arrays.symmetric("hessian", hessian, main.d)
    arrays.namespace(**{"hessian": hessian, "the main agent": main.S})
    solved = solve_seen("the hessian", hessian[..., None, :, :], transpose(main.S))  # column by column
    return product(identity(main.S) - transpose(solved), main.M)


@within_range
def root_loss(S: Float[Array, "*#batch d d"], error: Float[Array, "*#batch d"]) -> Float[Array, "*both"]:
    """The root of twice the regression loss of a prompt of geometry S at an error: sqrt(error^T S error)."""
    S = arrays.square("S", S)
    error = arrays.vector("error", error, int(S.shape[-1]))
    xp = arrays.namespace(S=S, error=error)
    return xp.sqrt(xp.clip(xp.sum(error * matvec(S, error), axis=-1), 0.0, None))


def rescaled_exchanges(
    main: Agent, helper: Agent, w0: Float[Array, "*batch d"], turns: int
) -> tuple[Float[Array, "turns *batch d"], Float[Array, "turns *batch d"]]:
    """What the main agent read and what the helper answered, each time scaled back to length 1.

    For a linear exchange, with the main agent's objective at the origin: nothing overflows or vanishes, and the lengths
    of the answers are the factors of the error.
    """
    w0 = arrays.direction("w0", w0)
    xp = arrays.namespace(w0=w0)
    read, answers = [linalg.unit(w0)], []
    for _ in range(arrays.positive_int("turns", turns)):
        answers.append(answer(helper, answer(main, read[-1])))
        read.append(linalg.unit(answers[-1]))
    return xp.stack(read[:-1]), xp.stack(answers)


class Identifying:
    """A target that probes: w0 plus each unit vector in turn, and then what the identified map leaves in place.

    For a helper that knows of the main agent only that it is affine. The d + 1 answers to w0 and to the probes are
    those of `a2a.probe`; what it writes from exchange d + 1 on is the fixed point of the map that they give.

    Args:
        w0: what the main agent reads first, (..., d). The main agent must write first.

    Raises:
        ValueError: if w0 isn't a finite (..., d), or the identified map has no unique fixed point.
    """

    def __init__(self, w0: Any) -> None:
        self.w0 = arrays.copy(arrays.vector("w0", w0))
        self.answers: list[Array] = []
        self.map: AffineMap | None = None

    def __call__(self, w: Any) -> Array:
        w, probes = arrays.vector("w", w, self.w0.shape[-1]), len(self.answers)
        arrays.namespace(w0=self.w0, w=w)
        if self.map is not None:
            return self.map.fixed_point()
        self.answers.append(arrays.copy(w))
        if probes < self.w0.shape[-1]:
            return self.w0 + identity(self.w0)[probes, :]
        replay = iter(self.answers)
        self.map = probe(lambda _: next(replay), self.w0)
        return self.map.fixed_point()


def newton_helper(
    agent: GradientAgent, main: GradientAgent, *, damping: float = 1.0, hessian: Array | None = None
) -> Helper:
    """A helper with the agent's prompt that aims at the main agent's Newton step, damped or with a Hessian of its own.

    `damping` and `hessian` are those of `newton_target`.
    """
    fit_together(GradientAgent, main=main)
    known = None if hessian is None else arrays.copy(arrays.symmetric("hessian", hessian, main.d))
    return Helper(agent, lambda w: newton_target(main, w, damping=damping, hessian=known))
