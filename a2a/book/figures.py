"""One style for every figure, and the few kinds of figure that the chapters share."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from matplotlib_inline.backend_inline import set_matplotlib_formats
from myst_nb import glue

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


def show(name: str, fig: Figure) -> None:
    """Display the figure and keep it under `name` for the MyST directive glue:figure, which captions it on the page.

    The cell has the tag remove-output, or the page would show the figure twice.
    """
    glue(name, fig)
    plt.close(fig)


def headline(name: str, fig: Figure) -> None:
    """Keep the figure under `name` for the chapter's opening, where MyST's glue:figure shows it."""
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
        ax.fill_between(turns, low, high, color=color, alpha=0.18, linewidth=0)
    if plateau is not None:
        ax.axhline(float(np.mean(plateau)), color=THEORY, linestyle="--", linewidth=1.2)
    ax.set(yscale="log", xlabel="turn", ylabel="distance to own objective")


def path_in_plane(ax: Axes, interaction: Any, first: Any, second: Any, w0: Any) -> None:
    """The path of two agents in the plane (d = 2): every step, the two objectives, and where each agent settles.

    Args:
        interaction: an Interaction of shape (turns, 2).
        first, second: the agents' objectives, (2,).
        w0: the start, (2,).
    """
    steps = np.stack([interaction.first, interaction.second], axis=1).reshape(-1, 2)
    path = np.concatenate([np.asarray(w0)[None], steps])
    ax.plot(*path.T, color="#999999", linewidth=0.8, zorder=1)
    ax.scatter(w0[0], w0[1], marker="s", s=30, color=THEORY, label="start", zorder=3)
    for written, theta, name, color in (
        (interaction.first, first, "A", FIRST),
        (interaction.second, second, "B", SECOND),
    ):
        ax.scatter(written[:, 0], written[:, 1], s=12, color=color, zorder=2, label=f"written by {name}")
        ax.scatter(
            theta[0],
            theta[1],
            marker="*",
            s=190,
            color=color,
            edgecolor="white",
            zorder=4,
            label=f"objective of {name}",
        )
    ax.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal")


def on_the_diagonal(
    ax: Axes,
    predicted: Any,
    measured: Any,
    *,
    color: str = FIRST,
    label: str | None = None,
    logarithmic: bool = True,
) -> None:
    """Measured against predicted for many instances, with the diagonal on which they agree."""
    predicted, measured = np.ravel(predicted), np.ravel(measured)
    cloud(ax, predicted, measured, color=color, label=label)
    ends = [min(predicted.min(), measured.min()), max(predicted.max(), measured.max())]
    ax.plot(ends, ends, color=THEORY, linewidth=1, linestyle="--", zorder=0)
    scale = "log" if logarithmic else "linear"
    ax.set(xscale=scale, yscale=scale, xlabel="predicted", ylabel="measured")


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
    ax.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)


def mean_band(ax: Axes, x: Any, samples: Any, *, color: str, label: str, style: str = "-") -> None:
    """Mean of samples (instances, len(x)) against x, with its 95% interval, 1.96 standard errors to either side.

    NaN entries are left out; so is every x at which fewer than two are known.
    """
    samples = np.asarray(samples, dtype=float)
    count = (~np.isnan(samples)).sum(axis=0)
    x, samples, count = np.asarray(x)[count > 1], samples[:, count > 1], count[count > 1]
    mean, error = np.nanmean(samples, axis=0), 1.96 * np.nanstd(samples, axis=0, ddof=1) / np.sqrt(count)
    ax.plot(x, mean, style, color=color, label=label)
    ax.fill_between(x, mean - error, mean + error, color=color, alpha=0.18, linewidth=0)


def few_decades(axis: Axis) -> None:
    """Label a log axis that spans few decades at 1, 2, 5, 10, ...: matplotlib's own labels run into each other."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def blocks(ax: Axes, matrix: Any, rows: dict[str, slice], columns: dict[str, slice] | None = None) -> None:
    """A heat map of a matrix with its named blocks ruled off: red above 0, blue below, grey where it is masked.

    Args:
        matrix: two-dimensional; a masked array leaves its masked entries grey.
        rows: the name of each block and which rows it takes, in order.
        columns: the same for the columns; those of the rows if None.
    """
    matrix = np.ma.asarray(matrix)
    limit = float(abs(matrix).max())
    ax.imshow(matrix, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
    ax.set_facecolor("#d0d0d0")
    ax.grid(False)
    for axis, rule, named, size in (
        (ax.yaxis, ax.axhline, rows, matrix.shape[0]),
        (ax.xaxis, ax.axvline, columns or rows, matrix.shape[1]),
    ):
        ends = [part.indices(size)[:2] for part in named.values()]
        axis.set_ticks([(start + stop - 1) / 2 for start, stop in ends], list(named))
        for _, stop in ends[:-1]:
            rule(stop - 0.5, color=THEORY, linewidth=0.8)
    ax.tick_params(length=0)
