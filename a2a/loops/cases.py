"""Conversations made by hand for which the guideline's answer is plain, and which have misled one rule or another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

OWN = Path(__file__).with_name("cases.yml")
TURNS = 12
WINDOW = 256
"""Words that are more than a sentence embedder reads."""


@dataclass(frozen=True)
class Case:
    """A conversation with its answer.

    Attributes:
        name: what is special about it.
        loops: whether it falls into a loop, by the guideline beside the labels.
        texts: a seed sentence and `TURNS` outputs.
    """

    name: str
    loops: bool
    texts: Sequence[str]


def cases() -> list[Case]:
    """All cases: first those that loop, then those that don't."""
    told: dict[str, list[str]] = yaml.safe_load(OWN.read_text(encoding="utf-8"))
    rng = np.random.default_rng(0)
    return [
        *(Case(name, True, [told["sentences"][-1], *outputs]) for name, outputs in _loops(told, rng).items()),
        *(Case(name, False, [told["sentences"][-1], *outputs]) for name, outputs in _others(told, rng).items()),
    ]


def _loops(told: dict[str, list[str]], rng: np.random.Generator) -> dict[str, list[str]]:
    new = told["sentences"]
    long = _random_words(rng, 2 * WINDOW, told)
    things = [word for word in dict.fromkeys(" ".join(new).split()) if len(word) > 4]
    return {
        **{f"cycle of {length}": _cycle(*new[:length]) for length in range(1, 7)},
        "empty every third turn": _cycle(new[0], new[0], ""),
        "empty every fourth turn": _cycle(new[0], new[1], new[0], ""),
        "slot template": told["template"],
        "three of a template": _turns(
            lambda t: " ".join(f"There are {9 + k} {things[k]}s." for k in range(3 * t, 3 * t + 3))
        ),
        "longer than an output": _turns(lambda t: " ".join((" ".join(new[:3]).split() * 9)[9 * t : 9 * t + 9])),
        "counter": _turns(lambda t: "\n".join(f"{4119 + 4 * t + k}." for k in range(4))),
        "behind 256 new words": _turns(lambda t: f"{_random_words(rng, WINDOW, told)} {long}"),
        "ends of a sentence": _turns(lambda t: " ".join(new[0].split()[2 * (t % 4) :])),
        "the seed sentence": _cycle(new[-1]),
        "Chinese, repeated": _cycle(*told["chinese"][:2]),
        "code with another name": _turns(lambda t: told["functions"][1].replace("values", f"values_{t}")),
        "left again": new[:4] + [new[4]] * 4 + new[5:9],
    }


def _others(told: dict[str, list[str]], rng: np.random.Generator) -> dict[str, list[str]]:
    new = told["sentences"]
    return {
        "random digits": _turns(lambda t: " ".join(map(str, rng.integers(10, size=25)))),
        "many random digits": _turns(lambda t: " ".join(map(str, rng.integers(10, size=WINDOW)))),
        "random letters": _turns(lambda t: " ".join(rng.choice(list("abcdefgh"), size=40))),
        "different Chinese": told["chinese"],
        "different functions": told["functions"],
        "a refrain in new text": _turns(lambda t: f"{new[t]} So it goes, my friend. {told['subject'][t]}"),
        "a sentence behind 256 new words": _turns(lambda t: f"{_random_words(rng, WINDOW, told)} {new[0]}"),
        "different sentences": new[:TURNS],
        "one subject": told["subject"],
        "repeated within an output": _turns(lambda t: " ".join([new[t]] * 4)),
        "the seed sentence, once": [new[-1], *new[: TURNS - 1]],
        "silence only": _cycle(""),
        "begins in the last two turns": [*new[: TURNS - 2], *[new[TURNS - 3]] * 2],
    }


def _turns(text: Callable[[int], str]) -> list[str]:
    return [text(turn) for turn in range(TURNS)]


def _cycle(*texts: str) -> list[str]:
    return _turns(lambda turn: texts[turn % len(texts)])


def _random_words(rng: np.random.Generator, count: int, told: dict[str, list[str]]) -> str:
    """Words of all sentences, drawn at random."""
    known = " ".join(told["sentences"] + told["subject"]).replace(".", "").split()
    return " ".join(rng.choice(known, size=count))
