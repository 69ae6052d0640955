"""The layer as the formula has it: all tokens attend to all tokens, earlier estimates among them.

`LinearSelfAttention` computes one column of this. Written out it takes O(n^2 d + n d^2) operations, and serves to check
that one column is enough, and to see what tokens do that a layer never saw in training.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from a2a import arrays
from a2a.lsa.layer import LinearSelfAttention

Numbers = Float[np.ndarray, "..."]


def tokens(X: Any, y: Any, w: Any, earlier: Any = None) -> Float[Tensor, "*batch rows columns"]:
    """Z of each prompt, (..., 2d + 2, columns): earlier estimates, examples, and the query as the last column.

    Args:
        X, y: examples, (..., n, d) and (..., n).
        w: the estimate that the query carries, (..., d).
        earlier: estimates before it, (..., m, d), each in a column (0, 0, w_k, 1); none if None.
    """
    X, y, w = map(torch.as_tensor, (X, y, w))
    thoughts = w[..., None, :] if earlier is None else torch.cat([torch.as_tensor(earlier), w[..., None, :]], dim=-2)
    shown = torch.cat([X, y[..., None], torch.zeros_like(X), torch.zeros_like(y[..., None])], dim=-1)
    one = torch.ones_like(thoughts[..., :1])
    asked = torch.cat([torch.zeros_like(thoughts), 0 * one, thoughts, one], dim=-1)
    return torch.cat([asked[..., :-1, :], shown, asked[..., -1:, :]], dim=-2).mT


def attend(
    layer: LinearSelfAttention, Z: Float[Tensor, "*batch rows columns"], n: int
) -> Float[Tensor, "*batch rows columns"]:
    """LSA(Z) = Z + V Z (Z^T W Z) / n for n examples, every column of it; no gradients are kept."""
    with torch.no_grad():
        return Z + layer.V @ Z @ (Z.mT @ layer.W @ Z) / n


def last_column(
    layer: LinearSelfAttention, X: Numbers, y: Numbers, w: Numbers, earlier: Numbers | None = None
) -> Numbers:
    """The query's column of LSA(Z), (..., 2d + 2), of NumPy prompts (see `tokens`), all tokens attending to all."""
    return attend(layer, tokens(X, y, w, earlier), X.shape[-2])[..., -1].numpy()


def earlier_term(layer: LinearSelfAttention, w: Numbers, earlier: Numbers, n: int) -> Numbers:
    """What earlier estimates (..., m, d) add to the query's w block, in closed form, (..., d).

    The sum over k of (z_k . W_o z) (V_ww w_k + V_w1) / n with z = (w, 1), W_o the rows and columns of w and 1 in W.
    """
    own = slice(layer.d + 1, None)
    W, V = layer.W.detach()[own, own].numpy(), layer.V.detach()[layer.rows["w"], own].numpy()
    z, z_k = (np.concatenate([part, np.ones_like(part[..., :1])], axis=-1) for part in (w[..., None, :], earlier))
    return np.sum((z_k @ W @ z.mT) * (z_k @ V.T), axis=-2) / n


def operations(d: int, n: int) -> tuple[int, int]:
    """Floating-point operations of a layer on a prompt of n examples: all columns of LSA(Z), and the last one alone.

    They are counted by torch, on tensors of the device "meta", which have shapes and no entries: nothing is computed.
    """
    d, n = arrays.positive_int("d", d), arrays.positive_int("n", n)
    layer = LinearSelfAttention(d).to("meta")
    shapes = (1, 2 * d + 2, n + 1), (1, n, d), (1, n), (1, d)
    Z, *parts = (torch.empty(shape, device="meta", dtype=torch.float64) for shape in shapes)
    with FlopCounterMode(display=False) as everything:
        attend(layer, Z, n)
    with FlopCounterMode(display=False) as column, torch.no_grad():
        layer.query_column(*parts)
    return everything.get_total_flops(), column.get_total_flops()
