"""An estimate with its interval: what was seen, how sure that is, and how it would be with more samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import norm, permutation_test

Interval = tuple[float, float]

Number = float | int
"""For what a reader may well write as a whole number."""


@dataclass(frozen=True)
class Estimate:
    """A value estimated from `n` samples, with its interval at any level of confidence.

    Attributes:
        value: the estimate.
        spread: from a level such as 0.95 and a number of samples to (low, high), if the value stays where it is.
        n: how many samples it is from.
        unit: what a sample is, in the plural.
    """

    value: float
    spread: Callable[[float, int], Interval]
    n: int
    unit: str = "samples"

    def interval(self, level: Number = 0.95, n: int | None = None) -> Interval:
        """(low, high) at a level of confidence, from as many samples as there are or from `n` like them."""
        return self.spread(level, n or self.n)

    def __str__(self) -> str:
        low, high = self.interval()
        return f"{self.value:.2f} ({low:.2f} to {high:.2f})"


def share(count: int, n: int, unit: str = "samples") -> Estimate:
    """The share `count` of `n`, with Wilson's interval.

    Raises:
        ValueError: if `count` isn't between 0 and n, or n is below 1.
    """
    from scipy.stats import binomtest

    if not 0 <= count <= n or n < 1:
        raise ValueError(f"a share needs 0 <= count <= n and n >= 1, got {count} of {n}")

    def wilson(level: float, samples: int) -> Interval:
        test = binomtest(round(count / n * samples), samples)
        low, high = test.proportion_ci(level, method="wilson")
        return float(low), float(high)

    return Estimate(count / n, wilson, int(n), unit)


def from_draws(value: Number, draws: Float[np.ndarray, " draws"], n: int, unit: str = "samples") -> Estimate:
    """An estimate from `n` samples whose uncertainty is the spread of bootstrap draws: their percentiles.

    Raises:
        ValueError: if no draw is a number.
    """
    known = np.asarray(draws, dtype=float)
    known = known[~np.isnan(known)]
    if not known.size:
        raise ValueError(f"an interval needs bootstrap draws that are numbers, got none among {np.size(draws)}")

    def percentiles(level: float, samples: int) -> Interval:
        ends = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
        low, high = value + (ends - value) * (n / samples) ** 0.5
        return float(low), float(high)

    return Estimate(float(value), percentiles, int(n), unit)


def mean(values: Float[np.ndarray, " n"], rng: np.random.Generator, draws: int, unit: str = "samples") -> Estimate:
    """The mean of the values that aren't NaN, with the interval of a bootstrap over them.

    Raises:
        ValueError: if fewer than two values are numbers.
    """
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    if known.size < 2:
        raise ValueError(f"a mean with an interval needs two numbers at least, got {known.size}")
    again = known[rng.integers(known.size, size=(draws, known.size))].mean(axis=1)
    return from_draws(float(known.mean()), again, known.size, unit)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for being several (Holm's step-down method), in the order given."""
    order = np.argsort(p_values)
    scaled = np.asarray(p_values, dtype=float)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted.tolist()


def samples_until(decided: Callable[[int], bool], n: int, at_most: int = 100_000) -> int | None:
    """The least number of samples above `n` from which on `decided` says so, to two digits; None if over `at_most`."""
    low, high = n, n
    while not decided(high):
        low, high = high, 2 * high
        if high > at_most:
            return None
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high


def wilson(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927).

    Raises:
        ValueError: if n is 0 or successes isn't from 0 to n.
    """
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"a share needs 0 <= successes <= n and n > 0, got {successes} of {n}")
    z, share = norm.ppf((1 + level) / 2), successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(float(centre - half), 0.0), min(float(centre + half), 1.0)


def bootstrap(
    statistic: Callable[[np.ndarray, np.ndarray], np.ndarray],
    said: np.ndarray,
    true: np.ndarray,
    rng: np.random.Generator,
    *,
    draws: int = 2000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of a statistic of (said or score, true), (n,) each, over resampled conversations.

    Draws in which the statistic isn't defined are left out.
    """
    chosen = rng.integers(len(true), size=(draws, len(true)))
    values = statistic(said[chosen], true[chosen])
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mean_interval(values: np.ndarray, rng: np.random.Generator, *, draws: int = 2000) -> tuple[float, float, float]:
    """The mean of values (n,) and its 95% bootstrap interval: mean, low, high. NaN entries are left out."""

    def mean(drawn: np.ndarray, _: np.ndarray) -> np.ndarray:
        return np.asarray(np.nanmean(drawn, axis=-1))

    values = np.asarray(values, dtype=float)
    return float(np.nanmean(values)), *bootstrap(mean, values, values, rng, draws=draws)


def random_signs(changes: np.ndarray, rng: np.random.Generator, draws: int) -> float:
    """The p-value of a mean of changes (n,) as far from 0, if each were as likely the negative of what it is.

    All signs are tried where there are no more than `draws`. NaN entries are left out; without any other it is 1.
    """
    known = np.asarray(changes, dtype=float)
    known = known[~np.isnan(known)]
    if not known.any():
        return 1.0
    test = permutation_test(
        (known, np.zeros_like(known)),
        lambda one, two, axis: np.mean(one - two, axis=axis),
        permutation_type="samples",
        n_resamples=draws,
        rng=rng,
    )
    return float(test.pvalue)
