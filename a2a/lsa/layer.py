"""The single-layer transformer with linear self-attention (LSA): constructed weights, and weights that it learned.

Tokens are the columns of Z, (2d + 2, n + 1), with rows [x (d), y (1), w (d), constant (1)]: example i is
(x_i, y_i, 0, 0) and the last column is the query (0, 0, w, 1). LSA(Z) = Z + V Z (Z^T W Z) / n, without a softmax.
The token layout is that of Huang, Wang and Lee (2502.21212).
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from a2a import arrays
from a2a.arrays import Array
from a2a.plain import real
from a2a.prompts import Prompt, examples


class LinearSelfAttention(nn.Module):
    """One layer of linear self-attention with full matrices V and W, each (2d + 2, 2d + 2).

    Args:
        d: dimension of the regression task.
        dtype: precision of the weights and of the answers.
        generator: what the small random initial weights are drawn from; the weights start at 0 if None.
        scale: standard deviation of the initial weights.

    Attributes:
        losses: the training loss at every step; empty for weights that were not trained.

    Raises:
        ValueError: if d is below 1.
    """

    def __init__(
        self,
        d: int,
        *,
        dtype: torch.dtype = torch.float64,
        generator: torch.Generator | None = None,
        scale: float = 0.05,
    ) -> None:
        super().__init__()
        self.d = arrays.positive_int("d", d)
        self.losses: list[float] = []
        shape = (2 * d + 2, 2 * d + 2)
        for name in ("V", "W"):
            start = torch.zeros(shape, dtype=dtype)
            if generator is not None:
                start = scale * torch.randn(shape, dtype=dtype, generator=generator)
            self.register_parameter(name, nn.Parameter(start))

    V: nn.Parameter
    W: nn.Parameter

    @classmethod
    def gradient_step(cls, d: int, eta: float, *, dtype: torch.dtype = torch.float64) -> LinearSelfAttention:
        """The constructed weights, with which the layer is one gradient step of size eta (claim A1).

        V[w, x] = -eta I, W[x, w] = I, W[y, constant] = -1; a pair [rows, columns] names a block, and the rest is 0.
        """
        eta = arrays.positive_float("eta", eta)
        layer = cls(d, dtype=dtype).requires_grad_(False)
        layer.V[layer.rows["w"], layer.rows["x"]] = -eta * torch.eye(d, dtype=dtype)
        layer.W[layer.rows["x"], layer.rows["w"]] = torch.eye(d, dtype=dtype)
        layer.W[layer.rows["y"], layer.rows["constant"]] = -1.0
        return layer

    @property
    def rows(self) -> dict[str, slice]:
        """Which rows of a token hold x, y, w and the constant."""
        d = self.d
        return {
            "x": slice(0, d),
            "y": slice(d, d + 1),
            "w": slice(d + 1, 2 * d + 1),
            "constant": slice(2 * d + 1, None),
        }

    def forward(self, X: Any, y: Any, w: Any) -> Float[Tensor, "*batch d"]:
        """The next estimate w' (..., d) from examples X (..., n, d), y (..., n) and the estimate w (..., d).

        It isn't finite where it leaves the range of numbers.

        Raises:
            ValueError: if the shapes don't match or a value isn't finite.
        """
        X, y = examples(as_tensor("X", X, self.V), as_tensor("y", y, self.V))
        w = arrays.vector("w", as_tensor("w", w, self.V), self.d)
        if X.shape[-1] != self.d:
            raise ValueError(f"X must have shape (..., n, {self.d}), got {tuple(X.shape)}")
        return self.query_column(X, y, w)[..., self.rows["w"]]

    def query_column(
        self, X: Float[Tensor, "*#batch n d"], y: Float[Tensor, "*#batch n"], w: Float[Tensor, "*#batch d"]
    ) -> Float[Tensor, "*batch tokens"]:
        """The last column of LSA(Z), (..., 2d + 2), in O(n d + d^2): no other column of Z^T W Z is needed."""
        batch = arrays.batch_shape(X=tuple(X.shape[:-2]), y=tuple(y.shape[:-1]), w=tuple(w.shape[:-1]))
        w = w.expand(*batch, self.d)
        query = torch.cat([w.new_zeros(*batch, self.d + 1), w, w.new_ones(*batch, 1)], dim=-1)
        key = query @ self.W.mT
        score = (X @ key[..., : self.d, None])[..., 0] + y * key[..., self.d, None]
        own_score = (query * key).sum(-1, keepdim=True)
        read = torch.cat(
            [
                (score[..., None, :] @ X)[..., 0, :],
                (score * y).sum(-1, keepdim=True),
                own_score * query[..., self.d + 1 :],
            ],
            dim=-1,
        )
        return query + read @ self.V.mT / X.shape[-2]


class LSAAgent:
    """A transformer layer reading one prompt: maps w (..., d) to the layer's answer, of the library that w is of."""

    def __init__(self, module: LinearSelfAttention, prompt: Prompt) -> None:
        if prompt.d != module.d:
            raise ValueError(f"the prompt must have the layer's d = {module.d}, got d = {prompt.d}")
        self.module = module
        self.X, self.y = as_tensor("X", prompt.X, module.V), as_tensor("y", prompt.y, module.V)

    def __call__(self, w: Any) -> Array:
        w = arrays.vector("w", w, self.module.d)
        if isinstance(w, Tensor):
            return self._answer(w.to(self.X)).to(w.dtype)
        with torch.no_grad():
            return self._answer(as_tensor("w", w, self.X)).cpu().numpy().astype(w.dtype)

    def _answer(self, w: Float[Tensor, "*batch d"]) -> Float[Tensor, "*both d"]:
        """The layer's answer, without looking at the prompt again: a conversation asks many times."""
        return self.module.query_column(self.X, self.y, w)[..., self.module.rows["w"]]


def as_tensor(name: str, value: Any, like: Tensor) -> Tensor:
    """`value` as a tensor of the kind of `like`; an array is copied: torch shares no read-only or reversed one."""
    value = real(name, value)
    return value.to(like) if isinstance(value, Tensor) else torch.from_numpy(value.copy()).to(like)
