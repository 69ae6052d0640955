"""What a conversation of two agents says: where they settle, how fast, and how much their answers scatter there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from jaxtyping import Float

from a2a import AffineMap, identify, linearity_test, noise_floor, resample
from a2a.chat.pairs import Exchanges, Pair, Talk
from a2a.intervals import Estimate, Interval, from_draws, unknown
from a2a.linalg import norm

UNMOVED = 1e-9
"""What a fitted turn takes off an error, as a share, is rounding below this."""

PlateausOf = Float[np.ndarray, "2 gaps"]
Drawn = Float[np.ndarray, "2 gaps draws"]


@dataclass(frozen=True)
class Plateaus:
    """Distances of A and B to their objectives once settled, with bootstrap draws.

    Attributes:
        measured, measured_draws: of the mean of the last quarter of the turns.
        fitted, fitted_draws: of the fixed point of the two affine maps fitted to the first half.
        off: distance of where they settled from where the prompts say.
        rate: spectral radius of a turn of the maps fitted at the largest gap.
        answers: how many a measured plateau is from.
    """

    measured: PlateausOf
    measured_draws: Drawn
    fitted: PlateausOf
    fitted_draws: Drawn
    off: PlateausOf
    rate: Estimate
    answers: int

    def measured_plateaus(self, agent: int) -> list[Estimate]:
        """Those of A (0) or B (1), one a gap."""
        return self._estimates(self.measured[agent], self.measured_draws[agent])

    def fitted_plateaus(self, agent: int) -> list[Estimate]:
        """Those of A (0) or B (1), one a gap."""
        return self._estimates(self.fitted[agent], self.fitted_draws[agent])

    def over(self, known: PlateausOf, draws: Drawn | None = None) -> list[Estimate]:
        """Measured over known plateaus, of A at all gaps and then of B; without draws the known ones are certain."""
        again = self.measured_draws / (known[..., None] if draws is None else draws)
        return self._estimates(self.measured / known, again)

    def over_fitted(self) -> list[Estimate]:
        """Measured over fitted plateaus, both with their uncertainty."""
        return self.over(self.fitted, self.fitted_draws)

    def _estimates(self, values: np.ndarray, draws: np.ndarray) -> list[Estimate]:
        return [self._estimate(float(values[at]), draws[at]) for at in np.ndindex(values.shape)]

    def _estimate(self, value: float, draws: np.ndarray) -> Estimate:
        if np.isnan(value) or np.isnan(draws).all():
            return unknown(self.answers, "answers")
        return from_draws(value, draws, self.answers, "answers")


def plateaus(talk: Talk, rng: np.random.Generator, resamples: int) -> Plateaus:
    """The plateaus of a conversation.

    The bootstrap draws both sides again with replacement: the exchanges of the first half, which are fitted anew, and
    the answers of the last quarter.
    """
    halves = talk.first_half(0), talk.first_half(1)
    point, rate = _settle(*halves)
    draws, rates = _settle(*(resample(rng, *half, resamples) for half in halves))
    seen, objectives = talk.settled, talk.pair.objectives
    chosen = rng.integers(seen.shape[2], size=(resamples, seen.shape[2]))
    again = seen[:, :, chosen].mean(axis=3)
    return Plateaus(
        measured=norm(seen.mean(axis=2) - objectives),
        measured_draws=norm(again - objectives[:, :, None]),
        fitted=norm(point - objectives),
        fitted_draws=norm(draws - objectives[:, :, None]),
        off=norm(seen.mean(axis=2) - talk.pair.expected),
        rate=from_draws(float(rate[-1]), rates[-1], halves[0][0].shape[1], "exchanges"),
        answers=seen.shape[2],
    )


def _settle(first: Exchanges, second: Exchanges) -> tuple[np.ndarray, np.ndarray]:
    """Where the fitted maps settle, (2, gaps, ..., d), and the rate of a turn, (gaps, ...).

    NaN where some direction is never moved, as by an agent that repeats what it reads: that settles nowhere.
    """
    A, B = identify(*first), identify(*second)
    turn = A @ B
    stuck = np.linalg.svdvals(turn.step)[..., -1] <= UNMOVED
    a = AffineMap(np.where(stuck[..., None, None], 0, turn.M), turn.c).fixed_point()
    settled = np.where(stuck[..., None], np.nan, np.stack([a, B(a)]))
    return settled, np.asarray(turn.spectral_radius())


@dataclass(frozen=True)
class FittedStep:
    """A's map, fitted to the first halves at all gaps together.

    Attributes:
        eta: the step size that it implies, I - eta S_A with S_A known.
        r_squared: of an unrestricted affine map.
        p: of the test for quadratic terms; NaN where there are too few exchanges for one.
    """

    eta: Estimate
    r_squared: float
    p: float


def fitted_step(talk: Talk, rng: np.random.Generator, resamples: int) -> FittedStep:
    """The step size that a conversation implies, with a bootstrap over the exchanges, and how affine A is."""
    S, d = talk.pair.first.S, talk.pair.d
    read, written = (part.reshape(-1, d) for part in talk.first_half(0))
    fit = identify(read, written, structure="step size", S=S)
    draws = identify(*resample(rng, read, written, resamples), structure="step size", S=S)
    eta = from_draws(float(np.asarray(fit.eta)), np.asarray(draws.eta), len(read), "exchanges")
    p = linearity_test(read, written)[1] if len(read) >= exchanges_for_linearity(d) else np.nan
    return FittedStep(eta, float(identify(read, written).r_squared), p)


def exchanges_for_linearity(d: int) -> int:
    """How many exchanges the test for quadratic terms takes in d dimensions."""
    return 2 + d + d * (d + 1) // 2


@dataclass(frozen=True)
class Approach:
    """The factor a turn with which different starts approach each other, over so many turns."""

    predicted: float
    measured: float
    turns: int


def approach(talk: Talk, noise: float) -> Approach:
    """That factor, over as many turns as exact agents' starts stay five times the noise apart, at least one."""
    exact, measured = talk.pair.exact(talk.turns).difference, talk.difference
    clear = exact > 5 * noise
    turns = talk.turns if clear.all() else max(int(np.argmin(clear)) - 1, 1)
    predicted, seen = (float((path[turns] / path[0]) ** (1 / turns)) for path in (exact, measured))
    return Approach(predicted, seen, turns)


@dataclass(frozen=True)
class Scatter:
    """Root mean square distance of what A writes at its plateau from the mean of that, predicted and measured."""

    predicted: float
    measured: float
    over: Estimate


def scatter(talk: Talk, noise: float, asked: int) -> Scatter:
    """The noise floor that the noise of repeated answers predicts, and the scatter that is seen.

    The ratio's interval takes both for standard deviations of normal numbers: the noise of `asked` of them, the scatter
    of as many as there are, less the means.
    """
    gaps, samples, d = talk.settled[0].shape
    predicted = predicted_floor(talk.pair, noise)
    measured = float(np.sqrt(talk.settled[0].var(axis=1, ddof=1).sum(axis=-1).mean()))
    ratio, seen = measured / predicted, gaps * (samples - 1) * d
    error = (1 / (2 * asked) + 1 / (2 * seen)) ** 0.5 * ratio

    def interval(level: float, n: int) -> Interval:
        z = NormalDist().inv_cdf((1 + level) / 2) * (seen / n) ** 0.5
        return ratio - z * error, ratio + z * error

    return Scatter(predicted, measured, Estimate(ratio, interval, seen, "numbers written"))


def predicted_floor(pair: Pair, noise: float) -> float:
    """Standard deviation of A at the plateau if both agents add independent noise, in each coordinate as much."""
    covariance = noise**2 * np.eye(pair.d)
    return float(np.sqrt(np.trace(noise_floor(pair.first, pair.second, covariance, covariance)[0])))


def middle(draws: Float[np.ndarray, "*batch draws"] | Sequence[float]) -> Float[np.ndarray, 2 * batch]:
    """The ends of the middle 95 % of bootstrap draws, on the last axis."""
    return np.percentile(draws, [2.5, 97.5], axis=-1)
