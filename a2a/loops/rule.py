"""Whether and when a conversation falls into a loop: paper B's rule, a distance below its threshold for three steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

STEPS = 3
"""Consecutive steps that paper B asks for."""


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
    if not 1 <= needed <= len(onsets):
        raise ValueError(f"needed must be from 1 to {len(onsets)}, the number of rules, got {needed}")
    stacked = np.stack([np.asarray(found, dtype=float) for found in onsets.values()])
    return np.sort(stacked, axis=0)[needed - 1]  # NaN sorts last


def loop_text(conversation: Sequence[str], onset: float, lag: int = 1) -> list[str]:
    """The texts that repeat: the `lag` outputs from the onset on; none without convergence.

    conversation: the seed sentence and every output.
    """
    if np.isnan(onset):
        return []
    return list(conversation[int(onset) : int(onset) + lag])


def _largest_of(distances: np.ndarray, steps: int) -> np.ndarray:
    """The largest of each `steps` consecutive distances, infinity where one of them is missing."""
    filled = np.where(np.isnan(distances), np.inf, distances)
    if filled.shape[-1] < steps:
        return np.empty((*filled.shape[:-1], 0))
    return np.lib.stride_tricks.sliding_window_view(filled, steps, axis=-1).max(-1)
