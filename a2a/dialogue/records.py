"""A study's conversations as they are recorded, and where the recorded ones are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from a2a.dialogue.study import Study
from a2a.dialogue.studyfile import RecordError, StudyFile, whole
from a2a.journal import Record

__all__ = [
    "Conversations",
    "Record",
    "RecordError",
    "part_files",
    "read_conversations",
    "read_study",
    "recorded",
    "study_names",
]


@dataclass(frozen=True)
class Conversations:
    """A study's conversations as recorded.

    Attributes:
        study: what was run.
        outputs: one record for each output, in the order in which they were made.
        machine: where it was run, the first part if there are several: versions, "threads", processor.
        parts: the names of the conversations of each file, if it was recorded in several.
    """

    study: Study
    outputs: list[Record] = field(default_factory=list)
    machine: Record = field(default_factory=dict)
    parts: Sequence[Sequence[str]] = ()

    @property
    def ids(self) -> list[str]:
        """The conversations' names, in the order of their seeds."""
        return [seed.id for seed in self.study.seeds]

    @property
    def is_complete(self) -> bool:
        """Whether every conversation has all its turns."""
        return len(self.outputs) == len(self.study.seeds) * self.study.turns

    def only(self, conversations: Collection[str]) -> Conversations:
        """Some of the conversations, by name."""
        seeds = [seed for seed in self.study.seeds if seed.id in conversations]
        outputs = [output for output in self.outputs if output["conversation"] in conversations]
        parts = [[name for name in part if name in conversations] for part in self.parts]
        return replace(self, study=replace(self.study, seeds=seeds), outputs=outputs, parts=parts)

    def texts(self, *, with_seed: bool = True) -> dict[str, list[str]]:
        """By conversation: the seed sentence (unless left out) and every output."""
        said = {seed.id: [seed.text] if with_seed else [] for seed in self.study.seeds}
        for output in self.outputs:
            said[output["conversation"]].append(output["text"])
        return said

    def counts(self) -> dict[str, int]:
        """What went out of the ordinary: empty outputs, ends of text, cut contexts, redrawn and injected turns."""
        return {
            "empty": sum(not output["text"].strip() for output in self.outputs),
            "ended": sum(output["finish"] == "stop" for output in self.outputs),
            "over-long": sum(output["dropped"] > 0 for output in self.outputs),
            "redrawn": sum(output["attempts"] > 1 for output in self.outputs),
            "injected": sum(output["injected"] is not None for output in self.outputs),
        }


def read_conversations(file: str | Path) -> Conversations:
    """The conversations of a file, whole or under way; a part of a block at its end is left out.

    Raises:
        FileNotFoundError: if there is no such file.
        RecordError: if it isn't a study's journal.
    """
    if not Path(file).exists():
        raise FileNotFoundError(f"no conversations at {file}")
    kept = StudyFile(Path(file))
    if kept.study is None:
        raise RecordError(f"{Path(file).name} holds no study")
    return Conversations(kept.study, kept.outputs[: whole(kept.study, len(kept.outputs))], kept.first["machine"])


def part_files(folder: Path, name: str) -> Iterator[Path]:
    """Where the parts of a study are: NAME.jsonl, NAME-2.jsonl, ..., without end."""
    yield folder / f"{name}.jsonl"
    yield from (folder / f"{name}-{number}.jsonl" for number in count(2))


def study_names(folder: Path) -> list[str]:
    """The studies that a folder holds, in the order of their names."""
    return sorted({re.sub(r"-\d+$", "", file.stem) for file in folder.glob("*.jsonl")})


def read_study(folder: Path, name: str) -> Conversations:
    """The conversations of a study in all its parts; a further part that is under way is left out.

    Raises:
        FileNotFoundError: if there is none.
        RecordError: if one of the files isn't a study's journal, or its study another one.
    """
    first, *more = map(read_conversations, _there(folder, name))
    told = replace(first, parts=[first.ids])
    for part in more:
        if _without_seeds(part.study) != _without_seeds(told.study) or set(part.ids) & set(told.ids):
            raise RecordError(f"{name} in {folder.name}: a part holds another study, or conversations of another part")
        if part.is_complete:
            seeds = [*told.study.seeds, *part.study.seeds]
            study = replace(told.study, seeds=seeds)
            told = replace(told, study=study, outputs=told.outputs + part.outputs, parts=[*told.parts, part.ids])
    return told


def _there(folder: Path, name: str) -> list[Path]:
    files = part_files(folder, name)
    return [next(files), *takewhile(Path.exists, files)]


def _without_seeds(study: Study) -> dict[str, Any]:
    return {key: value for key, value in study.describe().items() if key != "seeds"}


def recorded(name: str) -> Conversations:
    """A study that the book's folder of conversations holds, by name, or one in a .jsonl file.

    Raises:
        FileNotFoundError: if it isn't there.
        RecordError: if it isn't a study's journal.
    """
    from a2a.places import book_root, given_path

    if name.endswith(".jsonl"):
        return read_conversations(given_path(name))
    if (root := book_root()) is None:
        raise FileNotFoundError(f"study {name} is looked for in the book's folder of conversations: no book here")
    return read_study(root / "conversations", name)
