"""Texts and numbers of a run that stand in its page's prose."""

from __future__ import annotations

from typing import Any

from myst_nb import glue

from a2a.printable import excerpt

LONGEST = 300
"""Characters of a text that prose shows."""


def glue_text(name: str, value: Any) -> None:
    """Keep a text, made printable on one line, or a number under `name` for MyST's role glue:text."""
    shown = excerpt(value, LONGEST, one_line=True) if isinstance(value, str) else value
    glue(name, shown, display=False)
