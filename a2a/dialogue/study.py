"""What a study is: a pair of models, seed sentences, and how they talk."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any, Literal

from a2a.dialogue.interventions import Intervention
from a2a.dialogue.seeds import Seed
from a2a.models.protocol import LanguageModel, Sampling
from a2a.models.recorded import RecordedModel
from a2a.secrets import scrub


@dataclass(frozen=True, eq=False)
class Study:
    """Conversations of one pair of models, one from each seed sentence. Studies with equal descriptions are equal.

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
        ValueError: if a number is below 1, two seed sentences have one name, or if one of them, or what a model says of
            itself, holds what looks like a key.
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
        if self.history != "all" and not (isinstance(self.history, int) and self.history >= 1):
            raise ValueError(f'history must be "all" or at least 1, got {self.history!r}')
        if not self.seeds or len({seed.id for seed in self.seeds}) < len(self.seeds):
            raise ValueError("there must be seed sentences, each with a name of its own")
        if secret := [seed.id for seed in self.seeds if scrub(seed.text) != seed.text]:
            raise ValueError(f"seed sentence {secret[0]} holds a key or what looks like one, and none is recorded")
        if any(scrub(told := model.describe()) != told for model in self.models):
            raise ValueError("a model's name or source looks like a key, and none is recorded: it needs another name")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Study) and self.describe() == other.describe()

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def models(self) -> tuple[LanguageModel, LanguageModel]:
        """The first and the second."""
        return self.first, self.second

    def writer(self, turn: int) -> LanguageModel:
        """Who writes a turn; they are counted from 1."""
        return self.first if turn % 2 else self.second

    def describe(self) -> dict[str, Any]:
        """All that decides what is written, but for the machine."""
        return {
            "study": self.name,
            "models": [model.describe() for model in self.models],
            "turns": self.turns,
            "sampling": self.sampling.as_dict(),
            "history": self.history,
            "batch": self.batch,
            "seed": self.seed,
            "intervention": self.intervention.as_dict(),
            "seeds": [asdict(seed) for seed in self.seeds],
        }

    @classmethod
    def from_description(cls, told: Mapping[str, Any]) -> Study:
        """The study that described itself so; its models are only recorded.

        Raises:
            ValueError, KeyError, TypeError: if it isn't a study's description.
        """
        first, second = (RecordedModel(model) for model in told["models"])
        return cls(
            told["study"],
            first,
            second,
            [Seed(**seed) for seed in told["seeds"]],
            turns=told["turns"],
            sampling=Sampling(**told["sampling"]),
            history=told["history"],
            batch=told["batch"],
            seed=told["seed"],
            intervention=Intervention.from_dict(told["intervention"]),
        )


def machine() -> dict[str, Any]:
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
