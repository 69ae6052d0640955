"""A picture of texts as points in the plane, where pointing at one shows its text: inline SVG, without any script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex

from a2a.book.conversations import PLAIN, safe

WIDTH, HEIGHT, MARGIN = 720, 560, 12
STYLE = (
    ".a2a-map svg{width:100%;height:auto}"
    ".a2a-map polyline{fill:none;stroke:currentColor;stroke-width:.8;opacity:.2}"
    ".a2a-map g:hover polyline{stroke:#d55e00;stroke-width:2;opacity:1}"
    ".a2a-map circle:hover{stroke:currentColor;stroke-width:2}"
)
COLORS = "viridis"


def text_map(
    points: np.ndarray,
    texts: Mapping[str, Sequence[str]],
    *,
    label: str,
    caption: str = "",
    limit: int = 240,
) -> str:
    """The paths of conversations, one point a text, coloured from the first turn (dark) to the last (light).

    Pointing at a path sets it apart; pointing at a point shows conversation, turn and text.

    Args:
        points: (conversations, texts of one, 2).
        texts: by conversation, in the order of the points; the seed sentence and every output.
        label: what a screen reader says of the picture.
        caption: text below it.
        limit: characters of a text that are shown; the rest is counted.
    """
    placed = _place(points)
    groups = "".join(_path(name, told, row, limit) for (name, told), row in zip(texts.items(), placed, strict=True))
    picture = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{safe(label)}">{groups}</svg>'
    below = f"<figcaption>{safe(caption)}</figcaption>" if caption else ""
    return f'<figure class="a2a-map {PLAIN}"><style>{STYLE}</style>{picture}{below}</figure>'


def _place(points: np.ndarray) -> np.ndarray:
    low, high = points.min((0, 1)), points.max((0, 1))
    share = (points - low) / np.where(high > low, high - low, 1)
    return MARGIN + share * (np.array([WIDTH, HEIGHT]) - 2 * MARGIN)


def _path(name: str, texts: Sequence[str], points: np.ndarray, limit: int) -> str:
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    shades = colormaps[COLORS](np.linspace(0, 1, len(texts)))
    circles = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{to_hex(shade)}">'
        f"<title>{_told(name, turn, text, limit)}</title></circle>"
        for turn, (text, (x, y), shade) in enumerate(zip(texts, points, shades, strict=True))
    )
    return f'<g><polyline points="{line}"/>{circles}</g>'


def _told(name: str, turn: int, text: str, limit: int) -> str:
    where = f"{name}, turn {turn}" if turn else f"{name}, seed"
    return f"{safe(where)}: {safe(' '.join(text.split()), limit) or '(empty)'}"
