"""Where the turns lead: the equilibrium of two agents, its bias, its gain, its noise floor, and when there is none.

Notation: the first agent writes a = P b + (I - P) theta_A, the second b = Q a + (I - Q) theta_B, with
P = I - eta_A S_A, Q = I - eta_B S_B and the gap Delta = theta_B - theta_A between the objectives. a* is what the first
has just written, b* what the second has just written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays
from a2a.affine import AffineMap, fit_together
from a2a.agents import GradientAgent, gap_between, objective
from a2a.arrays import (
    Array,
    as_float,
    identity,
    largest_entry,
    linalg,
    matvec,
    operator_norm,
    product,
    transpose,
    within_range,
)
from a2a.contraction import Contraction, contraction, contraction_of_ring
from a2a.solving import filling, smallest_share, solve_seen, warn_if_ill_conditioned


class UnstableInteraction(ValueError):
    """The turns don't settle: the spectral radius of one full turn, `rate`, is 1 or more."""

    def __init__(self, rate: Any, hint: str = "") -> None:
        super().__init__(
            f"the turns must contract to settle, got a spectral radius of {rate:.6g} (wanted: below 1){hint}"
        )
        self.rate = rate


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """Where two agents settle.

    Attributes:
        first, second: the fixed points a* and b*, (..., d).
        bias_first, bias_second: fixed point minus the agent's own objective, (..., d).
        gain_first, gain_second: the matrices that take the gap theta_B - theta_A to the bias (with the opposite sign
            for the second agent: bias_second = gain_second (theta_A - theta_B)), (..., d, d).
        rate: spectral radius of one full turn, a float or (...): the factor by which the slowest error shrinks a turn.
    """

    first: Float[Array, "*batch d"]
    second: Float[Array, "*batch d"]
    bias_first: Float[Array, "*batch d"]
    bias_second: Float[Array, "*batch d"]
    gain_first: Float[Array, "*#batch d d"]
    gain_second: Float[Array, "*#batch d d"]
    rate: Any


@within_range
def equilibrium(first: AffineMap, second: AffineMap, w0: Any = None, *, require_stable: bool = True) -> Equilibrium:
    """The equilibrium of two agents that alternate, the first one moving first (theory: biased equilibrium, paper A).

    Two gradient agents whose prompts leave a common direction unseen never move along it: pass the start w0 (..., d),
    and what it has in those directions stays in the answer, while bias, gain and rate speak of the others.
    With require_stable=False the fixed points of pairs that run away from them are given, too: see `rate`.

    The bias of gradient agents has all digits however small the steps: (A + B - AB) e_A = P B Delta, with A = eta_A S_A
    and B = eta_B S_B, loses none, as I - PQ would.

    Raises:
        UnstableInteraction: if the rate is 1 or more (for a batch: the largest one), which includes a common unseen
            direction when w0 isn't given.
        ValueError: if the agents don't fit together, one has no fixed point of its own to call its objective, or the
            pair has no unique fixed point.

    Warns:
        IllConditioned: if one direction moves so much less than another a turn that few digits of the bias are right.
    """
    fit_together(AffineMap, first=first, second=second)
    turn = _settling(first, second, w0 is not None, require_stable)
    gain_first = _gain(first, second, turn.unseen)
    gain_second = _gain(second, first, turn.unseen)
    theta_first, theta_second = objective(first), objective(second)
    gap = gap_between(first, second)
    bias_first, bias_second = matvec(gain_first, gap), -matvec(gain_second, gap)
    if w0 is not None:
        w0 = first.vector("w0", w0)
        arrays.batch_shape(w0=tuple(w0.shape[:-1]), second=second.batch)
        bias_first = bias_first + matvec(turn.unseen, w0 - theta_first)
        bias_second = bias_second + matvec(turn.unseen, w0 - theta_second)
    rate = as_float(turn.rate)
    return Equilibrium(
        theta_first + bias_first, theta_second + bias_second, bias_first, bias_second, gain_first, gain_second, rate
    )


@within_range
def small_step_bias(first: GradientAgent, second: GradientAgent) -> Float[Array, "*batch d"]:
    """The first agent's bias in the limit of small steps, (eta_A S_A + eta_B S_B)^-1 eta_B S_B Delta, shape (..., d).

    Where eta_A S_A + eta_B S_B is positive definite, it is the limit of the bias as both steps shrink in proportion; if
    S_B Delta is not 0 either, its relative error falls in proportion to the step size. In directions that neither
    prompt sees it is 0.

    Warns:
        IllConditioned: if eta_A S_A + eta_B S_B is so ill-conditioned that few digits are right.
    """
    fit_together(GradientAgent, first=first, second=second)
    pull = matvec(second.step, gap_between(first, second))
    return solve_seen("eta_A S_A + eta_B S_B", first.step + second.step, pull)


def bias_bound(first: AffineMap, second: AffineMap) -> Float[Array, "*batch"] | float:
    """Upper bound on the norm of the first agent's bias, |P| |I - Q| |Delta| / (1 - |P||Q|).

    Infinite when |P||Q| >= 1, where the norms say nothing.
    """
    fit_together(AffineMap, first=first, second=second)
    xp = arrays.namespace(M=first.M)
    short_P, short_Q = _short_of_1(first), _short_of_1(second)
    gap = arrays.norm(gap_between(first, second))
    with np.errstate(over="ignore"):
        room = short_P + short_Q - short_P * short_Q  # 1 - |P||Q|
        bound = (1 - short_P) * operator_norm(second.step) / xp.where(room > 0, room, 1.0) * gap
    bound = arrays.floating("the bound", xp.where(room > 0, bound, 0.0))
    return as_float(xp.where(room > 0, bound, float("inf")))


def _short_of_1(agent: AffineMap) -> Float[Array, "*batch"]:
    """1 - |M|, with the digits that a small step loses in M."""
    if not isinstance(agent, GradientAgent):
        return 1 - operator_norm(agent.M)
    values = linalg("eigvalsh", agent.step)
    return arrays.namespace(M=agent.M).minimum(values[..., 0], 2 - values[..., -1])


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
    _settling(first, second, unseen_allowed=False)
    C_first = arrays.covariance("noise_first", noise_first, first.d)
    C_second = arrays.covariance("noise_second", noise_second, first.d)
    matrices = {"first": P, "second": Q, "noise_first": C_first, "noise_second": C_second}
    arrays.namespace(**matrices)
    arrays.batch_shape(**{name: tuple(matrix.shape[:-2]) for name, matrix in matrices.items()})
    cov_second = _stationary_covariance((second @ first).step, product(Q, C_first, transpose(Q)) + C_second)
    return product(P, cov_second, transpose(P)) + C_first, cov_second


@within_range
def ring_equilibrium(agents: Sequence[AffineMap], *, require_stable: bool = True) -> Float[Array, "N *batch d"]:
    """What each of N agents writes, (N, ..., d), once a ring of them has settled; agent 0 reads what the last wrote.

    With require_stable=False the fixed points of rings that run away from them are given, too.

    Raises:
        UnstableInteraction: if the rate of one full round is 1 or more.
        ValueError: if there is no agent, their dimensions differ, or the ring has no unique fixed point.
    """
    if not agents:
        raise ValueError("a ring needs at least one agent, got none")
    fit_together(AffineMap, **{f"agent {i}": agent for i, agent in enumerate(agents)})
    turn = contraction_of_ring(agents)
    if require_stable:
        _require_settling(turn)
    w = reduce(lambda before, agent: agent @ before, agents).fixed_point()
    written = [w := agent(w) for agent in agents]
    return arrays.namespace(w=w).stack(written)


def _settling(first: AffineMap, second: AffineMap, unseen_allowed: bool, require_stable: bool = True) -> Contraction:
    """What a turn does; UnstableInteraction if it doesn't settle, ValueError if there is nothing to settle on."""
    turn = contraction(first, second)
    if not unseen_allowed and bool((abs(turn.unseen) > 0.5 / first.d).any()):
        raise UnstableInteraction(max(1.0, turn.rate.max().item()), "; neither prompt sees some direction: pass w0")
    if require_stable:
        _require_settling(turn)
    if not bool((turn.settles | (turn.share > smallest_share(first.M))).all()):
        raise ValueError("no unique fixed point: a turn leaves some direction as it is, I - PQ is singular")
    warn_if_ill_conditioned("I - PQ", turn.share)
    return turn


def _require_settling(turn: Contraction) -> None:
    if not bool(turn.settles.all()):
        xp = arrays.namespace(rate=turn.rate)
        raise UnstableInteraction(xp.max(xp.where(turn.settles, 0.0, turn.rate)).item())


def _gain(own: AffineMap, other: AffineMap, unseen: Any) -> Float[Array, "*both d d"]:
    """(I - P Q)^-1 P (I - Q) as (A + B - A B)^-1 P B, with its own size in place of the 0 of the unseen directions."""
    turn = own.step + other.step - product(own.step, other.step)
    return linalg("solve", turn + filling(turn)[..., None, None] * unseen, product(own.M, other.step))


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
