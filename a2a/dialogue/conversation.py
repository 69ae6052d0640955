"""Two models in conversation: each continues what the other wrote, from a seed sentence, with nothing else to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from a2a.dialogue.records import Conversations
from a2a.dialogue.study import Study, machine
from a2a.dialogue.studyfile import StudyFile, plan, whole
from a2a.dialogue.turns import make_turn
from a2a.journal import Record


def converse(
    study: Study,
    file: str | Path | None = None,
    *,
    progress: bool = False,
    until: Callable[[Conversations], bool] | None = None,
) -> Conversations:
    """Let the models talk until every conversation has all its turns.

    Args:
        study: see `Study`.
        file: where each turn is recorded as soon as it is made; a file that holds part of this study is gone on with.
        progress: show a bar, for people.
        until: asked before each turn of a batch, with what there is; the study stops early when it says True.

    Raises:
        RecordError: if the file holds another study, or another process writes to it.
    """
    if file is None:
        told = Conversations(study, [], machine())
        return _go_on(told, told.outputs.extend, progress, until)
    kept = StudyFile(Path(file))
    with kept.going_on(study):
        return _go_on(Conversations(study, kept.outputs, machine()), kept.append, progress, until)


def _go_on(
    told: Conversations,
    append: Callable[[list[Record]], None],
    progress: bool,
    until: Callable[[Conversations], bool] | None,
) -> Conversations:
    """Make what is missing; `append` adds to the outputs of `told`."""
    from tqdm import tqdm

    study, outputs = told.study, told.outputs
    done, position = whole(study, len(outputs)), 0
    by_id: dict[str, list[Record]] = {seed.id: [{"text": seed.text, "injected": None}] for seed in study.seeds}
    for output in outputs[:done]:
        by_id[output["conversation"]].append(output)
    total = len(study.seeds) * study.turns
    with tqdm(total=total, initial=done, disable=not progress, unit="turn", desc=study.name) as bar:
        for turn, ids in plan(study):
            start, position = position, position + len(ids)
            if position <= done:
                continue
            if until is not None and until(told):
                break
            block = make_turn(study, turn, {name: by_id[name] for name in ids})
            append(block[len(outputs) - start :])  # a killed run may have left the beginning of this block
            for output in outputs[start:]:
                by_id[output["conversation"]].append(output)
            bar.update(len(block))
    return replace(told, outputs=outputs[: whole(study, len(outputs))])
