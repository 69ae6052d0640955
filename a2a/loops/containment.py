r"""How much of a text says again what another said: containment of n-grams, which has a direction.

A text $x = (x_1, \dots, x_m)$ is a sequence of units, see `a2a.loops.words.units`. A unit of $x$ is covered by other
texts if it lies in a run of $n$ units of $x$ that one of them holds, too; the containment $C(x, y_1, \dots, y_k)$ is
the share of the units of $x$ that are covered. (Broder 1997 counts runs in place of units, $n$ of which an exchanged
word takes away.) An output that only ends the sentence before it is contained in it, though little of that sentence is
contained in the output.

Before a text's first unit and behind its last one stand $n - 1$ marks of their own, so that what two short texts begin
and end with in common counts.

$n$ is 3, and larger for a $y$ with few different units: with $D$ of them, the least $n \ge 3$ with
$16 n \lvert y \rvert \le D^n$, but not above 32 or $\lvert y \rvert$. Of a text of the same $D$ units drawn at random
$y$ then covers a sixteenth at most, in the mean and however long both are, and six such texts cover less than half of
it. Where texts really repeat each other, runs are long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from a2a.loops.words import units

SHORTEST, LONGEST = 3, 32
"""Of n: pairs of words stand in most texts of a language ("of the"), triples in few."""
BY_CHANCE = 16
"""Of so many units one, at most, is covered by chance by another text."""

Units = tuple[str, ...]


def containment(text: str, others: Iterable[str]) -> float:
    """The share of the text's units that the others cover, from 0 to 1; 1 for a text without any."""
    told, covered = _units(text), set[int]()
    for other in others:
        n, known = _runs(other)
        marked = _marked(told, n)
        for end in range(len(told) + n - 1):
            if marked[end : end + n] in known:
                covered.update(range(end - n + 1, end + 1))
    return len(covered.intersection(range(len(told)))) / len(told) if told else 1.0


def run_length(other: Sequence[str]) -> int:
    """n for a text that others may repeat, given as units."""
    different, length = len(set(other)), len(other)
    most = max(SHORTEST, min(LONGEST, length))
    return next((n for n in range(SHORTEST, most) if different**n >= BY_CHANCE * n * length), most)


@lru_cache(maxsize=64)
def _units(text: str) -> Units:
    return tuple(units(text))


@lru_cache(maxsize=64)
def _runs(text: str) -> tuple[int, frozenset[Units]]:
    """n for a text, and its runs of so many units."""
    found = _units(text)
    n = run_length(found)
    marked = _marked(found, n)
    return n, frozenset(marked[start : start + n] for start in range(len(marked) - n + 1))


def _marked(found: Units, n: int) -> Units:
    return ("",) * (n - 1) + found + (" ",) * (n - 1)
