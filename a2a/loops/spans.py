"""Stretches of turns: where along a conversation something holds."""

from __future__ import annotations

import numpy as np


def spans(holds: np.ndarray) -> list[range]:
    """The stretches of neighbouring turns, counted from 1, at which something holds.

    Args:
        holds: whether it does, (turns,), as a row of a rule's `in_loop`.
    """
    steps = np.diff(np.concatenate([[0], np.asarray(holds, dtype=int), [0]]))
    starts, ends = np.flatnonzero(steps == 1) + 1, np.flatnonzero(steps == -1) + 1
    return [range(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]
