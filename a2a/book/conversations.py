"""A conversation as HTML. What models write is hostile text like any other: nothing in it becomes markup."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence

FRAME = "max-height:32em;overflow:auto"
PLAIN = "mathjax_ignore tex2jax_ignore"
"""Classes that the page's MathJax leaves alone: a formula in a model's text stays text."""
TEXT = "white-space:pre-wrap;overflow-wrap:anywhere;margin:0.2em 0 0.8em"


def render_conversation(
    texts: Sequence[str],
    names: Sequence[str],
    *,
    title: str = "",
    marked: Sequence[int] = (),
    limit: int = 2000,
    folded: bool = False,
) -> str:
    """A conversation to read in full, in a frame that scrolls.

    Args:
        texts: the seed sentence and every output.
        names: of the first and the second model.
        title: a heading.
        marked: turns to set apart, such as those of a loop.
        limit: characters of one text that are shown; the rest is counted.
        folded: show the title alone until a reader opens it.
    """
    turns = "".join(_turn(turn, text, names, turn in marked, limit) for turn, text in enumerate(texts))
    heading = f"<strong>{safe(title)}</strong>" if title else ""
    framed = f'<div class="a2a-conversation {PLAIN}" style="{FRAME}">'
    if folded:
        return f'<details class="{PLAIN}"><summary>{heading}</summary>{framed}{turns}</div></details>'
    return f"{framed}{f'<p>{heading}</p>' if heading else ''}{turns}</div>"


def safe(text: str) -> str:
    """The text for a place between tags or in an attribute."""
    return html.escape(visible(text), quote=True)


def visible(text: str) -> str:
    """The text with every character that isn't printed, or that turns the writing direction, as its escape."""
    return "".join(_visible(character) for character in text)


def _turn(turn: int, text: str, names: Sequence[str], marked: bool, limit: int) -> str:
    who = "seed" if turn == 0 else f"{turn} · {names[(turn - 1) % 2]}"
    rest = f" […{len(text) - limit:,} more characters]" if len(text) > limit else ""
    shown = safe(text[:limit] + rest) if text.strip() else "<em>(empty)</em>"
    style = f"{TEXT};border-left:3px solid #b35900;padding-left:0.6em" if marked else TEXT
    return f'<div><small>{safe(who)}</small><div dir="auto" style="{style}">{shown}</div></div>'


def _visible(character: str) -> str:
    if character in "\n\t" or not unicodedata.category(character).startswith("C"):
        return character
    return f"\\u{ord(character):04x}"
