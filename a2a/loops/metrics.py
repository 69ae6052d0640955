"""How far apart two texts are: a registry of metrics, in which a new one is a single entry.

The distance of a metric is a function of two equally long lists of texts that gives one number for each pair.
`a2a.loops.distances` applies it along conversations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from a2a.loops.coherence import Reference, reference
from a2a.loops.words import jaccard, words

Distance = Callable[[Sequence[str], Sequence[str]], np.ndarray]
Embed = Callable[[Sequence[str]], np.ndarray]

ORDER = 4
"""Longest n-grams of BLEU."""


@dataclass(frozen=True)
class Metric:
    """An entry of the registry.

    Attributes:
        name: as in tables, figures and parameters.
        color: in figures.
        definition: for the pages' table, in Markdown.
        distance: from an embedding of texts, (texts) -> unit vectors (len(texts), d), to the metric's function of two
            lists of texts; a metric without embeddings doesn't use it.
        is_papers: whether the claims of paper B are about it.
    """

    name: str
    color: str
    definition: str
    distance: Callable[[Embed], Distance]
    is_papers: bool = False


def cosine(embed: Embed) -> Distance:
    """Cosine distance of sentence embeddings, 1 - u·v for unit vectors u, v: from 0 (same) over 1 to 2 (opposite)."""

    def distance(texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
        both = embed([*texts, *others])
        return np.clip(1 - (both[: len(texts)] * both[len(texts) :]).sum(-1), 0, 2)

    return distance


def jaccard_distance(texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """1 - |A & B| / |A | B| of the sets of words and signs, in lower case; 0 if both texts have none."""
    return np.array([jaccard(text, other) for text, other in zip(texts, others, strict=True)])


def bleu_distance(texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """1 - BLEU of each text as the hypothesis, with the other as the only reference.

    n-grams of words and signs up to order 4, or up to the shorter text's length if that is less, with equal weights;
    the brevity penalty is on; an order without a match counts 0.1 matches (NLTK's smoothing method 1, of Chen and
    Cherry 2014). Two texts without words have distance 0, one of them alone 1.
    """
    return np.array([1 - _bleu(words(text), words(other)) for text, other in zip(texts, others, strict=True)])


def coherence_difference(counted: Reference | None = None) -> Distance:
    """Absolute difference of the coherences of two texts: mean NPMI of pairs of words, see `a2a.loops.coherence`."""

    def distance(texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
        known = counted or reference()
        return np.abs(known.coherence(texts) - known.coherence(others))

    return distance


METRICS = {
    metric.name: metric
    for metric in (
        Metric(
            "cosine",
            "C0",
            r"$1 - u \cdot v$ for unit vectors $u$, $v$: sentence embeddings by all-MiniLM-L6-v2 {cite}`reimers2019`",
            cosine,
            is_papers=True,
        ),
        Metric(
            "Jaccard",
            "C1",
            r"$1 - \lvert X \cap Y\rvert / \lvert X \cup Y\rvert$ for the sets $X$, $Y$ of words and "
            "signs, in lower case",
            lambda embed: jaccard_distance,
            is_papers=True,
        ),
        Metric(
            "BLEU",
            "C2",
            "1 − BLEU of $x$ against the only reference $y$: n-grams up to 4, smoothing method 1 of NLTK "
            "{cite}`papineni2002,chen2014`",
            lambda embed: bleu_distance,
            is_papers=True,
        ),
        Metric(
            "coherence",
            "C3",
            r"$\lvert c(x) - c(y) \rvert$ with $c$ the mean NPMI of a text's pairs of words "
            "{cite}`bouma2009,roder2015`; windows of ten words in 17 public-domain books and "
            "the State of the Union addresses",
            lambda embed: coherence_difference(),
            is_papers=True,
        ),
    )
}
"""By name."""


def papers() -> list[str]:
    """The names of the metrics that paper B's claims are about."""
    return [metric.name for metric in METRICS.values() if metric.is_papers]


def colors() -> dict[str, str]:
    """The colour of each metric, by name."""
    return {metric.name: metric.color for metric in METRICS.values()}


def all_metrics(embed: Embed) -> dict[str, Distance]:
    """The distances of all registered metrics, by name."""
    return {metric.name: metric.distance(embed) for metric in METRICS.values()}


def definitions() -> str:
    """The registry as a table in Markdown: what a page shows of it."""
    rows = [f"| {metric.name} | {metric.definition} |" for metric in METRICS.values()]
    return "\n".join(["| distance | definition |", "|---|---|", *rows])


def _bleu(hypothesis: list[str], truth: list[str]) -> float:
    order = min(ORDER, len(hypothesis), len(truth))
    if not order:
        return float(hypothesis == truth)
    weights = [1 / order] * order
    found = sentence_bleu([truth], hypothesis, weights, smoothing_function=SmoothingFunction().method1)
    return min(float(found), 1.0)


def require_thresholds(given: Mapping[str, Any]) -> None:
    """Nothing, if these are thresholds by metric, finite numbers from 0 on; else a ValueError that says which isn't."""
    for name, value in given.items():
        if name not in METRICS:
            raise ValueError(f"thresholds are by metric ({', '.join(METRICS)}), got one of {name!r}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise ValueError(f"the threshold of {name} must be a number from 0 on, got {value!r}")
