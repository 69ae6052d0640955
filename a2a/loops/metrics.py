"""How far apart texts are, and how varied a text or a conversation is.

A metric is a function of two equally long lists of texts that returns one distance for each pair. `distances` applies
it along conversations: each output against the text `lag` before it. Since the models take turns, lag 1 compares an
output with the other model's last one and lag 2 with the same model's own last one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from a2a.loops.coherence import Reference, reference
from a2a.loops.words import jaccard, words

Metric = Callable[[Sequence[str], Sequence[str]], np.ndarray]
Embed = Callable[[Sequence[str]], np.ndarray]

ORDER = 4
"""Longest n-grams of BLEU."""


def cosine(embed: Embed) -> Metric:
    """Cosine distance of sentence embeddings, 1 - u·v for unit vectors u, v: from 0 (same) over 1 to 2 (opposite)."""

    def metric(texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
        both = embed([*texts, *others])
        return np.clip(1 - (both[: len(texts)] * both[len(texts) :]).sum(-1), 0, 2)

    return metric


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


def coherence_difference(counted: Reference | None = None) -> Metric:
    """Absolute difference of the coherences of two texts: mean NPMI of each text's pairs of words (see `npmi`)."""

    def metric(texts: Sequence[str], others: Sequence[str]) -> np.ndarray:
        known = counted or reference()
        return np.abs(known.coherence(texts) - known.coherence(others))

    return metric


def all_metrics(embed: Embed) -> dict[str, Metric]:
    """Paper B's four metrics, by name."""
    return {
        "cosine": cosine(embed),
        "Jaccard": jaccard_distance,
        "BLEU": bleu_distance,
        "coherence": coherence_difference(),
    }


def measure(metrics: Mapping[str, Metric], conversations: Sequence[Sequence[str]]) -> dict[tuple[str, int], np.ndarray]:
    """The distances of each metric at lag 1 and lag 2, by (name, lag); see `distances`."""
    return {(name, lag): distances(metric, conversations, lag) for name, metric in metrics.items() for lag in (1, 2)}


def distances(metric: Metric, conversations: Sequence[Sequence[str]], lag: int = 1) -> np.ndarray:
    """Each output against the text `lag` turns before it.

    Args:
        conversations: equally long lists of the seed sentence and every output.
        lag: 1 reaches back to the seed sentence at turn 1; a higher lag begins later.

    Returns:
        (conversations, turns); entry t - 1 belongs to turn t. NaN where nothing stands `lag` turns before, and where
        one of the two texts is empty: silence isn't a repetition.
    """
    turns = _turns(conversations)
    found = np.full((len(conversations), turns), np.nan)
    texts = [texts[t] for texts in conversations for t in range(lag, turns + 1)]
    others = [texts[t - lag] for texts in conversations for t in range(lag, turns + 1)]
    if texts:
        values = np.where(_silent(texts) | _silent(others), np.nan, metric(texts, others))
        found[:, lag - 1 :] = values.reshape(len(conversations), -1)
    return found


def crossed(conversations: Sequence[Sequence[str]]) -> list[list[str]]:
    """A negative control: every other text is taken from the next conversation, so that no output answers another."""
    after = [*conversations[1:], *conversations[:1]]
    return [
        [(other if turn % 2 else one)[turn] for turn in range(len(one))]
        for one, other in zip(conversations, after, strict=True)
    ]


def drift(metric: Metric, conversations: Sequence[Sequence[str]]) -> np.ndarray:
    """Each output against the seed sentence, (conversations, turns); NaN for an empty output."""
    turns = _turns(conversations)
    texts = [text for texts in conversations for text in texts[1:]]
    seeds = [texts[0] for texts in conversations for _ in range(turns)]
    return np.where(_silent(texts), np.nan, metric(texts, seeds)).reshape(len(conversations), turns)


def distinct_n(texts: Sequence[str], n: int) -> np.ndarray:
    """Different n-grams of words in a text over all its n-grams (Li et al. 2016); NaN for a text without any."""
    grams = [_ngrams(words(text), n) for text in texts]
    return np.array([len(set(found)) / len(found) if found else np.nan for found in grams])


def repetition_rate(conversation: Sequence[str], n: int = 4) -> np.ndarray:
    """For each output, the share of its n-grams that came before, in it or in an earlier text; NaN without any."""
    seen: set[tuple[str, ...]] = set()
    rates = []
    for text in conversation:
        found = _ngrams(words(text), n)
        repeated = 0
        for gram in found:
            repeated += gram in seen
            seen.add(gram)
        rates.append(repeated / len(found) if found else np.nan)
    return np.array(rates[1:])


def length(texts: Sequence[str]) -> np.ndarray:
    """Words and signs in each text."""
    return np.array([len(words(text)) for text in texts])


def vendi(vectors: np.ndarray) -> np.ndarray:
    """Vendi score (Friedman and Dieng 2023) of unit vectors (..., n, d): effective number of different ones, 1 to n.

    exp(-sum l log l) over the eigenvalues l of K / n, with K the matrix of cosine similarities.
    """
    similarity = vectors @ np.swapaxes(vectors, -1, -2) / vectors.shape[-2]
    eigenvalues = np.clip(np.linalg.eigvalsh(similarity), 0, None)
    logarithms = np.log(eigenvalues, where=eigenvalues > 0, out=np.zeros_like(eigenvalues))
    return np.asarray(np.exp(-(eigenvalues * logarithms).sum(-1)))


def _silent(texts: Sequence[str]) -> np.ndarray:
    return np.array([not text.strip() for text in texts])


def _bleu(hypothesis: list[str], truth: list[str]) -> float:
    order = min(ORDER, len(hypothesis), len(truth))
    if not order:
        return float(hypothesis == truth)
    weights = [1 / order] * order
    found = sentence_bleu([truth], hypothesis, weights, smoothing_function=SmoothingFunction().method1)
    return min(float(found), 1.0)


def _ngrams(tokens: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def _turns(conversations: Sequence[Sequence[str]]) -> int:
    lengths = Counter(len(texts) for texts in conversations)
    if len(lengths) != 1 or (turns := next(iter(lengths)) - 1) < 1:
        raise ValueError(f"conversations must have a seed sentence and equally many outputs, got {dict(lengths)} texts")
    return turns
