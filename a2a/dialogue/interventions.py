"""Remedies against loops (claim B8): other sampling, a novelty rule, and sentences from outside.

What an intervention does at a turn follows from the conversation so far, so that a resumed study goes on as it would
have. Loops are recognised here by words alone, because no embedding is at hand while two models talk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from a2a.loops.words import jaccard
from a2a.models.protocol import Sampling

OUTSIDE = (
    "Meanwhile, on the other side of town, a stranger stepped off the train with a violin case.",
    "A different matter altogether is how bread rises when the kitchen is cold.",
    "The report on the river's fish had not been opened for eleven years.",
    "What nobody had asked so far was the price of the telescope.",
    "At the same hour a goat walked into the post office.",
    "The next chapter deals with the roots of the number two.",
)
"""Sentences of our own that have nothing to do with any seed."""


@dataclass(frozen=True)
class Intervention:
    """What is done about loops.

    Attributes:
        name: for the record.
        sampling: sampling settings that replace the study's, by name.
        novelty: an output whose Jaccard distance to one of the last `window` texts is below this is drawn again, up to
            `tries` times in all; the most novel one is kept. 0 accepts everything.
        window, tries: see `novelty`.
        inject: when an outside sentence is added to what the next model reads: "never", at "every" k-th turn, or when a
            loop is "detected": Jaccard distance at lag 1 or lag 2 below `near` for 3 consecutive outputs.
        every, near: see `inject`.
        sentences: the outside sentences.
    """

    name: str = "none"
    sampling: Mapping[str, Any] = field(default_factory=dict)
    novelty: float = 0.0
    window: int = 2
    tries: int = 4
    inject: Literal["never", "every", "detected"] = "never"
    every: int = 5
    near: float = 0.5
    sentences: tuple[str, ...] = OUTSIDE

    def __post_init__(self) -> None:
        if self.inject not in ("never", "every", "detected"):
            raise ValueError(f'inject must be "never", "every" or "detected", got {self.inject!r}')
        if not (0 <= self.novelty <= 1 and 0 <= self.near <= 1):
            raise ValueError(f"novelty and near are distances from 0 to 1, got {self.novelty} and {self.near}")
        if self.window < 1 or self.tries < 1 or self.every < 1 or not self.sentences:
            raise ValueError("window, tries and every must be at least 1, and there must be a sentence to inject")

    def adjust(self, sampling: Sampling) -> Sampling:
        """The study's sampling settings with this intervention's in their place."""
        return replace(sampling, **self.sampling)

    def distance(self, text: str, before: Sequence[str]) -> float:
        """The Jaccard distance of a text to the nearest of the last `window` texts; 1 if there is none."""
        return min((jaccard(text, other) for other in before[-self.window :]), default=1.0)

    def sentence(self, outputs: Sequence[str], since: int, seed: int) -> str | None:
        """What to inject before the next turn, if anything.

        Args:
            outputs: the conversation so far, without the seed sentence.
            since: how many outputs came before the last injection: those don't count as a loop again.
            seed: decides which sentence.
        """
        due = {
            "never": False,
            "every": len(outputs) > 0 and len(outputs) % self.every == 0,
            "detected": is_loop(outputs[since:], self.near),
        }[self.inject]
        return self.sentences[seed % len(self.sentences)] if due else None

    def as_dict(self) -> dict[str, Any]:
        """As the record holds it."""
        told = asdict(self)
        digest = hashlib.sha256("\n".join(told.pop("sentences")).encode()).hexdigest()[:12]
        return {**told, "sentences_sha256": digest}


def is_loop(outputs: Sequence[str], near: float, steps: int = 3) -> bool:
    """Whether the last `steps` outputs are each nearer than `near` to the output 1 turn, or 2 turns, before them."""
    for lag in (1, 2):
        last = range(len(outputs) - steps, len(outputs))
        if last.start >= lag and all(jaccard(outputs[i], outputs[i - lag]) < near for i in last):
            return True
    return False


INTERVENTIONS = {
    one.name: one
    for one in (
        Intervention(),
        Intervention("temperature", {"temperature": 1.0}),
        Intervention("top-k", {"top_k": 50, "top_p": 1.0}),
        Intervention("repetition penalty", {"repetition_penalty": 1.2}),
        Intervention("no repeated n-grams", {"no_repeat_ngram_size": 3}),
        Intervention("novelty", novelty=0.5),
        Intervention("inject on detection", inject="detected"),
        Intervention("inject every 5", inject="every"),
    )
}
"""By name."""
