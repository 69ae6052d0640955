"""Distances along conversations: each output against a text before it, and how they change from first to last.

Since the models take turns, lag 1 compares an output with the other model's last one and lag 2 with the same model's
own last one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from a2a.loops.containment import containment
from a2a.loops.metrics import Distance


class Distances:
    """Distances within conversations by several metrics, each computed when it is first asked for.

    Args:
        conversations: equally long lists of the seed sentence and every output.
        metrics: by name.
    """

    def __init__(self, conversations: Sequence[Sequence[str]], metrics: Mapping[str, Distance]) -> None:
        self.conversations, self.metrics = conversations, dict(metrics)
        self._known: dict[tuple[str, int], np.ndarray] = {}

    def at(self, metric: str, lag: int = 1) -> np.ndarray:
        """Each output against the text `lag` turns before it, (conversations, turns); see `distances`."""
        key = metric, lag
        if key not in self._known:
            self._known[key] = distances(self.metrics[metric], self.conversations, lag)
        return self._known[key]

    def to_seed(self, metric: str) -> np.ndarray:
        """Each output against the seed sentence, (conversations, turns); NaN for an empty output."""
        if (metric, 0) not in self._known:
            self._known[metric, 0] = drift(self.metrics[metric], self.conversations)
        return self._known[metric, 0]

    def to_last(self, window: int) -> np.ndarray:
        """What each output says that the last texts didn't, (conversations, turns); see `beyond_last`."""
        if ("", window) not in self._known:
            self._known["", window] = beyond_last(self.conversations, window)
        return self._known["", window]

    def crossed(self) -> Distances:
        """Those of a negative control: conversations in which no output answers another (see `crossed`)."""
        return Distances(crossed(self.conversations), self.metrics)


def distances(metric: Distance, conversations: Sequence[Sequence[str]], lag: int = 1) -> np.ndarray:
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
    """A negative control: each text is taken from the next conversation, so that no output answers another.

    With more conversations than turns no two texts are of the same one.
    """
    n = len(conversations)
    return [[conversations[(row + turn) % n][turn] for turn in range(len(conversations[row]))] for row in range(n)]


def drift(metric: Distance, conversations: Sequence[Sequence[str]]) -> np.ndarray:
    """Each output against the seed sentence, (conversations, turns); NaN for an empty output."""
    turns = _turns(conversations)
    texts = [text for texts in conversations for text in texts[1:]]
    seeds = [texts[0] for texts in conversations for _ in range(turns)]
    return np.where(_silent(texts), np.nan, metric(texts, seeds)).reshape(len(conversations), turns)


def beyond_last(conversations: Sequence[Sequence[str]], window: int) -> np.ndarray:
    """1 - the containment of each output in the last texts before it that aren't empty, the seed sentence among them.

    Args:
        conversations: equally long lists of the seed sentence and every output.
        window: how many texts it looks back.

    Returns:
        (conversations, turns); NaN for an empty output, and where no text stands before.
    """
    found = np.full((len(conversations), _turns(conversations)), np.nan)
    for row, texts in enumerate(conversations):
        heard = [turn for turn, text in enumerate(texts) if text.strip()]
        for number, turn in enumerate(heard[1:], start=1):
            last = heard[max(0, number - window) : number]
            found[row, turn - 1] = 1 - containment(texts[turn], [texts[before] for before in last])
    return found


def telling(distances: Distances) -> list[int]:
    """Three conversations worth a look: with the least and the largest mean distance by the first metric, and the one
    whose place among all differs most between metrics; their positions."""
    means = [mean_known(distances.at(metric)) for metric in distances.metrics]
    places = np.argsort(np.argsort(means, axis=1), axis=1)
    return [int(means[0].argmin()), int(means[0].argmax()), int(np.ptp(places, axis=0).argmax())]


def mean_known(values: np.ndarray) -> np.ndarray:
    """The mean of each row (n, m) without its NaN entries, (n,); infinity for a row that has no other."""
    known = ~np.isnan(values)
    summed, count = np.nansum(values, axis=1), known.sum(axis=1)
    return np.divide(summed, count, where=count > 0, out=np.full(len(values), np.inf))


def last_minus_first(values: np.ndarray, ends: int) -> np.ndarray:
    """From the mean of a row's first `ends` entries to that of its last ones, (n,); NaN where either has none."""
    first, last = mean_known(values[:, :ends]), mean_known(values[:, -ends:])
    known = np.isfinite(first) & np.isfinite(last)
    return np.subtract(last, first, where=known, out=np.full(len(values), np.nan))


def _silent(texts: Sequence[str]) -> np.ndarray:
    return np.array([not text.strip() for text in texts])


def _turns(conversations: Sequence[Sequence[str]]) -> int:
    lengths = Counter(len(texts) for texts in conversations)
    if len(lengths) != 1 or (turns := next(iter(lengths)) - 1) < 1:
        raise ValueError(f"conversations must have a seed sentence and equally many outputs, got {dict(lengths)} texts")
    return turns
