"""An estimate with its interval: what was seen, how sure that is, and how it would be with more samples.

`share` for a count, `mean` and `bootstrap` for a statistic of samples, `from_draws` where the draws are there already.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from a2a.samples import generator, known, numbers

Interval = tuple[float, float]

Number = float | int
"""For what a reader may well write as a whole number."""


@dataclass(frozen=True)
class Estimate:
    """A value estimated from `n` samples, with its interval at any level of confidence.

    Attributes:
        value: the estimate; NaN if it is unknown.
        ends: from a level such as 0.95 and a number of samples to (low, high), if the value stays where it is.
        n: how many samples it is from.
        unit: what a sample is, in the plural.
    """

    value: float
    ends: Callable[[float, int], Interval]
    n: int
    unit: str = "samples"

    @property
    def is_known(self) -> bool:
        """Whether there is a value at all."""
        return not np.isnan(self.value)

    def interval(self, level: Number = 0.95, n: int | None = None) -> Interval:
        """(low, high) at a level of confidence, from as many samples as there are or from `n` like them."""
        return self.ends(level, n or self.n)

    def excludes(self, value: Number, level: Number = 0.95) -> bool:
        """Whether the interval at a level of confidence lies to one side of a value."""
        low, high = self.interval(level)
        return low > value or high < value

    def through(self, increasing: Callable[[Any], Any]) -> Estimate:
        """The estimate of an increasing function of the value, such as np.exp of a mean logarithm."""

        def ends(level: float, n: int) -> Interval:
            low, high = self.ends(level, n)
            return float(increasing(low)), float(increasing(high))

        return Estimate(float(increasing(self.value)), ends, self.n, self.unit)

    def shown(self, form: str = ".2f") -> str:
        """Value and 95 % interval as text, each number in a format such as "+.2f"; "unknown" without a value."""
        if not self.is_known:
            return "unknown"
        value, low, high = (format(number, form) for number in (self.value, *self.interval()))
        return f"{value} ({low} to {high})"

    def __str__(self) -> str:
        return self.shown()


def unknown(n: int = 0, unit: str = "samples") -> Estimate:
    """What samples say that are too few to say anything: NaN, with an interval of NaN."""
    return Estimate(float("nan"), lambda level, samples: (float("nan"),) * 2, max(int(n), 1), unit)


def share(count: int, n: int, unit: str = "samples") -> Estimate:
    """The share `count` of `n`, with Wilson's score interval (Wilson 1927).

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


def difference_of_shares(
    counted: tuple[int, int], other: tuple[int, int], rng: np.random.Generator, draws: int, unit: str = "samples"
) -> Estimate:
    """The share of one (count, n) minus that of another, as if both were samples, from binomial draws of both."""
    one, two = (generator(rng).binomial(n, count / n, draws) / n for count, n in (counted, other))
    value = counted[0] / counted[1] - other[0] / other[1]
    return from_draws(value, one - two, counted[1], unit)


def from_draws(value: Number, draws: np.ndarray, n: int, unit: str = "samples") -> Estimate:
    """An estimate from `n` samples with the percentiles of bootstrap draws, of any shape, as its interval.

    Raises:
        ValueError: if no draw is a number.
    """
    drawn = known("draws", draws)
    if not drawn.size:
        raise ValueError(f"an interval needs bootstrap draws that are numbers, got none among {np.size(draws)}")

    def percentiles(level: float, samples: int) -> Interval:
        with np.errstate(over="ignore", invalid="ignore"):
            ends = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
            low, high = value + (ends - value) * (n / samples) ** 0.5
        return float(low), float(high)

    return Estimate(float(value), percentiles, int(n), unit)


def bootstrap(
    statistic: Callable[..., np.ndarray],
    *samples: np.ndarray,
    rng: np.random.Generator,
    draws: int,
    unit: str = "samples",
    groups: Sequence[Hashable] | None = None,
) -> Estimate:
    """A statistic of one or several rows of samples, all drawn anew together; draws without a value are left out.

    Args:
        statistic: of as many arrays as there are rows, for rows (n, ...) also of (draws, n, ...); gives () or (draws,).
        draws: how often the samples are drawn, with replacement.
        groups: what each sample belongs to, for samples that may be alike: a group is drawn as a whole.

    Returns:
        An unknown estimate if there is no sample, or if the statistic of the samples, or that of every draw, is NaN.
        It is infinite where the statistic leaves the range of numbers.
    """
    for row in samples:
        numbers("samples", row)
    rows = [np.asarray(row).copy() for row in samples]
    if not all(row.ndim for row in rows):
        raise ValueError("samples must be rows of numbers, got a single number")
    n = len(rows[0])
    if not n:
        return unknown(unit=unit)
    if not all(row.size and len(row) == n for row in rows):
        shapes = ", ".join(str(row.shape) for row in rows)
        raise ValueError(f"samples must be rows of as many numbers each, got shapes {shapes}")
    again = _drawn(groups, n, generator(rng), draws)
    with np.errstate(over="ignore", invalid="ignore"):  # what leaves the range of numbers is infinite
        drawn = np.hstack([statistic(*(row[places] for row in rows)) for places in again])
        value = statistic(*rows)  # last: it may sort them in place
    if np.ndim(value):
        raise ValueError(f"the statistic must give one number for all samples, got shape {np.shape(value)}")
    if np.isnan(value) or np.isnan(drawn).all():
        return unknown(n, unit)
    return from_draws(float(value), drawn, n, unit)


def _drawn(groups: Sequence[Hashable] | None, n: int, rng: np.random.Generator, draws: int) -> Iterator[np.ndarray]:
    """The places of the samples in all draws, (draws, n); with groups in one draw after the other, (samples,)."""
    if groups is None:
        yield rng.integers(n, size=(draws, n))
        return
    if len(groups) != n:
        raise ValueError(f"groups must say of each of the {n} samples what it belongs to, got {len(groups)}")
    members = [np.array([i for i in range(n) if groups[i] == group]) for group in dict.fromkeys(groups)]
    for chosen in rng.integers(len(members), size=(draws, len(members))):
        yield np.concatenate([members[place] for place in chosen])


def mean(values: np.ndarray, rng: np.random.Generator, draws: int, unit: str = "samples") -> Estimate:
    """The mean of the values (n,) that aren't NaN, with the interval of a bootstrap over them.

    Returns:
        An unknown estimate if fewer than two values are numbers.
    """
    values = known("values", values)
    if values.size < 2:
        return unknown(values.size, unit)
    return bootstrap(lambda rows: rows.mean(axis=-1), values, rng=rng, draws=draws, unit=unit)


def samples_until(decided: Callable[[int], bool], n: int, at_most: int = 100_000) -> int | None:
    """The least number of samples above `n` from which on `decided` says so, to two digits; None if over `at_most`."""
    low = high = max(n, 1)
    while not decided(high):
        low, high = high, 2 * high
        if high > at_most:
            return None
    while high - low > max(1, high // 100):
        middle = (low + high) // 2
        low, high = (low, middle) if decided(middle) else (middle, high)
    return high
