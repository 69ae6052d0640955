"""Agents. An agent is anything that maps a weight estimate w (..., d) to the next; here is the one of the theory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from a2a import arrays, linalg
from a2a.affine import AffineMap
from a2a.arrays import Array
from a2a.prompts import Prompt, sample_prompt

Agent = Callable[[Array], Array]
"""Anything that maps w of shape (..., d) to the next w of the same shape."""


def answer(agent: Agent, w: Array, name: str = "the agent's answer") -> Array:
    """What an agent answers to w (..., d), in memory of its own; ValueError, by `name`, if it is no finite (..., d).

    The agent is handed a copy: what it does in place to what it reads, or later to what it wrote, stays with it.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is reported once, by name
        written = arrays.vector(name, agent(arrays.copy(w)), w.shape[-1])
    arrays.namespace(**{"what it read": w, name: written})
    return arrays.copy(written)


class GradientAgent(AffineMap):
    """One gradient step w - eta S (w - theta) on the regression loss of a prompt: M = I - eta S, c = eta S theta.

    S is the prompt geometry (..., d, d), theta the objective (..., d), eta the step size, a float or a batch (...).
    The attribute `step` is eta S (..., d, d), what the agent takes off the error.
    Paper A's agent: the map that a single-layer linear self-attention transformer computes (2511.08710; 2502.21212).

    Raises:
        ValueError: if S isn't symmetric, shapes don't match, a value isn't finite, or eta isn't positive.
    """

    symmetric = True

    def __init__(self, S: Any, theta: Any, eta: Any) -> None:
        self.S = arrays.copy(arrays.symmetric("S", S))
        self.theta = arrays.copy(arrays.vector("theta", theta, int(self.S.shape[-1])))
        arrays.namespace(S=self.S, theta=self.theta)
        self.eta = arrays.step_size("eta", eta, like=self.S)
        shapes = {"S": self.S.shape[:-2], "theta": self.theta.shape[:-1], "eta": getattr(self.eta, "shape", ())}
        arrays.batch_shape(**{name: tuple(shape) for name, shape in shapes.items()})
        # kept, because I - M has lost the digits of a small step to the 1 that was added
        eta = self.eta if isinstance(self.eta, float) else self.eta[..., None, None]
        with np.errstate(over="ignore"):
            self.step = arrays.not_vanished("eta S", eta * self.S, self.S)
            super().__init__(linalg.identity(self.S) - self.step, linalg.matvec(self.step, self.theta))

    def objective(self) -> Array:
        """theta (..., d), the one of all fixed points that the prompt asks for."""
        return self.theta

    @classmethod
    def from_prompt(cls, prompt: Prompt, eta: Any) -> GradientAgent:
        """The agent that reads `prompt`: its geometry S and, as objective, its least-squares solution."""
        return cls(prompt.S, prompt.theta, eta)


class NoisyAgent:
    """An agent whose every output carries independent Gaussian noise of standard deviation `noise` in each coordinate.

    Raises:
        ValueError: if `noise` is negative, or `rng` isn't a NumPy generator.
    """

    def __init__(self, agent: Agent, noise: float, rng: np.random.Generator) -> None:
        self.agent, self.noise = agent, arrays.standard_deviation("noise", noise)
        self.rng = arrays.generator("rng", rng)

    def __call__(self, w: Any) -> Array:
        written = answer(self.agent, arrays.vector("w", w))
        return written + self.noise * arrays.standard_normal(self.rng, tuple(written.shape), like=written)


def held(agent: Agent, far: float) -> Agent:
    """The agent with answers that are never longer than `far`: one that runs away is held there, in its direction."""
    far = arrays.positive_float("far", far)

    def step(w: Any) -> Array:
        written = answer(agent, arrays.vector("w", w))
        return written * (far / (linalg.norm(written) + 1)).clip(max=1.0)[..., None]

    return step


def slowest(agent: GradientAgent) -> tuple[Array, Array]:
    """The direction (..., d) whose error the agent shrinks least or grows most, and the factor max |1 - eta lambda|."""
    values, vectors = linalg.eigh(agent.step)
    factors = abs(1 - values)
    xp = arrays.namespace(factors=factors)
    at = xp.argmax(factors, axis=-1)[..., None]
    along = xp.take_along_axis(vectors, at[..., None, :], axis=-1)[..., 0]
    return along, xp.max(factors, axis=-1)


def left_alone(agent: GradientAgent, w: Any, steps: int) -> Array:
    """Where an agent that reads its own output gets from w (..., d) in so many steps, theta + M^steps (w - theta).

    In closed form, from the eigenvalues of the step; nonsense for an agent that diverges.
    """
    values, vectors = linalg.eigh(agent.step)
    shrunk = (1 - values).clip(-1, 1) ** arrays.positive_int("steps", steps)
    remains = shrunk * linalg.matvec(linalg.transpose(vectors), agent.vector("w", w) - agent.theta)
    return agent.theta + linalg.matvec(vectors, remains)


def sample_pair(
    rng: np.random.Generator,
    n: int,
    d: int,
    eta_first: Any,
    eta_second: Any,
    *,
    batch: tuple[int, ...] = (),
    noise: float = 0.0,
) -> tuple[GradientAgent, GradientAgent]:
    """Two gradient agents with independent standard normal prompts (n, d) and objectives, `batch` pairs of them.

    Args:
        rng: the generator that everything random is drawn from.
        n, d: in-context examples and dimension of each prompt.
        eta_first, eta_second: step sizes, a float or one a pair.
        batch: leading batch dimensions.
        noise: standard deviation of the label noise.
    """
    arrays.generator("rng", rng)
    eta_first, eta_second = arrays.step_size("eta_first", eta_first), arrays.step_size("eta_second", eta_second)
    prompts = [sample_prompt(rng, n, d, rng.standard_normal((*batch, d)), noise=noise) for _ in range(2)]
    first, second = (GradientAgent.from_prompt(p, eta) for p, eta in zip(prompts, (eta_first, eta_second), strict=True))
    return first, second


def gap_between(first: AffineMap, second: AffineMap) -> Array:
    """The second agent's objective minus the first one's, (..., d); ValueError if that overflows."""
    with np.errstate(over="ignore"):
        return arrays.vector("theta_B - theta_A", second.objective() - first.objective())
