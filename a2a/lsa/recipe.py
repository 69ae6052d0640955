"""What a trained layer was trained on, and the file that keeps its weights."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from a2a.lsa.layer import LinearSelfAttention


@dataclass(frozen=True)
class Recipe:
    """What a trained layer was trained on and how; one recipe, one set of weights.

    d, n: dimension and number of in-context examples of the training prompts; eta: the step size to learn;
    steps, batch, learning_rate: Adam under a one-cycle schedule; seed: of the weights and the prompts.
    """

    d: int
    n: int
    eta: float
    steps: int
    batch: int
    learning_rate: float
    seed: int


def fingerprint(recipe: Recipe, code: Sequence[ModuleType]) -> str:
    """Of the recipe and of the code that follows it, so that weights of older code are never taken for new ones."""
    source = "".join(map(inspect.getsource, code))
    text = json.dumps({**asdict(recipe), "torch": torch.__version__, "code": source}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def save(layer: LinearSelfAttention, recipe: Recipe, file: Path) -> None:
    """Write the weights and the losses, with their recipe, in one piece."""
    file.parent.mkdir(parents=True, exist_ok=True)
    tensors = {**layer.state_dict(), "losses": torch.tensor(layer.losses, dtype=torch.float64)}
    partial = file.with_suffix(".partial")
    save_file(tensors, partial, metadata={"recipe": json.dumps(asdict(recipe))})
    partial.replace(file)  # a killed run leaves no half-written weights


def load(file: Path, recipe: Recipe) -> LinearSelfAttention:
    """The layer of a file that `save` wrote; ValueError if the file is damaged or holds weights of another recipe."""
    try:
        with safe_open(file, framework="pt") as stored:
            stored_recipe = json.loads((stored.metadata() or {}).get("recipe", "null"))
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (it isn't a dict)
        layer = LinearSelfAttention(recipe.d).requires_grad_(False)
        layer.losses = tensors.pop("losses").tolist()
        layer.load_state_dict(tensors)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise ValueError(
            f"{file.name} should hold weights of {asdict(recipe)}, but can't be read; delete it"
        ) from error
    if stored_recipe != asdict(recipe):
        raise ValueError(f"{file.name} should hold weights of {asdict(recipe)}, but says {stored_recipe}; delete it")
    return layer
