"""A claim of the papers: what was predicted, what was measured, and the verdict that follows.

A notebook states a claim with `claim(...)`. The statement is displayed there and kept in the cell's output, from where
the book's table is collected: the table can't say anything that no cell has computed.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from numbers import Real
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

METADATA = "a2a_claim"
"""Where a displayed claim stands in its output's metadata: a MIME type of our own is one that no renderer knows."""


@dataclass(frozen=True)
class Claim:
    """One measured statement. Numbers are kept as the text that is shown, with the digits that matter."""

    id: str
    what: str
    predicted: str
    measured: str
    tolerance: str
    holds: bool

    @property
    def verdict(self) -> str:
        """ "holds" or "failed"."""
        return "holds" if self.holds else "failed"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        mark = "✓" if self.holds else "✗"
        line = f"{self.id} {self.verdict}: {self.what}; predicted {self.predicted}, measured {self.measured}"
        line += f", tolerance {self.tolerance}"
        marked_up = (
            f'<p class="a2a-claim a2a-{self.verdict}"><strong>{mark} {html.escape(self.id)} {self.verdict}.</strong> '
            f"{html.escape(self.what)}: predicted {html.escape(self.predicted)}, measured {html.escape(self.measured)} "
            f"(tolerance {self.tolerance}).</p>"
        )
        return {"text/plain": line, "text/html": marked_up}, {METADATA: asdict(self)}


def claim(id: str, what: str, *, predicted: Any, measured: Any, tolerance: float) -> Claim:
    """Compare what was measured with what was predicted; the claim holds if no entry differs by more than `tolerance`.

    Args:
        id: the claim's name in the book, such as "A4".
        what: what was compared, in a few words.
        predicted, measured: numbers or arrays that broadcast; the entry with the largest deviation is the one shown.
        tolerance: largest absolute deviation that still counts as agreement.

    Raises:
        ValueError: if there is nothing to compare or the tolerance is negative or not a finite number.
    """
    if not (isinstance(tolerance, Real) and 0 <= tolerance < math.inf):
        raise ValueError(f"tolerance must be a finite number >= 0, got {tolerance!r}")
    pairs = np.broadcast_arrays(np.asarray(predicted, dtype=float), np.asarray(measured, dtype=float))
    if pairs[0].size == 0:
        raise ValueError(f"claim {id} compares nothing: predicted and measured are empty")
    with np.errstate(invalid="ignore"):  # infinity against infinity is NaN, which fails
        deviation = np.abs(pairs[1] - pairs[0]).ravel()
    worst = int(np.argmax(np.where(np.isnan(deviation), np.inf, deviation)))
    holds = bool(deviation[worst] <= tolerance)
    shown = (_number(float(values.ravel()[worst]), tolerance) for values in pairs)
    return Claim(id, what, *shown, f"{tolerance:g}", holds)


def magnitude(residual: Any) -> str:
    """The largest absolute entry as an upper bound, a power of ten: "< 1e-13". Rounding noise has no stable digits."""
    largest = float(np.max(np.abs(np.asarray(residual, dtype=float))))
    if not math.isfinite(largest):
        return f"{largest}"
    # twice the residual, and in steps of 100: neither a thread more nor another BLAS moves what is printed
    return f"< 1e{2 * math.ceil(math.log10(2 * largest) / 2):+03d}" if largest else "0"


def collect(notebooks: Iterable[Path]) -> list[tuple[str, Claim]]:
    """All claims in the outputs of executed notebooks, each with the stem of its notebook, in reading order."""
    found = []
    for file in notebooks:
        for cell in nbformat.read(file, as_version=4).cells:
            for output in cell.get("outputs", []):
                if METADATA in output.get("metadata", {}):
                    found.append((Path(file).stem, Claim(**output["metadata"][METADATA])))
    return found


def _number(value: float, tolerance: float) -> str:
    """`value` with a digit more than the tolerance can tell apart."""
    if value == 0 or not math.isfinite(value) or tolerance == 0:
        return f"{value:.6g}"
    digits = 1 - math.floor(math.log10(tolerance))
    rounded = round(value, digits)
    if value and not rounded:
        return f"< 1e{-digits:+03d}"
    return f"{rounded:.{max(digits, 0)}f}" if digits <= 4 else f"{rounded:.6g}"
