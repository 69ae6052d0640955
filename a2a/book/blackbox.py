"""What the pages on agents behind a chat API share: a panel and a row for each agent, and what their checks assume."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from a2a.book.claims import Assumption, requires
from a2a.book.evidence import Evidence, weakest
from a2a.book.evidence import at_most as below
from a2a.book.figures import literal, panels
from a2a.book.tables import Table
from a2a.chat.experiment import Experiment
from a2a.chat.lineup import LineUp
from a2a.chat.offline import known
from a2a.chat.single_steps import OneAgent
from a2a.chat.varied import Varied
from a2a.intervals import Estimate, Number

R_SQUARED = 0.99
"""What an agent's single steps need at least to be taken for gradient steps."""


def usable(one: OneAgent) -> list[Assumption]:
    """The assumption that an agent does the task at all."""
    half = one.questions.steps / 2
    return [requires("usable replies to single steps", one.answered, ">=", half)]


def takes_the_step(one: OneAgent) -> list[Assumption]:
    """What the theory takes for granted of an agent."""
    return [*usable(one), requires("R^2 of single steps", one.r_squared, ">=", R_SQUARED)]


def cast_table(cast: LineUp) -> Table:
    """Who takes part, what each is, and whether it is asked."""
    offline = {name: known(name) for name in cast.names}
    rows = [
        (
            name,
            agent.description if agent else "A model of another server.",
            "asked here" if name in cast.live else "replayed from a recording",
        )
        for name, agent in offline.items()
    ]
    return Table(["agent", "what it is", "in this run"], rows)


def agent_table(columns: Sequence[str], rows: Mapping[str, Sequence[Any]], dropped: Mapping[str, str]) -> Table:
    """A row for each agent, and one for each that was dropped, which says why."""
    blank = [""] * (len(columns) - 1)
    left_out = [[f"{name}: {why}", *blank] for name, why in dropped.items() if name not in rows]
    return Table(columns, [[name, *cells] for name, cells in rows.items()] + left_out)


def setting_cell(found: Mapping[str, Varied], dropped: Mapping[str, str], name: str) -> str:
    """What one agent did in another setting, in words."""
    if name not in found:
        return dropped[name]
    one = found[name]
    first, second = one.nearest
    where = first if first == second else f"{first} and {second}"
    other = "" if one.r_squared >= R_SQUARED else f", other steps (R^2 {one.r_squared:.2f})"
    low, high = one.off.interval()
    return f"{one.off.value:.1%} ({low:.1%} to {high:.1%}), {where}{other}"


def judged_elsewhere(seen: Sequence[Varied], settings: int, *, at_most: Number) -> tuple[Evidence, Assumption]:
    """The weakest evidence that an agent ends near exact ones where its steps are right, and that they are somewhere.

    Args:
        seen: what it did in each setting for which there is something to judge.
        settings: how many there are.
        at_most: distance from exact agents, as a share of the plateau.

    Raises:
        ValueError: if nothing was seen.
    """
    fit = [one for one in seen if one.r_squared >= R_SQUARED]
    found = weakest([below(one.off, at_most) for one in fit or seen])
    told = "; ".join(filter(None, [f"judged in {len(fit)} of {settings} settings", found.note]))
    return replace(found, note=told), requires("settings with gradient steps", len(fit), ">=", 1)


def with_interval(estimate: Estimate) -> str:
    """An estimate with its 95 % interval, to three digits after the decimal point."""
    low, high = estimate.interval()
    return f"{estimate.value:.3f} [{low:.3f}, {high:.3f}]"


def p_value(p: float) -> str:
    """A p-value as a table shows it; NaN is a test that there were too few exchanges for."""
    if np.isnan(p):
        return "too few exchanges"
    return "< 0.001" if p < 0.001 else f"{p:.2f}"


def outcome_table(experiment: Experiment) -> Table:
    """How often each outcome came from each agent, and from those without any why not."""
    rows = []
    for name in experiment.line_up.names:
        counts = sorted(experiment.outcomes(name).items())
        told = "; ".join(f"{outcome}: {count}" for outcome, count in counts)
        rows.append((name, told or experiment.dropped[name]))
    return Table(["agent", "replies"], rows)


def usage_table(experiment: Experiment) -> Table:
    """What each agent's replies took: calls, tokens and, with prices, US dollars for those that were sent."""
    prices, rows = experiment.options.get("prices"), []
    for name, client in experiment.clients.items():
        sent, old = client.spent, client.replayed
        read = sent.prompt_tokens + old.prompt_tokens
        written = sent.completion_tokens + old.completion_tokens
        cost = f"{sent.cost(prices):.2f}" if prices and prices.known else "unknown: no prices given"
        rows.append((name, sent.calls, sent.failed, old.replies, read, written, cost))
    columns = ["agent", "sent", "failed", "replayed", "tokens read", "tokens written", "cost (US dollars)"]
    return Table(columns, rows)


def language_models(experiment: Experiment, single: Mapping[str, OneAgent]) -> str:
    """Which of the language models that took part did the task, in words: whose single steps are gradient steps."""
    models = [name for name in experiment.line_up.names if _is_language_model(name)]
    takes = [name for name, one in single.items() if all(assumed.holds for assumed in takes_the_step(one))]
    did = [name for name in models if name in takes and name not in experiment.dropped]
    if did:
        return f"of the language models, {', '.join(did)} did the task"
    asked = [name for name in models if experiment.outcomes(name)]
    unknown = [name for name in models if name not in asked]
    failed = f"; {', '.join(asked)} was asked and failed" if asked else ""
    missing = f"; {', '.join(unknown)} is not recorded with these parameters" if unknown else ""
    return f"no language model did the task{failed}{missing}"


def _is_language_model(name: str) -> bool:
    offline = known(name)
    return offline is None or offline.language_model


def agent_panels(names: Sequence[str], **options: Any) -> tuple[Figure, dict[str, Axes]]:
    """A panel for each agent, titled with its name."""
    fig, axes = panels(len(names), height=3.0, **options)
    by_name = dict(zip(names, np.atleast_1d(axes), strict=True))
    for name, ax in by_name.items():
        ax.set_title(literal(name, 40), fontsize=10)
    return fig, by_name


def say_why_empty(ax: Axes, why: str) -> None:
    """Say in an empty panel why it is empty."""
    look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 10, "backgroundcolor": "white"}
    ax.text(0.5, 0.5, textwrap.fill(why, 18), transform=ax.transAxes, **look)
