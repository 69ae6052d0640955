"""A small softmax transformer with MLPs, trained on in-context regression: an agent whose rule is learned.

It reads the examples and the current w as tokens and writes w + output. Nothing in it is a gradient step: softmax
attention and GELU only come close to one, which is what makes it a fair black box (torch).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

WEIGHTS = Path(__file__).parent / "weights" / "softmax_icl.safetensors"

STORED_AS = {"spread": "reach"}
"""What the recipe beside the weights calls one of its numbers: a file whose hash names the model can't be rewritten."""


@dataclass(frozen=True)
class Recipe:
    """What the transformer is and what it was trained on; one recipe, one set of weights.

    d, n, eta: dimension, in-context examples and step size of the task; layers, width, heads: of the transformer;
    reach: w is drawn around theta with a standard deviation uniform in (0, reach);
    steps, batch, learning_rate: AdamW with linear decay, gradients clipped at norm 1; seed: of weights and prompts.
    """

    d: int = 3
    n: int = 12
    eta: float = 0.5
    layers: int = 3
    width: int = 64
    heads: int = 4
    reach: float = 2.0
    steps: int = 4000
    batch: int = 256
    learning_rate: float = 1e-3
    seed: int = 0


class Block(nn.Module):
    """Pre-norm softmax self-attention, then a GELU MLP of four times the width, each added to its input."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, tokens: Float[Tensor, "batch n width"]) -> Float[Tensor, "batch n width"]:
        q, k, v = self.qkv(self.before_attention(tokens)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        read = functional.scaled_dot_product_attention(q, k, v)
        tokens = tokens + self.project(read.transpose(1, 2).flatten(-2))
        return tokens + self.mlp(self.before_mlp(tokens))


class SoftmaxTransformer(nn.Module):
    """(X, y, w) -> w': one token an example and one for w, which attends to all; no positions, so that order is free.

    X has shape (..., n, d), y (..., n) and w (..., d), with the same leading batch dimensions.
    """

    def __init__(self, d: int, layers: int, width: int, heads: int) -> None:
        super().__init__()
        self.d = d
        self.read_example, self.read_weight = nn.Linear(d + 1, width), nn.Linear(d, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.norm, self.write = nn.LayerNorm(width), nn.Linear(width, d)

    def forward(self, X: Tensor, y: Tensor, w: Tensor) -> Float[Tensor, "*batch d"]:
        if X.shape[-1] != self.d or w.shape[-1] != self.d:
            raise ValueError(f"this transformer was trained for d = {self.d}, got d = {X.shape[-1]} and {w.shape[-1]}")
        examples = self.read_example(torch.cat([X, y[..., None]], dim=-1))
        tokens = torch.cat([examples, self.read_weight(w)[..., None, :]], dim=-2)
        tokens = tokens.reshape(-1, *tokens.shape[-2:])
        return w + self.write(self.norm(self.blocks(tokens)[:, -1])).reshape(w.shape)


def train_softmax(recipe: Recipe, report: Callable[[int, float], Any] | None = None) -> SoftmaxTransformer:
    """Train from the recipe, in float32 (minutes on two cores); `report(step, loss)` is called every 100 steps."""
    model = _fresh(recipe)
    generator = torch.Generator().manual_seed(recipe.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate)
    decay = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / recipe.steps)
    for step in range(recipe.steps):
        X, y, w, target = sample_tasks(recipe, recipe.batch, generator)
        loss = (model(X, y, w) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        decay.step()
        if report is not None and step % 100 == 99:
            report(step + 1, loss.item())
    return model.requires_grad_(False)


def sample_tasks(recipe: Recipe, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Fresh tasks X, y, w of the recipe and the step wanted, each with a leading dimension of `batch`."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(batch, *shape, generator=generator)

    X, theta = normal(recipe.n, recipe.d), normal(recipe.d)
    w = theta + recipe.reach * torch.rand(batch, 1, generator=generator) * normal(recipe.d)
    error = torch.einsum("bnd,bd->bn", X, w - theta)
    target = w - recipe.eta * torch.einsum("bnd,bn->bd", X, error) / recipe.n
    return X, torch.einsum("bnd,bd->bn", X, theta), w, target


def step_quality(model: SoftmaxTransformer, recipe: Recipe, tasks: int = 20_000, seed: int = 1) -> dict[str, float]:
    """On fresh tasks: the mean squared error, R^2 of the step w' - w, and the median relative error of the step."""
    parts = sample_tasks(recipe, tasks, torch.Generator().manual_seed(seed))
    X, y, w, target = (part.to(next(model.parameters()).dtype) for part in parts)
    with torch.no_grad():
        chunks = zip(X.split(500), y.split(500), w.split(500), strict=True)  # small enough for the processor's cache
        error = torch.cat([model(*chunk) for chunk in chunks]) - target
    step = target - w
    return {
        "loss": error.square().mean().item(),
        "r_squared": 1 - (error.square().sum() / (step - step.mean(0)).square().sum()).item(),
        "median_relative_error": (error.norm(dim=-1) / step.norm(dim=-1)).median().item(),
    }


def save_weights(model: SoftmaxTransformer, recipe: Recipe, file: Path = WEIGHTS) -> None:
    """Write the weights as safetensors, with the recipe and the quality on fresh tasks in the metadata."""
    metadata = {"recipe": json.dumps(asdict(recipe)), "quality": json.dumps(step_quality(model, recipe))}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), file, metadata=metadata)


def load_weights(file: Path = WEIGHTS) -> tuple[SoftmaxTransformer, Recipe, dict[str, float]]:
    """The stored transformer, its recipe and its quality; in float64, or its rounding might depend on the threads."""
    with safe_open(file, framework="pt") as stored:
        metadata = stored.metadata()
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    known = json.loads(metadata["recipe"])
    recipe = Recipe(**{STORED_AS.get(name, name): value for name, value in known.items()})
    model = _fresh(recipe)
    model.load_state_dict(tensors)
    return model.double().requires_grad_(False), recipe, json.loads(metadata["quality"])


def _fresh(recipe: Recipe) -> SoftmaxTransformer:
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        return SoftmaxTransformer(recipe.d, recipe.layers, recipe.width, recipe.heads)
