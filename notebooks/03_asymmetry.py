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
# {cite}`cosentino2025`; the one-example and one-probe forms and the defences are ours). In more than one dimension a
# partner that draws new examples every turn spoils the exactness. What it gains by that:
# {glue:text}`asymmetry-victim-redrawn`.
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
from a2a import AffineMap, GradientAgent, Prompt, alternate, sample_pair, turns_to
from a2a.arrays import matvec, norm, operator_norm
from a2a.book.claims import RELATIONS, Checks, requires
from a2a.book.evidence import close, every, within
from a2a.contraction import contraction

rng = np.random.default_rng(seed)
checks = Checks("exact gradient agents")

# %% tags=["hide-input"]
from a2a.book.figures import (
    FIRST,
    HELPED,
    SECOND,
    cloud,
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


# %% [markdown]
# Random pairs with independent standard normal prompts and objectives:


# %%
def random_pairs(pairs, n):
    """A few at a time, because examples take more memory than the geometry that is kept of them."""
    at_once = max(1, 4_000_000 // (n * d))
    sizes = [min(at_once, pairs - done) for done in range(0, pairs, at_once)]
    parts = [
        sample_pair(rng, n, d, eta_first, eta_second, batch=(size,))
        for size in sizes
    ]
    return [
        GradientAgent(
            np.concatenate([agent.S for agent in agents]),
            np.concatenate([agent.theta for agent in agents]),
            agents[0].eta,
        )
        for agents in zip(*parts, strict=True)
    ]


# %%
first, second = random_pairs(instances, n)
w0 = rng.standard_normal((instances, d))
gap = second.theta - first.theta
v = matvec(second.step, gap)

# %% [markdown]
# Every statement about where a pair ends is measured by letting it talk until the slowest error has had time to fall
# below rounding. Long conversations are taken in strides: the map of a turn applied twice is the map of two turns, and
# so on. A pair whose error shrinks by less than a thousandth a turn is left out: it takes tens of thousands of turns,
# in which rounding adds up. That pair, and one that diverges, has no measured end.

# %%
SLOWEST = 0.999
TOLERANCE = 1e-10


def at_rest(first, second, w0):
    """What both write in the last turn of a long conversation; NaN for pairs that don't come to rest by then."""
    rate = np.asarray(contraction(first, second).rate)
    rests = rate < SLOWEST
    turn = second @ first
    stride = AffineMap(
        np.where(rests[..., None, None], turn.M, 0),
        np.where(rests[..., None], turn.c, 0),
    )
    slowest = np.max(rate, where=rests, initial=0.1)
    for _ in range(math.ceil(math.log2(turns_to(slowest, 1e-17)))):
        stride = stride @ stride
    last = first(stride(w0))
    return [np.where(rests[..., None], w, np.nan) for w in (last, second(last))]


# %% [markdown]
# A theorem is checked on the pairs that fulfil its assumptions, and each check says how many they are. Where no pair
# fulfils them the check is not applicable and names what is missing. What happens to the other pairs is shown beside
# it.


# %%
def fulfilling(*assumed, of=slice(None)):
    """Which pairs fulfil all assumptions (name, a value a pair, relation, bound)."""
    met = [
        RELATIONS[relation](value[of], bound)
        for _, value, relation, bound in assumed
    ]
    return np.all(met, axis=0)


def judged_by(*assumed, of=slice(None)):
    """The pairs that fulfil all assumptions, the assumptions of a check on them, their number.

    Where none does it is all pairs, whose worst values say why the check is not applicable.
    """
    judged = fulfilling(*assumed, of=of)
    which = judged if judged.any() else ~judged
    given = [
        requires(name, value[of][which], *wanted)
        for name, value, *wanted in assumed
    ]
    return which, given, f"{judged.sum():,} of {judged.size:,} pairs"


# %%
def rests(first, second):
    """The slowest error shrinks enough a turn, in the directions that someone sees."""
    return "rho(PQ)", contraction(first, second).rate, "<", SLOWEST


pushes = "|v| / |Delta|", norm(v) / norm(gap), ">", 1e-6

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
# Five kinds of pairs follow, four of them built so that a condition holds exactly.


# %%
def along(v):
    """The projector on the direction of v."""
    u = v / norm(v)[..., None]
    return u[..., :, None] * u[..., None, :]


def blind(agent, v):
    """The agent, with every trace of the direction v removed from its examples."""
    rest = np.eye(d) - along(v)
    S = rest @ agent.S @ rest
    return GradientAgent((S + np.swapaxes(S, -1, -2)) / 2, agent.theta, agent.eta)


def crossing(agent, v):
    """The agent, with examples along v that let it cross an error along v in one step; elsewhere as it was."""
    S = blind(agent, v).S + along(v) / agent.eta
    return GradientAgent(S, agent.theta, agent.eta)


# %%
kinds = {
    "generic pair": (first, second),
    "B blind to the gap": (first, blind(second, gap)),
    "A cancels what B adds": (crossing(first, v), second),
    "both blind to the gap": (blind(first, gap), blind(second, gap)),
    "both cross the gap": (crossing(first, gap), crossing(second, gap)),
}

# %% [markdown]
# The theorem says where they end, outside $K$: $e_A = 0$ and $e_B = -Q\Delta$ in the second and third kind, where
# $Q\Delta = \Delta$ for a B that is blind to the gap, and $e_A = e_B = 0$ in the fourth and fifth. The generic pair
# ends where {eq}`eq-asymmetry-bias` says.


# %%
def biases(first, second, written):
    """What both wrote minus their objectives, outside the directions that neither sees, (2, ..., d)."""
    seen = first.S + second.S
    onto_seen = np.linalg.pinv(seen, rcond=1e-10, hermitian=True) @ seen
    aims = np.stack([first.theta, second.theta])
    return matvec(onto_seen, np.stack(written) - aims)


# %%
honest = a2a.equilibrium(first, second, w0, require_stable=False)
zero, victims_miss = np.zeros_like(gap), -matvec(second.M, gap)
foreseen = {
    "generic pair": biases(first, second, (honest.first, honest.second)),
    "B blind to the gap": np.stack([zero, -gap]),
    "A cancels what B adds": np.stack([zero, victims_miss]),
    "both blind to the gap": np.stack([zero, zero]),
    "both cross the gap": np.stack([zero, zero]),
}


# %%
def told(shares):
    """Their mean, or that they are zero up to rounding, have no bound, or that some pair doesn't come to rest."""
    if np.isnan(shares).any():
        return "not at rest"
    if np.isinf(shares).any():
        return "not bounded"
    zero = np.max(shares) <= TOLERANCE
    return within(shares, TOLERANCE) if zero else f"{np.mean(shares):.3g}"


# %% tags=["nbval-check-output"]
one_wins = "B blind to the gap", "A cancels what B adds"
for kind, pair in kinds.items():
    errors = biases(*pair, at_rest(*pair, w0))
    missed = norm(matvec(pair[1].M, gap)) / norm(gap)
    misses = [("|Q Delta| / |Delta|", missed, ">", 1e-6)] * (kind in one_wins)
    judged, given, count = judged_by(rests(*pair), pushes, *misses)
    a, b = (told(shares[judged]) for shares in norm(errors) / norm(gap))
    print(f"{kind}: mean error of A {a}, of B {b} of the gap")
    residual = (norm(errors - foreseen[kind]) / norm(gap))[:, judged]
    what = f"{kind}: both errors at rest minus the theorem's, as shares of the gap; {count}"
    checks.add("A7", what, close(residual, tolerance=TOLERANCE), given=given)

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
mixed_bias = biases(mixed, second, at_rest(mixed, second, w0))[0]
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

# %% [markdown]
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
attack = a2a.attack_prompt(second, first.theta, eta_first)
attacker = GradientAgent.from_prompt(attack, eta_first)
attacked_first, attacked_second = at_rest(attacker, second, w0)


# %%
# of the victim alone; rounded, so that zero is zero; the last but one says that it comes to rest in time
values = np.round(np.linalg.eigvalsh(second.step), 9) + 0.0
assumed = (
    ("smallest eigenvalue of eta_B S_B", values[..., 0], ">", 0),
    ("largest eigenvalue of eta_B S_B", values[..., -1], "<", 2),
    ("|Q|", operator_norm(second.M), "<", SLOWEST),
    pushes,
)


# %%
def check_prompt(name, attacker):
    """That the prompt is one of those with which the attack works."""
    # a smaller v is known to fewer digits, if it is read off an answer
    clear = "|v| / |Delta|", norm(v) / norm(gap), ">", 1e-4
    judged, given, count = judged_by(clear)
    cancelled = (norm(matvec(attacker.M, v)) / norm(v))[judged]
    what = f"{name}: |P v| / |v|; {count}"
    checks.add("A8", what, close(cancelled, tolerance=TOLERANCE), given=given)
    above_1 = np.maximum(operator_norm(attacker.M)[judged] - 1, 0)
    what = f"{name}: what |P| has above 1; {count}"
    checks.add("A8", what, close(above_1, tolerance=TOLERANCE), given=given)


# %% tags=["nbval-check-output"]
check_prompt("one example", attacker)
judged, attack_given, count = judged_by(*assumed)
attacker_error = attacked_first - first.theta
victims_bias = attacked_second - second.theta
what = f"one example: error of the attacker; {count}"
evidence = close(norm(attacker_error[judged]), tolerance=TOLERANCE)
checks.add("A8", what, evidence, given=attack_given)

# %% tags=["nbval-check-output"]
missing = "|Q Delta| / |Delta|", norm(victims_miss) / norm(gap), ">", 1e-6
judged, given, count = judged_by(*assumed, missing)
deviation = norm(victims_bias - victims_miss)[judged]
what = f"one example: error of the victim minus -Q Delta; {count}"
checks.add("A8", what, close(deviation, tolerance=TOLERANCE), given=given)
print("mean error of a victim:", told(norm(victims_bias[judged])))
print("mean gap:", told(norm(gap[judged])))

# %% [markdown]
# Pairs outside the theorem can come to rest as well, and then A wins in all that the two see, by
# {prf:ref}`thm-asymmetry`: for instance where a victim that would diverge alone does so along the direction that the
# attacker takes out.

# %% tags=["nbval-check-output"]
diverges = np.linalg.eigvalsh(second.step)[:, -1] > 2
held = diverges & (contraction(attacker, second).rate < SLOWEST)
print(f"{diverges.sum():,} of {instances:,} victims diverge alone")
print(f"under attack {held.sum():,} of these come to rest")
aimed = GradientAgent(attacker.S, first.theta, eta_first)
ends = biases(aimed, second, (attacked_first, attacked_second))[0]
if held.any():
    print(
        "largest error of A in these, a share of the gap:",
        told((norm(ends) / norm(gap))[held].max()),
    )

# %% [markdown]
# {numref}`fig-asymmetry-headline` shows the attack in the middle of a conversation, in some of the pairs. The two
# agents first talk with ordinary prompts; then A replaces its prompt by the one example. Where errors can grow, the
# conversation is stopped before they have grown by $10^{20}$.


# %%
def held_below(growth, turns, limit=1e20):
    """As many turns as asked for, or fewer if an error that grows by the given factor a turn exceeds the limit."""
    growth = np.max(growth)
    if growth <= 1:
        return turns
    return max(1, min(turns, int(math.log(limit) / math.log(growth))))


def only(agent, pairs):
    return GradientAgent(agent.S[pairs], agent.theta[pairs], agent.eta)


# %%
some = slice(min(250, 2000 // d))
talking_first, talking_attacker, victim = (
    only(agent, some) for agent in (first, attacker, second)
)
objective, some_gap = first.theta[some], gap[some]
step_norms = [
    operator_norm(a.M) for a in (talking_first, talking_attacker, victim)
]

# %%
shown_before = held_below(step_norms[0] * step_norms[2], turns_before)
before = alternate(talking_first, victim, w0[some], shown_before)
shown = held_below(step_norms[1] * step_norms[2], turns)
under_attack = alternate(talking_attacker, victim, before.second[-1], shown)
error_first, error_second = (
    norm(np.concatenate(written) - aim)
    for written, aim in (
        ((before.first, under_attack.first), objective),
        ((before.second, under_attack.second), victim.theta),
    )
)

# %%
settled = contraction(first, second).rate[some] < 1
works = fulfilling(*assumed, of=some)
plateaus = (
    (honest.bias_first[some], settled, [1, shown_before]),
    (honest.bias_second[some], settled, [1, shown_before]),
    (victims_miss[some], works, [shown_before, shown_before + shown]),
)

# %% tags=["hide-input"]
fig, ax = panels()
turn = np.arange(1, shown_before + shown + 1)
agents = (
    ("first agent (A), attacks", error_first, FIRST),
    (
        "second agent (B), victim",
        error_second,
        SECOND,
    ),
)
for label, error, color in agents:
    floored = np.maximum(error, 1e-17).T
    median_band(ax, turn, floored, color=color, label=label, marker="")
for bias, there, span in plateaus:
    height = np.median(np.where(there, norm(bias), np.inf))
    prediction(ax, span, [height] * 2)
ax.axvspan(shown_before, turn[-1], color=HELPED, alpha=0.08, linewidth=0)
at = shown_before + 0.02 * shown
at_foot = {"transform": ax.get_xaxis_transform(), "fontweight": "bold"}
ax.text(at, 0.05, "attack", color=HELPED, **at_foot)
ax.set(yscale="log", xlabel="turn", ylabel="distance to own objective")
ax.legend(loc="upper right", bbox_to_anchor=(1.0, 0.88))
headline("asymmetry-headline", fig)

# %% tags=["nbval-check-output"]
start, end = shown_before - 1, shown_before + shown - 1
medians = np.median([error_first, error_second], axis=-1)
print(f"median errors in {error_first.shape[1]} pairs")
print(f"after {shown_before} turns: A {told(medians[0, start])}", end=", ")
print(f"B {told(medians[1, start])}")
print(f"{shown} turns of attack later: A {told(medians[0, end])}", end=", ")
print(f"B {told(medians[1, end])}")

# %% tags=["nbval-check-output"]
later = ("turns under attack", np.full(instances, shown), ">=", 2)
judged, given, count = judged_by(*assumed, later, of=some)
attack_error = error_first[shown_before:, judged]
bound = step_norms[2][judged] ** np.arange(shown)[:, None] * attack_error[0]
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
plane_attack = a2a.attack_prompt(plane_second, plane_first.theta, 0.5)
plane_attacker = GradientAgent.from_prompt(plane_attack, 0.5)
start = np.array([0.5, -1.2])

# %% tags=["hide-input", "remove-output"]
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

# %% [markdown]
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


def black_box(w):
    calls.append(w)
    return second(w)


probed = a2a.probe_attack(black_box, first.theta, eta_first)
probing = GradientAgent.from_prompt(probed, eta_first)
probing_error = norm(at_rest(probing, second, w0)[0] - first.theta)

# %% tags=["nbval-check-output"]
print(f"calls of the victim: {len(calls)}")
check_prompt("one probe", probing)
judged, given, count = judged_by(*assumed)
what = f"attack from one probe (ours): error of the attacker; {count}"
evidence = close(probing_error[judged], tolerance=TOLERANCE)
checks.add("A8", what, evidence, given=given)

# %% [markdown]
# ## What the attack costs the victim
#
# The price is $|Q\Delta|$, so it is set by the victim's own prompt, its step size and the gap. For an isotropic prompt
# $S_B = \lambda I$ it is $|1 - \eta_B\lambda|$ of the gap: nearly all of it when the victim takes small steps, and
# nothing at $\eta_B\lambda = 1$. A prompt with condition number $\kappa$ and the step size that suits it best,
# $\eta_B = 2/(\lambda_{\min} + \lambda_{\max})$, has $\|Q\| = (\kappa-1)/(\kappa+1)$, and that share is lost when the
# gap lies along the weakest or the strongest direction.

# %%
step_times_eigenvalue = np.linspace(0.05, 1.95, 39)
isotropic_S = step_times_eigenvalue[:, None, None] / eta_second * np.eye(d)
isotropic = GradientAgent(isotropic_S, second.theta[0], eta_second)
aim = first.theta[0]


def attackers_of(victim, aim):
    prompt = a2a.attack_prompt(victim, aim, eta_first)
    return GradientAgent.from_prompt(prompt, eta_first)


# %%
def victims_share(attacker, victim, aim, start):
    """The victim's measured error as a share of the gap."""
    written = at_rest(attacker, victim, start)[1]
    return norm(written - victim.theta) / norm(victim.theta - aim)


cost_isotropic = victims_share(
    attackers_of(isotropic, aim), isotropic, aim, w0[0]
)
honest_first = only(first, 0)
cost_without_attack = victims_share(honest_first, isotropic, aim, w0[0])

# %% tags=["nbval-check-output"]
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
directions = np.linalg.qr(rng.standard_normal((40, 12, d, d)))[0]
ill_S = (directions * spectra[:, None, :]) @ np.swapaxes(directions, -1, -2)
weakest, random_gap = directions[..., 0], rng.standard_normal((40, 12, d))

# %%
shares = []
for ill_gap in (weakest, random_gap):
    ill = GradientAgent(ill_S, ill_gap, best_step)
    origin, begin = np.zeros(d), rng.standard_normal(d)
    shares.append(victims_share(attackers_of(ill, origin), ill, origin, begin))

# %% tags=["nbval-check-output"]
residual = shares[0] - (kappas - 1) / (kappas + 1)
what = "gap along the weakest direction: share that the attack costs, minus (kappa - 1)/(kappa + 1)"
checks.add("A8", what, close(residual, tolerance=TOLERANCE))

# %% tags=["hide-input", "remove-output"]
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
left.legend()
prediction(right, kappas, (kappas - 1) / (kappas + 1))
weakest_share = shares[0].mean(axis=0)
right.plot(kappas, weakest_share, color=SECOND, label="weakest direction", **dots)
random_look = {"color": "#e69f00", "label": "random direction", "marker": ""}
median_band(right, kappas, shares[1], **random_look)
right.set(
    xlabel=r"condition number $\kappa$ of the victim's prompt", xscale="log"
)
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

# %% [markdown]
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
# every start, $\theta_A$ is a fixed point of $a \mapsto f_A(f_B(a))$. Since $f_B(\theta_A) = \theta_A + v$, this says v
# = \eta_A X^\top(X(\theta_A + v)
# - y)/n$, so $v$ lies in the range of $S_A$. If $S_A(\alpha v + z) = 0$ with $z \in \ker S_B$, then $\alpha v +
#   z$ is orthogonal to that range and so to $v$; with $z \perp v$ this is $\alpha|v|^2 = 0$, so $\alpha =
#   0$. Then $z$ is in $\ker S_A \cap \ker
#   S_B$, which is 0, since the start would keep its part there. So $S_A$ is injective on $\operatorname{span}(v) \oplus
#   \ker S_B$, which has dimension $1 + k$, and its rank, which is at most the number of examples, is at least $1 + k .
# ```
#
# Fewer examples are enough from some starts: one for a start that has nothing of $w_0 - \theta_A$ in $\ker S_B$. The
# victims of this section see half of the directions, rounded down but at least one, each with the eigenvalue 1.

# %%
sees = max(1, d // 2)
k = d - sees
basis = np.linalg.qr(rng.standard_normal((len(some_gap), d, d)))[0]
seen, in_kernel = basis[..., :sees], np.swapaxes(basis[..., sees:], -1, -2)
half_blind_S = seen @ np.swapaxes(seen, -1, -2)
half_blind_S = (half_blind_S + np.swapaxes(half_blind_S, -1, -2)) / 2
half_blind = GradientAgent(half_blind_S, victim.theta, eta_second)
half_v = matvec(half_blind.step, some_gap)


# %%
def reading(rows):
    """The attacker that reads these orthonormal inputs, scaled so that along each it lands on its objective."""
    X = math.sqrt(rows.shape[-2] / eta_first) * rows
    prompt = Prompt.from_objective(X, objective)
    return GradientAgent.from_prompt(prompt, eta_first)


direction = (half_v / norm(half_v)[:, None])[:, None, :]
attackers = [
    reading(np.concatenate([direction, in_kernel[:, :extra]], axis=1))
    for extra in range(k + 1)
]

# %%
starts = w0[some]
left_over = np.stack(
    [norm(at_rest(a, half_blind, starts)[0] - objective) for a in attackers]
)
offset = matvec(in_kernel, starts - objective)
stays = np.zeros_like(left_over)
for extra in range(k):
    stays[extra] = norm(offset[:, extra:])

# %% tags=["nbval-check-output"]
print(f"victim that sees {sees} of {d} directions; examples that win: {1 + k}")
judged, given, count = judged_by(
    ("largest eigenvalue of eta_B S_B", np.full(len(half_v), eta_second), "<", 2),
    ("|v| / |Delta|", norm(half_v) / norm(some_gap), ">", 1e-6),
    ("|1 - eta_B|", np.full(len(half_v), abs(1 - eta_second)), "<", SLOWEST),
)
many = f"1 to {1 + k} examples" if k else "1 example"
what = f"{many}: the attacker's error minus what the start has in the unseen; {count}"
evidence = close((left_over - stays)[:, judged], tolerance=TOLERANCE)
checks.add("A8", what, evidence, given=given)

# %% [markdown]
# A prompt with one example fewer than the theorem asks for, $v$ among its inputs and the others drawn at random
# orthogonal to it, leaves a direction that never moves: $I - PQ$ is singular.

# %%
drawn = rng.standard_normal((len(half_v), d, max(k - 1, 0)))
columns = np.concatenate([np.swapaxes(direction, -1, -2), drawn], axis=-1)
too_few = reading(np.swapaxes(np.linalg.qr(columns)[0], -1, -2))

# %% tags=["nbval-check-output"]
moves = np.eye(d) - too_few.M @ half_blind.M
smallest = np.linalg.svdvals(moves)[:, -1]
unseen = requires("dim ker S_B", k, ">=", 1)
what = "one example fewer, drawn around v: smallest singular value of I - PQ"
evidence = close(smallest, tolerance=TOLERANCE)
checks.add("A8", what, evidence, given=[unseen])

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
immune_run = alternate(attackers_of(immune, first.theta), immune, w0, 5)
errors = np.stack(
    [immune_run.first[1:] - first.theta, immune_run.second[1:] - second.theta]
)
what = "immune victim: errors of both from the second turn on"
checks.add("A8", what, close(norm(errors), tolerance=TOLERANCE))

# %% tags=["nbval-check-output"]
drawn_gap = rng.standard_normal(gap.shape)  # independent of the prompts
share = norm(matvec(np.eye(d) - second.S, drawn_gap)) / norm(drawn_gap)
print("random examples at step size 1, root mean square of the share:")
root_mean_square, predicted = np.sqrt((share**2).mean()), math.sqrt((d + 1) / n)
print(f"  {root_mean_square:.2f}, predicted {predicted:.2f}")

# %% [markdown]
# **A victim that redraws its prompt** every turn, from the same distribution and with the same objective, pushes in
# another direction each time, and the attack fits only the prompt that was probed. With a fresh $S$ in every turn and
# $u = \Delta - e$ the attacker's error $e$ and the victim's error become
#
# ```{math}
# :label: eq-asymmetry-redraw
# e' = P\,(e + \eta_B S\,u), \qquad e_B' = -(I - \eta_B S)\,u .
# ```
#
# For standard normal examples $\mathbb{E}\,S = I$ and
# $\mathbb{E}\,S C S = (1 + \tfrac1n)\, C + \tfrac1n \operatorname{tr}(C)\, I$ for symmetric $C$ (the second moment of a
# Wishart matrix), which gives a closed recursion for mean and second moment of $e$, turn by turn, for each attacker.
# The victim's error follows from it without further work.
#
# ```{prf:theorem} What redrawing gives back
# :label: thm-redraw
#
# Let the victim's examples be standard normal, its prompt independent of $\Delta$ and of $\theta_A$, and
# $c = (1 - \eta_B)^2 + \eta_B^2\,\tfrac{d+1}{n}$. The error $-Q\Delta$ with which an attacked victim ends that keeps
# its prompt has the mean square $c\;\mathbb{E}|\Delta|^2$ over all prompts; over those for which {prf:ref}`thm-attack`
# holds it is at most $\mathbb{E}|\Delta|^2$ and need not be that of all. A victim that redraws has
# $c\;\mathbb{E}|\Delta - e|^2$ over all prompts, where $e$ is the attacker's error one message before. If $c < 1$ the
# mean squares of both agents' errors stay bounded.
# ```
#
# ```{prf:proof}
# $\mathbb{E}(I - \eta_B S)^2 = \bigl(1 - 2\eta_B + \eta_B^2(1 + \tfrac{d+1}{n})\bigr) I = c\,I$, by the second moment
# with $C = I$. Kept: $\mathbb{E}|Q\Delta|^2 = \mathbb{E}\,\Delta^\top Q^2 \Delta = c\,\mathbb{E}|\Delta|^2$, and
# {prf:ref}`thm-attack` asks for $\|Q\| < 1$. Redrawn: the same with $u$, which is independent of the fresh $S$. Since
# $e' = P\,(e_B' + \Delta)$ and $\|P\| \le 1$, the root mean square of $e'$ is at most $\sqrt c$ times that of $e$, plus
# $(1 + \sqrt c)$ times that of $\Delta$.
# ```
#
# In more than one dimension redrawing takes from the attacker what makes it exact. But where the attack works on all
# prompts both kinds of victim pay the same factor $c$, one on the gap and the other on what the attacker's residual
# leaves of the gap: that alone is what redrawing can then give back, or cost on top. For $c \ge 1$ the recursion bounds
# nothing, and its mean squares are carried by rare runs: no number is given there.


# %%
def redrawing(victim, n):
    """The victim, but with n fresh examples at every turn."""

    def answer(w):
        X = rng.standard_normal((*victim.theta.shape[:-1], n, d))
        pull = matvec(np.swapaxes(X, -1, -2), matvec(X, victim.theta - w)) / n
        return w + victim.eta * pull

    return answer


def factor(n):
    """c of the theorem."""
    return (1 - eta_second) ** 2 + eta_second**2 * (d + 1) / n


# %%
def outer(a, b):
    return a[..., :, None] * b[..., None, :]


def symmetric_part(C):
    return (C + np.swapaxes(C, -1, -2)) / 2


def off_target(mean, second_moment, gap):
    """Second moment of u = gap - e, from mean and second moment of e."""
    return outer(gap, gap) - 2 * symmetric_part(outer(gap, mean)) + second_moment


def next_moments(mean, second_moment, P, gap, n):
    """Mean and second moment of the attacker's error one turn later, by the recursion above."""
    e_u = symmetric_part(outer(mean, gap)) - second_moment
    u_u = off_target(mean, second_moment, gap)
    trace = np.trace(u_u, axis1=-2, axis2=-1)[..., None, None]
    S_u_u_S = (1 + 1 / n) * u_u + trace / n * np.eye(d)
    inner = second_moment + 2 * eta_second * e_u + eta_second**2 * S_u_u_S
    return matvec(P, mean + eta_second * (gap - mean)), P @ inner @ P


# %%
def predicted_rms(P, gap, e, n, turns):
    """Root mean square errors of attacker and victim, (2, turns), from the attacker's errors e in the first turn on."""
    mean, second_moment, squares = e, outer(e, e), []
    for _ in range(turns):
        u_u = off_target(mean, second_moment, gap)
        traces = np.trace([second_moment, u_u], axis1=-2, axis2=-1).mean(axis=1)
        squares.append(traces * (1, factor(n)))
        mean, second_moment = next_moments(mean, second_moment, P, gap, n)
    return np.sqrt(np.transpose(squares))


def rms(errors):
    return np.sqrt((norm(errors) ** 2).mean(axis=-1))


# %% [markdown]
# The victim keeps its prompt first, and redraws it after the attack has worked. The pairs are those that fulfil the
# assumptions of {prf:ref}`thm-attack`, if there are any.

# %%
working = works if works.any() else ~works
robbed, robber = only(victim, working), only(talking_attacker, working)
aims, working_gap = objective[working], some_gap[working]
redraw_turns = held_below(math.sqrt(factor(n)), 40)
message = under_attack.second[-1, working]
redrawn = alternate(robber, redrawing(robbed, n), message, redraw_turns)

# %%
# A's first message answers one that was written before the redrawing began, so the recursion starts with it
e = redrawn.first[0] - aims
predicted_back = predicted_rms(robber.M, working_gap, e, n, redraw_turns)
back = np.stack([rms(redrawn.first - aims), rms(redrawn.second - robbed.theta)])

# %% tags=["nbval-check-output"]
late = slice(redraw_turns // 2, None)
honest_end = at_rest(only(first, some), victim, w0[some])
kept_end = attacked_first[some], attacked_second[some]
levels_here = {
    name: [rms((a - objective)[working]), rms((b - victim.theta)[working])]
    for name, (a, b) in {"ordinary": honest_end, "attack": kept_end}.items()
}
for name, levels in (("redrawn", back), ("redrawn, predicted", predicted_back)):
    settled_levels = np.sqrt((levels[:, late] ** 2).mean(axis=1))
    levels_here[name] = settled_levels if factor(n) < 1 else [np.inf] * 2
print(f"root mean square errors in {working.sum()} pairs;", end=" ")
print(f"the attack's assumptions hold in {works.sum()}")
for name, (a, b) in levels_here.items():
    print(f"{name}: A {told(a)}, B {told(b)}")
print(f"c = {factor(n):.3g}, bounded if below 1")

# %%
victims_ratio = levels_here["redrawn"][1] / levels_here["attack"][1]
summary = (
    "with these parameters no prompt of the run fulfils the conditions under which the attack is known to work"
    if not works.any()
    else "with these parameters its mean square error is not bounded by the theory"
)
if works.any() and factor(n) < 1:
    summary = f"its root mean square error is {victims_ratio:.2f} of what the attack costs it with a kept prompt"
glue("asymmetry-victim-redrawn", summary, display=False)

# %% [markdown]
# In these rows the kept prompts are those for which the attack works, if there are any; the fresh ones are drawn from
# all. The same for other numbers of examples, with the pairs of each that come to rest under attack with the kept
# prompt.

# %%
sizes = [2 * d, 4 * d, 8 * d, 16 * d, 32 * d, 64 * d]


def levels_of(size):
    """Root mean square errors of attacker and victim for a prompt that is kept, redrawn, and redrawn as predicted."""
    a, b = random_pairs(min(250, 2000 // d), size)
    attacker, start = attackers_of(b, a.theta), a.theta
    kept = at_rest(attacker, b, start)
    works = np.isfinite(kept[1]).all(axis=-1)
    if not works.any():
        return np.full((3, 2), np.nan)
    attacker, a, b = (only(agent, works) for agent in (attacker, a, b))
    kept = [
        rms(w[works] - own.theta) for w, own in zip(kept, (a, b), strict=True)
    ]
    if factor(size) >= 1:
        return np.array([kept, [np.inf] * 2, [np.inf] * 2])
    run = alternate(attacker, redrawing(b, size), a.theta, 40)
    measured = np.stack([rms(run.first - a.theta), rms(run.second - b.theta)])
    e, its_gap = run.first[0] - a.theta, b.theta - a.theta
    predicted = predicted_rms(attacker.M, its_gap, e, size, 40)
    late_rms = np.sqrt((np.stack([measured, predicted])[..., 20:] ** 2).mean(-1))
    return np.array([kept, *late_rms])


by_size = np.stack([levels_of(size) for size in sizes], axis=-1)

# %% tags=["nbval-check-output"]
kept, measured, predicted = by_size
print("examples, A redrawn (predicted), B kept, B redrawn (predicted)")
for size, row in zip(sizes, by_size.reshape(6, -1).T, strict=True):
    _, kept_b, a, b, predicted_a, predicted_b = row
    print(f"{size:6}  {told(a)} ({told(predicted_a)})", end="  ")
    print(f"{told(kept_b)}  {told(b)} ({told(predicted_b)})")

# %%
ratios = measured[1] / kept[1]
given_back = ratios[np.isfinite(ratios)]
summary = "has no bound, or nothing to be compared with"
if given_back.size:
    summary = f"is {given_back.min():.2f} to {given_back.max():.2f} of what the attack costs with a kept prompt"
glue("asymmetry-given-back", summary, display=False)

# %% [markdown]
# Over the sizes for which the table has both, the error of a victim that redraws {glue:text}`asymmetry-given-back`.
# What redrawing changes is the attacker's own error. With many examples, and $\eta_B < 2$, that falls as $1/\sqrt n$ in
# more than one dimension: fresh prompts of many examples resemble each other.

# %% tags=["hide-input", "remove-output"]
fig, (left, right) = panels(2)
quiet = rms((under_attack.first - objective)[:, working])
quiet_victim = rms((under_attack.second - victim.theta)[:, working])
for before_zero, after, color, name in (
    (quiet, back[0], HELPED, "attacker"),
    (quiet_victim, back[1], SECOND, "victim"),
):
    joined = np.maximum(np.concatenate([before_zero, after]), 1e-17)
    left.plot(np.arange(-shown, redraw_turns), joined, color=color, label=name)
for curve in predicted_back if factor(n) < 1 else ():
    prediction(left, np.arange(redraw_turns), np.maximum(curve, 1e-17))
left.set(yscale="log", xlabel="turn", ylabel="r.m.s. error")
left.legend(loc="center left")
marked = {"linestyle": "", "marker": "o", "markersize": 5}
measured, predicted = (
    np.where(np.isfinite(levels), levels, np.nan)
    for levels in (measured, predicted)
)
right.plot(sizes, measured[0], color=HELPED, label="attacker, redrawn", **marked)
right.plot(sizes, measured[1], color=SECOND, label="victim, redrawn", **marked)
right.plot(sizes, kept[1], color="#999999", label="victim, kept", marker="_")
for curve in predicted:
    prediction(right, sizes, curve)
right.set(xscale="log", xlabel="victim's examples $n$", ylabel="r.m.s. error")
right.set_ylim(bottom=0)
right.legend()
few_decades(right.xaxis)
show("fig-asymmetry-redraw", fig)

# %% [markdown]
# ```{glue:figure} fig-asymmetry-redraw
# ---
# name: fig-asymmetry-redraw
# alt: >-
#   Left: with the parameters of the book the attacker's error falls to rounding error and jumps back up by many orders
#   of magnitude at turn 1, the first in which it reads what the redrawing victim wrote, while the victim's stays about
#   where it was. Right: with the parameters of the book the attacker's error falls as the number of examples grows, on
#   a log axis; the victim's errors with kept and with redrawn prompts lie close together.
# ---
# A victim that redraws its prompt. Left: root mean square errors of both agents; the victim keeps its prompt, and from
# turn 0 on redraws it every turn. Right: the errors that both are left with, against the number of examples in the
# victim's prompts. Dashed, in both: the moment recursion.
# ```

# %% [markdown]
# **A victim that watches.** Every displacement of a one-example attacker, what it wrote minus what it read, is a
# multiple of $v$: the displacements over the turns have rank one, and in more than one dimension two of them are enough
# to see it. An ordinary agent moves there in as many directions as its prompt sees, in general. The sign has two
# limits. An honest agent with a single example looks the same; and {prf:ref}`thm-attack` asks for $S_A v = v/\eta_A$
# and $\|P\| \le 1$ only, so an attacker with more examples can spread its displacements over all directions and win as
# before.


# %%
def displacement_spectrum(agent, start, turns):
    """Singular values of the displacements over the first turns, the largest set to 1."""
    run = alternate(agent, victim, start, turns)
    read = np.concatenate([start[None], run.second[:-1]])
    values = np.linalg.svd(np.swapaxes(run.first - read, 0, 1), compute_uv=False)
    return values / values[:, :1]


watched = {
    "one-example attack": attacker,
    "hidden attack": crossing(first, v),
    "ordinary agent": first,
}
watch_turns = held_below(max(map(np.max, step_norms)) ** 2, 2 * d)
spectrum = {
    name: displacement_spectrum(only(agent, some), w0[some], watch_turns)
    for name, agent in watched.items()
}

# %% tags=["nbval-check-output"]
for name, agent in watched.items():
    others = np.median(spectrum[name], axis=0)[1:]
    looks = (
        f"second singular value {others[0]:.2g}"
        if np.any(others > 1e-6)
        else "rank one"
    )
    judged = judged_by(rests(agent, second), pushes)[0]
    error = norm(at_rest(agent, second, w0)[0] - first.theta)[judged]
    print(f"{name}: {looks}; mean error {told(error)}")

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

# %% [markdown]
# ## What was checked

# %% tags=["nbval-check-output"]
checks.table()
