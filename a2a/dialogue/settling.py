"""Where a pair of models settles, against where each of them settles alone (Ko and Geiping 2026).

A point is a mean embedding, (..., dimensions); leading dimensions broadcast.
"""

from __future__ import annotations

import numpy as np


def contraction(alone_a: np.ndarray, alone_b: np.ndarray, paired_a: np.ndarray, paired_b: np.ndarray) -> np.ndarray:
    """How much nearer A and B are as a pair than alone: 1 if they write alike, 0 if as far apart, below 0 if farther.

    Args:
        alone_a, alone_b: where each settles in conversations with itself.
        paired_a, paired_b: where each one's part of the pair's conversations settles.
    """
    apart = np.linalg.norm(alone_a - alone_b, axis=-1)
    return np.asarray(1 - np.linalg.norm(paired_a - paired_b, axis=-1) / apart)


def position(point: np.ndarray, alone_a: np.ndarray, alone_b: np.ndarray) -> np.ndarray:
    """Where a point lies along the line from A alone, 0, to B alone, 1; what is off the line doesn't count."""
    line = alone_b - alone_a
    return np.asarray(((point - alone_a) * line).sum(-1) / (line * line).sum(-1))
