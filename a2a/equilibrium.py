"""Where the turns lead: the equilibrium of two agents, its bias, its gain, its noise floor, and when there is none.

Notation: the first agent writes a = P b + (I - P) theta_A, the second b = Q a + (I - Q) theta_B, with
P = I - eta_A S_A, Q = I - eta_B S_B and the gap Delta = theta_B - theta_A between the objectives. a* is what the first
has just written, b* what the second has just written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float

from a2a import arrays
from a2a.affine import AffineMap, fit_together, spectral_radius
from a2a.agents import GradientAgent, objective
from a2a.arrays import Array, identity, matvec, operator_norm, transpose


class UnstableInteraction(ValueError):
    """The turns don't settle: the spectral radius of one full turn, `rate`, is 1 or more."""

    def __init__(self, rate: Any, hint: str = "") -> None:
        super().__init__(
            f"the turns must contract to settle, got a spectral radius of {rate:.6g} (wanted: below 1){hint}"
        )
        self.rate = rate


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """Where two agents settle.

    Attributes:
        first, second: the fixed points a* and b*, (..., d).
        bias_first, bias_second: fixed point minus the agent's own objective, (..., d).
        gain_first, gain_second: the matrices that take the gap theta_B - theta_A to the bias (with the opposite sign
            for the second agent: bias_second = gain_second (theta_A - theta_B)), (..., d, d).
        rate: spectral radius of one full turn, a float or (...): the factor by which the slowest error shrinks a turn.
    """

    first: Float[Array, "*batch d"]
    second: Float[Array, "*batch d"]
    bias_first: Float[Array, "*batch d"]
    bias_second: Float[Array, "*batch d"]
    gain_first: Float[Array, "*#batch d d"]
    gain_second: Float[Array, "*#batch d d"]
    rate: Any


def equilibrium(first: AffineMap, second: AffineMap, w0: Any = None) -> Equilibrium:
    """The equilibrium of two agents that alternate, the first one moving first (theory: biased equilibrium, paper A).

    Two gradient agents whose prompts leave a common direction unseen never move along it: pass the start w0 (..., d),
    and what it has in those directions stays in the answer, while bias, gain and rate speak of the others.

    Raises:
        UnstableInteraction: if the rate is 1 or more (for a batch: the largest one), which includes a common unseen
            direction when w0 isn't given.
        ValueError: if the agents don't fit together, or one has no fixed point of its own to call its objective.
    """
    fit_together(AffineMap, first=first, second=second)
    P, Q = first.M, second.M
    unseen = _commonly_unseen(first, second)
    if w0 is None:
        _require_contraction(P @ Q, unseen)
    else:
        _require_contraction(P @ Q - unseen)
    gain_first = _gain(P, Q, unseen)
    gain_second = _gain(Q, P, unseen)
    theta_first, theta_second = objective(first), objective(second)
    gap = theta_second - theta_first
    bias_first, bias_second = matvec(gain_first, gap), -matvec(gain_second, gap)
    if w0 is not None:
        w0 = first.vector("w0", w0)
        arrays.batch_shape(w0=tuple(w0.shape[:-1]), second=second.batch)
        bias_first = bias_first + matvec(unseen, w0 - theta_first)
        bias_second = bias_second + matvec(unseen, w0 - theta_second)
    rate = spectral_radius(P @ Q - unseen)
    return Equilibrium(
        theta_first + bias_first, theta_second + bias_second, bias_first, bias_second, gain_first, gain_second, rate
    )


def small_step_bias(first: GradientAgent, second: GradientAgent) -> Float[Array, "*batch d"]:
    """The first agent's bias in the limit of small steps, (eta_A S_A + eta_B S_B)^-1 eta_B S_B Delta, shape (..., d).

    Exact up to a relative error that falls in proportion to the step size.
    """
    fit_together(GradientAgent, first=first, second=second)
    pull = matvec(second.step, second.theta - first.theta)
    return matvec(arrays.pseudo_inverse(first.step + second.step), pull)


def bias_bound(first: AffineMap, second: AffineMap) -> Float[Array, "*batch"] | float:
    """Upper bound on the norm of the first agent's bias, |P| |I - Q| |Delta| / (1 - |P||Q|).

    Infinite when |P||Q| >= 1, where the norms say nothing.
    """
    fit_together(AffineMap, first=first, second=second)
    xp = arrays.namespace(M=first.M)
    norm_P, norm_Q = operator_norm(first.M), operator_norm(second.M)
    room = 1 - norm_P * norm_Q
    gap = arrays.norm(objective(second) - objective(first))
    bound = norm_P * operator_norm(identity(second.M) - second.M) * gap / xp.where(room > 0, room, xp.ones_like(room))
    return arrays.as_float(xp.where(room > 0, bound, xp.full_like(bound, float("inf"))))


def noise_floor(first: AffineMap, second: AffineMap, noise_first: Any, noise_second: Any) -> tuple[Array, Array]:
    """Stationary covariances (..., d, d) of what the first and the second agent write when their outputs are noisy.

    noise_first and noise_second are the covariances (..., d, d) of the independent noise on each output. The mean
    squared error of an agent is then |bias|^2 plus the trace of its covariance.

    Raises:
        UnstableInteraction: if the rate is 1 or more.
        ValueError: if a covariance isn't a symmetric positive semi-definite (..., d, d).
    """
    fit_together(AffineMap, first=first, second=second)
    P, Q = first.M, second.M
    _require_contraction(Q @ P)
    C_first = arrays.covariance("noise_first", noise_first, first.d)
    C_second = arrays.covariance("noise_second", noise_second, first.d)
    matrices = {"the agents": P @ Q, "noise_first": C_first, "noise_second": C_second}
    arrays.namespace(**matrices)
    arrays.batch_shape(**{name: tuple(matrix.shape[:-2]) for name, matrix in matrices.items()})
    cov_second = _stationary_covariance(Q @ P, Q @ C_first @ transpose(Q) + C_second)
    return P @ cov_second @ transpose(P) + C_first, cov_second


def ring_equilibrium(agents: Sequence[AffineMap]) -> Float[Array, "N *batch d"]:
    """What each of N agents writes, (N, ..., d), once a ring of them has settled; agent 0 reads what the last wrote.

    Raises:
        UnstableInteraction: if the rate of one full round is 1 or more.
        ValueError: if there is no agent, or their dimensions differ.
    """
    if not agents:
        raise ValueError("a ring needs at least one agent, got none")
    fit_together(AffineMap, **{f"agent {i}": agent for i, agent in enumerate(agents)})
    round_trip = agents[0]
    for agent in agents[1:]:
        round_trip = agent @ round_trip
    _require_contraction(round_trip.M)
    w = round_trip.fixed_point()
    written = [w := agent(w) for agent in agents]
    return arrays.namespace(w=w).stack(written)


def _gain(P: Float[Array, "*#batch d d"], Q: Float[Array, "*#batch d d"], unseen: Any) -> Float[Array, "*both d d"]:
    """(I - P Q)^-1 P (I - Q), with 1 put in place of the 0 that I - P Q has in the unseen directions."""
    eye = identity(P)
    return arrays.namespace(P=P).linalg.solve(eye - P @ Q + unseen, P @ (eye - Q))


def _commonly_unseen(first: AffineMap, second: AffineMap) -> Float[Array, "*#batch d d"]:
    """Projector on the directions along which neither prompt has an example; 0 for maps that aren't gradient agents."""
    seen = first.step + second.step if isinstance(first, GradientAgent) and isinstance(second, GradientAgent) else None
    xp = arrays.namespace(M=first.M)
    if seen is None:
        return xp.zeros_like(first.M)
    values, vectors = xp.linalg.eigh(seen)
    sizes = xp.abs(values)
    zero = sizes <= arrays.tolerance(seen) * xp.max(sizes, axis=-1, keepdims=True)
    if not bool(zero.any()):
        return xp.zeros_like(seen)  # and no gradient through eigenvectors, which is NaN where eigenvalues meet
    kept = vectors * xp.astype(zero, vectors.dtype)[..., None, :]
    return kept @ transpose(vectors)


def _require_contraction(M: Float[Array, "*batch d d"], unseen: Any = None) -> None:
    rates = spectral_radius(M)
    rate = rates if isinstance(rates, float) else rates.max().item()
    if rate >= 1 - arrays.tolerance(M):
        common = unseen is not None and bool((abs(unseen) > 0.5 / M.shape[-1]).any())
        raise UnstableInteraction(rate, "; neither prompt sees some direction: pass w0" if common else "")


def _stationary_covariance(A: Float[Array, "*#batch d d"], C: Float[Array, "*#batch d d"]) -> Float[Array, "*both d d"]:
    """The solution of Sigma = A Sigma A^T + C by doubling: it adds 2^k terms of the series in k steps.

    SciPy's solver takes neither batches nor torch tensors.
    """
    xp = arrays.namespace(C=C)
    sigma = C
    for _ in range(64):
        new = sigma + A @ sigma @ transpose(A)
        change, size = (xp.max(abs(matrix), axis=(-2, -1)) for matrix in (new - sigma, new))
        if bool((change <= arrays.tolerance(C) * 1e-3 * size).all()):
            return new
        sigma, A = new, A @ A
    return sigma
