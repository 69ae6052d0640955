"""How varied a text, a conversation or a set of embeddings is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from a2a.loops.words import words


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


def mean_over_pairs(apart: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The mean distance over all pairs of the kept points.

    Args:
        apart: distances of every two points, (..., n, n), symmetric.
        kept: which of the points count, (..., n).

    Returns:
        (...); NaN where fewer than two points are kept.
    """
    pairs = np.triu(kept[..., :, None] & kept[..., None, :], 1)
    summed, count = (apart * pairs).sum((-1, -2)), pairs.sum((-1, -2))
    return np.divide(summed, count, where=count > 0, out=np.full(count.shape, np.nan))


def at_both_ends(apart: np.ndarray, kept: np.ndarray, many: int) -> np.ndarray:
    """The spread of a conversation's first and of its last outputs, see `mean_over_pairs`, (2, conversations).

    Args:
        apart: distances of every two outputs, (conversations, turns, turns).
        kept: which outputs count, (conversations, turns).
        many: outputs at either end.
    """
    ends = slice(many), slice(apart.shape[-1] - many, None)
    return np.stack([mean_over_pairs(apart[:, end, end], kept[:, end]) for end in ends])


def ratio_of_means(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """The mean of some values over that of others, over the last axis."""
    return np.asarray(above.mean(axis=-1) / below.mean(axis=-1))


def _ngrams(tokens: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
