"""Kinds of figure that a few chapters share: a path in the plane, measured against predicted, a matrix in blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from a2a.book.figures import FIRST, SECOND, THEORY, cloud, diagonal


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
    diagonal(ax, min(predicted.min(), measured.min()), max(predicted.max(), measured.max()))
    scale = "log" if logarithmic else "linear"
    ax.set(xscale=scale, yscale=scale, xlabel="predicted", ylabel="measured")


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
