"""Whether an agent is affine at all: a test of its exchanges against quadratic terms."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays, linalg
from a2a.exchanges import checked
from a2a.finite import within_range
from a2a.solving import filling


@within_range
def linearity_test(w_in: Any, w_out: Any) -> tuple[float, float]:
    """F statistic and p-value for quadratic terms in w_out as a function of w_in, NumPy arrays (m, d).

    A small p-value says that no affine map describes the agent. What is left of an exactly affine agent
    is rounding, which counts as no evidence. The coordinates' errors are taken as independent and of one variance.

    Raises:
        ValueError: if the shapes don't match, or there are too few exchanges to fit all quadratic terms.
    """
    from scipy.stats import f as f_distribution  # takes longer to import than all the rest of the theory

    w_in, w_out = checked(w_in, w_out)
    w_in, w_out = (w / linalg.power_of_two(filling(w)) for w in (w_in, w_out))
    m, d = w_in.shape[-2:]
    rows, columns = np.triu_indices(d)
    spare = m - (1 + d + len(rows))
    if spare < 1:
        raise ValueError(f"a test against quadratic terms in d = {d} needs at least {m - spare + 1} exchanges, got {m}")
    read = (w_in - w_in.mean(axis=0)) / np.maximum(w_in.std(axis=0), np.finfo(float).tiny)
    affine = np.column_stack([np.ones(m), read])
    quadratic = np.column_stack([affine, read[:, rows] * read[:, columns]])
    rounding = m * d * (arrays.tolerance(w_out) * np.abs(w_out).max()) ** 2
    unexplained = [_unexplained(terms, w_out) + rounding for terms in (affine, quadratic)]
    statistic = (unexplained[0] - unexplained[1]) / len(rows) / (unexplained[1] / spare)
    return statistic, float(f_distribution.sf(statistic, d * len(rows), d * spare))


def _unexplained(terms: Float[np.ndarray, "m terms"], w_out: Float[np.ndarray, "m d"]) -> float:
    residual = w_out - terms @ np.linalg.lstsq(terms, w_out, rcond=None)[0]
    return float(np.sum(residual**2))
