"""An agent that writes only so many digits, and where that makes it stop."""

from __future__ import annotations

from typing import Any

import numpy as np

from a2a import arrays
from a2a.agents import Agent, answer
from a2a.finite import within_range
from a2a.linalg import Array
from a2a.plain import brief


class RoundingAgent:
    """An agent whose every answer is rounded, in each coordinate, to the nearest multiple of `grid`.

    Raises:
        ValueError: if `grid` isn't positive.
    """

    def __init__(self, agent: Agent, grid: float) -> None:
        self.agent, self.grid = agent, arrays.positive_float("grid", grid)

    def __call__(self, w: Any) -> Array:
        written = answer(self.agent, arrays.vector("w", w))
        xp = arrays.namespace(written=written)
        with np.errstate(over="ignore"):
            steps = written / self.grid
        # a grid so fine that the steps can't be counted is finer than the digits of what was written
        return xp.where(xp.isfinite(steps), self.grid * xp.round(steps), written)


@within_range
def dead_zone(grid: float, stride: Any) -> Any:
    """How far from its objective a rounding agent may stall in a coordinate, grid / (2 stride).

    Args:
        grid: the width of the grid.
        stride: the step size times the eigenvalue of an isotropic prompt, above 0; a number or an array.
    """
    stride = arrays.step_size("stride", stride)
    return arrays.positive_float("grid", grid) / (2 * stride)


@within_range
def error_of_noise(grid: float, stride: Any) -> Any:
    """The standard deviation in a coordinate if rounding were independent noise of its variance, grid^2 / 12.

    Each turn multiplies the error by 1 - stride and adds noise: grid / sqrt(12 (1 - (1 - stride)^2)).

    Args:
        grid: the width of the grid.
        stride: as in `dead_zone`, between 0 and 2.
    """
    grid, stride = arrays.positive_float("grid", grid), arrays.step_size("stride", stride)
    if bool((arrays.floating("stride", stride) >= 2).any()):
        raise ValueError(f"stride must be between 0 and 2, got {brief(stride)}")
    return grid / (12 * stride * (2 - stride)) ** 0.5
