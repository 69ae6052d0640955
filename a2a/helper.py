"""The helper: an agent that gives up its own objective and picks, every turn, the one that helps the other most.

A helper can only take gradient steps on its own prompt, so it steers: it sets its objective such that its next step
lands on a target. What the target is depends on what it knows of the main agent: all (Newton), its Hessian roughly
(damped or wrong), d + 1 exchanges (identified), or only what it has seen so far (Anderson).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from a2a import arrays
from a2a.affine import AffineMap, fit_together
from a2a.agents import Agent, GradientAgent
from a2a.arrays import Array, matvec


def steering_objective(helper: GradientAgent, w: Any, target: Any) -> Array:
    """The objective (..., d) with which the helper's next step takes w to `target`.

    A helper whose prompt misses some directions steers in the others only (pseudo-inverse).
    """
    fit_together(GradientAgent, helper=helper)
    w, target = helper.vector("w", w), helper.vector("target", target)
    arrays.batch_shape(w=tuple(w.shape[:-1]), target=tuple(target.shape[:-1]))
    return w + matvec(arrays.pseudo_inverse(helper.step), target - w)


def newton_target(main: GradientAgent, w: Any, *, damping: float = 1.0, hessian: Any = None) -> Array:
    """w minus a Newton step on the main agent's loss, (..., d).

    Args:
        main: the agent that is helped.
        w: what it wrote last, (..., d).
        damping: share of the Newton step that is taken, in (0, 2) to converge; 1 is the full step.
        hessian: what the helper takes for the main agent's Hessian, (..., d, d); the true S_A if None.
    """
    fit_together(GradientAgent, main=main)
    damping = arrays.positive_float("damping", damping)
    w = main.vector("w", w)
    gradient = matvec(main.S, w - main.theta)
    believed = main.S if hessian is None else arrays.symmetric("hessian", hessian, main.d)
    arrays.namespace(w=w, hessian=believed)
    arrays.batch_shape(main=tuple(gradient.shape[:-1]), hessian=tuple(believed.shape[:-2]))
    return w - damping * matvec(arrays.pseudo_inverse(believed), gradient)


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
        self.agent, self.target = agent, target

    def __call__(self, w: Any) -> Array:
        w = self.agent.vector("w", w)
        theta = steering_objective(self.agent, w, self.target(w))
        return w + matvec(self.agent.step, theta - w)


def probe(agent: Agent, w0: Any) -> AffineMap:
    """An affine black box identified from d + 1 exchanges: its answers to w0 (..., d) and to w0 plus each unit vector.

    Raises:
        ValueError: if an answer isn't a finite vector of length d.
    """
    w0 = arrays.vector("w0", w0)
    d = w0.shape[-1]
    base = arrays.vector("the agent's answer", agent(w0), d)
    xp = arrays.namespace(**{"w0": w0, "the agent's answer": base})
    units = arrays.identity(w0)
    columns = [arrays.vector("the agent's answer", agent(w0 + units[i, :]), d) - base for i in range(d)]
    M = xp.stack(columns, axis=-1)
    return AffineMap(M, base - matvec(M, w0))


class Anderson:
    """A target from the exchanges alone: Anderson acceleration (type II, full memory) of the main agent's own map.

    Each time it is handed what the main agent wrote, it remembers it with what the main agent had read, and answers the
    combination of the answers so far whose combined residual is smallest. On an affine map this is GMRES: done within
    d + 1 turns.

    Args:
        w0: what the main agent reads first, (..., d).
        memory: how many differences are kept; all if None.

    Raises:
        ValueError: if w0 or what it is handed later isn't a finite (..., d), or `memory` is below 1.
    """

    def __init__(self, w0: Any, memory: int | None = None) -> None:
        self.read = [arrays.vector("w0", w0)]
        self.written: list[Array] = []
        self.memory = None if memory is None else arrays.positive_int("memory", memory)

    def __call__(self, w: Any) -> Array:
        w0 = self.read[0]
        w = arrays.vector("w", w, w0.shape[-1])
        arrays.namespace(w0=w0, w=w)
        self.written.append(w)
        self.read.append(self._extrapolate())
        return self.read[-1]

    def _extrapolate(self) -> Array:
        xp = arrays.namespace(w=self.written[-1])
        start = 0 if self.memory is None else -self.memory - 1
        shape = arrays.batch_shape(w0=tuple(self.read[0].shape), w=tuple(self.written[-1].shape))
        written, read = (
            xp.stack([xp.broadcast_to(w, shape) for w in kept[start:]], axis=-1) for kept in (self.written, self.read)
        )
        residual = written - read
        if written.shape[-1] == 1:
            return self.written[-1]
        steps = residual[..., 1:] - residual[..., :-1]
        weights = matvec(xp.linalg.pinv(steps), residual[..., -1])
        return self.written[-1] - matvec(written[..., 1:] - written[..., :-1], weights)


def _steer(inverse_step: Array, w: Any, target: Any) -> Array:
    d = int(inverse_step.shape[-1])
    w, target = arrays.vector("w", w, d), arrays.vector("target", target, d)
    arrays.namespace(w=w, target=target, M=inverse_step)
    return w + matvec(inverse_step, target - w)
