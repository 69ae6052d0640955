"""Models without weights, for tests and for looking at the machinery: what they write follows from text and seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from a2a.models.protocol import Continuation, Sampling

Write = Callable[[str, int], str]
WORDS = ("the", "a", "sea", "boat", "hill", "wind", "letter", "door", "light", "cold", "opens", "turns", "and", "then")


class ScriptedModel:
    """Writes `write(text, seed)`, cut to the token limit; its tokens are words."""

    size: int | None = 0

    def __init__(self, write: Write, name: str = "scripted") -> None:
        self.write, self.name = write, name

    def __call__(self, texts: Sequence[str], sampling: Sampling, seeds: Sequence[int]) -> list[Continuation]:
        return [self._one(text, sampling, seed) for text, seed in zip(texts, seeds, strict=True)]

    def describe(self) -> dict[str, Any]:
        """What a reader needs to get the same model again."""
        return {"name": self.name, "size": self.size, "source": "scripted"}

    def _one(self, text: str, sampling: Sampling, seed: int) -> Continuation:
        written = self.write(text, seed)
        words = written.split(" ")
        cut = len(words) > sampling.max_new_tokens
        new = " ".join(words[: sampling.max_new_tokens]) if cut else written
        tokens = min(len(words), sampling.max_new_tokens)
        return Continuation(new, len(text.split()), tokens, "length" if cut else "stop")


def named(name: str) -> ScriptedModel:
    """A scripted model by name: "words" writes words drawn at random; "echo" repeats what it reads."""
    known: dict[str, Write] = {"words": _words, "echo": lambda text, seed: text}
    if name not in known:
        raise ValueError(f"no scripted model {name!r}; there are {', '.join(known)}")
    return ScriptedModel(known[name], f"scripted:{name}")


def _words(text: str, seed: int) -> str:
    drawn = random.Random(seed)
    return " ".join(drawn.choices(WORDS, k=drawn.randint(5, 15)))
