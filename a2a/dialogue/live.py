"""Studies with models of a user's choice, as the notebooks ask for them by parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from a2a.dialogue.conversation import converse
from a2a.dialogue.record import build, studies, under_way
from a2a.dialogue.records import Conversations
from a2a.dialogue.seeds import load_seeds, spread
from a2a.dialogue.study import Study
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
        ValueError: if one of the models isn't given.
    """
    require_both(first, second)
    kind = dtype or usual_dtype(device)
    loaded = {
        spec: load_model(spec, device=device, dtype=kind, chat_template=chat_template) for spec in {first, second}
    }
    return Study("live", loaded[first], loaded[second], spread(load_seeds(seeds_file), most), **settings)


def live_studies(
    models: Mapping[str, str], *, device: str = "cpu", dtype: str = "", most: int = 0, seed: int = 0
) -> dict[str, Study]:
    """All studies of `studies.yml` that three models, or two of them, make possible, by name.

    Args:
        models: the specifications of A, B and C, empty for none.
        most: at most so many seed sentences, evenly spread; 0 is as many as each study says.

    Raises:
        ValueError: if A or B isn't given, or one model is given twice.
    """
    require_both(models["A"], models["B"])
    given = {letter: spec for letter, spec in models.items() if spec}
    if len(set(given.values())) < len(given):
        raise ValueError(f"the models must be different ones, got {', '.join(given.values())}")
    own = {"seed": seed} | ({"conversations": most} if most else {})
    kind = dtype or usual_dtype(device)
    return {name: build(name, told | own, device=device, dtype=kind) for name, told in studies(given).items()}


def tell(made: Mapping[str, Study]) -> dict[str, Conversations]:
    """The conversations of some studies, by name; each is recorded in the build folder, and gone on with from there."""
    return {name: converse(study, under_way(study)) for name, study in made.items()}


def require_both(first: str, second: str) -> None:
    """Nothing, if there are two models; else a ValueError."""
    if not (first and second):
        raise ValueError("a live study needs both model_a and model_b")


def usual_dtype(device: str) -> str:
    """Full precision where it costs little."""
    return "float32" if device == "cpu" else "bfloat16"
