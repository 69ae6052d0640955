"""Where a pair of inexact agents settles, and how far the theory of exact agents reaches.

`exact` is a pair of affine maps f_A, f_B with the fixed points a*, b*, `trained` the pair that takes their place, and
delta_A, delta_B what these miss. Both theorems are proved in the chapter on trained agents; they are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from a2a.affine import AffineMap
from a2a.agents import answer, held
from a2a.equilibrium import Equilibrium, equilibrium
from a2a.helper import probe
from a2a.interaction import alternate
from a2a.linalg import matvec, norm, operator_norm
from a2a.lsa.trained import TrainedAgent

FAR = 1e6
"""Where a pair that runs away is held, in units of the typical gap."""
AT_REST = 1e-6
"""What counts as no distance, in units of the typical gap."""
RADII = np.geomspace(1e-12, 1e6, 109)[:, None]
"""Of the balls that are tried, in units of the typical gap."""

Exact = tuple[AffineMap, AffineMap]
Trained = tuple[TrainedAgent, TrainedAgent]
Numbers = Float[np.ndarray, "..."]


def inverse_of_turn(exact: Exact) -> Numbers:
    """(I - P Q)^-1, (..., d, d); the pseudo-inverse where a direction is seen by neither prompt."""
    return np.linalg.pinv(np.eye(exact[0].d) - exact[0].M @ exact[1].M)


def shift(exact: Exact, miss_first: Numbers, miss_second: Numbers) -> Numbers:
    """(I - P Q)^-1 (delta_A + P delta_B): where the first agent's fixed point moves to, (..., d)."""
    return matvec(inverse_of_turn(exact), miss_first + matvec(exact[0].M, miss_second))


def turns_to_rest(exact: Exact) -> int:
    """Turns after which the slowest pair is a millionth as far from its fixed point; at least 20, at most 702."""
    worst = np.max(operator_norm(exact[1].M @ exact[0].M))
    return int(np.log(AT_REST) / np.log(np.clip(worst, 0.5, 0.9805))) + 1


@dataclass(frozen=True, eq=False)
class Balls:
    """What the theorem says of each pair (...), from the balls around b* that a turn maps into themselves.

    Attributes:
        largest: radius of the largest such ball; 0 where there is none.
        gap_first, gap_second: bounds on the distance of the trained fixed point from a* and from b*, infinite without.
        remainder: bound on what one call of each agent doesn't foretell of the first gap.
    """

    largest: Numbers
    gap_first: Numbers
    gap_second: Numbers
    remainder: Numbers


@dataclass(frozen=True, eq=False)
class _Turns:
    """The turns from balls of every radius (radii, ...): Lipschitz constants, the ball a falls in, which ones count."""

    radius: Numbers
    radius_first: Numbers
    lipschitz: tuple[Numbers, Numbers]
    holds: Bool[np.ndarray, radii * batch]


def _turns_from(
    exact: Exact, trained: Trained, theory: Equilibrium, misses: tuple[Numbers, Numbers], turns: int, typical: float
) -> _Turns:
    """A ball counts if a turn maps it into itself and `turns` of them bring every start in it to rest."""
    P, Q = exact[0].M, exact[1].M
    size_P, size_Q, radius = operator_norm(P), operator_norm(Q), typical * RADII
    l_A = trained[0].lipschitz(exact[0], theory.second, radius)
    radius_first = (size_P + l_A) * radius + norm(misses[0])
    l_B = trained[1].lipschitz(exact[1], theory.first, radius_first)
    rate = operator_norm(Q @ P) + size_Q * l_A + size_P * l_B + l_A * l_B
    moved = norm(matvec(Q, misses[0]) + misses[1]) + l_B * norm(misses[0])
    left = 2 * radius * (size_P + l_A) * np.minimum(rate, 1) ** (turns - 1)
    holds = (rate < 1) & (moved <= (1 - rate) * radius) & (left <= AT_REST * typical)
    return _Turns(radius, radius_first, (l_A, l_B), holds)


def _balls(exact: Exact, turns: _Turns) -> Balls:
    smallest = np.argmax(turns.holds, axis=0)[None]

    def at_smallest(values: Numbers) -> Numbers:
        """The values of the smallest ball that counts."""
        return np.take_along_axis(np.broadcast_to(values, turns.holds.shape), smallest, axis=0)[0]

    back = inverse_of_turn(exact)
    r, r_first = at_smallest(turns.radius), at_smallest(turns.radius_first)
    l_A, l_B = map(at_smallest, turns.lipschitz)
    remainder = operator_norm(back) * l_A * r + operator_norm(back @ exact[0].M) * l_B * r_first
    there_is_one = turns.holds.any(axis=0)
    bounds = (np.where(there_is_one, size, np.inf) for size in (r_first, r, remainder))
    return Balls(np.max(np.where(turns.holds, turns.radius, 0), axis=0), *bounds)


@dataclass(frozen=True, eq=False)
class Settled:
    """Where pairs (...) settle: in theory, in a conversation, and as foretold.

    Attributes:
        theory: the equilibrium of the exact pairs.
        first, second: what the trained agents write in the end, (..., d).
        foreseen: where one call of each trained agent has the first one settle, (..., d).
        in_reach: whether half of the conversation has brought the pair into its largest ball.
        balls: what the theorem says, without a conversation.
    """

    theory: Equilibrium
    first: Numbers
    second: Numbers
    foreseen: Numbers
    in_reach: Any
    balls: Balls


def settle(exact: Exact, trained: Trained, w0: Numbers, typical: float) -> Settled:
    """Let trained pairs settle from w0 (..., d), and foresee where they do.

    Args:
        exact, trained: the pair of the theory and the one that takes its place, of one batch, in NumPy.
        w0: what the first agent reads first.
        typical: the typical gap between the objectives, which sets the units.
    """
    theory = equilibrium(*exact, w0, require_stable=False)
    first, second = (held(agent, FAR * typical) for agent in trained)
    turns = turns_to_rest(exact)
    half = alternate(first, second, w0, turns, history=False).second[0]
    rest = alternate(first, second, half, turns, history=False)
    misses = answer(trained[0], theory.second) - theory.first, answer(trained[1], theory.first) - theory.second
    balls = _balls(exact, _turns_from(exact, trained, theory, misses, turns, typical))
    in_reach = norm(half - theory.second) <= balls.largest
    return Settled(theory, rest.first[0], rest.second[0], theory.first + shift(exact, *misses), in_reach, balls)


def identity_left(exact: Exact, trained: Trained, settled: Settled) -> tuple[Numbers, Numbers]:
    """What the identity a~ - a* = (I - P Q)^-1 (delta_A(b~) + P delta_B(a~)) leaves of each pair, and how much it may.

    It is exact at a fixed point: what a turn still moves, times the norm of (I - P Q)^-1, is what may be left, (...).
    """
    a, b = answer(trained[0], settled.second), answer(trained[1], settled.first)
    foretold = shift(exact, a - exact[0](settled.second), b - exact[1](settled.first))
    left = norm(settled.first - settled.theory.first - foretold)
    return left, norm(a - settled.first) * operator_norm(inverse_of_turn(exact))


def probed_fixed_point(trained: Trained, theory: Equilibrium) -> Numbers:
    """The fixed point (..., d) of the affine maps that d + 1 calls of each agent near the exact one identify."""
    turn = probe(trained[0], theory.second) @ probe(trained[1], theory.first)
    return matvec(np.linalg.pinv(np.eye(turn.d) - turn.M), turn.c)
