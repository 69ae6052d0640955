"""A person labels recorded conversations in a terminal: `a2a label`. Each answer is on the disk before the next one."""

from __future__ import annotations

import shutil
import textwrap
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from a2a import intervals
from a2a.dialogue.labelled import labelled, read_labels, settled
from a2a.dialogue.reading import squeezed
from a2a.loops.agreement import kappa
from a2a.loops.labels import Label, add_labels, load_labels
from a2a.printable import printable

T = TypeVar("T")

RULE = """\
Does a conversation fall into a loop? An output repeats if more than half of it says again, in the same words, what
stands in the six texts before it, the seed sentence (turn 0) among them. Small changes don't matter; the same in other
words is no repetition. Three outputs in a row that repeat are a loop. Empty outputs are passed over. All of it:
conversations/GUIDELINE.md. ⟨no, ⟩[7 times] is "no, " seven times in a row.

Enter turns the page, b turns back, a goes to the answer, q stops; the same command goes on later.
"""
LOOP = {"y": "yes", "yes": "yes", "n": "no", "no": "no", "b": "back"}
SURE = {"y": True, "yes": True, "n": False, "no": False}
TURNS = {"": 1, "b": -1, "a": 0}
"""Pages that an answer turns; 0 is to the question."""
MARGIN = 5
"""Columns before a text, where the turn's number stands."""

DRAWS = 2000
"""Of the bootstrap of the agreement."""


class _Stop(Exception):
    """The person has had enough for now."""


def label(reader: str, n: int, file: Path) -> None:
    """Ask for labels of conversations that readers have labelled, and say how well the answers agree with theirs.

    Args:
        reader: the person's name, which also draws the conversations.
        n: how many there are to label, those labelled before included.
        file: a CSV file of labels, made if it isn't there.

    Raises:
        ValueError: if the name is empty or one of the book's readers', n is below 1, or the file holds no labels.
        FileNotFoundError: if no conversations or no labels are recorded.
    """
    known = read_labels()
    if not reader.strip() or reader in {one.reader for one in known}:
        raise ValueError(f"a reader needs a name of their own, got {reader!r}")
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    add_labels(file, [])  # what can't be written is said before anything is read
    to_do = drawn(known, reader, n)
    try:
        _label_all(to_do, reader, file)
    except (_Stop, EOFError):
        done = len(own(file, reader))
        print(f"\n{done} labelled, in {file}; the same command goes on.")
    else:
        print(f"\nAll {len(to_do)} are labelled, in {file}.\n{comparison(own(file, reader), known)}")
        print(f"Thresholds by your labels: a2a run loops -p labels {file}")
        print("To add them to the book, append the file's rows to conversations/labels.csv and propose that change.")


def drawn(known: Sequence[Label], reader: str, n: int) -> list[Label]:
    """At most n conversations that readers have labelled, each once, at random by the name of a person."""
    places = list({(one.study, one.conversation): one for one in known}.values())
    order = np.random.default_rng(list(reader.encode())).permutation(len(places))
    return [places[i] for i in order[:n]]


def own(file: Path, reader: str) -> list[Label]:
    """A person's labels in a file."""
    return [one for one in load_labels(file) if one.reader == reader]


def comparison(mine: Sequence[Label], known: Sequence[Label]) -> str:
    """How well a person's labels agree with those on which the readers agree, in words."""
    theirs = {(one.study, one.conversation): one for one in settled(known)}
    pairs = [(one, theirs[place]) for one in mine if (place := (one.study, one.conversation)) in theirs]
    said, right = (np.array([pair[i].loops for pair in pairs], dtype=bool) for i in (0, 1))
    agreement = intervals.bootstrap(kappa, said, right, rng=np.random.default_rng(0), draws=DRAWS, unit="labels")
    gaps = [abs(one.onset - other.onset) for one, other in pairs if one.onset and other.onset]
    return "\n".join(
        [
            f"You and the readers agree on {np.sum(said == right)} of {len(pairs)}; kappa {agreement}.",
            *([f"The readers differ among themselves on {rest} more."] if (rest := len(mine) - len(pairs)) else []),
            *([f"Median difference of the onsets: {np.median(gaps):g} turns."] if gaps else []),
        ]
    )


def _label_all(to_do: Sequence[Label], reader: str, file: Path) -> None:
    done = {(one.study, one.conversation) for one in own(file, reader)}
    print(RULE)
    for number, (one, texts) in enumerate(zip(to_do, labelled(to_do).texts, strict=True), start=1):
        if (one.study, one.conversation) not in done:
            loops, onset, end, sure = _asked(f"Conversation {number} of {len(to_do)}", texts)
            add_labels(file, [Label(one.study, one.conversation, loops, onset, end, sure, reader)])


def _asked(title: str, texts: Sequence[str]) -> tuple[bool, int | None, int | None, bool]:
    """What a person says of one conversation: whether it loops, onset, end, whether they are sure."""
    said, onset, end, last = "back", None, None, len(texts) - 1
    while said == "back":
        _read(title, texts)
        said = _ask("A loop? y, n, b to read again: ", LOOP.get)
    if said == "yes":
        onset = _ask(f"First turn that repeats, 1 to {last - 2}: ", _turn(1, last - 2))
        end = _ask(f"Last turn that repeats, {onset + 2} to {last}: ", _turn(onset + 2, last))
    return said == "yes", onset, end, _ask("Sure? y, n: ", SURE.get)


def _turn(first: int, last: int) -> Callable[[str], int | None]:
    return lambda said: int(said) if said.isdecimal() and first <= int(said) <= last else None


def _ask(question: str, meaning: Callable[[str], T | None]) -> T:
    """The answer to a question, asked until it means something; q stops."""
    while True:
        said = input(question).strip().lower()
        if said in ("q", "quit"):
            raise _Stop
        if (found := meaning(said)) is not None:
            return found


def _read(title: str, texts: Sequence[str]) -> None:
    """Show a conversation page by page, to its end or until the person has seen enough of it."""
    start = 0
    while True:
        width, height = shutil.get_terminal_size()
        page, lines = max(height - 1, 1), [f"== {title} ==", *wrapped(texts, width)]
        print("\n".join(lines[start : start + page]))
        if start + page >= len(lines):
            return
        turned = _ask(f"-- {(start + page) / len(lines):.0%}: Enter, b, a, q -- ", TURNS.get)
        if not turned:
            return
        start = max(start + turned * page, 0)


def wrapped(texts: Sequence[str], width: int) -> list[str]:
    """A conversation as lines for a terminal: each turn with its number, and nothing that steers the terminal."""
    lines = []
    for turn, text in enumerate(texts):
        said = printable(squeezed(text.strip())).expandtabs().splitlines() or ["(empty)"]
        parts = [part for line in said for part in _wrapped(line, width - MARGIN) or [""]]
        lines += [
            f"{number:>3}  {part}".rstrip() for number, part in zip([turn, *[""] * len(parts)], parts, strict=False)
        ]
    return lines


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, max(width // (2 if _is_wide(line) else 1), MARGIN))


def _is_wide(line: str) -> bool:
    """Whether a character of it may take two columns."""
    return any(unicodedata.east_asian_width(character) in "WF" for character in line)
