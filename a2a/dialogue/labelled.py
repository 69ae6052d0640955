"""Readers' labels with the texts of the recorded conversations that they are about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from a2a.dialogue.records import Conversations, recorded
from a2a.dialogue.seeds import spread
from a2a.loops.labels import Label, load_labels
from a2a.places import book_root, given_path

FEWEST = 2
"""Loops, and conversations without one, that labels must hold to choose a threshold."""


@dataclass(frozen=True)
class Labelled:
    """Conversations that readers have labelled, one label each.

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


def labelled(labels: Iterable[Label], *readers: str, most: int = 0) -> Labelled:
    """Conversations that some readers labelled, with their texts.

    Args:
        readers: whose labels; all if none is named.
        most: at most so many, evenly spread; 0 is all.

    Raises:
        FileNotFoundError: if a label is of a study that isn't recorded.
        ValueError: if one is of a conversation that its study doesn't have.
    """
    kept = spread((one for one in labels if not readers or one.reader in readers), most)
    told = {name: recorded(name) for name in dict.fromkeys(label.study for label in kept)}
    texts = {name: one.texts() for name, one in told.items()}
    if unknown := [f"{one.study}/{one.conversation}" for one in kept if one.conversation not in texts[one.study]]:
        raise ValueError(f"labels of conversations that aren't recorded: {', '.join(unknown[:5])}")
    models = dict.fromkeys(model.name for one in told.values() for model in one.study.models)
    return Labelled(kept, [texts[label.study][label.conversation] for label in kept], list(models))


def choosing(labels: Iterable[Label], most: int = 0) -> Labelled:
    """The first reader's labels, which choose the thresholds of the rules.

    Raises:
        ValueError: if there are fewer than two loops or fewer than two conversations without one.
    """
    first = labelled(labels, "first", most=most)
    loops = int(first.loops.sum())
    if min(loops, len(first) - loops) < FEWEST:
        raise ValueError(
            f"wanted two loops and two others among the first reader's labels, got {loops} and {len(first) - loops}"
        )
    return first


def read_twice(labels: Iterable[Label], one: str = "first", other: str = "second") -> tuple[np.ndarray, np.ndarray]:
    """What two readers said of the conversations that both labelled, whether they loop, (n,) each."""
    said: dict[str, dict[tuple[str, str], bool]] = {one: {}, other: {}}
    for label in labels:
        if label.reader in said:
            said[label.reader][label.study, label.conversation] = label.loops
    both = [key for key in said[one] if key in said[other]]
    return tuple(np.array([said[reader][key] for key in both], dtype=bool) for reader in (one, other))  # type: ignore[return-value]


def readers_change(labels: Iterable[Label], study: str, main: str = "main") -> np.ndarray:
    """What a change did by the readers: loops in a study minus loops in the main one, a conversation each, (n,).

    The main study's conversations were labelled by the first reader, the others by the third and the fourth.
    """
    listed = list(labels)
    before = {one.conversation: one.loops for one in listed if one.study == main and one.reader == "first"}
    later = [one for one in listed if one.study == study and one.reader in ("third", "fourth")]
    return np.array([one.loops - before[one.conversation] for one in later if one.conversation in before], float)


def without_copies(found: Labelled, main: Conversations) -> Labelled:
    """The labelled conversations without those that the main study holds word for word.

    An injected study shares the whole of a conversation with the main one where nothing was injected.
    """
    known = main.texts()
    kept = [i for i, label in enumerate(found.labels) if found.texts[i] != known.get(label.conversation)]
    return Labelled([found.labels[i] for i in kept], [found.texts[i] for i in kept], found.models)
