"""What readers say of conversations: whether each falls into a loop, and from where to where."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from a2a.places import read_given

COLUMNS = ("study", "conversation", "loops", "onset", "end", "sure", "reader")
CYCLE = "cycle"
"""A column that need not be there."""

FARTHEST = 6
"""Texts that a reader looks back."""

_YES_NO = {"yes": True, "no": False}
_SAID = {True: "yes", False: "no"}


@dataclass(frozen=True)
class Label:
    """What a reader said of one conversation.

    Attributes:
        loops: whether it falls into a loop, by the guideline beside the labels.
        onset, end: the first loop's first and last turn, None without one.
        sure: whether the reader was.
        reader: who said it, such as "first pass".
        cycle: how many texts back the repeated one stands, None without a loop or if it isn't said.
    """

    study: str
    conversation: str
    loops: bool
    onset: int | None
    end: int | None
    sure: bool
    reader: str
    cycle: int | None = None


def load_labels(file: str | Path) -> list[Label]:
    """The labels of a CSV file with the columns study, conversation, loops, onset, end, sure (yes or no) and reader.

    A column cycle may be there, too.

    Raises:
        ValueError: if it isn't UTF-8, a column is missing, or a row names no reader, says neither yes nor no, or has
            turns without a loop or a loop without turns in order; it names the file and the line.
    """
    path = Path(file)
    rows = csv.DictReader(io.StringIO(read_given(path)), restval="")
    if missing := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
        raise ValueError(f"{path.name} lacks the column {', '.join(missing)}; labels have {', '.join(COLUMNS)}")
    try:
        return [label_of(row) for row in rows]
    except ValueError as error:
        raise ValueError(f"{path.name}, line {rows.line_num}: {error}") from None
    except csv.Error as error:  # the line isn't counted yet
        raise ValueError(f"{path.name}, line {rows.line_num + 1}: {error}") from None


def add_labels(file: str | Path, labels: Iterable[Label]) -> None:
    """Append labels to a file that `load_labels` reads, or to a new one, in one write; they are on the disk then.

    Raises:
        ValueError: if the file has no column for what a label says.
    """
    path = Path(file)
    held = read_given(path) if path.exists() else ""
    columns = next(csv.reader(io.StringIO(held)), None) or [*COLUMNS, CYCLE]
    into = io.StringIO()
    rows = csv.DictWriter(into, columns, lineterminator="\n")
    if not held.strip():
        rows.writeheader()
    elif not held.endswith("\n"):
        into.write("\n")
    rows.writerows(_row(label) for label in labels)
    with path.open("a", encoding="utf-8") as out:
        out.write(into.getvalue())
        out.flush()
        os.fsync(out.fileno())


def _row(label: Label) -> dict[str, str]:
    said = {name: str(value) for name, value in asdict(label).items() if value is not None}
    return {**said, "loops": _SAID[label.loops], "sure": _SAID[label.sure]}


def label_of(row: Mapping[str, str]) -> Label:
    """The label that a row of such a file says, by column.

    Raises:
        ValueError: see `load_labels`.
    """
    if not all(row[name].strip() for name in ("study", "conversation", "reader")):
        raise ValueError(f"a label names its study, its conversation and its reader, got {row}")
    loops, sure = (_YES_NO.get(row[name].strip()) for name in ("loops", "sure"))
    onset, end, cycle = (
        int(said) if (said := (row.get(name) or "").strip()) else None for name in ("onset", "end", CYCLE)
    )
    in_order = onset is not None and end is not None and 1 <= onset <= end
    if loops is None or sure is None or not (in_order if loops else onset is end is None):
        raise ValueError(f"a label says yes with an onset and an end, or no without them, got {row}")
    if cycle is not None and not (loops and 1 <= cycle <= FARTHEST):
        raise ValueError(f"the cycle of a loop is from 1 to {FARTHEST}, and empty without one, got {row}")
    return Label(row["study"], row["conversation"], loops, onset, end, sure, row["reader"], cycle)
