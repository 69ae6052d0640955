"""A ring of any number of agents, each reading what the one before it wrote."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from jaxtyping import Float

from a2a import arrays
from a2a.affine import AffineMap, fit_together
from a2a.arrays import Array
from a2a.contraction import contraction_of_ring
from a2a.finite import within_range
from a2a.stability import require_settling


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
        require_settling(turn)
    w = reduce(lambda before, agent: agent @ before, agents).fixed_point()
    written = [w := agent(w) for agent in agents]
    return arrays.namespace(w=w).stack(written)
