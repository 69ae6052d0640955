"""What readers say of conversations: whether each falls into a loop, and from where to where."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from a2a.places import read_given

_YES_NO = {"yes": True, "no": False}
COLUMNS = ("study", "conversation", "loops", "onset", "end", "sure", "reader")


@dataclass(frozen=True)
class Label:
    """What a reader said of one conversation.

    Attributes:
        loops: whether it falls into a loop, by the guideline beside the labels.
        onset, end: the first loop's first and last turn, None without one.
        sure: whether the reader was.
        reader: "first", "second".
    """

    study: str
    conversation: str
    loops: bool
    onset: int | None
    end: int | None
    sure: bool
    reader: str


def load_labels(file: str | Path) -> list[Label]:
    """The labels of a CSV file with the columns study, conversation, loops, onset, end, sure (yes or no) and reader.

    Raises:
        ValueError: if it isn't UTF-8, a column is missing, or a row names no reader, says neither yes nor no, or has
            turns without a loop or a loop without turns in order; it names the file and the line.
    """
    path = Path(file)
    rows = csv.DictReader(io.StringIO(read_given(path)), restval="")
    if missing := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
        raise ValueError(f"{path.name} lacks the column {', '.join(missing)}; labels have {', '.join(COLUMNS)}")
    try:
        return [_label(row) for row in rows]
    except ValueError as error:
        raise ValueError(f"{path.name}, line {rows.line_num}: {error}") from None
    except csv.Error as error:  # the line isn't counted yet
        raise ValueError(f"{path.name}, line {rows.line_num + 1}: {error}") from None


def _label(row: dict[str, str]) -> Label:
    if not all(row[name].strip() for name in ("study", "conversation", "reader")):
        raise ValueError(f"a label names its study, its conversation and its reader, got {row}")
    loops, sure = (_YES_NO.get(row[name].strip()) for name in ("loops", "sure"))
    onset, end = (int(row[name]) if row[name].strip() else None for name in ("onset", "end"))
    in_order = onset is not None and end is not None and 1 <= onset <= end
    if loops is None or sure is None or not (in_order if loops else onset is end is None):
        raise ValueError(f"a label says yes with an onset and an end, or no without them, got {row}")
    return Label(row["study"], row["conversation"], loops, onset, end, sure, row["reader"])
