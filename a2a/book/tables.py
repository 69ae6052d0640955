"""Tables of results: HTML on a page, aligned plain text in a terminal and in what nbval compares."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

from a2a.book.conversations import PLAIN
from a2a.printable import excerpt

CELL = 300
"""Characters of a cell that are shown."""
NUMBER = re.compile(r"[<>x×+−-]?\s*\.?\d[\d.,e+−-]*\s*%?(\s.*)?")


class Table:
    """Rows of texts under named columns; the last expression of a cell shows it.

    Cells are texts as they should be read: the caller knows how many digits a number has. Each is made printable and
    stands on one line, and the rest of a long one is counted.

    Args:
        columns: their names; the first column names the rows.
        rows: of as many cells each.
        title: a line above the table.

    Raises:
        ValueError: if a row has more or fewer cells than there are columns.
    """

    def __init__(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> None:
        self.columns, self.title = [_cell(name) for name in columns], _cell(title)
        self.rows = [[_cell(cell) for cell in row] for row in rows]
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row needs {len(self.columns)} cells ({', '.join(self.columns)}), got {row}")

    def __str__(self) -> str:
        right = self._right_aligned()
        lines = [self.columns, *self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        told = ["  ".join(_padded(*cell) for cell in zip(line, widths, right, strict=True)).rstrip() for line in lines]
        return "\n".join([self.title, *told] if self.title else told)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._html()}

    def _html(self) -> str:
        sides = [' class="a2a-right"' if right else "" for right in self._right_aligned()]
        caption = f"<caption>{html.escape(self.title)}</caption>" if self.title else ""
        head = _row("th", self.columns, [f' scope="col"{side}' for side in sides])
        body = "".join(_row("td", row, sides) for row in self.rows)
        return f'<table class="a2a-table {PLAIN}">{caption}<thead>{head}</thead><tbody>{body}</tbody></table>'

    def _right_aligned(self) -> list[bool]:
        """Columns of numbers end at one edge, those of words begin at one."""
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(self.columns)
        return [
            any(map(NUMBER.fullmatch, cells)) and all(not c or NUMBER.fullmatch(c) for c in cells) for cells in columns
        ]


def _cell(content: Any) -> str:
    return excerpt(str(content), CELL, one_line=True)


def _padded(text: str, width: int, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


def _row(tag: str, texts: Iterable[str], attributes: Iterable[str]) -> str:
    cells = (f"<{tag}{own}>{html.escape(text)}</{tag}>" for text, own in zip(texts, attributes, strict=True))
    return f"<tr>{''.join(cells)}</tr>"
