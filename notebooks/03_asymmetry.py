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
# Two agents with different objectives usually both miss. **One of them can nevertheless win exactly, and it can arrange
# to do so against any partner that sees every direction and takes steps with which it would settle alone: a prompt of
# one example, built from the answer to a single probe, takes its own error to zero and leaves the partner with an error
# that its own prompt, step size and the gap determine** (conditions and white-box attack: paper A,
# determine** (conditions and white-box attack: paper A, {cite}`cosentino2025`; the one-example and one-probe forms and
# the defences are ours). In more than one dimension a partner that draws new examples every turn spoils the exactness;
# what it gains by that is told in {doc}`07_noise`.
#
# ```{glue:figure} asymmetry-headline
# ---
# name: fig-asymmetry-headline
# alt: >-
#   Distance of each agent to its own objective against the turn, on a log axis. With the parameters of the book both
#   curves lie on dashed plateaus before the attack. From the attack on the first agent's curve falls to rounding error,
#   and the second agent's curve settles on a new dashed plateau.
# ---
# Distance of each agent to its own objective, median over random pairs with the band from the 10th to the 90th
# percentile. In the shaded turns the first agent reads the attack prompt. Dashed: the medians that the prompts predict,
# where the pairs settle.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook; [0, inf)
d = 8  # dimension of the regression task; [1, 64]
n = 80  # in-context examples in each ordinary prompt; [1, 10000]
eta_first = 0.3  # step size of the first agent, the attacker; [1e-6, 10]
eta_second = 0.6  # step size of the second agent, the victim; [1e-6, 10]
turns_before = 30  # turns shown before the attack starts; [1, 1000]
turns = 160  # turns shown under attack; [1, 1000]
instances = 2000  # random pairs in each numeric check; [1, 10000]

# %% [markdown]
# ## Setting
#
# The pair is that of {eq}`eq-turn`, with $P = I - \eta_A S_A$, $Q = I - \eta_B S_B$ and the gap
# $\Delta = \theta_B - \theta_A$. The errors of the two agents once they have settled are, outside the directions that
# neither prompt sees, where there is no inverse,
#
# ```{math}
# :label: eq-asymmetry-bias
# e_A = a^* - \theta_A = (I - PQ)^{-1} P (I - Q)\,\Delta, \qquad
# e_B = b^* - \theta_B = -(I - QP)^{-1} Q (I - P)\,\Delta .
# ```
#
# An agent *wins* if its error is zero. What B adds to a message that already is $\theta_A$ plays the main part below:
#
# ```{math}
# :label: eq-asymmetry-push
# v = f_B(\theta_A) - \theta_A = (I - Q)\,\Delta = \eta_B S_B\,\Delta .
# ```
#
# The pairs of this chapter are random, with independent standard normal prompts and objectives.

# %% tags=["hide-input"]
import numpy as np

import a2a
from a2a import GradientAgent, alternate
from a2a.book.claims import Checks, requires
from a2a.book.figures import style
from a2a.linalg import matvec, norm, operator_norm
from a2a.pairs import only, random_pairs

style()
rng = np.random.default_rng(seed)
checks = Checks("exact gradient agents")

# %%
first, second = random_pairs(rng, instances, n, d, eta_first, eta_second)
w0 = rng.standard_normal((instances, d))
gap = second.theta - first.theta
v = matvec(second.step, gap)

# %% [markdown]
# Every statement about where a pair ends is measured by letting it talk until the slowest error has had time to fall
# below rounding. Long conversations are taken in strides: the map of a turn applied twice is the map of two turns, and
# so on. A pair whose error shrinks by less than a thousandth a turn is left out: it takes tens of thousands of turns,
# in which rounding adds up. That pair, and one that diverges, has no measured end.
#
# A theorem is checked on the pairs that fulfil its assumptions, and each check says how many they are. Where no pair
# fulfils them the check is not applicable and names what is missing. What happens to the other pairs is shown beside
# it.

# %%
from a2a.book.evidence import close, every
from a2a.book.judged import judged_by

TOLERANCE = 1e-10


def vanishes(what, residual, *assumed, claim="A8"):
    """Check that a residual of each pair is 0, up to rounding, in the pairs that fulfil the assumptions."""
    judged, given, count = judged_by(*assumed)
    evidence = close(residual[..., judged], tolerance=TOLERANCE)
    checks.add(claim, f"{what}; {count}", evidence, given=given)


# %% [markdown]
# ## When does an agent win?
#
# Directions in which neither prompt has an example, $K = \ker S_A \cap \ker S_B$, never change: what the start has
# there stays. Errors are therefore taken outside $K$, which is everything if the two prompts together see every
# direction.
#
# ```{prf:theorem} Asymmetric convergence
# :label: thm-asymmetry
#
# Let the pair contract outside $K$.
#
# 1. The first agent wins if and only if $P(I-Q)\Delta = 0$. So either $S_B\Delta = 0$ (B cannot see the disagreement),
#    or $v = (I-Q)\Delta \ne 0$ lies in $\ker P$ (A cancels in one step exactly what B adds).
# 2. If the first agent wins, the second ends with $e_B = -Q\Delta$ outside $K$.
# 3. Both win if and only if $P\Delta = Q\Delta = 0$ outside $K$: each would cross the visible gap in a single step. If
#    $P$ and $Q$ are invertible this leaves only $S_A\Delta = S_B\Delta = 0$: they disagree where neither can see.
# ```
#
# ```{prf:proof}
# $P$ and $Q$ are symmetric and act as the identity on $K$, so they map its complement to itself, and there $I - PQ$ is
# invertible. (1) By {eq}`eq-asymmetry-bias`, which is {prf:ref}`thm-equilibrium`, $e_A = 0$ exactly when
# $P(I-Q)\Delta = 0$; and $(I-Q)\Delta = \eta_B S_B \Delta$. (2) The second agent answers $b^* = Qa^* + (I-Q)\theta_B$,
# so $e_B = Q(a^* - \theta_B) = Q(e_A - \Delta)$; put $e_A = 0$. (3) If both win, (2) gives $Q\Delta = 0$, and the same
# with exchanged roles, $e_A = P(e_B + \Delta)$, gives $P\Delta = 0$. Conversely $P\Delta = Q\Delta = 0$ gives
# $P(I-Q)\Delta = P\Delta - PQ\Delta = 0$, and likewise for B. An invertible $P$ leaves no $\Delta$ outside $K$.
# ```
#
# Part 3 covers more than the invertible case. A gap that both agents cross in one step is won by both although both see
# it. None of this asks that an agent would settle alone: one that would diverge may be held by its partner
# ({prf:ref}`thm-stability`).
#
# Five kinds of pairs follow, four of them built so that a condition holds exactly. The theorem says where they end,
# outside $K$: $e_A = 0$ and $e_B = -Q\Delta$ in the second and third kind, where $Q\Delta = \Delta$ for a B that is
# blind to the gap, and $e_A = e_B = 0$ in the fourth and fifth. The generic pair ends where {eq}`eq-asymmetry-bias`
# says.

# %%
from a2a.crafted import blind, crossing, visible_errors

honest = a2a.equilibrium(first, second, w0, require_stable=False)
generic = visible_errors(first, second, (honest.first, honest.second))
zero, victims_miss = np.zeros_like(gap), -matvec(second.M, gap)
none = zero, zero
kinds = {
    "generic pair": (first, second, generic),
    "B blind to the gap": (first, blind(second, gap), (zero, -gap)),
    "A cancels what B adds": (crossing(first, v), second, (zero, victims_miss)),
    "both blind to the gap": (blind(first, gap), blind(second, gap), none),
    "both cross the gap": (crossing(first, gap), crossing(second, gap), none),
}

# %% tags=["nbval-check-output"]
from a2a.book.judged import rests
from a2a.book.levels import told
from a2a.book.tables import Table
from a2a.rest import SLOWEST, at_rest

pushes = "|v| / |Delta|", norm(v) / norm(gap), ">", 1e-6
rows = []
for kind, (*pair, foreseen) in kinds.items():
    errors = visible_errors(*pair, at_rest(*pair, w0))
    missed = norm(matvec(pair[1].M, gap)) / norm(gap)
    one_wins = kind in ("B blind to the gap", "A cancels what B adds")
    misses = [("|Q Delta| / |Delta|", missed, ">", 1e-6)] * one_wins
    wanted = rests(*pair), pushes, *misses
    what = (
        f"{kind}: both errors at rest minus the theorem's, as shares of the gap"
    )
    off = norm(errors - np.stack(foreseen)) / norm(gap)
    vanishes(what, off, *wanted, claim="A7")
    shares = (norm(errors) / norm(gap))[:, judged_by(*wanted)[0]]
    rows.append((kind, *map(told, shares)))
Table(("", "A", "B"), rows, title="Mean errors, as shares of the gap")

# %% [markdown]
# Between an exact condition and a generic pair lies everything else. Mixing the two prompts of A in all proportions
# moves the condition over many orders of magnitude, and the error follows it: from $(I - PQ)\,e_A = P(I-Q)\Delta$, if
# $\|PQ\| < 1$,
#
# ```{math}
# :label: eq-asymmetry-between
# \frac{|P(I-Q)\Delta|}{1 + \|PQ\|} \;\le\; |e_A| \;\le\; \frac{|P(I-Q)\Delta|}{1 - \|PQ\|} .
# ```

# %%
share = 10.0 ** rng.uniform(-6, 0, (instances, 1, 1))
mixed_S = (1 - share) * crossing(first, v).S + share * first.S
mixed = GradientAgent(mixed_S, first.theta, eta_first)
mixed_bias = visible_errors(mixed, second, at_rest(mixed, second, w0))[0]
mixed_error = norm(mixed_bias) / norm(gap)
condition = a2a.asymmetry(mixed, second).first_wins
norm_PQ = operator_norm(mixed.M @ second.M)

# %% tags=["nbval-check-output"]
judged, given, count = judged_by(
    rests(mixed, second),
    ("|PQ|", norm_PQ, "<", SLOWEST),
    ("|P(I - Q) Delta| / |Delta|", condition, ">", 1e-7),
)
c, exact, error = norm_PQ[judged], condition[judged], mixed_error[judged]
above = error * (1 + c) >= exact - TOLERANCE
below = error * (1 - c) <= exact + TOLERANCE
what = f"mixed prompts: the error of A lies between its bounds; {count}"
checks.add("A7", what, every(above & below), given=given)

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import HELPED, cloud, few_decades, panels, prediction, show

fig, ax = panels()
cloud(ax, c, error / exact, color=HELPED)
norms = np.linspace(0, min(SLOWEST, c.max()), 100)
for sign in (1, -1):
    prediction(ax, norms, 1 / (1 + sign * norms))
ax.set(yscale="log", xlabel=r"$\|PQ\|$")
ax.set_ylabel(r"$|e_A| \, / \, |P(I-Q)\Delta|$")
few_decades(ax.yaxis)
show("fig-asymmetry-condition", fig)

# %% [markdown]
# ```{glue:figure} fig-asymmetry-condition
# ---
# name: fig-asymmetry-condition
# alt: >-
#   Scatter of the ratio of error to condition against the norm of PQ, with two dashed curves that leave the value 1 in
#   opposite directions as the norm grows. Where the check above is supported all points lie between them.
# ---
# The first agent's error over its condition, for prompts of A that are mixed from an exactly cancelling one and an
# ordinary one, with conditions over six orders of magnitude. Dashed: the two bounds of the text. The error is the
# condition times a factor that the norm of PQ limits, so the two vanish together.
# ```
#
# ## The attack
#
# A picks its prompt so that the second case of {prf:ref}`thm-asymmetry` holds.
#
# ```{prf:theorem} White-box attack
# :label: thm-attack
#
# Let all eigenvalues of $\eta_B S_B$ lie strictly between 0 and 2, and let $v = (I-Q)\Delta \ne 0$. With any prompt
# labelled by $\theta_A$ such that $S_A v = v/\eta_A$ and $\|P\| \le 1$ the pair converges, A wins, and the victim ends
# with $e_B = -Q\Delta$. The attacker's error shrinks at least by the factor $\|Q\|$ a turn.
# ```
#
# ```{prf:proof}
# $\|PQ\| \le \|Q\| < 1$, so the pair converges ({prf:ref}`thm-stability`). $Pv = v - \eta_A S_A v = 0$, so A wins, and
# the rest is part 2 of {prf:ref}`thm-asymmetry`. With $a^* = \theta_A$ the attacker's error obeys
# $a_{t+1} - \theta_A = PQ\,(a_t - \theta_A)$.
# ```
#
# The victim's error $-Q\Delta$ contains nothing of the attacker's prompt or step size: the victim ends one of its own
# steps away from $\theta_A$.
#
# ```{prf:theorem} One example suffices
# :label: thm-one-example
#
# The prompt with the single example $x = v / (|v|\sqrt{\eta_A})$ and the label $x^\top\theta_A$ is such a prompt. With
# it the pair converges to one limit, the same from every start, if and only if the symmetric matrix $PQP$ has no
# eigenvalue outside $(-1, 1)$, whatever the victim does when left alone.
# ```
#
# ```{prf:proof}
# With $n = 1$ its geometry is $S_A = xx^\top = vv^\top/(\eta_A|v|^2)$. So $S_A v = v/\eta_A$, and
# $P = I - vv^\top/|v|^2$ is an orthogonal projector, of norm at most 1. The agent's map is
# $w \mapsto w - \eta_A x\,(x^\top w - x^\top\theta_A) = Pw + (I-P)\theta_A$. As $P = P^2$, $PQ = P\,(PQ)$ has the
# nonzero eigenvalues of $PQP$.
# ```
#
# In this chapter $\theta_A$ is what the attacker aims at. In more than one dimension it is in general not the
# least-squares solution of the attacker's prompt, which is a multiple of $x$: the prompt does not show the objective;
# the conversation with the victim supplies the rest.
#
# That a single example can set what a linear transformer answers is known: {cite:t}`anwar2024` prove it for an example
# that is perturbed in the prompt that the transformer reads, and {cite:t}`li2025hijacking` bound how many factually
# correct but misleading examples a linear transformer withstands on a classification task, and find that depth
# protects. There the attacker writes into its victim's prompt. Here it writes its own and reaches the victim through
# messages only; the equilibrium of the coupled pair, the black box that is probed once, and the defences are ours.
#
# SymPy confirms the identities for $d = 2$, with every entry of $S_B$, $\Delta$ and the step size left free.

# %% tags=["nbval-check-output"]
import sympy as sp

s11, s12, s22, d1, d2 = sp.symbols("s11 s12 s22 delta1 delta2", real=True)
step, Delta = sp.Symbol("eta_B", positive=True), sp.Matrix([d1, d2])
Q = sp.eye(2) - step * sp.Matrix([[s11, s12], [s12, s22]])
push = (sp.eye(2) - Q) * Delta
P = sp.eye(2) - push * push.T / (push.T * push)[0]
bias_A = (sp.eye(2) - P * Q).inv() * P * (sp.eye(2) - Q) * Delta
bias_B = -(sp.eye(2) - Q * P).inv() * Q * (sp.eye(2) - P) * Delta
zeros = [sp.simplify(zero) for zero in (P * push, bias_A, bias_B + Q * Delta)]
what = "P v, e_A and e_B + Q Delta vanish, symbolically, for d = 2"
checks.add("A8", what, every([zero.is_zero_matrix for zero in zeros]))

# %% [markdown]
# The numeric check attacks every random pair. The attacker reads the one example of the theorem and nothing else.

# %%
from a2a.crafted import attacker_against

attacker = attacker_against(second, first.theta, eta_first)
attacked_first, attacked_second = at_rest(attacker, second, w0)

# %%
from a2a.book.judged import attack_works, fulfilling

assumed = attack_works(second, first.theta)


# %%
def check_prompt(name, attacker):
    """That the prompt is one of those with which the attack works."""
    # a smaller v is known to fewer digits, if it is read off an answer
    clear = "|v| / |Delta|", norm(v) / norm(gap), ">", 1e-4
    cancelled = norm(matvec(attacker.M, v)) / norm(v)
    vanishes(f"{name}: |P v| / |v|", cancelled, clear)
    above_1 = np.maximum(operator_norm(attacker.M) - 1, 0)
    vanishes(f"{name}: what |P| has above 1", above_1, clear)


# %% tags=["nbval-check-output"]
check_prompt("one example", attacker)
attackers_error = norm(attacked_first - first.theta)
vanishes("one example: error of the attacker", attackers_error, *assumed)

# %% tags=["nbval-check-output"]
victims_bias = attacked_second - second.theta
misses = "|Q Delta| / |Delta|", norm(victims_miss) / norm(gap), ">", 1e-6
off = norm(victims_bias - victims_miss)
what = "one example: error of the victim minus -Q Delta"
vanishes(what, off, *assumed, misses)
judged, *_ = judged_by(*assumed, misses)
mean_error, mean_gap = (told(norm(w)[judged]) for w in (victims_bias, gap))
print(f"mean error of a victim: {mean_error}, mean gap: {mean_gap}")

# %% [markdown]
# Pairs outside the theorem can come to rest as well, and then A wins in all that the two see, by
# {prf:ref}`thm-asymmetry`: for instance where a victim that would diverge alone does so along the direction that the
# attacker takes out.

# %% tags=["nbval-check-output"]
diverges = np.linalg.eigvalsh(second.step)[:, -1] > 2
held = diverges & fulfilling(rests(attacker, second))
print(f"{diverges.sum():,} of {instances:,} victims diverge alone")
print(f"under attack {held.sum():,} of these come to rest")
aimed = GradientAgent(attacker.S, first.theta, eta_first)
ends = visible_errors(aimed, second, (attacked_first, attacked_second))[0]
if held.any():
    share = told((norm(ends) / norm(gap))[held].max())
    print("largest error of A in these, a share of the gap:", share)

# %% [markdown]
# {numref}`fig-asymmetry-headline` shows the attack in the middle of a conversation, in some of the pairs. The two
# agents first talk with ordinary prompts; then A replaces its prompt by the one example. Where errors can grow, the
# conversation is stopped before they have grown by $10^{20}$.

# %%
from a2a.takeover import take_over

some = slice(min(250, 2000 // d))
agents = first, attacker, second
ordinary, robber, victim = (only(agent, some) for agent in agents)
objective, some_gap = first.theta[some], gap[some]
talk = take_over(ordinary, robber, victim, w0[some], turns_before, turns)
errors = norm(talk.run.first - objective), norm(talk.run.second - victim.theta)

# %%
settled = honest.rate[some] < 1
works = fulfilling(*assumed, of=some)
end = talk.before + talk.after
plateaus = (
    (honest.bias_first[some], settled, [1, talk.before]),
    (honest.bias_second[some], settled, [1, talk.before]),
    (victims_miss[some], works, [talk.before, end]),
)

# %% tags=["hide-input"]
from a2a.book.figures import FIRST, SECOND, headline, median_band

fig, ax = panels()
turn = np.arange(1, end + 1)
names = {"first agent (A), attacks": FIRST, "second agent (B), victim": SECOND}
for (label, color), error in zip(names.items(), errors, strict=True):
    floored = np.maximum(error, 1e-17).T
    median_band(ax, turn, floored, color=color, label=label, marker="")
for bias, there, span in plateaus:
    height = np.median(np.where(there, norm(bias), np.inf))
    prediction(ax, span, [height] * 2)
ax.axvspan(talk.before, end, color=HELPED, alpha=0.08, linewidth=0)
at_foot = {"transform": ax.get_xaxis_transform(), "fontweight": "bold"}
ax.text(talk.before + 1, 0.05, "attack", color=HELPED, **at_foot)
ax.set(yscale="log", xlabel="turn", ylabel="distance to own objective")
ax.legend(loc="upper right", bbox_to_anchor=(1.0, 0.88))
headline("asymmetry-headline", fig)

# %% tags=["nbval-check-output"]
medians = np.median(errors, axis=-1)
rows = [(turn, *map(told, medians[:, turn - 1])) for turn in (talk.before, end)]
title = f"Median errors in {len(objective)} pairs, before and under attack"
Table(("turn", "A", "B"), rows, title=title)

# %% tags=["nbval-check-output"]
later = ("turns under attack", np.full(instances, talk.after), ">=", 2)
judged, given, count = judged_by(*assumed, later, of=some)
attack_error = errors[0][talk.before :, judged]
norm_Q = operator_norm(victim.M)[judged]
bound = norm_Q ** np.arange(talk.after)[:, None] * attack_error[0]
what = f"error of the attacker t turns on, at most |Q|^t times the first; {count}"
evidence = every(attack_error <= (1 + 1e-9) * bound + TOLERANCE)
checks.add("A8", what, evidence, given=given)

# %% [markdown]
# In the plane the mechanism can be seen. Every step of the attacker is parallel to $v$: it removes from B's message
# exactly the component in which B pushes away from $\theta_A$, and leaves the other component to B, which brings it to
# rest.

# %%
plane_first = GradientAgent([[1.0, 0.3], [0.3, 0.5]], [-1.0, 0.5], 0.5)
plane_second = GradientAgent([[0.6, -0.4], [-0.4, 1.2]], [1.2, 1.0], 0.4)
plane_attacker = attacker_against(plane_second, plane_first.theta, 0.5)
start = np.array([0.5, -1.2])

# %% tags=["hide-input", "remove-output"]
from a2a.book.plots import path_in_plane

fig, axes = panels(2, height=3.9, sharex=True, sharey=True)
plane = {"ordinary prompt": plane_first, "attack prompt": plane_attacker}
aims = plane_first.theta, plane_second.theta
for ax, (title, agent) in zip(axes, plane.items(), strict=True):
    path = alternate(agent, plane_second, start, 40)
    path_in_plane(ax, path, *aims, start)
    ax.set_title(title)
axes[1].set_ylabel("")
axes[0].legend(fontsize=8, loc="lower left")
show("fig-asymmetry-plane", fig)

# %% [markdown]
# ```{glue:figure} fig-asymmetry-plane
# ---
# name: fig-asymmetry-plane
# alt: >-
#   Two panels with the path of both agents in the plane. On the left the path winds to a place between the two stars.
#   On the right all steps of A are parallel and its path ends on its star.
# ---
# The same two objectives and the same victim in the plane. Left: ordinary prompts, and both agents settle away from
# their stars. Right: under attack what A writes ends on A's star; B ends one of its own steps away from it.
# ```
#
# ## One probe suffices
#
# The white-box attack needs $S_B$, $\theta_B$ and $\eta_B$ only through the vector $v$, and {eq}`eq-asymmetry-push`
# says how to read it off.
#
# ```{prf:theorem} One probe suffices
# :label: thm-probe
#
# An attacker that knows nothing of the victim hands it the vector $\theta_A$ once and reads the answer $\theta_A + v$.
# If $v \ne 0$, the difference gives the prompt of {prf:ref}`thm-one-example`, whatever the victim's prompt, objective
# and step size are.
# ```
#
# ```{prf:proof}
# $f_B(\theta_A) = Q\theta_A + (I-Q)\theta_B = \theta_A + (I-Q)\Delta$. The prompt depends on the victim through $v$
# alone.
# ```
#
# That the prompt then wins is {prf:ref}`thm-attack`, with its assumptions on the victim. A counter confirms that the
# victim is called once.

# %%
calls = []
probed = a2a.probe_attack(
    lambda w: calls.append(w) or second(w), first.theta, eta_first
)
probing = GradientAgent.from_prompt(probed, eta_first)
probing_error = norm(at_rest(probing, second, w0)[0] - first.theta)

# %% tags=["nbval-check-output"]
print(f"calls of the victim: {len(calls)}")
check_prompt("one probe", probing)
what = "attack from one probe (ours): error of the attacker"
vanishes(what, probing_error, *assumed)

# %% [markdown]
# ## What the attack costs the victim
#
# The price is $|Q\Delta|$, so it is set by the victim's own prompt, its step size and the gap. For an isotropic prompt
# $S_B = \lambda I$ it is $|1 - \eta_B\lambda|$ of the gap: nearly all of it when the victim takes small steps, and
# nothing at $\eta_B\lambda = 1$. A prompt with condition number $\kappa$ and the step size that suits it best,
# $\eta_B = 2/(\lambda_{\min} + \lambda_{\max})$, has $\|Q\| = (\kappa-1)/(\kappa+1)$, and that share is lost when the
# gap lies along the weakest or the strongest direction.

# %% tags=["nbval-check-output"]
from a2a.takeover import share_lost

step_times_eigenvalue = np.linspace(0.05, 1.95, 39)
isotropic_S = step_times_eigenvalue[:, None, None] / eta_second * np.eye(d)
isotropic = GradientAgent(isotropic_S, second.theta[0], eta_second)
aim = first.theta[0]
robbing = attacker_against(isotropic, aim, eta_first)
cost_isotropic = share_lost(robbing, isotropic, aim, w0[0])
cost_without_attack = share_lost(only(first, 0), isotropic, aim, w0[0])
residual = cost_isotropic - abs(1 - step_times_eigenvalue)
what = "isotropic victims: share of the gap that the attack costs, minus |1 - eta lambda|"
checks.add("A8", what, close(residual, tolerance=TOLERANCE))

# %% [markdown]
# For the second panel each condition number gets prompts with exactly that spectrum. Half of the gaps are random, half
# lie along the weakest direction. The attacker's objective is the origin.

# %%
spectra = np.geomspace(1 / np.geomspace(1.5, 60, 12), np.ones(12), d, axis=-1)
kappas = spectra[:, -1] / spectra[:, 0]  # 1 in one dimension
best_step = 2 / (spectra[:, 0] + spectra[:, -1])
ill_S = a2a.random_covariance(rng, spectra, (40,))
weakest = np.linalg.eigh(ill_S)[1][..., 0]
random_gap = rng.standard_normal(weakest.shape)

# %% tags=["nbval-check-output"]
shares, origin = [], np.zeros(d)
for ill_gap in (weakest, random_gap):
    ill, begin = GradientAgent(ill_S, ill_gap, best_step), rng.standard_normal(d)
    robbing = attacker_against(ill, origin, eta_first)
    shares.append(share_lost(robbing, ill, origin, begin))
residual = shares[0] - (kappas - 1) / (kappas + 1)
what = "gap along the weakest direction: share that the attack costs, minus (kappa - 1)/(kappa + 1)"
checks.add("A8", what, close(residual, tolerance=TOLERANCE))

# %% tags=["hide-input", "remove-output"]
fig, (left, right) = panels(2, sharey=True)
dots = {"linestyle": "", "marker": "o", "markersize": 4}
prediction(left, step_times_eigenvalue, abs(1 - step_times_eigenvalue))
for label, cost, color in (
    ("under attack", cost_isotropic, SECOND),
    ("ordinary first agent", cost_without_attack, "#999999"),
):
    left.plot(step_times_eigenvalue, cost, color=color, label=label, **dots)
left.set(xlabel=r"$\eta_B \lambda$", ylabel="victim's error / gap", ylim=(0, 1))
left.legend()
prediction(right, kappas, (kappas - 1) / (kappas + 1))
weakest_share = shares[0].mean(axis=0)
right.plot(kappas, weakest_share, color=SECOND, label="weakest direction", **dots)
line = {"color": "#e69f00", "label": "random direction", "marker": ""}
median_band(right, kappas, shares[1], **line)
right.set(xlabel=r"condition number $\kappa$ of the victim", xscale="log")
right.legend(title="gap along the")
few_decades(right.xaxis)
show("fig-asymmetry-cost", fig)

# %% [markdown]
# ```{glue:figure} fig-asymmetry-cost
# ---
# name: fig-asymmetry-cost
# alt: >-
#   Two panels. Left: the victim's share falls from nearly 1 to 0 at eta lambda = 1 and rises again, on a dashed V.
#   Right: in more than one dimension the share rises with the condition number along the dashed curve towards 1, and
#   random gaps cost less.
# ---
# What the attack costs the victim, as a share of the gap. Left: isotropic prompts, against the victim's step size times
# the eigenvalue of its prompt; the attack costs nothing at 1. Right: prompts with a spectrum of given condition number
# at their best step size; gaps along the weakest direction, and random gaps (median, and band from the 10th to the 90th
# percentile). Dashed: predicted.
# ```
#
# ## A victim that does not see every direction
#
# A victim with fewer examples than dimensions leaves $\ker S_B$ to the attacker. Since $v$ lies in the range of $S_B$,
# the one example does not see $\ker S_B$ either, and what the start has there stays.
#
# ```{prf:theorem} How many examples an attack takes
# :label: thm-attack-examples
#
# Let all eigenvalues of $\eta_B S_B$ lie in $[0, 2)$, let $v \ne 0$ and $k = \dim\ker S_B$. There is a prompt of
# $1 + k$ examples with which what A writes tends to $\theta_A$ from every start, in every direction, and none with
# fewer.
# ```
#
# ```{prf:proof}
# *Enough.* Take $1 + k$ orthogonal examples, one along $v$ and the others along a basis of $\ker S_B$, such that $S_A$
# has the eigenvalue $1/\eta_A$ on their span; $v \perp \ker S_B$, because $v$ lies in the range of the symmetric $S_B$.
# Then $P$ is the projector on the other directions, all of them in the range of $S_B$, where $Q$ has norm below 1. So
# $\|PQP\| < 1$, and $PQ = P\,(PQ)$ has the nonzero eigenvalues of $PQP$. With labels from $\theta_A$ the pair
# converges, and what A writes tends to $\theta_A$ since $Pv = 0$.
#
# *Necessary.* Let A read any inputs $X$, $n$ of them, with any labels $y$. If what it writes tends to $\theta_A$ from
# every start, $\theta_A$ is a fixed point of $a \mapsto f_A(f_B(a))$. Since $f_B(\theta_A) = \theta_A + v$, this says
# $v = \eta_A X^\top\bigl(X(\theta_A + v) - y\bigr)/n$, so $v$ lies in the range of $S_A$. If $S_A(\alpha v + z) = 0$
# with $z \in \ker S_B$, then $\alpha v + z$ is orthogonal to that range and so to $v$; with $z \perp v$ this is
# $\alpha|v|^2 = 0$, so $\alpha = 0$. Then $z$ is in $\ker S_A \cap \ker S_B$, which is 0, since the start would keep
# its part there. So $S_A$ is injective on $\operatorname{span}(v) \oplus \ker S_B$, which has dimension $1 + k$, and
# its rank, which is at most the number of examples, is at least $1 + k$.
# ```
#
# Fewer examples are enough from some starts: one for a start that has nothing of $w_0 - \theta_A$ in $\ker S_B$. The
# victims of this section see half of the directions, rounded down but at least one, each with the eigenvalue 1.

# %%
from a2a.imperfect import partly_sighted

sees = max(1, d // 2)
k = d - sees
half_blind, in_kernel = partly_sighted(rng, sees, victim.theta, eta_second)
half_v = matvec(half_blind.step, some_gap)

# %%
from a2a.crafted import attackers_by_size, landing, never_moved

starts = w0[some]
by_size = attackers_by_size(half_v, in_kernel, objective, eta_first)
ends = np.stack([at_rest(agent, half_blind, starts)[0] for agent in by_size])
left_over = norm(ends - objective)
stays = never_moved(in_kernel, starts - objective)

# %% tags=["nbval-check-output"]
print(f"victim that sees {sees} of {d} directions; examples that win: {1 + k}")
many = f"1 to {1 + k} examples" if k else "1 example"
vanishes(
    f"{many}: the attacker's error minus what the start has in the unseen",
    left_over - stays,
    ("largest eigenvalue of eta_B S_B", np.full(len(half_v), eta_second), "<", 2),
    ("|v| / |Delta|", norm(half_v) / norm(some_gap), ">", 1e-6),
    ("|1 - eta_B|", np.full(len(half_v), abs(1 - eta_second)), "<", SLOWEST),
)

# %% [markdown]
# A prompt with one example fewer than the theorem asks for, $v$ among its inputs and the others drawn at random
# orthogonal to it, leaves a direction that never moves: $I - PQ$ is singular.

# %% tags=["nbval-check-output"]
drawn = rng.standard_normal((len(half_v), d, max(k - 1, 0)))
columns = np.concatenate([half_v[..., None], drawn], axis=-1)
around_v = np.swapaxes(np.linalg.qr(columns)[0], -1, -2)
too_few = landing(around_v, objective, eta_first)
moves = np.eye(d) - too_few.M @ half_blind.M
smallest = np.linalg.svdvals(moves)[:, -1]
what = "one example fewer, drawn around v: smallest singular value of I - PQ"
given = [requires("dim ker S_B", k, ">=", 1)]
checks.add("A8", what, close(smallest, tolerance=TOLERANCE), given=given)

# %% [markdown]
# ## Defences
#
# **An immune victim.** At $\eta_B S_B = I$ the victim has $Q = 0$: it lands on $\theta_B$ every turn, whatever it is
# handed, and the attack costs it nothing. The attacker still wins, which is part 3 of {prf:ref}`thm-asymmetry`.
# Immunity against every gap takes this isotropic prompt, and random examples give it only roughly: with $\eta_B = 1$
# and $n$ standard normal examples that are independent of the gap the mean square of the share $|Q\Delta|/|\Delta|$ is
# $\mathbb{E}\operatorname{tr}(I - S_B)^2/d = (d+1)/n$.

# %% tags=["nbval-check-output"]
immune = GradientAgent(np.eye(d) / eta_second, second.theta, eta_second)
robbing = attacker_against(immune, first.theta, eta_first)
run = alternate(robbing, immune, w0, 5)
errors = np.stack([run.first - first.theta, run.second - second.theta])[:, 1:]
what = "immune victim: errors of both from the second turn on"
checks.add("A8", what, close(norm(errors), tolerance=TOLERANCE))

# %% tags=["nbval-check-output"]
drawn_gap = rng.standard_normal(gap.shape)  # independent of the prompts
share = norm(matvec(np.eye(d) - second.S, drawn_gap)) / norm(drawn_gap)
print("random examples at step size 1, root mean square of the share:", end=" ")
print(f"{(share**2).mean() ** 0.5:.2f}, predicted {((d + 1) / n) ** 0.5:.2f}")

# %% [markdown]
# **A victim that redraws its prompt** every turn, from the same distribution and with the same objective, pushes in
# another direction each time, and the attack fits only the prompt that was probed. What that gives back to the victim
# is told in {doc}`07_noise`.
#
# **A victim that watches.** Every displacement of a one-example attacker, what it wrote minus what it read, is a
# multiple of $v$: the displacements over the turns have rank one, and in more than one dimension two of them are enough
# to see it. An ordinary agent moves there in as many directions as its prompt sees, in general. The sign has two
# limits. An honest agent with a single example looks the same; and {prf:ref}`thm-attack` asks for $S_A v = v/\eta_A$
# and $\|P\| \le 1$ only, so an attacker with more examples can spread its displacements over all directions and win as
# before.

# %%
from a2a.crafted import displacement_spectrum
from a2a.rest import held_below

watched = {
    "one-example attack": attacker,
    "hidden attack": crossing(first, v),
    "ordinary agent": first,
}
growth = max(operator_norm(a.M).max() for a in (ordinary, robber, victim)) ** 2
watching = held_below(growth, 2 * d)

# %% tags=["nbval-check-output"]
rows, spectrum = [], {}
for name, agent in watched.items():
    run = alternate(only(agent, some), victim, starts, watching)
    spectrum[name] = displacement_spectrum(run, starts)
    others = np.median(spectrum[name], axis=0)[1:]
    look = f"{others[0]:.2g}" if np.any(others > 1e-6) else "rank one"
    judged = judged_by(rests(agent, second), pushes)[0]
    error = norm(at_rest(agent, second, w0)[0] - first.theta)[judged]
    rows.append((name, look, told(error)))
Table(("first agent", "second singular value", "mean error"), rows)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
looks = zip((HELPED, "#cc79a7", FIRST), "osD", strict=True)
for (name, values), (color, marker) in zip(spectrum.items(), looks, strict=True):
    index = np.arange(1, values.shape[1] + 1)
    floored = np.maximum(values, 1e-18)
    median_band(ax, index, floored, color=color, marker=marker, label=name)
ax.set(yscale="log", xlabel="index of the singular value")
ax.xaxis.get_major_locator().set_params(integer=True)
ax.set_ylabel("relative singular value")
ax.legend()
show("fig-asymmetry-detect", fig)

# %% [markdown]
# ```{glue:figure} fig-asymmetry-detect
# ---
# name: fig-asymmetry-detect
# alt: >-
#   Singular values on a log axis against their index. For the one-example attack they drop to rounding error at the
#   second. With the parameters of the book those of the ordinary agent and of the hidden attack fall slowly and lie
#   close together.
# ---
# What the victim can see: singular values of the first agent's displacements over the first turns, relative to the
# largest, median over the pairs with the band from the 10th to the 90th percentile. A one-example attack has rank one
# up to rounding. An attacker with more examples hides.
# ```
#
# ## What was checked

# %% tags=["nbval-check-output"]
checks.table()
