"""A conversation as HTML. What models write is hostile text like any other: nothing in it becomes markup."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence

FRAME = "max-height:32em;overflow:auto"
TEXT = "white-space:pre-wrap;overflow-wrap:anywhere;margin:0.2em 0 0.8em"


def render_conversation(
    texts: Sequence[str], names: Sequence[str], *, title: str = "", marked: Sequence[int] = (), limit: int = 2000
) -> str:
    """A conversation to read in full, in a frame that scrolls.

    Args:
        texts: the seed sentence and every output.
        names: of the first and the second model.
        title: a heading.
        marked: turns to set apart, such as those of a loop.
        limit: characters of one text that are shown; the rest is counted.
    """
    turns = "".join(_turn(turn, text, names, turn in marked, limit) for turn, text in enumerate(texts))
    heading = f"<p><strong>{_safe(title)}</strong></p>" if title else ""
    # a formula in a model's text stays text: the page's MathJax leaves these classes alone
    return f'<div class="a2a-conversation mathjax_ignore tex2jax_ignore" style="{FRAME}">{heading}{turns}</div>'


def visible(text: str) -> str:
    """The text with every character that isn't printed, or that turns the writing direction, as its escape."""
    return "".join(_visible(character) for character in text)


def _turn(turn: int, text: str, names: Sequence[str], marked: bool, limit: int) -> str:
    who = "seed" if turn == 0 else f"{turn} · {names[(turn - 1) % 2]}"
    rest = f" […{len(text) - limit:,} more characters]" if len(text) > limit else ""
    shown = _safe(text[:limit] + rest) if text.strip() else "<em>(empty)</em>"
    style = f"{TEXT};border-left:3px solid #b35900;padding-left:0.6em" if marked else TEXT
    return f'<div><small>{_safe(who)}</small><div dir="auto" style="{style}">{shown}</div></div>'


def _safe(text: str) -> str:
    return html.escape(visible(text), quote=True)


def _visible(character: str) -> str:
    if character in "\n\t" or not unicodedata.category(character).startswith("C"):
        return character
    return f"\\u{ord(character):04x}"
