"""Conversations that somebody else made as a study of ours: `import_conversations`, and what its file says of them.

Every output stands there as it was. What is ours is the frame: the opening (a preamble, say) takes the place of the
seed sentence, what a third participant said that of an injected sentence, and the "read" and "asked" of a record are
those of a study whose models read the whole conversation. What the models truly read had speakers' names in it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from a2a.dialogue.lines import OthersError
from a2a.dialogue.others import Output, Told, read_others
from a2a.dialogue.seeds import Seed
from a2a.dialogue.study import Study
from a2a.dialogue.studyfile import StudyFile, plan
from a2a.dialogue.turns import asked, prompt
from a2a.journal import Record
from a2a.models.protocol import Sampling
from a2a.models.recorded import RecordedModel

OPEN = {"temperature": 1.0, "top_p": 1.0, "max_new_tokens": 1_000_000}
"""Sampling that limits nothing, where a file doesn't say what did."""


@dataclass(frozen=True)
class Imported:
    """A study that was written.

    Attributes:
        file: where.
        study: what.
        left_out: what isn't in it, a sentence each.
    """

    file: Path
    study: Study
    left_out: Sequence[str]

    def __str__(self) -> str:
        n = len(self.study.seeds)
        told = f"{self.file}: {self.study.name}, {n} conversation{'s' * (n > 1)} of {self.study.turns} turns"
        return "; ".join([told, *self.left_out])


def import_conversations(
    files: Sequence[Path], out: Path, *, turns: int = 0, source: Mapping[str, str] | None = None
) -> list[Imported]:
    """Write conversations of others as studies that `recorded` and the chapters read.

    Args:
        files: see `a2a.dialogue.others`.
        out: a new .jsonl file for conversations of one setting, or a folder: a file for each setting.
        turns: only the first so many outputs of each, and no shorter conversation; 0 is all of equally long ones.
        source: where they are from, such as {"address": ..., "commit": ..., "licence": ...}.

    Raises:
        ValueError: if turns is below 0.
        OthersError: if a file isn't in a known format, or its conversations make no study.
        FileExistsError: if a file is already there.
    """
    if turns < 0:
        raise ValueError(f"turns must be at least 0, got {turns}")
    settings: dict[str, list[Told]] = {}
    for told in (told for file in files for told in read_others(file)):
        settings.setdefault(told.setting, []).append(told)
    one_file = out.suffix == ".jsonl"
    if one_file and len(settings) > 1:
        raise OthersError(f"{out.name} holds one setting, got {', '.join(settings)}: name a folder instead")
    places = {name: out if one_file else out / f"{name}.jsonl" for name in settings}
    if there := [place for place in places.values() if place.exists()]:
        raise FileExistsError(f"{there[0]} is there already; nothing was written")
    return [_write(chosen, places[name], turns, dict(source or {})) for name, chosen in settings.items()]


def _write(found: list[Told], place: Path, turns: int, source: Record) -> Imported:
    chosen, left_out = _equally_long(found, turns)
    study = _study(chosen, turns or len(chosen[0].outputs))
    described = study.describe()
    seeds = described.pop("seeds")
    imported = {**source, **_origin(chosen), "left out": left_out}
    first = {"record": "study", **described, "machine": {}, "imported": imported, "seeds": seeds}
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as folder:  # a killed import leaves no torn file
        whole = Path(folder) / place.name
        StudyFile(whole).append([first, *_outputs(study, chosen)])
        whole.rename(place)
    return Imported(place, study, left_out)


def _equally_long(found: list[Told], turns: int) -> tuple[list[Told], list[str]]:
    """The conversations that have all the turns, and what is left out of these and of all."""
    lengths = {told.name: len(told.outputs) for told in found}
    if not turns and len(set(lengths.values())) > 1:
        least, most = min(lengths.values()), max(lengths.values())
        raise OthersError(
            f"conversations of {found[0].setting} have {least} to {most} outputs: choose a number of turns"
        )
    chosen = [told for told in found if len(told.outputs) >= turns]
    if not chosen or not len(chosen[0].outputs):
        raise OthersError(f"no conversation of {found[0].setting} has {turns or 1} outputs")
    shorter = [told.name for told in found if len(told.outputs) < turns]
    unheard = sum(told.unheard for told in chosen)
    cut = sum(len(told.outputs) - turns for told in chosen) if turns else 0
    left_out = [
        f"left out as shorter than {turns} outputs: {', '.join(shorter)}" if shorter else "",
        f"left out: {cut} later outputs" if cut else "",
        f"left out: {unheard} of a third participant that no output follows" if unheard else "",
    ]
    return chosen, [sentence for sentence in left_out if sentence]


def _study(chosen: list[Told], turns: int) -> Study:
    first = chosen[0]
    sampling = OPEN | {name: first.settings[name] for name in OPEN if name in first.settings}
    if len({told.name for told in chosen}) < len(chosen) or any(told.settings != first.settings for told in chosen):
        raise OthersError(f"conversations of {first.setting} have the same name, or not the same settings")
    seeds = [Seed(told.name, told.setting, told.opening) for told in chosen]
    try:
        drawn = Sampling(**sampling)
    except ValueError as error:
        raise OthersError(f"{first.file}: {error}") from None
    odd, even = _model(chosen, turns, 0), _model(chosen, turns, 1)
    assert odd is not None
    return Study(first.setting, odd, even or odd, seeds, turns=turns, sampling=drawn, history="all")


def _model(chosen: Iterable[Told], turns: int, parity: int) -> RecordedModel | None:
    """Who writes the odd turns, or the even ones; None if nobody does."""
    names = {output.model for told in chosen for output in told.outputs[parity:turns:2]}
    if len(names) > 1:
        raise OthersError(f"{('odd', 'even')[parity]} turns have one writer, got {', '.join(sorted(names))[:200]}")
    return next((RecordedModel({"name": one.rpartition("/")[2], "size": None, "source": one}) for one in names), None)


def _origin(chosen: list[Told]) -> dict[str, Any]:
    said = chosen[0].settings
    return {
        "files": {told.file: told.sha256 for told in chosen},
        "settings": said,
        "not said": [field.name for field in fields(Sampling) if field.name not in said],
    }


def _outputs(study: Study, chosen: list[Told]) -> list[Record]:
    by_name = {told.name: told for told in chosen}
    texts = {told.name: [told.opening] for told in chosen}
    records = []
    for turn, names in plan(study):
        for name in names:
            output = by_name[name].outputs[turn - 1]
            records.append(_record(study, by_name[name], turn, output, texts[name]))
            texts[name].append(output.text)
    return records


def _record(study: Study, told: Told, turn: int, output: Output, before: list[str]) -> Record:
    model, sampling = study.writer(turn), study.sampling.as_dict()
    text, read = prompt(before, study.history, output.injected)
    return {
        "record": "output",
        "conversation": told.name,
        "turn": turn,
        "model": model.name,
        "size": model.size,
        "read": read,
        "text": output.text,
        "finish": output.finish,
        "prompt_tokens": output.prompt_tokens,
        "new_tokens": output.new_tokens,
        "dropped": 0,
        "injected": output.injected,
        "sampling": sampling,
        "seed": told.seed,
        "asked": asked(model, text, sampling, told.seed),
        "attempts": 1,
        "time": told.time,
        "seconds": output.seconds,
    }
