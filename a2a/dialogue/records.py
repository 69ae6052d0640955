"""The record of a study: one JSON line for the study, then one for each output, in the order in which they were made.

Outputs are appended in blocks, all conversations of a batch at one turn, each block with one write. A killed run leaves
at most one torn block at the end; it is removed before the study goes on, and made anew from the same seeds.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class RecordError(ValueError):
    """A record that can't be read, or that belongs to another study than the one that should go on."""


@dataclass(frozen=True)
class Conversations:
    """A study's conversations as recorded.

    Attributes:
        study: what was run: models, sampling settings, seeds, intervention, machine.
        outputs: one record for each output, in the order in which they were made.
    """

    study: Record
    outputs: list[Record] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The conversations' names, in the order of their seeds."""
        return [seed["id"] for seed in self.study["seeds"]]

    @property
    def is_complete(self) -> bool:
        """Whether every conversation has all its turns."""
        return len(self.outputs) == len(self.study["seeds"]) * self.study["turns"]

    def only(self, conversations: Collection[str]) -> Conversations:
        """Some of the conversations, by name."""
        seeds = [seed for seed in self.study["seeds"] if seed["id"] in conversations]
        outputs = [output for output in self.outputs if output["conversation"] in conversations]
        return Conversations({**self.study, "seeds": seeds}, outputs)

    def texts(self, *, with_seed: bool = True) -> dict[str, list[str]]:
        """By conversation: the seed sentence (unless left out) and every output."""
        found = {seed["id"]: [seed["text"]] if with_seed else [] for seed in self.study["seeds"]}
        for output in self.outputs:
            found[output["conversation"]].append(output["text"])
        return found

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
    """The conversations of a file, whole or under way; a torn end is left out.

    Raises:
        RecordError: if it isn't such a record.
    """
    study, blocks = _parse(Path(file).read_bytes(), Path(file).name)
    if study is None:
        raise RecordError(f"{Path(file).name} holds no study")
    return Conversations(study, [output for block, _ in blocks for output in block])


def recorded(name: str) -> Conversations:
    """A study that the book's folder of conversations holds, by name, or one in a .jsonl file.

    Raises:
        FileNotFoundError: if it isn't there.
        RecordError: if it isn't such a record.
    """
    from a2a.places import book_root, given_path

    if name.endswith(".jsonl"):
        return read_conversations(given_path(name))
    if (root := book_root()) is None:
        raise FileNotFoundError(f"study {name} is looked for in the book's folder of conversations: no book here")
    return read_conversations(root / "conversations" / f"{name}.jsonl")


def plan(study: Record) -> Iterator[tuple[int, list[str]]]:
    """The blocks of a study in order, as (turn, conversations): batch after batch, and in each turn after turn."""
    ids = [seed["id"] for seed in study["seeds"]]
    batch = study["batch"] or len(ids)
    for start in range(0, len(ids), batch):
        for turn in range(1, study["turns"] + 1):
            yield turn, ids[start : start + batch]


class RecordFile:
    """A record that is written to; it holds the file's lock. Use it as what `writing` yields."""

    def __init__(self, descriptor: int, outputs: list[Record]) -> None:
        self._descriptor, self.outputs = descriptor, outputs

    def append(self, block: Sequence[Record]) -> None:
        """Add a whole block, and return when it is on the disk."""
        _write(self._descriptor, block)
        self.outputs += block


@contextmanager
def writing(file: Path, study: Record) -> Iterator[RecordFile]:
    """Open a study's record to go on with it, or start it.

    Raises:
        RecordError: if the file holds another study, or another process writes to it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecordError(f"another process writes to {file.name}") from None
        found, blocks = _parse(file.read_bytes(), file.name)
        if found is None:
            os.ftruncate(descriptor, 0)
            _write(descriptor, [study])
        else:
            _same(found, json.loads(json.dumps(study)), file.name)
            os.ftruncate(descriptor, blocks[-1][1] if blocks else len(_line(found)))
        yield RecordFile(descriptor, [output for block, _ in blocks for output in block])
    finally:
        os.close(descriptor)


def _parse(content: bytes, name: str) -> tuple[Record | None, list[tuple[list[Record], int]]]:
    """The study, and its whole blocks, each with the position in the file where it ends."""
    lines = content.split(b"\n")[:-1]  # what follows the last line feed is torn
    try:
        records = [json.loads(line) for line in lines]
    except ValueError as error:
        raise RecordError(f"{name} holds a line that isn't JSON: {error}") from None
    if not records:
        return None, []
    study, outputs = records[0], records[1:]
    if not isinstance(study, dict) or study.get("record") != "study":
        raise RecordError(f"{name} doesn't start with a study")
    ends = [0]
    for line in lines:
        ends.append(ends[-1] + len(line) + 1)
    blocks: list[tuple[list[Record], int]] = []
    position = 0
    for turn, ids in plan(study):
        block = outputs[position : position + len(ids)]
        if [(one["conversation"], one["turn"]) for one in block] != [(name, turn) for name in ids][: len(block)]:
            raise RecordError(f"{name} has outputs out of order after output {position}")
        if len(block) < len(ids):
            return study, blocks
        position += len(ids)
        blocks.append((block, ends[position + 1]))
    if len(outputs) > position:
        raise RecordError(f"{name} holds {len(outputs) - position} outputs more than its study has")
    return study, blocks


def _same(found: Record, wanted: Record, name: str) -> None:
    differ = sorted(key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key))
    if differ:
        told = "; ".join(f"{key} was {_short(found.get(key))} and is now {_short(wanted.get(key))}" for key in differ)
        raise RecordError(f"{name} holds another study: {told}. Choose another file, or delete it to start anew")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else f"{text[:200]}..."


def _line(record: Record) -> bytes:
    # ASCII only: texts may hold line separators and halves of surrogate pairs
    return json.dumps(record).encode() + b"\n"


def _write(descriptor: int, records: Sequence[Record]) -> None:
    rest = b"".join(map(_line, records))
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)
