"""Recorded turns made once more, each from the recorded texts before it: how many come out identical?

A turn that comes out otherwise doesn't spoil the ones after it. On the machine of the record, with as many threads and
the same batch, all should be identical. In another batch the padding differs, and rounding with it; a text does so
now and then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from a2a.dialogue.models import LanguageModel, Sampling
from a2a.dialogue.records import Conversations, Record
from a2a.dialogue.turns import prompt


@dataclass(frozen=True)
class SpotCheck:
    """One turn, recorded and made again."""

    conversation: str
    turn: int
    recorded: str
    again: str

    @property
    def is_identical(self) -> bool:
        """To the last character."""
        return self.recorded == self.again


def spot_check(
    told: Conversations,
    first: LanguageModel | None,
    second: LanguageModel | None,
    *,
    conversations: Sequence[str] | None = None,
    turns: Sequence[int] = (1, 2),
) -> list[SpotCheck]:
    """Make some recorded turns again.

    Args:
        told: as recorded.
        first, second: the study's models; None for one whose turns aren't asked for.
        conversations: by name, made in one batch; None is all of them.
        turns: which.

    Raises:
        ValueError: if a model isn't the one that wrote the record, or the model of a turn is missing.
    """
    for model, said in zip((first, second), told.study["models"], strict=True):
        if model is not None and model.name != said["name"]:
            raise ValueError(f"the record was written with {said['name']}, not with {model.name}")
    writers = {turn: first if turn % 2 else second for turn in turns}
    wanted = set(told.ids if conversations is None else conversations)
    texts = told.texts()
    found = []
    for turn, model in writers.items():
        if model is None:
            raise ValueError(f"turn {turn} was written by a model that isn't given")
        outputs = [output for output in told.outputs if output["turn"] == turn and output["conversation"] in wanted]
        again = _again(told.study, outputs, texts, model)
        found += [
            SpotCheck(output["conversation"], turn, output["text"], text)
            for output, text in zip(outputs, again, strict=True)
        ]
    return found


def _again(study: Record, outputs: list[Record], texts: dict[str, list[str]], model: LanguageModel) -> list[str]:
    prompts = [
        prompt(texts[one["conversation"]][: one["turn"]], study["history"], one["injected"])[0] for one in outputs
    ]
    sampling = Sampling(**outputs[0]["sampling"]) if outputs else Sampling()
    return [row.text for row in model(prompts, sampling, [one["seed"] for one in outputs])]
