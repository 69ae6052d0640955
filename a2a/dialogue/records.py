"""A study's conversations as they are recorded, and where the recorded ones are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from a2a.dialogue.study import Study
from a2a.dialogue.studyfile import RecordError, StudyFile, whole
from a2a.journal import Record

__all__ = ["Conversations", "Record", "RecordError", "read_conversations", "recorded"]


@dataclass(frozen=True)
class Conversations:
    """A study's conversations as recorded.

    Attributes:
        study: what was run.
        outputs: one record for each output, in the order in which they were made.
        machine: where it was run: versions, "threads", processor.
    """

    study: Study
    outputs: list[Record] = field(default_factory=list)
    machine: Record = field(default_factory=dict)

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
        return replace(self, study=replace(self.study, seeds=seeds), outputs=outputs)

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
    return read_conversations(root / "conversations" / f"{name}.jsonl")
