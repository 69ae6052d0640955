"""Conversations that somebody else made: what is read of their files. Nothing in them is executed or unpickled.

Two formats of JSON lines are known. A *run* is one conversation, as github.com/ebergel/llm-self-play-attractors has
them: a header, the messages of the two speakers X and Y, those of a third participant, and a footer. A *plain* file
holds any number of conversations, an output a line: {"conversation", "turn", "model", "text"}; turn 0, if it is there,
is what the first output was an answer to.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import NoneType

from a2a.dialogue.lines import Lines, OthersError, short
from a2a.dialogue.studyfile import RecordError, StudyFile
from a2a.journal import Record
from a2a.places import book_root, given_path

NUMBER = (int, float)


@dataclass(frozen=True)
class Output:
    """One output, with what its file says of it.

    Attributes:
        text: without what looks like a key.
        finish: "stop" or "length"; empty if the file doesn't say.
        injected: what a third participant said before it, None if nothing.
    """

    model: str
    text: str
    finish: str = ""
    prompt_tokens: int | None = None
    new_tokens: int | None = None
    seconds: float = 0.0
    injected: str | None = None


@dataclass(frozen=True)
class Told:
    """A conversation of somebody else's.

    Attributes:
        setting: conversations of one setting make a study.
        name: of the conversation, within its setting.
        opening: what the first output was an answer to; empty if the file doesn't say.
        outputs: in the order in which they were made.
        settings: of the conversation: "temperature", "max_new_tokens" where the file says them, and all else in words.
        seed: of its randomness.
        time: when it began.
        unheard: messages of a third participant that no output follows.
        file, sha256: where it was read.
    """

    setting: str
    name: str
    opening: str
    outputs: Sequence[Output]
    settings: Record = field(default_factory=dict)
    seed: int = 0
    time: str = ""
    unheard: int = 0
    file: str = ""
    sha256: str = ""


def read_others(file: Path) -> list[Told]:
    """The conversations of a file in either format.

    Raises:
        FileNotFoundError: if there is no such file.
        OthersError: if it isn't in one of the formats, or is torn.
    """
    if not file.exists():
        raise FileNotFoundError(f"no conversations at {file}")
    if not file.is_file():  # a pipe would never end
        raise OthersError(f"{file.name} isn't a file")
    content = file.read_bytes()
    lines = Lines(file.name, content)
    digest = hashlib.sha256(content).hexdigest()
    if lines.first.get("kind") == "header":
        return [replace(_run(lines), sha256=digest)]
    if "conversation" in lines.first:
        return [replace(told, sha256=digest) for told in _plain(lines, file.stem)]
    raise lines.error(f'neither a header nor an output with its "conversation": it has {", ".join(lines.first)[:200]}')


def source_of(name: str) -> Record:
    """What an imported study says of where its conversations are from.

    Args:
        name: as `recorded` takes it.

    Raises:
        RecordError: if it isn't an imported study's.
    """
    root = book_root()
    file = given_path(name) if name.endswith(".jsonl") or root is None else root / "conversations" / f"{name}.jsonl"
    told = StudyFile(file).first.get("imported")
    if not isinstance(told, dict):
        raise RecordError(f"{file.name} holds no conversations of others")
    return told


def _run(lines: Lines) -> Told:
    head, records = lines.first, list(lines)[1:]
    lines.number = 1
    told = _header(lines, head)
    model = lines.value(head, "pair_model", str)
    outputs: list[Output] = []
    heard: list[str] = []
    footer = None
    for lines.number, record in enumerate(records, start=2):
        kind = record.get("kind")
        if footer is not None:
            raise lines.error("a run ends with its footer, and this comes after it")
        if kind == "message":
            _require_turn(lines, record, len(outputs) + 1)
            outputs.append(_message(lines, record, model, " ".join(heard) or None))
            heard = []
        elif kind == "third":
            heard.append(lines.value(record, "content", str))
        elif kind == "footer":
            footer = record
        elif kind != "end":  # who ended it, which the footer says too
            raise lines.error(f"no line of a run is of the kind {short(kind)}")
    if footer is None or not outputs:
        raise lines.error("the run has no footer or no message: it is torn")
    return replace(told, outputs=outputs, unheard=len(heard), file=lines.name)


def _header(lines: Lines, head: Record) -> Told:
    """What a run says of itself, before its messages."""
    setting, run = _setting(lines, head), lines.value(head, "run", int)
    return Told(
        setting,
        f"{setting}-{run:02}",
        lines.value(head, "system", str),
        [],
        settings=_settings(lines, head),
        seed=lines.value(head, "seed", int),
        time=lines.value(head, "started", str),
    )


def _setting(lines: Lines, head: Record) -> str:
    name: str = lines.value(head, "cond", str)
    if not re.fullmatch(r"\w[\w-]{0,99}", name):  # a study's file is named for it
        raise lines.error(f"cond is {short(name)}, wanted letters, digits and hyphens")
    return name


def _settings(lines: Lines, head: Record) -> Record:
    """What a run's header says of all runs of its setting."""
    own = {"kind", "cond", "run", "seed", "system", "started", "temperature", "num_predict"}
    return {
        **{name: value for name, value in head.items() if name not in own},
        "temperature": float(lines.value(head, "temperature", *NUMBER)),
        "max_new_tokens": lines.value(head, "num_predict", int),
    }


def _require_turn(lines: Lines, record: Record, turn: int) -> None:
    speaker = "X" if turn % 2 else "Y"
    if (record.get("turn"), record.get("speaker")) != (turn, speaker):
        raise lines.error(f"out of order: the next message is that of {speaker} at turn {turn}")


def _message(lines: Lines, record: Record, model: str, heard: str | None) -> Output:
    return Output(
        model,
        lines.value(record, "content", str),
        finish=lines.value(record, "done_reason", str, NoneType) or "",
        prompt_tokens=lines.value(record, "prompt_eval_count", int, NoneType),
        new_tokens=lines.value(record, "eval_count", int, NoneType),
        seconds=lines.value(record, "wall", *NUMBER, NoneType) or 0.0,
        injected=heard,
    )


def _plain(lines: Lines, setting: str) -> list[Told]:
    openings: dict[str, str] = {}
    outputs: dict[str, list[Output]] = {}
    for record in lines:
        name, turn = lines.value(record, "conversation", str), lines.value(record, "turn", int)
        text = lines.value(record, "text", str)
        if turn == 0 and name not in outputs:
            openings[name], outputs[name] = text, []
            continue
        due = len(outputs.setdefault(name, [])) + 1
        if turn != due:
            raise lines.error(f"out of order: the next output of {short(name)} is that of turn {due}, not of {turn}")
        outputs[name].append(Output(lines.value(record, "model", str), text))
    return [Told(setting, name, openings.get(name, ""), made, file=lines.name) for name, made in outputs.items()]
