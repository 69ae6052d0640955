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
# Two agents take turns. Each reads the estimate that the other has just written and takes one gradient step towards
# its own objective. **They settle, neither at its objective, and the distance that remains is known in advance** from
# the gap between the objectives and the geometry of the two prompts (paper A, {cite}`cosentino2025`).
#
# ```{glue:figure} equilibrium-headline
# :name: fig-equilibrium-headline
# :alt: Distance of each agent to its own objective against the turn, on a log axis. Both curves fall for a few turns and then stay flat on the dashed lines that mark the predicted plateaus.
#
# Distance of each agent to its own objective, in units of the gap $|\theta_B - \theta_A|$: mean over random pairs, band from the
# 10th to the 90th percentile. The dashed lines are the plateaus that {prf:ref}`thm-equilibrium` predicts from the prompts alone.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook
d = 8  # dimension of the regression task
n = 30  # in-context examples in each prompt
eta_first = 0.3  # step size of the first agent
eta_second = 0.2  # step size of the second agent
turns = 40  # turns in the figures
instances = 2000  # random pairs in each numeric check

# %% [markdown]
# ## Setting
#
# The first agent, A, has a prompt with geometry $S_A = X_A^\top X_A / n$, an objective $\theta_A$ and a step size $\eta_A$; the
# second, B, likewise. With $P = I - \eta_A S_A$ and $Q = I - \eta_B S_B$ a turn is
#
# ```{math}
# :label: eq-turn
# \begin{aligned}
# a_{t+1} &= P\, b_t + (I - P)\,\theta_A, \\
# b_{t+1} &= Q\, a_{t+1} + (I - Q)\,\theta_B .
# \end{aligned}
# ```
#
# The gap between the objectives is $\Delta = \theta_B - \theta_A$. That one linear self-attention layer computes exactly such a
# step is shown in {doc}`01_lsa`; the symbols are listed in {doc}`/book/notation`.

# %% tags=["hide-input"]
import numpy as np
import sympy as sp

import a2a
from a2a import (
    GradientAgent,
    alternate,
    random_covariance,
    sample_pair,
    sample_prompt,
)
from a2a.arrays import matvec, norm
from a2a.claims import claim, magnitude

# %% tags=["hide-input"]
from a2a.figures import (
    FIRST,
    SECOND,
    THEORY,
    errors_by_turn,
    headline,
    on_the_diagonal,
    panels,
    path_in_plane,
    power_law,
    show,
    style,
)

style()
rng = np.random.default_rng(seed)


# %%
first, second = sample_pair(rng, n, d, eta_first, eta_second, batch=(instances,))
w0 = rng.standard_normal((instances, d))
run = alternate(first, second, w0, turns)
settled = a2a.equilibrium(first, second)
gap_size = norm(second.theta - first.theta)
until_rest = int(
    min(40 / -np.log(settled.rate.max()), 20_000)
)  # errors below e^-40

# %% tags=["hide-input"]
fig, ax = panels()
for written, agent, bias, name, color in (
    (run.first, first, settled.bias_first, "first agent (A)", FIRST),
    (run.second, second, settled.bias_second, "second agent (B)", SECOND),
):
    errors_by_turn(
        ax,
        norm(written - agent.theta) / gap_size,
        label=name,
        color=color,
        plateau=norm(bias) / gap_size,
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
# The pair {eq}`eq-turn` converges from every start if and only if $\rho(PQ) < 1$, and then at the rate $\rho(PQ)$ a turn.
# If $\|P\| < 1$ and $\|Q\| < 1$ the pair converges: agents that are stable alone are stable together.
# ```
#
# ```{prf:proof}
# Put the second half of a turn into the first: $a_{t+1} = PQ\,a_t + P(I-Q)\theta_B + (I-P)\theta_A$. The difference of two runs
# is multiplied by $PQ$ each turn, and powers of a matrix tend to 0 exactly when its spectral radius is below 1 (Gelfand);
# if $\rho(PQ) \ge 1$ a start that differs along the leading eigenvector keeps that difference for ever. Last,
# $\rho(PQ) \le \|PQ\| \le \|P\|\,\|Q\|$.
# ```
#
# The check draws step sizes so large that many pairs diverge, and asks which of them have come to rest after many turns.

# %%
large_steps = rng.uniform(0.1, 2.0, (2, instances))
wild_first, wild_second = sample_pair(rng, n, d, *large_steps, batch=(instances,))
turn_map = wild_first @ wild_second
rates = turn_map.spectral_radius()

# %% [markdown]
# Squaring the matrix of a turn twelve times gives 4,096 turns. Pairs within 1 % of $\rho = 1$ are left out: no number of turns
# that anyone can wait for tells those apart.

# %% tags=["nbval-check-output"]
power = turn_map.M
for _ in range(12):
    power = np.clip(power @ power, -1e100, 1e100)
at_rest = np.abs(power).max(axis=(-2, -1)) < 1e-6
clear = np.abs(rates - 1) > 0.01
share_right = np.mean(at_rest[clear] == (rates[clear] < 1))
print(f"{at_rest[clear].sum()} of {clear.sum()} pairs come to rest")
print(f"the spectral radius tells which in {share_right:.1%} of cases")

# %% [markdown]
# The rate itself is what the slowest error shrinks by. An error obeys the same map with both objectives at 0, where it can be
# followed far below rounding; the slowest one shows once the faster ones are gone, so the rate is read off the last hundred turns.

# %%
origin = np.zeros((instances, d))
towards_0 = [
    GradientAgent(agent.S, origin, agent.eta) for agent in (first, second)
]
errors = norm(alternate(*towards_0, w0, 300).first)
measured_rate = (errors[-1] / errors[199]) ** (1 / 100)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-equilibrium-rate", "caption": "Measured factor by which the distance to the fixed point shrinks a turn, against the spectral radius of one full turn. The dashed diagonal is exact agreement; points off it have a second error that shrinks almost as slowly."}, "image": {"alt": "Scatter of measured rate against spectral radius; the points lie on the diagonal."}}
fig, ax = panels()
on_the_diagonal(ax, settled.rate, measured_rate, logarithmic=False)
ax.set(xlabel=r"spectral radius $\rho(PQ)$", ylabel="measured factor a turn")
show(fig)

# %% [markdown]
# The converse of the last part of {prf:ref}`thm-stability` fails. An agent whose step is too large diverges when left alone;
# next to a partner that contracts enough, it is held.

# %% tags=["nbval-check-output"]
eye = np.eye(d)
reckless = GradientAgent(eye, np.ones(d), eta=2.5)
careful = GradientAgent(eye, -np.ones(d), eta=0.5)
alone = reckless.spectral_radius()
print(f"alone, the first agent multiplies its error by {alone:.2f} a turn")
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
# $\theta_B = \theta_A + \Delta$: the constant terms cancel and $e = PQ\,e + P(I-Q)\Delta$ remains. Since $\rho(PQ) < 1$, $I - PQ$ is
# invertible. Exchanging the agents exchanges $P$ with $Q$ and $\Delta$ with $-\Delta$.
# ```
#
# The algebra, once more by machine: with symbols that don't commute, for any dimension, the fixed-point equation minus the
# theorem's equation expands to zero.

# %% tags=["nbval-check-output"]
P, Q, theta_A, theta_B, e = sp.symbols("P Q theta_A theta_B e", commutative=False)
a = theta_A + e
after_a_turn = P * (Q * a + (1 - Q) * theta_B) + (1 - P) * theta_A
theorem = (1 - P * Q) * e - P * (1 - Q) * (theta_B - theta_A)
print("difference:", sp.expand(a - after_a_turn - theorem))

# %% [markdown]
# And by simulation: the agents alternate until nothing moves, and the distance to the formula is rounding noise.

# %% tags=["nbval-check-output"]
last = alternate(first, second, w0, until_rest, history=False)
residual_first = norm(last.first[-1] - first.theta - settled.bias_first)
residual_second = norm(last.second[-1] - second.theta - settled.bias_second)
print(f"largest residual over {instances:,} pairs")
print(f"A {magnitude(residual_first)}, B {magnitude(residual_second)}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-equilibrium-diagonal", "caption": "The error that remains, measured by letting each pair alternate, against the error predicted from its two prompts and objectives; one point a random pair and agent."}, "image": {"alt": "Scatter of measured against predicted remaining error for both agents; all points lie on the diagonal."}}
fig, ax = panels()
for written, agent, bias, name, color in (
    (last.second, second, settled.bias_second, "second agent (B)", SECOND),
    (last.first, first, settled.bias_first, "first agent (A)", FIRST),
):
    on_the_diagonal(
        ax,
        norm(bias),
        norm(written[-1] - agent.theta),
        color=color,
        label=name,
        logarithmic=False,
    )
ax.legend(markerscale=3)
show(fig)

# %% [markdown]
# In two dimensions the whole path can be seen. The two fixed points differ: each agent is always on its own side of the
# middle when it has just written.

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

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-equilibrium-plane", "caption": "The path of two agents in the plane. Each pulls along the directions that its own prompt shows well (A: horizontally, B: vertically); they end up stepping back and forth between two points, neither of which is an objective."}, "image": {"alt": "Zigzag path from a start point to two neighbouring clusters of points between the two stars that mark the objectives."}}
fig, ax = panels(height=4.2)
path_in_plane(ax, flat_run, flat_first.theta, flat_second.theta, flat_start)
ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
show(fig)

# %% [markdown]
# ## The error grows linearly with the gap, and geometry sets the gain
#
# The bias is a matrix times the gap, $e_A = G_A \Delta$ with $G_A = (I - PQ)^{-1} P (I - Q)$, and $G_A$ knows the prompts only. So
# doubling the disagreement doubles the error, and the directions in which a disagreement hurts most and least are the singular
# vectors of $G_A$.

# %%
sizes = np.geomspace(0.01, 100, 9)
direction = rng.standard_normal((instances, d))
direction /= norm(direction)[:, None]
gaps = sizes[:, None, None] * direction
moved = GradientAgent(second.S, first.theta + gaps, eta_second)
ends = alternate(first, moved, w0, until_rest, history=False).first[-1]
measured_error = norm(ends - first.theta)

# %% tags=["nbval-check-output"]
predicted_error = norm(matvec(settled.gain_first, gaps))
largest_deviation = np.abs(measured_error / predicted_error - 1).max()
monotone = np.mean(np.diff(measured_error, axis=0) > 0)
print(f"a larger gap gives a larger error in {monotone:.0%} of steps")
print(f"largest relative deviation {magnitude(largest_deviation)}")

# %% [markdown]
# For the angle, take one pair in two dimensions with a long and a short axis in each prompt and turn the gap once around.

# %%
angles = np.linspace(0, 2 * np.pi, 73)
around = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
turned = GradientAgent(flat_second.S, flat_first.theta + around, 0.4)
ends = alternate(flat_first, turned, np.zeros(2), 400, history=False).first[-1]
angle_error = norm(ends - flat_first.theta)
flat_gain = a2a.equilibrium(flat_first, flat_second).gain_first
least, most = np.linalg.svd(flat_gain)[1][::-1]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-equilibrium-gap", "caption": "Left: the first agent's remaining error against the size of the gap, mean and 10th to 90th percentile over random pairs; the dashed line has slope 1. Right: the same error against the direction of a gap of length 1, for one pair in the plane; the dashed lines are the singular values of the gain matrix."}, "image": {"alt": "Left panel: straight line of slope one on log axes. Right panel: error against angle, a wave between two dashed lines."}}
fig, (size_ax, angle_ax) = panels(2)
mean, band = (
    measured_error.mean(axis=1),
    np.percentile(measured_error, [10, 90], 1),
)
power_law(size_ax, sizes, mean, label="measured", color=FIRST, slope=1)
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
show(fig)

# %% [markdown]
# How lopsided a prompt is matters, and it matters whose. Below, one agent's prompt keeps its mean eigenvalue but spreads the
# spectrum over a condition number $\kappa$, in random directions; the other's stays isotropic. The disagreement is a random
# direction of length 1, and both steps are small enough for the longest axis. An agent that sees little along some directions can't hold its ground there. A partner that sees little
# along some directions leaves those to A, and pulls harder along the others.

# %%
conditions = np.geomspace(1, 1000, 10)
spectra = conditions[:, None] ** np.linspace(-0.5, 0.5, d)
spectra /= spectra.mean(axis=1, keepdims=True)
small_step = 1 / spectra.max()
draws = max(instances // 10, 20)
lopsided = random_covariance(rng, spectra, batch=(draws,))
gap = direction[:draws, None, :]


# %%
def remaining_error(S_first, S_second):
    first = GradientAgent(S_first, np.zeros_like(gap), small_step)
    second = GradientAgent(S_second, gap, small_step)
    return norm(a2a.equilibrium(first, second).bias_first)


own_lopsided = remaining_error(lopsided, eye)
partner_lopsided = remaining_error(eye, lopsided)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-equilibrium-anisotropy", "caption": "Remaining error of the first agent against the condition number of its own prompt (blue) and of its partner's (orange), mean and 10th to 90th percentile over random orientations."}, "image": {"alt": "The blue curve rises with the condition number; the orange curve stays nearly level while its band widens."}}
fig, ax = panels()
for errors, color, label in (
    (own_lopsided, FIRST, "A's own prompt"),
    (partner_lopsided, SECOND, "B's prompt"),
):
    mean, band = errors.mean(axis=0), np.percentile(errors, [10, 90], axis=0)
    ax.plot(conditions, mean, "o-", color=color, label=label, markersize=4)
    ax.fill_between(conditions, *band, color=color, alpha=0.18, linewidth=0)
ax.set(
    xscale="log",
    xlabel="condition number of the prompt",
    ylabel="remaining error of A",
)
ax.legend(title="lopsided:")
show(fig)

# %% [markdown]
# ```{prf:corollary} Isotropic prompts
# :label: cor-isotropic
#
# If $P = pI$ and $Q = qI$, then $e_A = \dfrac{p(1-q)}{1-pq}\,\Delta$ and $e_B = -\dfrac{q(1-p)}{1-pq}\,\Delta$.
# ```
#
# ```{prf:corollary} A bound from norms alone
# :label: cor-bound
#
# If $\|P\|\,\|Q\| < 1$, then $\displaystyle |e_A| \le \frac{\|P\|\,\|I-Q\|}{1 - \|P\|\,\|Q\|}\,|\Delta|$.
# ```
#
# Both follow from {prf:ref}`thm-equilibrium`, the second by summing the norms of $\sum_k (PQ)^k P (I-Q)\Delta$. The bound is met
# by isotropic prompts, and is loose for others.

# %% tags=["nbval-check-output"]
p, q = rng.uniform(-0.9, 0.9, (2, instances))
iso_first = GradientAgent((1 - p)[:, None, None] * eye, first.theta, 1.0)
iso_second = GradientAgent((1 - q)[:, None, None] * eye, second.theta, 1.0)
iso = alternate(iso_first, iso_second, w0, 400, history=False)
corollary = (p * (1 - q) / (1 - p * q))[:, None] * (second.theta - first.theta)
isotropic_residual = norm(iso.first[-1] - first.theta - corollary)
slack = norm(settled.bias_first) / a2a.bias_bound(first, second)
print(f"isotropic: largest residual {magnitude(isotropic_residual)}")
print(f"bound: {np.mean(slack < 1 + 1e-9):.0%} of random pairs within it,")
print(f"the median pair reaches {np.median(slack):.0%} of it")

# %% [markdown]
# ## Small steps
#
# ```{prf:theorem} Small-step limit
# :label: thm-small-steps
#
# As both step sizes go to 0 in a fixed ratio, $e_A \to (\eta_A S_A + \eta_B S_B)^{-1}\, \eta_B S_B\, \Delta$, with a relative error
# proportional to the step size. The limit is the minimum of the two losses added up with the step sizes as weights.
# ```
#
# ```{prf:proof}
# With $\eta_A = \alpha h$ and $\eta_B = \beta h$, $I - PQ = h(\alpha S_A + \beta S_B) - h^2 \alpha\beta S_A S_B$ and
# $P(I-Q) = h\beta S_B - h^2\alpha\beta S_A S_B$. Divide both by $h$ and let $h \to 0$; the correction is of first order in $h$.
# The limit solves $\alpha S_A (w - \theta_A) + \beta S_B (w - \theta_B) = 0$.
# ```

# %% tags=["nbval-check-output"]
h, alpha, beta, s, t = sp.symbols("h alpha beta s t", positive=True)
S_A, S_B = sp.Matrix([[s, 1], [1, t]]), sp.Matrix([[t, 0], [0, s]])
I2 = sp.eye(2)
P2, Q2 = I2 - h * alpha * S_A, I2 - h * beta * S_B
left, right = (
    (each / h).applyfunc(sp.expand).subs(h, 0)
    for each in (I2 - P2 * Q2, P2 * (I2 - Q2))
)
theorem = (alpha * S_A + beta * S_B).inv() * beta * S_B
print("difference in d = 2:", sp.simplify(left.inv() * right - theorem).norm())

# %% tags=["nbval-check-output"]
shrinkage = np.geomspace(0.001, 0.3, 8)
deviation = []
for factor in shrinkage:
    slow = (
        GradientAgent(first.S, first.theta, factor * eta_first),
        GradientAgent(second.S, second.theta, factor * eta_second),
    )
    exact, limit = a2a.equilibrium(*slow).bias_first, a2a.small_step_bias(*slow)
    deviation.append(np.mean(norm(exact - limit) / norm(limit)))
small_step_slope = np.polyfit(np.log(shrinkage[:4]), np.log(deviation[:4]), 1)[0]
print(f"measured slope over the four smallest steps: {small_step_slope:.3f}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-equilibrium-small-steps", "caption": "Relative distance between the exact bias and its small-step limit, against the first agent's step size; mean over random pairs. The dashed line has slope 1."}, "image": {"alt": "A line of slope one on log axes that follows the dashed reference at small steps."}}
fig, ax = panels()
power_law(
    ax,
    shrinkage[::-1] * eta_first,
    deviation[::-1],
    label="measured",
    color=FIRST,
    slope=1,
)
ax.set(
    xlabel=r"step size $\eta_A$ (with $\eta_B$ in a fixed ratio)",
    ylabel="relative deviation from the limit",
)
show(fig)

# %% [markdown]
# ## Too few examples
#
# ```{prf:theorem} Directions that neither prompt shows
# :label: thm-unseen
#
# Let $K = \ker S_A \cap \ker S_B$ with projector $\Pi_K$. Nothing ever moves in $K$, and its complement is left to itself: there
# {prf:ref}`thm-equilibrium` holds. If the turns contract on the complement, then
# $a^* = (I - \Pi_K)(\theta_A + e_A) + \Pi_K w_0$, with $e_A = (I - PQ + \Pi_K)^{-1} P(I-Q)\Delta$.
# ```
#
# ```{prf:proof}
# $P$ and $Q$ are symmetric and the identity on $K$, so they map its complement into itself and $PQ$ splits into two blocks. On $K$
# both maps are $w \mapsto w$. On the complement $\Pi_K$ vanishes and the earlier proof applies; adding $\Pi_K$ puts the
# identity where $I - PQ$ is zero, and $P(I-Q)\Delta$ has no part in $K$.
# ```
#
# A numeric check with two examples in each prompt: for $d > 4$ there are directions that neither agent ever sees.

# Steps of one over the trace keep every agent stable, and pairs that take thousands of turns are left out.

# %%
few = [sample_prompt(rng, 2, d, agent.theta) for agent in (first, second)]
blind = [GradientAgent.from_prompt(p, 1 / np.trace(p.S, 0, -2, -1)) for p in few]
there = a2a.equilibrium(*blind, w0)
quick = there.rate < 0.99

# %% tags=["nbval-check-output"]
many_turns = blind[0] @ blind[1]
for _ in range(12):
    many_turns = many_turns @ many_turns
unseen_residual = norm(many_turns(blind[0](w0)) - there.first)[quick]
print(f"largest residual over {quick.sum():,} pairs {magnitude(unseen_residual)}")

# %% [markdown]
# ## Random prompts
#
# A prompt of $n$ random examples has a random geometry. As $n$ grows it concentrates on the population covariance, and the
# bias on the one computed from the population, at the usual rate $1/\sqrt n$.

# %% tags=["nbval-check-output"]
lengths = 2 ** np.arange(5, 13)
thetas, etas = (first.theta[:100], second.theta[:100]), (eta_first, eta_second)
population = [GradientAgent(eye, t, eta) for t, eta in zip(thetas, etas)]
limit = a2a.equilibrium(*population).bias_first
spread = []
for length in lengths:
    geometry = [sample_prompt(rng, int(length), d, t).S for t in thetas]
    agents = [
        GradientAgent(S, t, eta) for S, t, eta in zip(geometry, thetas, etas)
    ]
    spread.append(norm(a2a.equilibrium(*agents).bias_first - limit).mean())
concentration_slope = np.polyfit(np.log(lengths[2:]), np.log(spread[2:]), 1)[0]
print(f"measured slope: {concentration_slope:.2f}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-equilibrium-concentration", "caption": "Distance between the bias of agents with random prompts and the bias computed from the population covariance, against the number of in-context examples. The dashed line has slope -1/2."}, "image": {"alt": "A falling line of slope minus one half on log axes."}}
fig, ax = panels()
power_law(ax, lengths, spread, label="measured", color=FIRST, slope=-0.5)
ax.set(xlabel="in-context examples $n$", ylabel="distance to the population bias")
show(fig)

# %% [markdown]
# ## Noisy agents: bias plus floor
#
# An agent that rounds, samples or errs adds noise to what it writes.
#
# ```{prf:theorem} Noise floor
# :label: thm-noise
#
# Let every output carry independent noise of mean 0, with covariance $C_A$ for A and $C_B$ for B. What B writes then has the
# stationary covariance that solves $\Sigma_B = (QP)\,\Sigma_B\,(QP)^\top + Q C_A Q^\top + C_B$, what A writes has
# $\Sigma_A = P \Sigma_B P^\top + C_A$, and $\mathbb E\,|a - \theta_A|^2 = |e_A|^2 + \operatorname{tr} \Sigma_A$.
# ```
#
# ```{prf:proof}
# The mean follows the noiseless agents, so it settles at $a^*$. The deviation of $b$ from $b^*$ is multiplied by $QP$ a turn and
# receives A's noise through $Q$ and B's directly; taking covariances gives the equation, which has one solution because
# $\rho(QP) < 1$. The last identity splits $a - \theta_A$ into mean and deviation.
# ```

# %%
noise_first, noise_second, repeats = 0.1, 0.05, 4000
theta_A, theta_B = first.theta[0], second.theta[0]
pair = (
    GradientAgent(first.S[0], theta_A, eta_first),
    GradientAgent(second.S[0], theta_B, eta_second),
)
noisy = [
    a2a.NoisyAgent(agent, noise, rng)
    for agent, noise in zip(pair, (noise_first, noise_second))
]
noisy_run = alternate(*noisy, np.zeros((repeats, d)), 3 * turns)
mean_square = np.mean(norm(noisy_run.first - theta_A) ** 2, axis=1)

# %% tags=["nbval-check-output"]
covariance, _ = a2a.noise_floor(
    *pair, noise_first**2 * eye, noise_second**2 * eye
)
bias_square = float(norm(a2a.equilibrium(*pair).bias_first) ** 2)
predicted_square = bias_square + np.trace(covariance)
measured_square = mean_square[turns:].mean()
print(f"mean squared error of A: predicted {predicted_square:.2f}", end=", ")
print(f"of which bias {bias_square:.2f}; measured {measured_square:.2f}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-equilibrium-noise", "caption": "Mean squared error of a noisy agent against the turn, over repeated runs, with the prediction of bias plus floor (dashed) and the bias alone (dotted)."}, "image": {"alt": "The measured curve falls in a few turns to the dashed line and stays there, above the dotted line."}}
fig, ax = panels()
ax.plot(
    np.arange(1, turns + 1), mean_square[:turns], color=FIRST, label="measured"
)
ax.axhline(predicted_square, color=THEORY, linestyle="--", label="bias + floor")
ax.axhline(bias_square, color=THEORY, linestyle=":", label="bias alone")
ax.set(yscale="log", xlabel="turn", ylabel="mean squared error of A")
ax.legend()
show(fig)

# %% [markdown]
# ## More than two agents
#
# In a ring of $N$ agents each reads what the one before it wrote. The maps compose, and the last one's fixed point is
# $w^* = (I - M_N \cdots M_1)^{-1} \sum_i (M_N \cdots M_{i+1}) (I - M_i)\, \theta_i$.

# %% tags=["nbval-check-output"]
ring = [
    *sample_pair(rng, n, d, 0.3, 0.3, batch=(instances,)),
    *sample_pair(rng, n, d, 0.1, 0.2, batch=(instances,)),
]
ring_points = a2a.take_turns(ring, w0, until_rest, history=False)[-1]
sum_of_pulls = np.zeros((instances, d))
for agent in ring:
    sum_of_pulls = agent(sum_of_pulls)
round_trip = ring[3] @ ring[2] @ ring[1] @ ring[0]
formula = np.linalg.solve(eye - round_trip.M, sum_of_pulls[..., None])[..., 0]
ring_residual = np.maximum(
    norm(ring_points[-1] - formula),
    norm(ring_points - a2a.ring_equilibrium(ring)).max(axis=0),
)
print(
    f"largest residual over {instances:,} rings of 4 {magnitude(ring_residual)}"
)

# %% [markdown]
# ## Verdicts
#
# Each line compares a prediction with a measurement made above; all of them are collected in {doc}`/book/claims`.

# %% tags=["nbval-check-output"]
claim(
    "A3",
    "share of random pairs where the spectral radius tells convergence",
    predicted=1,
    measured=share_right,
    tolerance=0,
)

# %% tags=["nbval-check-output"]
rate_error = np.quantile(np.abs(measured_rate / settled.rate - 1), 0.99)
claim(
    "A3",
    "relative deviation of the measured rate, 99th percentile",
    predicted=0,
    measured=rate_error,
    tolerance=0.02,
)

# %% tags=["nbval-check-output"]
claim(
    "A4",
    "first agent: simulated minus predicted fixed point",
    predicted=0,
    measured=residual_first,
    tolerance=1e-10,
)

# %% tags=["nbval-check-output"]
claim(
    "A4",
    "second agent: simulated minus predicted fixed point",
    predicted=0,
    measured=residual_second,
    tolerance=1e-10,
)

# %% tags=["nbval-check-output"]
claim(
    "A4",
    "directions that neither prompt shows",
    predicted=0,
    measured=unseen_residual,
    tolerance=1e-9,
)

# %% tags=["nbval-check-output"]
claim(
    "A4",
    "ring of four agents",
    predicted=0,
    measured=ring_residual,
    tolerance=1e-10,
)

# %% tags=["nbval-check-output"]
claim(
    "A5",
    "slope of the deviation from the small-step limit",
    predicted=1,
    measured=small_step_slope,
    tolerance=0.05,
)

# %% tags=["nbval-check-output"]
gap_slope = np.polyfit(np.log(sizes), np.log(measured_error), 1)[0]
claim(
    "A6",
    "slope of the remaining error against the gap's size",
    predicted=1,
    measured=gap_slope,
    tolerance=1e-6,
)

# %% tags=["nbval-check-output"]
claim(
    "A6",
    "measured over predicted error, all gap sizes",
    predicted=1,
    measured=measured_error / predicted_error,
    tolerance=1e-6,
)

# %% tags=["nbval-check-output"]
extremes = [angle_error.min(), angle_error.max()]
claim(
    "A6",
    "least and largest error over directions: singular values",
    predicted=[least, most],
    measured=extremes,
    tolerance=1e-3,
)

# %% tags=["nbval-check-output"]
ratio = measured_square / predicted_square
claim(
    "A12",
    "mean squared error of a noisy agent over bias plus floor",
    predicted=1,
    measured=ratio,
    tolerance=0.02,
)

# %% tags=["nbval-check-output"]
floor = (measured_square - bias_square) / np.trace(covariance)
claim(
    "A12",
    "measured noise floor over the Lyapunov equation's",
    predicted=1,
    measured=floor,
    tolerance=0.05,
)
