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
# # A helper that changes its objective: Newton steps
#
# Two agents with fixed objectives that differ end, in general, on a plateau, and without a difference they may still
# need very many turns. **If the second agent gives up its own objective and chooses a new one every turn, it can make
# its next gradient step land where a Newton step of the first agent would: the plateau is gone after one exchange**
# (paper A, {cite}`cosentino2025`). In exact arithmetic the condition number of the prompts doesn't matter; in floating
# point one exchange leaves an error of about $\kappa$ times the precision, most of which the next one removes. What the
# helper has to know for that is read off below; what less knowledge costs is measured in {doc}`06_helper_knowledge`.
#
# ```{glue:figure} helper-headline
# ---
# name: fig-helper-headline
# alt: >-
#   Two panels. With the parameters of the book: left, error against turn on a log axis, plain alternation stays flat on
#   a dashed plateau, the helped run drops to rounding error at the second turn. Right, turns against condition number
#   on log-log axes, three curves without help rise, two of them with slope one, while the helped curve is flat at one.
# ---
# Left: distance of the main agent to its objective, mean over random pairs with the band from the 10th to the 90th
# percentile; dashed, the predicted plateau. Right: turns until the error has shrunk to a given fraction, against the
# condition number of the prompts, when the partner has the same objective and when it is a Newton helper; dashed, the
# bounds of {prf:ref}`thm-helper-turns` for two agents and for one alone, before rounding up. What has no bound, because
# errors may grow, is left out.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook; [0, inf)
d = 8  # dimension of the regression task; [2, 64]
eta = 0.9  # step size of both; every prompt's largest eigenvalue is 1; [1e-6, 10]
kappa_max = 1.0e4  # largest condition number of a prompt; [2, 1e8]
kappa_shown = 30.0  # condition number in figures of errors by turn; [1, 1e6]
epsilon = 1.0e-8  # share of the first error at which counting stops; [1e-100, 1)
turns = 25  # turns in the figures; [1, 200]
instances = 1000  # random pairs in each numeric check; [1, 10000]

# %% [markdown]
# ## Setting
#
# The main agent A keeps its prompt and its objective. The helper B has a prompt $S_B$ and a step size $\eta_B$ too, but
# its objective is its own choice at every turn. With $P = I - \eta_A S_A$ an exchange is
#
# ```{math}
# :label: eq-helper-turn
# a_t = P\, b_{t-1} + (I - P)\,\theta_A, \qquad b_t = a_t - \eta_B S_B\,(a_t - \theta_{B,t}), \qquad b_0 = w_0 .
# ```
#
# Unless said otherwise a prompt in this chapter has a spectrum that is known exactly: eigenvalues spread evenly on a
# log scale from 1 down to $1/\kappa$, in random orthonormal directions. Deviations are given relative to the error
# $w_0 - \theta_A$ of the start where nothing else is named.

# %% tags=["hide-input"]
import numpy as np

import a2a
from a2a.book import one_claim
from a2a.book.claims import Checks, requires
from a2a.book.figures import style
from a2a.ensembles import conditioned_agents
from a2a.linalg import matvec, norm

style()
rng = np.random.default_rng(seed)
checks = Checks("exact gradient agents")
a9 = one_claim.OneClaim(checks, "A9", tolerance=1e-7)

# %%
kappa = np.exp(rng.uniform(0, np.log(kappa_max), instances))
main, partner = (conditioned_agents(rng, kappa, d, eta) for _ in range(2))
w0 = rng.standard_normal((instances, d))
first_error = norm(w0 - main.theta)

# %% [markdown]
# What the theorems take for granted of these pairs is computed, too. What is 0 in exact arithmetic is left by float64
# at some $\kappa$ times its precision, $2.2 \cdot 10^{-16}$; unless a check says otherwise it allows $10^{-7}$, and
# counts only where $\kappa$ times the precision is a hundred times smaller.

# %%
invertible = one_claim.invertible_prompts(main, partner)
digits = one_claim.digits_left(kappa)

# %% [markdown]
# ## Steering
#
# ```{prf:theorem} Steering
# :label: thm-steering
#
# With the objective $\theta_B = a + (\eta_B S_B)^{+}(t - a)$ the helper's step takes $a$ to $a + \Pi_B (t - a)$, where
# $\Pi_B$ projects on the range of $S_B$. If $S_B$ is invertible the step lands on the target $t$ itself.
# ```
#
# ```{prf:proof}
# The step is $b = a - \eta_B S_B (a - \theta_B) = a + \eta_B S_B (\eta_B S_B)^{+} (t - a)$, and
# $\eta_B S_B(\eta_B S_B)^{+} = \Pi_B$.
# ```
#
# The price is the objective that the helper has to pretend to have. It lies up to $1/(\eta_B\lambda_{\min}(S_B))$ times
# as far from $a$ as the target does, so a helper with an ill-conditioned prompt of its own may have to name far-away
# objectives.

# %%
target = rng.standard_normal((instances, d))
pretended = a2a.steering_objective(partner, w0, target)
way = norm(target - w0)
missed = norm(a2a.GradientAgent(partner.S, pretended, eta)(w0) - target) / way
stretch = norm(pretended - w0) / way

# %% tags=["nbval-check-output"]
print(f"they lie up to {stretch.max():.3g} times as far as the target")
what = "steering: step minus its target, over the way"
a9.vanishes(what, missed, invertible, digits)
what = "steering: pretended objectives are at most kappa / eta times as far"
a9.holds(what, stretch <= kappa / eta * (1 + 1e-6), invertible, digits)

# %% [markdown]
# ## The Newton helper
#
# ```{prf:theorem} Newton helper
# :label: thm-newton
#
# Let $S_A$ and $S_B$ be invertible and $g = S_A(a_t - \theta_A)$ the main agent's gradient. With
#
# $$
# \theta_{B,t} = a_t - (\eta_B S_B)^{-1} S_A^{-1} g
# $$
#
# the helper writes $b_t = \theta_A$. From every start and with all step sizes, everything that is written after the
# main agent's first message is $\theta_A$. That message, which no helper has touched, is still off by
# $a_1 - \theta_A = P\,(w_0 - \theta_A)$.
# ```
#
# ```{prf:proof}
# The first message is {eq}`eq-helper-turn`. By {prf:ref}`thm-steering` $b_t = a_t - S_A^{-1} g$. The loss is quadratic
# with Hessian $S_A$, so this Newton step lands on its minimum: $S_A^{-1} g = a_t - \theta_A$. Then
# $a_{t+1} = P\theta_A + (I-P)\theta_A = \theta_A$, the gradient is 0, and the helper leaves it there.
# ```
#
# Condition numbers appear nowhere, in exact arithmetic; in float64 one exchange leaves an error of about $\kappa$ times
# the precision, most of which the next one removes.

# %%
from a2a import alternate
from a2a.imperfect import newton_helper

helped = alternate(main, newton_helper(partner, main), w0, 4)
untouched = helped.first[0] - main.theta - matvec(main.M, w0 - main.theta)
after = np.concatenate([helped.second, helped.first[1:]]) - main.theta
untouched, after = norm(untouched) / first_error, norm(after) / first_error

# %% tags=["nbval-check-output"]
a9.vanishes("A's first message: error minus P (w0 - theta_A)", untouched)
a9.vanishes("Newton helper: error of what follows it", after, invertible, digits)

# %% [markdown]
# Without help the same pairs, if they settle, stay where {prf:ref}`thm-equilibrium` puts them. To see ill-conditioned
# pairs at rest, the map of a turn is squared again and again. How often follows from the rate; where pairs drift apart
# instead, until that can be seen of the fastest.

# %%
from a2a.counting import doublings_to_rest
from a2a.longrun import doubled

rest = a2a.equilibrium(main, partner, require_stable=False)
times = doublings_to_rest(rest.rate)
plateau = main(doubled(partner @ main, times)(w0)) - main.theta
off = norm(plateau - rest.bias_first) / first_error

# %% tags=["nbval-check-output"]
settles = requires("rho(PQ)", rest.rate, "<", 1)
precision = one_claim.PRECISION
resolution = precision / np.maximum(abs(1 - rest.rate), precision)
resolved = requires("float64 precision / (1 - rho)", resolution, "<", 1e-11)
print(f"A's mean error without help, turn {2**times + 1}:", end=" ")
print(f"{norm(plateau).mean():.3g}")
a9.vanishes("fixed objectives: plateau minus predicted", off, settles, resolved)

# %% [markdown]
# ## What one exchange reveals
#
# The Newton helper's $g$ is computed from $\theta_A$, since $S_A^{-1} g = a_t - \theta_A$: whoever can compute it has
# been given the answer. A helper that isn't told $\theta_A$ can read it off.
#
# ```{prf:theorem} One exchange reveals the objective
# :label: thm-helper-reveals
#
# Let $S_A$ be invertible, and let the main agent read $b$ and write $a$. Then
#
# $$
# \theta_A = b - (\eta_A S_A)^{-1} (b - a) .
# $$
#
# A helper that knows $S_A$, $\eta_A$ and the start $w_0$ can aim at $\theta_A$ from its first message on, one that
# doesn't know $w_0$ from its second; with an invertible $S_B$ all that is written after the main agent's first message
# is $\theta_A$, as in {prf:ref}`thm-newton`. If $S_A$ is singular, the pseudo-inverse gives $b - \Pi_A (b - \theta_A)$.
# ```
#
# ```{prf:proof}
# $b - a = \eta_A S_A (b - \theta_A)$, and $(\eta_A S_A)^{+} \eta_A S_A = \Pi_A$, the projector on the range of $S_A$.
# The rest is {prf:ref}`thm-steering`.
# ```
#
# So $(b - a)/\eta_A$ is the main agent's gradient at what it read, and what it reads and writes is enough. SymPy
# confirms an exchange for $d = 2$ with both geometries free.

# %% tags=["nbval-check-output"]
import sympy as sp

names = "p11 p12 p22 q11 q12 q22 eta_A eta_B"
p11, p12, p22, q11, q12, q22, *steps = sp.symbols(names, real=True)
step_A = steps[0] * sp.Matrix([[p11, p12], [p12, p22]])
step_B = steps[1] * sp.Matrix([[q11, q12], [q12, q22]])
read, theta_A = (sp.Matrix(sp.symbols(f"{v}1 {v}2")) for v in ("w", "theta"))
a = read - step_A * (read - theta_A)
revealed = read - step_A.inv() * (read - a)
theta_B = a - step_B.inv() * (a - revealed)
b = a - step_B * (a - theta_B)
print("revealed - theta_A =", list(sp.simplify(revealed - theta_A)))
print("b - theta_A =", list(sp.simplify(b - theta_A)))

# %% [markdown]
# What the helper writes is now off by about $\kappa / \eta_A$ times the precision, since $b - a$ is a small difference
# where A's step is small.

# %%
informed = a2a.Helper(partner, a2a.OneExchange(main.S, main.eta, w0))
told = alternate(main, informed, w0, 4)
off = np.concatenate([told.second, told.first[1:]]) - main.theta
off, lost = norm(off) / first_error, kappa / min(eta, 1) * precision
legible = requires("kappa / eta x float64 precision", lost, "<", 1e-9)

# %% tags=["nbval-check-output"]
what = "helper that reads theta_A off (ours): error after A's first message"
a9.vanishes(what, off, invertible, legible)

# %% [markdown]
# ## Turns against the condition number
#
# A partner without an objection, which has the same objective, leaves no plateau; it still takes time.
#
# ```{prf:theorem} Turns of plain alternation
# :label: thm-helper-turns
#
# Let both objectives be $\theta_A$, and let $\|P\|$ and $\|Q\|$ be at most $r$ with $0 < r < 1$. The error is at most
# $\varepsilon$ times the first one after $\dfrac{\log(1/\varepsilon)}{-2\log r}$ turns, rounded up; if only A moves
# ($Q = I$), after twice that before rounding. (With $r = 0$ it is one turn.) The count is attained from a start along
# an eigenvector that $P$ and $Q$ have in common with eigenvalues $\pm r$, alone along such an eigenvector of $P$. If
# all eigenvalues of $\eta_A S_A$ and $\eta_B S_B$ lie between $h/\kappa$ and $h \le 1$, then $r = 1 - h/\kappa$ will
# do, and the count before rounding is at most $\dfrac{\kappa}{2h}\log\dfrac1\varepsilon$ (alone, twice that) and at
# least $1 - h/\kappa$ times that.
# ```
#
# ```{prf:proof}
# The error is multiplied by $QP$ a turn, and $\|QP\| \le \|Q\|\,\|P\| \le r^2$; along a common eigenvector it shrinks
# by exactly $r^2$. Alone it is multiplied by $P$. For the last sentence use $x \le -\log(1-x) \le x/(1-x)$ with
# $x = h/\kappa$.
# ```
#
# Four partners meet the same main agents, several for each condition number: one that repeats what it reads, so that A
# is alone; one with the same prompt; one whose prompt has the same spectrum but other directions; and the helper, with
# that last prompt.

# %%
kappas = np.geomspace(1, kappa_max, 13)
many, other = (conditioned_agents(rng, kappas, d, eta, (20,)) for _ in range(2))
start_error = rng.standard_normal(many.theta.shape)
start = many.theta + start_error

# %% [markdown]
# Turns are counted by bisection in powers of two. With $\|P\|, \|Q\| \le 1$ that is exact, since the error never grows;
# otherwise nothing is counted. Powers of a matrix close to the identity have lost digits, which limits how far float64
# can count.

# %%
from a2a.counting import most_turns, turns_to_share
from a2a.linalg import operator_norm

largest_norm = np.maximum(operator_norm(many.M), operator_norm(other.M)).max(0)
shrinks = requires("|P| and |Q|", largest_norm, "<", 1)
longest = most_turns(largest_norm, epsilon, agents=1).max()
countable = requires("turns of one agent alone", longest, "<", 1e7)

# %%
partners = {
    "alone": a2a.AffineMap(np.eye(d), np.zeros(d)),
    "partner with the same prompt": many,
    "partner with other directions": other,
}
counted = {
    name: turns_to_share(second.M @ many.M, start_error, epsilon, longest)
    for name, second in partners.items()
}
run = alternate(many, newton_helper(other, many), start, 3)
off = norm(run.second - many.theta) > epsilon * norm(start_error)
counted["Newton helper"] = np.where(off[-1], np.inf, 1 + off.sum(axis=0))

# %% tags=["nbval-check-output"]
from a2a.book.tables import Table

steep, rows = kappas >= kappa_max / 50, []
for name, count in counted.items():
    mean, slope = count.mean(axis=0), ""
    turns_told = f"{mean[-1]:.3g}" if np.isfinite(mean[-1]) else "not counted"
    if np.isfinite(mean).all():
        fit = np.polyfit(np.log(kappas[steep]), np.log(mean[steep]), 1)
        slope = f"{round(fit[0], 2) + 0.0:.2f}"
    rows.append((name, turns_told, slope))
Table(("", f"turns at kappa = {kappa_max:g}", "slope"), rows)

# %% [markdown]
# A slope of 1 is a count that grows in proportion to $\kappa$, as the theorem's does. A partner that is weak in other
# directions than A can do better: it moves what A hardly sees. The theorem's count is an upper bound for each of them,
# and the helper needs one exchange as long as $\varepsilon$ is well above $\kappa$ times the precision.

# %% tags=["nbval-check-output"]
for name, agents in zip(partners, (1, 2, 2), strict=True):
    bound = most_turns(largest_norm, epsilon, agents)
    limit = np.ceil(np.maximum(bound * (1 + 1e-9), 1))
    what = f"same objective, {name}: turns are at most the theorem's"
    a9.holds(what, counted[name] <= limit, shrinks, countable)
lost = kappa_max * precision / epsilon
sharp = requires("kappa x float64 precision / epsilon", lost, "<", 1e-2)
what = "Newton helper: exchanges that each pair needs"
a9.equals(what, counted["Newton helper"], 1, sharp)

# %% [markdown]
# In the worst case, a start along the common direction that shrinks least, the count of the theorem is exact. Where the
# error would reach the share just at the end of a turn, rounding would decide; so the share is taken as what is left
# half a turn before.

# %% tags=["nbval-check-output"]
values, directions = np.linalg.eigh(many.M)
least = np.abs(values).argmax(axis=-1)[..., None, None]
worst_start = np.take_along_axis(directions, least, axis=-1)[..., 0]
foreseen = np.ceil(most_turns(largest_norm, epsilon))
left = np.clip(largest_norm, 0, 1) ** (2 * foreseen - 1)
worst = turns_to_share(many.M @ many.M, worst_start, left, longest)[:, 1:]
what = "same prompt and objective, worst start: turns"
a9.equals(what, worst, foreseen[1:], shrinks, countable)

# %% [markdown]
# The figure at the top shows these counts, beside the errors of pairs with one condition number. Where errors grow from
# turn to turn, as they do with steps that are too large, figures stop at a growth of $10^{100}$.

# %%
from a2a.rest import held_below

shown_main, shown_partner = (
    conditioned_agents(rng, kappa_shown, d, eta, (300,)) for _ in range(2)
)
shown_start = shown_main.theta + rng.standard_normal((300, d))
shown_rest = a2a.equilibrium(shown_main, shown_partner, require_stable=False)
length = held_below(shown_rest.rate, turns, 1e100)
stuck = alternate(shown_main, shown_partner, shown_start, length)
freed = alternate(
    shown_main, newton_helper(shown_partner, shown_main), shown_start, turns
)

# %% tags=["hide-input"]
from a2a.book.figures import (
    HELPED,
    SECOND,
    errors_by_turn,
    headline,
    panels,
    prediction,
)

# %% tags=["hide-input"]
fig, (left, right) = panels(2, height=4.0)
runs = {"fixed objective": (stuck, SECOND), "Newton helper": (freed, HELPED)}
for name, (run, color) in runs.items():
    error = norm(run.first - shown_main.theta)
    errors_by_turn(left, error, label=f"partner: {name}", color=color)
if np.max(shown_rest.rate) < 1:
    prediction(left, [1, turns], [norm(shown_rest.bias_first).mean()] * 2)
left.set(ylabel="main agent's error")
left.legend(loc="center right")
colors = ("#999999", SECOND, "#e69f00", HELPED)
for (name, count), color in zip(counted.items(), colors, strict=True):
    if np.isfinite(count).all():
        line = {"color": color, "label": name, "markersize": 4}
        right.loglog(kappas, count.mean(axis=0), "o-", **line)
if shrinks.holds:
    for agents in (1, 2):
        prediction(right, kappas, most_turns(largest_norm, epsilon, agents))
right.set(xlabel=r"condition number $\kappa$")
right.set_ylabel(f"turns to {epsilon:g} of the first error")
right.legend(fontsize=9)
headline("helper-headline", fig)

# %% [markdown]
# The errors behind those counts: without help, ten times the condition number costs about ten times the turns as long
# as errors shrink at all; with help all condition numbers fall at once, down to rounding.

# %%
from a2a.ensembles import root_mean_square

shown_kappas = np.geomspace(1, kappa_max, 5)
ladder, ladder_partner = (
    conditioned_agents(rng, shown_kappas, d, eta, (50,)) for _ in range(2)
)
ladder_start = ladder.theta + rng.standard_normal(ladder.theta.shape)
growth = a2a.spectral_radius(ladder.M @ ladder.M)
length = 1000 if growth.max() <= 1 else held_below(growth, turns, 1e100)
unhelped = alternate(ladder, ladder, ladder_start, length)
with_help = alternate(
    ladder, newton_helper(ladder_partner, ladder), ladder_start, 4
)

# %% tags=["hide-input", "remove-output"]
from matplotlib import colormaps

from a2a.book.figures import show

fig, (left, right) = panels(2, sharey=True)
for ax, run, marker in ((left, unhelped, ""), (right, with_help, "o")):
    errors = root_mean_square(np.swapaxes(run.first - ladder.theta, 1, 2))
    for position, value in enumerate(shown_kappas):
        line = {"color": colormaps["viridis"](0.2 * position), "marker": marker}
        number = range(1, len(errors) + 1)
        label = rf"$\kappa$ = {value:.3g}"
        ax.plot(number, errors[:, position], label=label, **line)
left.set(xscale="log", yscale="log", xlabel="turn", ylabel="main agent's error")
left.set_title("same prompt and objective")
right.set(xlabel="turn", xticks=range(1, 5), title="Newton helper")
right.legend()
show("fig-helper-kappa", fig)

# %% [markdown]
# ```{glue:figure} fig-helper-kappa
# ---
# name: fig-helper-kappa
# alt: >-
#   Two panels with error against turn. With the parameters of the book: left, five curves that fall ever later, each
#   ten times later than the one before, the last hardly at all. Right, all five curves fall to rounding error at the
#   second turn, the larger condition numbers to a somewhat higher floor.
# ---
# Root mean square error of the main agent against the turn, for five condition numbers. Left: with a partner of the
# same prompt and objective. Right: with a Newton helper.
# ```

# %% [markdown]
# ## A helper that does not see every direction
#
# With fewer examples than dimensions $S_B$ is singular, and by {prf:ref}`thm-steering` the helper acts on its range
# only. After its step the error is
#
# ```{math}
# :label: eq-helper-singular
# b_t - \theta_A = (I - \Pi_B)(a_t - \theta_A), \qquad a_{t+1} - \theta_A = P\,(I - \Pi_B)\,(a_t - \theta_A) .
# ```
#
# What lies in $\ker S_B$ remains and is left to the main agent's own steps, at the rate $\rho(P(I - \Pi_B))$ an
# exchange.

# %%
from a2a.imperfect import partly_sighted

zero = np.zeros((instances, d))
half_agent, unseen = partly_sighted(rng, d // 2, zero, eta)
half = alternate(main, newton_helper(half_agent, main), w0, 1)
before, behind = half.first[0] - main.theta, half.second[0] - main.theta
remains = matvec(np.swapaxes(unseen, -1, -2), matvec(unseen, before))
off = norm(behind - remains) / norm(before)

# %% tags=["nbval-check-output"]
left_over = np.mean(norm(behind) / norm(before))
print(f"{d // 2} of {d} directions seen: {left_over:.0%} of the error remains")
what = "helper that sees half of the directions: error after its step"
a9.vanishes(what, off, digits)

# %%
partial_errors = {}
for rank in sorted({0, d // 4, d // 2, 3 * d // 4, d - 1}):
    seeing, unseen = partly_sighted(rng, rank, np.zeros((300, d)), eta)
    blind = np.swapaxes(unseen, -1, -2) @ unseen
    rate = a2a.spectral_radius(shown_main.M @ blind)
    length = held_below(rate, turns, 1e100)
    run = alternate(
        shown_main, newton_helper(seeing, shown_main), shown_start, length
    )
    partial_errors[rank] = root_mean_square(run.second - shown_main.theta)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
for rank, errors in partial_errors.items():
    color = colormaps["viridis"](0.85 * (1 - rank / d))
    label = f"{rank} of {d} directions"
    ax.plot(np.arange(1, len(errors) + 1), errors, ".-", color=color, label=label)
ax.set(yscale="log", xlabel="turn", ylabel="error after the exchange")
ax.legend(fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
show("fig-helper-singular", fig)

# %% [markdown]
# ```{glue:figure} fig-helper-singular
# ---
# name: fig-helper-singular
# alt: >-
#   Error against turn on a log axis, one curve for each number of directions that the helper sees. With the parameters
#   of the book, the more directions it sees the lower the curve, but all of them fall slowly.
# ---
# A helper whose prompt shows only some of the directions: root mean square error after each exchange. At 0 the main
# agent is alone; with all directions, left out here, one exchange is enough.
# ```

# %% [markdown]
# ## What was checked

# %% tags=["nbval-check-output"]
checks.table()
