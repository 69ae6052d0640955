"""A conversation as HTML. What models write is hostile text like any other: nothing in it becomes markup."""

from __future__ import annotations

import html
from collections.abc import Sequence
from urllib.parse import quote

from a2a.printable import excerpt

LINE = 500
"""Characters of a title, a name or another text of one line that are shown."""
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
    link: str = "",
) -> str:
    """A conversation to read in full, in a frame that scrolls.

    Args:
        texts: the seed sentence and every output.
        names: of the first and the second model.
        title: a heading.
        marked: turns to set apart, such as those of a loop.
        limit: characters of one text that are shown; the rest is counted.
        folded: show the title alone until a reader opens it.
        link: the conversation's own address.
    """
    turns = "".join(_turn(turn, text, names, turn in marked, limit) for turn, text in enumerate(texts))
    heading = f"<strong>{safe(title)}</strong>" if title else ""
    framed = f'<div class="a2a-conversation {PLAIN}" style="{FRAME}">'
    if link:
        framed += f'<p><a href="{safe(link)}">See it among all conversations of the book</a></p>'
    if folded:
        return f'<details class="{PLAIN}"><summary>{heading}</summary>{framed}{turns}</div></details>'
    return f"{framed}{f'<p>{heading}</p>' if heading else ''}{turns}</div>"


def address(study: str, conversation: str) -> str:
    """The permanent address of a recorded conversation, seen from a chapter's page."""
    return f"../book/conversations.html#{quote(f'{study}/{conversation}')}"


def safe(text: str, most: int = LINE, *, one_line: bool = True) -> str:
    """At most so many characters of the text, for a place between tags or in an attribute; the rest is counted."""
    return html.escape(excerpt(text, most, one_line=one_line), quote=True)


def _turn(turn: int, text: str, names: Sequence[str], marked: bool, limit: int) -> str:
    who = "seed" if turn == 0 else f"{turn} · {names[(turn - 1) % 2]}"
    shown = safe(text, limit, one_line=False) if text.strip() else "<em>(empty)</em>"
    style = f"{TEXT};border-left:3px solid #b35900;padding-left:0.6em" if marked else TEXT
    return f'<div><small>{safe(who)}</small><div dir="auto" style="{style}">{shown}</div></div>'
