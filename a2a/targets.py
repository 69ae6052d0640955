"""What a helper that doesn't know the main agent's objective can aim at: one exchange, or all so far, tell it.

Objects here are the targets of a `Helper`: called with what the main agent wrote, they answer where the next step
should land.
"""

from __future__ import annotations

from typing import Any

from a2a import arrays
from a2a.agents import GradientAgent
from a2a.arrays import Array
from a2a.finite import within_range
from a2a.linalg import matvec
from a2a.solving import solve_seen


@within_range
def objective_from_exchange(S: Any, eta: Any, w_in: Any, w_out: Any) -> Array:
    """The objective (..., d) of a gradient agent of known geometry and step size, from what it once read and answered.

    theta = w_in - (eta S)^-1 (w_in - w_out): the error that the step was taken off. In directions that S misses the
    objective stays open, and what w_in has there is the answer.

    Args:
        S: the agent's prompt geometry, (..., d, d).
        eta: its step size, a float or a batch (...).
        w_in, w_out: what it read and what it answered, (..., d).

    Raises:
        ValueError: if shapes don't match, S isn't symmetric, a value isn't finite, or eta isn't positive.

    Warns:
        IllConditioned: if S is so ill-conditioned that the answer has few digits.
    """
    agent = _of_unknown_objective(S, eta)
    w_in, w_out = agent.vector("w_in", w_in), agent.vector("w_out", w_out)
    arrays.batch_shape(w_in=tuple(w_in.shape[:-1]), w_out=tuple(w_out.shape[:-1]))
    return w_in - solve_seen("the main agent's eta S", agent.step, w_in - w_out)


def _of_unknown_objective(S: Any, eta: Any) -> GradientAgent:
    S = arrays.symmetric("S", S)
    return GradientAgent(S, arrays.namespace(S=S).zeros_like(S[..., 0, :]), eta)


class OneExchange:
    """A target from one exchange, for a helper that knows the main agent's geometry and step size, not its objective.

    The first time it is handed what the main agent wrote, that and what the main agent had read give away its objective
    (`objective_from_exchange`), which is the target from then on: one target for one run.

    Args:
        S, eta: geometry (..., d, d) and step size of the main agent.
        w0: what the main agent reads first, (..., d). The main agent must write first: a helper that does is handed w0
            itself, takes it for the answer, and stays there.

    Raises:
        ValueError: if shapes don't match, S isn't symmetric, a value isn't finite, or eta isn't positive.
    """

    def __init__(self, S: Any, eta: Any, w0: Any) -> None:
        self.agent = _of_unknown_objective(S, eta)
        self.w0 = arrays.copy(self.agent.vector("w0", w0))
        self.objective: Array = None

    def __call__(self, w: Any) -> Array:
        if self.objective is None:
            self.objective = objective_from_exchange(self.agent.S, self.agent.eta, self.w0, w)
        return arrays.copy(self.objective)


class Anderson:
    """A target from the exchanges alone: Anderson acceleration (type II, full memory) of the main agent's own map.

    Each time it is handed what the main agent wrote, it remembers it with what the main agent had read, and answers the
    combination of the answers so far whose combined residual is smallest. On an affine map w -> M w + c with I - M
    positive definite, as of a gradient agent that sees all directions, this is GMRES: done within d + 1 turns. On other
    maps it may stagnate: with M = [[1, -1], [-1, 1]], c = (1, 0) and w0 = 0 it answers (1, 0) for ever.

    Args:
        w0: what the main agent reads first, (..., d). The main agent must write first: a helper that does is handed w0
            itself, takes it for the answer, and stays there.
        memory: how many differences are kept; all if None.

    Raises:
        ValueError: if w0 or what it is handed later isn't a finite (..., d), or `memory` is below 1.
    """

    def __init__(self, w0: Any, memory: int | None = None) -> None:
        self.read = [arrays.copy(arrays.vector("w0", w0))]
        self.written: list[Array] = []
        self.memory = None if memory is None else arrays.positive_int("memory", memory)

    def __call__(self, w: Any) -> Array:
        w0 = self.read[0]
        w = arrays.vector("w", w, w0.shape[-1])
        arrays.namespace(w0=w0, w=w)
        self.written.append(arrays.copy(w))
        self.read.append(self._extrapolate())
        return arrays.copy(self.read[-1])

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
