"""Texts as words: the tokens of everything here that compares texts by their words."""

from __future__ import annotations

import re
from functools import lru_cache


def words(text: str) -> list[str]:
    """The words of a text in lower case, and each sign by itself."""
    return re.findall(r"\w+(?:['’]\w+)*|[^\w\s]", text.lower())


def jaccard(first: str, second: str) -> float:
    """Jaccard distance of the sets of words of two texts, 1 - |A & B| / |A | B|; 0 if both have none."""
    a, b = _word_set(first), _word_set(second)
    return 1 - len(a & b) / len(a | b) if a | b else 0.0


@lru_cache(maxsize=4096)  # the texts of one study: each is compared with several others
def _word_set(text: str) -> frozenset[str]:
    return frozenset(words(text))
