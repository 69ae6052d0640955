"""Many random pairs of gradient agents at once, and some of many."""

from __future__ import annotations

from typing import Any

import numpy as np

from a2a import arrays
from a2a.agents import GradientAgent, sample_pair
from a2a.linalg import apply
from a2a.prompts import sample_prompt

AT_ONCE = 4_000_000
"""Numbers in the examples of one prompt of all pairs that are held at a time."""


def random_pairs(
    rng: np.random.Generator, pairs: int, n: int, d: int, eta_first: float, eta_second: float
) -> tuple[GradientAgent, GradientAgent]:
    """`pairs` pairs of gradient agents with independent standard normal prompts (n, d) and objectives.

    They are drawn as by `sample_pair`, a few at a time, because examples take more memory than the geometry that is
    kept of them.

    Raises:
        ValueError: if a size isn't a positive whole number, or a step size isn't positive.
    """
    pairs, n, d = (arrays.positive_int(name, value) for name, value in {"pairs": pairs, "n": n, "d": d}.items())
    at_once = max(1, AT_ONCE // (n * d))
    sizes = [min(at_once, pairs - done) for done in range(0, pairs, at_once)]
    parts = [sample_pair(rng, n, d, eta_first, eta_second, batch=(size,)) for size in sizes]
    first, second = (_joined(agents) for agents in zip(*parts, strict=True))
    return first, second


def only(agent: GradientAgent, pairs: Any) -> GradientAgent:
    """Some agents of a batch: those that the index, slice or mask `pairs` picks from its first dimension."""
    return GradientAgent(agent.S[pairs], agent.theta[pairs], agent.eta)


def with_largest(agent: GradientAgent, largest: Any) -> GradientAgent:
    """The agent with the step size for which the largest eigenvalue of eta S is `largest`, above 0; a float or (...).

    An agent alone settles where it is below 2.
    """
    largest = arrays.step_size("largest", largest, like=agent.S)
    arrays.batch_shape(largest=tuple(getattr(largest, "shape", ())), agent=agent.batch)
    return GradientAgent(agent.S, agent.theta, largest / apply("eigvalsh", agent.S)[..., -1])


def random_ring(rng: np.random.Generator, agents: int, batch: int, n: int, d: int) -> list[GradientAgent]:
    """A number of agents, each a batch, with n standard normal examples and steps that make a ring of them settle.

    The step size of each is a part of 1 / lambda_max, uniform in [0.2, 1]; with n >= d its map is a contraction.
    """
    arrays.generator("rng", rng)
    ring = []
    for _ in range(agents):
        prompt = sample_prompt(rng, n, d, theta := rng.standard_normal((batch, d)))
        ring.append(with_largest(GradientAgent(prompt.S, theta, 1.0), rng.uniform(0.2, 1, batch)))
    return ring


def _joined(agents: tuple[GradientAgent, ...]) -> GradientAgent:
    geometries, objectives = [agent.S for agent in agents], [agent.theta for agent in agents]
    return GradientAgent(np.concatenate(geometries), np.concatenate(objectives), agents[0].eta)
