"""P-values of paired changes, and what being several does to them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np

from a2a.samples import generator, known, numbers

Key = TypeVar("Key", bound=Hashable)


def random_signs(changes: np.ndarray, rng: np.random.Generator, draws: int) -> float:
    """The p-value of a mean of changes (n,) as far from 0, if each were as likely the negative of what it is.

    All signs are tried where there are no more than `draws`. NaN entries are left out, and so are zeros, which no sign
    changes.
    """
    from scipy.stats import permutation_test

    generator(rng)
    moved = known("changes", changes)
    moved = moved[moved != 0]
    if moved.size < 2:
        return 1.0  # either sign of one change is as far from 0
    moved = np.ldexp(moved, -np.frexp(np.abs(moved).max())[1])  # by a power of 2, so exactly: no sum overflows
    test = permutation_test(
        (moved, np.zeros_like(moved)),
        lambda one, two, axis: np.mean(one - two, axis=axis),
        permutation_type="samples",
        n_resamples=draws,
        rng=rng,
    )
    return float(test.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for being several (Holm's step-down method), in the order given."""
    values = numbers("p_values", p_values)
    order = np.argsort(values)
    scaled = values[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted.tolist()


def adjusted_p(changes: Mapping[Key, np.ndarray], rng: np.random.Generator, draws: int) -> dict[Key, float]:
    """The p-value of each mean change by random signs, adjusted for all of them by Holm's method, by name."""
    each = [random_signs(change, rng, draws) for change in changes.values()]
    return dict(zip(changes, holm(each), strict=True))


def p_in_words(p: float | None) -> str:
    """A p-value as in tables: "< .01" or two digits; nothing for None."""
    return "" if p is None else "< .01" if p < 0.01 else f"{p:.2f}"
