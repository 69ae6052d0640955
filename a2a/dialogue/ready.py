"""Whether studies can run to their end, asked before they begin: what would stop them after hours is said at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from a2a.dialogue.record import under_way
from a2a.dialogue.study import Study
from a2a.dialogue.studyfile import StudyFile
from a2a.models.protocol import LanguageModel, Sampling


def require_ready(studies: Iterable[Study]) -> None:
    """Nothing, if the record of each study can be written, and each of its models writes a token with its settings.

    A study that is recorded as a whole needs neither.

    Raises:
        RecordError, OSError: if a record is damaged or can't be written.
        ValueError: if a model holds too few tokens, or doesn't know a setting.
        CallError: if a server doesn't answer.
    """
    asked: dict[tuple[LanguageModel, Sampling], None] = {}
    for study in studies:
        kept = StudyFile(under_way(study))
        if len(kept.outputs) == len(study.seeds) * study.turns:
            continue
        kept.require_writable()
        sampling = study.intervention.adjust(study.sampling)
        for model in study.models:
            _require_room(model, sampling)
            asked[model, replace(sampling, max_new_tokens=1)] = None
    for model, sampling in asked:
        model(["One"], sampling, [0])


def _require_room(model: LanguageModel, sampling: Sampling) -> None:
    context = getattr(model, "context", None)
    if context is not None and context <= sampling.max_new_tokens:
        raise ValueError(
            f"{model.name} holds {context} tokens: max_new_tokens must be fewer, got {sampling.max_new_tokens}"
        )
