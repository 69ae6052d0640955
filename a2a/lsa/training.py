"""Training the linear self-attention layer from random weights until it is a gradient step (claim A2)."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from a2a import arrays
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


def train_lsa(
    d: int = 10,
    n: int = 20,
    eta: float = 0.3,
    *,
    steps: int = 2000,
    batch: int = 256,
    learning_rate: float = 1e-2,
    seed: int = 0,
    cache: str | Path | None = None,
) -> LinearSelfAttention:
    """Train full V and W on fresh random prompts to map the query (0, 0, w, 1) to (0, 0, f(w), 1).

    Inputs and objectives are standard normal, and w lies on the gradient-descent path of the prompt. The training runs
    in float32, the layer comes back in float64, with its `losses`.

    Args:
        d, n, eta: dimension, in-context examples and step size of the task.
        steps, batch, learning_rate: Adam under a one-cycle schedule.
        seed: of the weights and of the prompts.
        cache: folder where trained weights are kept as safetensors with their recipe, and found again; none if None.

    Raises:
        ValueError: if a number isn't positive, or a cached file doesn't hold what its name says.
    """
    sizes = {"d": d, "n": n, "steps": steps, "batch": batch}
    recipe = Recipe(
        **{name: arrays.positive_int(name, value) for name, value in sizes.items()},
        eta=arrays.positive_float("eta", eta),
        learning_rate=arrays.positive_float("learning_rate", learning_rate),
        seed=seed,
    )
    file = None if cache is None else Path(cache) / f"lsa-{_fingerprint(recipe)}.safetensors"
    if file is not None and file.exists():
        return _load(file, recipe)
    layer = _train(recipe)
    if file is not None:
        _save(layer, recipe, file)
    return layer


def relative_step_error(
    layer: LinearSelfAttention, X: Tensor, y: Tensor, w: Tensor, eta: float
) -> Float[Tensor, "*batch"]:
    """|layer(w) - f(w)| / |f(w) - w| on prompts X (..., n, d), y (..., n): 0 where the layer takes step f exactly."""
    step = _gradient_step(X, y, w, eta) - w
    with torch.no_grad():
        return arrays.norm(layer(X, y, w) - w - step) / arrays.norm(step)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tensors this small gain little from a second thread, and on a busy machine the two wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@_one_thread()
def _train(recipe: Recipe) -> LinearSelfAttention:
    generator = torch.Generator().manual_seed(recipe.seed)
    layer = LinearSelfAttention(recipe.d, dtype=torch.float32, generator=generator)
    optimizer = torch.optim.Adam(layer.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.steps + 1, pct_start=0.1, final_div_factor=1e4
    )
    losses = []
    for _ in range(recipe.steps):
        loss = _loss(layer, *_training_batch(recipe, generator), recipe.eta)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.detach())
    layer = layer.double().requires_grad_(False)
    layer.losses = torch.stack(losses).tolist()
    return layer


def _training_batch(recipe: Recipe, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Prompts with w after 0 to 3 gradient steps from a standard normal start: what a layer will meet in use."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(recipe.batch, *shape, generator=generator)

    X, theta, w = normal(recipe.n, recipe.d), normal(recipe.d), normal(recipe.d)
    y = arrays.matvec(X, theta)
    steps_done = torch.randint(4, (recipe.batch, 1), generator=generator)
    for step in range(3):
        w = torch.where(steps_done > step, _gradient_step(X, y, w, recipe.eta), w)
    return X, y, w


def _gradient_step(X: Tensor, y: Tensor, w: Tensor, eta: float) -> Tensor:
    error = arrays.matvec(X, w) - y
    return w - eta * arrays.matvec(X.mT, error) / X.shape[-2]


def _loss(layer: LinearSelfAttention, X: Tensor, y: Tensor, w: Tensor, eta: float) -> Tensor:
    wanted = w.new_zeros(*w.shape[:-1], 2 * layer.d + 2)
    wanted[..., layer.rows["w"]] = _gradient_step(X, y, w, eta)
    wanted[..., layer.rows["constant"]] = 1.0
    return (layer.query_column(X, y, w) - wanted).square().sum(-1).mean()


def _fingerprint(recipe: Recipe) -> str:
    """Of the recipe and of the code that follows it, so that weights of older code are never taken for new ones."""
    code = inspect.getsource(sys.modules[__name__]) + inspect.getsource(sys.modules[LinearSelfAttention.__module__])
    text = json.dumps({**asdict(recipe), "torch": torch.__version__, "code": code}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _save(layer: LinearSelfAttention, recipe: Recipe, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    tensors = {**layer.state_dict(), "losses": torch.tensor(layer.losses, dtype=torch.float64)}
    partial = file.with_suffix(".partial")
    save_file(tensors, partial, metadata={"recipe": json.dumps(asdict(recipe))})
    partial.replace(file)  # a killed run leaves no half-written weights


def _load(file: Path, recipe: Recipe) -> LinearSelfAttention:
    try:
        with safe_open(file, framework="pt") as stored:
            found = json.loads((stored.metadata() or {}).get("recipe", "null"))
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (it isn't a dict)
        layer = LinearSelfAttention(recipe.d).requires_grad_(False)
        layer.losses = tensors.pop("losses").tolist()
        layer.load_state_dict(tensors)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise ValueError(
            f"{file.name} should hold weights of {asdict(recipe)}, but can't be read; delete it"
        ) from error
    if found != asdict(recipe):
        raise ValueError(f"{file.name} should hold weights of {asdict(recipe)}, but says {found}; delete it")
    return layer
