"""A language model as the dialogue sees it: a batch of texts in, a batch of continuations out.

The randomness of a continuation comes from its own seed alone, so that it depends neither on what else is in the batch
nor on what was generated before. (A batch still pads its texts, and rounding then differs in the last bits.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

COLDEST = 1e-6
"""A temperature below takes the most likely token, as 0 does: what is divided by less has no number."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; the defaults are those of paper B.

    Attributes:
        temperature: divides the logits; 0 takes the most likely token.
        top_p: mass of the nucleus, the smallest set of most likely tokens with at least this probability.
        max_new_tokens: limit on a continuation.
        top_k: only the k most likely tokens; 0 is no limit. It is applied before top_p.
        repetition_penalty: divides positive logits and multiplies negative ones of tokens read or written before.
        no_repeat_ngram_size: no n tokens in a row are written that were read or written before; 0 is no limit.

    Raises:
        ValueError: if a value is out of its range.
    """

    temperature: float = 0.7
    top_p: float = 0.95
    max_new_tokens: int = 50
    top_k: int = 0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0

    def __post_init__(self) -> None:
        allowed = {
            "temperature": 0 <= self.temperature < float("inf"),
            "top_p": 0 < self.top_p <= 1,
            "max_new_tokens": self.max_new_tokens >= 1,
            "top_k": self.top_k >= 0,
            "repetition_penalty": 0 < self.repetition_penalty < float("inf"),
            "no_repeat_ngram_size": self.no_repeat_ngram_size >= 0,
        }
        for name, fine in allowed.items():
            if not fine:
                raise ValueError(f"{name} is out of its range: {getattr(self, name)!r}")

    def as_dict(self) -> dict[str, Any]:
        """As the record holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Continuation:
    """What a model wrote.

    Attributes:
        text: the new text only, as it came.
        prompt_tokens, new_tokens: read and written, with an end-of-text token; None if the server didn't say.
        finish: "length" (token limit) or "stop" (end-of-text token).
        dropped: tokens of the prompt that were cut off on the left because the context was too long.
    """

    text: str
    prompt_tokens: int | None
    new_tokens: int | None
    finish: str
    dropped: int = 0


@runtime_checkable
class LanguageModel(Protocol):
    """Continues texts.

    Attributes:
        name: for people and the record, with the kind of quantisation if there is one.
        size: number of parameters; None if unknown.
    """

    name: str
    size: int | None

    def __call__(self, texts: Sequence[str], sampling: Sampling, seeds: Sequence[int]) -> list[Continuation]:
        """Continue each text, with the randomness of its seed."""

    def describe(self) -> dict[str, Any]:
        """What a reader needs to get the same model again."""
