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
# # What a helper has to know
#
# The Newton helper of {doc}`04_newton_helper` is told the main agent's Hessian and its gradient. **A helper can do with
# far less: with a Hessian whose relative error is below one half the main agent's loss still falls at every exchange,
# whatever the condition number, and a helper that knows no more of the main agent than its start and that it is affine
# writes its objective at exchange $d + 1$** (ours; the Newton helper is paper A's, {cite}`cosentino2025`). The first
# holds for a main agent that is stable or marginal alone, the second for one whose prompt shows every direction, in
# exact arithmetic. In floating point the condition number returns.
#
# ```{glue:figure} helper-knowledge
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

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook; [0, inf)
d = 8  # dimension of the regression task; [2, 64]
eta = 0.9  # step size of both; every prompt's largest eigenvalue is 1; [1e-6, 10]
kappa_max = 1.0e4  # largest condition number of a prompt; [2, 1e8]
kappa_shown = 30.0  # condition number in figures of errors by turn; [1, 1e6]
damping = 0.6  # share of the Newton step that a damped helper takes; (0, 3]
hessian_error = 0.4  # relative error of a misinformed helper's Hessian; [0, 1)
turns = 25  # turns in the figures; [1, 200]
instances = 1000  # random pairs in each numeric check; [1, 10000]

# %% [markdown]
# ## Degrees of knowledge
#
# An exchange is that of {eq}`eq-helper-turn`, with $P = I - \eta_A S_A$. A prompt has eigenvalues from 1 down to
# $1/\kappa$, evenly on a log scale, in random orthonormal directions: $S_B$ is invertible, and every target is reached
# ({prf:ref}`thm-steering`). Deviations are given relative to the error $w_0 - \theta_A$ of the start where nothing else
# is named; a check allows $10^{-7}$ unless it says otherwise, and counts only where $\kappa$ times the precision of
# float64 is a hundred times smaller.
#
# The Newton helper knows the Hessian $S_A$ and the gradient, and the one that reads ({prf:ref}`thm-helper-reveals`)
# knows $S_A$, $\eta_A$ and $w_0$. Four others know less, or use less. The damped helper and the one with a wrong
# Hessian are told the gradient at $a_t$, which no exchange shows without $S_A$: what was exchanged gives it at
# $b_{t-1}$.

# %% tags=["hide-input"]
import numpy as np

import a2a
from a2a import GradientAgent, alternate
from a2a.book import one_claim
from a2a.book.claims import Checks, requires
from a2a.book.figures import style
from a2a.ensembles import conditioned_agents
from a2a.linalg import matvec, norm, operator_norm

style()
rng, checks = np.random.default_rng(seed), Checks("exact gradient agents")
a9 = one_claim.OneClaim(checks, "A9", tolerance=1e-7)

# %%
kappa = kappa_max ** rng.uniform(size=instances)
main = conditioned_agents(rng, kappa, d, eta)
partner = conditioned_agents(rng, kappa, d, eta)
invertible = one_claim.invertible_prompts(main, partner)
digits = one_claim.digits_left(kappa)
w0 = rng.standard_normal(main.theta.shape)
first_error = norm(w0 - main.theta)

# %% [markdown]
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
from a2a.imperfect import newton_helper

damped = alternate(main, newton_helper(partner, main, damping=damping), w0, 10)
expected, error = [], w0 - main.theta
for _ in range(10):
    expected.append(error := (1 - damping) * matvec(main.M, error))
factor = np.maximum(1, abs(1 - damping) * operator_norm(main.M))
most = max(1, abs(1 - damping)) * first_error
scale = most * factor ** np.arange(1, 11)[:, None]
off = norm(damped.second - main.theta - np.stack(expected)) / scale

# %% tags=["nbval-check-output"]
a9.vanishes("damped helper: error after each of 10 exchanges", off, digits)

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
#
# The check draws errors of all relative sizes from 0.05 to 0.8, so that some pairs may diverge. The main agent's
# objective is put at the origin, which makes an exchange linear; its result can be scaled back to length 1 each time,
# and nothing overflows or vanishes.

# %%
from a2a.imperfect import rescaled_exchanges, root_loss, wrong_hessian

centred = GradientAgent(main.S, np.zeros(d), eta)
sigma = rng.uniform(0.05, 0.8, instances)
H = wrong_hessian(rng, centred.S, sigma)
believer = newton_helper(partner, centred, hessian=H)
read, answer = rescaled_exchanges(centred, believer, w0, 40)

# %%
from a2a.imperfect import exchange_matrix

iteration = exchange_matrix(centred, H)
off = norm(answer - matvec(iteration, read))
factors = root_loss(main.S, answer) / root_loss(main.S, read)
allowed = operator_norm(main.M) * sigma / (1 - sigma)

# %% tags=["nbval-check-output"]
inverse = np.linalg.inv(np.linalg.cholesky(main.S))
relative = inverse @ H @ np.swapaxes(inverse, -1, -2) - np.eye(d)
share = operator_norm(relative) / sigma
sandwich = requires("relative error of H / sigma", share, "<=", 1 + 1e-6)
what = "wrong Hessian (ours): error after each of 40 exchanges"
a9.vanishes(what, off, invertible, digits)
what = "wrong Hessian (ours): root of the loss, against the bound"
a9.holds(what, factors <= allowed * (1 + 1e-6), invertible, digits, sandwich)

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
from a2a.book.figures import HELPED, panels, prediction, show
from a2a.book.plots import on_the_diagonal

fig, (left, right) = panels(2)
on_the_diagonal(left, predicted_rate, measured_rate, color=HELPED)
left.set(xlabel="spectral radius", ylabel="measured rate")
dots = {"s": 6, "c": np.log10(kappa), "cmap": "viridis", "rasterized": True}
points = right.scatter(sigma, measured_rate, **dots)
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
#
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
easy, easy_helper = (
    conditioned_agents(rng, np.full(few, 10.0), d, 1.0) for _ in range(2)
)
accelerated = a2a.Helper(easy_helper, a2a.Anderson(w0[:few]))
last = alternate(easy, accelerated, w0[:few], d + 1, history=False).second[0]
off = norm(last - easy.theta) / norm(w0[:few] - easy.theta)

# %% tags=["nbval-check-output"]
values = np.linalg.eigvalsh(easy.step)
definite = requires("smallest eigenvalue of I - M", values, ">", 0)
what = "Anderson acceleration (ours): error after d + 1 exchanges"
a9.vanishes(what, off, definite, tolerance=1e-6)

# %% [markdown]
# All of them, on 300 pairs, which the figure at the top shows. The table has the factor by which an exchange multiplies
# the slowest error of these pairs at most; for the fixed objective, the slowest deviation from the equilibrium. Above 1
# errors of at least one pair grow.

# %%
shown_main = conditioned_agents(rng, kappa_shown, d, eta, (300,))
shown_partner = conditioned_agents(rng, kappa_shown, d, eta, (300,))
shown_start = shown_main.theta + rng.standard_normal((300, d))

# %%
from a2a import Helper
from a2a.imperfect import Identifying

shown_H = wrong_hessian(rng, shown_main.S, np.full(300, hessian_error))
reads_off = a2a.OneExchange(shown_main.S, eta, shown_start)
shown_damped = newton_helper(shown_partner, shown_main, damping=damping)
others = {
    "Newton": newton_helper(shown_partner, shown_main),
    "reads it off": Helper(shown_partner, reads_off),
    "damped": shown_damped,
    "wrong Hessian": newton_helper(shown_partner, shown_main, hessian=shown_H),
    "identified": Helper(shown_partner, Identifying(shown_start)),
    "Anderson": Helper(shown_partner, a2a.Anderson(shown_start)),
    "same objective": shown_main,
    "fixed objective": shown_partner,
}

# %%
from a2a.ensembles import root_mean_square
from a2a.rest import held_below

rates = {
    "damped": a2a.spectral_radius((1 - damping) * shown_main.M),
    "wrong Hessian": a2a.spectral_radius(exchange_matrix(shown_main, shown_H)),
    "same objective": a2a.spectral_radius(shown_main.M @ shown_main.M),
    "fixed objective": a2a.spectral_radius(shown_main.M @ shown_partner.M),
}
knowing = {}
for name, other_agent in others.items():
    length = held_below(rates.get(name, 0), turns, 1e100)
    run = alternate(shown_main, other_agent, shown_start, length)
    knowing[name] = root_mean_square(run.second - shown_main.theta)

# %% tags=["nbval-check-output"]
from a2a.book.tables import Table

rows = [(name, f"{np.max(rate):.3f}") for name, rate in rates.items()]
Table(("partner", "largest factor"), rows, title="Slowest errors, an exchange")

# %% tags=["hide-input"]
from a2a.book.figures import SECOND, headline

fig, ax = panels(height=4.2)
colors = ("#56b4e9", "#cc79a7", "#e69f00", "#882255", "#999999", SECOND)
looks = zip((HELPED, "#117733", *colors), "opsD^vPX", strict=True)
for (name, errors), (color, marker) in zip(knowing.items(), looks, strict=True):
    line = {"color": color, "marker": marker, "markersize": 4}
    ax.plot(np.arange(1, len(errors) + 1), errors, label=name, **line)
ax.set(yscale="log", xlabel="turn", ylabel="error after the exchange")
ax.legend(fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
headline("helper-knowledge", fig)

# %% [markdown]
# ## What floating point leaves
#
# In float64 the condition number returns. A Newton step amplifies rounding by $\kappa$. The identified map does so
# twice, by $\kappa^2$: once when the helper writes its probes through its own ill-conditioned prompt, once when $I - P$
# is inverted, which a small step makes worse by $1/\eta_A$. Anderson acceleration may be far from done after $d + 1$
# exchanges. It goes on reading true residuals, though, and so can mend what rounding did.

# %%
kappas = np.geomspace(1, kappa_max, 13)
many = conditioned_agents(rng, kappas, d, eta, (20,))
other = conditioned_agents(rng, kappas, d, eta, (20,))
start_error = rng.standard_normal(many.theta.shape)
start = many.theta + start_error

# %%
reached = {}
for name, helper, length in (
    ("Newton", newton_helper(other, many), 1),
    ("identified", Helper(other, Identifying(start)), d + 1),
    ("Anderson", Helper(other, a2a.Anderson(start)), d + 1),
    ("Anderson, 2 d + 2", Helper(other, a2a.Anderson(start)), 2 * d + 2),
):
    run = alternate(many, helper, start, length, history=False)
    reached[name] = norm(run.second[0] - many.theta) / norm(start_error)

# %% tags=["nbval-check-output"]
lost = kappas * one_claim.PRECISION
squared = kappas * lost / min(eta, 1)
legible = requires("kappa^2 / eta x float64 precision", squared, "<", 1e-7)
what = "identified helper (ours): error after d + 1 exchanges"
a9.vanishes(what, reached["identified"], legible, tolerance=1e-6)
small = requires("kappa x float64 precision", lost, "<", 1e-2)
bound = 100 * np.maximum(1, operator_norm(many.M)) * lost
what = "Newton helper: error is at most 100 max(1, |P|) kappa times the precision"
a9.holds(what, reached["Newton"] <= bound, small)

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import median_band

fig, ax = panels()
for name, color, marker in (
    ("Newton", HELPED, "o"),
    ("identified", "#e69f00", "^"),
    ("Anderson", "#882255", "v"),
):
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
# \text{main first:} \quad & a_t - \theta_A = (1-\delta)^{t-1}P^{t}(w_0 - \theta_A), &
# b_t - \theta_A &= (1-\delta)^{t}P^{t}(w_0 - \theta_A), \\
# \text{helper first:} \quad & b_t - \theta_A = (1-\delta)^{t}P^{t-1}(w_0 - \theta_A), &
# a_t - \theta_A &= (1-\delta)^{t}P^{t}(w_0 - \theta_A).
# \end{aligned}
# ```
#
# The helpers that learn from an exchange (reading off, identified, Anderson) need the main agent to write first. After
# whole exchanges the two orders agree, since $P$ commutes with a scalar. With a wrong Hessian only the rates agree:
# $\rho(XY) = \rho(YX)$.

# %%
swapped = alternate(newton_helper(partner, main, damping=damping), main, w0, 10)
other_way = (1 - damping) * np.stack([w0 - main.theta, *expected[:-1]])
off_helper = swapped.first - main.theta - other_way
off_main = swapped.second - main.theta - np.stack(expected)
off = norm(np.stack([off_helper, off_main])) / scale
newton_first = alternate(newton_helper(partner, main), main, w0, 2)
never = np.stack([newton_first.first, newton_first.second]) - main.theta
never = norm(never) / first_error

# %% tags=["nbval-check-output"]
a9.vanishes("damped helper that writes first: every message", off, digits)
what = "Newton helper that writes first: error of every message"
a9.vanishes(what, never, invertible, digits)

# %%
length = min(8, held_below(rates["damped"], turns, 1e100))
main_first = alternate(shown_main, shown_damped, shown_start, length)
helper_first = alternate(shown_damped, shown_main, shown_start, length)

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import FIRST

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
