"""Transcripts: every call to a model on disk, so that a run can be resumed, replayed and re-scored.

They lie in journals (see `a2a.journal`), which several processes may share.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from a2a.chat.calls import Request
from a2a.journal import Journal, JournalError, Record
from a2a.models.usage import Usage


class TranscriptError(JournalError):
    """A transcript that can't be read, or that would mix the answers of different models."""


class ReplayMiss(LookupError):
    """A request that the transcript doesn't hold; it carries the request."""

    def __init__(self, request: Request, where: Path, failure: str | None) -> None:
        self.request = request
        known = f", only as failed ({failure})" if failure else ""
        super().__init__(f"{request.name} isn't in {where.name}{known}; replay makes no calls")


def request_of(record: Record) -> Request:
    """The request of a record.

    Raises:
        TypeError: if there is a field that requests don't have, or one is missing that they need.
    """
    return Request(**{name: value for name, value in record["request"].items() if name != "base_url"})


class Transcripts:
    """The calls of one file; a name that ends in .gz is for replay only.

    Attributes:
        path: the file.
        calls: how many were read so far, answered or not.
        answered_by: by model, the server and the dated name that its answers come from.
        used: what all answers took.

    Raises:
        TranscriptError: if a line isn't the record of a call (a torn last line is nobody's fault and is passed over).
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.calls = 0
        self.answered_by: dict[str, tuple[str, str]] = {}
        self.used = Usage()
        self._answers: dict[str, Record] = {}
        self._failures: dict[str, str] = {}
        self._journal = Journal(path, b'{"key": "', TranscriptError)
        self.refresh()

    def __repr__(self) -> str:
        return f"Transcripts({self.path.name!r}, {len(self)} answers)"

    def __len__(self) -> int:
        return len(self._answers)

    def answer(self, request: Request) -> Record | None:
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

    def append(self, record: Record) -> None:
        """Write one record.

        Raises:
            TranscriptError: if the model's earlier answers came from another server or dated model; the record is then
                no answer.
        """
        self._journal.append([record])
        self.refresh()
        if record["error"] is None and (mixed := self._mixed(record)):
            raise TranscriptError(mixed)

    def require_writable(self) -> None:
        """See `Journal.require_writable`."""
        self._journal.require_writable()

    def refresh(self) -> None:
        """Read what this or another process has appended since the last look."""
        self._journal.read(self._take)

    def _take(self, record: Record) -> None:
        key, error, model = record["key"], record["error"], record["request"]["model"]
        if key != request_of(record).key:
            raise ValueError("the request isn't the one that its key was made of: the line was edited")
        self.calls += 1
        if error is not None:
            self._failures[key] = str(error)
            return
        _require_answer(record)
        self.used.add(record["usage"])
        self.answered_by.setdefault(model, _identity(record))
        if mixed := self._mixed(record):
            self._failures[key] = mixed
        else:
            self._answers.setdefault(key, record)

    def _mixed(self, record: Record) -> str | None:
        """What is wrong with an answer, if the first one of its model came from elsewhere."""
        model = record["request"]["model"]
        if (known := self.answered_by[model]) == _identity(record):
            return None
        was, now = (f"{answered} at {server}" for server, answered in (known, _identity(record)))
        return f"{self.path.name} holds answers of {model} as {was}, now it is {now}: use another transcript for these"


def recordings(where: str | Path) -> dict[str, Transcripts]:
    """By model: the transcript with its answers, in a file or among the .jsonl and .jsonl.gz files of a folder.

    Raises:
        FileNotFoundError: if there is no such file or folder.
    """
    where = Path(where)
    if not where.exists():
        raise FileNotFoundError(f"no transcripts at {where}")
    files = sorted([*where.glob("*.jsonl"), *where.glob("*.jsonl.gz")]) if where.is_dir() else [where]
    by_model: dict[str, Transcripts] = {}
    for file in files:
        transcripts = Transcripts(file)
        for model in transcripts.answered_by:
            by_model.setdefault(model, transcripts)
    return by_model


def recording_file(where: str | Path, model: str) -> Path:
    """Where a model's calls are written: `where` if that is a file's name, else a file of the model's own in there."""
    where = Path(where)
    if where.suffix in (".jsonl", ".gz"):
        return where
    return where / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', model)}.jsonl"


def _require_answer(record: Record) -> None:
    """Nothing, if a record holds what is read of an answer; else a LookupError or a TypeError."""
    reply, usage = record["reply"], record["usage"]
    texts = {name: reply[name] for name in ("text", "finish_reason", "refusal")}
    for name, said in texts.items():
        if not isinstance(said, str | None):
            raise TypeError(f"the reply's {name} is neither a string nor null")
    names = {"reply's model": reply["model"], "server": record["server"], "outcome": record["outcome"]}
    if wrong := [name for name, said in names.items() if not isinstance(said, str)]:
        raise TypeError(f"the {wrong[0]} isn't a string")
    if unknown := reply.keys() - texts.keys() - {"model"}:
        raise TypeError(f"a reply has no {', '.join(sorted(unknown))}")
    if usage is not None and not all(type(count) is int for count in usage.values()):
        raise TypeError("the usage isn't in whole numbers")


def _identity(record: Record) -> tuple[str, str]:
    return record["server"], record["reply"]["model"]
