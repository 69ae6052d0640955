"""Prompts that show all directions alike, beside prompts that don't."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from a2a import arrays
from a2a.agents import GradientAgent
from a2a.equilibrium import Equilibrium, equilibrium
from a2a.finite import within_range
from a2a.linalg import unit
from a2a.plain import in_numpy
from a2a.prompts import random_covariance


@within_range
def isotropic_gain(p: Any, q: Any) -> Any:
    """The first agent's bias over the gap where P = p I and Q = q I, p (1 - q) / (1 - p q); |p q| < 1.

    The same along a common eigenvector of P and Q with the eigenvalues p and q. Numbers or arrays that broadcast; a
    number goes with any kind of array.

    Raises:
        ValueError: if p q is 1, where errors never end.
    """
    p, q = arrays.as_float(arrays.floating("p", p)), arrays.as_float(arrays.floating("q", q))
    if not isinstance(p, float) and not isinstance(q, float):
        arrays.namespace(p=p, q=q)
        arrays.batch_shape(p=tuple(p.shape), q=tuple(q.shape))
    if bool((arrays.floating("p q", p * q) == 1).any()):
        raise ValueError("p q must not be 1, where errors never end")
    return p * (1 - q) / (1 - p * q)


def isotropic_agent(theta: Any, kept: Float[np.ndarray, "*batch"]) -> GradientAgent:
    """The agent with M = kept I: what it leaves of every error in a turn, below 1; objective theta (..., d)."""
    kept, eye = in_numpy("kept", kept), np.eye(arrays.vector("theta", theta).shape[-1])
    if bool((kept >= 1).any()):
        raise ValueError(f"kept must be below 1, got {kept.max():.6g}")
    return GradientAgent((1 - kept)[..., None, None] * eye, theta, 1.0)


def lopsided_spectra(conditions: Any, d: int) -> Float[np.ndarray, "*batch d"]:
    """Eigenvalues (..., d) of mean 1, evenly on a log scale, the largest over the smallest as in `conditions` (...).

    In one dimension there is nothing to be lopsided, and the eigenvalue is 1.
    """
    conditions = in_numpy("conditions", conditions)
    if not bool((conditions > 0).all()):
        raise ValueError(f"conditions must be above 0, got {conditions.min():.3g}")
    uneven = conditions[..., None] ** np.linspace(-0.5, 0.5, arrays.positive_int("d", d))
    return uneven / uneven.mean(axis=-1, keepdims=True)


def lopsided_pairs(rng: np.random.Generator, spectra: Any, eta: float, draws: int) -> tuple[Equilibrium, Equilibrium]:
    """Where pairs settle if the first agent's prompt has these `spectra` (..., d), and if the second agent's has.

    The other agent's prompt is isotropic, S = I. Prompts have random orthonormal axes, and the gap between the
    objectives is a random direction of length 1, the same for all spectra of a draw: batches are (draws, ...).

    Raises:
        UnstableInteraction: if a pair doesn't settle.
    """
    spectra = arrays.vector("spectra", spectra)
    d, between = spectra.shape[-1], (1,) * (spectra.ndim - 1)
    lopsided, isotropic = random_covariance(rng, spectra, (draws,)), np.eye(d)
    gap = unit(rng.standard_normal((draws, *between, d)))

    def settled(S_first: Any, S_second: Any) -> Equilibrium:
        first = GradientAgent(S_first, np.zeros_like(gap), eta)
        return equilibrium(first, GradientAgent(S_second, gap, eta))

    return settled(lopsided, isotropic), settled(isotropic, lopsided)
