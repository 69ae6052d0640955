"""Readers' labels with the texts of the recorded conversations that they are about.

A conversation loops if most of its readers say so. Where as many say the one as the other it is undecided: it chooses
no threshold, and counts half as a loop where a rule is judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor
from statistics import mean

import numpy as np

from a2a.dialogue.records import recorded
from a2a.dialogue.seeds import spread
from a2a.loops.labels import Label, load_labels
from a2a.places import book_root, given_path

FEWEST = 2
"""Loops, and conversations without one, that labels must hold to choose a threshold."""

MODELS = ("first pass", "second pass")
"""The readers of the book's labels that are instances of a language model."""

TIE = 0.5
"""Share of readers at which nothing is decided."""


@dataclass(frozen=True)
class Labelled:
    """Labelled conversations, one label each.

    Attributes:
        labels: what the readers said.
        texts: the seed sentence and every output of each.
        models: the names of the models that wrote them.
    """

    labels: Sequence[Label]
    texts: Sequence[Sequence[str]]
    models: Sequence[str]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def loops(self) -> np.ndarray:
        """Whether each falls into a loop, (n,)."""
        return np.array([label.loops for label in self.labels], dtype=bool)

    @property
    def sure(self) -> np.ndarray:
        """Whether the reader was sure, (n,)."""
        return np.array([label.sure for label in self.labels], dtype=bool)

    @property
    def onset(self) -> np.ndarray:
        """The first turn of each loop, (n,); NaN without one."""
        return np.array([label.onset or np.nan for label in self.labels])


def read_labels(path: str = "") -> list[Label]:
    """The labels of a user's CSV file, or those that lie beside the book's conversations.

    Raises:
        FileNotFoundError: if there is neither a path nor a book.
    """
    if path:
        return load_labels(given_path(path))
    if (root := book_root()) is None:
        raise FileNotFoundError("labels are looked for in the book's folder of conversations: no book here")
    return load_labels(root / "conversations" / "labels.csv")


def who_read(labels: Iterable[Label]) -> str:
    """Who the readers of labels are, and which of them are language models, without a full stop."""
    readers = list(dict.fromkeys(label.reader for label in labels))
    models = [name for name in readers if name in MODELS]
    if models == readers:
        return "The readers are instances of a large language model, no person"
    are = f" ({' and '.join(models)}: instances of a large language model)" if models else ""
    return f"The readers are {', '.join(readers)}{are}"


def settled(labels: Iterable[Label]) -> list[Label]:
    """One label for each conversation on which its readers agree, or most of them do, in the order of the first ones.

    Onset and end lie midway between those of readers who find the loop, rounded outwards; the cycle is their smallest.
    """
    return [_together(said) for said in _by_conversation(labels).values() if share_of(said) != TIE]


def undecided(labels: Iterable[Label]) -> list[Label]:
    """Of each conversation on which as many readers find a loop as don't: what the first of them said."""
    return [said[0] for said in _by_conversation(labels).values() if share_of(said) == TIE]


def share_of(said: Sequence[Label]) -> float:
    """The share of a conversation's readers who find a loop."""
    return sum(label.loops for label in said) / len(said)


def labelled(labels: Iterable[Label], most: int = 0) -> Labelled:
    """Labels with the texts of their conversations.

    Args:
        most: at most so many, evenly spread; 0 is all.

    Raises:
        FileNotFoundError: if a label is of a study that isn't recorded.
        ValueError: if one is of a conversation that its study doesn't have.
    """
    kept = spread(labels, most)
    told = {name: recorded(name) for name in dict.fromkeys(label.study for label in kept)}
    texts = {name: one.texts() for name, one in told.items()}
    if unknown := [f"{one.study}/{one.conversation}" for one in kept if one.conversation not in texts[one.study]]:
        raise ValueError(f"labels of conversations that aren't recorded: {', '.join(unknown[:5])}")
    models = dict.fromkeys(model.name for one in told.values() for model in one.study.models)
    return Labelled(kept, [texts[label.study][label.conversation] for label in kept], list(models))


def choosing(labels: Iterable[Label], most: int = 0) -> Labelled:
    """The conversations on which readers agree, which choose the thresholds of the rules.

    Raises:
        ValueError: if there are fewer than two loops or fewer than two conversations without one.
    """
    found = labelled(settled(labels), most)
    loops = int(found.loops.sum())
    if min(loops, len(found) - loops) < FEWEST:
        raise ValueError(
            f"wanted two loops and two others on which readers agree, got {loops} and {len(found) - loops}"
        )
    return found


def read_twice(labels: Iterable[Label]) -> list[tuple[Label, Label]]:
    """What two readers said of each conversation that two have labelled; of more readers, the first two."""
    return [(said[0], said[1]) for said in _by_conversation(labels).values() if len(said) > 1]


def readers_change(labels: Iterable[Label], study: str, ids: Collection[str], main: str = "main") -> np.ndarray:
    """What a change did by the readers: loops in a study minus loops in the main one, a conversation each, (n,).

    Of a conversation on which its readers differ, their share counts.

    Args:
        ids: the conversations that are compared.
    """
    share = {place: share_of(said) for place, said in _by_conversation(labels).items()}
    pairs = [((study, name), (main, name)) for where, name in share if where == study and name in ids]
    return np.array([share[here] - share[before] for here, before in pairs if before in share], float)


def _by_conversation(labels: Iterable[Label]) -> dict[tuple[str, str], list[Label]]:
    found: dict[tuple[str, str], list[Label]] = {}
    for label in labels:
        found.setdefault((label.study, label.conversation), []).append(label)
    return found


def _together(said: Sequence[Label]) -> Label:
    """The label of several readers, most of whom agree whether there is a loop."""
    readers, sure = ", ".join(one.reader for one in said), all(one.sure for one in said)
    if share_of(said) < TIE:
        return replace(said[0], loops=False, onset=None, end=None, cycle=None, sure=sure, reader=readers)
    onset = floor(mean(one.onset for one in said if one.onset))
    end = ceil(mean(one.end for one in said if one.end))
    cycle = min((one.cycle for one in said if one.cycle), default=None)
    return replace(said[0], loops=True, onset=onset, end=end, cycle=cycle, sure=sure, reader=readers)
