"""The page of the claims: one line a claim, its checks folded under it, each with a picture of what was found."""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from a2a.book.claims import MARKS
from a2a.book.collected import SOURCES

WIDTH, HEIGHT = 150, 20
"""Of a picture, in CSS pixels."""


def claims_page(claims: Sequence[Mapping[str, Any]], statements: Mapping[str, Mapping[str, Any]]) -> str:
    """HTML for the book's page.

    Args:
        claims: with their checks, as `claims_json` gives them under "claims".
        statements: what else the book says of each claim, as `load_statements` gives it.
    """
    body = "\n".join(_claim(claim, statements[claim["id"]]) for claim in claims)
    return f'{_summary(claims)}\n{_filters(claims)}\n<div class="a2a-claims">\n{body}\n</div>\n'


def counts(claims: Iterable[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """How many claims have each verdict, by source."""
    found: dict[str, Counter[str]] = {source: Counter() for source in SOURCES}
    for claim in claims:
        found[claim["source"]][claim["verdict"]] += 1
    return found


def picture(check: Mapping[str, Any]) -> str:
    """An SVG of the effect (dot), its 95 % interval (line) and where the claim has it (band); empty without numbers."""
    effect, interval, margin = check["effect"], check["interval"], check["margin"]
    if effect is None or margin is None:
        return ""
    low, high = _range(effect, interval or [effect, effect], margin)

    def x(value: float | None, open_end: float) -> float:
        share = open_end if value is None or not math.isfinite(value) else (value - low) / (high - low)
        return round(4 + (WIDTH - 8) * min(max(share, 0.0), 1.0), 1)

    start, end = x(margin[0], 0.0), x(margin[1], 1.0)
    shapes = f'<rect class="a2a-band" x="{start}" y="3" width="{round(end - start, 1)}" height="{HEIGHT - 6}"/>'
    if interval:
        shapes += f'<path class="a2a-range" d="M{x(interval[0], 0.0)} {HEIGHT / 2}H{x(interval[1], 1.0)}"/>'
    shapes += _mark(x(effect, 1.0), (effect > high) - (effect < low))
    label = html.escape(f"measured {check['measured']}, wanted {check['wanted']}")
    box = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg class="a2a-picture" role="img" aria-label="{label}" {box}>{shapes}</svg>'


def _range(effect: float, interval: Sequence[float], margin: Sequence[float | None]) -> tuple[float, float]:
    """What a picture spans: twice the margin; with an open margin, all that there is to see."""
    ends = [end for end in margin if end is not None and math.isfinite(end)]
    if len(ends) == 2 and ends[1] > ends[0]:
        middle, half = (ends[0] + ends[1]) / 2, ends[1] - ends[0]
        return middle - half, middle + half
    seen = [*ends, effect, *interval]
    room = 0.15 * (max(seen) - min(seen)) or abs(effect) or 1.0
    return min(seen) - room, max(seen) + room


def _mark(x: float, beyond: int) -> str:
    """The effect: a dot, or an arrow at the edge if it lies beyond it."""
    middle = HEIGHT / 2
    if not beyond:
        return f'<circle class="a2a-dot" cx="{x}" cy="{middle}" r="4"/>'
    back = round(x - 7 * beyond, 1)
    return f'<path class="a2a-dot" d="M{x} {middle}L{back} {middle - 5}V{middle + 5}Z"/>'


def _summary(claims: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for source, found in counts(claims).items():
        told = ", ".join(f"{found[verdict]} {verdict}" for verdict in MARKS if found[verdict])
        rows.append(f"<li><strong>{source}</strong>: {told}</li>")
    untested = sum(claim["tested_on_papers_models"] is False for claim in claims)
    about = f"<p>{untested} of the {len(claims)} claims are about models that weren't run for this edition.</p>"
    return f'<ul class="a2a-counts">{"".join(rows)}</ul>{about if untested else ""}'


def _filters(claims: Sequence[Mapping[str, Any]]) -> str:
    def choice(name: str, values: Iterable[str]) -> str:
        options = "".join(f'<option value="{value}">{value}</option>' for value in values)
        select = f'<select data-filter="{name.lower()}"><option value="">all</option>{options}</select>'
        return f"<label>{name} {select}</label>"

    given = {claim["verdict"] for claim in claims}
    selects = choice("Verdict", [v for v in MARKS if v in given]) + choice("Source", SOURCES)
    return f'<form class="a2a-filter" hidden>{selects}<output aria-live="polite"></output></form>'


def _claim(claim: Mapping[str, Any], statement: Mapping[str, Any]) -> str:
    id, verdict = claim["id"], claim["verdict"]
    line = f'<span class="a2a-says"><strong>{id}</strong> {html.escape(claim["says"])}</span>'
    line += f'<span class="a2a-verdict a2a-{_kind(verdict)}">{MARKS[verdict]} {verdict}</span>'
    line += f'<span class="a2a-about">{html.escape(_about(claim))}</span>'
    attributes = f'class="a2a-claim" id="claim-{id.lower()}" data-verdict="{verdict}" data-source="{claim["source"]}"'
    return f"<details {attributes}><summary>{line}</summary>{_body(claim, statement)}</details>"


def _about(claim: Mapping[str, Any]) -> str:
    """Source, models and how the checks came out, in a line."""
    models = list(dict.fromkeys(model for check in claim["checks"] for model in check["models"]))
    parts = [claim["source"]]
    if models:
        parts.append("on " + ", ".join(model.split(" (")[0] for model in models))
    found = Counter(check["verdict"] for check in claim["checks"])
    if len(found) > 1:
        parts.append(", ".join(f"{found[verdict]} {verdict}" for verdict in MARKS if found[verdict]))
    if claim["tested_on_papers_models"] is False:
        parts.append("not tested on the paper's models")
    return " · ".join(parts)


def _body(claim: Mapping[str, Any], statement: Mapping[str, Any]) -> str:
    notes = [html.escape(statement["note"])] if statement.get("note") else []
    if claim["tested_on_papers_models"] is False:
        models, run = ", ".join(statement["models"]), html.escape(statement.get("run", ""))
        notes.append(f"Not tested on the paper's models ({html.escape(models)}); <code>{run}</code> does it.")
    checks = "".join(_check(check) for check in claim["checks"]) or "<li>No chapter of this edition checks it.</li>"
    return "".join(f'<p class="a2a-note">{note}</p>' for note in notes) + f"<ul>{checks}</ul>"


def _check(check: Mapping[str, Any]) -> str:
    verdict, notebook = check["verdict"], check["notebook"]
    parts = [
        f'<span class="a2a-what">{html.escape(check["what"])}</span>',
        f'<span class="a2a-verdict a2a-{_kind(verdict)}">{MARKS[verdict]} {verdict}</span>',
        picture(check),
        f'<span class="a2a-numbers">{_numbers(check)}</span>',
    ]
    given = "; ".join(("" if one["holds"] else "not so: ") + one["what"] for one in check["assumptions"])
    told = [f"given {given}"] if given else []
    told += [", ".join(check["models"])] if check["models"] else []
    small = html.escape(" · ".join(told))
    where = f'<a href="../notebooks/{notebook}.html">{notebook}</a>'
    return f"<li>{''.join(parts)}<small>{small}{' · ' if small else ''}{where}</small></li>"


def _numbers(check: Mapping[str, Any]) -> str:
    if check["verdict"] == "not applicable":
        return f"wanted {html.escape(check['wanted'])}"
    beside = "beside" if check["verdict"] == "descriptive" else "wanted"
    text = f"measured {check['measured']}, {beside} {check['wanted']}"
    return html.escape(f"{text}; {check['note']}" if check["note"] else text)


def _kind(verdict: str) -> str:
    return verdict.replace(" ", "-")
