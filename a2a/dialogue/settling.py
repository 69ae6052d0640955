"""Where a pair of models settles, against where each of them settles alone (Ko and Geiping 2026).

A point is a mean embedding, (..., dimensions); leading dimensions broadcast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from a2a.intervals import Estimate, from_draws, unknown
from a2a.loops.metrics import Embed


def contraction(alone_a: np.ndarray, alone_b: np.ndarray, paired_a: np.ndarray, paired_b: np.ndarray) -> np.ndarray:
    """How much nearer A and B are as a pair than alone: 1 if they write alike, 0 if as far apart, below 0 if farther.

    Args:
        alone_a, alone_b: where each settles in conversations with itself.
        paired_a, paired_b: where each one's part of the pair's conversations settles.
    """
    apart = np.linalg.norm(alone_a - alone_b, axis=-1)
    return np.asarray(1 - np.linalg.norm(paired_a - paired_b, axis=-1) / apart)


def position(point: np.ndarray, alone_a: np.ndarray, alone_b: np.ndarray) -> np.ndarray:
    """Where a point lies along the line from A alone, 0, to B alone, 1; what is off the line doesn't count."""
    line = alone_b - alone_a
    return np.asarray(((point - alone_a) * line).sum(-1) / (line * line).sum(-1))


def embedded(embed: Embed, conversations: Sequence[Sequence[str]]) -> np.ndarray:
    """The vectors of equally long lists of texts, (conversations, texts, dimensions); NaN for a text that is empty."""
    silent = np.array([[not text.strip() for text in texts] for texts in conversations])
    vectors = embed([text for texts in conversations for text in texts])
    return np.where(silent[..., None], np.nan, vectors.reshape(*silent.shape, -1))


def late_means(vectors: np.ndarray, late: int, parity: int | None = None) -> np.ndarray:
    """The mean of each conversation's last texts, (conversations, dimensions); NaN if all of them are.

    Args:
        vectors: (conversations, 1 + turns, dimensions), the seed sentence first; NaN entries are left out.
        late: how many of the last turns.
        parity: 1 for those of the first model alone, the odd ones, 0 for the second's; None for all.
    """
    last = vectors.shape[1]
    turns = np.arange(last - late, last)
    chosen = vectors[:, turns if parity is None else turns[turns % 2 == parity]]
    seen = ~np.isnan(chosen[..., :1])
    summed = np.nansum(chosen, axis=1)
    return np.where(seen.any(axis=1), summed / np.maximum(seen.sum(axis=1), 1), np.nan)


def centre(means: np.ndarray) -> np.ndarray:
    """The mean over the conversations (n, dimensions) that have a place at all; NaN without any."""
    known = means[~np.isnan(means).any(axis=1)]
    return known.mean(axis=0) if len(known) else np.full(means.shape[1], np.nan)


@dataclass(frozen=True)
class Settled:
    """Where a pair settles.

    Attributes:
        n: conversations that it is from.
        contraction: see `contraction`.
        place_a, place_b: the position of A's and of B's part of the pair between A alone and B alone.
    """

    n: int
    contraction: Estimate
    place_a: Estimate
    place_b: Estimate


def settled(centres: Sequence[np.ndarray], rng: np.random.Generator, draws: int) -> Settled:
    """Contraction and positions of a pair, with the intervals of a bootstrap over seed sentences.

    Args:
        centres: for each seed sentence, (n, dimensions) each: where A and B settle alone, and where A's and B's part of
            the pair does. Seed sentences with a NaN are left out.
    """
    rows = np.stack(centres, axis=1)
    rows = rows[~np.isnan(rows).any(axis=(1, 2))]
    n = len(rows)
    if not n:
        return Settled(0, *(unknown(unit="conversations") for _ in range(3)))
    weights = rng.multinomial(n, np.full(n, 1 / n), size=draws) / n
    drawn = _contraction_and_positions(np.einsum("rn,ncd->rcd", weights, rows))
    values = _contraction_and_positions(rows.mean(axis=0))
    return Settled(n, *(from_draws(float(v), d, n, "conversations") for v, d in zip(values, drawn, strict=True)))


@dataclass(frozen=True)
class Places:
    """Studies of two models, each alone and both together, as points in the space of embeddings.

    Attributes:
        vectors: of each study's texts, (conversations, 1 + turns, dimensions); see `embedded`.
        ids: the names of each study's conversations.
        alone: the study of A with itself and that of B with itself.
        late: how many of the last turns say where a conversation settles.
    """

    vectors: Mapping[str, np.ndarray]
    ids: Mapping[str, Sequence[str]]
    alone: tuple[str, str]
    late: int

    def settled(self, pair: str, rng: np.random.Generator, draws: int, *, a_is_first: bool) -> Settled:
        """Where a pair settles; `a_is_first` says whether A is its first model."""
        rows = {study: [self.ids[study].index(id) for id in self.ids[pair]] for study in self.alone}
        own = [late_means(self.vectors[study][rows[study]], self.late) for study in self.alone]
        parities = int(a_is_first), int(not a_is_first)
        return settled(own + [late_means(self.vectors[pair], self.late, odd) for odd in parities], rng, draws)

    def along(self, study: str) -> np.ndarray:
        """The position of every output between A alone and B alone, (conversations, turns)."""
        ends = [centre(late_means(self.vectors[one], self.late)) for one in self.alone]
        return position(self.vectors[study][:, 1:], *ends)


def _contraction_and_positions(rows: np.ndarray) -> np.ndarray:
    """The contraction and the two positions, (3, ...), of centres (..., 4, dimensions)."""
    a, b, in_a, in_b = np.moveaxis(rows, -2, 0)
    return np.stack([contraction(a, b, in_a, in_b), position(in_a, a, b), position(in_b, a, b)])
