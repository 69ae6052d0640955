"""Words and whole outputs that come again, by the texts alone: a published measure of repetition, and copies."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import mean

import numpy as np

MEASURES = ("words", "jac1", "jac2", "ttr")
"""Of a conversation's last outputs, as Bergel (2026) defines them."""

_WORD = re.compile(r"[a-záéíóúñüA-ZÁÉÍÓÚÑÜ']+")


def last_outputs(outputs: Sequence[str], last: int = 6) -> dict[str, float]:
    """Bergel's measures of the last outputs of a conversation, by name.

    words is their mean number of words (letters and apostrophes, in lower case); jac1 and jac2 are the mean overlap
    |A & B| / |A | B| of each one's set of words with that of the output before and of the one before that; ttr is
    their different words over all.

    Raises:
        ValueError: if there are fewer than `last` + 2 outputs.
    """
    if len(outputs) < last + 2:
        raise ValueError(f"wanted {last + 2} outputs at least, got {len(outputs)}")
    said = [[word.lower() for word in _WORD.findall(text)] for text in outputs]
    ends, every = said[-last:], [word for words in said[-last:] for word in words]
    return {
        "words": float(mean(map(len, ends))),
        "jac1": float(mean(map(_overlap, ends, said[-last - 1 : -1]))),
        "jac2": float(mean(map(_overlap, ends, said[-last - 2 : -2]))),
        "ttr": len(set(every)) / max(len(every), 1),
    }


def said_before(outputs: Sequence[str]) -> np.ndarray:
    """How many turns before each output the same text was last said, word for word, (n,); 0 if it is new or empty."""
    found, place = np.zeros(len(outputs), dtype=int), dict[str, int]()
    for turn, text in enumerate(map(str.strip, outputs)):
        if text:
            found[turn] = turn - place.get(text, turn)
            place[text] = turn
    return found


def _overlap(words: Sequence[str], others: Sequence[str]) -> float:
    a, b = set(words), set(others)
    return len(a & b) / len(a | b) if a | b else 1.0
