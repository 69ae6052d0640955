"""How a conversation is shown to somebody who labels it: turns numbered, and nothing that says where it comes from."""

from __future__ import annotations

import re
from collections.abc import Sequence

from a2a.printable import printable

LONGEST, SHORTEST = 300, 16
"""Characters of a piece that is looked for in a row, and of a row that is worth shortening."""

ROW = re.compile(rf"(?<![A-Za-z])(.{{1,{LONGEST}}}?)\1{{2,}}", re.DOTALL)


def squeezed(text: str) -> str:
    """The text with what it says three times or more in a row shown once, and counted: "⟨no, ⟩[7 times]"."""
    return ROW.sub(lambda found: _counted(found[0], found[1]), text)


def shown(texts: Sequence[str]) -> str:
    """A conversation, the seed sentence first, with one line a turn; line ends in a text are ⏎."""
    return "\n".join(f"{turn}: {_one_line(text)}" for turn, text in enumerate(texts))


def _one_line(text: str) -> str:
    if not text.strip():
        return "(empty)"
    return printable(" ⏎ ".join(squeezed(text.strip()).splitlines()), one_line=True)


def _counted(row: str, piece: str) -> str:
    return row if len(row) < SHORTEST or piece.isspace() else f"⟨{piece}⟩[{len(row) // len(piece)} times]"
