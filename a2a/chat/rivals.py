"""Where else two agents might settle, and which of these places lies nearest to where they did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from a2a.chat.pairs import Pair, Talk
from a2a.intervals import Estimate, from_draws
from a2a.linalg import norm

THEORY = "theory"

Places = Float[np.ndarray, "places 2 gaps"]


def rivals(pair: Pair) -> dict[str, Float[np.ndarray, "2 gaps d"]]:
    """Where A and B settle by several stories: at their own objective, between both, or as the theory says.

    The joint optimum has the least loss on the examples of both together, as many of the one as of the other.
    """
    objectives = pair.objectives
    A, B = pair.first.S, pair.second.S
    first, second = objectives[..., None]
    joint = np.linalg.solve(A + B, A @ first + B @ second)[..., 0]
    return {
        "own objective": objectives,
        "midpoint": np.broadcast_to(objectives.mean(axis=0), objectives.shape),
        "joint optimum": np.broadcast_to(joint, objectives.shape),
        THEORY: pair.expected,
    }


@dataclass(frozen=True)
class Nearest:
    """Distances of where A and B settled from each place, as shares of the gap.

    Attributes:
        names: of the places.
        distances, draws: the shares, and bootstrap draws of them.
        answers: how many the place where they settled is the mean of.
    """

    names: list[str]
    distances: Places
    draws: Float[np.ndarray, "places 2 gaps draws"]
    answers: int

    def name(self, agent: int, gap: int) -> str:
        """The nearest place to A (0) or B (1)."""
        return self.names[int(np.argmin(self.distances[:, agent, gap]))]

    def lead(self, agent: int, gap: int) -> Estimate:
        """By how much the theory's place is nearer than the nearest of its rivals."""
        theory = self.names.index(THEORY)
        value, draws = (
            np.delete(shares, theory, axis=0).min(axis=0) - shares[theory] for shares in (self.distances, self.draws)
        )
        return from_draws(float(value[agent, gap]), draws[agent, gap], self.answers, "answers")

    @property
    def leads(self) -> list[Estimate]:
        """Those of A at all gaps and then of B."""
        return [self.lead(*at) for at in np.ndindex(self.distances.shape[1:])]


def nearest(talk: Talk, rng: np.random.Generator, resamples: int) -> Nearest:
    """How far each place is from where they settled; the bootstrap draws the answers of the last quarter again."""
    places, seen = rivals(talk.pair), talk.settled
    chosen = rng.integers(seen.shape[2], size=(resamples, seen.shape[2]))
    at = np.stack(list(places.values()))
    distances = norm(seen.mean(axis=2) - at) / talk.pair.gap
    draws = norm(seen[:, :, chosen].mean(axis=3) - at[..., None, :]) / talk.pair.gap[:, None]
    return Nearest(list(places), distances, draws, seen.shape[2])
