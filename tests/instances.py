"""Random instances for the property tests: Hypothesis draws the sizes and a seed, NumPy the numbers."""

import numpy as np
from hypothesis import strategies as st

from a2a import GradientAgent

seeds = st.integers(0, 2**32 - 1)
dimensions = st.integers(1, 5)
batches = st.sampled_from([(), (3,), (2, 1)])

RECIPE = {"d": 3, "n": 12, "eta": 0.3, "steps": 1000, "batch": 64}
"""Of the trained layer that the tests share."""


def covariance(rng, d, n=None, batch=()):
    """The geometry of n standard normal examples; well conditioned for the default n."""
    X = rng.standard_normal((*batch, n or 3 * d + 3, d))
    return X.mT @ X / X.shape[-2]


def agent(rng, d, lib=np.asarray, *, n=None, batch=(), theta_batch=()):
    """A gradient agent that is stable alone: eta lambda_max is uniform in [0.2, 1.8]."""
    S = covariance(rng, d, n, batch)
    eta = rng.uniform(0.2, 1.8, batch) / np.linalg.eigvalsh(S)[..., -1]
    return GradientAgent(lib(S), lib(rng.standard_normal((*theta_batch, d))), lib(eta))


def fast_agent(rng, d, lib=np.asarray, *, batch=()):
    """A gradient agent that halves its error in a few turns, for simulations: many examples, a large step."""
    S = covariance(rng, d, 30 * d, batch)
    return GradientAgent(
        lib(S), lib(rng.standard_normal(d)), lib(rng.uniform(0.8, 1.6, batch) / np.linalg.norm(S, 2, (-2, -1)))
    )


def isotropic(lib, size, theta, eta=1.0):
    """A gradient agent that sees all directions alike."""
    return GradientAgent(lib(size * np.eye(len(theta))), lib(theta), eta)


def coupled_fixed_point(first, second):
    """a* and b* of one unbatched pair from the 2d equations a = P b + c_A, b = Q a + c_B in one solve."""
    P, Q = np.asarray(first.M), np.asarray(second.M)
    eye = np.eye(len(P))
    both = np.linalg.solve(np.block([[eye, -P], [-Q, eye]]), np.concatenate([first.c, second.c]))
    return both[: len(P)], both[len(P) :]


def close(actual, expected, tolerance=1e-9):
    """Equal shapes and entries, up to `tolerance` of the largest entry."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    scale = max(1.0, np.abs(expected).max(initial=0.0))
    return actual.shape == expected.shape and bool((np.abs(actual - expected) <= tolerance * scale).all())
