"""Studies with models of a user's choice, as the notebooks ask for them by parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from a2a.dialogue.comparison import paired_up
from a2a.dialogue.conversation import converse
from a2a.dialogue.interventions import INTERVENTIONS
from a2a.dialogue.ready import require_ready
from a2a.dialogue.record import build, studies, under_way
from a2a.dialogue.records import Conversations, recorded
from a2a.dialogue.seeds import load_seeds, spread
from a2a.dialogue.study import Study
from a2a.dialogue.studyfile import whole
from a2a.loops.cycles import CycleRule
from a2a.loops.rule import STEPS
from a2a.models.loading import load_model


def live_study(
    first: str,
    second: str,
    *,
    device: str = "cpu",
    dtype: str = "",
    chat_template: bool = False,
    seeds_file: str | Path | None = None,
    most: int = 0,
    **settings: Any,
) -> Study:
    """The study "live" of two models, loaded.

    Args:
        first, second: specifications as `load_model` takes them; one model for both is loaded once.
        dtype: empty for float32 on the CPU and bfloat16 elsewhere.
        seeds_file: see `load_seeds`.
        most: at most so many seed sentences, evenly spread; 0 is all.
        settings: of the study, see `Study`.

    Raises:
        ValueError: if one of the models isn't given, there is no such device, or fewer than two seed sentences.
    """
    require_both(first, second)
    seeds = spread(load_seeds(seeds_file), most)
    if len(seeds) < 2:
        raise ValueError(f"a live study needs two seed sentences at least, got {len(seeds)}")
    kind = dtype or usual_dtype(device)
    require_device(device)
    loaded = {
        spec: load_model(spec, device=device, dtype=kind, chat_template=chat_template) for spec in {first, second}
    }
    return Study("live", loaded[first], loaded[second], seeds, **settings)


def live_studies(
    models: Mapping[str, str], *, device: str = "cpu", dtype: str = "", most: int = 0, seed: int = 0
) -> dict[str, Study]:
    """All studies of `studies.yml` that three models, or two of them, make possible, by name.

    A server can't forbid repeated n-grams, so that with one of them the study that does so is left out.

    Args:
        models: the specifications of A, B and C, empty for none.
        most: at most so many seed sentences, evenly spread; 0 is as many as each study says.

    Raises:
        ValueError: if A or B isn't given, one model is given twice, or there is no such device.
    """
    require_both(models["A"], models["B"])
    require_device(device)
    given = {letter: spec for letter, spec in models.items() if spec}
    if len(set(given.values())) < len(given):
        raise ValueError(f"the models must be different ones, got {', '.join(given.values())}")
    own = {"seed": seed} | ({"conversations": most} if most else {})
    kind = dtype or usual_dtype(device)
    made = {name: told for name, told in studies(given).items() if _can_be_made(told)}
    return {name: build(name, told | own, device=device, dtype=kind) for name, told in made.items()}


def _can_be_made(told: Mapping[str, Any]) -> bool:
    """Whether the models of a study know its settings: a server has none that forbids repeated n-grams."""
    is_served = any(told[which].startswith(("http://", "https://")) for which in ("first", "second"))
    return not is_served or "no_repeat_ngram_size" not in INTERVENTIONS[told["intervention"]].sampling


def told_studies(
    models: Mapping[str, str], *, names: Iterable[str] | None = None, most: int = 0, **options: Any
) -> tuple[dict[str, Study], dict[str, Conversations]]:
    """Studies to compare: live ones if there are models, told to their end, else the recorded ones.

    Args:
        models, most, options: see `live_studies`.
        names: which studies, in this order; None is all.

    Returns:
        The live studies, none of recorded conversations; and the conversations, paired up.
    """
    wanted = list(names or studies())
    if not any(models.values()):
        return {}, paired_up({name: recorded(name) for name in wanted}, most)
    made = live_studies(models, most=most, **options)
    chosen = {name: made[name] for name in wanted if name in made}
    return chosen, paired_up(tell(chosen), most)


Until = Callable[[Conversations], bool]
"""Whether a study stops before its next turn."""


def tell(made: Mapping[str, Study], until: Until | None = None) -> dict[str, Conversations]:
    """The conversations of some studies, by name; each is recorded in the build folder, and gone on with from there.

    Args:
        until: see `converse`. It is no part of a study: the record of one that it stopped is that of the whole study so
            far, and another run goes on with it.

    Raises:
        RecordError, OSError, ValueError, CallError: before the first turn, if one of them couldn't go on to its end;
            see `require_ready`.
    """
    require_ready(made.values())
    return {name: converse(study, under_way(study), until=until) for name, study in made.items()}


def in_loops(*, steps: int = STEPS, turns: int = 1) -> Until:
    """Stop once every conversation is in a loop by `CycleRule`: what `tell` and `converse` may ask before each turn.

    A study writes a turn of all conversations of a batch at once, and its record holds nothing else, so that no
    conversation stops before the others: all of them have equally many turns when the study stops. A study of several
    batches can stop in the last one alone, when those of the other batches ended in a loop. One that has more turns
    already, since an earlier run had no such rule, keeps them.

    Args:
        steps: of the rule.
        turns: that each conversation has at least.
    """
    rule = CycleRule(steps=steps)

    def until(told: Conversations) -> bool:
        done = told.outputs[: whole(told.study, len(told.outputs))]
        texts = replace(told, outputs=done).texts().values()
        return all(len(one) > turns and rule.ends_in_loop(one) for one in texts)

    return until


def is_live(first: str, second: str, *, conversations: str = "", seeds_file: str = "") -> bool:
    """Whether a notebook's parameters ask for a live study.

    Raises:
        ValueError: if they give one model of two, a recorded study beside models, or seed sentences without any.
    """
    if not (first or second):
        if seeds_file:
            raise ValueError("seeds_file is of a live study, which needs model_a and model_b")
        return False
    require_both(first, second)
    if conversations:
        raise ValueError("conversations are recorded ones, model_a and model_b make new ones: give one of both")
    return True


def require_both(first: str, second: str) -> None:
    """Nothing, if there are two models; else a ValueError."""
    if not (first and second):
        raise ValueError("a live study needs both model_a and model_b")


def require_device(device: str) -> None:
    """Nothing, if torch can use the device; else a ValueError."""
    import torch

    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"device {device!r} can't be used: {str(error).splitlines()[0]}") from None


def usual_dtype(device: str) -> str:
    """Full precision where it costs little."""
    return "float32" if device == "cpu" else "bfloat16"
