"""How the bias comes near its limit as the steps shrink, to first order.

Notation: A = eta_A S_A, B = eta_B S_B, X = A + B, Y = A B, so that the first agent's bias minus its limit is
-(X - Y)^-1 Y X^-1 A Delta, exactly.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float

from a2a import arrays
from a2a.affine import fit_together
from a2a.agents import GradientAgent, gap_between
from a2a.equilibrium import equilibrium, small_step_bias
from a2a.linalg import Array, apply, matvec, product


def ratio(first: GradientAgent, second: GradientAgent) -> Float[Array, "*batch d d"]:
    """X^-1 Y, (..., d, d), which shrinks in proportion to the steps; 0 in directions that neither prompt sees."""
    fit_together(GradientAgent, first=first, second=second)
    return product(_inverse(first, second), first.step, second.step)


def correction(first: GradientAgent, second: GradientAgent) -> Float[Array, "*batch d"]:
    """The first agent's bias minus its small-step limit, to first order in the steps: -X^-1 Y X^-1 A Delta, (..., d).

    Where |X^-1 Y| is well below 1, it is right up to about that share of itself.
    """
    pull = matvec(first.step, gap_between(first, second))
    return -matvec(ratio(first, second), matvec(_inverse(first, second), pull))


def deviation(first: GradientAgent, second: GradientAgent) -> Float[Array, "*batch d"]:
    """The first agent's bias minus its small-step limit, (..., d), of which `correction` is the first order.

    In directions that neither prompt sees it is 0.
    """
    there = equilibrium(first, second, first.theta, require_stable=False)
    return there.bias_first - small_step_bias(first, second)


def slowed(factor: float, *agents: GradientAgent) -> list[GradientAgent]:
    """The agents with `factor` times their step sizes."""
    factor = arrays.positive_float("factor", factor)
    return [GradientAgent(agent.S, agent.theta, factor * agent.eta) for agent in agents]


def _inverse(first: GradientAgent, second: GradientAgent) -> Any:
    return apply("pinv", first.step + second.step, hermitian=True)
