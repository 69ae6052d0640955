"""The helper: an agent that gives up its own objective and picks, every turn, the one that helps the other most.

A helper can only take gradient steps on its own prompt, so it steers: it sets its objective such that its next step
lands on a target. What the target is depends on what it knows of the main agent: all (Newton), its Hessian roughly
(damped or wrong), its geometry and step size (one exchange), d + 1 exchanges (identified), or only what it has seen so
far (Anderson).

What is solved for keeps the digits that the condition number kappa of the matrix leaves, a share of about kappa eps of
the distance being lost (eps = 2.2e-16 in float64, 1.2e-7 in float32). Where that is more than 1/100 (kappa above
4.5e13, 8.4e4), the warning IllConditioned names kappa; a direction with kappa eps above 1 / (4 sqrt(d)) counts as one
that the prompt misses, because rounding leaves no less of an exact 0, and is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from a2a import arrays, linalg
from a2a.affine import AffineMap, fit_together
from a2a.agents import Agent, GradientAgent, answer
from a2a.arrays import Array
from a2a.finite import within_range
from a2a.linalg import matvec
from a2a.solving import solve_seen


@within_range
def steering_objective(helper: GradientAgent, w: Any, target: Any) -> Array:
    """The objective (..., d) with which the helper's next step takes w to `target`.

    A helper whose prompt misses some directions steers in the others only (pseudo-inverse).

    Warns:
        IllConditioned: if eta_B S_B is so ill-conditioned that the step may miss its target by more than 1/100.
    """
    fit_together(GradientAgent, helper=helper)
    w, target = helper.vector("w", w), helper.vector("target", target)
    arrays.batch_shape(w=tuple(w.shape[:-1]), target=tuple(target.shape[:-1]))
    return w + solve_seen("the helper's eta S", helper.step, target - w)


@within_range
def newton_target(main: GradientAgent, w: Any, *, damping: float = 1.0, hessian: Any = None) -> Array:
    """w minus a Newton step on the main agent's loss, (..., d).

    Args:
        main: the agent that is helped.
        w: what it wrote last, (..., d).
        damping: share of the Newton step that is taken, above 0; 1 is the full step. A step multiplies the error by
            1 - damping, so that repeated alone it converges below 2.
        hessian: what the helper takes for the main agent's Hessian, (..., d, d); the true S_A if None. In directions
            that it misses w stays (pseudo-inverse).

    Warns:
        IllConditioned: if the Hessian is so ill-conditioned that the step may be off by more than 1/100.
    """
    fit_together(GradientAgent, main=main)
    damping = arrays.positive_float("damping", damping)
    w = main.vector("w", w)
    gradient = matvec(main.S, w - main.theta)
    believed = main.S if hessian is None else arrays.symmetric("hessian", hessian, main.d)
    arrays.namespace(w=w, hessian=believed)
    arrays.batch_shape(main=tuple(gradient.shape[:-1]), hessian=tuple(believed.shape[:-2]))
    return w - damping * solve_seen("the Hessian", believed, gradient)


def newton_objective(
    main: GradientAgent, helper: GradientAgent, w: Any, *, damping: float = 1.0, hessian: Any = None
) -> Array:
    """The objective (..., d) that turns the helper's next step from w into a Newton step on the main agent's loss.

    theta_B = w - (eta_B S_B)^+ S_A^+ g with g = S_A (w - theta_A) (paper A, 2511.08710). `damping` and `hessian` are
    those of `newton_target`.
    """
    return steering_objective(helper, w, newton_target(main, w, damping=damping, hessian=hessian))


class Helper:
    """A helper that steers to target(w) each time it is handed w; an agent like every other.

    Args:
        agent: the gradient agent whose prompt and step size the helper has; its objective is not used.
        target: where the next step should land, (..., d) -> (..., d).
    """

    def __init__(self, agent: GradientAgent, target: Callable[[Array], Array]) -> None:
        fit_together(GradientAgent, helper=agent)
        self.agent, self.target = agent, target

    def __call__(self, w: Any) -> Array:
        w = self.agent.vector("w", w)
        theta = steering_objective(self.agent, w, answer(self.target, w, "the target"))
        with np.errstate(over="ignore"):
            return arrays.vector("the helper's answer", w + matvec(self.agent.step, theta - w))


def probe(agent: Agent, w0: Any) -> AffineMap:
    """An affine black box identified from d + 1 exchanges: its answers to w0 (..., d) and to w0 plus each unit vector.

    Raises:
        ValueError: if an answer isn't a finite vector of length d.
    """
    w0 = arrays.vector("w0", w0)
    d = w0.shape[-1]
    base, units = answer(agent, w0), linalg.identity(w0)
    _require_visible(w0, units)
    columns = [answer(agent, w0 + units[i, :]) - base for i in range(d)]
    M = arrays.namespace(w0=w0).stack(columns, axis=-1)
    with np.errstate(over="ignore"):
        return AffineMap(M, base - matvec(M, w0))


def _require_visible(w0: Array, units: Array) -> None:
    """ValueError if w0 is so large that a step of 1 from it is lost to rounding."""
    if not bool((abs(w0[..., None, :] + units - w0[..., None, :] - units) < 0.01).all()):
        raise ValueError(f"w0 must be small enough for a step of 1 to show, got entries of up to {abs(w0).max():.3g}")
