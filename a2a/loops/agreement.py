"""How well what a rule says agrees with what readers say: precision, recall, kappa, ROC, and the best threshold.

A score is as `loop_score` makes it: a conversation is said to loop if its score lies below the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def precision(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Share of true loops among those said to be loops, over the last axis; NaN if none is said to be."""
    return _ratio((said & true).sum(-1), said.sum(-1))


def recall(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Share of the true loops that are said to be loops, over the last axis; NaN if there is none."""
    return _ratio((said & true).sum(-1), true.sum(-1))


def kappa(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Cohen's kappa over the last axis: agreement beyond chance; NaN if chance alone agrees fully.

    Either may hold shares, such as that of the readers who say so: it is agreement with all of them together.
    """
    agreed = 1 - np.abs(np.asarray(said, float) - true).mean(-1)
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


def best_of_decided(score: np.ndarray, true: np.ndarray) -> float:
    """The best threshold by the conversations that readers agree on, whose true isn't a half."""
    return best_threshold(score[true != 0.5], true[true != 0.5])


def left_out(score: np.ndarray, true: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Whether each conversation loops by the threshold that the labels of all other groups choose, (n,).

    Args:
        score, true: as in `held_out`.
        groups: which each conversation belongs to, such as its study.
    """
    of, said = np.asarray(groups), np.zeros(len(score), dtype=bool)
    for group in np.unique(of):
        here = of == group
        said[here] = score[here] < best_of_decided(score[~here], true[~here])
    return said


def halves(true: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The positions of two random halves of the labels true (n,), with as many loops in each."""
    order = rng.permutation(len(true))
    order = order[np.argsort(true[order], kind="stable")]
    return order[::2], order[1::2]


def held_out(
    score: np.ndarray, true: np.ndarray, rng: np.random.Generator, *, splits: int, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """How well a threshold that half of the labels choose agrees with the other half, for many ways to halve them.

    Args:
        score, true: of each labelled conversation, (n,). Half a loop is one that readers differ on: it chooses nothing.
        splits: ways to halve the labels.
        draws: bootstrap draws of the judging half, in all ways together.

    Returns:
        The kappa of each split, (splits,), and those of the bootstrap draws in it, (splits, ceil(draws / splits)).
    """
    kappas, drawn = [], []
    for _ in range(splits):
        here, there = halves(true, rng)
        said, right = score[there] < best_of_decided(score[here], true[here]), true[there]
        again = rng.integers(len(there), size=(-(-draws // splits), len(there)))
        kappas.append(kappa(said, right))
        drawn.append(kappa(said[again], right[again]))
    return np.array(kappas), np.array(drawn)


def thresholds_of_other_labels(score: np.ndarray, true: np.ndarray, rng: np.random.Generator, draws: int) -> np.ndarray:
    """The thresholds that labels drawn anew, with replacement, would choose, (draws,)."""
    drawn = rng.integers(len(true), size=(draws, len(true)))
    return np.array([best_threshold(score[some], true[some]) for some in drawn])


def thresholds_with_share(score: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """The lowest and the highest score up to which a share of conversations from `low` to `high` loops; NaN if none.

    score (n,), infinity where no threshold makes a conversation loop.
    """
    candidates = np.sort(score[np.isfinite(score)])
    shares = np.arange(1, len(candidates) + 1) / len(score)
    inside = candidates[(shares >= low) & (shares <= high)]
    return (float(inside[0]), float(inside[-1])) if len(inside) else (float("nan"), float("nan"))


def _ratio(above: Any, below: Any) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(below) == 0, np.nan, np.asarray(above) / np.asarray(below))
