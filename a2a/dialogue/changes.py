"""What a study changes against the main one, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from a2a.dialogue.study import Study
from a2a.models.protocol import LanguageModel

KINDS = ("", "sampling", "token limit", "history", "models", "intervention")
"""What can be changed, in the order of tables; the main study changes nothing."""


@dataclass(frozen=True)
class Change:
    """What was changed: one of KINDS, and what it was changed to."""

    kind: str
    what: str


def by_letter(studies: Iterable[Study], main: Study) -> dict[str, LanguageModel]:
    """The models by letter: A and B are the main study's, others follow in the order in which they come."""
    models: list[LanguageModel] = []
    for model in (*main.models, *(model for study in studies for model in study.models)):
        if all(model.describe() != known.describe() for known in models):
            models.append(model)
    return {chr(ord("A") + i): model for i, model in enumerate(models)}


def change_of(study: Study, main: Study, letters: Mapping[str, LanguageModel]) -> Change:
    """What a study changes against the main one; if several things, the first of models, history, ..., sampling."""
    if (pair := _pair(study, letters)) != _pair(main, letters):
        return Change("models", pair)
    if study.history != main.history:
        return Change("history", "all texts" if study.history == "all" else f"last {study.history} texts")
    if study.intervention != main.intervention:
        return Change("intervention", study.intervention.name)
    new, old = study.sampling, main.sampling
    if new.max_new_tokens != old.max_new_tokens:
        return Change("token limit", f"{new.max_new_tokens} tokens")
    if new != old:
        return Change("sampling", f"T {new.temperature}, top-p {new.top_p}")
    return Change("", pair)


def changes_of(studies: Mapping[str, Study], main: str = "main") -> dict[str, Change]:
    """The change of each study, by name, ordered by KINDS."""
    letters = by_letter(studies.values(), studies[main])
    found = {name: change_of(study, studies[main], letters) for name, study in studies.items()}
    return dict(sorted(found.items(), key=lambda item: KINDS.index(item[1].kind)))


def _pair(study: Study, letters: Mapping[str, LanguageModel]) -> str:
    return " × ".join(_letter(model, letters) for model in study.models)


def _letter(model: LanguageModel, letters: Mapping[str, LanguageModel]) -> str:
    return next(letter for letter, known in letters.items() if known.describe() == model.describe())
