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
# # What noise does
#
# So far agents wrote exactly what they computed, from prompts that stayed. **Independent errors in what they write add
# a floor to the squared bias, which is known in advance; rounding isn't such noise, and stops an agent at a distance
# that grows as its steps shrink; and a partner that draws new examples every turn spoils, in more than one dimension,
# an attack that would win exactly, which changes what it pays by little where its prompts are long** (all of it ours;
# paper A, {cite}`cosentino2025`, has neither noise nor rounding). What the redrawing victim of this run gains:
# {glue:text}`asymmetry-victim-redrawn`.
#
# ```{glue:figure} noise-headline
# ---
# name: fig-noise-headline
# alt: >-
#   Root mean square error of an attacker against the turn, on a log axis. With the parameters of the book the exact
#   agents' curve falls out of the picture; with rounded answers, with noisy answers and against a victim that redraws
#   its prompt it levels off at three heights, the last two on dashed lines.
# ---
# What noise leaves of an attack that wins exactly: root mean square error of the attacker against the turn, over random
# pairs. Exact agents; answers on a grid; answers with independent noise; a victim with new examples every turn. Dashed,
# where the theory has a bound: what {prf:ref}`thm-noise` and the recursion behind {prf:ref}`thm-redraw` predict.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook; [0, inf)
d = 8  # dimension of the regression task; [1, 64]
n = 80  # in-context examples in each prompt; [1, 10000]
eta_first = 0.3  # step size of the first agent, the attacker; [1e-6, 10]
eta_second = 0.6  # step size of the second agent, the victim; [1e-6, 10]
noise_first = 0.2  # standard deviation of what the first one errs by; [1e-3, 100]
noise_second = 0.1  # the same for the second agent; [1e-3, 100]
grid = 0.1  # width of the grid to which answers are rounded; [1e-3, 100]
turns = 40  # turns in the figures; [1, 200]
instances = 250  # random pairs; [1, 10000 / (1 + n * d * turns / 40000)]

# %% [markdown]
# ## Setting
#
# The pair is that of {eq}`eq-turn`, with $P = I - \eta_A S_A$, $Q = I - \eta_B S_B$ and the gap
# $\Delta = \theta_B - \theta_A$. Under attack A reads a prompt of one example, with which it wins
# ({prf:ref}`thm-one-example`). What is shown of an attack is shown for the pairs in which {prf:ref}`thm-attack` says
# that it works: those with $\|Q\| < 1$, here below 0.999. If there are none, it is shown for all.

# %% tags=["hide-input"]
import warnings

import numpy as np

import a2a
from a2a.book.claims import Checks, requires
from a2a.book.figures import style
from a2a.crafted import attacker_against
from a2a.linalg import norm, operator_norm
from a2a.pairs import only, random_pairs
from a2a.rest import SLOWEST

style()
# where it matters, a check names the condition itself
warnings.filterwarnings("ignore", category=a2a.IllConditioned)
rng = np.random.default_rng(seed)
checks = Checks("exact gradient agents")

# %%
first, second = random_pairs(rng, instances, n, d, eta_first, eta_second)
w0 = rng.standard_normal((instances, d))
works = operator_norm(second.M) < SLOWEST
working = works if works.any() else ~works

# %%
robbed, ordinary = only(second, working), only(first, working)
aims, start = ordinary.theta, w0[working]
robber = attacker_against(robbed, aims, eta_first)
gap = robbed.theta - aims

# %% [markdown]
# The same attack is run four times. Where errors can grow, a conversation is stopped before they have grown by
# $10^{20}$. A victim that redraws its prompt multiplies the mean square of what it finds by a number $c$, which is
# derived below; for $c \ge 1$ the theory has no bound.

# %%
from a2a import NoisyAgent, alternate
from a2a.redraw import RedrawingAgent, redraw_factor
from a2a.rest import held_below
from a2a.rounding import RoundingAgent

c = redraw_factor(n, d, eta_second)
redrawing = RedrawingAgent(robbed.theta, eta_second, n, rng)
noises = (robber, noise_first), (robbed, noise_second)
kinds = {
    "exact": (robber, robbed),
    "rounded": [RoundingAgent(agent, grid) for agent in (robber, robbed)],
    "noisy": [NoisyAgent(agent, noise, rng) for agent, noise in noises],
    "redrawn": (robber, redrawing),
}

# %%
shown = held_below(operator_norm(robber.M) * operator_norm(robbed.M), turns)
lengths = dict.fromkeys(kinds, shown) | {"redrawn": held_below(c**0.5, turns)}
runs = {
    kind: alternate(*pair, start, lengths[kind]) for kind, pair in kinds.items()
}

# %% [markdown]
# Where the theory bounds what is left, it says how much: the noise floor, and the recursion for redrawn prompts.

# %%
from a2a.redraw import redrawn_mean_squares

covariances = [np.eye(d) * noise**2 for noise in (noise_first, noise_second)]
foreseen = {}
if works.any():
    floors = a2a.noise_floor(robber, robbed, *covariances)[0]
    foreseen["noisy"] = np.full(shown, np.trace(floors, 0, -2, -1).mean())
if c < 1:
    e = runs["redrawn"].first[0] - aims
    squares = redrawn_mean_squares(robber, gap, e, eta_second, n, turns)
    foreseen["redrawn"] = squares[0].mean(axis=-1)

# %% tags=["hide-input"]
from a2a.book.figures import FIRST, HELPED, headline, panels, prediction
from a2a.ensembles import root_mean_square

fig, ax = panels()
for name, color in zip(runs, ("#999999", "#e69f00", FIRST, HELPED), strict=True):
    errors = np.maximum(root_mean_square(runs[name].first - aims), 1e-17)
    ax.plot(np.arange(1, len(errors) + 1), errors, color=color, label=name)
for mean_squares in foreseen.values():
    prediction(ax, np.arange(1, len(mean_squares) + 1), np.sqrt(mean_squares))
ax.set(yscale="log", xlabel="turn", ylabel="r.m.s. error of the attacker")
ax.set_ylim(bottom=0.1 * min(noise_first, noise_second, grid))
ax.legend()
headline("noise-headline", fig)

# %% [markdown]
# What is left of the attack in the last turn, over all pairs:

# %% tags=["nbval-check-output"]
from a2a.book.levels import told
from a2a.book.tables import Table

left_over = {
    kind: told(root_mean_square(run.first[-1] - aims))
    for kind, run in runs.items()
}
rows = [
    [kind, error, told(foreseen[kind][-1] ** 0.5) if kind in foreseen else ""]
    for kind, error in left_over.items()
]
Table(["r.m.s. error of A", "measured", "predicted"], rows)

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
# of the random pairs, without an attack, lets it forget its start, and then averages over ten turns and 20,000 repeats;
# the noise has the same standard deviation in each coordinate.

# %%
from a2a import turns_to

repeats, kept = 20_000, 10
pair = [only(agent, 0) for agent in (first, second)]
settled = a2a.equilibrium(*pair, w0[0], require_stable=False)
theta_A, a_star = pair[0].theta, settled.first
to_forget = turns_to(settled.rate, 1e-6, at_most=10**9)
burn_in = to_forget if to_forget <= 1000 else 100

# %%
rank = np.linalg.matrix_rank(pair[0].S + pair[1].S)
contracts_here = requires("rho(PQ) of the pair", settled.rate, "<", 1)
all_seen = requires("rank of S_A + S_B", rank, ">=", d, shown="d")
forgets = requires("turns until the start is forgotten", to_forget, "<=", 1000)
has_floor = contracts_here.holds and all_seen.holds

# %%
floor = np.inf
if has_floor:
    floor = np.trace(a2a.noise_floor(*pair, *covariances)[0])
bias_square = norm(a_star - theta_A) ** 2
expected = bias_square + floor

# %%
noisy = [
    NoisyAgent(agent, noise, rng)
    for agent, noise in zip(pair, (noise_first, noise_second), strict=True)
]
start_here = np.zeros((repeats, d))
reached = alternate(*noisy, start_here, burn_in, history=False).second[-1]
late = alternate(*noisy, reached, kept).first
scatter = np.mean(norm(late - a_star) ** 2, axis=0)
mean_square = np.mean(norm(late - theta_A) ** 2, axis=0)

# %% tags=["nbval-check-output"]
from a2a import intervals
from a2a.book.evidence import same

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
from a2a.book.figures import THEORY, show

fig, ax = panels()
length = turns if has_floor else min(turns, burn_in)
early = alternate(*noisy, start_here[:500], length)
by_turn = np.mean(norm(early.first - theta_A) ** 2, axis=1)
ax.plot(np.arange(1, len(by_turn) + 1), by_turn, color=FIRST, label="measured")
if has_floor:
    ax.axhline(expected, color=THEORY, linestyle="--", label="bias² + floor")
    ax.axhline(bias_square, color=THEORY, linestyle=":", label="bias² alone")
scale = "linear" if has_floor else "log"
ax.set(yscale=scale, xlabel="turn", ylabel="mean squared error of A")
ax.legend()
show("fig-equilibrium-noise", fig)

# %% [markdown]
# ```{glue:figure} fig-equilibrium-noise
# ---
# name: fig-equilibrium-noise
# alt: >-
#   With the parameters of the book, the measured curve reaches the dashed line in a few turns and stays there, above
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
from a2a import GradientAgent
from a2a.rounding import dead_zone, error_of_noise

strides = np.geomspace(0.01, 0.5, 8)
theta = rng.standard_normal((200, d))
rounding = RoundingAgent(GradientAgent(np.eye(d), theta, strides[:, None]), grid)
edge = dead_zone(grid, strides)[:, None, None]
signs = rng.choice([-1, 1], theta.shape)
distance = 2 * edge * rng.uniform(1, 3, (8, 200, d))

# %%
far = grid * np.round((theta + signs * distance) / grid)
stalled = a2a.take_turns([rounding], far, 2000, history=False)[-1, 0]
misses = np.abs(stalled - theta)
rms = np.sqrt(np.mean(misses**2, axis=(1, 2)))
as_noise = error_of_noise(grid, strides)

# %% tags=["nbval-check-output"]
from a2a.book.evidence import every

slack = 1e-8 * grid
at_edge = (misses <= edge + slack) & (misses >= edge - grid - slack)
print(f"eta lambda = {strides[0]:g}: rounding leaves {rms[0]:.3g}", end=", ")
print(f"independent noise as large would leave {as_noise[0]:.2g}")
what = "rounding instead: coordinates stall at the edge of the dead zone"
stride_ok = requires("eta lambda", strides, "<=", 0.5)
outside = requires("start over the edge", np.abs(far - theta) / edge, ">=", 1)
checks.add("A12", what, every(at_edge), given=[stride_ok, outside])

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
ax.loglog(strides, rms, "o", color=FIRST, label="rounding, measured")
theory = {"color": THEORY}
ax.loglog(strides, edge.ravel(), "--", label="edge of the dead zone", **theory)
ax.loglog(strides, as_noise, ":", label="independent noise", **theory)
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
# Error in a coordinate (root mean square) of an agent that rounds and starts far away, against its
# step size times the eigenvalue of its prompt. Dashed: the edge of the dead zone, $h/(2\eta\lambda)$. Dotted: what
# independent noise of the same variance would leave.
# ```

# %% [markdown]
# ## Random prompts
#
# A prompt is a random draw, too: $n$ random examples have a random geometry. As $n$ grows, $S$ concentrates on the
# population covariance with a deviation of order $1/\sqrt n$. The bias is a smooth function of both geometries wherever
# the population's pair contracts, so it concentrates on the population's bias at the same rate. Below the covariance is
# $I$ and the step sizes are limited to 1, so that the population's pair does contract; $nS$ of normal examples is drawn
# directly, as it has the Wishart distribution.

# %%
from scipy.stats import wishart

objectives = first.theta[:100], second.theta[:100]
calm = min(eta_first, 1.0), min(eta_second, 1.0)


def bias_of(*geometries):
    pair = map(GradientAgent, geometries, objectives, calm)
    return a2a.equilibrium(*pair, require_stable=False).bias_first


def random_geometry(examples):
    size = len(objectives[0])
    drawn = wishart.rvs(examples, np.eye(d), size=size, random_state=rng)
    return np.reshape(drawn, (-1, d, d)) / examples


# %% tags=["nbval-check-output"]
examples = 4 * d * 2 ** np.arange(8)
population = bias_of(np.eye(d), np.eye(d))
drawn = [
    bias_of(random_geometry(m), random_geometry(m)) for m in examples.tolist()
]
distances = norm(np.stack(drawn) - population).mean(axis=-1)
slope = np.polyfit(np.log(examples[2:]), np.log(distances[2:]), 1)[0]
print(f"measured slope over the six longest prompts: {slope:.2f}")

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import power_law

fig, ax = panels()
power_law(ax, examples, distances, label="measured", color=FIRST, slope=-0.5)
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
# ## A victim that redraws its prompt
#
# A victim that draws new examples every turn, from the same distribution and with the same objective, pushes in
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
#
# The victim keeps its prompt first, and redraws it after the attack has worked, in as many runs as give the mean
# squares some digits.

# %%
redraw_turns = held_below(c**0.5, 40)
message = runs["exact"].second[-1]
room = min(4000 // len(aims), 4_000_000 // (len(aims) * n * d))
again = np.broadcast_to(message, (max(2, room), *message.shape))
redrawn = alternate(robber, redrawing, again, redraw_turns)
errors = [redrawn.first - aims, redrawn.second - robbed.theta]
measured_squares = norm(np.stack(errors)) ** 2  # (2, turns, runs, pairs)

# %%
# A's first message answers one that was written before the redrawing began, so the recursion starts with it
e = redrawn.first[0, 0] - aims
predicted_squares = redrawn_mean_squares(
    robber, gap, e, eta_second, n, redraw_turns
)
late = slice(redraw_turns // 2, None)
settled_squares = measured_squares[:, late].mean(axis=1)
settled_predicted = predicted_squares[:, late].mean(axis=1)

# %% [markdown]
# In the long run the recursion should give what is measured. A mean square can be measured if rare runs don't carry it;
# $c$ below one half and as many examples as dimensions are taken for that.

# %% tags=["nbval-check-output"]
tame = requires("c", c, "<", 0.5)
enough = requires("examples", n, ">=", d, shown="d")
often = requires("runs", settled_squares[0].size, ">=", 1000)
not_exact = requires("d", d, ">=", 2)
ratios = settled_squares / np.maximum(settled_predicted, 1e-300)[:, None]
for who, its_ratios, more in (
    ("attacker", ratios[0], [not_exact]),
    ("victim", ratios[1], []),
):
    estimate = intervals.mean(its_ratios.ravel(), rng, 400, "runs")
    what = (
        f"redrawn prompts: mean squared error of the {who} over the recursion's"
    )
    given = [tame, enough, often, *more]
    checks.add("A13", what, same(estimate, to=1, margin=0.05), given=given)

# %%
from a2a.rest import at_rest

ends = {
    "ordinary prompt of A": at_rest(ordinary, robbed, start),
    "attack, prompt of B kept": at_rest(robber, robbed, start),
}
levels = {
    name: [root_mean_square(a - aims), root_mean_square(b - robbed.theta)]
    for name, (a, b) in ends.items()
}
unbounded = np.full(2, np.inf)
for name, squares in (
    ("attack, redrawn", settled_squares.mean(axis=(1, 2))),
    ("attack, redrawn: predicted", settled_predicted.mean(axis=1)),
):
    levels[name] = np.sqrt(squares) if c < 1 else unbounded

# %% tags=["nbval-check-output"]
print(f"the attack's assumptions hold in {works.sum()} of {instances} pairs")
print(f"c = {c:.3g}, bounded if below 1")
Table(
    ["root mean square errors", "A", "B"],
    [[name, *map(told, errors)] for name, errors in levels.items()],
)

# %%
from a2a.book.prose import glue_text

kept, redrawn_level = (levels[name][1] for name in list(levels)[1:3])
if not works.any():
    summary = "no prompt of this run fulfils the conditions under which the attack is known to work"
elif c >= 1:
    summary = (
        "with these parameters the theory doesn't bound its mean square error"
    )
else:
    summary = f"its root mean square error is {redrawn_level / kept:.2f} of what the attack costs it with a kept prompt"
glue_text("asymmetry-victim-redrawn", summary)

# %% [markdown]
# In these rows the kept prompts are those for which the attack works, if there are any; the fresh ones are drawn from
# all. The same for other numbers of examples, with the pairs of each that come to rest under attack with the kept
# prompt.

# %%
sizes = [2 * d, 4 * d, 8 * d, 16 * d, 32 * d, 64 * d]


def attacked(size):
    """Pairs at rest under attack: attackers, both objectives and what victims with kept prompts write; None without."""
    a, b = random_pairs(rng, min(250, 2000 // d), size, d, eta_first, eta_second)
    attacker = attacker_against(b, a.theta, eta_first)
    kept = at_rest(attacker, b, a.theta)[1]
    rests = np.isfinite(kept).all(axis=-1)
    if rests.any():
        return only(attacker, rests), a.theta[rests], b.theta[rests], kept[rests]


# %%
def levels_of(size):
    """Root mean square errors: B's with a kept prompt, and, with redrawn ones, A's, B's, and both as predicted."""
    if not (pairs := attacked(size)):
        return np.full(5, np.nan)
    attacker, aim, victims_aim, kept = pairs
    kept_level = root_mean_square(kept - victims_aim)
    if redraw_factor(size, d, eta_second) >= 1:
        return np.array([kept_level, *[np.inf] * 4])
    redrawing = RedrawingAgent(victims_aim, eta_second, size, rng)
    run = alternate(attacker, redrawing, aim, 40)
    e, its_gap = run.first[0] - aim, victims_aim - aim
    predicted = redrawn_mean_squares(attacker, its_gap, e, eta_second, size, 40)
    measured = norm(np.stack([run.first - aim, run.second - victims_aim])) ** 2
    both = np.concatenate([measured, predicted])[:, 20:]
    return np.array([kept_level, *np.sqrt(both.mean(axis=(1, 2)))])


by_size = np.array([levels_of(size) for size in sizes])

# %% tags=["nbval-check-output"]
columns = ["B kept", "A redrawn", "B redrawn", "A predicted", "B predicted"]
Table(
    ["examples", *columns],
    [[size, *map(told, row)] for size, row in zip(sizes, by_size, strict=True)],
)

# %%
kept, _, victim_redrawn, *_ = by_size.T
ratios = victim_redrawn / kept
given_back = ratios[np.isfinite(ratios)]
summary = "has no bound, or nothing to be compared with"
if given_back.size:
    summary = f"is {given_back.min():.2f} to {given_back.max():.2f} of what the attack costs with a kept prompt"
glue_text("asymmetry-given-back", summary)

# %% [markdown]
# Over the sizes for which the table has both, the error of a victim that redraws {glue:text}`asymmetry-given-back`.
# What redrawing changes is the attacker's own error. With many examples, and $\eta_B < 2$, that falls as $1/\sqrt n$ in
# more than one dimension: fresh prompts of many examples resemble each other.

# %%
exact = runs["exact"]
before = root_mean_square(
    np.stack([exact.first - aims, exact.second - robbed.theta])
)
after = np.sqrt(measured_squares.mean(axis=(2, 3)))
by_turn = np.maximum(np.concatenate([before, after], axis=1), 1e-17)
foretold = np.sqrt(predicted_squares.mean(axis=2)) if c < 1 else ()

# %% tags=["hide-input"]
from a2a.book.figures import SECOND, few_decades


def draw_turns(ax):
    turn = np.arange(-shown, redraw_turns)
    ax.plot(turn, by_turn[0], color=HELPED, label="attacker")
    ax.plot(turn, by_turn[1], color=SECOND, label="victim")
    for curve in foretold:
        prediction(ax, turn[shown:], np.maximum(curve, 1e-17))
    ax.set(yscale="log", xlabel="turn", ylabel="r.m.s. error")
    ax.legend(loc="lower right")


# %% tags=["hide-input", "remove-output"]
looks = (
    ("victim, kept", "#999999", "_-"),
    ("attacker, redrawn", HELPED, "o"),
    ("victim, redrawn", SECOND, "o"),
)
fig, (left, right) = panels(2)
draw_turns(left)
curves = np.where(np.isfinite(by_size), by_size, np.nan).T
for curve, (label, color, marker) in zip(curves[:3], looks, strict=True):
    right.plot(sizes, curve, marker, color=color, label=label, markersize=5)
for curve in curves[3:]:
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
#   Left: with the parameters of the book the attacker's error falls by orders of magnitude and jumps back up at turn 1,
#   the first in which it reads what the redrawing victim wrote, while the victim's stays about where it was. Right:
#   with the parameters of the book the attacker's error falls as the number of examples grows, on a log axis; the
#   victim's errors with kept and with redrawn prompts lie close together.
# ---
# A victim that redraws its prompt. Left: root mean square errors of both agents; the victim keeps its prompt, and from
# turn 0 on redraws it every turn. Right: the errors that both are left with, against the number of examples in the
# victim's prompts. Dashed, in both: the moment recursion.
# ```

# %% [markdown]
# ## What was checked
#
# All checks of this chapter; those of the whole book are collected in {doc}`/book/claims`.

# %% tags=["nbval-check-output"]
checks.table()
