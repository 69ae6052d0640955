"""Loops of any length: outputs that say again what the last few texts said, with silence looked past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from a2a.loops.containment import containment
from a2a.loops.distances import Distances
from a2a.loops.rule import LoopRule, in_loop, loop_score, onset

LONGEST = 6
"""Texts back that a cycle may return to."""
MOST = 0.5
"""An output repeats if more than half of it does: "for most of its length", as the readers' guideline has it."""


@dataclass(frozen=True)
class CycleRule(LoopRule):
    r"""A conversation falls into a loop if some outputs in a row each repeat what the last few texts said.

    With $C$ the containment of `a2a.loops.containment` and $y_1, \dots, y_k$ the last $k$ texts before $x$ that aren't
    empty, $x$ repeats if $1 - C(x, y_1, \dots, y_k)$ is below the threshold. A loop is a row of such outputs, three as
    in paper B. An empty output neither counts nor breaks a row; between two outputs of one row it is in the loop.

    Paper B's rule looks at $y_1$ alone, with a distance that has no direction, and silence ends a row.

    Attributes:
        metric: "containment".
        lag: $k$, how many texts it looks back.
        threshold: below which an output repeats.
        steps: outputs in a row.
    """

    metric: str = field(default="containment", init=False)
    lag: int = LONGEST
    threshold: float = MOST

    @property
    def name(self) -> str:
        """As in tables: "containment, last 6"."""
        return f"{self.metric}, last {self.lag}"

    def values(self, distances: Distances) -> np.ndarray:
        """$1 - C$ of each output, (conversations, turns); NaN for an empty one."""
        return distances.to_last(self.lag)

    def score(self, distances: Distances) -> np.ndarray:
        """The least threshold with which each conversation falls into a loop, (conversations,); see `loop_score`."""
        closed, _ = _closed_up(self.values(distances))
        return loop_score(closed, self.steps)

    def onset(self, distances: Distances) -> np.ndarray:
        """The first turn of each conversation's first loop, (conversations,); NaN without one."""
        closed, turns = _closed_up(self.values(distances))
        first = onset(closed, self.threshold, self.steps)
        place = np.nan_to_num(first, nan=1.0).astype(int) - 1
        return np.where(np.isnan(first), np.nan, np.take_along_axis(turns, place[:, None], axis=1)[:, 0] + 1)

    def in_loop(self, distances: Distances) -> np.ndarray:
        """Whether each turn is in a loop, (conversations, turns)."""
        closed, turns = _closed_up(self.values(distances))
        inside, found = in_loop(closed, self.threshold, self.steps), np.zeros(closed.shape, dtype=bool)
        np.put_along_axis(found, turns, inside, axis=1)
        for row, place in np.argwhere(inside[:, :-1] & inside[:, 1:]):
            found[row, turns[row, place] : turns[row, place + 1]] = True  # silence between two of them
        return found

    def ends_in_loop(self, texts: Sequence[str]) -> bool:
        """Whether a conversation is in a loop at its last text that isn't empty; it reads no more than it takes to say.

        Args:
            texts: the seed sentence and every output so far.
        """
        heard = [text for text in texts if text.strip()]
        row = range(len(heard) - 1, len(heard) - 1 - self.steps, -1)
        beyond = (1 - containment(heard[turn], heard[max(0, turn - self.lag) : turn]) for turn in row)
        return row[-1] > 0 and all(value < self.threshold for value in beyond)


def _closed_up(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows with their NaN entries moved to the end, and where each entry stood, (conversations, turns) both."""
    places = np.argsort(np.isnan(values), axis=-1, kind="stable")
    return np.take_along_axis(values, places, axis=-1), places
