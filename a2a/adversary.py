"""Asymmetric convergence: how far a pair is from one agent winning, and the prompt with which an agent makes it so.

Paper A (2511.08710) has the white-box attack; the one-example form, the one-probe attack and the defences are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays, linalg
from a2a.affine import fit_together
from a2a.agents import Agent, GradientAgent, answer, gap_between
from a2a.arrays import Array
from a2a.finite import within_range
from a2a.linalg import matvec, norm
from a2a.prompts import Prompt
from a2a.solving import filling

NOTHING_TO_CANCEL = "the victim doesn't move theta: it already agrees with the attacker, nothing to cancel"


@dataclass(frozen=True, eq=False)
class Asymmetry:
    """How far a pair of gradient agents is from each condition, as a share of the gap between the objectives.

    0 means that the condition holds exactly. Every field is a float or (...).

    Attributes:
        first_wins: |P (I - Q) Delta| / |Delta|: 0 iff the first agent's bias is 0.
        second_wins: |Q (I - P) Delta| / |Delta|: 0 iff the second agent's bias is 0.
        unseen_by_first: |eta_A S_A Delta| / |Delta|: 0 iff the first prompt has no example along the gap.
        unseen_by_second: |eta_B S_B Delta| / |Delta|, the same for the second. For invertible P and Q both agents win
            iff both of these are 0.
    """

    first_wins: Any
    second_wins: Any
    unseen_by_first: Any
    unseen_by_second: Any


@within_range
def asymmetry(first: GradientAgent, second: GradientAgent) -> Asymmetry:
    """The distance of two gradient agents from each condition of asymmetric convergence.

    Raises:
        ValueError: if the agents don't fit together, or the objectives are equal, so that there is nothing to win.
    """
    fit_together(GradientAgent, first=first, second=second)
    gap = gap_between(first, second)
    if not bool((gap != 0).any(axis=-1).all()):
        raise ValueError("the two objectives must differ, got theta_B - theta_A = 0")
    seen_by_first, seen_by_second = (matvec(agent.step, linalg.unit(gap)) for agent in (first, second))
    conditions = (matvec(first.M, seen_by_second), matvec(second.M, seen_by_first), seen_by_first, seen_by_second)
    return Asymmetry(*(arrays.as_float(norm(v)) for v in conditions))


@within_range
def attack_prompt(victim: GradientAgent, theta: Any, eta: Any) -> Prompt:
    """White-box attack: the one-example prompt with which a gradient agent of step size `eta` wins against `victim`.

    The attacker with objective theta (..., d) cancels in one step exactly what the victim adds,
    v = eta_B S_B (theta_B - theta): its single input is v / (|v| sqrt(eta)), labelled by theta. The prompt shows theta
    along v only, so its own least-squares solution is not theta; what the attacker writes settles on theta itself.

    Raises:
        ValueError: if the victim doesn't move theta, so that there is nothing to cancel, or shapes don't match.
    """
    fit_together(GradientAgent, victim=victim)
    theta = victim.vector("theta", theta)
    gap = _moved("theta_B - theta", victim.theta, theta)
    v = matvec(victim.S / filling(victim.S)[..., None, None], linalg.unit(gap))
    if not bool((norm(v) > arrays.tolerance(v)).all()):
        raise ValueError(NOTHING_TO_CANCEL)
    return _cancelling_prompt(v, theta, eta)


def probe_attack(victim: Agent, theta: Any, eta: Any) -> Prompt:
    """Black-box attack: the same prompt from one call of the victim, which is handed theta and answers theta + v.

    Raises:
        ValueError: if the victim doesn't move theta, or answers something that isn't a finite (..., d).
    """
    theta = arrays.vector("theta", theta)
    written = answer(victim, theta, "the victim's answer")
    return _cancelling_prompt(_moved("the victim's answer minus theta", written, theta), theta, eta)


def _moved(name: str, end: Array, theta: Array) -> Array:
    """end - theta, if that is more than rounding."""
    with np.errstate(over="ignore"):
        v = arrays.vector(name, end - theta)
    if not bool((norm(v) > norm(arrays.tolerance(v) * theta)).all()):
        raise ValueError(NOTHING_TO_CANCEL)
    return v


@within_range
def _cancelling_prompt(v: Float[Array, "*batch d"], theta: Array, eta: Any) -> Prompt:
    eta = arrays.step_size("eta", eta, like=v)
    arrays.batch_shape(victim=tuple(v.shape[:-1]), eta=tuple(getattr(eta, "shape", ())))
    xp = arrays.namespace(v=v, theta=theta)
    x = linalg.unit(v) / (eta**0.5 if isinstance(eta, float) else eta[..., None] ** 0.5)
    return Prompt(x[..., None, :], xp.sum(x * theta, axis=-1)[..., None])
