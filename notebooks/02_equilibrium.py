# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Two agents that disagree: the biased equilibrium
#
# Two agents take turns. Each reads the estimate that the other has just written and takes one gradient step towards its
# own objective. **Where the turns contract, the two settle, in general at neither objective, and the distance that
# remains is known in advance** from the gap between the objectives, the step sizes and the geometry of the two prompts
# (paper A, {cite}`cosentino2025`). In this run the turns of {glue:text}`equilibrium-contracting` random pairs contract,
# in the directions that a prompt shows.
#
# ```{glue:figure} equilibrium-headline
# ---
# name: fig-equilibrium-headline
# alt: >-
#   Distance of each agent to its own objective against the turn, on a log axis. With the parameters of the book both
#   curves fall for a few turns and then stay flat on the dashed lines that mark the predicted plateaus.
# ---
# Distance of each agent to its own objective, in units of the gap $|\theta_B - \theta_A|$: mean over random pairs, band
# from the 10th to the 90th percentile. The dashed lines, drawn where every pair contracts, are the plateaus that
# {prf:ref}`thm-equilibrium` predicts from the prompts, the objectives and the step sizes (with fewer than $d/2$
# examples, from the start as well).
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook; [0, inf)
d = 8  # dimension of the regression task; [1, 64]
n = 30  # in-context examples in each prompt; [1, 10000]
eta_first = 0.3  # step size of the first agent; (eta_second / 300000, 10]
eta_second = 0.2  # step size of the second agent; (eta_first / 300000, 10]
turns = 40  # turns in the figures; [1, 1000]
instances = 2000  # random pairs; [1, 10000 / (1 + d * (n + turns) / 5000)]

# %% [markdown]
# ## Setting
#
# The first agent, A, has a prompt with geometry $S_A = X_A^\top X_A / n$, an objective $\theta_A$ and a step size
# $\eta_A$; the second, B, likewise. With $P = I - \eta_A S_A$ and $Q = I - \eta_B S_B$ a turn is
#
# ```{math}
# :label: eq-turn
# \begin{aligned}
# a_{t+1} &= P\, b_t + (I - P)\,\theta_A, \\
# b_{t+1} &= Q\, a_{t+1} + (I - Q)\,\theta_B ,
# \end{aligned}
# ```
#
# and $b_0 = w_0$ is the start. The gap between the objectives is $\Delta = \theta_B - \theta_A$. That one linear
# self-attention layer computes exactly such a step is shown in {doc}`01_lsa`; the symbols are listed in
# {doc}`/book/notation`.

# %% tags=["hide-input"]
import warnings

import numpy as np
import sympy as sp
from myst_nb import glue
from scipy.stats import wishart

import a2a
from a2a import (
    GradientAgent,
    alternate,
    intervals,
    random_covariance,
    sample_pair,
    sample_prompt,
    turns_to,
)
from a2a.arrays import matvec, norm, operator_norm
from a2a.book.claims import Checks, requires
from a2a.book.evidence import close, different, every, same

# %% tags=["hide-input"]
from a2a.book.figures import (
    FIRST,
    SECOND,
    THEORY,
    errors_by_turn,
    headline,
    median_band,
    panels,
    path_in_plane,
    power_law,
    prediction,
    show,
    style,
)

style()
# where it matters, a check names the condition number itself
warnings.filterwarnings("ignore", category=a2a.IllConditioned)
rng = np.random.default_rng(seed)
checks = Checks("exact gradient agents")

# %%
first, second = sample_pair(rng, n, d, eta_first, eta_second, batch=(instances,))
w0 = rng.standard_normal((instances, d))
gap = second.theta - first.theta
settled = a2a.equilibrium(first, second, w0, require_stable=False)

# %% [markdown]
# With fewer than $d/2$ examples in each prompt there are directions that neither agent sees. What the start has there
# stays, so `equilibrium` is told the start; {prf:ref}`thm-unseen` says what that means. The rate is that of the other
# directions.
#
# Every theorem has its hypotheses, which are computed here once and named again at each check. A simulation comes to
# rest when its slowest error is down to $10^{-20}$ of what it was; if the slowest pair needs more than 5,000 turns, all
# are followed for 5,000 only, and where turns don't contract, until an error may have grown $10^{20}$-fold.

# %%
patience = 5000
slowest = settled.rate.max()
needed = turns_to(slowest, 1e-20, at_most=10**9)
until_rest = needed if needed <= patience else 500
largest = [np.linalg.eigvalsh(agent.step)[..., -1] for agent in (first, second)]
ranks = [np.linalg.matrix_rank(S) for S in (first.S, second.S)]

# %%
radius = "rho(PQ)" if n >= d / 2 else "rho(PQ) where a prompt sees"
settles = requires(radius, slowest, "<", 1)
rests = requires("turns until rest", needed, "<=", patience)
alone = requires("largest eta lambda", largest, "<", 2)
full_rank = requires("rank of S_A and S_B", ranks, ">=", d, shown="d")
common_rank = np.linalg.matrix_rank(first.S + second.S)
all_seen = requires("rank of S_A + S_B", common_rank, ">=", d, shown="d")

# %%
shown = turns if slowest < 1 else min(turns, until_rest)
run = alternate(first, second, w0, shown)
contracting = f"{np.sum(settled.rate < 1):,} of {instances:,}"
glue("equilibrium-contracting", contracting, display=False)

# %% tags=["hide-input"]
fig, ax = panels()
for written, agent, bias, name, color in (
    (run.first, first, settled.bias_first, "first agent (A)", FIRST),
    (run.second, second, settled.bias_second, "second agent (B)", SECOND),
):
    errors_by_turn(
        ax,
        norm(written - agent.theta) / norm(gap),
        label=name,
        color=color,
        plateau=norm(bias) / norm(gap) if slowest < 1 else None,
    )
ax.set(ylabel="distance to own objective / gap")
ax.legend()
headline("equilibrium-headline", fig)

# %% [markdown]
# ## A turn is an affine map, and its spectral radius decides
#
# ```{prf:theorem} Stability
# :label: thm-stability
#
# The pair {eq}`eq-turn` converges to one limit, the same from every start, if and only if $\rho(PQ) < 1$. The
# difference of two runs is $b_t - b'_t = (QP)^t (w_0 - w'_0)$, and $\|(QP)^t\|^{1/t} \to \rho(PQ)$: in the long run the
# rate is $\rho(PQ)$ a turn. If $\|P\| < 1$ and $\|Q\| < 1$ the pair converges: agents that are stable alone are stable
# together.
# ```
#
# ```{prf:proof}
# Put the first half of a turn into the second: $b_{t+1} = QP\,b_t + Q(I-P)\theta_A + (I-Q)\theta_B$, which gives the
# difference of two runs. If $\rho(QP) < 1$, then 1 isn't an eigenvalue of $QP$, so the map has exactly one fixed point
# $b^*$; a run that starts there stays there, every other run differs from it by $(QP)^t (w_0 - b^*)$, and powers of a
# matrix with spectral radius below 1 tend to 0. What A writes, $P b_t + (I-P)\theta_A$, converges with it. If
# $\rho(QP) \ge 1$, let $QPv = \lambda v$ with $|\lambda| \ge 1$. Then $|(QP)^t v| = |\lambda|^t |v|$ doesn't tend to 0,
# so neither does $(QP)^t x$ for one $x$ of the real and the imaginary part of $v$. Two starts that differ by $x$ can't
# have the same limit. The rate is Gelfand's formula, and $\rho(QP) = \rho(PQ) \le \|P\|\,\|Q\|$.
# ```
#
# The check draws step sizes of up to three times what each prompt allows an agent alone, so that pairs diverge, too.
# Each pair takes one turn from the origin and from the unit vectors: the differences are the columns of $QP$, as the
# agents act. Squaring that matrix forty times follows them for $2^{40}$ turns, if it is scaled each time so that
# nothing overflows or vanishes. A pair forgets where it started if differences shrink to a millionth.

# %%
drawn = sample_pair(rng, n, d, 1.0, 1.0, batch=(instances,))
wild_first, wild_second = (
    GradientAgent(
        agent.S,
        agent.theta,
        rng.uniform(0.1, 3, instances) / np.linalg.eigvalsh(agent.S)[..., -1],
    )
    for agent in drawn
)
rates = (wild_first @ wild_second).spectral_radius()
eye, origin = np.eye(d), np.zeros(d)
from_units = wild_second(wild_first(eye[:, None, :]))
turned = np.moveaxis(from_units - wild_second(wild_first(origin)), 0, -1)


# %%
def log_norms(M, squarings):
    """log |M^t| for t = 1, 2, 4, ...: (squarings + 1, ...)."""
    total, logs = 0.0, []
    for _ in range(squarings + 1):
        size = operator_norm(M)
        total = 2 * total + np.log(size)
        logs.append(total)
        M = M / size[..., None, None]
        M = M @ M
    return np.array(logs)


# %%
lengths = 2.0 ** np.arange(41)
logs = log_norms(turned, 40)
forgotten = logs[-1] < np.log(1e-6)
told = rates < 1 - np.log(1e6) / lengths[-1]  # slower pairs need more turns
print(f"{forgotten.sum():,} of {instances:,} pairs forget where they started")

# %% tags=["nbval-check-output"]
what = "pairs that forget where they started: told by the radius"
checks.add("A3", what, every(forgotten == told))

# %% tags=["nbval-check-output"]
rate_error = np.exp(logs[-1] / lengths[-1]) / rates - 1
what = "rate over 2^40 turns, relative to the radius"
checks.add("A3", what, close(rate_error, tolerance=1e-6))

# %% [markdown]
# That is the rate in the long run. In the first turns an error can shrink by less, as $QP$ isn't symmetric in general.

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
ratios = np.exp(logs[:11] / lengths[:11, None]) / rates
median_band(ax, lengths[:11], ratios.T, color=FIRST, label="measured")
prediction(ax, lengths[[0, 10]], [1, 1])
ax.set(xscale="log", xlabel="turns $t$", ylabel=r"factor a turn / $\rho(PQ)$")
show("fig-equilibrium-rate", fig)

# %% [markdown]
# ```{glue:figure} fig-equilibrium-rate
# ---
# name: fig-equilibrium-rate
# alt: >-
#   Ratio of the average factor to the spectral radius against the number of turns. With the parameters of the book in
#   more than one dimension the curve starts above 1 and falls to the dashed line at 1.
# ---
# How soon the spectral radius shows: the average factor a turn, $\|(QP)^t\|^{1/t}$, over $\rho(PQ)$, against the number
# of turns $t$; median and 10th to 90th percentile over random pairs, whether they contract or not. The dashed line at 1
# is the theorem's limit.
# ```

# %% [markdown]
# Agents that are stable alone are stable together. Two sets of pairs: those of this chapter, and the same prompts with
# steps drawn anywhere below the limit $2/\lambda_{\max}$ of each agent.

# %%
shares = rng.uniform(0, 2, (2, instances))
bold_steps = [
    share * eta / top
    for share, eta, top in zip(shares, (eta_first, eta_second), largest)
]
bold = [
    GradientAgent(agent.S, agent.theta, step)
    for agent, step in zip((first, second), bold_steps)
]


def contract(first, second):
    """Whether |1 - mu| < 1 for the eigenvalues mu of I - PQ, however small."""
    mu = np.linalg.eigvals((first @ second).step)
    return np.all(2 * mu.real > np.abs(mu) ** 2, axis=-1)


# %% tags=["nbval-check-output"]
for name, pair, products in (
    ("pairs of this chapter", (first, second), largest),
    ("steps drawn up to the limit", bold, shares),
):
    given = [requires("largest eta lambda", products, "<", 2), full_rank]
    what = f"stable alone, stable together: {name}"
    checks.add("A3", what, every(contract(*pair)), given=given)

# %% [markdown]
# The converse fails. An agent whose step is too large diverges when left alone; next to a partner that contracts
# enough, it is held.

# %% tags=["nbval-check-output"]
reckless = GradientAgent(eye, np.ones(d), eta=2.5)
careful = GradientAgent(eye, -np.ones(d), eta=0.5)
on_its_own = reckless.spectral_radius()
print(f"alone, the agent multiplies its error by {on_its_own:.2f} a turn")
together = a2a.equilibrium(reckless, careful).rate
print(f"with its partner, the pair multiplies it by {together:.2f} and settles")

# %% [markdown]
# ## Where they settle
#
# ```{prf:theorem} Biased equilibrium
# :label: thm-equilibrium
#
# If $\rho(PQ) < 1$, what the agents write converges to $a^* = \theta_A + e_A$ and $b^* = \theta_B + e_B$ with
#
# $$
# e_A = (I - PQ)^{-1} P (I - Q)\, \Delta, \qquad e_B = -(I - QP)^{-1} Q (I - P)\, \Delta .
# $$
# ```
#
# ```{prf:proof}
# By {prf:ref}`thm-stability` there is one fixed point. Write $a = \theta_A + e$ in the map of a turn and use
# $\theta_B = \theta_A + \Delta$: the constant terms cancel and $e = PQ\,e + P(I-Q)\Delta$ remains. Since
# $\rho(PQ) < 1$, $I - PQ$ is invertible. Exchanging the agents exchanges $P$ with $Q$ and $\Delta$ with $-\Delta$.
# ```
#
# The algebra, once more by machine: with symbols that don't commute, for any dimension, the fixed-point equation minus
# the theorem's equation expands to zero.

# %% tags=["nbval-check-output"]
P, Q, theta_A, theta_B, e = sp.symbols("P Q theta_A theta_B e", commutative=False)
a = theta_A + e
after_a_turn = P * (Q * a + (1 - Q) * theta_B) + (1 - P) * theta_A
theorem = (1 - P * Q) * e - P * (1 - Q) * (theta_B - theta_A)
print("difference:", sp.expand(a - after_a_turn - theorem))

# %% [markdown]
# And by simulation: the agents alternate until nothing moves, and what they wrote last is compared with the formula, in
# units of the gap.

# %%
last = alternate(first, second, w0, until_rest, history=False)
residuals = {
    "first agent": norm(last.first[-1] - settled.first),
    "second agent": norm(last.second[-1] - settled.second),
}

# %% tags=["nbval-check-output"]
for name, residual in residuals.items():
    checks.add(
        "A4",
        f"{name}: simulated minus predicted fixed point, over the gap",
        close(residual / norm(gap), tolerance=1e-8),
        given=[settles, rests],
    )

# %% [markdown]
# The distance to the predicted point tells more than the last turn: if the formula were off by a little, the distance
# would stop falling at that little. It falls until the digits of float64 are used up.

# %%
few = slice(0, 200)
followed = min(until_rest, 500)
sample = [
    GradientAgent(agent.S[few], agent.theta[few], agent.eta)
    for agent in (first, second)
]
path = alternate(*sample, w0[few], followed)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
for written, point, name, color in (
    (path.first, settled.first[few], "first agent (A)", FIRST),
    (path.second, settled.second[few], "second agent (B)", SECOND),
):
    distance = norm(written - point) / norm(gap[few])
    median_band(
        ax,
        np.arange(1, followed + 1),
        np.maximum(distance, 1e-18).T,  # exactly 0 has no place on a log axis
        color=color,
        label=name,
        marker="",
    )
ax.set(yscale="log", xlabel="turn", ylabel="distance to prediction / gap")
ax.legend()
show("fig-equilibrium-residual", fig)

# %% [markdown]
# ```{glue:figure} fig-equilibrium-residual
# ---
# name: fig-equilibrium-residual
# alt: >-
#   Distance to the predicted fixed point against the turn, on a log axis. With the parameters of the book both curves
#   fall along straight lines until they reach rounding, some sixteen orders of magnitude below the gap, and stay there.
# ---
# Distance of what each agent writes to the fixed point that the prompts predict, in units of the gap, against the turn:
# median and 10th to 90th percentile over (at most 200) random pairs, for as long as the simulation is followed.
# ```

# %% [markdown]
# In two dimensions the whole path can be seen.

# %%
flat_first, flat_second = (
    GradientAgent(S, theta, 0.4)
    for S, theta in (
        (np.diag([1.0, 0.25]), np.array([-1.0, 0.0])),
        (np.diag([0.3, 1.2]), np.array([1.0, 1.0])),
    )
)
flat_start = np.array([-1.2, 1.8])
flat_run = alternate(flat_first, flat_second, flat_start, 40)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels(height=4.2)
path_in_plane(ax, flat_run, flat_first.theta, flat_second.theta, flat_start)
ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
show("fig-equilibrium-plane", fig)

# %% [markdown]
# ```{glue:figure} fig-equilibrium-plane
# ---
# name: fig-equilibrium-plane
# alt: >-
#   Zigzag path from a start point to two neighbouring clusters of points, off the line between the two stars that mark
#   the objectives.
# ---
# The path of two agents in the plane. Each pulls along the directions that its own prompt shows well (A: horizontally,
# B: vertically); they end up stepping back and forth between two points, neither of which is an objective.
# ```

# %% [markdown]
# ## At rest they don't agree
#
# At rest the two in general still write different things. Where no step overshoots too far, the one from $a^*$ to $b^*$
# points along the gap, from A's objective towards B's:
#
# ```{prf:theorem} The quarrel
# :label: thm-quarrel
#
# Let $A = \eta_A S_A$, $B = \eta_B S_B$, $\rho(PQ) < 1$ and $u = b^* - a^*$. Then $u = B (A + B - AB)^{-1} A\,\Delta$,
# and where $A$ and $B$ are invertible, $u = (A^{-1} + B^{-1} - I)^{-1} \Delta$, $e_A = \Delta - B^{-1} u$ and
# $e_B = A^{-1} u - \Delta$.
#
# If all eigenvalues of $A$ and $B$ lie in $[0, 2)$, then $u \cdot \Delta \ge 0$, and $u \cdot \Delta = 0$ only if
# $u = 0$. That is so if and only if $\Delta \in \ker S_A + \ker S_B$: each part of the disagreement is invisible to one
# of them. So if $S_A$ is invertible and $S_B \Delta \ne 0$, or the reverse, $a^* \ne b^*$.
# ```
#
# ```{prf:proof}
# The two halves of a turn read $u = A(b^* - \theta_A)$ and $u = B(\theta_B - a^*)$. Since $I - PQ = A + B - AB$ and
# $P(I-Q) = B - AB$, {prf:ref}`thm-equilibrium` gives $\theta_B - a^* = \Delta - e_A = (A+B-AB)^{-1} A\Delta$, hence
# $u$. With inverses, $\Delta = (\theta_B - a^*) - u + (b^* - \theta_A) = (B^{-1} - I + A^{-1})u$.
#
# Put $x = b^* - \theta_A$ and $y = \theta_B - a^*$, so that $u = Ax = By$ and $\Delta = x + y - u$. If
# $\lambda \in [0, 2)$ is an eigenvalue, then $\lambda - \lambda^2/2 \ge 0$, and 0 only for $\lambda = 0$. Hence
# $u \cdot x = x^\top A x \ge |Ax|^2/2 = |u|^2/2$, with equality only if $u = 0$; likewise $u \cdot y$. So
# $u \cdot \Delta = u \cdot x + u \cdot y - |u|^2 \ge 0$, with equality only if $u = 0$. Then $x \in \ker A$,
# $y \in \ker B$ and $\Delta = x + y$. Conversely, let $\Delta = x + y$ with $Ax = By = 0$. Then
# $w = \theta_A + x = \theta_B - y$ is what neither agent changes, so $a^* = b^* = w$.
# ```
#
# Nothing of the second part needs an inverse. It speaks of the step between the two points, not of where they lie:
# $b^*$ may well be nearer to A's objective than to B's own.

# %% tags=["nbval-check-output"]
contracts = settled.rate < 1
to_A, to_B = (norm(settled.second - x.theta) for x in (first, second))
nearer = np.sum((to_A < to_B) & contracts)
print(f"b* is nearer to A's objective in {nearer:,} of {contracts.sum():,} pairs")

# %% tags=["nbval-check-output"]
quarrel = last.second[-1] - last.first[-1]
checks.add(
    "A4",
    "at rest, what B wrote lies beyond what A wrote, seen along the gap",
    every(np.sum(quarrel * gap, axis=-1) > 0),
    given=[settles, rests, alone, full_rank],
)

# %% [markdown]
# ## The error grows linearly with the gap, and geometry sets the gain
#
# The bias is a matrix times the gap, $e_A = G_A \Delta$ with $G_A = (I - PQ)^{-1} P (I - Q)$, and $G_A$ knows the
# prompts and step sizes only. So doubling the disagreement doubles the error, and the directions in which a
# disagreement hurts most and least are the singular vectors of $G_A$. The agents are now simulated with gaps of other
# sizes, in one random direction a pair, and with gaps of length 1 along those singular vectors; they start at A's
# objective.

# %%
A, B = sample
gain = settled.gain_first[few]
direction = rng.standard_normal(A.theta.shape)
direction /= norm(direction)[:, None]


def simulated_error(gaps):
    """How far A ends from its objective, for gaps (..., pairs, d)."""
    moved = GradientAgent(B.S, A.theta + gaps, B.eta)
    end = alternate(A, moved, A.theta, until_rest, history=False).first[-1]
    return norm(end - A.theta)


# %%
sizes = np.geomspace(0.01, 100, 5)
measured_error = simulated_error(sizes[:, None, None] * direction)
predicted_error = sizes[:, None] * norm(matvec(gain, direction))
_, strengths, vectors = np.linalg.svd(gain)
ends = [0, -1]
along_vectors = simulated_error(np.moveaxis(vectors[:, ends], 1, 0))

# %% tags=["nbval-check-output"]
deviation = (measured_error - predicted_error) / sizes[:, None]
what = "simulated minus predicted error over the gap, gaps from 0.01 to 100"
checks.add("A6", what, close(deviation, tolerance=1e-8), given=[settles, rests])

# %% tags=["nbval-check-output"]
checks.add(
    "A6",
    "error for a unit gap along the gain's extreme directions: singular values",
    close(along_vectors - strengths[:, ends].T, tolerance=1e-8),
    given=[settles, rests],
)

# %% [markdown]
# For the angle, take one pair in two dimensions with a long and a short axis in each prompt and turn the gap once
# around.

# %%
angles = np.linspace(0, 2 * np.pi, 73)
around = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
facing = GradientAgent(flat_second.S, flat_first.theta + around, 0.4)
arrived = alternate(flat_first, facing, np.zeros(2), 400, history=False)
angle_error = norm(arrived.first[-1] - flat_first.theta)
flat_gain = a2a.equilibrium(flat_first, flat_second).gain_first
least, most = np.linalg.svd(flat_gain)[1][::-1]

# %% tags=["hide-input", "remove-output"]
fig, (size_ax, angle_ax) = panels(2)
average = measured_error.mean(axis=1)
band = np.percentile(measured_error, [10, 90], 1)
power_law(size_ax, sizes, average, label="measured", color=FIRST, slope=1)
size_ax.fill_between(sizes, *band, color=FIRST, alpha=0.18, linewidth=0)
size_ax.set(xlabel=r"size of the gap $|\Delta|$", ylabel="remaining error of A")
angle_ax.plot(np.degrees(angles), angle_error, color=FIRST)
for value in (least, most):
    angle_ax.axhline(value, color=THEORY, linestyle="--", linewidth=1)
angle_ax.set(
    xlabel="direction of the gap (degrees)",
    ylabel="remaining error of A",
    xticks=range(0, 361, 90),
    ylim=(0, None),
)
show("fig-equilibrium-gap", fig)

# %% [markdown]
# ```{glue:figure} fig-equilibrium-gap
# ---
# name: fig-equilibrium-gap
# alt: >-
#   Left panel: with the parameters of the book, a straight line of slope one on log axes. Right panel: error against
#   angle, a wave between two dashed lines.
# ---
# Left: the first agent's remaining error against the size of the gap, mean and 10th to 90th percentile over random
# pairs; the dashed line has slope 1. Right: the same error against the direction of a gap of length 1, for one pair in
# the plane; the dashed lines are the singular values of the gain matrix.
# ```

# %% [markdown]
# ```{prf:corollary} Lopsided prompts
# :label: cor-lopsided
#
# Let $Q = qI$ with $0 < q < 1$, and let $P$ have its eigenvalues $p_i$ in $[0, 1]$. Over gaps of length 1 in uniformly
# random directions the mean of $|e_A|^2$ is $\frac{1}{d}\sum_i g(p_i)^2$ with $g(p) = \frac{p(1-q)}{1-pq}$, and it
# grows whenever the $p_i$ are spread out, in the sense that the old ones are averages of the new ones (a doubly
# stochastic matrix times them).
#
# In the mirror case, $P = pI$ with $0 < p < 1$ and the eigenvalues $q_i$ of $Q$ in $[0, 1]$, the mean gain
# $\frac{1}{d} \operatorname{tr} G_A = \frac{1}{d} \sum_i \frac{p(1-q_i)}{1-pq_i}$ falls when the $q_i$ are spread out.
# That is the mean gain; the mean error need not fall.
# ```
#
# ```{prf:proof}
# $G_A$ is symmetric with eigenvalues $g(p_i)$, and the mean of $|G_A \Delta|^2$ over unit vectors is
# $\operatorname{tr}(G_A^2)/d$. On $[0, 1]$, $g \ge 0$, $g' = (1-q)/(1-pq)^2 > 0$ and $g'' = 2q(1-q)/(1-pq)^3 > 0$: $g$
# is convex, not negative and increasing, so $g^2$ is convex, and a convex function's sum is the larger the more its
# arguments are spread out in that sense (Karamata). In the mirror case the second derivative in $q_i$ is
# $-2p^2(1-p)/(1-pq_i)^3 < 0$: concave.
# ```
#
# An agent that sees little along some directions can't hold its ground there. A partner that sees little along some
# directions leaves those to A, and pulls harder along the others. Below, one agent's prompt keeps its mean eigenvalue
# but spreads the spectrum over a condition number $\kappa$, in random directions; the other's stays isotropic. The
# disagreement is a random direction of length 1, and both steps are small enough for the longest axis.

# %%
conditions = np.geomspace(1, 1000, 10)
spectra = conditions[:, None] ** np.linspace(-0.5, 0.5, d)
spectra /= spectra.mean(axis=1, keepdims=True)
small_step = 1 / spectra.max()
draws = max(40, 1600 // d)
lopsided = random_covariance(rng, spectra, batch=(draws,))
unit = rng.standard_normal((draws, 1, d))
unit /= norm(unit)[..., None]


# %%
def remaining_error(S_first, S_second):
    first = GradientAgent(S_first, np.zeros_like(unit), small_step)
    second = GradientAgent(S_second, unit, small_step)
    return norm(a2a.equilibrium(first, second).bias_first)


own_lopsided = remaining_error(lopsided, eye)
partner_lopsided = remaining_error(eye, lopsided)

# %%
step_A, step_B = small_step * spectra[-1], small_step  # eigenvalues
p_lopsided, q_round = 1 - step_A, 1 - step_B
gains = p_lopsided * (1 - q_round) / (1 - p_lopsided * q_round)
over_formula = own_lopsided[:, -1] ** 2 / np.mean(gains**2)
mirror = a2a.equilibrium(
    GradientAgent(eye, origin, small_step),
    GradientAgent(lopsided[:, -1], origin, small_step),
).gain_first
mean_gain = np.trace(mirror, axis1=-2, axis2=-1) / d
p_round, q_lopsided = q_round, p_lopsided
mirror_gains = p_round * (1 - q_lopsided) / (1 - p_round * q_lopsided)

# %% tags=["nbval-check-output"]
checks.add(
    "A6",
    "own prompt lopsided: error squared over the corollary's mean",
    same(intervals.mean(over_formula, rng, 1000, "pairs"), to=1, margin=0.5),
)
what = "partner's prompt lopsided: mean gain minus the corollary's"
off = close(mean_gain - mirror_gains.mean(), tolerance=1e-10)
checks.add("A6", what, off)

# %% tags=["nbval-check-output"]
growth = own_lopsided[:, -1] ** 2 - own_lopsided[:, 0] ** 2
checks.add(
    "A6",
    "own prompt lopsided, condition number 1,000, against isotropic: error squared",
    different(intervals.mean(growth, rng, 1000, "pairs"), 1),
    given=[requires("d", d, ">=", 2)],
)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
for errors, color, label in (
    (own_lopsided, FIRST, "A's own prompt"),
    (partner_lopsided, SECOND, "B's prompt"),
):
    average, band = errors.mean(axis=0), np.percentile(errors, [10, 90], axis=0)
    ax.plot(conditions, average, "o-", color=color, label=label, markersize=4)
    ax.fill_between(conditions, *band, color=color, alpha=0.18, linewidth=0)
ax.set(
    xscale="log",
    xlabel="condition number of the prompt",
    ylabel="remaining error of A",
)
ax.legend(title="lopsided:")
show("fig-equilibrium-anisotropy", fig)

# %% [markdown]
# ```{glue:figure} fig-equilibrium-anisotropy
# ---
# name: fig-equilibrium-anisotropy
# alt: >-
#   With the parameters of the book the blue curve rises with the condition number; the orange curve falls a little
#   while its band widens.
# ---
# Remaining error of the first agent against the condition number of its own prompt (blue) and of its partner's
# (orange), mean and 10th to 90th percentile over random orientations.
# ```

# %% [markdown]
# ```{prf:corollary} Isotropic prompts
# :label: cor-isotropic
#
# If $P = pI$ and $Q = qI$ with $|pq| < 1$, then $e_A = \dfrac{p(1-q)}{1-pq}\,\Delta$ and
# $e_B = -\dfrac{q(1-p)}{1-pq}\,\Delta$.
# ```
#
# ```{prf:corollary} A bound from norms alone
# :label: cor-bound
#
# If $\|P\|\,\|Q\| < 1$, then $\displaystyle |e_A| \le \frac{\|P\|\,\|I-Q\|}{1 - \|P\|\,\|Q\|}\,|\Delta|$.
#
# For isotropic prompts with $q \ne 1$ and $\Delta \ne 0$ it is met if and only if $pq \ge 0$.
# ```
#
# Both follow from {prf:ref}`thm-equilibrium`, the second by summing the norms of $\sum_k (PQ)^k P (I-Q)\Delta$. For
# isotropic prompts the two sides differ by the factor $(1 - |pq|)/(1 - pq)$ alone, or are both 0 if $p = 0$. Other
# prompts can meet it, too: where neither $P$ nor $Q$ is 0, it takes a gap along one eigenvector that $P$, $Q$ and $I-Q$
# all stretch by their norms, with signs alike, as for $P = \operatorname{diag}(0.9, 0.5)$, $Q = I/2$ and $\Delta$ along
# the first axis.

# %%
p, q = rng.uniform(-0.9, 0.9, (2, instances))
iso_first = GradientAgent((1 - p)[:, None, None] * eye, first.theta, 1.0)
iso_second = GradientAgent((1 - q)[:, None, None] * eye, second.theta, 1.0)
iso = alternate(iso_first, iso_second, w0, 400, history=False)
iso_error = iso.first[-1] - first.theta
corollary = (p * (1 - q) / (1 - p * q))[:, None] * gap
contract_alone = requires("|pq|", np.abs(p * q), "<", 1)

# %% tags=["nbval-check-output"]
isotropic_residual = norm(iso_error - corollary) / norm(gap)
what = "isotropic prompts: simulated minus predicted error over the gap"
evidence = close(isotropic_residual, tolerance=1e-10)
checks.add("A4", what, evidence, given=[contract_alone])
factor = (1 - abs(p * q)) / (1 - p * q)
iso_bound = a2a.bias_bound(iso_first, iso_second)
off = (norm(iso_error) - factor * iso_bound) / norm(gap)
what = "isotropic prompts: error minus (1-|pq|)/(1-pq) times the bound"
checks.add("A4", what, close(off, tolerance=1e-10), given=[contract_alone])

# %% tags=["nbval-check-output"]
bound = a2a.bias_bound(first, second)
norms = np.round(operator_norm(first.M) * operator_norm(second.M), 12)
simulated = norm(last.first[-1] - first.theta)
below_1 = requires("|P||Q|", norms, "<", 1)
bounded = every((simulated - bound) / norm(gap) <= 1e-8)
what = "error within the bound from norms"
checks.add("A4", what, bounded, given=[full_rank, below_1, rests])

# %% [markdown]
# ## Small steps
#
# ```{prf:theorem} Small-step limit
# :label: thm-small-steps
#
# Let $\eta_A = \alpha h$ and $\eta_B = \beta h$ with $\alpha, \beta > 0$ fixed, and let $X = \alpha S_A + \beta S_B$ be
# positive definite. As $h \to 0$, $e_A \to e_0 = X^{-1} \beta S_B \Delta$, and with $Y = \alpha\beta S_A S_B$
#
# $$
# e_A - e_0 = -h\,(X - hY)^{-1}\, Y X^{-1} \alpha S_A \Delta .
# $$
#
# So if $S_B \Delta \ne 0$, which makes $e_0 \ne 0$, the relative error is at most proportional to $h$. The limit
# $\theta_A + e_0$ is the minimum of the two losses added up with the step sizes as weights.
# ```
#
# ```{prf:proof}
# $I - PQ = hX - h^2 Y$ and $P(I-Q) = h\beta S_B - h^2 Y$. For small $h$ the pair contracts. Divide both by $h$:
# $(X - hY)\,e_A = (\beta S_B - hY)\,\Delta$. Subtract $(X - hY)\,e_0 = \beta S_B \Delta - hY e_0$:
# $(X - hY)(e_A - e_0) = -hY(\Delta - e_0)$, and $\Delta - e_0 = X^{-1}\alpha S_A\Delta$. $X$ is invertible, so $X - hY$
# is for small $h$. The sum of the losses has the gradient $\alpha S_A (w - \theta_A) + \beta S_B (w - \theta_B)$, which
# is 0 at $\theta_A + e_0$.
# ```
#
# By machine, from the definitions alone: the four equations of a turn at rest in $d = 2$ are solved for $a^*$, the
# losses are added up and differentiated, and the gradient at the limit of $a^*$ is simplified.

# %%
h, alpha, s, t = sp.symbols("h alpha s t", positive=True)
S_A, S_B = sp.Matrix([[s, 1], [1, t]]), sp.diag(t, s)
here, there = sp.Matrix(sp.symbols("a_1 a_2")), sp.Matrix(sp.symbols("b_1 b_2"))
target = sp.Matrix(sp.symbols("theta_1 theta_2"))  # theta_B; theta_A is 0
half_turns = [
    *(here - there + h * alpha * S_A * there),
    *(there - here + h * S_B * (here - target)),
]
at_rest = here.subs(sp.solve(half_turns, [*here, *there]))
limit_point = at_rest.applyfunc(sp.cancel).subs(h, 0)

# %% tags=["nbval-check-output"]
away = here - target
losses = (alpha * here.T * S_A * here + away.T * S_B * away)[0] / 2
gradient = sp.Matrix([sp.diff(losses, one) for one in here])
at_limit = gradient.subs(dict(zip(here, limit_point)))
print("gradient at the limit:", list(at_limit.applyfunc(sp.simplify)))

# %% [markdown]
# In numbers: the two step sizes keep their ratio and shrink together, measured by the largest eigenvalue of
# $\eta_A S_A + \eta_B S_B$ over all pairs. The theorem's first order is $-h X^{-1} Y X^{-1} \alpha S_A \Delta$; where
# $h \|X^{-1} Y\| < 0.01$ it is right to within 2 %. The condition number of $X$ says how many digits the inverse
# leaves.

# %%
total = first.step + second.step
unit_step = 1 / np.linalg.eigvalsh(total)[..., -1].max()


def slowed(factor):
    """The pairs with both step sizes `factor` in units of the largest one."""
    return [
        GradientAgent(agent.S, agent.theta, factor * unit_step * agent.eta)
        for agent in (first, second)
    ]


def distance_to_limit(factor):
    slow = slowed(factor)
    found = a2a.equilibrium(*slow, first.theta, require_stable=False)
    return found.bias_first - a2a.small_step_bias(*slow)


# %%
limit = a2a.small_step_bias(first, second)
shrinkage = np.geomspace(1e-3, 0.5, 8)
deviation = [
    np.mean(norm(distance_to_limit(factor)) / norm(limit)) for factor in shrinkage
]

# %%
tiny = 1e-4
agent_A, agent_B = slowed(tiny)
inverse = np.linalg.pinv(agent_A.step + agent_B.step, hermitian=True)
ratio = inverse @ agent_A.step @ agent_B.step
first_order = -matvec(ratio, matvec(inverse @ agent_A.step, gap))
remainder = norm(distance_to_limit(tiny) - first_order)
share = norm(first_order) / norm(limit)
explained = remainder <= 0.02 * norm(first_order) + 1e-9 * norm(limit)

# %% tags=["nbval-check-output"]
is_small = requires("h |X^-1 Y|", operator_norm(ratio), "<", 0.01)
kappa = np.where(common_rank < d, np.inf, np.linalg.cond(total))
digits = requires("condition number of X", kappa, "<", 1e6)
resolved = requires("first order over the limit", share, ">=", 1e-7)
checks.add(
    "A5",
    "distance to the small-step limit: first order in the step, up to 2 %",
    every(explained),
    given=[all_seen, digits, is_small, resolved],
)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
power_law(
    ax,
    shrinkage[::-1] * unit_step * eta_first,
    deviation[::-1],
    label="measured",
    color=FIRST,
    slope=1,
)
ax.set(
    xlabel=r"step size $\eta_A$ (with $\eta_B$ in a fixed ratio)",
    ylabel="relative deviation from the limit",
)
show("fig-equilibrium-small-steps", fig)

# %% [markdown]
# ```{glue:figure} fig-equilibrium-small-steps
# ---
# name: fig-equilibrium-small-steps
# alt: >-
#   With the parameters of the book, a line of slope one on log axes that follows the dashed reference at small steps.
# ---
# Relative distance between the exact bias and its small-step limit, against the first agent's step size; mean over
# random pairs. The dashed line has slope 1.
# ```

# %% [markdown]
# ## Too few examples
#
# ```{prf:theorem} Directions that neither prompt shows
# :label: thm-unseen
#
# Let $K = \ker S_A \cap \ker S_B$ with projector $\Pi_K$. Nothing ever moves in $K$, and its complement is left to
# itself: there {prf:ref}`thm-stability` and {prf:ref}`thm-equilibrium` hold. Where the turns contract on the
# complement, $a^* = (I - \Pi_K)(\theta_A + e_A) + \Pi_K w_0$ with $e_A = (I - PQ + \Pi_K)^{-1} P(I-Q)\Delta$.
#
# They do contract there if all eigenvalues of $\eta_A S_A$ and $\eta_B S_B$ lie in $[0, 2)$: then
# $\|PQ(I - \Pi_K)\| < 1$.
# ```
#
# ```{prf:proof}
# $P$ and $Q$ are symmetric and the identity on $K$, so they map its complement into itself and $PQ$ splits into two
# blocks. On $K$ both maps are $w \mapsto w$. On the complement $\Pi_K$ vanishes and the earlier proofs apply; adding
# $\Pi_K$ puts the identity where $I - PQ$ is zero, and $P(I-Q)\Delta$ has no part in $K$.
#
# For the last part, the eigenvalues of $P$ lie in $(-1, 1]$, so $|Pv| \le |v|$ with equality only if $Pv = v$, that is
# $v \in \ker S_A$; likewise $Q$. Let $v$ be a unit vector of the complement. $|PQv| = |v|$ would need $|Qv| = |v|$, so
# $Qv = v \in \ker S_B$, and then $|Pv| = |v|$, so $v \in \ker S_A$: $v$ would lie in $K$. Hence $|PQv| < 1$, and on the
# compact unit sphere of the complement the maximum is below 1, too.
# ```
#
# If $K \ne 0$ then $\rho(PQ) \ge 1$, and the limit depends on the start, as {prf:ref}`thm-stability` has it. A numeric
# check with prompts of $\max(1, \lfloor d/4 \rfloor)$ examples, which leave $K \ne 0$ for $d > 2$. Steps of one over
# the trace keep every eigenvalue in $[0, 1]$.

# %%
scarce = max(1, d // 4)
few_examples = [
    sample_prompt(rng, scarce, d, agent.theta) for agent in (first, second)
]
blind = [
    GradientAgent(prompt.S, agent.theta, 1 / np.trace(prompt.S, 0, -2, -1))
    for prompt, agent in zip(few_examples, (first, second))
]
beyond = a2a.equilibrium(*blind, w0, require_stable=False)

# %%
both = np.concatenate([prompt.X for prompt in few_examples], axis=-2)
hidden = eye - np.linalg.pinv(both) @ both
contraction = operator_norm(blind[0].M @ blind[1].M - hidden)
in_time = beyond.rate**65_536 < 1e-12
many_turns = blind[0] @ blind[1]
for _ in range(16):
    many_turns = many_turns @ many_turns
unseen_residual = norm(many_turns(blind[0](w0)) - beyond.first) * in_time

# %% tags=["nbval-check-output"]
left_out = np.round(np.trace(hidden, 0, -2, -1))
unseen = requires("directions that neither sees", left_out, ">=", 1)
tops = [np.linalg.eigvalsh(agent.step)[..., -1] for agent in blind]
no_overshoot = requires("largest eta lambda", tops, "<", 2)
print(f"{in_time.sum():,} of {instances:,} pairs are at rest after 65,536 turns")
checks.add(
    "A4",
    "few examples, where the pairs at rest are: simulated minus predicted",
    close(unseen_residual, tolerance=1e-9),
    given=[unseen, requires("pairs at rest", in_time.sum(), ">=", 1)],
)

# %% tags=["nbval-check-output"]
what = "few examples: |PQ| < 1 on what at least one prompt shows"
checks.add("A3", what, every(contraction < 1), given=[unseen, no_overshoot])

# %% [markdown]
# ## Random prompts
#
# A prompt of $n$ random examples has a random geometry. As $n$ grows, $S$ concentrates on the population covariance
# with a deviation of order $1/\sqrt n$. The bias is a smooth function of both geometries wherever the population's pair
# contracts, so it concentrates on the population's bias at the same rate. Below the covariance is $I$ and the step
# sizes are limited to 1, so that the population's pair does contract; $nS$ of normal examples is drawn directly, as it
# has the Wishart distribution.

# %%
few_theta, other_theta = first.theta[:100], second.theta[:100]
calm = [min(eta, 1.0) for eta in (eta_first, eta_second)]


def bias_of(S_first, S_second):
    pair = (
        GradientAgent(S_first, few_theta, calm[0]),
        GradientAgent(S_second, other_theta, calm[1]),
    )
    return a2a.equilibrium(*pair, require_stable=False).bias_first


def random_geometry(examples):
    drawn = wishart.rvs(examples, eye, size=len(few_theta), random_state=rng)
    return np.reshape(drawn, (-1, d, d)) / examples


# %% tags=["nbval-check-output"]
examples = 4 * d * 2 ** np.arange(8)
population = bias_of(eye, eye)
spread = [
    norm(bias_of(random_geometry(m), random_geometry(m)) - population).mean()
    for m in examples.tolist()
]
slope = np.polyfit(np.log(examples[2:]), np.log(spread[2:]), 1)[0]
print(f"measured slope over the six longest prompts: {slope:.2f}")

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
power_law(ax, examples, spread, label="measured", color=FIRST, slope=-0.5)
ax.set(xlabel="in-context examples $n$", ylabel="distance to the population bias")
show("fig-equilibrium-concentration", fig)

# %% [markdown]
# ```{glue:figure} fig-equilibrium-concentration
# ---
# name: fig-equilibrium-concentration
# alt: >-
#   With the parameters of the book, a falling line of slope minus one half on log axes.
# ---
# Distance between the bias of agents with random prompts and the bias computed from the population covariance, against
# the number of in-context examples; mean over (at most 100) random pairs. The dashed line has slope -1/2.
# ```

# %% [markdown]
# ## Noisy agents: squared bias plus floor
#
# An agent that samples or errs adds noise to what it writes.
#
# ```{prf:theorem} Noise floor
# :label: thm-noise
#
# Let $\rho(PQ) < 1$, and let every output carry noise of mean 0 with covariance $C_A$ for A and $C_B$ for B,
# independent of all that came before. What B writes then has the stationary covariance that solves
# $\Sigma_B = (QP)\,\Sigma_B\,(QP)^\top + Q C_A Q^\top + C_B$, what A writes has $\Sigma_A = P \Sigma_B P^\top + C_A$,
# and $\mathbb E\,|a - \theta_A|^2 = |e_A|^2 + \operatorname{tr} \Sigma_A$.
# ```
#
# ```{prf:proof}
# The mean follows the noiseless agents, so it settles at $a^*$. The deviation of $b$ from $b^*$ is multiplied by $QP$ a
# turn and receives A's noise through $Q$ and B's directly; taking covariances gives the equation, which has one
# solution because $\rho(QP) < 1$. The last identity splits $a - \theta_A$ into mean and deviation.
# ```
#
# Along a direction that neither prompt shows the noise only adds up, and there is no floor. The check takes the first
# of the random pairs, lets it forget its start, and then averages over ten turns and 20,000 repeats; the noise has the
# standard deviation 0.1 for A and 0.05 for B in each coordinate.

# %%
noise_first, noise_second, repeats, kept = 0.1, 0.05, 20_000, 10
pair = [
    GradientAgent(agent.S[0], agent.theta[0], agent.eta)
    for agent in (first, second)
]
noisy = [
    a2a.NoisyAgent(agent, noise, rng)
    for agent, noise in zip(pair, (noise_first, noise_second))
]
rate, theta_A, a_star = settled.rate[0], pair[0].theta, settled.first[0]
to_forget = turns_to(rate, 1e-6, at_most=10**9)
burn_in = to_forget if to_forget <= 1000 else 100

# %%
has_floor = rate < 1 and common_rank.min() == d
covariances = [noise**2 * eye for noise in (noise_first, noise_second)]
floor = np.inf
if has_floor:
    floor = np.trace(a2a.noise_floor(*pair, *covariances)[0])
bias_square = norm(a_star - theta_A) ** 2
expected = bias_square + floor

# %%
start = np.zeros((repeats, d))
reached = alternate(*noisy, start, burn_in, history=False).second[-1]
late = alternate(*noisy, reached, kept).first
scatter = np.mean(norm(late - a_star) ** 2, axis=0)
mean_square = np.mean(norm(late - theta_A) ** 2, axis=0)

# %% tags=["nbval-check-output"]
contracts_here = requires("rho(PQ) of the pair", rate, "<", 1)
forgets = requires("turns until the start is forgotten", to_forget, "<=", 1000)
for what, ratios in (
    (
        "mean squared error of a noisy agent over squared bias plus floor",
        mean_square / expected,
    ),
    ("measured noise floor over the Lyapunov equation's", scatter / floor),
):
    estimate = intervals.mean(ratios, rng, 400, "repeats")
    given = [contracts_here, all_seen, forgets]
    checks.add("A12", what, same(estimate, to=1, margin=0.05), given=given)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
early = alternate(
    *noisy, start[:500], turns if has_floor else min(turns, burn_in)
)
by_turn = np.mean(norm(early.first - theta_A) ** 2, axis=1)
ax.plot(np.arange(1, len(by_turn) + 1), by_turn, color=FIRST, label="measured")
if has_floor:
    ax.axhline(expected, color=THEORY, linestyle="--", label="bias² + floor")
    ax.axhline(bias_square, color=THEORY, linestyle=":", label="bias² alone")
ax.set(yscale="log", xlabel="turn", ylabel="mean squared error of A")
ax.legend()
show("fig-equilibrium-noise", fig)

# %% [markdown]
# ```{glue:figure} fig-equilibrium-noise
# ---
# name: fig-equilibrium-noise
# alt: >-
#   With the parameters of the book, the measured curve falls in a few turns to the dashed line and stays there, above
#   the dotted line.
# ---
# Mean squared error of a noisy agent against the turn, over 500 runs, with the prediction of squared bias plus floor
# (dashed) and the squared bias alone (dotted), where there are such.
# ```

# %% [markdown]
# ## Rounding is not such noise
#
# An agent that rounds what it writes to a grid of width $h$ errs by up to $h/2$, but what it errs by hangs on what it
# read. A step that is shorter than half a grid width is rounded away.
#
# ```{prf:proposition} Dead zone
# :label: prop-dead-zone
#
# Let an agent round each coordinate of its answer to the grid $h\mathbb Z$. A grid point $w$ at which every coordinate
# of $\eta S(w - \theta)$ is below $h/2$ in size is a fixed point: the agent stalls there. Along an eigenvector $v$ of
# $S$ with the eigenvalue $\lambda > 0$ the inequality holds up to the distance
# $h|v| / (2 \eta\lambda \max_i |v_i|) \ge h / (2\eta\lambda)$ from $\theta$.
#
# If $S = \lambda I$ with $s = \eta\lambda \le 1/2$ and the agent starts on a grid point outside the zone in every
# coordinate, it stops at a distance between $h/(2s) - h$ and $h/(2s)$ from $\theta$ in every coordinate.
# ```
#
# ```{prf:proof}
# The answer is $w - \eta S(w - \theta)$, rounded; $w$ is on the grid and the rest rounds to 0. For $w - \theta = cv$
# the condition is $|c|\, \eta\lambda \max_i |v_i| < h/2$.
#
# If $S = \lambda I$, the coordinates don't meet, and by symmetry let $x = w_i - \theta_i > 0$. A step takes $x$ to
# $x - hk$, where $k$ is the whole number nearest to $sx/h$. Outside the zone, $x \ge h/(2s)$ and $k \ge 1$, so $x$
# falls until it is in the zone. If $x < 3h/(2s)$ then $k = 1$, and the last step ends at $h/(2s) - h$ or above. If
# $x \ge 3h/(2s)$ then the step ends at no less than $(1-s)x - h/2 \ge 3h/(2s) - 2h \ge h/(2s)$, still outside.
# ```
#
# So the error that rounding leaves scales as $h/(\eta\lambda)$. Independent noise of the variance $h^2/12$ that
# rounding errors have would leave $h/\sqrt{12(1 - (1-\eta\lambda)^2)}$, which scales as $h/\sqrt{\eta\lambda}$. A pair
# stalls in the same way wherever both corrections round to nothing, and then both write the same estimate; agents that
# don't round do so only in the case that {prf:ref}`thm-quarrel` names.

# %%
grid, strides = 0.1, np.geomspace(0.01, 0.5, 8)[:, None]
theta = rng.standard_normal((200, d))
signs = rng.choice([-1, 1], theta.shape)
distance = grid / strides[..., None] * rng.uniform(1, 3, (8, 200, d))
exact_agent = GradientAgent(eye, theta, strides)


def rounded(w):
    """What the agent writes on a grid."""
    return grid * np.round(exact_agent(w) / grid)


# %%
far = grid * np.round((theta + signs * distance) / grid)
stalled = a2a.take_turns([rounded], far, 2000, history=False)[-1, 0]
misses = np.abs(stalled - theta)
edge = grid / (2 * strides[..., None])
as_noise = grid / np.sqrt(12 * (1 - (1 - strides[:, 0]) ** 2))
rms = np.sqrt(np.mean(misses**2, axis=(1, 2)))

# %% tags=["nbval-check-output"]
at_edge = (misses <= edge + 1e-9) & (misses >= edge - grid - 1e-9)
print(f"eta lambda = {strides[0, 0]:g}: rounding leaves {rms[0]:.2f}", end=", ")
print(f"independent noise as large would leave {as_noise[0]:.2f}")
what = "rounding instead: coordinates stall at the edge of the dead zone"
stride_ok = requires("eta lambda", strides, "<=", 0.5)
outside = requires("start over the edge", np.abs(far - theta) / edge, ">=", 1)
checks.add("A12", what, every(at_edge), given=[stride_ok, outside])

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
ax.loglog(strides[:, 0], rms, "o", color=FIRST, label="rounding, measured")
ax.loglog(
    strides[:, 0],
    edge[:, 0, 0],
    "--",
    color=THEORY,
    label="edge of the dead zone",
)
ax.loglog(strides[:, 0], as_noise, ":", color=THEORY, label="independent noise")
ax.set(xlabel=r"$\eta\lambda$", ylabel="error in a coordinate")
ax.legend()
show("fig-equilibrium-rounding", fig)

# %% [markdown]
# ```{glue:figure} fig-equilibrium-rounding
# ---
# name: fig-equilibrium-rounding
# alt: >-
#   On log axes the measured points follow the dashed line of slope minus one, bend below it where the edge is a few
#   grid widths away, and lie well above the dotted line of slope minus one half at small steps.
# ---
# Error in a coordinate (root mean square) of an agent that rounds to a grid of 0.1 and starts far away, against its
# step size times the eigenvalue of its prompt. Dashed: the edge of the dead zone, $h/(2\eta\lambda)$. Dotted: what
# independent noise of the same variance would leave.
# ```

# %% [markdown]
# ## More than two agents
#
# In a ring of $N$ agents each reads what the one before it wrote. The maps compose; if $\rho(M_N \cdots M_1) < 1$, the
# proof of {prf:ref}`thm-stability` applies word by word, and what the last one writes converges to
# $w^* = (I - M_N \cdots M_1)^{-1} \sum_i (M_N \cdots M_{i+1}) (I - M_i)\, \theta_i$. Four agents, with at least $d$
# examples each and steps that are a random part of $1/\lambda_{\max}$, so that the ring contracts:

# %%
ring = []
for _ in range(4):
    thetas = rng.standard_normal((instances, d))
    prompt = sample_prompt(rng, max(n, d), d, thetas)
    top = np.linalg.eigvalsh(prompt.S)[..., -1]
    part = rng.uniform(0.2, 1, instances)
    ring.append(GradientAgent(prompt.S, thetas, part / top))

# %%
round_trip = ring[3] @ ring[2] @ ring[1] @ ring[0]
ring_rate = round_trip.spectral_radius().max()
ring_needed = turns_to(ring_rate, 1e-20, at_most=10**9)
ring_rest = ring_needed if ring_needed <= patience else 500
ring_points = a2a.take_turns(ring, w0, ring_rest, history=False)[-1]

# %%
pulls = np.zeros((instances, d))
for agent in ring:
    pulls = agent.M @ pulls[..., None]
    pulls = pulls[..., 0] + matvec(agent.step, agent.theta)
formula = np.linalg.solve(eye - round_trip.M, pulls[..., None])[..., 0]

# %% tags=["nbval-check-output"]
of_all = norm(ring_points - a2a.ring_equilibrium(ring)).max(axis=0)
ring_residual = np.maximum(norm(ring_points[-1] - formula), of_all)
checks.add(
    "A4",
    "ring of four agents: simulated minus predicted",
    close(ring_residual, tolerance=1e-8),
    given=[
        requires("spectral radius of a round", ring_rate, "<", 1),
        requires("rounds until rest", ring_needed, "<=", patience),
    ],
)

# %% [markdown]
# ## What was checked
#
# All checks of this chapter; those of the whole book are collected in {doc}`/book/claims`.

# %% tags=["nbval-check-output"]
checks.table()
