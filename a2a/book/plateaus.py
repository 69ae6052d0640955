"""The plateaus of pairs of black boxes on a page: their table and their figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from a2a.book.blackbox import say_why_empty, with_interval
from a2a.book.figures import FIRST, SECOND, THEORY, diagonal, few_decades, literal
from a2a.chat.pairs import Pair
from a2a.chat.plateaus import Plateaus, middle
from a2a.chat.rivals import Nearest

AGENTS: tuple[dict[str, Any], ...] = ({"label": "A", "color": FIRST}, {"label": "B", "color": SECOND})
"""How the two agents of a pair are drawn."""


def plateau_rows(
    agent: int, results: Mapping[str, Plateaus], pair: Pair, dropped: Mapping[str, str]
) -> Iterator[tuple[str, ...]]:
    """A row for each agent and gap, of the plateaus of A (0) or B (1): predicted, fitted and measured."""
    for name, result in results.items():
        both = result.fitted_plateaus(agent), result.measured_plateaus(agent)
        for gap, prompts, *seen in zip(pair.gap, pair.plateau[agent], *both, strict=True):
            yield name, f"{gap:g}", f"{prompts:.3f}", *map(with_interval, seen)
    for name, why in dropped.items():
        yield f"{name}: {why}", "", "", "", ""


def rival_rows(places: Mapping[str, Nearest], pair: Pair) -> Iterator[tuple[str, ...]]:
    """A row for each agent, partner and gap: distances of all places as shares of the gap, and the theory's lead."""
    for name, near in places.items():
        for (agent, gap), lead in zip(np.ndindex(near.distances.shape[1:]), near.leads, strict=True):
            shares = (f"{share:.3f}" for share in near.distances[:, agent, gap])
            told = f"{near.name(agent, gap)}, {with_interval(lead)}"
            yield name, f"{'AB'[agent]}, {pair.gap[gap]:g}", *shares, told


def percent(measured: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """By how many per cent one exceeds the other."""
    return 100 * (measured / predicted - 1)


def plateau_figure(
    names: Sequence[str], results: Mapping[str, Plateaus], pair: Pair, dropped: Mapping[str, str]
) -> Figure:
    """Two panels an agent: measured against predicted plateaus, and by how many per cent they exceed them."""
    shared: dict[str, Any] = {"sharex": "row", "sharey": "row", "squeeze": False}
    fig, grid = plt.subplots(2, len(names), figsize=(9.6, 5.2), **shared)
    for name, above, below in zip(names, *grid, strict=True):
        _empty_panels(name, above, below, pair)
        for agent, look in enumerate(AGENTS if name in results else ()):
            _draw(above, below, results[name], pair, agent, look)
        for ax in () if name in results else (above, below):
            say_why_empty(ax, dropped[name])
    grid[0, 0].set_ylabel("measured plateau")
    grid[1, 0].set_ylabel("measured over\npredicted: excess, %")
    few_decades(grid[0, 0].xaxis)
    few_decades(grid[0, 0].yaxis)
    told = next((ax for ax in grid[0] if ax.get_legend_handles_labels()[0]), grid[0, 0])
    fig.legend(*told.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
    return fig


def _empty_panels(name: str, above: Axes, below: Axes, pair: Pair) -> None:
    above.set_title(literal(name, 40), fontsize=10)
    diagonal(above, 0.7 * pair.plateau.min(), 1.4 * pair.plateau.max())
    below.axhline(0, linestyle="--", color=THEORY, linewidth=1, zorder=0)
    above.set(xscale="log", yscale="log", xlabel="predicted plateau")
    below.set_xlabel("gap between objectives")


def _draw(above: Axes, below: Axes, result: Plateaus, pair: Pair, agent: int, look: dict[str, Any]) -> None:
    """Plateaus of A or B, against those of the prompts (filled) and of the fitted maps (open)."""
    seen, again = result.measured[agent], result.measured_draws[agent]
    known = pair.plateau[agent]
    filled = look | {"label": f"{look['label']}, prompts", "markersize": 4}
    _bars(above, known, seen, again, **filled)
    _bars(below, pair.gap - 0.04, percent(seen, known), percent(again, known[:, None]), **filled)
    known, drawn = result.fitted[agent], result.fitted_draws[agent]
    rings = {"markersize": 9, "markerfacecolor": "none"} | look | {"label": f"{look['label']}, fitted maps"}
    _bars(above, known, seen, again, **rings)
    _bars(below, pair.gap + 0.04, percent(seen, known), percent(again, drawn), **rings)


def _bars(ax: Axes, x: np.ndarray, y: np.ndarray, draws: np.ndarray, **look: Any) -> None:
    """Points with the 95 % intervals of their bootstrap draws."""
    low, high = middle(draws)
    ax.vlines(x, low, high, color=look["color"], linewidth=1)
    ax.plot(x, y, linestyle="none", marker="o", **look)
