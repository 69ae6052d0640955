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
        name: for the record, and what the registry finds it by.
        sampling: sampling settings that replace the study's, by name.
        novelty: an output whose Jaccard distance to one of the last `window` texts is below this is drawn again, up to
            `tries` times in all; the most novel one is kept. 0 accepts everything.
        window, tries: see `novelty`.
        inject: when an outside sentence is added to what the next model reads: "never", at "every" k-th turn, or when a
            loop is "detected": Jaccard distance at lag 1 or lag 2 below `near` for 3 consecutive outputs.
        every, near: see `inject`.
        sentences: the outside sentences; none if only their hash is known.
        sentences_sha256: of the sentences; it is all that the record of a study holds of them.
        description: what it does, in words for a table; no part of what is recorded or compared.

    Raises:
        ValueError: if a value is out of its range, or the hash is another one than that of the sentences.
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
    sentences_sha256: str = ""
    description: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.inject not in ("never", "every", "detected"):
            raise ValueError(f'inject must be "never", "every" or "detected", got {self.inject!r}')
        if not (0 <= self.novelty <= 1 and 0 <= self.near <= 1):
            raise ValueError(f"novelty and near are distances from 0 to 1, got {self.novelty} and {self.near}")
        if self.window < 1 or self.tries < 1 or self.every < 1 or not (self.sentences or self.sentences_sha256):
            raise ValueError("window, tries and every must be at least 1, and there must be a sentence to inject")
        digest = _digest(self.sentences) if self.sentences else self.sentences_sha256
        if self.sentences_sha256 not in ("", digest):
            raise ValueError(f"these sentences have the hash {digest}, not {self.sentences_sha256}")
        object.__setattr__(self, "sentences_sha256", digest)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Intervention:
        """The intervention of a record: the registered one if it is that, else as much of it as was recorded."""
        known = INTERVENTIONS.get(told["name"])
        if known is not None and known.as_dict() == told:
            return known
        return cls(**told, sentences=OUTSIDE if told["sentences_sha256"] == _digest(OUTSIDE) else ())

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
        if due and not self.sentences:
            raise ValueError(f"intervention {self.name}: only the hash of its sentences is known")
        return self.sentences[seed % len(self.sentences)] if due else None

    def as_dict(self) -> dict[str, Any]:
        """As the record holds it."""
        return {name: value for name, value in asdict(self).items() if name not in ("sentences", "description")}


def _digest(sentences: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sentences).encode()).hexdigest()[:12]


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
        Intervention(description="the study's own sampling, every output kept"),
        Intervention("temperature", {"temperature": 1.0}, description="temperature 1 in place of 0.7"),
        Intervention(
            "top-k", {"top_k": 50, "top_p": 1.0}, description="the 50 most likely tokens in place of a nucleus of 0.95"
        ),
        Intervention(
            "repetition penalty",
            {"repetition_penalty": 1.2},
            description="positive logits of tokens read or written before are divided by 1.2, negative ones multiplied",
        ),
        Intervention(
            "no repeated n-grams",
            {"no_repeat_ngram_size": 3},
            description="no three tokens in a row that were read or written before",
        ),
        Intervention(
            "novelty",
            novelty=0.5,
            description="an output with a Jaccard distance below 0.5 to one of the last two texts is drawn again, "
            "up to 4 times in all, and the most novel one is kept",
        ),
        Intervention(
            "inject on detection",
            inject="detected",
            description="a sentence from outside is added once three outputs in a row have a Jaccard distance below "
            "0.5 at lag 1, or at lag 2",
        ),
        Intervention(
            "inject every 5", inject="every", description="a sentence from outside is added after every fifth output"
        ),
    )
}
"""By name. A new intervention is one entry here and one study in studies.yml."""
