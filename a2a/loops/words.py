"""Texts as words: the tokens of everything here that compares texts by their words."""

from __future__ import annotations

import re
from functools import lru_cache

UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""A character of a script that puts no space between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""


def words(text: str) -> list[str]:
    """The words of a text in lower case, and each sign by itself."""
    return re.findall(r"\w+(?:['’]\w+)*|[^\w\s]", text.lower())


def units(text: str) -> list[str]:
    """The words and signs of a text; its characters where there are no words.

    That is each character of a script without spaces between words, and each sign and digit of a text without a letter.
    """
    if not any(map(str.isalpha, text)):
        return list("".join(text.split()))
    return words(UNSPACED.sub(r" \g<0> ", text))


def jaccard(first: str, second: str) -> float:
    """Jaccard distance of the sets of words of two texts, 1 - |A & B| / |A | B|; 0 if both have none."""
    a, b = _word_set(first), _word_set(second)
    return 1 - len(a & b) / len(a | b) if a | b else 0.0


@lru_cache(maxsize=4096)  # the texts of one study: each is compared with several others
def _word_set(text: str) -> frozenset[str]:
    return frozenset(words(text))
