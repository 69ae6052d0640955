"""A study's file: a journal of the study itself, then of each output in the order in which they were made.

Outputs are appended in blocks, all conversations of a batch at one turn. A killed run may leave a part of a block;
readers pass over it, and what is missing of it is made from the same seeds when the study goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from a2a.dialogue.study import Study, machine
from a2a.journal import Journal, JournalError, Record


class RecordError(JournalError):
    """A file that isn't a study's, or that holds another study than the one that should go on."""


def header(study: Study) -> Record:
    """The first record of a study that is made on this machine."""
    told = study.describe()
    seeds = told.pop("seeds")
    return {"record": "study", **told, "machine": machine(), "seeds": seeds}


def plan(study: Study) -> Iterator[tuple[int, list[str]]]:
    """The blocks of a study in order, as (turn, conversations): batch after batch, and in each turn after turn."""
    ids = [seed.id for seed in study.seeds]
    batch = study.batch or len(ids)
    for start in range(0, len(ids), batch):
        for turn in range(1, study.turns + 1):
            yield turn, ids[start : start + batch]


def whole(study: Study, outputs: int) -> int:
    """How many of a study's first so many outputs lie in whole blocks."""
    position = 0
    for _, ids in plan(study):
        if position + len(ids) > outputs:
            break
        position += len(ids)
    return position


class StudyFile:
    """A study's file: what it holds, and the way to add to it.

    Attributes:
        first: its first record; empty where there is none yet.
        study: what that says.
        outputs: all others, in order; the last block may be there in part.
    """

    def __init__(self, file: Path) -> None:
        self.first: Record = {}
        self.study: Study | None = None
        self.outputs: list[Record] = []
        self._due: Iterator[tuple[str, int]] = iter(())
        self._journal = Journal(file, b'{"record": "', RecordError)
        self._journal.read(self._take)

    def append(self, block: Sequence[Record]) -> None:
        """Add records, and return when they are on the disk."""
        self._journal.append(block)
        self._journal.read(self._take)

    def require_writable(self) -> None:
        """See `Journal.require_writable`."""
        self._journal.require_writable()

    @contextmanager
    def going_on(self, study: Study) -> Iterator[None]:
        """Hold the file to go on with a study, or to start it.

        Raises:
            RecordError: if the file holds another study, or another process writes to it.
        """
        with self._journal.alone():
            self._journal.read(self._take)  # what was written since the file was looked at
            if self.study is None:
                self.append([header(study)])
            else:
                _same(self.first, json.loads(json.dumps(header(study))), self._journal.path.name)
            yield

    def _take(self, record: Record) -> None:
        if self.study is None:
            self._start(record)
            return
        due = next(self._due, None)
        if due is None:
            raise ValueError("the study has no more outputs than those before this one")
        if (record["conversation"], record["turn"]) != due:
            raise ValueError(f"out of order: the next output is that of {due[0]} at turn {due[1]}")
        _require_output(record)
        self.outputs.append(record)

    def _start(self, record: Record) -> None:
        if record.get("record") != "study" or not isinstance(record.get("machine"), dict):
            raise ValueError("a journal of conversations starts with a study")
        self.first, self.study = record, Study.from_description(record)
        self._due = ((name, turn) for turn, ids in plan(self.study) for name in ids)


def _require_output(record: Record) -> None:
    """Nothing, if a record holds what is read of an output; else a LookupError or a TypeError."""
    for name, kind in (("text", str), ("finish", str), ("dropped", int), ("attempts", int), ("injected", str | None)):
        if not isinstance(record[name], kind):
            raise TypeError(f"{name} is {record[name]!r}, wanted {getattr(kind, '__name__', kind)}")


def _same(was: Record, wanted: Record, name: str) -> None:
    differ = sorted(key for key in was.keys() | wanted.keys() if was.get(key) != wanted.get(key))
    if differ:
        told = "; ".join(f"{key} was {_short(was.get(key))} and is now {_short(wanted.get(key))}" for key in differ)
        raise RecordError(f"{name} holds another study: {told}. Choose another file, or delete it to start anew")


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
