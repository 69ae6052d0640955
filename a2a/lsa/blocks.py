"""What a layer's weights do to the query's w, block by block: the blocks that act, and the query's own term."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from a2a.lsa.layer import LinearSelfAttention
from a2a.prompts import Prompt


def in_one_gauge(layer: LinearSelfAttention) -> tuple[Float[Tensor, "rows rows"], Float[Tensor, "rows rows"]]:
    """V and W in the scale W[y, constant] = -1, in which learned and constructed weights can be compared.

    V and W can trade a factor without changing the layer.
    """
    scale = -layer.W.detach()[layer.rows["y"], layer.rows["constant"]].squeeze()
    return layer.V.detach() * scale, layer.W.detach() / scale


def acting_blocks(layer: LinearSelfAttention) -> dict[str, Float[Tensor, "rows columns"]]:
    """The six blocks through which the examples act on the query's w, in one gauge: W[y, constant] is -1.

    The query's own score acts through four more blocks of W and two of V: see `own_term`.
    """
    x, y, w, constant = layer.rows.values()
    V, W = in_one_gauge(layer)
    return {
        "V[w, x]": V[w, x],
        "V[w, y]": V[w, y],
        "W[x, w]": W[x, w],
        "W[x, constant]": W[x, constant],
        "W[y, w]": W[y, w],
        "W[y, constant]": W[y, constant],
    }


def own_term(layer: LinearSelfAttention, w: Float[Tensor, "*batch d"], n: int) -> Float[Tensor, "*batch d"]:
    """The part of the layer's answer to w (..., d) that comes from the query's score with itself, for n examples.

    s(w) (V[w, w] w + V[w, constant]) / n with s(w) = q . W q on q = (0, 0, w, 1): the same for every prompt.
    """
    score, acts_on = own_forms(layer)
    query = torch.cat([w, torch.ones_like(w[..., :1])], dim=-1)
    return (query * (query @ score)).sum(-1, keepdim=True) * (query @ acts_on.mT) / n


def own_forms(layer: LinearSelfAttention) -> tuple[Float[Tensor, "d1 d1"], Float[Tensor, "d d1"]]:
    """What the own score is made of, on (w, 1): the symmetric matrix of the score s, and the matrix that it scales."""
    own = slice(layer.d + 1, None)
    W, V = layer.W.detach()[own, own], layer.V.detach()[layer.rows["w"], own]
    return (W + W.mT) / 2, V


def derivative_rank(layer: LinearSelfAttention, prompt: Prompt, w: Float[np.ndarray, "prompts d"]) -> int:
    """Rank of the derivative of a layer's answers to many prompts by its weights: how many changes of them show.

    Args:
        layer: where the derivative is taken.
        prompt: NumPy prompts, X (prompts, n, d).
        w: an estimate for each, (prompts, d).
    """
    read = tuple(torch.from_numpy(part) for part in (prompt.X, prompt.y, w))

    def answers(V: Tensor, W: Tensor) -> Tensor:
        return torch.func.functional_call(layer, {"V": V, "W": W}, read)

    slopes = torch.func.jacrev(answers, argnums=(0, 1))(layer.V.detach(), layer.W.detach())
    joined = torch.cat([slope.reshape(w.size, -1) for slope in slopes], dim=1)
    return int(torch.linalg.matrix_rank(joined, rtol=1e-9))
