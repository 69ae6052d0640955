"""Many agents whose prompts have known spectra, and the average over them."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays
from a2a.agents import GradientAgent
from a2a.linalg import Array, norm
from a2a.plain import in_numpy, real
from a2a.prompts import random_covariance


def conditioned_agents(
    rng: np.random.Generator, kappa: Any, d: int, eta: float, batch: tuple[int, ...] = ()
) -> GradientAgent:
    """Agents whose prompts have exactly the condition numbers kappa (...), in d >= 2 dimensions; batch (*batch, ...).

    Eigenvalues lie evenly on a log scale from 1 down to 1/kappa, in random orthonormal directions; objectives are
    standard normal.

    Raises:
        ValueError: if a kappa is below 1 or isn't finite.
    """
    kappa = in_numpy("kappa", kappa)
    if not kappa.size or not bool((kappa >= 1).all()):
        raise ValueError(f"kappa must be a condition number >= 1, got {np.min(kappa, initial=np.inf):.3g}")
    spectrum = kappa[..., None] ** -np.linspace(0.0, 1.0, arrays.positive_int("d", d))
    S = random_covariance(rng, spectrum, batch)
    return GradientAgent(S, rng.standard_normal(S.shape[:-1]), eta)


def root_mean_square(errors: Float[Array, "*batch instances d"]) -> Float[Array, "*batch"]:
    """Root of the mean of |error|^2 over the instances, the dimension before the last; infinite out of range."""
    errors = real("errors", errors)
    if errors.ndim < 2 or 0 in errors.shape:
        raise ValueError(
            f"errors must have shape (..., instances, d) with no dimension of 0, got {tuple(errors.shape)}"
        )
    return norm(norm(errors)) / errors.shape[-2] ** 0.5
