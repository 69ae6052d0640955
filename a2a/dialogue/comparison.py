"""Studies side by side: what a change does to conversations from the same seed sentences.

Values of a study are one number a conversation, (conversations,), in the order of the study's conversations; NaN where
there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from a2a.dialogue.records import Conversations
from a2a.dialogue.seeds import spread
from a2a.intervals import Estimate, from_draws
from a2a.loops.distances import Distances
from a2a.loops.rule import LoopRule

Values = Mapping[str, np.ndarray]
"""One number a conversation, by study."""

AT_SOME, AT_LAST, TURNS = "at some turn", "at the last turn", "share of turns"
"""What is asked of a conversation: whether it is ever in a loop, whether it is at its end, and for how much of it."""


@dataclass(frozen=True)
class Comparison:
    """Which conversations pair up.

    Attributes:
        ids: the names of each study's conversations, which are those of their seed sentences.
        main: the study that the others are compared with.
    """

    ids: Mapping[str, Sequence[str]]
    main: str = "main"

    @property
    def shared(self) -> list[str]:
        """The conversations that every study holds."""
        return [id for id in self.ids[self.main] if all(id in own for own in self.ids.values())]

    def rows(self, study: str, wanted: Sequence[str]) -> list[int]:
        """Where some conversations stand among a study's."""
        return [self.ids[study].index(id) for id in wanted]

    def of_main(self, study: str, values: Values) -> np.ndarray:
        """The main study's values for the conversations of another one."""
        return values[self.main][self.rows(self.main, self.ids[study])]

    def change(self, study: str, values: Values) -> np.ndarray:
        """Each conversation's value minus that of the main study's conversation from the same seed sentence."""
        return values[study] - self.of_main(study, values)

    def over_studies(self, values: Values) -> np.ndarray:
        """The mean over all studies for each conversation that every study holds, (shared, ...).

        values may have more dimensions behind that of the conversations.
        """
        rows = [own[self.rows(study, self.shared)] for study, own in values.items()]
        return np.asarray(np.mean(rows, axis=0))

    def correlations(self, values: Values) -> dict[str, float]:
        """How alike the outcomes of each study and the main one are over seed sentences, where neither is constant."""
        pairs = {study: (own, self.of_main(study, values)) for study, own in values.items() if study != self.main}
        return {
            study: float(np.corrcoef(own, mains)[0, 1])
            for study, (own, mains) in pairs.items()
            if len(own) and np.ptp(own) > 0 and np.ptp(mains) > 0
        }


@dataclass(frozen=True)
class Loops:
    """What a rule finds in several studies.

    Attributes:
        rule: by which loops are found.
        distances: of each study's conversations.
    """

    rule: LoopRule
    distances: Mapping[str, Distances]

    @cached_property
    def turns(self) -> dict[str, np.ndarray]:
        """Whether each turn is in a loop, (conversations, turns), by study."""
        return {study: self.rule.in_loop(known) for study, known in self.distances.items()}

    @property
    def share_of_turns(self) -> dict[str, np.ndarray]:
        """The share of a conversation's turns that are in a loop, by study."""
        return {study: np.asarray(turns.mean(axis=1)) for study, turns in self.turns.items()}

    @property
    def at_end(self) -> dict[str, np.ndarray]:
        """Whether a conversation is in a loop at its last turn, as 1 or 0, by study."""
        return {study: np.asarray(turns[:, -1], dtype=float) for study, turns in self.turns.items()}

    @property
    def ever(self) -> dict[str, np.ndarray]:
        """Whether a conversation ever falls into a loop, as 1 or 0, by study."""
        return {study: np.asarray(turns.any(axis=1), dtype=float) for study, turns in self.turns.items()}

    def outcomes(self) -> dict[str, dict[str, np.ndarray]]:
        """What is asked of a conversation, by question and study."""
        return {AT_SOME: self.ever, AT_LAST: self.at_end, TURNS: self.share_of_turns}

    def moved(self, factor: float) -> Loops:
        """The same with the rule's threshold multiplied by a factor."""
        return Loops(self.rule.moved(factor), self.distances)

    def added(self, factor: float, thresholds: np.ndarray) -> dict[str, np.ndarray]:
        """What a factor on a threshold adds to loops: 1 for a conversation that loops then, -1 for one that stops.

        Args:
            thresholds: several ones in place of the rule's, (n,).

        Returns:
            (conversations, n) by study.
        """
        scores = {study: self.rule.score(known)[:, None] for study, known in self.distances.items()}
        return {
            study: (score < factor * thresholds).astype(float) - (score < thresholds) for study, score in scores.items()
        }


def new_of(told: Conversations) -> np.ndarray:
    """Which of a study's conversations weren't among the first that were recorded of it, (conversations,)."""
    later = {id for part in told.parts[1:] for id in part}
    return np.array([id in later for id in told.ids], dtype=bool)


def over_labels(own: np.ndarray, drawn: np.ndarray, rng: np.random.Generator) -> Estimate:
    """A mean over seed sentences that hangs on labels: its interval is of other sentences and other labels at once.

    Args:
        own: with the labels that there are, (n,), one number a seed sentence.
        drawn: with labels drawn anew, (n, draws).
    """
    n, draws = drawn.shape
    again = rng.integers(n, size=(draws, n))
    means = np.take_along_axis(drawn.T, again, axis=1).mean(axis=1)
    return from_draws(float(own.mean()), means, n, "seed sentences, with labels in proportion,")


def paired_up(told: Mapping[str, Conversations], most: int = 0, main: str = "main") -> dict[str, Conversations]:
    """The studies, each with at most so many conversations, those that every study holds first of all; 0 is all."""
    comparison = Comparison({name: one.ids for name, one in told.items()}, main)
    shared = comparison.shared
    rest = [id for id in told[main].ids if id not in shared]
    more = max(most - len(shared), 0)
    kept = spread(shared, most) + (spread(rest, more) if more or not most else [])
    return {name: one.only(kept) for name, one in told.items()}
