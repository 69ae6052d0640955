"""Transcripts: every call to a model on disk, one JSON line each, so that a run can be resumed, replayed and re-scored.

The file is only ever appended to. Each line goes out in one write under a file lock, so that several processes may
share a file and a killed one leaves at most a torn last line, which the next writer removes.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from a2a.chat.calls import Request


class TranscriptError(ValueError):
    """A transcript that can't be read, or that would mix the answers of different models."""


class ReplayMiss(LookupError):
    """A request that the transcript doesn't hold; it carries the request."""

    def __init__(self, request: Request, where: Path, failure: str | None) -> None:
        self.request = request
        known = f", only as failed ({failure})" if failure else ""
        super().__init__(f"{request.name} isn't in {where.name}{known}; replay makes no calls")


class Transcripts:
    """The records of one file; a name that ends in .gz is for replay only.

    Raises:
        TranscriptError: if a line isn't a record (a torn last line is none's fault and is skipped).
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.answered_by: dict[str, tuple[str, str]] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._failures: dict[str, str] = {}
        self._offset = self._line = 0
        self.refresh()

    def __repr__(self) -> str:
        return f"Transcripts({self.path.name!r}, {len(self)} answers)"

    def __len__(self) -> int:
        return len(self._answers)

    def answer(self, request: Request) -> dict[str, Any] | None:
        """The recorded reply to a request, the first if there are several; None if there is none but failures."""
        if request.key not in self._answers:
            self.refresh()
        return self._answers.get(request.key)

    def failure(self, request: Request) -> str | None:
        """The last recorded failure of a request."""
        return self._failures.get(request.key)

    def outcomes(self) -> dict[str, Counter[str]]:
        """Recorded outcomes by model, counted."""
        counts: dict[str, Counter[str]] = {}
        for record in self._answers.values():
            counts.setdefault(record["request"]["model"], Counter())[record["outcome"]] += 1
        return counts

    def append(self, record: dict[str, Any]) -> None:
        """Write one record.

        Raises:
            TranscriptError: if the model's earlier answers came from another server or dated model; the record is then
                kept as a failure.
        """
        mixed = self._mixed(record)
        record = {**record, "error": mixed} if mixed else record
        line = json.dumps(record, ensure_ascii=True, allow_nan=False).encode() + b"\n"
        with self._locked() as descriptor:
            _repair(descriptor)
            _write(descriptor, line)
        self.refresh()
        if mixed:
            raise TranscriptError(mixed)

    def refresh(self) -> None:
        """Read what this or another process has appended since the last look."""
        for line in self._new_lines():
            self._line += 1
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise TranscriptError(f"{self.path}, line {self._line}, isn't a record of a call") from error

    def _take(self, record: dict[str, Any]) -> None:
        key, error = record["key"], record["error"]
        if error is not None:
            self._failures[key] = error
            return
        record["reply"]["text"]  # a record without a reply is none
        self._answers.setdefault(key, record)
        self.answered_by.setdefault(record["request"]["model"], _identity(record))

    def _mixed(self, record: dict[str, Any]) -> str | None:
        model = record["request"]["model"]
        known = self.answered_by.get(model)
        if record["error"] is not None or known is None or known == _identity(record):
            return None
        was, now = (f"{answered} at {server}" for server, answered in (known, _identity(record)))
        return f"{self.path.name} holds answers of {model} as {was}, now it is {now}: use another transcript for these"

    def _new_lines(self) -> list[bytes]:
        if self.path.suffix == ".gz":
            new = gzip.decompress(self.path.read_bytes())[self._offset :]
        elif self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._offset)
                new = file.read()
        else:
            new = b""
        complete = new[: new.rfind(b"\n") + 1]  # a torn last line waits until it is complete or removed
        self._offset += len(complete)
        return complete.splitlines()

    @contextmanager
    def _locked(self) -> Iterator[int]:
        if self.path.suffix == ".gz":
            raise TranscriptError(f"{self.path.name} is compressed, for replay only")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)


def recordings(where: str | Path) -> dict[str, Transcripts]:
    """By model: the transcript with its answers, in a file or among the .jsonl and .jsonl.gz files of a folder.

    Raises:
        FileNotFoundError: if there is no such file or folder.
    """
    where = Path(where)
    if not where.exists():
        raise FileNotFoundError(f"no transcripts at {where}")
    files = sorted([*where.glob("*.jsonl"), *where.glob("*.jsonl.gz")]) if where.is_dir() else [where]
    found: dict[str, Transcripts] = {}
    for file in files:
        transcripts = Transcripts(file)
        for model in transcripts.answered_by:
            found.setdefault(model, transcripts)
    return found


def recording_file(where: str | Path, model: str) -> Path:
    """Where a model's calls are written: `where` if that is a file's name, else a file of the model's own in there."""
    where = Path(where)
    if where.suffix in (".jsonl", ".gz"):
        return where
    return where / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', model)}.jsonl"


def _identity(record: dict[str, Any]) -> tuple[str, str]:
    return record["server"], record["reply"]["model"]


def _repair(descriptor: int) -> None:
    """Remove a torn last line. Under the lock nobody is in the middle of writing one, so its writer was killed."""
    start = size = os.fstat(descriptor).st_size
    while start and os.pread(descriptor, 1, start - 1) != b"\n":
        start -= 1
    try:
        if start < size:
            json.loads(os.pread(descriptor, size - start, start))
            os.write(descriptor, b"\n")  # a whole record that only lacks its end of line
    except ValueError:
        os.ftruncate(descriptor, start)


def _write(descriptor: int, line: bytes) -> None:
    size = os.fstat(descriptor).st_size
    if os.write(descriptor, line) != len(line):  # a full disk
        os.ftruncate(descriptor, size)
        raise OSError(f"only a part of a record of {len(line)} bytes could be written; none was kept")
