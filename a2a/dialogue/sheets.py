"""Sheets for readers who label conversations blind, and what they answered as labels.

    python -m a2a.dialogue.sheets draw FOLDER --each 6 --take main=50 --sheets 8
    python -m a2a.dialogue.sheets merge FOLDER/key.json "first pass" answers-*.csv

`draw` takes conversations from all studies at random, shuffles them, and writes the sheets beside a key that no reader
sees. `merge` adds a pass's answers to the labels. A later draw leaves out what is labelled.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from a2a.dialogue.reading import shown
from a2a.dialogue.records import recorded, study_names
from a2a.loops.labels import Label, add_labels, label_of, load_labels
from a2a.places import book_root, read_given

Place = tuple[str, str]
"""A study and a conversation of it."""

ANSWERS = ("number", "loops", "onset", "end", "cycle", "sure")
LABELS = "labels.csv"
FOR_READERS = "\n## Who has read"
"""What of the guideline readers get ends before this heading."""

HOW = f"""## How to answer

Write a CSV file with one row for each conversation of this sheet, in its order, under this header; for example

    {",".join(ANSWERS)}
    17,yes,4,19,1,yes
    18,no,,,,no

Below, each turn is one line that begins with its number. ⏎ stands for a line end, and ⟨no, ⟩[7 times] for "no, " seven
times in a row.
"""


def draw(
    texts: Mapping[str, Mapping[str, Sequence[str]]],
    rng: np.random.Generator,
    *,
    each: int,
    take: Mapping[str, int] | None = None,
    known: Collection[Place] = (),
) -> list[Place]:
    """Conversations of all studies at random, shuffled. Those that are alike word for word are drawn once.

    Args:
        texts: the conversations by study and name.
        each: how many of a study, as far as there are so many.
        take: how many of some studies in place of that; of two that are alike it is theirs that is drawn.
        known: what is labelled already.

    Raises:
        ValueError: if `take` names a study that isn't there.
    """
    wanted = {**(take or {}), **{study: each for study in texts if study not in (take or {})}}
    if unknown := wanted.keys() - texts.keys():
        raise ValueError(f"no conversations of {', '.join(sorted(unknown))}; there are {', '.join(texts)}")
    seen = {tuple(texts[study][name]) for study, name in known if name in texts.get(study, ())}
    drawn: list[Place] = []
    for study, number in wanted.items():
        before = len(drawn)
        for name in rng.permutation(list(texts[study])).tolist():
            said = tuple(texts[study][name])
            if len(drawn) - before < number and said not in seen:
                seen.add(said)
                drawn.append((study, name))
    return [drawn[i] for i in rng.permutation(len(drawn))]


def sheets_of(
    places: Sequence[Place], texts: Mapping[str, Mapping[str, Sequence[str]]], guideline: str, n: int
) -> list[str]:
    """The conversations, numbered in their order from 1, on n sheets of about the same length."""
    numbered = [
        f"## Conversation {i}\n\n{shown(texts[study][name])}" for i, (study, name) in enumerate(places, start=1)
    ]
    ends = [len(numbered) * k // n for k in range(n + 1)]
    parts = [numbered[start:end] for start, end in pairwise(ends)]
    head = guideline.partition(FOR_READERS)[0].rstrip()
    return ["\n\n".join([head, HOW.rstrip(), *part]) + "\n" for part in parts]


def answered(files: Iterable[Path], key: Mapping[str, Place], reader: str) -> list[Label]:
    """What the answers of one pass say, as labels in the order of the key.

    Raises:
        ValueError: if a conversation has no answer or two, or an answer is none, or of a conversation that isn't in
            the key.
    """
    said: dict[str, Label] = {}
    for file in files:
        for row in csv.DictReader(io.StringIO(read_given(file)), restval=""):
            number = row.get("number", "").strip()
            if number not in key or number in said:
                raise ValueError(
                    f"{file.name}: {number!r} is {'answered twice' if number in said else 'not in the key'}"
                )
            study, conversation = key[number]
            try:
                said[number] = label_of({**row, "study": study, "conversation": conversation, "reader": reader})
            except (ValueError, KeyError) as error:
                raise ValueError(f"{file.name}, conversation {number}: {error}") from None
    if missing := [number for number in key if number not in said]:
        raise ValueError(f"no answer on {len(missing)} conversations: {', '.join(missing[:10])}")
    return [said[number] for number in key]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m a2a.dialogue.sheets", description="Sheets for blind readers.")
    commands = parser.add_subparsers(required=True, metavar="draw|merge")
    new = commands.add_parser("draw", help="write sheets and their key")
    new.add_argument("folder", type=Path, help="of the sheets; a new one")
    new.add_argument("--each", type=int, default=6, help="conversations of a study")
    new.add_argument("--take", action="append", default=[], metavar="STUDY=N", help="so many of this one")
    new.add_argument("--sheets", type=int, default=8)
    new.add_argument("--seed", type=int, default=0)
    new.set_defaults(command=_draw)
    merge = commands.add_parser("merge", help="add the answers of a pass to the labels")
    merge.add_argument("key", type=Path)
    merge.add_argument("reader", help='the name of the pass, such as "first pass"')
    merge.add_argument("answers", type=Path, nargs="+", help="one CSV file a sheet")
    merge.set_defaults(command=_merge)
    options = parser.parse_args(arguments)
    try:
        print(options.command(options))
    except (ValueError, OSError) as error:
        print(f"sheets: {error}", file=sys.stderr)
        return 1
    return 0


def _draw(options: argparse.Namespace) -> str:
    told = {name: recorded(name).texts() for name in study_names(_folder())}
    take = {study: int(number) for study, _, number in (one.partition("=") for one in options.take)}
    known = {(label.study, label.conversation) for label in _known()}
    places = draw(told, np.random.default_rng(options.seed), each=options.each, take=take, known=known)
    options.folder.mkdir(parents=True)
    guideline = (_folder() / "GUIDELINE.md").read_text(encoding="utf-8")
    for number, sheet in enumerate(sheets_of(places, told, guideline, options.sheets), start=1):
        (options.folder / f"sheet-{number}.md").write_text(sheet, encoding="utf-8")
    key = {str(number): place for number, place in enumerate(places, start=1)}
    (options.folder / "key.json").write_text(json.dumps(key, indent=0), encoding="utf-8")
    return f"{len(places)} conversations on {options.sheets} sheets in {options.folder}"


def _merge(options: argparse.Namespace) -> str:
    key = {number: (study, name) for number, (study, name) in json.loads(options.key.read_text()).items()}
    new = answered(options.answers, key, options.reader)
    known = {(one.study, one.conversation) for one in _known() if one.reader == options.reader}
    if again := known & set(key.values()):
        raise ValueError(f"{options.reader} labelled {len(again)} of these conversations before")
    add_labels(_folder() / LABELS, new)
    return f"{len(new)} labels of {options.reader} added to {LABELS}"


def _folder() -> Path:
    if (root := book_root()) is None:
        raise FileNotFoundError("conversations are looked for in the book's folder: no book here")
    return root / "conversations"


def _known() -> list[Label]:
    file = _folder() / LABELS
    return load_labels(file) if file.exists() else []


if __name__ == "__main__":
    raise SystemExit(main())
