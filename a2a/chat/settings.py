"""Other settings of the same experiment: other tasks, other words, other prompts, each one step away from the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from a2a import Prompt
from a2a.chat.experiment import Asking
from a2a.chat.pairs import Pair
from a2a.chat.protocol import stated
from a2a.chat.single_steps import SingleSteps

DIMENSIONS = (2, 3, 5)
STEP_SIZES = (0.25, 0.5, 1.0)
OTHER_PAIRS = 3
FAR = 5.0
"""How many times as far from the origin conversations start in one of the settings."""


@dataclass(frozen=True)
class Setting:
    """One way to put the task.

    Attributes:
        name: what is different in it.
        n, d: examples and dimension of the task.
        asking: how it is asked.
        reordered: whether the examples are those of the first setting, in another order.
        number: 0 for the prompts of the first setting where the task is the same; else of prompts of its own.
        b_first: of two agents, whether B moves first.
        away: how many times as far away their conversations start.
    """

    name: str
    n: int
    d: int
    asking: Asking
    reordered: bool = False
    number: int = 0
    b_first: bool = False
    away: float = 1.0

    def questions(self, base: SingleSteps, seed: int, gaps: Sequence[float]) -> SingleSteps:
        """Single steps in this setting: those of the first one as far as the task is the same."""
        if self.number:
            rng = np.random.default_rng([seed, self.number])
            base = SingleSteps.draw(rng, base.steps, self.n, self.d, gaps, base.eta, base.digits)
        prompts, w = self._ordered(base.prompts, seed), stated(base.w, self.asking.digits)
        return SingleSteps(prompts, w, self.asking.eta or base.eta, self.asking.digits)

    def pair(self, base: Pair, seed: int) -> Pair:
        """Two prompts in this setting, at the largest gap; prompts of its own are the first that are drawn."""
        gap, instances = base.gap[-1:], base.w0.shape[1]
        if self.number:
            rng = np.random.default_rng([seed, self.number])
            base = Pair.draw(rng, gap, instances, self.n, self.d, base.eta, base.digits, candidates=1)
        first, second = (self._ordered(prompt, seed) for prompt in (base.prompt_first, base.at_largest.prompt_second))
        return Pair(
            *((second, first) if self.b_first else (first, second)),
            gap,
            stated(self.away * base.w0[-1:], self.asking.digits),
            self.asking.eta or base.eta,
            self.asking.digits,
        )

    def _ordered(self, prompt: Prompt, seed: int) -> Prompt:
        if not self.reordered:
            return prompt
        order = np.random.default_rng([seed, 0]).permutation(prompt.n)
        return Prompt(prompt.X[..., order, :], prompt.y[..., order])


def settings(n: int, d: int, asking: Asking) -> list[Setting]:
    """Those of one agent: other words first, then other tasks, which have prompts of their own."""
    first = Setting("", n, d, asking)
    words = {
        "no room to reason" if asking.room else "room to reason": replace(asking, room=not asking.room),
        **{f"eta = {eta}": replace(asking, eta=eta) for eta in STEP_SIZES if eta != asking.eta},
    }
    sizes = [(round(n / d * other), other) for other in DIMENSIONS if other != d] + [(2 * n, d)]
    return [
        replace(first, name="examples in another order", reordered=True),
        *(replace(first, name=name, asking=how) for name, how in words.items()),
        *(
            replace(first, name=f"d = {dimension}, n = {examples}", n=examples, d=dimension, number=number)
            for number, (examples, dimension) in enumerate(sizes, start=1)
        ),
    ]


def settings_of_pairs(n: int, d: int, asking: Asking) -> list[Setting]:
    """Those of two agents: who begins, from where, other prompts at random, and all those of one agent."""
    first = Setting("", n, d, asking)
    return [
        replace(first, name="B moves first", b_first=True),
        replace(first, name=f"starts {FAR:g} times as far", away=FAR),
        *(replace(first, name=f"other prompts, {i}", number=100 + i) for i in range(1, OTHER_PAIRS + 1)),
        *settings(n, d, asking),
    ]


def implicit(n: int, d: int, asking: Asking) -> Setting:
    """The setting that names no step size."""
    return Setting("implicit form", n, d, replace(asking, eta=None))
