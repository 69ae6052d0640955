"""The recorded studies with all that rules and readers say of each conversation, which the page of conversations shows.

Thresholds are those of the chapters: the same labels choose them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from a2a.dialogue.labelled import choosing, read_labels
from a2a.dialogue.records import Conversations, recorded
from a2a.dialogue.study import Study
from a2a.loops.cycles import CycleRule
from a2a.loops.distances import Distances
from a2a.loops.embeddings import Embedder
from a2a.loops.labels import Label
from a2a.loops.metrics import METRICS, Distance
from a2a.loops.rule import LoopRule, calibrate
from a2a.loops.spans import spans

SHOWN = ("cosine", "Jaccard")
"""The distances whose rules the page shows, before that of any length; it calls lag 1 of the first one the rule."""


@dataclass(frozen=True)
class Judged:
    """What one rule says of a study.

    Attributes:
        distances: (conversations, turns); NaN where there is none.
        loops: the stretches of each conversation that are in a loop.
    """

    rule: LoopRule
    distances: np.ndarray
    loops: Sequence[Sequence[range]]


@dataclass(frozen=True)
class Shelved:
    """A recorded study and what was said of it.

    Attributes:
        name: under which it is recorded.
        judged: by each rule.
        labels: by conversation, one of each reader who labelled it.
    """

    name: str
    told: Conversations
    judged: Sequence[Judged]
    labels: Mapping[str, Sequence[Label]]


def shelf(names: Iterable[str]) -> list[Shelved]:
    """Recorded studies, by name, with what the book's rules and readers say of them.

    Raises:
        FileNotFoundError, RecordError, ValueError: see `recorded`, `read_labels` and `choosing`.
    """
    embed, labels = Embedder.of_book(), read_labels()
    metrics = {name: METRICS[name].distance(embed) for name in SHOWN}
    known = choosing(labels)
    rules = [*calibrate(Distances(known.texts, metrics), known.loops), CycleRule()]
    return [judged_by(rules, name, recorded(name), metrics, labels) for name in names]


def judged_by(
    rules: Iterable[LoopRule],
    name: str,
    told: Conversations,
    metrics: Mapping[str, Distance],
    labels: Iterable[Label],
) -> Shelved:
    """A study with what rules and labels say of it."""
    distances = Distances(list(told.texts().values()), metrics)
    judged = [Judged(rule, rule.values(distances), [spans(row) for row in rule.in_loop(distances)]) for rule in rules]
    known: dict[str, list[Label]] = {one: [] for one in told.ids}
    for label in labels:
        if label.study == name and label.conversation in known:
            known[label.conversation].append(label)
    return Shelved(name, told, judged, known)


def in_words(study: Study) -> str:
    """How a study's models talk, in words."""
    drawn, history = study.intervention.adjust(study.sampling), study.history
    read = "all texts are read" if history == "all" else f"the last {history} texts are read" if history > 1 else ""
    parts = [
        f"{study.turns} turns",
        f"at most {drawn.max_new_tokens} tokens each",
        f"temperature {drawn.temperature:g}, top-p {drawn.top_p:g}",
        read or "the last text is read",
        "" if study.intervention.name == "none" else f"intervention: {study.intervention.name}",
    ]
    return ", ".join(filter(None, parts))
