"""Training the linear self-attention layer from random weights until it is a gradient step (claim A2)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from a2a import arrays, linalg
from a2a.lsa.layer import LinearSelfAttention
from a2a.lsa.recipe import Recipe, fingerprint, load, save

DRAWN_AT_ONCE = 32
"""Batches."""
CODE = [sys.modules[name] for name in (__name__, LinearSelfAttention.__module__)]
"""What follows a recipe."""


def train_lsa(
    d: int = 10,
    n: int = 20,
    eta: float = 0.3,
    *,
    steps: int = 2000,
    batch: int = 128,
    learning_rate: float = 2e-2,
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
    file = None if cache is None else Path(cache) / f"lsa-{fingerprint(recipe, CODE)}.safetensors"
    if file is not None and file.exists():
        return load(file, recipe)
    layer = _train(recipe)
    if file is not None:
        save(layer, recipe, file)
    return layer


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
    for tasks in _batches(recipe, generator):
        loss = _loss(layer, tasks, recipe)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.detach())
    layer = layer.double().requires_grad_(False)
    layer.losses = torch.stack(losses).tolist()
    return layer


class _Tasks(NamedTuple):
    """Prompts without label noise, by all that a layer reads of them: S (..., d, d), theta and w (..., d)."""

    S: Tensor
    theta: Tensor
    w: Tensor


def _batches(recipe: Recipe, generator: torch.Generator) -> Iterator[_Tasks]:
    """A batch for each step of training; many are drawn at once, which takes half the time."""
    for start in range(0, recipe.steps, DRAWN_AT_ONCE):
        drawn = _draw(recipe, min(DRAWN_AT_ONCE, recipe.steps - start), generator)
        yield from map(_Tasks, *drawn)


def _draw(recipe: Recipe, batches: int, generator: torch.Generator) -> _Tasks:
    """Prompts with w after 0 to 3 gradient steps from a standard normal start: what a layer will meet in use."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(batches, recipe.batch, *shape, generator=generator)

    X, theta, w = normal(recipe.n, recipe.d), normal(recipe.d), normal(recipe.d)
    S = X.mT @ X / recipe.n
    steps_done = torch.randint(4, (batches, recipe.batch, 1), generator=generator)
    for step in range(3):
        w = torch.where(steps_done > step, w - recipe.eta * linalg.matvec(S, w - theta), w)
    return _Tasks(S, theta, w)


def _loss(layer: LinearSelfAttention, tasks: _Tasks, recipe: Recipe) -> Tensor:
    """Mean square of what the query's column misses of (0, 0, f(w), 1)."""
    S, theta, w = tasks
    missed = _change(layer, tasks, recipe.n)
    wanted = -recipe.eta * linalg.matvec(S, w - theta)
    missed = torch.cat([missed[..., : layer.d + 1], missed[..., layer.rows["w"]] - wanted, missed[..., -1:]], dim=-1)
    return missed.square().sum(-1).mean()


def _change(layer: LinearSelfAttention, tasks: _Tasks, n: int) -> Float[Tensor, "*batch tokens"]:
    """What the layer adds to the query's column: `query_column` minus the query, from S instead of n examples."""
    S, theta, w = tasks
    query = torch.cat([torch.zeros_like(w), torch.zeros_like(w[..., :1]), w, torch.ones_like(w[..., :1])], dim=-1)
    key = query @ layer.W.mT
    read_x = linalg.matvec(S, key[..., : layer.d] + key[..., layer.d, None] * theta)
    read_y = (theta * read_x).sum(-1, keepdim=True)
    own_score = (query * key).sum(-1, keepdim=True) / n
    return torch.cat([read_x, read_y, own_score * query[..., layer.d + 1 :]], dim=-1) @ layer.V.mT
