"""Two models in conversation: each continues what the other wrote, from a seed sentence, with nothing else to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from a2a.dialogue.records import Conversations, Record, plan, writing
from a2a.dialogue.study import Study
from a2a.dialogue.turns import make_turn


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
        return _converse(study, [], lambda block: None, progress, until)
    with writing(Path(file), study.describe()) as record:
        return _converse(study, list(record.outputs), record.append, progress, until)


def _converse(
    study: Study,
    outputs: list[Record],
    append: Callable[[list[Record]], None],
    progress: bool,
    until: Callable[[Conversations], bool] | None,
) -> Conversations:
    from tqdm import tqdm

    told = Conversations(study.describe(), outputs)
    by_id = {seed.id: [{"text": seed.text, "injected": None}] for seed in study.seeds}
    for output in outputs:
        by_id[output["conversation"]].append(output)
    total = len(study.seeds) * study.turns
    position = 0
    with tqdm(total=total, initial=len(outputs), disable=not progress, unit="turn", desc=study.name) as bar:
        for turn, ids in plan(told.study):
            position += len(ids)
            if position <= len(outputs):
                continue
            if until is not None and until(told):
                break
            block = make_turn(study, turn, {name: by_id[name] for name in ids})
            append(block)
            outputs += block
            for output in block:
                by_id[output["conversation"]].append(output)
            bar.update(len(block))
    return told
