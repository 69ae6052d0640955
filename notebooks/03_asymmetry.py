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
# # One agent wins: asymmetric convergence and the attack
#
# Two agents with different objectives usually both miss. **One of them can nevertheless win exactly, and it can arrange to
# do so: a prompt of one example, built from what the partner does to a single probe, takes its own error to zero and
# leaves the partner with an error that is known in advance** (conditions and white-box attack: paper A,
# {cite}`cosentino2025`; the one-example and one-probe forms and the defences are ours).
#
# ```{glue:figure} asymmetry-headline
# :name: fig-asymmetry-headline
# :alt: Distance of each agent to its own objective against the turn, on a log axis. Before the attack both curves lie flat on dashed plateaus. From the attack on the first agent's curve falls in a straight line to rounding error, and the second agent's curve settles on a new dashed plateau.
#
# Distance of each agent to its own objective, mean over random pairs with the band from the 10th to the 90th percentile. In the
# shaded turns the first agent reads the attack prompt. Dashed: the plateaus predicted from the prompts.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook
d = 8  # dimension of the regression task, at least 2
n = 80  # in-context examples in each ordinary prompt, at least 2 d
eta_first = 0.3  # step size of the first agent, the attacker
eta_second = 0.6  # step size of the second agent, the victim
turns_before = 30  # turns before the attack starts
turns = 160  # turns under attack
instances = 2000  # random pairs in each numeric check

# %% [markdown]
# ## Setting
#
# The pair is that of {eq}`eq-turn`, with $P = I - \eta_A S_A$, $Q = I - \eta_B S_B$ and the gap $\Delta = \theta_B - \theta_A$. The
# errors of the two agents once they have settled are
#
# ```{math}
# :label: eq-asymmetry-bias
# e_A = a^* - \theta_A = (I - PQ)^{-1} P (I - Q)\,\Delta, \qquad e_B = b^* - \theta_B = -(I - QP)^{-1} Q (I - P)\,\Delta .
# ```
#
# An agent *wins* if its error is zero. What B adds to a message that already is $\theta_A$ plays the main part below:
#
# ```{math}
# :label: eq-asymmetry-push
# v = f_B(\theta_A) - \theta_A = (I - Q)\,\Delta = \eta_B S_B\,\Delta .
# ```

# %% tags=["hide-input"]
import math

import numpy as np
import sympy as sp
from myst_nb import glue

import a2a
from a2a import GradientAgent, alternate, sample_pair, sample_prompt
from a2a.arrays import matvec, norm
from a2a.claims import claim, magnitude

rng = np.random.default_rng(seed)
if (
    d < 2 or n < 2 * d
):  # with fewer examples the slowest of many pairs hardly moves
    raise ValueError(f"wanted d >= 2 and n >= 2 d, got d = {d} and n = {n}")

# %% tags=["hide-input"]
from a2a.figures import (
    FIRST,
    HELPED,
    SECOND,
    cloud,
    errors_by_turn,
    few_decades,
    headline,
    median_band,
    panels,
    path_in_plane,
    prediction,
    show,
    style,
)

style()


# %%
def along(v):
    """The projector on the direction of v."""
    u = v / norm(v)[..., None]
    return u[..., :, None] * u[..., None, :]


# %% [markdown]
# Every statement about where a pair ends is measured by letting it talk until the slowest error has had time to fall below
# rounding. Long conversations are taken in strides: the map of a turn applied twice is the map of two turns, and so on.


# %%
def at_rest(first, second, w0):
    """What both write in the last turn of a conversation long enough for the slowest pair of the batch."""
    rate = np.clip(np.max(a2a.equilibrium(first, second, w0).rate), 0.1, None)
    stride = second @ first
    for _ in range(math.ceil(math.log2(math.log(1e-17) / math.log(rate)))):
        stride = stride @ stride
    last = first(stride(w0))
    return last, second(last)


# %% [markdown]
# Pairs with an agent that would diverge when left alone are left out of the random draw.

# %%
drawn = sample_pair(rng, n, d, eta_first, eta_second, batch=(instances,))
norms = [np.linalg.norm(agent.M, 2, axis=(-2, -1)) for agent in drawn]
stable = np.max(norms, axis=0) < 0.999
first, second = (
    GradientAgent(a.S[stable], a.theta[stable], a.eta) for a in drawn
)
pairs = int(stable.sum())
w0 = rng.standard_normal((pairs, d))
gap = second.theta - first.theta
v = matvec(second.step, gap)

# %% [markdown]
# ## When does an agent win?
#
# Directions in which neither prompt has an example, $K = \ker S_A \cap \ker S_B$, never change: what the start has there stays.
# Errors are therefore taken outside $K$, which is everything if the two prompts together see every direction.
#
# ```{prf:theorem} Asymmetric convergence
# :label: thm-asymmetry
#
# Let the pair contract outside $K$.
#
# 1. The first agent wins if and only if $P(I-Q)\Delta = 0$. So either $S_B\Delta = 0$ (B cannot see the disagreement), or
#    $v = (I-Q)\Delta \ne 0$ lies in $\ker P$ (A cancels in one step exactly what B adds).
# 2. If the first agent wins, the second ends with $e_B = -Q\Delta$.
# 3. Both win if and only if $P\Delta = Q\Delta = 0$ outside $K$: each would cross the visible gap in a single step. If $P$ and $Q$ are
#    invertible this leaves only $S_A\Delta = S_B\Delta = 0$: they disagree where neither can see.
# ```
#
# ```{prf:proof}
# $P$ and $Q$ are symmetric and act as the identity on $K$, so they map its complement to itself, and there $I - PQ$ is invertible.
# (1) By {eq}`eq-asymmetry-bias`, which is {prf:ref}`thm-equilibrium`, $e_A = 0$ exactly when $P(I-Q)\Delta = 0$; and
# $(I-Q)\Delta = \eta_B S_B \Delta$. (2) The second agent answers $b^* = Qa^* + (I-Q)\theta_B$, so $e_B = Q(a^* - \theta_B) = Q(e_A - \Delta)$; put
# $e_A = 0$. (3) If both win, (2) gives $Q\Delta = 0$, and the same with exchanged roles, $e_A = P(e_B + \Delta)$, gives $P\Delta = 0$. Conversely
# $P\Delta = Q\Delta = 0$ gives $P(I-Q)\Delta = P\Delta - PQ\Delta = 0$, and likewise for B. An invertible $P$ leaves no $\Delta$ outside $K$.
# ```
#
# Part 3 covers more than the invertible case. A gap that both agents cross in one step is won by both although both see it.
#
# The conditions are numbers: `a2a.asymmetry` gives $|P(I-Q)\Delta|/|\Delta|$, its mirror image for the second agent, and how much each
# prompt sees of the gap. Five kinds of pairs follow, four of them built so that a condition holds exactly.


# %%
def blind(agent, v):
    """The agent, with every trace of the direction v removed from its examples."""
    rest = np.eye(d) - along(v)
    S = rest @ agent.S @ rest
    return GradientAgent((S + np.swapaxes(S, -1, -2)) / 2, agent.theta, agent.eta)


def crossing(agent, v):
    """The agent, with examples along v that let it cross an error along v in one step; elsewhere as it was."""
    return GradientAgent(
        blind(agent, v).S + along(v) / agent.eta, agent.theta, agent.eta
    )


# %%
kinds = {
    "generic pair": (first, second),
    "B blind to the gap": (first, blind(second, gap)),
    "A cancels what B adds": (crossing(first, v), second),
    "both blind to the gap": (blind(first, gap), blind(second, gap)),
    "both cross the gap": (crossing(first, gap), crossing(second, gap)),
}


# %%
def seen_errors(first, second, w0):
    """Errors of both agents at rest, outside the directions that neither sees, as a share of the gap."""
    seen = first.S + second.S
    onto_seen = np.linalg.pinv(seen, rcond=1e-10, hermitian=True) @ seen
    written = at_rest(first, second, w0)
    errors = [
        norm(matvec(onto_seen, w - agent.theta))
        for w, agent in zip(written, (first, second), strict=True)
    ]
    return np.stack(errors) / norm(second.theta - first.theta)


# %% [markdown]
# The condition is computed from the prompts, the error measured in a conversation. Zero means below $10^{-12}$ for a condition and
# below $10^{-11}$ for an error; a generic pair is many orders of magnitude away from both.

# %% tags=["nbval-check-output"]
conditions, errors = {}, {}
for kind, pair in kinds.items():
    found = a2a.asymmetry(*pair)
    conditions[kind] = np.stack([found.first_wins, found.second_wins])
    errors[kind] = seen_errors(*pair, w0)
    wins, foreseen = (
        (errors[kind] < 1e-11).sum(axis=1),
        (conditions[kind] < 1e-12).sum(axis=1),
    )
    a_wins, b_wins = (
        f"{w} (foreseen {f})" for w, f in zip(wins, foreseen, strict=True)
    )
    print(f"{kind:22}: A wins {a_wins}, B wins {b_wins} of {pairs}")

# %% [markdown]
# Between an exact condition and a generic pair lies everything else. Mixing the two prompts of A in all proportions moves the
# condition over many orders of magnitude, and the error follows it: from $(I - PQ)\,e_A = P(I-Q)\Delta$,
#
# ```{math}
# :label: eq-asymmetry-between
# \frac{|P(I-Q)\Delta|}{1 + \|PQ\|} \;\le\; |e_A| \;\le\; \frac{|P(I-Q)\Delta|}{1 - \|PQ\|} .
# ```

# %%
share = 10.0 ** rng.uniform(-10, 0, pairs)
mixed_S = (1 - share)[:, None, None] * crossing(first, v).S + share[
    :, None, None
] * first.S
mixed = GradientAgent(mixed_S, first.theta, eta_first)
mixed_condition, mixed_error = (
    a2a.asymmetry(mixed, second).first_wins,
    seen_errors(mixed, second, w0)[0],
)
contraction = np.linalg.norm(mixed.M @ second.M, 2, axis=(-2, -1))

# %% tags=["nbval-check-output"]
ratio = mixed_error / mixed_condition
inside = (ratio >= (1 - 1e-4) / (1 + contraction)) & (
    ratio <= (1 + 1e-4) / (1 - contraction)
)
print(f"{inside.sum()} of {pairs} mixed pairs lie between the two bounds")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-asymmetry-condition", "caption": "The first agent's error against its condition, both as a share of the gap: 0 together, and in proportion. Dots: pairs in which A's prompt is mixed from an exactly cancelling one and an ordinary one. Dashed: the bounds of the text, with the largest norm of PQ that occurs."}, "image": {"alt": "Scatter on log-log axes over ten orders of magnitude. The points form a narrow straight band along the diagonal, between two dashed parallel lines."}}
fig, ax = panels()
generic = conditions["generic pair"][0], errors["generic pair"][0]
cloud(ax, mixed_condition, mixed_error, color=HELPED, label="mixed prompts")
cloud(ax, *generic, color=FIRST, label="generic pairs")
ends = np.array([mixed_condition.min(), generic[0].max()])
for denominator in (1 + contraction.max(), 1 - contraction.max()):
    prediction(ax, ends, ends / denominator)
ax.set(xscale="log", yscale="log")
ax.set_xlabel(r"condition $|P(I-Q)\Delta| \, / \, |\Delta|$")
ax.set_ylabel(r"measured error $|e_A| \, / \, |\Delta|$")
ax.legend(markerscale=3)
show(fig)

# %% [markdown]
# ## The attack
#
# A picks its prompt so that the second case of {prf:ref}`thm-asymmetry` holds.
#
# ```{prf:theorem} White-box attack
# :label: thm-attack
#
# Let all eigenvalues of $\eta_B S_B$ lie strictly between 0 and 2, and let $v = (I-Q)\Delta \ne 0$. With any prompt such that
# $S_A v = v/\eta_A$ and $\|P\| \le 1$ the pair converges, A wins, and the victim ends with $e_B = -Q\Delta$. The attacker's error shrinks at least by
# the factor $\|Q\|$ a turn.
# ```
#
# ```{prf:proof}
# $\|PQ\| \le \|Q\| < 1$, so the pair converges ({prf:ref}`thm-stability`). $Pv = v - \eta_A S_A v = 0$, so A wins, and the rest is part 2 of
# {prf:ref}`thm-asymmetry`. With $a^* = \theta_A$ the attacker's error obeys $a_{t+1} - \theta_A = PQ\,(a_t - \theta_A)$.
# ```
#
# The victim's error $-Q\Delta$ contains nothing of the attacker's prompt or step size: the victim ends one of its own steps away from
# $\theta_A$.
#
# ```{prf:theorem} One example suffices
# :label: thm-one-example
#
# The prompt with the single example $x = v / (|v|\sqrt{\eta_A})$ and the label $x^\top\theta_A$ is such a prompt.
# ```
#
# ```{prf:proof}
# With $n = 1$ its geometry is $S_A = xx^\top = vv^\top/(\eta_A|v|^2)$. So $S_A v = v/\eta_A$, and $P = I - vv^\top/|v|^2$ is an orthogonal projector,
# of norm at most 1. The label enters the agent's map only through $S_A\theta_A = x\,(x^\top\theta_A)$.
# ```
#
# The least-squares solution of that one example is a multiple of $x$ and in general far from $\theta_A$. The attacker's prompt does not show
# its objective; the conversation with the victim supplies the rest.
#
# SymPy confirms the identities for $d = 2$, with every entry of $S_B$, $\Delta$ and the step size left free.

# %% tags=["nbval-check-output"]
s11, s12, s22, d1, d2 = sp.symbols("s11 s12 s22 delta1 delta2", real=True)
step, Delta = sp.Symbol("eta_B", positive=True), sp.Matrix([d1, d2])
Q = sp.eye(2) - step * sp.Matrix([[s11, s12], [s12, s22]])
push = (sp.eye(2) - Q) * Delta
P = sp.eye(2) - push * push.T / (push.T * push)[0]
bias_A = (sp.eye(2) - P * Q).inv() * P * (sp.eye(2) - Q) * Delta
bias_B = -(sp.eye(2) - Q * P).inv() * Q * (sp.eye(2) - P) * Delta
for name, zero in (
    ("P v", P * push),
    ("e_A", bias_A),
    ("e_B + Q Delta", bias_B + Q * Delta),
):
    print(name, "=", list(sp.simplify(zero)))

# %% [markdown]
# The numeric check attacks every random pair. The attacker's objective is still $\theta_A$, its only example is the one of the theorem.

# %%
attack = a2a.attack_prompt(second, first.theta, eta_first)
attacker = GradientAgent(attack.S, first.theta, eta_first)
attacked_first, attacked_second = at_rest(attacker, second, w0)
attacker_error = norm(attacked_first - first.theta)

# %% tags=["nbval-check-output"]
victims_bias = attacked_second - second.theta
victims_deviation = norm(victims_bias + matvec(second.M, gap))
print(
    f"largest error of an attacker over {pairs} pairs {magnitude(attacker_error)}"
)
print(
    f"largest deviation of a victim's error from -Q Delta {magnitude(victims_deviation)}"
)
print(f"mean error of a victim {norm(victims_bias).mean():.2f}")
print(f"mean gap {norm(gap).mean():.2f}")

# %% [markdown]
# {numref}`fig-asymmetry-headline` shows the attack in the middle of a conversation. The two agents first talk with ordinary prompts
# and reach the biased equilibrium; then A replaces its prompt by the one example.

# %%
before = alternate(first, second, w0, turns_before)
under_attack = alternate(attacker, second, before.second[-1], turns)
error_first = norm(
    np.concatenate([before.first, under_attack.first]) - first.theta
)
error_second = norm(
    np.concatenate([before.second, under_attack.second]) - second.theta
)

# %%
honest = a2a.equilibrium(first, second)
attacked = a2a.equilibrium(attacker, second)
end = turns_before + turns
plateaus = (
    (honest.bias_first, [1, turns_before]),
    (honest.bias_second, [1, turns_before]),
    (attacked.bias_second, [turns_before, end]),
)

# %% tags=["hide-input"]
fig, ax = panels()
errors_by_turn(ax, error_first, label="first agent (A), attacks", color=FIRST)
errors_by_turn(ax, error_second, label="second agent (B), victim", color=SECOND)
for bias, span in plateaus:
    prediction(ax, span, [norm(bias).mean()] * 2)
ax.axvspan(turns_before, end, color=HELPED, alpha=0.08, linewidth=0)
at = turns_before + 0.02 * turns
ax.text(at, 1e-15, "attack", color=HELPED, fontweight="bold")
ax.legend(loc="upper right", bbox_to_anchor=(1.0, 0.88))
headline("asymmetry-headline", fig)

# %% tags=["nbval-check-output"]
settled_first, settled_second = (
    error_first[turns_before - 1].mean(),
    error_second[turns_before - 1].mean(),
)
print(
    f"attacker's mean error: {settled_first:.2f} before, {magnitude(error_first[-1].mean())} after {turns} turns"
)
print(
    f"victim's mean error: {settled_second:.2f} before, {error_second[-1].mean():.2f} after"
)

# %% [markdown]
# In the plane the mechanism can be seen. Every step of the attacker is parallel to $v$: it removes from B's message exactly the
# component in which B pushes away from $\theta_A$, and leaves the other component to B, which brings it to rest.

# %%
plane_first = GradientAgent([[1.0, 0.3], [0.3, 0.5]], [-1.0, 0.5], 0.5)
plane_second = GradientAgent([[0.6, -0.4], [-0.4, 1.2]], [1.2, 1.0], 0.4)
plane_attack = a2a.attack_prompt(plane_second, plane_first.theta, 0.5)
plane_attacker = GradientAgent(plane_attack.S, plane_first.theta, 0.5)
start = np.array([0.5, -1.2])

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-asymmetry-plane", "caption": "The same two objectives and the same victim in the plane. Left: ordinary prompts, and both agents settle away from their stars. Right: under attack what A writes ends on A's star; B ends one of its own steps away from it."}, "image": {"alt": "Two panels with the path of both agents in the plane. On the left the path winds to a place between the two stars. On the right all steps of A are parallel and its path ends on its star."}}
fig, axes = panels(2, height=3.9, sharex=True, sharey=True)
for ax, agent, title in zip(
    axes,
    (plane_first, plane_attacker),
    ("ordinary prompt", "attack prompt"),
    strict=True,
):
    path_in_plane(
        ax,
        alternate(agent, plane_second, start, 40),
        plane_first.theta,
        plane_second.theta,
        start,
    )
    ax.set_title(title)
axes[1].set_ylabel("")
axes[0].legend(fontsize=8, loc="lower left")
show(fig)

# %% [markdown]
# ## One probe suffices
#
# The white-box attack needs $S_B$, $\theta_B$ and $\eta_B$ only through the vector $v$, and {eq}`eq-asymmetry-push` says how to read it off.
#
# ```{prf:theorem} One probe suffices
# :label: thm-probe
#
# An attacker that knows nothing of the victim hands it the vector $\theta_A$ once and reads the answer $\theta_A + v$. The difference gives the
# prompt of {prf:ref}`thm-one-example`, whatever the victim's prompt, objective and step size are.
# ```
#
# ```{prf:proof}
# $f_B(\theta_A) = Q\theta_A + (I-Q)\theta_B = \theta_A + (I-Q)\Delta$. The prompt depends on the victim through $v$ alone.
# ```
#
# A counter confirms that the victim is called once.

# %%
calls = []


def black_box(w):
    calls.append(w)
    return second(w)


probed = a2a.probe_attack(black_box, first.theta, eta_first)

# %% tags=["nbval-check-output"]
print(f"calls of the victim: {len(calls)}")
inputs, labels = magnitude(probed.X - attack.X), magnitude(probed.y - attack.y)
print(
    f"largest difference between the two prompts: inputs {inputs}, labels {labels}"
)

# %%
probing_attacker = GradientAgent(probed.S, first.theta, eta_first)
probed_error = norm(at_rest(probing_attacker, second, w0)[0] - first.theta)

# %% [markdown]
# ## What the attack costs the victim
#
# The price is $|Q\Delta|$, so it is set by the victim's own prompt. For an isotropic prompt $S_B = \lambda I$ it is $|1 - \eta_B\lambda|$ of the gap: nearly
# all of it when the victim takes small steps, and nothing at $\eta_B\lambda = 1$. A prompt with condition number $\kappa$ and the step size that
# suits it best, $\eta_B = 2/(\lambda_{\min} + \lambda_{\max})$, has $\|Q\| = (\kappa-1)/(\kappa+1)$, and that share is lost when the gap lies along the weakest or the
# strongest direction.

# %%
step_times_eigenvalue = np.linspace(0.05, 1.95, 39)
isotropic = GradientAgent(
    step_times_eigenvalue[:, None, None] / eta_second * np.eye(d),
    second.theta[0],
    eta_second,
)
isotropic_attack = a2a.attack_prompt(isotropic, first.theta[0], eta_first)
isotropic_attacker = GradientAgent(isotropic_attack.S, first.theta[0], eta_first)


# %%
def victims_share(attacker, victim, start):
    """The victim's measured error as a share of the gap."""
    return norm(at_rest(attacker, victim, start)[1] - victim.theta) / norm(
        victim.theta - attacker.theta
    )


cost_isotropic = victims_share(isotropic_attacker, isotropic, w0[0])
honest_first = GradientAgent(first.S[0], first.theta[0], eta_first)
cost_without_attack = victims_share(honest_first, isotropic, w0[0])

# %% [markdown]
# For the second panel each condition number gets prompts with exactly that spectrum. Half of the gaps are random, half lie along the
# weakest direction.

# %%
kappas = np.geomspace(1.5, 60, 12)
spectra = np.geomspace(1 / kappas, np.ones_like(kappas), d, axis=-1)
best_step = 2 / (spectra[:, 0] + spectra[:, -1])
ill_S = a2a.random_covariance(rng, spectra, (40,))
weakest = np.linalg.eigh(ill_S)[1][..., :, 0]
random_gap = rng.standard_normal(weakest.shape)

# %%
shares = []
for ill_gap in (weakest, random_gap):
    ill_victim = GradientAgent(
        ill_S, ill_gap, best_step
    )  # the attacker's objective is the origin
    ill_attacker = GradientAgent(
        a2a.attack_prompt(ill_victim, np.zeros(d), eta_first).S,
        np.zeros(d),
        eta_first,
    )
    shares.append(victims_share(ill_attacker, ill_victim, rng.standard_normal(d)))

# %% tags=["nbval-check-output"]
print(
    "isotropic victims: largest deviation from |1 - eta lambda|",
    magnitude(cost_isotropic - abs(1 - step_times_eigenvalue)),
)
print(
    "weakest direction: largest deviation from (kappa - 1)/(kappa + 1)",
    magnitude(shares[0] - (kappas - 1) / (kappas + 1)),
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-asymmetry-cost", "caption": "What the attack costs the victim, as a share of the gap. Left: isotropic prompts, against the victim's step size times the eigenvalue of its prompt; the attack costs nothing at 1. Right: prompts with a spectrum of given condition number at their best step size; gaps along the weakest direction, and random gaps (median, and band from the 10th to the 90th percentile). Dashed: predicted."}, "image": {"alt": "Two panels. Left: the victim's share falls from nearly 1 to 0 at eta lambda = 1 and rises again, on a dashed V; without attack it is lower for small steps. Right: the share rises with the condition number along the dashed curve towards 1; random gaps cost less."}}
fig, (left, right) = panels(2, sharey=True)
dots = {"linestyle": "", "marker": "o", "markersize": 4}
prediction(left, step_times_eigenvalue, abs(1 - step_times_eigenvalue))
costs = {
    "under attack": (SECOND, cost_isotropic),
    "ordinary first agent": ("#999999", cost_without_attack),
}
for label, (color, cost) in costs.items():
    left.plot(step_times_eigenvalue, cost, color=color, label=label, **dots)
left.set(xlabel=r"$\eta_B \lambda$", ylabel="victim's error / gap", ylim=(0, 1))
prediction(right, kappas, (kappas - 1) / (kappas + 1))
weakest_share = shares[0].mean(axis=0)
right.plot(kappas, weakest_share, color=SECOND, label="weakest direction", **dots)
median_band(
    right, kappas, shares[1], color="#e69f00", label="random direction", marker=""
)
right.set(
    xlabel=r"condition number $\kappa$ of the victim's prompt", xscale="log"
)
right.legend(title="gap along the")
left.legend()
few_decades(right.xaxis)
show(fig)

# %% [markdown]
# ## A victim that does not see every direction
#
# A victim with fewer examples than dimensions leaves $\ker S_B$ to the attacker. Since $v$ lies in the range of $S_B$, the attacker's one
# example does not see $\ker S_B$ either, and what the start has there stays: one example takes the attacker's error to the part of
# $w_0 - \theta_A$ in $\ker S_B$. One further example for each such direction, again with eigenvalue $1/\eta_A$, finishes the attack, so
# $1 + \dim\ker S_B$ examples suffice.

# %%
few = max(1, d // 2)
half_blind_S = a2a.random_covariance(
    rng, [0.0] * (d - few) + [1.0] * few, (pairs,)
)
half_blind = GradientAgent(half_blind_S, second.theta, eta_second)
unseen = np.eye(d) - half_blind_S  # all its eigenvalues are 0 and 1
one_S = a2a.attack_prompt(half_blind, first.theta, eta_first).S
full_S = one_S + unseen / eta_first

# %% tags=["nbval-check-output"]
left_over, finished = (
    norm(
        at_rest(GradientAgent(S, first.theta, eta_first), half_blind, w0)[0]
        - first.theta
    )
    for S in (one_S, full_S)
)
stays = norm(matvec(unseen, w0 - first.theta))
print(f"victim that sees {few} of {d} directions")
off = magnitude(left_over - stays)
print(
    f"one example: mean error {left_over.mean():.2f}, off the prediction by {off}"
)
print(f"{1 + d - few} examples: largest error {magnitude(finished)}")

# %% [markdown]
# ## Defences
#
# **An immune victim.** At $\eta_B S_B = I$ the victim has $Q = 0$: it lands on $\theta_B$ every turn, whatever it is handed, and the attack costs it
# nothing. The attacker still wins, which is part 3 of {prf:ref}`thm-asymmetry`. Immunity takes an isotropic prompt, and random examples
# give it only roughly: with $\eta_B = 1$ and $n$ standard normal examples the mean square of the share $|Q\Delta|/|\Delta|$ is
# $\mathbb{E}\operatorname{tr}(I - S_B)^2/d = (d+1)/n$.

# %% tags=["nbval-check-output"]
immune = GradientAgent(np.eye(d) / eta_second, second.theta, eta_second)
immune_attack = GradientAgent(
    a2a.attack_prompt(immune, first.theta, eta_first).S, first.theta, eta_first
)
immune_run = alternate(immune_attack, immune, w0, 5)
print(
    f"immune victim: largest error in any turn {magnitude(immune_run.second - second.theta)}"
)
random_share = (
    matvec(np.eye(d) - sample_prompt(rng, n, d, second.theta).S, gap)
    / norm(gap)[:, None]
)
root_mean_square = np.sqrt((norm(random_share) ** 2).mean())
predicted = math.sqrt((d + 1) / n)
print("random examples at step size 1, root mean square of the share:")
print(f"  {root_mean_square:.2f}, predicted {predicted:.2f}")

# %% [markdown]
# **A victim that redraws its prompt** every turn, from the same distribution and with the same objective, pushes in another direction each
# time, and the attack fits only the prompt that was probed. With $u = \Delta - e$ the attacker's error $e$ becomes
#
# ```{math}
# :label: eq-asymmetry-redraw
# e' = P\,(e + \eta_B S\,u), \qquad \mathbb{E}\,S = I, \qquad \mathbb{E}\,S C S = \Bigl(1 + \tfrac1n\Bigr) C + \tfrac{\operatorname{tr} C}{n}\, I
# ```
#
# for standard normal examples (the second moment of a Wishart matrix, $C$ symmetric), with a fresh $S$ that is independent of $e$. This gives a
# closed recursion for mean and second moment of the error, turn by turn, for each attacker.


# %%
def redrawing(victim, n):
    """The victim, but with n fresh examples at every turn."""

    def answer(w):
        fresh = sample_prompt(rng, n, d, victim.theta)
        return GradientAgent(fresh.S, victim.theta, victim.eta)(w)

    return answer


# %%
def outer(a, b):
    return a[..., :, None] * b[..., None, :]


def symmetric_part(C):
    return (C + np.swapaxes(C, -1, -2)) / 2


def next_moments(mean, second_moment, P, gap, eta, n):
    """Mean and second moment of the attacker's error one turn later, by the recursion above."""
    e_u = symmetric_part(outer(mean, gap)) - second_moment
    u_u = outer(gap, gap) - 2 * symmetric_part(outer(gap, mean)) + second_moment
    trace = np.trace(u_u, axis1=-2, axis2=-1)[..., None, None]
    inner = (
        second_moment
        + 2 * eta * e_u
        + eta**2 * ((1 + 1 / n) * u_u + trace / n * np.eye(d))
    )
    return matvec(P, mean + eta * (gap - mean)), P @ inner @ P


# %%
def predicted_rms(attacker, victim, e, n, turns):
    """Root mean square over pairs of the attacker's error in each turn against a victim that redraws, from errors e."""
    gap, rms = victim.theta - attacker.theta, []
    mean, second_moment = e, outer(e, e)
    for _ in range(turns):
        mean, second_moment = next_moments(
            mean, second_moment, attacker.M, gap, victim.eta, n
        )
        rms.append(math.sqrt(np.trace(second_moment, axis1=-2, axis2=-1).mean()))
    return np.array(rms)


# %% [markdown]
# The victim keeps its prompt first, and the attack works; then it redraws. The residual is back within a few turns, though the
# attacker is not thrown out altogether.

# %%
redraw_turns = 40
settled_message = under_attack.second[-1]
redrawn = alternate(attacker, redrawing(second, n), settled_message, redraw_turns)
returned = np.sqrt((norm(redrawn.first - first.theta) ** 2).mean(axis=1))
# A's first message answers one that was written before the redrawing began, so the recursion starts after it
foreseen = predicted_rms(
    attacker, second, redrawn.first[0] - first.theta, n, redraw_turns - 1
)

# %% tags=["nbval-check-output"]
late = slice(redraw_turns // 2, None)
residual_share = math.sqrt(
    (returned[late] ** 2).mean() / (error_first[turns_before - 1] ** 2).mean()
)
glue("asymmetry-residual-share", residual_share, display=False)
print("attacker's root mean square error once the victim redraws:")
print(f"  {returned[late].mean():.2f}, predicted {foreseen[late].mean():.2f}")

# %% [markdown]
# The residual that comes back is {glue:text}`asymmetry-residual-share:.2f` of the attacker's error with its ordinary prompt. It falls as
# $1/\sqrt n$, since the fresh prompts of a victim with many examples resemble each other: redrawing protects a victim with few
# examples.

# %%
sizes = [2 * d, 4 * d, 8 * d, 16 * d, 32 * d, 64 * d]
levels = []
for size in sizes:
    a, b = sample_pair(rng, size, d, eta_first, eta_second, batch=(250,))
    a = GradientAgent(
        a2a.probe_attack(b, a.theta, eta_first).S, a.theta, eta_first
    )
    run = alternate(a, redrawing(b, size), a.theta, redraw_turns)
    measured = np.sqrt((norm(run.first[late] - a.theta) ** 2).mean())
    levels.append(
        [
            measured,
            predicted_rms(a, b, np.zeros((250, d)), size, redraw_turns)[-1],
        ]
    )
measured_level, predicted_level = np.array(levels).T

# %% tags=["nbval-check-output"]
worst = np.abs(measured_level / predicted_level - 1).max()
slope = np.polyfit(np.log(sizes[2:]), np.log(measured_level[2:]), 1)[0]
print(
    f"{len(sizes)} prompt sizes: measured within {math.ceil(20 * worst) * 5} % of predicted, slope {slope:.1f}"
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-asymmetry-redraw", "caption": "A victim that redraws its prompt. Left: root mean square error of the attacker; the victim keeps its prompt, and from turn 0 on redraws it every turn. Right: the residual that returns, against the number of examples in the victim's prompts. Dashed, in both: the moment recursion."}, "image": {"alt": "Left: the attacker's error falls to rounding error, jumps back up by many orders of magnitude at turn 0 and stays flat on a dashed line. Right: on log-log axes the residual falls with slope minus one half, on the dashed prediction."}}
fig, (left, right) = panels(2)
quiet = np.sqrt((norm(under_attack.first - first.theta) ** 2).mean(axis=1))
left.plot(np.arange(-turns, 0), quiet, color=FIRST, label="prompt kept")
left.plot(np.arange(redraw_turns), returned, color=HELPED, label="prompt redrawn")
prediction(left, np.arange(1, redraw_turns), foreseen)
left.set(yscale="log", xlabel="turn", ylabel="attacker's r.m.s. error")
left.legend(loc="upper center", bbox_to_anchor=(0.52, 0.9))
right.loglog(sizes, measured_level, "o", color=HELPED, markersize=5)
prediction(right, sizes, predicted_level)
right.set(xlabel="victim's examples $n$", ylabel="attacker's r.m.s. error")
few_decades(right.xaxis)
few_decades(right.yaxis)
show(fig)

# %% [markdown]
# **A victim that watches.** Every displacement of a one-example attacker, what it wrote minus what it read, is a multiple of $v$: the
# displacements over the turns have rank one, and two of them are enough to see it. An ordinary agent moves in all $d$ directions. The sign
# has two limits. An honest agent with a single example looks the same; and {prf:ref}`thm-attack` asks for $S_A v = v/\eta_A$ only, so an
# attacker with more examples can spread its displacements over all directions and win as before.


# %%
def displacement_spectrum(agent, start, turns=2 * d):
    """Singular values of the displacements over the first turns, the largest set to 1."""
    run = alternate(agent, second, start, turns)
    read = np.concatenate([start[None], run.second[:-1]])
    values = np.linalg.svd(np.swapaxes(run.first - read, 0, 1), compute_uv=False)
    return values / values[:, :1]


hidden = crossing(first, v)
watched = {
    "one-example attack": attacker,
    "hidden attack": hidden,
    "ordinary agent": first,
}
spectrum = {
    name: displacement_spectrum(agent, w0) for name, agent in watched.items()
}

# %% tags=["nbval-check-output"]
for name, agent in watched.items():
    second_value = np.median(spectrum[name][:, 1])
    seen = (
        magnitude(second_value) if second_value < 1e-10 else f"{second_value:.2f}"
    )
    error = norm(at_rest(agent, second, w0)[0] - first.theta)
    wins = error.max() < 1e-10
    verdict = (
        f"wins, error {magnitude(error)}"
        if wins
        else f"misses by {error.mean():.2f}"
    )
    print(f"{name:18}: second singular value {seen}; {verdict}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-asymmetry-detect", "caption": "What the victim can see: singular values of the first agent's displacements over the first turns, relative to the largest, median over the pairs with the band from the 10th to the 90th percentile. A one-example attack has rank one up to rounding. An attacker with more examples hides."}, "image": {"alt": "Singular values on a log axis against their index. For the one-example attack they drop to rounding error at the second; for the ordinary agent and the hidden attack they fall slowly and lie close together."}}
fig, ax = panels()
index = np.arange(1, d + 1)
looks = zip((HELPED, "#cc79a7", FIRST), "osD", strict=True)
for (name, values), (color, marker) in zip(spectrum.items(), looks, strict=True):
    floored = np.maximum(values, 1e-18)
    median_band(ax, index, floored, color=color, marker=marker, label=name)
ax.set(yscale="log", xlabel="index of the singular value", xticks=index)
ax.set_ylabel("relative singular value")
ax.legend()
show(fig)

# %% [markdown]
# ## Claims

# %% tags=["nbval-check-output"]
agreement = [
    (errors[kind] < 1e-11) == (conditions[kind] < 1e-12) for kind in kinds
]
what = "share of errors (both agents, five kinds of pairs) that vanish exactly when their condition does"
claim("A7", what, predicted=1, measured=np.mean(agreement), tolerance=0)

# %% tags=["nbval-check-output"]
what = "B blind to the gap: largest error of A in conversation, as a share of the gap"
claim(
    "A7",
    what,
    predicted=0,
    measured=errors["B blind to the gap"][0].max(),
    tolerance=1e-10,
)

# %% tags=["nbval-check-output"]
what = "A cancels what B adds: largest error of A in conversation, as a share of the gap"
claim(
    "A7",
    what,
    predicted=0,
    measured=errors["A cancels what B adds"][0].max(),
    tolerance=1e-10,
)

# %% tags=["nbval-check-output"]
what = "A cancels what B adds: mean error of B, as a share of the gap, against |Q Delta|"
predicted = (norm(matvec(second.M, gap)) / norm(gap)).mean()
claim(
    "A7",
    what,
    predicted=predicted,
    measured=errors["A cancels what B adds"][1].mean(),
    tolerance=1e-10,
)

# %% tags=["nbval-check-output"]
what = "both blind to the gap: largest error of either agent in the directions that someone sees"
claim(
    "A7",
    what,
    predicted=0,
    measured=errors["both blind to the gap"].max(),
    tolerance=1e-10,
)

# %% tags=["nbval-check-output"]
what = "generic pairs, no condition holds: mean error of A, as a share of the gap"
predicted = (norm(honest.bias_first) / norm(gap)).mean()
claim(
    "A7",
    what,
    predicted=predicted,
    measured=errors["generic pair"][0].mean(),
    tolerance=1e-10,
)

# %% tags=["nbval-check-output"]
what = "white-box attack with one example: largest error of the attacker"
claim("A8", what, predicted=0, measured=attacker_error.max(), tolerance=1e-10)

# %% tags=["nbval-check-output"]
what = "white-box attack: mean error of the victim along the gap, against the biased equilibrium"
along_gap = gap / norm(gap)[:, None]
predicted, measured = (
    np.sum(bias * along_gap, axis=-1).mean()
    for bias in (attacked.bias_second, victims_bias)
)
claim("A8", what, predicted=predicted, measured=measured, tolerance=1e-10)

# %% tags=["nbval-check-output"]
what = "white-box attack: largest deviation of a victim's error from -Q Delta"
claim("A8", what, predicted=0, measured=victims_deviation.max(), tolerance=1e-10)

# %% tags=["nbval-check-output"]
what = "attack from one probe (ours): largest error of the attacker"
claim("A8", what, predicted=0, measured=probed_error.max(), tolerance=1e-10)

# %% tags=["nbval-check-output"]
what = "white-box attack: share of pairs and turns in which the attacker's error respects its bound |Q|^t"
attack_error = error_first[turns_before:]
bound = (
    np.linalg.norm(second.M, 2, axis=(-2, -1)) ** np.arange(turns)[:, None]
    * attack_error[0]
)
claim(
    "A8",
    what,
    predicted=1,
    measured=np.mean(attack_error <= bound + 1e-12),
    tolerance=0,
)
