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

import a2a
from a2a import GradientAgent, alternate, sample_pair, sample_prompt
from a2a.book.claims import Checks, requires
from a2a.book.figures import style
from a2a.book.prose import glue_text
from a2a.linalg import matvec, norm, operator_norm, unit
from a2a.rest import turns_until_rest

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
# stays ({prf:ref}`thm-unseen`), so `equilibrium` is told the start. The rate is that of the others.
#
# Every theorem has its hypotheses, which are computed here once and named again at each check. A simulation comes to
# rest when its slowest error is down to $10^{-20}$ of what it was; if the slowest pair needs more than 5,000 turns, all
# are followed for 500 only, and where turns don't contract, until an error may have grown $10^{20}$-fold.

# %%
slowest = settled.rate.max()
needed, until_rest = turns_until_rest(slowest)
largest = [np.linalg.eigvalsh(agent.step)[..., -1] for agent in (first, second)]
ranks = [np.linalg.matrix_rank(S) for S in (first.S, second.S)]
common_rank = np.linalg.matrix_rank(first.S + second.S)
radius = "rho(PQ)" if n >= d / 2 else "rho(PQ) where a prompt sees"
settles = requires(radius, slowest, "<", 1)
rests = requires("turns until rest", needed, "<=", 5000)
alone = requires("largest eta lambda", largest, "<", 2)
full_rank = requires("rank of S_A and S_B", ranks, ">=", d, shown="d")
all_seen = requires("rank of S_A + S_B", common_rank, ">=", d, shown="d")
shown = turns if slowest < 1 else min(turns, until_rest)
run = alternate(first, second, w0, shown)
contracting = f"{np.sum(settled.rate < 1):,} of {instances:,}"
glue_text("equilibrium-contracting", contracting)

# %% tags=["hide-input"]
from a2a.book.figures import FIRST, SECOND, errors_by_turn, headline, panels

looks = (("first agent (A)", FIRST), ("second agent (B)", SECOND))
both = (
    (run.first, first, settled.bias_first),
    (run.second, second, settled.bias_second),
)
fig, ax = panels()
for (written, agent, bias), (label, color) in zip(both, looks, strict=True):
    plateau = norm(bias) / norm(gap) if slowest < 1 else None
    errors = norm(written - agent.theta) / norm(gap)
    errors_by_turn(ax, errors, label=label, color=color, plateau=plateau)
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
# rate is $\rho(PQ)$ a turn. If $\|P\| < 1$ and $\|Q\| < 1$ it converges: agents stable alone are stable together.
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
# Each pair takes one turn from the origin and the unit vectors: the differences are the columns of $QP$. Squaring that
# matrix forty times, scaled, follows them for $2^{40}$ turns: where they shrink to a millionth, the start is lost.

# %%
from a2a.longrun import contracts, doubled, log_norms, turn_matrix
from a2a.pairs import only, with_largest

drawn = sample_pair(rng, n, d, 1.0, 1.0, batch=(instances,))
wild = [with_largest(agent, rng.uniform(0.1, 3, instances)) for agent in drawn]
rates = (wild[0] @ wild[1]).spectral_radius()
lengths = 2.0 ** np.arange(41)
logs = log_norms(turn_matrix(*wild, d), 40)
forgotten = logs[-1] < np.log(1e-6)
told = rates < 1 - np.log(1e6) / lengths[-1]  # slower pairs need more turns
print(f"{forgotten.sum():,} of {instances:,} pairs forget where they started")

# %% tags=["nbval-check-output"]
from a2a.book.evidence import close, every

what = "pairs that forget where they started: told by the radius"
checks.add("A3", what, every(forgotten == told))
rate_error = np.exp(logs[-1] / lengths[-1]) / rates - 1
what = "rate over 2^40 turns, relative to the radius"
checks.add("A3", what, close(rate_error, tolerance=1e-6))

# %% [markdown]
# That is the rate in the long run. In the first turns an error can shrink by less, as $QP$ isn't symmetric in general.

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import median_band, prediction, show
from a2a.book.plots import path_in_plane

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
# of turns $t$; median and 10th to 90th percentile over random pairs, whether they contract or not. Dashed: the limit.
# ```
#
# Agents that are stable alone are stable together. Two sets of pairs: those of this chapter, and the same prompts with
# steps drawn anywhere below the limit $2/\lambda_{\max}$ of each agent.

# %% tags=["nbval-check-output"]
shares = rng.uniform(0, 2, (2, instances))
bold = list(map(with_largest, (first, second), shares))
for name, pair, products in (
    ("pairs of this chapter", (first, second), largest),
    ("steps drawn up to the limit", bold, shares),
):
    given = [requires("largest eta lambda", products, "<", 2), full_rank]
    what = f"stable alone, stable together: {name}"
    checks.add("A3", what, every(contracts(*pair)), given=given)

# %% [markdown]
# The converse fails. An agent whose step is too large diverges when left alone; next to a partner that contracts
# enough, it is held.

# %% tags=["nbval-check-output"]
eye = np.eye(d)
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
import sympy as sp

P, Q, theta_A, theta_B, e = sp.symbols("P Q theta_A theta_B e", commutative=False)
a = theta_A + e
after_a_turn = P * (Q * a + (1 - Q) * theta_B) + (1 - P) * theta_A
theorem = (1 - P * Q) * e - P * (1 - Q) * (theta_B - theta_A)
print("difference:", sp.expand(a - after_a_turn - theorem))

# %% [markdown]
# By simulation: the agents alternate until nothing moves. Deviations are given in units of the gap.

# %% tags=["nbval-check-output"]
last = alternate(first, second, w0, until_rest, history=False)
for name, end, point in (
    ("first agent", last.first[-1], settled.first),
    ("second agent", last.second[-1], settled.second),
):
    what = f"{name}: simulated minus predicted fixed point, over the gap"
    evidence = close(norm(end - point) / norm(gap), tolerance=1e-8)
    checks.add("A4", what, evidence, given=[settles, rests])

# %% [markdown]
# The distance to the predicted point tells more than the last turn: if the formula were off by a little, the distance
# would stop falling at that little. It falls until the digits of float64 are used up.

# %%
few = slice(0, 200)
followed = min(until_rest, 500)
sample = only(first, few), only(second, few)
path = alternate(*sample, w0[few], followed)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
turn = np.arange(1, followed + 1)
written, points = (path.first, path.second), (settled.first, settled.second)
for w, point, (label, color) in zip(written, points, looks, strict=True):
    distance = norm(w - point[few]) / norm(gap[few])
    floored = np.maximum(distance, 1e-18).T  # 0 has no place on a log axis
    median_band(ax, turn, floored, color=color, label=label, marker="")
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
#
# In two dimensions the whole path can be seen.

# %%
flat_first = GradientAgent(np.diag([1.0, 0.25]), [-1.0, 0.0], 0.4)
flat_second = GradientAgent(np.diag([0.3, 1.2]), [1.0, 1.0], 0.4)
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
#   Zigzag path from a start point to two neighbouring clusters off the line between two stars, the objectives.
# ---
# The path of two agents in the plane. Each pulls along the directions that its own prompt shows well (A: horizontally,
# B: vertically); they end up stepping back and forth between two points, neither of which is an objective.
# ```
#
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
settling = settled.rate < 1
to_A, to_B = (norm(settled.second - x.theta) for x in (first, second))
nearer = np.sum((to_A < to_B) & settling)
print(f"b* is nearer to A's objective in {nearer:,} of {settling.sum():,} pairs")
quarrel = np.sum((last.second[-1] - last.first[-1]) * gap, axis=-1)
what = "at rest, what B wrote lies beyond what A wrote, seen along the gap"
given = [settles, rests, alone, full_rank]
checks.add("A4", what, every(quarrel > 0), given=given)

# %% [markdown]
# ## The error grows linearly with the gap, and geometry sets the gain
#
# The bias is a matrix times the gap, $e_A = G_A \Delta$ with $G_A = (I - PQ)^{-1} P (I - Q)$, and $G_A$ knows the
# prompts and step sizes only. So doubling the disagreement doubles the error, and the directions in which a
# disagreement hurts most and least are the singular vectors of $G_A$. The agents are now simulated, from A's objective,
# with gaps of other sizes in one random direction a pair, and with gaps of length 1 along those singular vectors.

# %%
from a2a.rest import settled_error

gain = settled.gain_first[few]
direction = unit(rng.standard_normal(gap[few].shape))
sizes = np.geomspace(0.01, 100, 5)
gaps = sizes[:, None, None] * direction
measured_error = settled_error(*sample, gaps, until_rest)
predicted_error = sizes[:, None] * norm(matvec(gain, direction))

# %% tags=["nbval-check-output"]
deviation = (measured_error - predicted_error) / sizes[:, None]
what = "simulated minus predicted error over the gap, gaps from 0.01 to 100"
checks.add("A6", what, close(deviation, tolerance=1e-8), given=[settles, rests])
_, strengths, vectors = np.linalg.svd(gain)
extreme = np.moveaxis(vectors[:, [0, -1]], 1, 0)
off = settled_error(*sample, extreme, until_rest) - strengths[:, [0, -1]].T
what = "error for a unit gap along the gain's extreme directions: singular values"
checks.add("A6", what, close(off, tolerance=1e-8), given=[settles, rests])

# %% [markdown]
# For the angle, take the pair in the plane, with a long and a short axis in each prompt, and turn the gap once around.

# %%
angles = np.linspace(0, 2 * np.pi, 73)
around = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
angle_error = settled_error(flat_first, flat_second, around, 400)
flat_gain = a2a.equilibrium(flat_first, flat_second).gain_first
least, most = np.linalg.svd(flat_gain)[1][::-1]

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import band, power_law

fig, (size_ax, angle_ax) = panels(2)
average, error_of_A = measured_error.mean(axis=1), "remaining error of A"
power_law(size_ax, sizes, average, label="measured", color=FIRST, slope=1)
band(size_ax, sizes, *np.percentile(measured_error, [10, 90], 1), color=FIRST)
size_ax.set(xlabel=r"size of the gap $|\Delta|$", ylabel=error_of_A)
angle_ax.plot(np.degrees(angles), angle_error, color=FIRST)
prediction(angle_ax, [0, 360], [[least, most]] * 2)
angle_ax.set(xlabel="direction of the gap (degrees)", ylabel=error_of_A)
angle_ax.set(xticks=range(0, 361, 90), ylim=(0, None))
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
#
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
from a2a.isotropy import isotropic_gain, lopsided_pairs, lopsided_spectra

conditions = np.geomspace(1, 1000, 10)
spectra = lopsided_spectra(conditions, d)
eta = 1 / max(1.5, spectra.max())  # in one dimension a step of 1 leaves nothing
stretched, kept = 1 - eta * spectra[-1], 1 - eta  # eigenvalues of P and Q
own, partner = lopsided_pairs(rng, spectra, eta, max(40, 1600 // d))
own_lopsided, partner_lopsided = norm(own.bias_first), norm(partner.bias_first)
mean_gain = np.trace(partner.gain_first[:, -1], 0, -2, -1) / d

# %% tags=["nbval-check-output"]
from a2a import intervals
from a2a.book.evidence import different, same

p, q = stretched, kept
over_formula = own_lopsided[:, -1] ** 2 / np.mean(isotropic_gain(p, q) ** 2)
estimate = intervals.mean(over_formula, rng, 1000, "pairs")
what = "own prompt lopsided: error squared over the corollary's mean"
checks.add("A6", what, same(estimate, to=1, margin=0.5))
off = mean_gain - isotropic_gain(q, p).mean()
what = "partner's prompt lopsided: mean gain minus the corollary's"
checks.add("A6", what, close(off, tolerance=1e-10))
growth = own_lopsided[:, -1] ** 2 - own_lopsided[:, 0] ** 2
evidence = different(intervals.mean(growth, rng, 1000, "pairs"), 1)
what = "own prompt lopsided, condition number 1,000, against isotropic: error squared"
checks.add("A6", what, evidence, given=[requires("d", d, ">=", 2)])

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
for errors, color, label in (
    (own_lopsided, FIRST, "A's own prompt"),
    (partner_lopsided, SECOND, "B's prompt"),
):
    average, ends = errors.mean(axis=0), np.percentile(errors, [10, 90], axis=0)
    ax.plot(conditions, average, "o-", color=color, label=label, markersize=4)
    band(ax, conditions, *ends, color=color)
ax.set(xscale="log", xlabel="condition number of the prompt", ylabel=error_of_A)
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
#
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
# prompts can meet it: where neither $P$ nor $Q$ is 0, it takes a gap along one eigenvector that $P$, $Q$ and $I-Q$ all
# stretch by their norms, signs alike, as for $P = \operatorname{diag}(0.9, 0.5)$, $Q = I/2$, $\Delta$ on axis 1.

# %% tags=["nbval-check-output"]
from a2a.isotropy import isotropic_agent

p, q = rng.uniform(-0.9, 0.9, (2, instances))
iso_pair = isotropic_agent(first.theta, p), isotropic_agent(second.theta, q)
iso = alternate(*iso_pair, w0, 400, history=False).first[-1] - first.theta
contract_alone = requires("|pq|", np.abs(p * q), "<", 1)
off = norm(iso - isotropic_gain(p, q)[:, None] * gap) / norm(gap)
what = "isotropic prompts: simulated minus predicted error over the gap"
checks.add("A4", what, close(off, tolerance=1e-10), given=[contract_alone])
factor = (1 - abs(p * q)) / (1 - p * q)
off = (norm(iso) - factor * a2a.bias_bound(*iso_pair)) / norm(gap)
what = "isotropic prompts: error minus (1-|pq|)/(1-pq) times the bound"
checks.add("A4", what, close(off, tolerance=1e-10), given=[contract_alone])

# %% tags=["nbval-check-output"]
norms = np.round(operator_norm(first.M) * operator_norm(second.M), 12)
over = norm(last.first[-1] - first.theta) - a2a.bias_bound(first, second)
given = [full_rank, requires("|P||Q|", norms, "<", 1), rests]
what = "error within the bound from norms"
checks.add("A4", what, every(over / norm(gap) <= 1e-8), given=given)

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
# is for small $h$. The sum's gradient $\alpha S_A (w - \theta_A) + \beta S_B (w - \theta_B)$ is 0 at $\theta_A + e_0$.
# ```
#
# By machine, from the definitions alone: the four equations of a turn at rest in $d = 2$ are solved for $a^*$, the
# losses are added up and differentiated, and the gradient at the limit of $a^*$ is simplified.

# %% tags=["nbval-check-output"]
h, alpha, s, t = sp.symbols("h alpha s t", positive=True)
S_A, S_B = sp.Matrix([[s, 1], [1, t]]), sp.diag(t, s)
here, there = sp.Matrix(sp.symbols("a_1 a_2")), sp.Matrix(sp.symbols("b_1 b_2"))
target = sp.Matrix(sp.symbols("theta_1 theta_2"))  # theta_B; theta_A is 0
first_half = here - there + h * alpha * S_A * there
second_half = there - here + h * S_B * (here - target)
settled_at = sp.solve([*first_half, *second_half], [*here, *there])
limit_point = here.subs(settled_at).applyfunc(sp.cancel).subs(h, 0)
away = here - target
losses = (alpha * here.T * S_A * here + away.T * S_B * away)[0] / 2
gradient = sp.Matrix([sp.diff(losses, one) for one in here])
at_limit = gradient.subs(dict(zip(here, limit_point, strict=True)))
print("gradient at the limit:", list(at_limit.applyfunc(sp.simplify)))

# %% [markdown]
# In numbers: the two step sizes keep their ratio and shrink together, measured by the largest eigenvalue of
# $\eta_A S_A + \eta_B S_B$ over all pairs. The theorem's first order is $-h X^{-1} Y X^{-1} \alpha S_A \Delta$; where
# $h \|X^{-1} Y\| < 0.01$ it is right to within 2 %. The condition number of $X$ tells how many digits are left.

# %%
from a2a import small_steps

total = first.step + second.step
unit_step = 1 / np.linalg.eigvalsh(total)[..., -1].max()
limit = norm(a2a.small_step_bias(first, second))
shrinkage = np.geomspace(0.5, 1e-3, 8)
deviation = []
for factor in shrinkage * unit_step:
    slow = small_steps.slowed(factor, first, second)
    deviation.append(np.mean(norm(small_steps.deviation(*slow)) / limit))

# %% tags=["nbval-check-output"]
slow = small_steps.slowed(1e-4 * unit_step, first, second)
first_order = small_steps.correction(*slow)
remainder = norm(small_steps.deviation(*slow) - first_order)
explained = remainder <= 0.02 * norm(first_order) + 1e-9 * limit
ratio = operator_norm(small_steps.ratio(*slow))
kappa = np.where(common_rank < d, np.inf, np.linalg.cond(total))
given = [
    all_seen,
    requires("condition number of X", kappa, "<", 1e6),
    requires("h |X^-1 Y|", ratio, "<", 0.01),
    requires("first order over the limit", norm(first_order) / limit, ">=", 1e-7),
]
what = "distance to the small-step limit: first order in the step, up to 2 %"
checks.add("A5", what, every(explained), given=given)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
steps = shrinkage * unit_step * eta_first
power_law(ax, steps, deviation, label="measured", color=FIRST, slope=1)
ax.set(xlabel=r"step size $\eta_A$ (with $\eta_B$ in a fixed ratio)")
ax.set(ylabel="relative deviation from the limit")
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
#
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
prompts = [sample_prompt(rng, scarce, d, x.theta) for x in (first, second)]
blind = [
    GradientAgent(prompt.S, agent.theta, 1 / np.trace(prompt.S, 0, -2, -1))
    for prompt, agent in zip(prompts, (first, second), strict=True)
]
beyond = a2a.equilibrium(*blind, w0, require_stable=False)
inputs = np.concatenate([prompt.X for prompt in prompts], axis=-2)
hidden = eye - np.linalg.pinv(inputs) @ inputs
contraction = operator_norm(blind[0].M @ blind[1].M - hidden)
in_time = beyond.rate**65_536 < 1e-12
many_turns = doubled(blind[0] @ blind[1], 16)
unseen_residual = norm(many_turns(blind[0](w0)) - beyond.first) * in_time

# %% tags=["nbval-check-output"]
left_out = np.round(np.trace(hidden, 0, -2, -1))
unseen = requires("directions that neither sees", left_out, ">=", 1)
resting = requires("pairs at rest", in_time.sum(), ">=", 1)
print(f"{in_time.sum():,} of {instances:,} pairs are at rest after 65,536 turns")
what = "few examples, where the pairs at rest are: simulated minus predicted"
evidence = close(unseen_residual, tolerance=1e-9)
checks.add("A4", what, evidence, given=[unseen, resting])
tops = [np.linalg.eigvalsh(agent.step)[..., -1] for agent in blind]
given = [unseen, requires("largest eta lambda", tops, "<", 2)]
what = "few examples: |PQ| < 1 on what at least one prompt shows"
checks.add("A3", what, every(contraction < 1), given=given)

# %% [markdown]
# Prompts are random, and answers may be noisy, rounded or from prompts that change. What that does to the equilibrium
# is the subject of {doc}`07_noise`.
#
# ## More than two agents
#
# In a ring of $N$ agents each reads what the one before it wrote. The maps compose; if $\rho(M_N \cdots M_1) < 1$, the
# proof of {prf:ref}`thm-stability` applies word by word, and what the last one writes converges to
# $w^* = (I - M_N \cdots M_1)^{-1} \sum_i (M_N \cdots M_{i+1}) (I - M_i)\, \theta_i$. Four agents, with at least $d$
# examples each and steps that are a random part of $1/\lambda_{\max}$, so that the ring contracts:

# %%
from a2a.pairs import random_ring

ring = random_ring(rng, 4, instances, max(n, d), d)
round_trip = ring[3] @ ring[2] @ ring[1] @ ring[0]
ring_rate = round_trip.spectral_radius().max()
ring_needed, ring_rest = turns_until_rest(ring_rate)
ring_points = a2a.take_turns(ring, w0, ring_rest, history=False)[-1]

# %% tags=["nbval-check-output"]
pulls = np.zeros((instances, d))
for agent in ring:
    pulls = matvec(agent.M, pulls) + matvec(agent.step, agent.theta)
formula = np.linalg.solve(eye - round_trip.M, pulls[..., None])[..., 0]
of_all = norm(ring_points - a2a.ring_equilibrium(ring)).max(axis=0)
off = np.maximum(norm(ring_points[-1] - formula), of_all)
rounds_settle = requires("spectral radius of a round", ring_rate, "<", 1)
rounds_rest = requires("rounds until rest", ring_needed, "<=", 5000)
what = "ring of four agents: simulated minus predicted"
given = [rounds_settle, rounds_rest]
checks.add("A4", what, close(off, tolerance=1e-8), given=given)

# %% [markdown]
# ## What was checked
#
# All checks of this chapter; those of the whole book are collected in {doc}`/book/claims`.

# %% tags=["nbval-check-output"]
checks.table()
