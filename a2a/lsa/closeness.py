"""How close a layer comes to the gradient step: its blocks, what its loss leaves them, and what that leaves its steps.

The bounds are ours; the chapter on the layer proves them ("A small loss leaves the blocks little room").
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from a2a import arrays
from a2a.finite import within_range
from a2a.linalg import matvec, norm, operator_norm
from a2a.lsa.blocks import acting_blocks, own_term
from a2a.lsa.layer import LinearSelfAttention, as_tensor
from a2a.prompts import examples, sample_prompt

Numbers = Float[np.ndarray, "..."]


class Deviation(NamedTuple):
    """Frobenius norms of what separates a layer from the constructed one, in the scale W[y, constant] = -1.

    V_wy, W_x1, W_yw are norms of blocks that should be 0, E_V is that of V_wx + eta I and E_W that of W_xw - I; own is
    the root mean square of the query's own term.
    """

    V_wy: float
    W_x1: float
    E_V: float
    E_W: float
    W_yw: float
    own: float


ANYTHING = Deviation(*[math.inf] * 6)
"""What a theorem allows where it says nothing."""


def deviation(layer: LinearSelfAttention, eta: float, w: Numbers, n: int) -> Deviation:
    """How far a layer is from the step of size eta; its own term over the estimates w (..., d), for n examples."""
    found = {name: block.numpy() for name, block in acting_blocks(layer).items()}
    eye, own = np.eye(layer.d), own_term(layer, torch.from_numpy(w), n).numpy()
    blocks = (
        found["V[w, y]"],
        found["W[x, constant]"],
        found["V[w, x]"] + eta * eye,
        found["W[x, w]"] - eye,
        found["W[y, w]"],
    )
    norms = [float(np.linalg.norm(block)) for block in blocks]
    return Deviation(*norms, float(np.sqrt(np.mean(own**2))))  # type: ignore[call-arg]


def allowed_deviation(loss: float, d: int, n: int, eta: float) -> Deviation:
    """What a loss leaves a layer: the largest deviation that goes with it, infinite where the theorem says nothing.

    Args:
        loss: mean square of what the layer misses in the query's w block, on prompts of n standard normal inputs with
            standard normal objective and estimate, without label noise.
        d, n, eta: dimension, in-context examples and step size of that task.
    """
    e = math.sqrt(loss / (1 + (d + 1) / n))
    if e >= eta * math.sqrt(d - 1):
        return ANYTHING
    v = e / math.sqrt(2 * d)
    p = e * (math.sqrt(n + d + 1) + 1) / (eta * math.sqrt(d - 1) - e)
    E_V = e + v * p
    E_W = 2 / eta * (e * math.sqrt(1 + n / (d + 1)) + E_V + e / math.sqrt(d + 1))
    u = 2 / (eta * math.sqrt(d)) * (e + v * (math.sqrt(d) + E_W))
    own = math.sqrt(loss) + 1.5 * eta * (E_W + p) + E_V + math.sqrt(d / 2) * e
    if eta / 2 < E_V:
        return ANYTHING._replace(V_wy=v, W_x1=p, E_V=E_V)
    return Deviation(v, p, E_V, E_W, u, own)


class StepSizes(NamedTuple):
    """Norms, (prompts,) each, of steps on prompts without label noise.

    step: the exact one; missed: what a layer misses of it; own: the part of that which is the query's own term; rest:
    the other part; most: the most that the rest can be.
    """

    step: Numbers
    missed: Numbers
    own: Numbers
    rest: Numbers
    most: Numbers


def sizes_on_fresh_prompts(
    rng: np.random.Generator,
    layer: LinearSelfAttention,
    allowed: Deviation,
    eta: float,
    n: int,
    covariance: Numbers | None,
    prompts: int,
) -> StepSizes:
    """What a layer does on random prompts that it has never seen, beside the gradient step of size eta.

    Args:
        layer, allowed: the layer, and how far its blocks may be from the constructed ones.
        eta, n: step size, and examples in a prompt.
        covariance: of the inputs, (d, d); the identity if None. Objectives and estimates are standard normal.
        prompts: how many.
    """
    theta, w = rng.standard_normal((2, prompts, layer.d))
    fresh = sample_prompt(rng, n, layer.d, theta, covariance=covariance)
    step = eta * matvec(fresh.S, theta - w)
    with torch.no_grad():
        missed = layer(fresh.X, fresh.y, w).numpy() - w - step
    own = own_term(layer, torch.from_numpy(w), n).numpy()
    sizes = [norm(part) for part in (step, missed, own, missed - own)]
    return StepSizes(*sizes, most_missed(allowed, eta, fresh.S, theta, w))  # type: ignore[call-arg]


def survey(
    rng: np.random.Generator,
    layers: Sequence[LinearSelfAttention],
    allowed: Sequence[Deviation],
    eta: float,
    kinds: Sequence[tuple[int, Numbers | None]],
    prompts: int,
) -> Numbers:
    """`sizes_on_fresh_prompts` for each layer and kind (n, covariance) of prompt: (layers, kinds, 5 sizes, prompts)."""
    both = zip(layers, allowed, strict=True)
    return np.array([[sizes_on_fresh_prompts(rng, *one, eta, *kind, prompts) for kind in kinds] for one in both])


def root_mean_square(values: Numbers) -> Numbers:
    """Over the last dimension."""
    return np.sqrt(np.mean(np.square(values), axis=-1))


def most_missed(allowed: Deviation, eta: float, S: Numbers, theta: Numbers, w: Numbers) -> Numbers:
    """Upper bound (...) on what a layer of at most this deviation misses of a step, but for its own term.

    ||S|| [(E_V + V_wy |theta|) |w - theta| + (eta + E_V + V_wy |theta|) (E_W |w| + W_x1 + W_yw |theta| |w|)] for a
    prompt of geometry S (..., d, d) labelled by theta (..., d), and w (..., d).
    """
    wrong = allowed.E_V + allowed.V_wy * norm(theta)
    read = allowed.E_W * norm(w) + allowed.W_x1 + allowed.W_yw * norm(theta) * norm(w)
    return operator_norm(S) * (wrong * norm(w - theta) + (eta + wrong) * read)


@within_range
def relative_step_error(layer: LinearSelfAttention, X: Any, y: Any, w: Any, eta: float) -> Float[Tensor, "*batch"]:
    """|layer(w) - f(w)| / |f(w) - w| on prompts X (..., n, d), y (..., n): 0 where the layer takes step f exactly."""
    eta = arrays.positive_float("eta", eta)
    X, y = examples(as_tensor("X", X, layer.V), as_tensor("y", y, layer.V))
    w = arrays.vector("w", as_tensor("w", w, layer.V), layer.d)
    with torch.no_grad():
        written = layer(X, y, w)  # first, for it refuses what doesn't fit
        step = -eta * matvec(X.mT, matvec(X, w) - y) / X.shape[-2]
        return norm(written - w - step) / norm(step)
