"""Kinds of evidence: how what was measured is compared with what a claim says, and the verdict that follows.

Numbers are compared by a tolerance, estimates by an interval and a margin that was fixed before the data were read.
Tolerances and margins never grow with the quantity that they judge.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from a2a.book.digits import number, within
from a2a.intervals import Estimate, Interval, Number, samples_until

Verdict = Literal["supported", "contradicted", "undecided", "not applicable", "descriptive"]
WEAKNESS = ("descriptive", "supported", "undecided", "contradicted")
RESIDUAL = 1e-6
"""A tolerance of at most this asks whether something is zero up to rounding, whose digits mean nothing."""


@dataclass(frozen=True)
class Evidence:
    """What one comparison found.

    Attributes:
        verdict: what it says of the claim.
        wanted, measured: both sides of the comparison, in words, with the digits that matter.
        effect: the number that was judged, for pictures; None where there is none, or where it is rounding noise.
        interval: its 95 % interval, for estimates.
        margin: the range in which the claim has the number.
        note: what would decide, where the verdict is "undecided".
    """

    verdict: Verdict
    wanted: str
    measured: str
    effect: float | None = None
    interval: Interval | None = None
    margin: Interval | None = None
    note: str = ""


def close(measured: Any, predicted: Any = 0, *, tolerance: Number) -> Evidence:
    """Supported if no entry of `measured` is farther than `tolerance` from `predicted`; the worst entry is shown.

    Args:
        measured, predicted: numbers or arrays that broadcast.
        tolerance: the largest absolute deviation that still counts as agreement.

    Raises:
        ValueError: if there is nothing to compare or the tolerance is negative or not a finite number.
    """
    if not (isinstance(tolerance, (int, float)) and 0 <= tolerance < math.inf):
        raise ValueError(f"tolerance must be a finite number >= 0, got {tolerance!r}")
    both = np.broadcast_arrays(np.asarray(predicted, dtype=float), np.asarray(measured, dtype=float))
    if both[0].size == 0:
        raise ValueError("there is nothing to compare: measured and predicted are empty")
    with np.errstate(invalid="ignore"):  # infinity against infinity is NaN, which is no agreement
        deviation = np.abs(both[1] - both[0]).ravel()
    worst = int(np.argmax(np.where(np.isnan(deviation), np.inf, deviation)))
    expected, found = (float(values.ravel()[worst]) for values in both)
    agrees = bool(deviation[worst] <= tolerance)
    wanted = f"{number(expected, tolerance)}, within {tolerance:g}" if tolerance else f"exactly {expected:.6g}"
    if 0 < tolerance <= RESIDUAL:
        told = f"{number(expected, tolerance)}, " * bool(expected) + within(deviation[worst], tolerance)
        return Evidence("supported" if agrees else "contradicted", wanted, told)
    margin = expected - tolerance, expected + tolerance
    told = number(found, tolerance)
    return Evidence("supported" if agrees else "contradicted", wanted, told, found, margin=margin)


def every(right: Any) -> Evidence:
    """Supported if every instance is as the claim says; one that isn't contradicts it.

    Args:
        right: booleans, one an instance.

    Raises:
        ValueError: if there is no instance.
    """
    right = np.asarray(right, dtype=bool)
    if not right.size:
        raise ValueError("there is nothing to compare: no instance was given")
    count = int(right.sum())
    verdict: Verdict = "supported" if count == right.size else "contradicted"
    return Evidence(verdict, f"all {right.size:,}", f"{count:,} of {right.size:,}")


def same(estimate: Estimate, to: Number = 0.0, *, margin: Number, p: Number | None = None) -> Evidence:
    """Supported if the 90 % interval lies within `margin` of `to`; contradicted if the 95 % interval excludes `to`.

    Args:
        p: the p-value of a difference, adjusted for the claim's other checks; a difference then needs p < 0.05, too.
    """

    def verdict(n: int) -> Verdict:
        low, high = estimate.interval(0.90, n)
        if to - margin <= low and high <= to + margin:
            return "supported"
        return "contradicted" if _differs(estimate, to, n, p) else "undecided"

    return _of_estimate(estimate, verdict, f"{to:g}, within {margin:g}", (to - margin, to + margin))


def different(estimate: Estimate, sign: int, *, p: Number | None = None, margin: Number | None = None) -> Evidence:
    """Supported if the 95 % interval lies on the claimed side of 0, contradicted if on the other side.

    Args:
        sign: 1 if the claim says that the quantity is above 0, -1 if below.
        p: the p-value of a difference, adjusted for the claim's other checks; a difference then needs p < 0.05, too.
        margin: an effect whose 90 % interval lies within it counts as none, which contradicts the claim.
    """

    def verdict(n: int) -> Verdict:
        if _differs(estimate, 0.0, n, p):
            return "supported" if estimate.value * sign > 0 else "contradicted"
        none = margin is not None and max(map(abs, estimate.interval(0.90, n))) <= margin
        return "contradicted" if none else "undecided"

    side = (0.0, math.inf) if sign > 0 else (-math.inf, 0.0)
    return _of_estimate(estimate, verdict, "above 0" if sign > 0 else "below 0", side)


def at_least(estimate: Estimate, bound: Number) -> Evidence:
    """Supported if the 95 % interval lies above `bound`, contradicted if below it."""

    def verdict(n: int) -> Verdict:
        low, high = estimate.interval(0.95, n)
        return "supported" if low >= bound else "contradicted" if high < bound else "undecided"

    return _of_estimate(estimate, verdict, f"at least {bound:g}", (bound, math.inf))


def at_most(estimate: Estimate, bound: Number) -> Evidence:
    """Supported if the 95 % interval lies below `bound`, contradicted if above it."""

    def verdict(n: int) -> Verdict:
        low, high = estimate.interval(0.95, n)
        return "supported" if high <= bound else "contradicted" if low > bound else "undecided"

    return _of_estimate(estimate, verdict, f"at most {bound:g}", (-math.inf, bound))


def descriptive(measured: Any, beside: str) -> Evidence:
    """A number beside the paper's, from other models: no verdict.

    Args:
        measured: an Estimate, or anything else as it should be read.
        beside: what it stands beside.
    """
    if isinstance(measured, Estimate):
        return Evidence("descriptive", beside, str(measured), measured.value, measured.interval(0.95))
    return Evidence("descriptive", beside, str(measured))


def weakest(found: Sequence[Evidence]) -> Evidence:
    """Of comparisons that must all come out for the claim: the one that supports it least.

    Raises:
        ValueError: if there is none.
    """
    if not found:
        raise ValueError("there is nothing to compare: no evidence was given")
    return max(found, key=lambda one: (WEAKNESS.index(one.verdict), _off(one)))


def _off(found: Evidence) -> float:
    """How far the effect is from the middle of its margin, in units of it; 0 where that says nothing."""
    if found.effect is None or found.margin is None:
        return 0.0
    half = (found.margin[1] - found.margin[0]) / 2
    return abs(found.effect - sum(found.margin) / 2) / half if 0 < half < math.inf else 0.0


def _differs(estimate: Estimate, to: Number, n: int, p: Number | None) -> bool:
    """Whether the 95 % interval excludes `to`; with a p-value for the samples at hand, whether that is small, too."""
    low, high = estimate.interval(0.95, n)
    if p is None or low <= to <= high:
        return low > to or high < to
    z = -NormalDist().inv_cdf(max(p / 2, 1e-300)) * (n / estimate.n) ** 0.5  # the same effect in n samples
    return z > -NormalDist().inv_cdf(0.025)


def _of_estimate(estimate: Estimate, verdict: Callable[[int], Verdict], wanted: str, margin: Interval) -> Evidence:
    found, note = verdict(estimate.n), ""
    if found == "undecided":
        needed = samples_until(lambda n: verdict(n) != "undecided", estimate.n)
        many = "more than 100,000" if needed is None else f"about {float(f'{needed:.2g}'):,.0f}"
        note = f"{many} {estimate.unit} would decide, if the estimate stays where it is; there are {estimate.n:,}"
    return Evidence(found, wanted, str(estimate), estimate.value, estimate.interval(), margin, note)
