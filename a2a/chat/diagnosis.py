"""What is wrong with a step that was written: read off from the numbers, not from what the model says of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from a2a.linalg import norm

Kind = Literal["right", "roughly right", "copied w", "least squares", "step size", "slip", "other", "format"]
KINDS: tuple[Kind, ...] = get_args(Kind)
RIGHT, ROUGHLY = 0.02, 0.1
"""How far from the mark an answer may be, as shares of the step that was wanted."""
TOLD: dict[Kind, str] = {
    "right": "takes the gradient step",
    "roughly right": "takes the gradient step, roughly",
    "copied w": "copies w",
    "least squares": "jumps to least squares",
    "step size": "takes another step size",
    "slip": "slips in one coordinate",
    "other": "takes another step",
    "format": "gives no usable reply",
}


@dataclass(frozen=True)
class Diagnosis:
    """What one reply is.

    Attributes:
        kind: "right", to the digits or a share of the step (`RIGHT`), or "roughly right" (`ROUGHLY`); "copied w", the
            w that was read; "least squares", the solution itself; "step size", along the gradient and too far, too
            short or backwards; "slip", one coordinate alone is wrong; "other"; "format", no vector.
        factor: for "step size", how many times as long as wanted the step is.
    """

    kind: Kind
    factor: float | None = None


def diagnose(
    read: Float[np.ndarray, " d"],
    written: Float[np.ndarray, " d"],
    step: Float[np.ndarray, " d"],
    objective: Float[np.ndarray, " d"],
    digits: int,
) -> Diagnosis:
    """The diagnosis of one reply.

    Where several would do, the first of `KINDS` is given: of a short step a copied w may be right. In one dimension
    everything else is another step size.

    Args:
        read, written: w and the answer, in which NaN stands for none.
        step: what the answer should have added to w.
        objective: the least-squares solution.
        digits: after the decimal point; an answer may be off by one in the last of them, in every coordinate.
    """
    if not np.isfinite(written).all():
        return Diagnosis("format")
    length, rounding = float(norm(step)), 10.0**-digits * len(read) ** 0.5
    exact = max(rounding, RIGHT * length)
    off = written - read - step
    marks: list[tuple[Kind, np.ndarray, float]] = [
        ("right", off, exact),
        ("roughly right", off, max(rounding, ROUGHLY * length)),
        ("copied w", written - read, exact),
        ("least squares", written - objective, exact),
    ]
    for kind, missed, allowed in marks:
        if norm(missed) <= allowed:
            return Diagnosis(kind)
    factor = float((written - read) @ step / length**2) if length > exact else 0.0
    if factor and norm(written - read - factor * step) <= exact * max(1.0, abs(factor)):
        return Diagnosis("step size", factor)
    rest = np.sort(np.abs(off))[:-1]
    return Diagnosis("slip" if rest.size and rest.max() <= exact else "other")


def tally(diagnoses: Sequence[Diagnosis]) -> Counter[Kind]:
    """How many there are of each kind, in the order of `KINDS`."""
    counts = Counter(one.kind for one in diagnoses)
    return Counter({kind: counts[kind] for kind in KINDS if counts[kind]})


def told(diagnoses: Sequence[Diagnosis]) -> str:
    """Counts of a tally in words; of other step sizes the median factor."""
    counts = tally(diagnoses)
    size = f"step size ({middle_factor(diagnoses):.2g} times)"
    return ", ".join(f"{size if kind == 'step size' else kind} {count}" for kind, count in counts.items())


def middle_factor(diagnoses: Sequence[Diagnosis]) -> float:
    """The median factor of the steps of another size; NaN if there is none."""
    factors = [one.factor for one in diagnoses if one.factor is not None]
    return float(np.median(factors)) if factors else np.nan


def verdict(diagnoses: Sequence[Diagnosis]) -> str:
    """What an agent does, in a sentence: what is usual and, where that is the step, what else comes.

    Raises:
        ValueError: if there is no reply.
    """
    if not diagnoses:
        raise ValueError("there is nothing to name: no reply was given")
    counts = tally(diagnoses)
    right = counts["right"] + counts["roughly right"]
    wrong = [kind for kind, _ in counts.most_common() if kind not in ("right", "roughly right")]
    if wrong and right <= counts[wrong[0]]:
        return _what(wrong[0], diagnoses)
    usual = TOLD["right" if counts["right"] >= counts["roughly right"] else "roughly right"]
    return f"{usual} {right} times in {len(diagnoses)}, else {_what(wrong[0], diagnoses)}" if wrong else usual


def _what(kind: Kind, diagnoses: Sequence[Diagnosis]) -> str:
    size = f", {middle_factor(diagnoses):.2g} times the one asked for" if kind == "step size" else ""
    return TOLD[kind] + size
