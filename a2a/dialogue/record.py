"""Record the studies: python -m a2a.dialogue.record [STUDY ...] [--folder conversations].

A study that is whole is left alone; one that was killed goes on where it was. Where seed sentences are missing, they
become a further part of the study, in a file of its own: STUDY.jsonl, STUDY-2.jsonl, ... So a study can grow on another
machine, on which no conversation of the earlier parts would come out to the letter.
To see whether this machine writes what was recorded: --turns 2 --folder again --against conversations.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from a2a.dialogue.conversation import converse
from a2a.dialogue.interventions import INTERVENTIONS
from a2a.dialogue.records import Conversations, part_files, read_study
from a2a.dialogue.seeds import Seed, our_seeds
from a2a.dialogue.study import Study
from a2a.dialogue.studyfile import StudyFile, header
from a2a.models.errors import CallError
from a2a.models.loading import load_model
from a2a.models.protocol import LanguageModel, Sampling

OWN = Path(__file__).with_name("studies.yml")
PART = 50
"""Conversations that one file gets at most."""


def studies(models: Mapping[str, str] | None = None, *, file: Path = OWN) -> dict[str, dict[str, Any]]:
    """The settings of each study, by name, in the order in which they are made.

    Args:
        models: the specifications of the models A, B and C in place of those of the record; without one of them there
            are only the studies that don't want it.
    """
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    known = content["models"] if models is None else models
    every = {name: {**content["defaults"], **settings} for name, settings in content["studies"].items()}
    return {
        name: {**settings, **{which: known[settings[which]] for which in ("first", "second")}}
        for name, settings in every.items()
        if {settings["first"], settings["second"]} <= known.keys()
    }


def build(
    name: str,
    settings: dict[str, Any],
    *,
    seeds: Sequence[Seed] | None = None,
    device: str = "cpu",
    dtype: str = "float32",
) -> Study:
    """The study of these settings, with its models loaded.

    Args:
        seeds: some of its seed sentences; None is all of them.

    Raises:
        ValueError: if a setting isn't one of a study.
    """
    settings = dict(settings)
    first, second = (_model(settings.pop(which), device, dtype) for which in ("first", "second"))
    all_seeds = our_seeds(settings.pop("conversations", 0))
    sampling = Sampling(**settings.pop("sampling"))
    intervention = INTERVENTIONS[settings.pop("intervention")]
    known = {"turns", "history", "batch", "seed"}
    if unknown := settings.keys() - known:
        raise ValueError(f"study {name} has no setting {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return Study(name, first, second, seeds or all_seeds, sampling=sampling, intervention=intervention, **settings)


def under_way(study: Study) -> Path:
    """Where a notebook records a study: in the build folder, in a file for just these settings."""
    from a2a.places import build_folder

    settings = hashlib.sha256(json.dumps(header(study)).encode()).hexdigest()
    return build_folder() / "conversations" / f"{study.name}-{settings[:12]}.jsonl"


def identical(told: Conversations, other: Conversations) -> tuple[int, int]:
    """How many outputs that both records hold have the same text, and how many they both hold."""
    recorded = {(one["conversation"], one["turn"]): one["text"] for one in other.outputs}
    both = [one for one in told.outputs if (one["conversation"], one["turn"]) in recorded]
    return sum(one["text"] == recorded[one["conversation"], one["turn"]] for one in both), len(both)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    known = studies()
    options = (parser := _parser(known)).parse_args(arguments)
    if unknown := [name for name in options.studies if name not in known]:
        parser.error(f"no study {', '.join(unknown)}; there are {', '.join(known)}")
    import torch

    torch.set_num_threads(options.threads)
    try:
        for name in options.studies or known:
            _tell(name, known[name], options)
    except KeyboardInterrupt:
        print("record: stopped; what is recorded stays, and the same command goes on from there", file=sys.stderr)
        return 130
    except (ValueError, OSError, ModuleNotFoundError, CallError) as error:
        print(f"record: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def _tell(name: str, settings: dict[str, Any], options: argparse.Namespace) -> None:
    other = None if options.against is None else read_study(options.against, name)
    told = _record(name, settings, options)
    print(f"{name}: {len(told.outputs)} outputs; {told.counts()}")
    if other is not None:
        same, both = identical(told, other)
        print(f"{name}: {same} of {both} outputs are identical to those in {options.against.name}")


def _record(name: str, settings: dict[str, Any], options: argparse.Namespace) -> Conversations:
    """The study in all its parts, each gone on with or made."""
    missing = our_seeds(min(filter(None, (settings.get("conversations"), options.conversations)), default=0))
    for file in part_files(options.folder, name):
        if not missing:
            break
        kept = StudyFile(file)
        seeds = list(kept.study.seeds) if kept.study is not None else missing[:PART]
        if kept.study is None or len(kept.outputs) < len(seeds) * kept.study.turns:
            kept.require_writable()
            _go_on(build(name, settings, seeds=seeds, device=options.device, dtype=options.dtype), file, options.turns)
        missing = [seed for seed in missing if seed not in seeds]
    return read_study(options.folder, name)


def _go_on(study: Study, file: Path, turns: int | None) -> None:
    last = min(turns or study.turns, study.turns)
    converse(study, file, progress=True, until=lambda told: len(told.outputs) >= last * len(study.seeds))


def _parser(known: dict[str, Any]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m a2a.dialogue.record", description="Record the studies.")
    parser.add_argument("studies", nargs="*", metavar="STUDY", help=f"{', '.join(known)}; all if none is named")
    parser.add_argument("--folder", type=Path, default=Path("conversations"), help="where the files lie")
    parser.add_argument("--conversations", type=_count, help="at most so many of a study, if it wants more")
    parser.add_argument("--turns", type=_count, help="stop after this many turns of each conversation (to go on later)")
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="count the texts that are as recorded there")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16", "float16"))
    parser.add_argument("--threads", type=_count, default=1, help="of torch; the recorded files were made with 1")
    return parser


def _count(said: str) -> int:
    if not said.isdecimal() or int(said) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {said!r}")
    return int(said)


@cache
def _model(spec: str, device: str, dtype: str) -> LanguageModel:
    return load_model(spec, device=device, dtype=dtype)


if __name__ == "__main__":
    raise SystemExit(main())
