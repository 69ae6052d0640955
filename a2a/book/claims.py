"""Claims, the checks that a chapter makes of them, and the verdicts that follow.

A chapter makes a `Checks`, adds a check where it shows the evidence, and ends with `checks.table()`.
"""

from __future__ import annotations

import html
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from IPython.display import display

from a2a.book.conversations import PLAIN
from a2a.book.digits import apart
from a2a.book.evidence import Evidence
from a2a.intervals import Number
from a2a.printable import excerpt

METADATA = "a2a_checks"
"""Where a table's checks stand in its output's metadata: a MIME type of our own is one that no renderer knows."""

MARKS = {
    "supported": "✓",
    "contradicted": "✗",
    "undecided": "?",
    "not applicable": "–",
    "descriptive": "·",
    "not tested": "○",
}
"""A sign for each verdict, so that colour is never the only difference."""

RELATIONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@dataclass(frozen=True)
class Assumption:
    """Something that a theorem takes for granted, with the number that says whether it is so."""

    what: str
    holds: bool


@dataclass(frozen=True)
class Check:
    """One comparison of a claim with what was measured. Numbers are kept as the text that is shown, too."""

    id: str
    what: str
    verdict: str
    wanted: str
    measured: str
    assumptions: tuple[Assumption, ...] = ()
    models: tuple[str, ...] = ()
    effect: float | None = None
    interval: tuple[float, float] | None = None
    margin: tuple[float, float] | None = None
    note: str = ""

    @property
    def line(self) -> str:
        """The check in one line of text."""
        if self.verdict == "not applicable":
            return f"{self.id} not applicable: {self.what}; {self.broken}"
        told = f"{self.id} {self.verdict}: {self.what}; measured {self.measured}, wanted {self.wanted}"
        return f"{told}; {self.note}" if self.note else told

    @property
    def broken(self) -> str:
        """The assumptions that don't hold."""
        return "; ".join(assumption.what for assumption in self.assumptions if not assumption.holds)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        kind = self.verdict.replace(" ", "-")
        lead, _, rest = self.line.partition(": ")
        marked = f"<strong>{MARKS[self.verdict]} {html.escape(lead)}.</strong> {html.escape(rest)}."
        return {"text/plain": self.line, "text/html": f'<p class="a2a-check a2a-{kind} {PLAIN}">{marked}</p>'}


def requires(
    name: str, value: Any, relation: Literal["<", "<=", ">", ">="], bound: Number, *, shown: str = ""
) -> Assumption:
    """The assumption that every entry of `value` is, say, below `bound`; the worst entry is shown.

    Args:
        name: what the number is, such as "rho(PQ)".
        value: a number or an array; NaN is never as wanted.
        relation, bound: what is wanted of it.
        shown: the bound in words, where it isn't a number that speaks for itself.

    Raises:
        ValueError: if `value` is empty.
    """
    entries = np.asarray(value, dtype=float).ravel()
    if not entries.size:
        raise ValueError(f"the assumption on {name} needs a value, got none")
    worst = float((np.max if "<" in relation else np.min)(entries))
    holds = bool(RELATIONS[relation](worst, bound))
    return Assumption(f"{name} = {apart(worst, bound)}, wanted {relation} {shown or f'{bound:g}'}", holds)


class Checks:
    """The checks of one chapter.

    Args:
        models: what the chapter's checks are about, where a check doesn't say.
    """

    def __init__(self, *models: str) -> None:
        self.models = models
        self.made: list[Check] = []

    def add(
        self,
        id: str,
        what: str,
        evidence: Evidence,
        *,
        given: Sequence[Assumption] = (),
        models: Sequence[str] = (),
        otherwise: str = "",
    ) -> None:
        """Make a check of the claim `id` and show it.

        Args:
            what: what was compared, in a few words.
            given: the assumptions of the theorem; where one doesn't hold, the check is not applicable.
            models: what was tested; the chapter's models if empty.
            otherwise: what it may mean, where the check doesn't support the claim.
        """
        assumed, about = tuple(given), tuple(_line(name) for name in models or self.models)
        what, otherwise = _line(what), _line(otherwise)
        if all(assumption.holds for assumption in assumed):
            check = _judged(id, what, evidence, assumed, about, otherwise)
        else:
            check = Check(id, what, "not applicable", evidence.wanted, "", assumed, about)
        self.made.append(check)
        display(check)

    def table(self) -> CheckTable:
        """All checks in a table: what ends the chapter, and what the book collects."""
        return CheckTable(tuple(self.made))


@dataclass(frozen=True)
class CheckTable:
    """Checks as a table, in order of their claims."""

    checks: tuple[Check, ...]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        ordered = sorted(self.checks, key=lambda check: claim_order(check.id))
        lines = "\n".join(check.line for check in ordered)
        head = "".join(f'<th scope="col">{name}</th>' for name in ("Claim", "Check", "Measured", "Wanted", "Verdict"))
        body = "".join(_row(check) for check in ordered)
        table = f'<table class="a2a-checks {PLAIN}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        kept = [_plain(asdict(check)) for check in self.checks]
        return {"text/plain": lines, "text/html": table}, {METADATA: kept}


def claim_order(id: str) -> tuple[str, int]:
    """A2 before A10, and A before B."""
    letters = id.rstrip("0123456789")
    return letters, int(id[len(letters) :] or 0)


def _judged(
    id: str, what: str, found: Evidence, given: tuple[Assumption, ...], models: tuple[str, ...], otherwise: str
) -> Check:
    unmet = otherwise if found.verdict in ("contradicted", "undecided") else ""
    note = "; ".join(filter(None, (found.note, unmet)))
    numbers = found.effect, found.interval, found.margin
    return Check(id, what, found.verdict, found.wanted, found.measured, given, models, *numbers, note)


def _line(text: str) -> str:
    return excerpt(text, 300, one_line=True)


def _row(check: Check) -> str:
    kind, mark = check.verdict.replace(" ", "-"), MARKS[check.verdict]
    what = check.what + (f" ({check.note})" if check.note else "")
    texts = (check.id, what, check.measured or check.broken, check.wanted)
    cells = "".join(f"<td>{html.escape(text)}</td>" for text in texts)
    return f'<tr>{cells}<td class="a2a-{kind}">{mark} {check.verdict}</td></tr>'


def _plain(value: Any) -> Any:
    """As JSON can hold it: no tuples, and None for what isn't a number."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
