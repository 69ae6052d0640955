"""What a study is: a pair of models, seed sentences, and how they talk."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Literal

from a2a.dialogue.interventions import Intervention
from a2a.dialogue.records import Record
from a2a.dialogue.seeds import Seed
from a2a.models.protocol import LanguageModel, Sampling


@dataclass(frozen=True)
class Study:
    """Conversations of one pair of models, one from each seed sentence.

    Attributes:
        first, second: `first` reads the seed and writes turns 1, 3, 5, ...; `second` writes the others.
        seeds: the sentences.
        turns: outputs in a conversation, of both models together.
        sampling: see `Sampling`.
        history: what a model reads: the last output (1, as in paper B), the last k texts, or "all" with the seed.
        batch: conversations in lockstep; None is all of them, 1 is one after the other.
        seed: of all randomness.
        intervention: what is done about loops.

    Raises:
        ValueError: if a number is below 1 or two seed sentences have one name.
    """

    name: str
    first: LanguageModel
    second: LanguageModel
    seeds: Sequence[Seed]
    turns: int = 25
    sampling: Sampling = field(default_factory=Sampling)
    history: int | Literal["all"] = 1
    batch: int | None = None
    seed: int = 0
    intervention: Intervention = field(default_factory=Intervention)

    def __post_init__(self) -> None:
        if self.turns < 1 or (self.batch is not None and self.batch < 1):
            raise ValueError(f"turns and batch must be at least 1, got {self.turns} and {self.batch}")
        if self.history != "all" and self.history < 1:
            raise ValueError(f'history must be "all" or at least 1, got {self.history!r}')
        if not self.seeds or len({seed.id for seed in self.seeds}) < len(self.seeds):
            raise ValueError("there must be seed sentences, each with a name of its own")

    def describe(self) -> Record:
        """The first line of the record: all that decides what is written."""
        return {
            "record": "study",
            "study": self.name,
            "models": [self.first.describe(), self.second.describe()],
            "turns": self.turns,
            "sampling": self.sampling.as_dict(),
            "history": self.history,
            "batch": self.batch,
            "seed": self.seed,
            "intervention": self.intervention.as_dict(),
            "machine": machine(),
            "seeds": [{"id": seed.id, "category": seed.category, "text": seed.text} for seed in self.seeds],
        }


def machine() -> Record:
    """What the last bits of a result may depend on besides the study itself."""
    import torch

    versions = {name: _version(name) for name in ("torch", "transformers", "tokenizers")}
    processor = f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
    return {**versions, "threads": torch.get_num_threads(), "processor": processor}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
