"""Mistakes on request, as language models make them with a gradient step."""

from __future__ import annotations

import numpy as np

from a2a.chat.hosted import Call, Task, randomness

MISTAKES = {"jump", "copy", "slip"}
"""What may go wrong with a gradient step; as an option, with its share of the answers."""


def gone_wrong(task: Task, call: Call, right: np.ndarray) -> np.ndarray:
    """The right answer or, in a share of the answers, a wrong one; equal questions under equal seeds go wrong alike."""
    if not call.options.keys() & MISTAKES:
        return right
    rng = randomness(call)
    chance, at, sign = rng.random(), int(rng.integers(task.prompt.d)), rng.choice([-1, 1])
    slipped = right.copy()
    slipped[at] += sign * np.linalg.norm(right - task.w)
    for mistake, answer in (("jump", task.prompt.theta), ("copy", task.w), ("slip", slipped)):
        if chance < (share := call.options.get(mistake, 0.0)):
            return answer
        chance -= share
    return right
