"""Trained agents with what is known of their maps: the derivative anywhere, and how much it can change within a ball.

With its prompt fixed a layer is a cubic map, and so is a helper that relabels its prompt by an affine rule. What such
an agent misses of its exact counterpart therefore has a Lipschitz constant on every ball.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from a2a.affine import AffineMap
from a2a.agents import Agent, answer
from a2a.helper import probe
from a2a.linalg import matvec, norm, operator_norm
from a2a.lsa.blocks import own_term
from a2a.lsa.layer import LinearSelfAttention, LSAAgent
from a2a.lsa.lipschitz import jacobian, own_variation, product_variation
from a2a.prompts import Prompt

Numbers = Float[np.ndarray, "..."]


class TrainedAgent(ABC):
    """An agent w (..., d) -> (..., d) that knows its derivative; a new kind fills in the three verbs."""

    @abstractmethod
    def __call__(self, w: Any) -> Any:
        """What it answers to w (..., d)."""

    @abstractmethod
    def slope(self, w: Numbers) -> Numbers:
        """The derivative at w (..., d), (..., d, d)."""

    @abstractmethod
    def variation(self, w: Numbers, radius: Any) -> Numbers:
        """Upper bound on the change of the derivative within `radius` (broadcasting) of w (..., d)."""

    def lipschitz(self, exact: AffineMap, centre: Numbers, radius: Any) -> Numbers:
        """A Lipschitz constant of self - exact on balls of that radius around centre (..., d)."""
        return operator_norm(self.slope(centre) - exact.M) + self.variation(centre, radius)


class Reader(TrainedAgent):
    """A trained layer that reads a fixed prompt."""

    def __init__(self, layer: LinearSelfAttention, prompt: Prompt) -> None:
        self.layer, self.prompt, self.agent = layer, prompt, LSAAgent(layer, prompt)

    def __call__(self, w: Any) -> Any:
        return self.agent(w)

    def slope(self, w: Numbers) -> Numbers:
        return jacobian(self.agent, w)

    def variation(self, w: Numbers, radius: Any) -> Numbers:
        return own_variation(self.layer, w, self.prompt.n, radius)


class Relabeller(TrainedAgent):
    """A trained layer that labels its inputs anew each time, by an objective h(w) that is an affine function of w.

    Args:
        layer: what takes the step.
        X: its inputs, (..., n, d).
        objective: h, w (..., d) -> (..., d).
        steering: the derivative of h, (..., d, d).
    """

    def __init__(self, layer: LinearSelfAttention, X: Numbers, objective: Agent, steering: Numbers) -> None:
        self.layer, self.X, self.steering = layer, X.copy(), steering.copy()
        self.objective: Agent = partial(answer, objective)

    def __call__(self, w: Any) -> Any:
        return LSAAgent(self.layer, Prompt.from_objective(self.X, self.objective(w)))(w)

    def slope(self, w: Numbers) -> Numbers:
        X = torch.from_numpy(self.X)
        h, at = torch.from_numpy(self.objective(w)), torch.from_numpy(w)
        by_w = jacobian(lambda v: self.layer(X, matvec(X, h), v), w)
        by_h = jacobian(lambda v: self.layer(X, matvec(X, v), at), h.numpy())
        return by_w + by_h @ self.steering

    def variation(self, w: Numbers, radius: Any) -> Numbers:
        """The map is a sum of products of factors that are affine in w: a bound for each product."""
        x, y, rows_w, one = self.layer.rows.values()
        V, W, S = self.layer.V.numpy(), self.layer.W.numpy(), self._geometry
        h, V_x, size_V = self.objective(w), V[rows_w, x], norm(V[rows_w, y][:, 0])
        to_y = abs(w @ W[y, rows_w][0] + W[y, one][0]), norm(W[y, rows_w][0])
        to_x = norm(w @ W[x, rows_w].T + W[x, one][:, 0]), operator_norm(W[x, rows_w])
        read = norm(matvec(V_x @ S, h)), operator_norm(V_x @ S @ self.steering)
        seen = norm(matvec(S, h)), operator_norm(S @ self.steering)
        label = norm(h), operator_norm(self.steering)
        change = product_variation([to_y, read], radius)
        change += size_V * product_variation([seen, to_x], radius)
        change += size_V * product_variation([to_y, seen, label], radius)
        return change + own_variation(self.layer, w, self.X.shape[-2], radius)

    @property
    def _geometry(self) -> Numbers:
        return Prompt(self.X, np.zeros(self.X.shape[:-1])).S


def beyond_affine(layer: LinearSelfAttention, prompt: Prompt, copies: int, at: Numbers, elsewhere: Numbers) -> Numbers:
    """How far a layer without its own term, its examples shown `copies` times, is from one affine map, relative, (...).

    The map is that of the examples shown once, identified from d + 1 calls at `at` (..., d), and compared with the
    layer's answers to `elsewhere` (..., d).
    """

    def without_own(w: Numbers, copies: int = 1) -> Numbers:
        own = own_term(layer, torch.from_numpy(w), copies * prompt.n).numpy()
        return LSAAgent(layer, prompt.repeated(copies))(w) - own

    left = without_own(elsewhere, copies) - probe(without_own, at)(elsewhere)
    return norm(left) / (norm(without_own(elsewhere)) + norm(at))
