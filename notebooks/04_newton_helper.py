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
# helper has to know for that, and what less knowledge costs, is measured below.
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
damping = 0.6  # share of the Newton step that a damped helper takes; (0, 3]
hessian_error = 0.4  # relative error of a misinformed helper's Hessian; [0, 1)
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
import math

import numpy as np
import sympy as sp

import a2a
from a2a import GradientAgent, Helper, alternate, newton_target
from a2a.arrays import matvec, norm, operator_norm
from a2a.book.claims import Checks, requires
from a2a.book.evidence import close, every

rng = np.random.default_rng(seed)
checks = Checks("exact gradient agents")


def vanishes(what, deviation, *given, tolerance=1e-7):
    """Check that a relative deviation, which is 0 in exact arithmetic, is 0 up to rounding."""
    checks.add("A9", what, close(deviation, tolerance=tolerance), given=given)


# %% tags=["hide-input"]
from matplotlib import colormaps

from a2a.book.figures import (
    FIRST,
    HELPED,
    SECOND,
    errors_by_turn,
    headline,
    median_band,
    on_the_diagonal,
    panels,
    prediction,
    show,
    style,
)

style()


# %%
def agent_with(kappa, batch=(), step=eta):
    """Random agents whose prompts have exactly the condition numbers kappa; agents of shape (*batch, *kappa.shape)."""
    spectrum = np.asarray(kappa)[..., None] ** -np.linspace(0.0, 1.0, d)
    S = a2a.random_covariance(rng, spectrum, batch)
    theta = rng.standard_normal(S.shape[:-1])
    return GradientAgent(S, theta, step)


def root_mean_square(errors):
    """Over the instances, which are the dimension before the last, of errors (..., instances, d)."""
    return np.sqrt((norm(errors) ** 2).mean(axis=-1))


# %%
kappa = np.exp(rng.uniform(0, math.log(kappa_max), instances))
main, partner = agent_with(kappa), agent_with(kappa)
w0 = rng.standard_normal((instances, d))
first_error = norm(w0 - main.theta)

# %% [markdown]
# What the theorems take for granted of these pairs is computed, too. What is 0 in exact arithmetic is left by float64
# at some $\kappa$ times its precision, $2.2 \cdot 10^{-16}$; unless a check says otherwise it allows $10^{-7}$, and
# counts only where $\kappa$ times the precision is a hundred times smaller.

# %%
precision = np.finfo(float).eps
eigenvalues = np.linalg.eigvalsh(np.stack([main.S, partner.S]))
invertible = requires("smallest eigenvalue of S_A, S_B", eigenvalues, ">", 0)
lost = kappa * precision
digits = requires("kappa x float64 precision", lost, "<", 1e-9)

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
missed = norm(GradientAgent(partner.S, pretended, eta)(w0) - target) / way
stretch = norm(pretended - w0) / way

# %% tags=["nbval-check-output"]
print(f"they lie up to {stretch.max():.3g} times as far as the target")
vanishes(
    "steering: step minus its target, over the way", missed, invertible, digits
)
checks.add(
    "A9",
    "steering: pretended objectives are at most kappa / eta times as far",
    every(stretch <= kappa / eta * (1 + 1e-6)),
    given=[invertible, digits],
)

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
newton_helper = Helper(partner, lambda w: newton_target(main, w))
helped = alternate(main, newton_helper, w0, 4)
untouched = helped.first[0] - main.theta - matvec(main.M, w0 - main.theta)
after = np.concatenate([helped.second, helped.first[1:]]) - main.theta
untouched, after = norm(untouched) / first_error, norm(after) / first_error

# %% tags=["nbval-check-output"]
vanishes("A's first message: error minus P (w0 - theta_A)", untouched)
vanishes("Newton helper: error of what follows it", after, invertible, digits)

# %% [markdown]
# Without help the same pairs, if they settle, stay where {prf:ref}`thm-equilibrium` puts them. To see ill-conditioned
# pairs at rest, the map of a turn is squared again and again. How often follows from the rate; where pairs drift apart
# instead, until that can be seen of the fastest.

# %%
rest = a2a.equilibrium(main, partner, require_stable=False)
settles = requires("rho(PQ)", rest.rate, "<", 1)
gap = np.maximum(abs(1 - rest.rate), precision)
resolved = requires("float64 precision / (1 - rho)", precision / gap, "<", 1e-11)
long = a2a.turns_to(rest.rate, 1e-12, at_most=2**50)
drifting = long[rest.rate >= 1]
last_turn = drifting.min() if drifting.size else long.max()
squarings = math.ceil(math.log2(last_turn))
stride = partner @ main
for _ in range(squarings):
    stride = stride @ stride
plateau = main(stride(w0)) - main.theta
off = norm(plateau - rest.bias_first) / first_error

# %% tags=["nbval-check-output"]
print(f"A's mean error without help, turn {2**squarings + 1}:", end=" ")
print(f"{norm(plateau).mean():.3g}")
vanishes("fixed objectives: plateau minus predicted", off, settles, resolved)

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
informed = Helper(partner, a2a.OneExchange(main.S, main.eta, w0))
told = alternate(main, informed, w0, 4)
off = np.concatenate([told.second, told.first[1:]]) - main.theta
off, lost_twice = norm(off) / first_error, lost / min(eta, 1)
legible = requires("kappa / eta x float64 precision", lost_twice, "<", 1e-9)

# %% tags=["nbval-check-output"]
what = "helper that reads theta_A off (ours): error after A's first message"
vanishes(what, off, invertible, legible)

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
many, other = agent_with(kappas, (20,)), agent_with(kappas, (20,))
start_error = rng.standard_normal(many.theta.shape)
start = many.theta + start_error

# %%
largest_norm = np.maximum(operator_norm(many.M), operator_norm(other.M)).max(0)
shrinks = requires("|P| and |Q|", largest_norm, "<", 1)


def most_turns(share, agents=2):
    """The theorem's count before rounding, for each of kappas; infinite where there is none."""
    slowest = np.log(np.clip(largest_norm, 1e-300, 1))
    bound = np.full_like(slowest, np.inf)
    return np.divide(
        math.log(share), agents * slowest, out=bound, where=slowest < 0
    )


# %% [markdown]
# Turns are counted by bisection in powers of two. With $\|P\|, \|Q\| \le 1$ that is exact, since the error never grows;
# otherwise nothing is counted. Powers of a matrix close to the identity have lost digits, which limits how far float64
# can count.

# %%
longest = most_turns(epsilon, agents=1).max()
countable = requires("turns of one agent alone", longest, "<", 1e7)


def turns_to_reach(share, first, second, error):
    """Turns until what the second agent writes has `share` of the first error; infinite where errors may grow."""
    if not shrinks.holds:
        return np.full(error.shape[:-1], np.inf)
    goal, done = share * norm(error), 0
    strides = [second.M @ first.M]
    while 2 ** len(strides) <= 2 * longest:
        strides.append(strides[-1] @ strides[-1])
    for power in reversed(range(len(strides))):
        ahead = matvec(strides[power], error)
        far = norm(ahead) > goal
        error, done = (
            np.where(far[..., None], ahead, error),
            done + far * 2**power,
        )
    return done + 1


# %%
partners = {
    "alone": a2a.AffineMap(np.eye(d), np.zeros(d)),
    "partner with the same prompt": many,
    "partner with other directions": other,
}
counted = {
    name: turns_to_reach(epsilon, many, second, start_error)
    for name, second in partners.items()
}
run = alternate(many, Helper(other, lambda w: newton_target(many, w)), start, 3)
off = norm(run.second - many.theta) > epsilon * norm(start_error)
counted["Newton helper"] = np.where(off[-1], np.inf, 1 + off.sum(axis=0))

# %% tags=["nbval-check-output"]
steep = kappas >= kappa_max / 50
for name, count in counted.items():
    mean = count.mean(axis=0)
    told = f"{name:30}: {mean[-1]:8.3g} turns at kappa = {kappa_max:g}"
    if not np.isfinite(mean[-1]):
        told = f"{name:30}: not counted"
    if np.isfinite(mean).all():
        slope = np.polyfit(np.log(kappas[steep]), np.log(mean[steep]), 1)[0]
        told += f", slope {round(slope, 2) + 0.0:.2f}"
    print(told)

# %% [markdown]
# A slope of 1 is a count that grows in proportion to $\kappa$, as the theorem's does. A partner that is weak in other
# directions than A can do better: it moves what A hardly sees. The theorem's count is an upper bound for each of them,
# and the helper needs one exchange as long as $\varepsilon$ is well above $\kappa$ times the precision.

# %% tags=["nbval-check-output"]
for name, agents in zip(partners, (1, 2, 2), strict=True):
    limit = np.ceil(np.maximum(most_turns(epsilon, agents) * (1 + 1e-9), 1))
    checks.add(
        "A9",
        f"same objective, {name}: turns are at most the theorem's",
        every(counted[name] <= limit),
        given=[shrinks, countable],
    )
enough = kappa_max * precision / epsilon
checks.add(
    "A9",
    "Newton helper: exchanges that each pair needs",
    close(counted["Newton helper"], 1, tolerance=0),
    given=[requires("kappa x float64 precision / epsilon", enough, "<", 1e-2)],
)

# %% [markdown]
# In the worst case, a start along the common direction that shrinks least, the count of the theorem is exact. Where the
# error would reach the share just at the end of a turn, rounding would decide; so the share is taken as what is left
# half a turn before.

# %% tags=["nbval-check-output"]
values, directions = np.linalg.eigh(many.M)
least = np.abs(values).argmax(axis=-1)[..., None, None]
worst_start = np.take_along_axis(directions, least, axis=-1)[..., 0]
foreseen = np.ceil(most_turns(epsilon))
left = np.clip(largest_norm, 0, 1) ** (2 * foreseen - 1)
counted_worst = turns_to_reach(left, many, many, worst_start)
checks.add(
    "A9",
    "same prompt and objective, worst start: turns",
    close(counted_worst[:, 1:], foreseen[1:], tolerance=0),
    given=[shrinks, countable],
)

# %% [markdown]
# The figure at the top shows these counts, beside the errors of pairs with one condition number. Where errors grow from
# turn to turn, as they do with steps that are too large, figures stop at a growth of $10^{100}$.


# %%
def shown_turns(rate):
    """The turns of a figure: fewer where the fastest pair would grow too far."""
    fastest = float(np.max(rate))
    if fastest <= 1:
        return turns
    return min(turns, math.floor(a2a.turns_to(fastest, 1e-100)))


shown_main, shown_partner = (agent_with(kappa_shown, (300,)) for _ in range(2))
shown_start = shown_main.theta + rng.standard_normal((300, d))

# %%
shown_rest = a2a.equilibrium(shown_main, shown_partner, require_stable=False)
stuck = alternate(
    shown_main, shown_partner, shown_start, shown_turns(shown_rest.rate)
)
shown_helper = Helper(shown_partner, lambda w: newton_target(shown_main, w))
freed = alternate(shown_main, shown_helper, shown_start, turns)
stuck_error, freed_error = (
    norm(run.first - shown_main.theta) for run in (stuck, freed)
)

# %% tags=["hide-input"]
fig, (left, right) = panels(2, height=4.0)
errors_by_turn(left, stuck_error, label="partner: fixed objective", color=SECOND)
errors_by_turn(left, freed_error, label="partner: Newton helper", color=HELPED)
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
        prediction(right, kappas, most_turns(epsilon, agents))
right.set(xlabel=r"condition number $\kappa$")
right.set_ylabel(f"turns to {epsilon:g} of the first error")
right.legend(fontsize=9)
headline("helper-headline", fig)

# %% [markdown]
# The errors behind those counts: without help, ten times the condition number costs about ten times the turns as long
# as errors shrink at all; with help all condition numbers fall at once, down to rounding.

# %%
shown_kappas = np.geomspace(1, kappa_max, 5)
ladder, ladder_partner = (agent_with(shown_kappas, (50,)) for _ in range(2))
ladder_start = ladder.theta + rng.standard_normal(ladder.theta.shape)
agreeing = GradientAgent(ladder.S, ladder.theta, eta)
growth = a2a.spectral_radius(agreeing.M @ ladder.M)
length = 1000 if growth.max() <= 1 else shown_turns(growth)
unhelped = alternate(ladder, agreeing, ladder_start, length)
ladder_helper = Helper(ladder_partner, lambda w: newton_target(ladder, w))
with_help = alternate(ladder, ladder_helper, ladder_start, 4)

# %% tags=["hide-input", "remove-output"]
fig, (left, right) = panels(2, sharey=True)
for ax, run, marker in ((left, unhelped, ""), (right, with_help, "o")):
    errors = root_mean_square(np.swapaxes(run.first - ladder.theta, 1, 2))
    for position, value in enumerate(shown_kappas):
        line = {"color": colormaps["viridis"](0.2 * position), "marker": marker}
        label = rf"$\kappa$ = {value:.3g}"
        ax.plot(
            range(1, len(errors) + 1), errors[:, position], label=label, **line
        )
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
def partial_helper(rank, batch):
    """A gradient agent whose prompt shows `rank` random directions equally well, and the projector on the others."""
    S = a2a.random_covariance(rng, [0.0] * (d - rank) + [1.0] * rank, batch)
    return GradientAgent(S, np.zeros(d), eta), np.eye(d) - S


half_agent, unseen = partial_helper(d // 2, (instances,))
half = alternate(
    main, Helper(half_agent, lambda w: newton_target(main, w)), w0, 1
)
before, behind = half.first[0] - main.theta, half.second[0] - main.theta
off = norm(behind - matvec(unseen, before)) / norm(before)

# %% tags=["nbval-check-output"]
left_over = np.mean(norm(behind) / norm(before))
print(f"{d // 2} of {d} directions seen: {left_over:.0%} of the error remains")
vanishes(
    "helper that sees half of the directions: error after its step", off, digits
)

# %%
ranks = sorted({0, d // 4, d // 2, 3 * d // 4, d - 1})
partial_errors = {}
for rank in ranks:
    seeing, blind = partial_helper(rank, (300,))
    rate = a2a.spectral_radius(shown_main.M @ blind)
    helper = Helper(seeing, lambda w: newton_target(shown_main, w))
    run = alternate(shown_main, helper, shown_start, shown_turns(rate))
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
# ## Degrees of knowledge
#
# The Newton helper knows the Hessian $S_A$ and the gradient, and the one that reads knows $S_A$, $\eta_A$ and $w_0$.
# Four others know less, or use less. From here on $S_B$ is invertible again, so that every target is reached. The
# damped helper and the one with a wrong Hessian are told the gradient at $a_t$, which no exchange shows without $S_A$:
# what was exchanged gives it at $b_{t-1}$.
#
# **Damped.** A helper that takes only a share $\delta$ of the Newton step leaves
# $b_t - \theta_A = (1 - \delta)(a_t - \theta_A)$. The main agent's own step comes in between, so that an exchange
# multiplies the error by
#
# ```{math}
# :label: eq-helper-damped
# b_t - \theta_A = (1 - \delta)\,P\,(b_{t-1} - \theta_A) .
# ```
#
# The error vanishes from every start if and only if $|1 - \delta|\,\|P\| < 1$. Where it grows, its deviation from the
# prediction is given relative to what it may have grown to.

# %%
damped_helper = Helper(partner, lambda w: newton_target(main, w, damping=damping))
damped = alternate(main, damped_helper, w0, 10)
expected, error = [], w0 - main.theta
for _ in range(10):
    expected.append(error := (1 - damping) * matvec(main.M, error))
factor = np.maximum(1, abs(1 - damping) * operator_norm(main.M))
scale = (
    max(1, abs(1 - damping)) * first_error * factor ** np.arange(1, 11)[:, None]
)
off = norm(damped.second - main.theta - np.stack(expected)) / scale

# %% tags=["nbval-check-output"]
vanishes("damped helper: error after each of 10 exchanges", off, digits)

# %% [markdown]
# **A wrong Hessian.** A helper that takes $H$ for the Hessian leaves
# $b_t - \theta_A = (I - H^{-1}S_A)(a_t - \theta_A)$. The rate is the spectral radius of the resulting iteration matrix:
#
# ```{math}
# :label: eq-helper-wrong
# b_t - \theta_A = (I - H^{-1}S_A)\,P\,(b_{t-1} - \theta_A), \qquad \text{rate } \rho\bigl((I - H^{-1} S_A)\,P\bigr) .
# ```
#
# ```{prf:theorem} How wrong the Hessian may be
# :label: thm-wrong-hessian
#
# Let $S_A$ be positive definite, $S_B$ invertible and $(1-\sigma) S_A \preceq H \preceq (1+\sigma) S_A$ with
# $0 \le \sigma < 1$. An exchange multiplies the root of the main agent's loss, $|S_A^{1/2}(b_t - \theta_A)| / \sqrt2$,
# by at most $\|P\|\,\sigma/(1-\sigma)$, and so the rate isn't larger either. If the main agent is stable or marginal
# alone, $\|P\| \le 1$, then with a relative error of the Hessian below one half the loss falls at every exchange until
# it is 0, and the messages converge to $\theta_A$, at every condition number.
# ```
#
# ```{prf:proof}
# Write $H = S_A^{1/2}(I + W)S_A^{1/2}$ with $\|W\| \le \sigma$. For $u = S_A^{1/2}(b - \theta_A)$ an exchange is
# $u \mapsto (I - (I+W)^{-1})P u$, since $P$ commutes with $S_A^{1/2}$, and $I - (I+W)^{-1}$ is symmetric with
# eigenvalues $\omega/(1+\omega)$, $|\omega| \le \sigma$.
# ```
#
# An error that is small against the largest eigenvalue of $S_A$ alone is another matter: divided by the smallest one it
# becomes a relative error of up to $\kappa$ times the size.


# %%
def wrong_hessian(S, size):
    """Symmetric positive definite H whose relative error against S, in the sense of the theorem, is exactly `size`."""
    W = rng.standard_normal(S.shape)
    W = W + np.swapaxes(W, -1, -2)
    W *= (size / operator_norm(W))[..., None, None]
    values, vectors = np.linalg.eigh(S)
    root = (vectors * np.sqrt(values)[..., None, :]) @ np.swapaxes(
        vectors, -1, -2
    )
    H = root @ (np.eye(d) + W) @ root
    return (H + np.swapaxes(H, -1, -2)) / 2


def exchange_matrix(main, H):
    """What an exchange with a helper that believes in H does to an error."""
    return (np.eye(d) - np.linalg.solve(H, main.S)) @ main.M


# %% [markdown]
# The check draws errors of all relative sizes from 0.05 to 0.8, so that some pairs may diverge. The main agent's
# objective is put at the origin, which makes an exchange linear; its result can be scaled back to length 1 each time,
# and nothing overflows or vanishes.

# %%
centred = GradientAgent(main.S, np.zeros(d), eta)
sigma = rng.uniform(0.05, 0.8, instances)
H = wrong_hessian(centred.S, sigma)
believer = Helper(partner, lambda w: newton_target(centred, w, hessian=H))
unit, path = w0 / norm(w0)[:, None], []
for _ in range(40):
    answer = believer(centred(unit))
    path.append((unit, answer))
    unit = answer / norm(answer)[:, None]

# %%
read, answer = (np.stack(messages) for messages in zip(*path, strict=True))
iteration = exchange_matrix(centred, H)
off = norm(answer - matvec(iteration, read))


def root_loss(w):
    """The root of twice the main agent's loss."""
    return np.sqrt(np.maximum((w * matvec(centred.S, w)).sum(axis=-1), 0))


factors = root_loss(answer) / root_loss(read)
allowed = operator_norm(main.M) * sigma / (1 - sigma)

# %% tags=["nbval-check-output"]
inverse = np.linalg.inv(np.linalg.cholesky(centred.S))
relative = inverse @ H @ np.swapaxes(inverse, -1, -2) - np.eye(d)
share = operator_norm(relative) / sigma
sandwich = requires("relative error of H / sigma", share, "<=", 1 + 1e-6)
what = "wrong Hessian (ours): error after each of 40 exchanges"
vanishes(what, off, invertible, digits)
checks.add(
    "A9",
    "wrong Hessian (ours): root of the loss, against the bound",
    every(factors <= allowed * (1 + 1e-6)),
    given=[invertible, digits, sandwich],
)

# %%
predicted_rate = a2a.spectral_radius(iteration)
measured_rate = np.exp(np.log(norm(answer[20:])).mean(axis=0))

# %% tags=["nbval-check-output"]
off = np.percentile(np.abs(measured_rate / predicted_rate - 1), 95)
print(f"measured rate within {off:.1%} of the spectral radius for 95 % of pairs")
diverge = predicted_rate >= 1
print(f"pairs that diverge: {diverge.mean():.0%}")
if diverge.any():
    print(f"smallest relative error of such a pair: {sigma[diverge].min():.2f}")

# %% tags=["hide-input", "remove-output"]
fig, (left, right) = panels(2)
on_the_diagonal(left, predicted_rate, measured_rate, color=HELPED)
left.set(xlabel="spectral radius", ylabel="measured rate")
points = right.scatter(
    sigma, measured_rate, s=6, c=np.log10(kappa), cmap="viridis", rasterized=True
)
grid = np.linspace(0.05, 0.8, 100)
prediction(right, grid, grid / (1 - grid))
right.axhline(1, color="#999999", linewidth=1)
right.set(xlabel=r"relative error $\sigma$ of the Hessian")
right.set(ylabel="measured rate", ylim=(0, max(2, measured_rate.max())))
fig.colorbar(points, ax=right, label=r"$\log_{10} \kappa$")
show("fig-helper-hessian", fig)

# %% [markdown]
# ```{glue:figure} fig-helper-hessian
# ---
# name: fig-helper-hessian
# alt: >-
#   With the parameters of the book: left, points on the diagonal. Right, points of all condition numbers mixed, all
#   below a dashed convex curve that crosses 1 at a relative error of one half.
# ---
# A helper that believes in a wrong Hessian. Left: measured rate an exchange against the spectral radius of the
# iteration matrix. Right: the same rate against the relative error of the Hessian, coloured by condition number, with
# the theorem's bound for a main agent that is stable alone dashed; above 1 the pair diverges.
# ```

# %% [markdown]
# **Identified.** A helper that knows nothing of A, except that it is affine, and $w_0$ can spend $d$ messages on
# probes: $w_0$ has been answered already, then $w_0$ plus each unit vector. Differences of the $d + 1$ answers give $P$
# and $c$, and, if $S_A$ is invertible, $\theta_A = (I - P)^{-1}c$ is what it writes at exchange $d + 1$.


# %%
class Identifying:
    """A target that probes: w0 plus each unit vector in turn, and then what the identified map leaves in place."""

    def __init__(self, w0):
        self.w0, self.answers, self.found = w0, [], None

    def __call__(self, w):
        self.answers.append(w)
        probes = len(self.answers)
        if probes <= d:
            return self.w0 + np.eye(d)[probes - 1]
        if self.found is None:
            replay = iter(self.answers)
            self.found = a2a.probe(lambda _: next(replay), self.w0).fixed_point()
        return self.found


# %% [markdown]
# **Accelerated from the exchanges alone.** Anderson acceleration {cite}`anderson1965` combines the answers seen so far
# so that their combined residual is smallest. It spends no message on probing. On affine maps it is closely related to
# GMRES {cite}`saad1986,walker2011`.
#
# ```{prf:theorem} Anderson acceleration
# :label: thm-anderson
#
# Let $f(w) = Mw + c$ with $v^\top (I - M)\, v > 0$ for all $v \ne 0$. Full-memory Anderson acceleration writes the
# fixed point of $f$ at exchange $d + 1$ at the latest. A gradient agent with an invertible $S_A$ is such an $f$:
# $I - M = \eta_A S_A$.
# ```
#
# ```{prf:proof}
# Let $x_0, \dots, x_k$ be what has been read, and $\hat x$ the point of their affine hull with the smallest residual
# $\hat r = f(\hat x) - \hat x$; then $x_{k+1} = f(\hat x) = \hat x + \hat r$. Being smallest, $\hat r$ is orthogonal to
# $(I - M)u$ for every direction $u$ of the hull. If $\hat r$ were such a direction, $\hat r^\top (I - M)\, \hat r = 0$,
# so $\hat r = 0$. Hence either $\hat r = 0$ and $x_{k+1} = \hat x$ is the fixed point, or $x_{k+1}$ lies outside the
# hull, whose dimension grows by one. At $k = d$ the hull is the whole space at the latest, and $x_{d+1}$ is the fixed
# point.
# ```
#
# That $I - M$ is invertible is not enough. $M = \bigl(\begin{smallmatrix}1 & -1\\ -1 & 1\end{smallmatrix}\bigr)$,
# $c = (1, 0)$ has the fixed point $(0, 1)$, and $I - M$ is invertible but indefinite: from $w_0 = 0$ the first two
# residuals $(1, 0)$ and $(1, -1)$ are best combined by leaving the second one out, and the acceleration writes $(1, 0)$
# for ever.

# %% tags=["nbval-check-output"]
stubborn = a2a.AffineMap([[1.0, -1.0], [-1.0, 1.0]], [1.0, 0.0])
stays = alternate(stubborn, a2a.Anderson(np.zeros(2)), np.zeros(2), 10).second
print("distance to the fixed point after each exchange:")
print(" ", *(f"{distance:.3f}" for distance in norm(stays - np.array([0, 1]))))

# %% [markdown]
# In floating point Anderson acceleration has to tell apart residuals that become more and more similar, the more so the
# smaller the steps. The theorem is checked where float64 can: with condition number 10 and step 1. (For $d$ above about
# 16 it is met earlier, because so well-conditioned a problem converges fast.)

# %%
few = min(instances, 100)
easy = agent_with(np.full(few, 10.0), step=1.0)
easy_helper = agent_with(np.full(few, 10.0), step=1.0)
accelerated = Helper(easy_helper, a2a.Anderson(w0[:few]))
last = alternate(easy, accelerated, w0[:few], d + 1, history=False).second[0]
off = norm(last - easy.theta) / norm(w0[:few] - easy.theta)

# %% tags=["nbval-check-output"]
definite = requires(
    "smallest eigenvalue of I - M", np.linalg.eigvalsh(easy.step), ">", 0
)
vanishes(
    "Anderson acceleration (ours): error after d + 1 exchanges",
    off,
    definite,
    tolerance=1e-6,
)

# %% [markdown]
# All of them, on the pairs of the first figure. Where the factor printed here is above 1, errors of at least one pair
# grow.

# %%
shown_H = wrong_hessian(shown_main.S, np.full(300, hessian_error))
targets = {
    "Newton": lambda w: newton_target(shown_main, w),
    "reads it off": a2a.OneExchange(shown_main.S, eta, shown_start),
    "damped": lambda w: newton_target(shown_main, w, damping=damping),
    "wrong Hessian": lambda w: newton_target(shown_main, w, hessian=shown_H),
    "identified": Identifying(shown_start),
    "Anderson": a2a.Anderson(shown_start),
}
others = {name: Helper(shown_partner, each) for name, each in targets.items()}
others["same objective"] = GradientAgent(shown_main.S, shown_main.theta, eta)
others["fixed objective"] = shown_partner

# %%
rates = {
    "damped": a2a.spectral_radius((1 - damping) * shown_main.M),
    "wrong Hessian": a2a.spectral_radius(exchange_matrix(shown_main, shown_H)),
    "same objective": a2a.spectral_radius(shown_main.M @ shown_main.M),
    "fixed objective": shown_rest.rate,
}
knowing = {}
for name, other_agent in others.items():
    length = shown_turns(rates.get(name, 0))
    run = alternate(shown_main, other_agent, shown_start, length)
    knowing[name] = root_mean_square(run.second - shown_main.theta)

# %% tags=["nbval-check-output"]
print("an exchange multiplies the slowest error of the 300 pairs by up to")
print("(fixed objective: the slowest deviation from the equilibrium)")
for name, rate in rates.items():
    print(f"  {name:16} {np.max(rate):.3f}")

# %% tags=["hide-input", "remove-output"]
fig, ax = panels(height=4.2)
colors = ("#56b4e9", "#cc79a7", "#e69f00", "#882255", "#999999", SECOND)
looks = zip((HELPED, "#117733", *colors), "opsD^vPX", strict=True)
for (name, errors), (color, marker) in zip(knowing.items(), looks, strict=True):
    line = {"color": color, "marker": marker, "markersize": 4}
    ax.plot(np.arange(1, len(errors) + 1), errors, label=name, **line)
ax.set(yscale="log", xlabel="turn", ylabel="error after the exchange")
ax.legend(fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
show("fig-helper-knowledge", fig)

# %% [markdown]
# ```{glue:figure} fig-helper-knowledge
# ---
# name: fig-helper-knowledge
# alt: >-
#   Error against turn on a log axis, eight curves. With the parameters of the book, Newton and the helper that reads
#   the objective off are at rounding error from the first turn. Identified stays high for d turns and then falls to
#   rounding error; Anderson falls within about d turns. Damped and wrong Hessian fall in straight lines. The same
#   objective falls very slowly, and the fixed objective stays on its plateau.
# ---
# Degrees of knowledge: root mean square error after each exchange, over random pairs. The last two partners don't help:
# one has the main agent's prompt and objective, the other a fixed objective of its own.
# ```

# %% [markdown]
# ## What floating point leaves
#
# In float64 the condition number returns. A Newton step amplifies rounding by $\kappa$. The identified map does so
# twice, by $\kappa^2$: once when the helper writes its probes through its own ill-conditioned prompt, once when $I - P$
# is inverted, which a small step makes worse by $1/\eta_A$. Anderson acceleration may be far from done after $d + 1$
# exchanges. It goes on reading true residuals, though, and so can mend what rounding did.

# %%
reached = {}
for name, target, length in (
    ("Newton", lambda w: newton_target(many, w), 1),
    ("identified", Identifying(start), d + 1),
    ("Anderson", a2a.Anderson(start), d + 1),
    ("Anderson, 2 d + 2", a2a.Anderson(start), 2 * d + 2),
):
    run = alternate(many, Helper(other, target), start, length, history=False)
    reached[name] = norm(run.second[0] - many.theta) / norm(start_error)

# %% tags=["nbval-check-output"]
squared = kappas**2 / min(eta, 1) * precision
legible = requires("kappa^2 / eta x float64 precision", squared, "<", 1e-7)
what = "identified helper (ours): error after d + 1 exchanges"
vanishes(what, reached["identified"], legible, tolerance=1e-6)
checks.add(
    "A9",
    "Newton helper: error is at most 100 max(1, |P|) kappa times the precision",
    every(
        reached["Newton"]
        <= 100 * np.maximum(1, largest_norm) * kappas * precision
    ),
    given=[requires("kappa x float64 precision", kappas * precision, "<", 1e-2)],
)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
looks = (
    ("Newton", HELPED, "o"),
    ("identified", "#e69f00", "^"),
    ("Anderson", "#882255", "v"),
)
for name, color, marker in looks:
    floored = np.maximum(reached[name], 1e-18)
    median_band(ax, kappas, floored, color=color, marker=marker, label=name)
corrected = np.maximum(np.median(reached["Anderson, 2 d + 2"], axis=0), 1e-18)
ax.plot(kappas, corrected, "--", color="#882255", label="Anderson, 2 d + 2")
ax.set(xscale="log", yscale="log")
ax.set(xlabel=r"condition number $\kappa$", ylabel="relative error")
ax.legend()
show("fig-helper-precision", fig)

# %% [markdown]
# ```{glue:figure} fig-helper-precision
# ---
# name: fig-helper-precision
# alt: >-
#   Relative error against condition number on log-log axes. With the parameters of the book, Newton rises in proportion
#   to the condition number, identified with its square; Anderson rises much more steeply after d + 1 exchanges and
#   stays low after 2 d + 2.
# ---
# Relative error that each helper reaches in float64, median over random pairs with the band from the 10th to the 90th
# percentile: Newton after one exchange, the others after d + 1; dashed, Anderson after 2 d + 2.
# ```

# %% [markdown]
# ## Who writes first
#
# If the main agent writes first, its own first message still carries the error $P(w_0 - \theta_A)$, and the helper
# mends it. If the helper writes first, a Newton helper is at $\theta_A$ from the first message on, and the main agent
# never shows an error. For a damped helper the two orders give
#
# ```{math}
# :label: eq-helper-order
# \begin{aligned}
# \text{main first:} \quad & a_t - \theta_A = (1-\delta)^{t-1}P^{t}(w_0 - \theta_A), & b_t - \theta_A &= (1-\delta)^{t}P^{t}(w_0 - \theta_A), \\
# \text{helper first:} \quad & b_t - \theta_A = (1-\delta)^{t}P^{t-1}(w_0 - \theta_A), & a_t - \theta_A &= (1-\delta)^{t}P^{t}(w_0 - \theta_A).
# \end{aligned}
# ```
#
# The helpers that learn from an exchange (reading off, identified, Anderson) need the main agent to write first. After
# whole exchanges the two orders agree, since $P$ commutes with a scalar. With a wrong Hessian only the rates agree:
# $\rho(XY) = \rho(YX)$.

# %%
swapped = alternate(damped_helper, main, w0, 10)
other_way = (1 - damping) * np.stack([w0 - main.theta, *expected[:-1]])
off_helper = swapped.first - main.theta - other_way
off_main = swapped.second - main.theta - np.stack(expected)
off = norm(np.concatenate([off_helper, off_main])) / np.tile(scale, (2, 1))
newton_first = alternate(newton_helper, main, w0, 2)
never = np.concatenate([newton_first.first, newton_first.second]) - main.theta

# %% tags=["nbval-check-output"]
vanishes("damped helper that writes first: every message", off, digits)
vanishes(
    "Newton helper that writes first: error of every message",
    norm(never) / first_error,
    invertible,
    digits,
)

# %%
shown_damped = Helper(shown_partner, targets["damped"])
length = min(8, shown_turns(rates["damped"]))
main_first = alternate(shown_main, shown_damped, shown_start, length)
helper_first = alternate(shown_damped, shown_main, shown_start, length)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
looks = {"main agent": (FIRST, 18, 3), "helper": (HELPED, 70, 2)}
in_order = (
    ("main first", "-", main_first, ("main agent", "helper")),
    ("helper first", "--", helper_first, ("helper", "main agent")),
)
for order, linestyle, run, writers in in_order:
    messages = np.stack([run.first, run.second], axis=1) - shown_main.theta
    errors = root_mean_square(messages).ravel()
    numbers = np.arange(1, len(errors) + 1)
    ax.plot(numbers, errors, linestyle, color="#999999", zorder=1, label=order)
    for k, writer in enumerate(writers):
        color, size, layer = looks[writer]
        ax.scatter(numbers[k::2], errors[k::2], s=size, color=color, zorder=layer)
for writer, (color, size, _) in looks.items():
    ax.scatter([], [], s=size, color=color, label=f"written by the {writer}")
ax.set(yscale="log", xlabel="message", ylabel="error of the message")
ax.legend()
show("fig-helper-order", fig)

# %% [markdown]
# ```{glue:figure} fig-helper-order
# ---
# name: fig-helper-order
# alt: >-
#   Error against message number on a log axis, two staircase curves. They differ at odd message numbers and meet at
#   even ones.
# ---
# Order matters within an exchange: root mean square error of every message with a damped helper, when the main agent
# writes first and when the helper does. After whole exchanges (even numbers) the two agree.
# ```

# %% [markdown]
# ## What was checked

# %% tags=["nbval-check-output"]
checks.table()
