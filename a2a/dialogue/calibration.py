"""Detectors against labels: shares with intervals, precision, recall, kappa and ROC, and the choice of a threshold."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm, permutation_test

_YES_NO = {"yes": True, "no": False}


@dataclass(frozen=True)
class Label:
    """What a reader said of one conversation.

    Attributes:
        loops: whether it falls into a loop, by the guideline beside the labels.
        onset, end: the first loop's first and last turn, None without one.
        sure: whether the reader was.
        reader: "first", "second".
    """

    study: str
    conversation: str
    loops: bool
    onset: int | None
    end: int | None
    sure: bool
    reader: str


def load_labels(file: str | Path) -> list[Label]:
    """The labels of a CSV file with the columns study, conversation, loops, onset, end, sure (yes or no) and reader.

    Raises:
        ValueError: if a row says neither yes nor no, or has turns without a loop or a loop without turns in order.
    """
    with Path(file).open(newline="", encoding="utf-8") as rows:
        return [_label(row) for row in csv.DictReader(rows)]


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


def precision(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Share of true loops among those said to be loops, over the last axis; NaN if none is said to be."""
    return _ratio((said & true).sum(-1), said.sum(-1))


def recall(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Share of the true loops that are said to be loops, over the last axis; NaN if there is none."""
    return _ratio((said & true).sum(-1), true.sum(-1))


def kappa(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Cohen's kappa over the last axis: agreement beyond chance; NaN if chance alone agrees fully."""
    agreed = (said == true).mean(-1)
    p, q = said.mean(-1), true.mean(-1)
    chance = p * q + (1 - p) * (1 - q)
    return _ratio(agreed - chance, 1 - chance)


def roc(score: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ROC curve of "a loop if the score is below the threshold".

    Returns:
        False positive rate, true positive rate and threshold, from (0, 0) to (1, 1).
    """
    thresholds = np.concatenate([[-np.inf], np.unique(score[np.isfinite(score)]), [np.inf]])
    said = score <= thresholds[:, None]
    return _ratio((said & ~true).sum(-1), (~true).sum()), recall(said, true[None]), thresholds


def auc(score: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Area under the ROC curve, over the last axis: how often a loop scores lower than a non-loop; ties count half."""
    lower = score[..., :, None] < score[..., None, :]
    equal = score[..., :, None] == score[..., None, :]
    pairs = true[..., :, None] & ~true[..., None, :]
    return _ratio((pairs * (lower + equal / 2)).sum((-1, -2)), pairs.sum((-1, -2)))


def best_threshold(score: np.ndarray, true: np.ndarray) -> float:
    """The threshold with the largest kappa, in the middle of the gap between two scores; of several, the lowest.

    NaN, below which nothing lies, if no score is finite.
    """
    known = np.unique(score[np.isfinite(score)])
    if not known.size:
        return float("nan")
    candidates = np.concatenate([known[:1], (known[1:] + known[:-1]) / 2, known[-1:] + 1e-9])
    kappas = kappa(score < candidates[:, None], true[None])
    return float(candidates[int(np.argmax(np.nan_to_num(kappas, nan=-np.inf)))])


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


def halves(true: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The positions of two random halves of the labels true (n,), with as many loops in each."""
    order = rng.permutation(len(true))
    order = order[np.argsort(true[order], kind="stable")]
    return order[::2], order[1::2]


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


def _ratio(above: Any, below: Any) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(below) == 0, np.nan, np.asarray(above) / np.asarray(below))


def _label(row: dict[str, str]) -> Label:
    loops, sure = (_YES_NO.get(row[name].strip()) for name in ("loops", "sure"))
    onset, end = (int(row[name]) if row[name].strip() else None for name in ("onset", "end"))
    in_order = onset is not None and end is not None and 1 <= onset <= end
    if loops is None or sure is None or not (in_order if loops else onset is end is None):
        raise ValueError(f"a label says yes with an onset and an end, or no without them, got {row}")
    return Label(row["study"], row["conversation"], loops, onset, end, sure, row["reader"])
