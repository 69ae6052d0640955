"""Where the turns lead: the equilibrium of two agents, its bias, and its gain.

Notation: the first agent writes a = P b + (I - P) theta_A, the second b = Q a + (I - Q) theta_B, with
P = I - eta_A S_A, Q = I - eta_B S_B and the gap Delta = theta_B - theta_A between the objectives. a* is what the first
has just written, b* what the second has just written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays, linalg
from a2a.affine import AffineMap, fit_together
from a2a.agents import GradientAgent, gap_between
from a2a.arrays import Array, as_float
from a2a.finite import within_range
from a2a.linalg import matvec, operator_norm, product
from a2a.solving import filling, solve_seen
from a2a.stability import settling


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
    turn = settling(first, second, w0 is not None, require_stable)
    gain_first = _gain(first, second, turn.unseen)
    gain_second = _gain(second, first, turn.unseen)
    theta_first, theta_second = first.objective(), second.objective()
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
    short_P, short_Q = first.shrinkage(), second.shrinkage()
    gap = linalg.norm(gap_between(first, second))
    with np.errstate(over="ignore"):
        room = short_P + short_Q - short_P * short_Q  # 1 - |P||Q|
        bound = (1 - short_P) * operator_norm(second.step) / xp.where(room > 0, room, 1.0) * gap
    bound = arrays.floating("the bound", xp.where(room > 0, bound, 0.0))
    return as_float(xp.where(room > 0, bound, float("inf")))


def _gain(own: AffineMap, other: AffineMap, unseen: Any) -> Float[Array, "*both d d"]:
    """(I - P Q)^-1 P (I - Q) as (A + B - A B)^-1 P B, with its own size in place of the 0 of the unseen directions."""
    turn = own.step + other.step - product(own.step, other.step)
    return linalg.apply("solve", turn + filling(turn)[..., None, None] * unseen, product(own.M, other.step))
