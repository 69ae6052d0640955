"""Whether and when a conversation falls into a loop: paper B's rule, a distance below its threshold for three steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from a2a.loops.agreement import best_threshold
from a2a.loops.distances import Distances

STEPS = 3
"""Consecutive steps that paper B asks for."""


@dataclass(frozen=True)
class LoopRule:
    """A conversation falls into a loop if a distance stays below its threshold for some steps in a row.

    Attributes:
        metric: the distance's name.
        lag: how many turns it looks back.
        threshold: NaN, below which nothing lies, until labels or a user choose it.
        steps: consecutive distances.

    Raises:
        ValueError: if lag or steps is below 1.
    """

    metric: str
    lag: int = 1
    threshold: float = float("nan")
    steps: int = STEPS

    def __post_init__(self) -> None:
        if self.lag < 1 or self.steps < 1:
            raise ValueError(f"lag and steps of a rule must be at least 1, got {self.lag} and {self.steps}")

    @property
    def name(self) -> str:
        """As in tables: "cosine, lag 1"."""
        return f"{self.metric}, lag {self.lag}"

    def calibrated(self, distances: Distances, loops: np.ndarray, among: np.ndarray | None = None) -> LoopRule:
        """The same rule with the threshold that agrees best with labels.

        Args:
            distances: of the labelled conversations.
            loops: whether each of them loops, (n,).
            among: positions of those that choose; None is all.
        """
        some = np.arange(len(loops)) if among is None else among
        return replace(self, threshold=best_threshold(self.score(distances)[some], loops[some]))

    def moved(self, factor: float) -> LoopRule:
        """The same rule with its threshold multiplied by a factor."""
        return replace(self, threshold=self.threshold * factor)

    def values(self, distances: Distances) -> np.ndarray:
        """What lies below the threshold where an output repeats, (conversations, turns); NaN where there is none."""
        return distances.at(self.metric, self.lag)

    def score(self, distances: Distances) -> np.ndarray:
        """The least threshold with which each conversation falls into a loop, (conversations,); see `loop_score`."""
        return loop_score(self.values(distances), self.steps)

    def falls(self, distances: Distances) -> np.ndarray:
        """Whether each conversation ever falls into a loop, (conversations,)."""
        return np.asarray(self.score(distances) < self.threshold)

    def onset(self, distances: Distances) -> np.ndarray:
        """The first turn of each conversation's first loop, (conversations,); NaN without one."""
        return onset(self.values(distances), self.threshold, self.steps)

    def in_loop(self, distances: Distances) -> np.ndarray:
        """Whether each turn is in a loop, (conversations, turns)."""
        return in_loop(self.values(distances), self.threshold, self.steps)


@dataclass(frozen=True)
class Vote:
    """Several rules as one: what `needed` of them say.

    Attributes:
        name: as in tables.
        rules: at least `needed`.
        needed: one is "either of them".

    Raises:
        ValueError: if there are fewer rules than needed, or none is.
    """

    name: str
    rules: tuple[LoopRule, ...]
    needed: int

    def __post_init__(self) -> None:
        _require_enough(self.needed, len(self.rules))

    def falls(self, distances: Distances) -> np.ndarray:
        """Whether enough rules say that each conversation ever falls into a loop, (conversations,)."""
        return ~np.isnan(self.onset(distances))

    def onset(self, distances: Distances) -> np.ndarray:
        """The turn by which enough rules have found their onset, (conversations,); NaN if fewer ever do."""
        return vote({rule.name: rule.onset(distances) for rule in self.rules}, self.needed)

    def in_loop(self, distances: Distances) -> np.ndarray:
        """Whether enough rules say that each turn is in a loop, (conversations, turns)."""
        return np.asarray(np.sum([rule.in_loop(distances) for rule in self.rules], axis=0) >= self.needed)


def calibrate(
    distances: Distances,
    loops: np.ndarray,
    *,
    lags: Iterable[int] = (1, 2),
    steps: int = STEPS,
    given: Mapping[str, float] | None = None,
    among: np.ndarray | None = None,
) -> list[LoopRule]:
    """The rules of all metrics that there are distances of, with the thresholds that labels choose.

    Args:
        distances: of the labelled conversations.
        loops: whether each of them loops, (n,).
        lags: of the rules, one after the other for each metric.
        given: thresholds by metric, for lag 1, in place of the labels'.
        among: positions of the labels that choose; None is all.
    """
    rules = [LoopRule(metric, lag, steps=steps) for metric in distances.metrics for lag in lags]
    chosen = [rule.calibrated(distances, loops, among) for rule in rules]
    known = given or {}
    return [
        replace(one, threshold=known[one.metric]) if one.lag == 1 and one.metric in known else one for one in chosen
    ]


def pick(rules: Iterable[LoopRule], metric: str, lag: int = 1) -> LoopRule:
    """The rule of a metric at a lag.

    Raises:
        ValueError: if it isn't among them.
    """
    known = {(rule.metric, rule.lag): rule for rule in rules}
    if (metric, lag) not in known:
        raise ValueError(f"no rule {metric}, lag {lag}; there are {'; '.join(rule.name for rule in known.values())}")
    return known[metric, lag]


def loop_score(distances: np.ndarray, steps: int = STEPS) -> np.ndarray:
    """The smallest threshold that the rule needs: the least, over all turns, of the largest of `steps` distances.

    A conversation converges at a threshold exactly if its score is below it, so the score makes a ROC curve and the
    sensitivity to the threshold without trying any. distances (..., turns), NaN where there is none; infinity if no
    `steps` distances stand in a row.
    """
    return _largest_of(distances, steps).min(-1, initial=np.inf)


def onset(distances: np.ndarray, threshold: float, steps: int = STEPS) -> np.ndarray:
    """The turn of the first of `steps` consecutive distances below the threshold, (...); NaN without convergence.

    distances (..., turns): entry t - 1 belongs to turn t.
    """
    below = _largest_of(distances, steps) < threshold
    if below.shape[-1] == 0:
        return np.full(below.shape[:-1], np.nan)
    return np.where(below.any(-1), below.argmax(-1) + 1.0, np.nan)


def in_loop(distances: np.ndarray, threshold: float, steps: int = STEPS) -> np.ndarray:
    """Whether each turn belongs to `steps` consecutive distances below the threshold, (..., turns)."""
    below = _largest_of(distances, steps) < threshold
    found = np.zeros(distances.shape, dtype=bool)
    for step in range(steps if below.shape[-1] else 0):
        found[..., step : step + below.shape[-1]] |= below
    return found


def vote(onsets: Mapping[str, np.ndarray], needed: int) -> np.ndarray:
    """The turn by which `needed` of several rules have found their onset, NaN if fewer ever do."""
    _require_enough(needed, len(onsets))
    stacked = np.stack([np.asarray(found, dtype=float) for found in onsets.values()])
    return np.sort(stacked, axis=0)[needed - 1]  # NaN sorts last


def _require_enough(needed: int, rules: int) -> None:
    if not 1 <= needed <= rules:
        raise ValueError(f"needed must be from 1 to {rules}, the number of rules, got {needed}")


def _largest_of(distances: np.ndarray, steps: int) -> np.ndarray:
    """The largest of each `steps` consecutive distances, infinity where one of them is missing."""
    filled = np.where(np.isnan(distances), np.inf, distances)
    if filled.shape[-1] < steps:
        return np.empty((*filled.shape[:-1], 0))
    return np.lib.stride_tricks.sliding_window_view(filled, steps, axis=-1).max(-1)
