"""One agent, asked once on each of several prompts: how far its steps are from gradient steps, and how noisy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float

from a2a import GradientAgent, Prompt, sample_prompt
from a2a.chat.agent import ChatAgent
from a2a.chat.diagnosis import Diagnosis, diagnose
from a2a.chat.experiment import Experiment
from a2a.chat.protocol import stated, stated_prompt
from a2a.intervals import Estimate, from_draws
from a2a.linalg import norm

STREAM = 0
"""Of the single steps: their questions are other calls than those of conversations."""


@dataclass(frozen=True)
class SingleSteps:
    """The questions: one step on each of several prompts, (steps, n, d), from w, (steps, d)."""

    prompts: Prompt
    w: Float[np.ndarray, "steps d"]
    eta: float
    digits: int

    @classmethod
    def draw(
        cls, rng: np.random.Generator, steps: int, n: int, d: int, gaps: Sequence[float], eta: float, digits: int
    ) -> SingleSteps:
        """Prompts at random, and w in random directions from their objectives, as far as `gaps` in turn."""
        theta = rng.standard_normal((steps, d))
        prompts = sample_prompt(rng, n, d, theta)
        away = rng.standard_normal((steps, d))
        away *= (np.resize(gaps, steps) / norm(away))[:, None]
        return cls(prompts, stated(theta + away, digits), eta, digits)

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.w)

    @cached_property
    def wanted(self) -> Float[np.ndarray, "steps d"]:
        """The gradient steps, of the prompts as stated."""
        exact = GradientAgent.from_prompt(self.stated, self.eta)
        return np.asarray(exact(self.w) - self.w)

    @cached_property
    def stated(self) -> Prompt:
        """The prompts as the model reads them."""
        return stated_prompt(self.prompts, self.digits)

    def loss(self, w: Float[np.ndarray, "steps d"]) -> Float[np.ndarray, " steps"]:
        """The mean squared error on each prompt, halved."""
        missed = np.einsum("snd,sd->sn", self.stated.X, w) - self.stated.y
        return np.asarray((missed**2).mean(axis=-1) / 2)

    @property
    def rounding(self) -> float:
        """The most that the last digit can hide of a step."""
        return float(0.5 * 10.0**-self.digits * self.w.shape[1] ** 0.5)

    def answers(self, agent: ChatAgent) -> Float[np.ndarray, "steps d"]:
        """What an agent answers, asked once each; NaN where that is no vector."""
        nothing = [np.nan] * self.w.shape[1]
        return np.array([outcome.w or nothing for outcome in agent.outcomes(self.w)])

    def asked_of(self, agent: ChatAgent) -> OneAgent:
        """The agent with its answers."""
        return OneAgent(self, agent, self.answers(agent))


@dataclass(frozen=True)
class OneAgent:
    """What an agent wrote, (steps, d), and what that says about it."""

    questions: SingleSteps
    agent: ChatAgent
    written: Float[np.ndarray, "steps d"]

    @cached_property
    def valid(self) -> Bool[np.ndarray, " steps"]:
        """Which replies are usable."""
        return np.asarray(np.isfinite(self.written).all(axis=1))

    @property
    def answered(self) -> int:
        """How many replies are usable."""
        return int(self.valid.sum())

    @property
    def does_the_task(self) -> bool:
        """Whether at least half of the replies are usable: else there is no map to predict with."""
        return self.answered >= self.questions.steps / 2

    @property
    def r_squared(self) -> float:
        """1 - sum |error|^2 / sum |gradient step|^2 over the steps answered; NaN if there is none."""
        return float(1 - np.sum(self._error**2) / np.sum(self._ideal**2)) if self.answered else np.nan

    @property
    def eta(self) -> float:
        """The step size that explains the steps best; NaN without any."""
        step = (self.written - self.questions.w)[self.valid]
        share = np.sum(step * self._ideal) / np.sum(self._ideal**2) if self.answered else np.nan
        return float(self.questions.eta * share)

    @property
    def delta(self) -> float:
        """The largest error of a step, at least what rounding can hide; NaN without any step."""
        return float(max(self._error.max(), self.questions.rounding)) if self.answered else np.nan

    @property
    def r_squared_along(self) -> float:
        """R^2 of the steps against gradient steps of the implied size: whether their direction is right."""
        if not self.answered:
            return np.nan
        step = (self.written - self.questions.w)[self.valid]
        missed = step - self.eta / self.questions.eta * self._ideal
        return float(1 - np.sum(missed**2) / max(np.sum(step**2), np.finfo(float).tiny))

    @property
    def goes_down(self) -> int:
        """How many answers have less loss than the w that was read."""
        before, after = self.questions.loss(self.questions.w), self.questions.loss(self.written)
        return int((after < before).sum())

    @property
    def diagnoses(self) -> list[Diagnosis]:
        """What each reply is."""
        asked = self.questions
        each = zip(asked.w, self.written, asked.wanted, asked.stated.theta, strict=True)
        return [diagnose(*one, asked.digits) for one in each]

    def r_squared_estimate(self, rng: np.random.Generator, resamples: int) -> Estimate:
        """R^2 with a bootstrap over the steps answered."""
        if not self.answered:
            return Estimate(np.nan, lambda level, n: (np.nan, np.nan), self.questions.steps)
        again = rng.integers(self.answered, size=(resamples, self.answered))
        missed, ideal = self._error**2, norm(self._ideal) ** 2
        draws = 1 - missed[again].sum(-1) / ideal[again].sum(-1)
        return from_draws(self.r_squared, draws, self.answered, "steps")

    def noise(self, repetitions: int = 2) -> float:
        """The agent's noise: all questions are asked so often again.

        It is the standard deviation of the answers to one question, in each coordinate, over the questions always
        answered, and at least that of rounding.
        """
        again = (self.questions.answers(self.agent) for _ in range(repetitions))
        repeats = np.stack([self.written, *again])
        complete = np.isfinite(repeats).all(axis=(0, 2))
        rounding = rounding_noise(self.questions.digits)
        if not complete.any():
            return rounding
        return max(float(np.sqrt(repeats[:, complete].var(axis=0, ddof=1).mean())), rounding)

    @cached_property
    def _ideal(self) -> Float[np.ndarray, "answered d"]:
        return self.questions.wanted[self.valid]

    @cached_property
    def _error(self) -> Float[np.ndarray, " answered"]:
        return np.asarray(norm((self.written - self.questions.w)[self.valid] - self._ideal))


def rounding_noise(digits: int) -> float:
    """The standard deviation of what rounding to `digits` digits after the decimal point adds to a number."""
    return float(10.0**-digits / 12**0.5)


def ask_single_steps(experiment: Experiment, questions: SingleSteps) -> dict[str, OneAgent]:
    """All agents with their answers; an agent that doesn't do the task is dropped from what follows."""
    asked = experiment.study(
        lambda name: questions.asked_of(experiment.agent(name, questions.prompts, STREAM, attempts=1))
    )
    for name, one in asked.items():
        if not one.does_the_task:
            experiment.dropped[name] = f"{one.answered} of {questions.steps} replies usable"
    return asked
