"""Two agents behind chat APIs whose objectives lie apart: what they are asked, what theory predicts, what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from a2a import Equilibrium, GradientAgent, Interaction, Prompt, alternate, equilibrium, spectral_radius
from a2a.chat.agent import ChatAgent
from a2a.chat.experiment import LeftOut
from a2a.chat.protocol import stated, stated_prompt
from a2a.linalg import norm

CANDIDATES = 30
"""Random pairs of inputs, of which the one that settles fastest is used."""


@dataclass(frozen=True)
class Pair:
    """The prompts of two agents, A and B, at several distances between their objectives.

    Attributes:
        prompt_first: of A, who moves first; the same at all distances.
        prompt_second: of B, the same inputs with labels (gaps, 1, n).
        gap: the distances, (gaps,).
        w0: where conversations start, (gaps, instances, d).
        eta, digits: see `Form`.
    """

    prompt_first: Prompt
    prompt_second: Prompt
    gap: Float[np.ndarray, " gaps"]
    w0: Float[np.ndarray, "gaps instances d"]
    eta: float
    digits: int

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        gaps: Sequence[float] | Float[np.ndarray, " gaps"],
        instances: int,
        n: int,
        d: int,
        eta: float,
        digits: int,
        *,
        candidates: int = CANDIDATES,
    ) -> Pair:
        """Objectives apart in one random direction; of random inputs those whose turn has the least spectral radius."""
        gap = np.array(gaps, dtype=float)
        direction = rng.standard_normal(d)
        theta = rng.standard_normal(d)
        apart = theta + gap[:, None, None] * direction / norm(direction)
        inputs = rng.standard_normal((2, candidates, n, d))
        P, Q = np.eye(d) - eta * np.swapaxes(inputs, -1, -2) @ inputs / n
        X_first, X_second = inputs[:, np.argmin(spectral_radius(P @ Q))]
        w0 = stated(rng.standard_normal((len(gap), instances, d)), digits)
        first, second = Prompt.from_objective(X_first, theta), Prompt.from_objective(X_second, apart)
        return cls(first, second, gap, w0, eta, digits)

    @property
    def d(self) -> int:
        """Dimension of the task."""
        return self.prompt_first.d

    @property
    def at_largest(self) -> Pair:
        """The pair at the last of the gaps alone."""
        second = Prompt(self.prompt_second.X, self.prompt_second.y[-1:])
        return replace(self, prompt_second=second, gap=self.gap[-1:], w0=self.w0[-1:])

    @cached_property
    def first(self) -> GradientAgent:
        """What A would be if it took exact steps on the prompt that it reads."""
        return GradientAgent.from_prompt(stated_prompt(self.prompt_first, self.digits), self.eta)

    @cached_property
    def second(self) -> GradientAgent:
        """What B would be, at all gaps."""
        return GradientAgent.from_prompt(stated_prompt(self.prompt_second, self.digits), self.eta)

    @cached_property
    def theory(self) -> Equilibrium:
        """Where the prompts say that they settle."""
        return equilibrium(self.first, self.second)

    @cached_property
    def expected(self) -> Float[np.ndarray, "2 gaps d"]:
        """The fixed points of A and B."""
        return np.stack([self.theory.first, self.theory.second])[:, :, 0]

    @cached_property
    def objectives(self) -> Float[np.ndarray, "2 gaps d"]:
        """The objectives of A and B."""
        return np.stack(np.broadcast_arrays(self.first.theta, self.second.theta))[:, :, 0]

    @cached_property
    def plateau(self) -> Float[np.ndarray, "2 gaps"]:
        """The distances between both."""
        return np.asarray(norm(self.expected - self.objectives))

    def exact(self, turns: int) -> Talk:
        """The conversation of two exact agents, without any rounding."""
        return Talk(self, alternate(self.first, self.second, self.w0, turns))

    def talk(self, first: ChatAgent, second: ChatAgent, turns: int) -> Talk:
        """The conversation of two agents that were given these prompts, whatever they write."""
        run = alternate(first, second, self.w0, turns)
        return Talk(self, run, (first.exchanges, second.exchanges))

    def converse(self, first: ChatAgent, second: ChatAgent, turns: int) -> Talk:
        """The conversation of two agents that were given these prompts.

        Raises:
            LeftOut: if what they write is so much alike that no map can be fitted to it.
        """
        talk = self.talk(first, second, turns)
        if not talk.tells_maps:
            raise LeftOut("its answers are too much alike to fit a map")
        return talk


Exchanges = tuple[np.ndarray, np.ndarray]
"""What an agent read and wrote."""


@dataclass(frozen=True)
class Talk:
    """The conversations of a pair, at all gaps and from all starts.

    The first half of the turns tells each agent's map, the last quarter where it has settled.

    Attributes:
        pair: who talked, about what.
        run: what they wrote, (turns, gaps, instances, d) each.
        exchanges: what each read and wrote, (gaps, instances, turns, d).
    """

    pair: Pair
    run: Interaction
    exchanges: tuple[Exchanges, ...] = ()

    @property
    def turns(self) -> int:
        """How many turns each conversation has."""
        return len(self.run.first)

    @cached_property
    def settled(self) -> Float[np.ndarray, "2 gaps samples d"]:
        """What A and B wrote in the last quarter of the turns, all starts together."""
        last = self.turns // 4
        both = np.stack([self.run.first[-last:], self.run.second[-last:]])
        return np.moveaxis(both, 1, 3).reshape(2, len(self.pair.gap), -1, self.pair.d)

    def first_half(self, agent: int) -> Exchanges:
        """The exchanges of A (0) or B (1) in the first half, all starts together, (gaps, m, d) each."""
        read, written = (
            part[..., : self.turns // 2, :].reshape(len(self.pair.gap), -1, self.pair.d)
            for part in self.exchanges[agent]
        )
        return read, written

    @property
    def tells_maps(self) -> bool:
        """Whether what A and B read in the first half spans all directions, at one gap at least."""
        read = np.stack([self.first_half(agent)[0] for agent in (0, 1)])
        ranks = np.linalg.matrix_rank(read - read.mean(axis=-2, keepdims=True))
        return bool((ranks.max(axis=-1) == self.pair.d).all())

    @property
    def difference(self) -> Float[np.ndarray, " turns_and_start"]:
        """Root mean square difference of what B wrote between the starts, by turn, from the start on."""
        path = np.concatenate([self.pair.w0[None], self.run.second])
        return np.asarray(np.sqrt(np.mean((path - path.mean(axis=2, keepdims=True)) ** 2, (1, 2, 3))))
