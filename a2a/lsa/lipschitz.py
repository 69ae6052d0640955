"""How far a layer's map can turn away from its derivative: Lipschitz constants of what a trained agent misses.

With its prompt fixed a layer is a cubic map, so no Lipschitz constant holds everywhere. On a ball around c one does:
the norm of the derivative at c, plus what the derivative can change by within the ball. The map is a sum of products of
affine factors, and for a product that change has a bound in closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from a2a import arrays, linalg
from a2a.agents import Agent, answer
from a2a.lsa.blocks import own_forms
from a2a.lsa.layer import LinearSelfAttention
from a2a.plain import in_numpy

Size = tuple[Any, Any]
"""Of an affine factor u + U h: |u| and |U|."""


def jacobian(agent: Agent, w: Float[np.ndarray, "*batch d"]) -> Float[np.ndarray, "*batch d d"]:
    """The derivative of an agent at w (..., d), (..., d, d); the agent is called once, on a torch tensor.

    Raises:
        ValueError: if w isn't a finite (..., d) of the shape of the agent's answers, or they don't follow from it.
    """
    at = torch.from_numpy(in_numpy("w", w).copy()).requires_grad_(True)
    written = answer(agent, at)
    if written.shape != at.shape:
        wanted = tuple(written.shape)
        raise ValueError(f"w must have the shape of the agent's answers, {wanted}, got {tuple(at.shape)}")
    if not written.requires_grad:
        raise ValueError("the agent's answer must follow from w by torch's operations, got one without a gradient")
    rows = [torch.autograd.grad(column.sum(), at, retain_graph=True)[0] for column in written.unbind(-1)]
    return torch.stack(rows, dim=-2).numpy()


def product_variation(factors: Sequence[Size], radius: Any) -> Any:
    """Upper bound on the change of the derivative of a product of affine factors, from h = 0 to any |h| <= radius.

    The product may be any multilinear map of norm 1 of the factors u_i + U_i h, given by their sizes (|u_i|, |U_i|).
    Its derivative has one term for each factor, in which that factor is U_i and the others are as they are.
    """
    total = 0.0
    for i, (_, slope) in enumerate(factors):
        others = [other for k, other in enumerate(factors) if k != i]
        total += slope * (prod(at + turn * radius for at, turn in others) - prod(at for at, _ in others))
    return total


def own_variation(
    layer: LinearSelfAttention, w: Float[np.ndarray, "*batch d"], n: int, radius: Any
) -> Float[np.ndarray, "*radii"]:
    """Upper bound on the change of the derivative of `own_term` within `radius` (..., broadcasting) of w (..., d)."""
    w, radius = in_numpy("w", arrays.vector("w", w, layer.d)), in_numpy("radius", radius)
    n = arrays.positive_int("n", n)
    score, acts_on = (part.numpy() for part in own_forms(layer))
    query = np.concatenate([w, np.ones_like(w[..., :1])], axis=-1)
    factors = [
        (linalg.norm(query @ score), linalg.operator_norm(score[:, :-1])),
        (linalg.norm(query), 1.0),
        (linalg.norm(query @ acts_on.T), linalg.operator_norm(acts_on[:, :-1])),
    ]
    return product_variation(factors, radius) / n
