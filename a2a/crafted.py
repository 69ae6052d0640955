"""Agents made so that a condition of asymmetric convergence holds exactly, and what shows of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays, linalg
from a2a.adversary import attack_prompt
from a2a.agents import GradientAgent
from a2a.contraction import contraction
from a2a.finite import within_range
from a2a.interaction import Interaction
from a2a.linalg import Array, identity, matvec, product, transpose
from a2a.plain import in_numpy, real
from a2a.prompts import Prompt


def along(v: Float[Array, "*batch d"]) -> Float[Array, "*batch d d"]:
    """The projector on the direction of v, which isn't 0."""
    v = arrays.direction("v", v)
    u = linalg.unit(v)
    return u[..., :, None] * u[..., None, :]


def blind(agent: GradientAgent, v: Float[Array, "*batch d"]) -> GradientAgent:
    """The agent, with every trace of the direction v removed from its examples: S v = 0."""
    v = agent.vector("v", v)
    rest = identity(agent.S) - along(v)
    S = product(rest, agent.S, rest)
    return GradientAgent((S + transpose(S)) / 2, agent.theta, agent.eta)


def crossing(agent: GradientAgent, v: Float[Array, "*batch d"]) -> GradientAgent:
    """The agent, with examples along v that let it cross an error along v in one step; elsewhere as it was.

    S v = v / eta, so that (I - eta S) v = 0: with v = f_B(theta_A) - theta_A a winning prompt of many examples.
    """
    eta = agent.eta if isinstance(agent.eta, float) else agent.eta[..., None, None]
    return GradientAgent(blind(agent, v).S + along(v) / eta, agent.theta, agent.eta)


def attacker_against(victim: GradientAgent, theta: Any, eta: Any) -> GradientAgent:
    """The gradient agent of step size `eta` that reads the attack prompt for `victim` with the objective theta."""
    return GradientAgent.from_prompt(attack_prompt(victim, theta, eta), eta)


@within_range
def landing(inputs: Float[Array, "*batch n d"], theta: Any, eta: float) -> GradientAgent:
    """The agent that reads these orthonormal inputs, scaled so that along each of them it lands on theta in one step.

    Its objective, the least-squares solution of its prompt, is theta's part in the span of the inputs.
    """
    inputs, eta = arrays.matrix("inputs", inputs), arrays.positive_float("eta", eta)
    scaled = (inputs.shape[-2] / eta) ** 0.5 * inputs
    return GradientAgent.from_prompt(Prompt.from_objective(scaled, theta), eta)


def attackers_by_size(
    v: Float[Array, "*batch d"], unseen: Float[Array, "*batch k d"], theta: Any, eta: float
) -> list[GradientAgent]:
    """Attackers that read 1, 2, ..., 1 + k examples: one along v, and then one more direction that the victim misses.

    Args:
        v: what the victim adds to theta, (..., d), not 0 and orthogonal to the unseen directions.
        unseen: k orthonormal directions that the victim's prompt misses.
        theta, eta: the attackers' objective, (..., d), and step size.
    """
    v, unseen = arrays.direction("v", v), _directions(unseen)
    arrays.vector("v", v, int(unseen.shape[-1]))
    arrays.batch_shape(v=tuple(v.shape[:-1]), unseen=tuple(unseen.shape[:-2]))
    xp, first = arrays.namespace(v=v, unseen=unseen), linalg.unit(v)[..., None, :]
    sizes = range(unseen.shape[-2] + 1)
    return [landing(xp.concat([first, unseen[..., :more, :]], axis=-2), theta, eta) for more in sizes]


@within_range
def never_moved(unseen: Float[Array, "*batch k d"], error: Float[Array, "*batch d"]) -> Array:
    """What remains of an error in the directions that `attackers_by_size` don't see, for each of them, (1 + k, ...)."""
    unseen = _directions(unseen)
    error = arrays.vector("error", error, int(unseen.shape[-1]))
    arrays.namespace(unseen=unseen, error=error)
    there = matvec(unseen, error)
    xp = arrays.namespace(there=there)
    return xp.stack([linalg.norm(there[..., more:]) for more in range(there.shape[-1])] + [0 * error[..., 0]])


def visible_errors(
    first: GradientAgent, second: GradientAgent, written: Sequence[Float[Array, "*batch d"]]
) -> Float[Array, "2 *batch d"]:
    """What both wrote minus their objectives, without the directions that neither prompt sees, which never change.

    Args:
        first, second: gradient agents of batch (...).
        written: what the first and what the second wrote, (..., d) each.
    """
    written = [real("written", w) for w in written]  # of pairs that don't come to rest it may be NaN
    arrays.namespace(theta=first.theta, **{f"written[{i}]": w for i, w in enumerate(written)})
    errors = [w - agent.theta for w, agent in zip(written, (first, second), strict=True)]
    both = arrays.namespace(first=errors[0], second=errors[1]).stack(errors)
    return both - matvec(contraction(first, second).unseen, both)


def displacement_spectrum(run: Interaction, w0: Float[np.ndarray, "*batch d"]) -> Float[np.ndarray, "*batch k"]:
    """Singular values of what the first agent wrote minus what it had read, over the turns, the largest set to 1.

    Args:
        run: a conversation of NumPy agents.
        w0: its start; k is the smaller of turns and d.
    """
    w0 = in_numpy("w0", w0)
    if w0.shape != run.first.shape[1:]:
        raise ValueError(f"w0 must have shape {run.first.shape[1:]} as the conversation, got {w0.shape}")
    read = np.concatenate([w0[None], run.second[:-1]])
    values = np.linalg.svd(np.moveaxis(run.first - read, 0, -2), compute_uv=False)
    return values / values[..., :1]


def _directions(unseen: Any) -> Array:
    """The rows (..., k, d), of which there may be none; ValueError for other arrays."""
    unseen = arrays.floating("unseen", unseen)
    if unseen.ndim < 2:
        raise ValueError(f"unseen must have shape (..., k, d), got {tuple(unseen.shape)}")
    return unseen
