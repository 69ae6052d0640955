"""One style for every figure, and the few kinds of figure that the chapters share."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullLocator
from matplotlib_inline.backend_inline import set_matplotlib_formats
from myst_nb import glue

from a2a.intervals import Number
from a2a.printable import escape, printable

FIRST, SECOND, HELPED, THEORY = "#0072b2", "#d55e00", "#009e73", "#333333"
"""Colours of the first and second agent, of a helped or attacking run, of a prediction; safe for the colour-blind."""


def style() -> None:
    """Set the book's look for all figures that follow: sharp on every screen, light grid, no box."""
    sns.set_theme(
        context="notebook",
        style="whitegrid",
        palette=[FIRST, SECOND, HELPED, "#cc79a7", "#e69f00", "#56b4e9"],
        rc={
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.edgecolor": "#666666",
            "figure.constrained_layout.use": True,
            "figure.dpi": 100,
            "grid.color": "#e4e4e4",
            "legend.frameon": False,
            "lines.linewidth": 1.8,
        },
    )
    set_matplotlib_formats("retina")


def panels(count: int = 1, *, height: float = 3.6, **options: Any) -> tuple[Figure, Any]:
    """A figure of the book's width with one Axes, or an array of `count`, four at most in a row of the given height."""
    rows, width = -(-count // 4), 6.4 if count == 1 else 9.6
    fig, axes = plt.subplots(rows, min(count, 4), figsize=(width, height * rows), **options)
    if rows > 1:
        for empty in axes.flat[count:]:
            empty.remove()
        axes = axes.ravel()[:count]
    return fig, axes


def literal(text: str, most: int = 60) -> str:
    """A text of unknown origin, such as a model's name, for a title or a label: on one line, short, and no formula."""
    shown = _spelt(printable(text[:most], one_line=True))
    is_whole = len(text) <= most >= len(shown)
    return (shown if is_whole else f"{shown[:most]}…").replace("$", r"\$")


def show(name: str, fig: Figure) -> None:
    """Display the figure and keep it under `name` for the MyST directive glue:figure, which captions it on the page.

    The cell has the tag remove-output, or the page would show the figure twice.
    """
    _spell_out_missing_signs(fig)
    glue(name, fig)
    plt.close(fig)


def headline(name: str, fig: Figure) -> None:
    """Keep the figure under `name` for the chapter's opening, where MyST's glue:figure shows it."""
    _spell_out_missing_signs(fig)
    glue(name, fig, display=False)
    plt.close(fig)


def errors_by_turn(ax: Axes, errors: Any, *, label: str, color: str, plateau: Any = None, style: str = "-") -> None:
    """Mean error over seeds against the turn, with the band from the 10th to the 90th percentile, on a log axis.

    Args:
        errors: (turns, seeds) or (turns,).
        plateau: the predicted final error, one a seed or one for all; its mean is drawn dashed.
    """
    errors = np.atleast_2d(np.asarray(errors, dtype=float).T).T
    turns = np.arange(1, len(errors) + 1)
    ax.plot(turns, errors.mean(axis=1), style, color=color, label=label)
    if errors.shape[1] > 1:
        low, high = np.percentile(errors, [10, 90], axis=1)
        band(ax, turns, low, high, color=color)
    if plateau is not None:
        ax.axhline(float(np.mean(plateau)), color=THEORY, linestyle="--", linewidth=1.2)
    ax.set(yscale="log", xlabel="turn", ylabel="distance to own objective")


def power_law(ax: Axes, x: Any, y: Any, *, label: str, color: str, slope: float) -> None:
    """y against x on log axes, with a dashed line of the predicted slope through the last point."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    ax.loglog(x, y, "o-", color=color, label=label, markersize=4)
    ax.loglog(x, y[-1] * (x / x[-1]) ** slope, color=THEORY, linestyle="--", linewidth=1, zorder=0)


def prediction(ax: Axes, x: Any, y: Any) -> None:
    """A predicted curve: dashed, in the colour of theory, with no entry in the legend."""
    ax.plot(x, y, color=THEORY, linestyle="--", linewidth=1.2)


def cloud(ax: Axes, x: Any, y: Any, *, color: str, label: str | None = None) -> None:
    """One small point an instance, for thousands of them."""
    ax.scatter(np.ravel(x), np.ravel(y), s=5, alpha=0.35, color=color, linewidth=0, label=label, rasterized=True)


def median_band(ax: Axes, x: Any, samples: Any, *, color: str, label: str, marker: str = "o") -> None:
    """Median of samples (instances, len(x)) against x, with the band from the 10th to the 90th percentile."""
    low, middle, high = np.percentile(np.asarray(samples, dtype=float), [10, 50, 90], axis=0)
    ax.plot(x, middle, f"{marker}-", color=color, label=label, markersize=5)
    band(ax, x, low, high, color=color)


def mean_band(ax: Axes, x: Any, samples: Any, *, color: str, label: str, style: str = "-") -> None:
    """Mean of samples (instances, len(x)) against x, with its 95% interval, 1.96 standard errors to either side.

    NaN entries are left out; so is every x at which fewer than two are known.
    """
    samples = np.asarray(samples, dtype=float)
    count = (~np.isnan(samples)).sum(axis=0)
    x, samples, count = np.asarray(x)[count > 1], samples[:, count > 1], count[count > 1]
    mean, error = np.nanmean(samples, axis=0), 1.96 * np.nanstd(samples, axis=0, ddof=1) / np.sqrt(count)
    ax.plot(x, mean, style, color=color, label=label)
    band(ax, x, mean - error, mean + error, color=color)


def few_decades(axis: Axis) -> None:
    """Label a log axis that spans few decades at 1, 2, 5, 10, ...: matplotlib's own labels run into each other."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def diagonal(ax: Axes, low: Number, high: Number) -> None:
    """The dashed line on which both axes agree, from `low` to `high`."""
    ax.plot([low, high], [low, high], "--", color=THEORY, linewidth=1, zorder=0)


def band(ax: Axes, x: Any, low: Any, high: Any, *, color: str) -> None:
    """The space between two curves, faint: an interval or a range around what is drawn in the same colour."""
    ax.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)


def _spell_out_missing_signs(fig: Figure) -> None:
    for text in fig.findobj(Text):
        assert isinstance(text, Text)
        if (spelt := _spelt(text.get_text())) != text.get_text():
            text.set_text(spelt)


def _spelt(text: str) -> str:
    """The text with escapes for what the font that comes with matplotlib, the last that is tried, has no sign for."""
    known = get_font(findfont("DejaVu Sans"))
    return "".join(one if one == "\n" or known.get_char_index(ord(one)) else escape(one) for one in text)
