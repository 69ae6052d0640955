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
# # Trained agents behave as the theory says
#
# The theory of the other chapters is about exact gradient steps. Agents that have learned the step from data miss it by
# a little. **A trained pair settles where the theory has the exact one, up to a gap that one call of each trained agent
# foretells to first order**, once it has come within a ball that is computed beforehand. The same holds under the
# attack and with the Newton helper (paper A, {cite}`cosentino2025`, also runs trained transformers; the account of the
# gap is ours). {glue:text}`trained-told`
#
# ```{glue:figure} trained-headline
# ---
# name: fig-trained-headline
# alt: >-
#   Distance between the fixed point of the trained pair and that of the exact pair against the relative step error of
#   the trained layers, on log axes; one curve each for the equilibrium, the attack with one example, the attack with
#   the example repeated and the Newton helper, beside dashed lines of slope 1.
# ---
# How far from the exact fixed point trained agents settle (median over pairs, in units of the typical gap between the
# objectives), against the step error of the trained layers. Each point is one length of training; dashed lines have
# slope 1. One example is far from what the layers were trained on; what the theory calls the same attack, the example
# shown $n$ times, is nearer to it.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random here; the two layers are trained with the seeds seed and seed + 1
d = 10  # dimension of the regression task; [1, 16]
n = 40  # in-context examples in an ordinary prompt; [1, 500]
n_training = 20  # in-context examples in training; [1, 500]
eta_first = 0.3  # step size of the first agent; (0, 10]
eta_second = 0.4  # step size of the second agent; (0, 10]
training_lengths = [100, 150, 250, 500, 1200]  # steps of training; [1, 100000]
instances = 200  # random pairs, for each length of training; [1, 1000]

# %% [markdown]
# ## Setting
#
# The pair is that of {eq}`eq-turn`: $f_A(w) = Pw + (I-P)\theta_A$ and $f_B(w) = Qw + (I-Q)\theta_B$, with the fixed
# points $a^*$ and $b^*$. Each agent is now a layer of linear self-attention ({doc}`01_lsa`), trained from random
# weights for its step size. It reads the same prompt as its exact counterpart. Write $\tilde f_A$ and $\tilde f_B$ for
# the trained agents and
#
# ```{math}
# :label: eq-trained-miss
# \delta_A(w) = \tilde f_A(w) - f_A(w), \qquad \delta_B(w) = \tilde f_B(w) - f_B(w)
# ```
#
# for what they miss. The relative step error is $|\delta_A(w)| / |f_A(w) - w|$.

# %% tags=["hide-input"]
import numpy as np
import torch
from myst_nb import glue
from scipy import stats

import a2a
from a2a import AffineMap, GradientAgent, Prompt, alternate, probe, sample_prompt
from a2a.affine import spectral_radius
from a2a.arrays import matvec, norm, operator_norm
from a2a.book.claims import Checks, requires
from a2a.book.evidence import close, within
from a2a.lsa import (
    LinearSelfAttention,
    LSAAgent,
    jacobian,
    own_term,
    own_variation,
    product_variation,
    relative_step_error,
    train_lsa,
)
from a2a.places import build_folder

torch.set_num_threads(1)  # tensors this small gain nothing from more
rng = np.random.default_rng(seed)
checks = Checks("trained linear self-attention")

# %% tags=["hide-input"]
from a2a.book.figures import (
    FIRST,
    HELPED,
    SECOND,
    THEORY,
    cloud,
    errors_by_turn,
    headline,
    panels,
    power_law,
    show,
    style,
)

style()

# %%
theta_first, theta_second, w0, elsewhere = rng.standard_normal((4, instances, d))
prompts = [
    sample_prompt(rng, n, d, theta) for theta in (theta_first, theta_second)
]
first = GradientAgent.from_prompt(prompts[0], eta_first)
second = GradientAgent.from_prompt(prompts[1], eta_second)
typical = np.sqrt(2 * d)  # root mean square gap between two objectives

# %% [markdown]
# The layers are trained once and kept, for several lengths of training; results that name no length are those of the
# longest. The constructed layers take the exact step. Training shows `n_training` examples, the agents read `n`: the
# step carries over ({doc}`01_lsa`).

# %%
cache = build_folder() / "lsa"
etas = eta_first, eta_second


def train(steps):
    options = {"steps": steps, "cache": cache}
    return [
        train_lsa(d, n_training, eta, seed=seed + k, **options)
        for k, eta in enumerate(etas)
    ]


# %%
lengths = sorted(set(training_lengths))
trained = {steps: train(steps) for steps in lengths}
constructed = [LinearSelfAttention.gradient_step(d, eta) for eta in etas]
best, least = trained[lengths[-1]], trained[lengths[0]]


# %%
def step_error(layer, prompt, eta, w=w0):
    X, y, w = (torch.from_numpy(part) for part in (prompt.X, prompt.y, w))
    return relative_step_error(layer, X, y, w, eta).numpy()


# %%
def training_error(layers):
    """Mean relative step error of the two layers on fresh prompts."""
    errors = [
        step_error(*each) for each in zip(layers, prompts, etas, strict=True)
    ]
    return float(np.mean(errors))


errors = np.array([training_error(layers) for layers in trained.values()])

# %% [markdown]
# ## Is a trained agent affine?
#
# ```{prf:theorem} The map of a layer with its prompt fixed
# :label: thm-trained-affine
#
# For any weights, $\tilde f(w) = Aw + b + \frac1n\, s(w)\,(V_{ww}w + V_{w1})$, where $A$ and $b$ depend on the weights
# and the prompt, and $s(w) = w^\top W_{ww}w + w^\top W_{w1} + W_{1w}w + W_{11}$ is the query's score with itself. The
# last term is the same for every prompt of length $n$. Showing every example $k$ times leaves $A$ and $b$ as they are
# and divides the last term by $k$.
# ```
#
# ```{prf:proof}
# The score of example $i$ is affine in $w$, and what it contributes, $V_{wx}x_i + V_{wy}y_i$, doesn't contain $w$:
# together the examples contribute an affine map, an average over them, which doesn't change if each is shown $k$ times.
# The query contributes its own score times $V_{ww}w + V_{w1}$, once, over the number of examples.
# ```
#
# So a trained agent is a cubic map, and affine only if the query's own score has vanished or acts through nothing
# ({prf:ref}`thm-lsa-unique`). The check takes the own term off the trained layer, identifies the rest from $d + 1$
# calls and compares the two where they were not called.


# %%
def repeated(prompt, copies):
    return Prompt(
        np.repeat(prompt.X, copies, axis=-2), np.repeat(prompt.y, copies, axis=-1)
    )


def own(layer, w, n):
    return own_term(layer, torch.from_numpy(w), n).numpy()


# %%
def beyond_affine(layer, copies):
    """What is left of the layer's answers elsewhere, without own term and affine map."""

    def without_own(w, copies=1):
        agent = LSAAgent(layer, repeated(prompts[0], copies))
        return agent(w) - own(layer, w, copies * n)

    left = without_own(elsewhere, copies) - probe(without_own, w0)(elsewhere)
    return norm(left) / (norm(without_own(elsewhere)) + norm(w0))


# %% tags=["nbval-check-output"]
left = [
    beyond_affine(layer, copies)
    for layer, _ in trained.values()
    for copies in (1, 3)
]
print("without its own term, examples shown once or three times, the layer")
print("is one affine map: relative difference", within(left, 1e-9))

# %% [markdown]
# The own term is part of the training error. Its size, as a share of all that the layer misses, is
# {glue:text}`trained-own-least:.2f` after the shortest training and {glue:text}`trained-own-best:.2f` after the longest
# (median; other parts may cancel some of it, so that the share can exceed 1). A trained agent is affine only about as
# well as it is exact, which is why its map is identified near the place where it will be used.

# %%
for name, layers in (("least", least), ("best", best)):
    missed = LSAAgent(layers[0], prompts[0])(w0) - first(w0)
    share = float(np.median(norm(own(layers[0], w0, n)) / norm(missed)))
    glue(f"trained-own-{name}", share, display=False)

# %% [markdown]
# ## Where does a pair of inexact agents settle?
#
# ````{prf:theorem} The gap between inexact and exact agents
# :label: thm-trained-gap
#
# Let $\rho(PQ) < 1$ and let $\tilde a = \tilde f_A(\tilde b)$, $\tilde b = \tilde f_B(\tilde a)$ be a fixed point of
# any two maps. Then
#
# $$\tilde a - a^* = (I - PQ)^{-1}\big(\delta_A(\tilde b) + P\,\delta_B(\tilde a)\big),$$
#
# and if $\|P\|\|Q\| < 1$,
#
# $$|\tilde a - a^*| \le \frac{|\delta_A(\tilde b)| + \|P\|\,|\delta_B(\tilde a)|}{1 - \|P\|\,\|Q\|} .$$
#
# If $\delta_A$ and $\delta_B$ have the Lipschitz constants $\ell_A$ and $\ell_B$ on balls around $b^*$ and $a^*$ that
# contain $\tilde b$ and $\tilde a$, then
#
# ```{math}
# :label: eq-trained-foreseen
# \tilde a - a^* = (I - PQ)^{-1}\big(\delta_A(b^*) + P\,\delta_B(a^*)\big) + O\big(\ell_A\,|\tilde b - b^*| + \ell_B\,|\tilde a - a^*|\big) ,
# ```
#
# with the constants $\|(I-PQ)^{-1}\|$ and $\|(I-PQ)^{-1}P\|$ of the two terms.
# ````
#
# ```{prf:proof}
# Subtract $a^* = f_A(b^*)$ and $b^* = f_B(a^*)$: $\tilde a - a^* = P(\tilde b - b^*) + \delta_A(\tilde b)$ and
# $\tilde b - b^* = Q(\tilde a - a^*) + \delta_B(\tilde a)$. Put the second into the first. The bound follows from
# $\|(I-PQ)^{-1}\| \le 1/(1 - \|P\|\|Q\|)$. Moving the arguments of $\delta_A$ and $\delta_B$ to $b^*$ and $a^*$ changes
# them by at most $\ell_A|\tilde b - b^*|$ and $\ell_B|\tilde a - a^*|$.
# ```
#
# Is there such a fixed point, and who gets there? A trained agent's map is cubic ({prf:ref}`thm-trained-affine`), so
# what it misses has no Lipschitz constant on all of space: a start that is far enough away may lead anywhere. On a ball
# it has one.
#
# ````{prf:theorem} How far the theory of exact agents reaches
# :label: thm-trained-reach
#
# For $r > 0$ let $\delta_A$ have the Lipschitz constant $\ell_A$ on the ball of radius $r$ around $b^*$, and $\delta_B$
# the constant $\ell_B$ on the ball of radius $r_a = (\|P\| + \ell_A)\,r + |\delta_A(b^*)|$ around $a^*$. Put
# $\Lambda = \|QP\| + \|Q\|\ell_A + \|P\|\ell_B + \ell_A\ell_B$. If $\Lambda < 1$ and
#
# ```{math}
# :label: eq-trained-reach
# |Q\,\delta_A(b^*) + \delta_B(a^*)| + \ell_B\,|\delta_A(b^*)| \le (1 - \Lambda)\,r ,
# ```
#
# a turn maps the first (closed) ball into itself. The ball contains exactly one fixed point $\tilde b$ of the turn,
# every start in it leads there, and after $t$ turns the first agent is within $2r\,(\|P\| + \ell_A)\,\Lambda^{t-1}$ of
# $\tilde a$.
# ````
#
# ```{prf:proof}
# For $b$ in the ball $\tilde f_A(b) - a^* = P(b - b^*) + \delta_A(b)$ has at most the norm $r_a$. For two points of the
# ball the first agent's answers differ by at most $(\|P\| + \ell_A)|b - b'|$, and the turns by $QP(b-b')$, plus at most
# $\|Q\|\ell_A|b-b'|$, plus at most $\ell_B(\|P\|+\ell_A)|b-b'|$: together at most $\Lambda|b - b'|$. The centre moves
# by $Q\delta_A(b^*) + \delta_B(a^* + \delta_A(b^*))$, at most the left side of {eq}`eq-trained-reach`, so a point of
# the ball ends at most $\Lambda r + (1-\Lambda) r$ from the centre. Banach's fixed-point theorem says the rest.
# ```
#
# The left side of {eq}`eq-trained-reach`, and with it the smallest radius, is of the size of the training error: the
# *smallest* ball says where the pair settles, the *largest* from how far away it finds the place. Both come from the
# weights and the prompts, without a conversation. $\ell_A$ on a ball is the norm of the derivative of $\delta_A$ at its
# centre, plus what that can change by within the ball; for a product of affine factors, as the own term is, the change
# has a bound in closed form (`a2a.lsa.product_variation`).


# %%
def shift(exact, miss_first, miss_second):
    """Where the first agent's fixed point moves to, given what the two agents miss."""
    return matvec(spread(exact), miss_first + matvec(exact[0].M, miss_second))


# %%
def spread(exact):
    """(I - PQ)^-1; the pseudo-inverse, where a direction is seen by neither prompt."""
    return np.linalg.pinv(np.eye(d) - exact[0].M @ exact[1].M)


FAR = 1e6 * typical  # where a pair that runs away is held


# %%
def held(agent):
    def step(w):
        answer = agent(w)
        return answer * np.minimum(1, FAR / (norm(answer) + 1))[..., None]

    return step


# %%
def long_enough(exact):
    """Turns after which the slowest pair is a millionth as far from its fixed point; at least 20, at most 702."""
    worst = np.max(operator_norm(exact[1].M @ exact[0].M))
    return int(np.log(1e-6) / np.log(np.clip(worst, 0.5, 0.9805))) + 1


# %% [markdown]
# A `pair` below is two trained agents, with what is known of each: how its derivative misses that of its exact
# counterpart at the fixed point, and what it can change by within a radius.


# %%
class Known:
    """A trained agent, and the Lipschitz constant of what it misses on a ball."""

    def __init__(self, agent, slope, variation):
        self.agent, self.slope, self.variation = agent, slope, variation

    def lipschitz(self, exact, centre, radius):
        off = operator_norm(self.slope(centre) - exact.M)
        return off + self.variation(centre, radius)


# %%
def reader(layer, prompt):
    """A trained layer that reads a fixed prompt."""
    agent = LSAAgent(layer, prompt)
    return Known(
        agent,
        lambda w: jacobian(agent, w),
        lambda w, radius: own_variation(layer, w, prompt.n, radius),
    )


radii = typical * np.geomspace(1e-12, 1e6, 109)[:, None]


# %%
def reach(exact, pair, theory, miss_first, miss_second, turns):
    """For each radius and pair: whether a turn maps the ball into itself and the turns bring the start close; its r_a and Lipschitz constants."""
    P, Q = exact[0].M, exact[1].M
    size_P, size_Q = operator_norm(P), operator_norm(Q)
    l_A = pair[0].lipschitz(exact[0], theory.second, radii)
    r_a = (size_P + l_A) * radii + norm(miss_first)
    l_B = pair[1].lipschitz(exact[1], theory.first, r_a)
    rate = operator_norm(Q @ P) + size_Q * l_A + size_P * l_B + l_A * l_B
    moved = norm(matvec(Q, miss_first) + miss_second) + l_B * norm(miss_first)
    left = 2 * radii * (size_P + l_A) * np.minimum(rate, 1) ** (turns - 1)
    holds = (rate < 1) & (moved <= (1 - rate) * radii)
    return holds & (left <= 1e-6 * typical), r_a, l_A, l_B


# %% [markdown]
# From the balls follow four numbers a pair: the largest radius; the bounds on $|\tilde a - a^*|$ and
# $|\tilde b - b^*|$, which are $r_a$ and $r$ of the smallest ball; and the bound on the remainder of
# {eq}`eq-trained-foreseen`. A pair without a ball has the largest radius 0 and no bounds. A ball counts here only if
# the turns that are simulated bring every start in it within $10^{-6}$ of the typical gap to the fixed point. A
# conversation runs in two halves: a pair is *in reach* if what it has written by half-time lies in its largest ball,
# and the theorem speaks of the second half.


# %%
def from_balls(exact, holds, r_a, l_A, l_B):
    """The largest radius, and the bounds on both agents' gaps and on the remainder, (pairs,) each."""
    largest = np.max(np.where(holds, radii, 0), axis=0)
    pick = np.argmax(holds, axis=0)[None]

    def least(values):
        values = np.broadcast_to(values, holds.shape)
        return np.take_along_axis(values, pick, axis=0)[0]

    found, back = holds.any(axis=0), spread(exact)
    remainder = operator_norm(back) * least(l_A) * least(radii)
    remainder += operator_norm(back @ exact[0].M) * least(l_B) * least(r_a)
    bound, bound_second, remainder = (
        np.where(found, size, np.inf)
        for size in (least(r_a), least(radii), remainder)
    )
    return {
        "largest": largest,
        "bound": bound,
        "bound second": bound_second,
        "remainder": remainder,
    }


# %%
def settle(exact, pair, start=w0):
    """Where the pairs settle: in theory, in a conversation, and foreseen by one call of each, with bounds."""
    both_seen = isinstance(exact[1], GradientAgent)
    unseen = {"w0": start} if both_seen else {}
    theory = a2a.equilibrium(*exact, **unseen, require_stable=False)
    agents, turns = [known.agent for known in pair], long_enough(exact)
    half = alternate(*map(held, agents), start, turns, history=False).second[0]
    run = alternate(*map(held, agents), half, turns, history=False)
    misses = (
        agents[0](theory.second) - theory.first,
        agents[1](theory.first) - theory.second,
    )
    balls = from_balls(exact, *reach(exact, pair, theory, *misses, turns))
    return {
        "theory": theory,
        "first": run.first[0],
        "second": run.second[0],
        "one call": theory.first + shift(exact, *misses),
        "in reach": norm(half - theory.second) <= balls["largest"],
        **balls,
    }


# %%
def settle_all(exact, pairs_of):
    """The same for every length of training."""
    return [settle(exact, pairs_of(layers)) for layers in trained.values()]


# %% [markdown]
# What is checked in every setting: after the longest training each pair settles within 1 % of the typical gap of where
# the theory has the exact one, provided that its bound says so; and after every training each pair in reach settles
# where one call of each agent foretells, up to the bound on the remainder.


# %%
def contracts(exact):
    """The assumption of the first theorem; a direction that neither prompt sees has the rate 1."""
    rate = spectral_radius(exact[0].M @ exact[1].M)
    return requires("rho(PQ)", rate, "<", 1 - 1e-9, shown="1")


# %%
def compare(setting, exact, results, target):
    """The two checks of a setting; `target` is where the theory has the first agent."""
    last = results[-1]
    bound = np.where(last["in reach"], last["bound"], np.inf).max() / typical
    small = requires("largest bound on the gap", bound, "<=", 0.01)
    stable = contracts(exact)
    off = norm(last["first"] - target) / typical
    what = f"{setting}: first trained agent minus exact fixed point"
    checks.add("A10", what, close(off, tolerance=0.01), given=[stable, small])

    reached = np.array([result["in reach"] for result in results])
    some = requires("share of pairs in reach", reached.mean(), ">=", 0.1)
    remainder = [norm(of["first"] - of["one call"]) for of in results]
    bounds = np.array([result["remainder"] for result in results])
    wrong = (np.array(remainder) > bounds + 2e-6 * typical)[reached]
    what = f"{setting}: pairs in reach farther from where one call of each agent foretells than the remainder's bound"
    evidence = close(wrong.sum(), tolerance=0)
    checks.add("A10", what, evidence, given=[stable, some])


# %% [markdown]
# ## Setting 1: the biased equilibrium
#
# Two trained agents with fixed prompts, against the formula of {prf:ref}`thm-equilibrium`.


# %%
def free(layers):
    return [reader(*each) for each in zip(layers, prompts, strict=True)]


def agents_of(pair):
    return [held(known.agent) for known in pair]


# %%
exact_free = (first, second)
equilibria = settle_all(exact_free, free)
settled = equilibria[-1]
theory = settled["theory"]

# %% tags=["nbval-check-output"]
compare("equilibrium", exact_free, equilibria, theory.first)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
for layers, kind, note in (
    (best, "-", ""),
    (least, ":", ", short training"),
    (constructed, "--", ", constructed"),
):
    run = alternate(*agents_of(free(layers)), w0, 30)
    for name, written, agent, bias, color in (
        ("A", run.first, first, theory.bias_first, FIRST),
        ("B", run.second, second, theory.bias_second, SECOND),
    ):
        curve = {"label": f"{name}{note}", "color": color, "style": kind}
        mean = norm(written - agent.theta).mean(axis=1)
        errors_by_turn(ax, mean, plateau=norm(bias), **curve)
ax.legend(ncols=3)
show("fig-trained-equilibrium", fig)

# %% [markdown]
# ```{glue:figure} fig-trained-equilibrium
# ---
# name: fig-trained-equilibrium
# alt: >-
#   Error against turn on a log axis. For each agent a curve with constructed layers, one after the longest and one
#   after the shortest training, beside the predicted plateau.
# ---
# Equilibrium: distance of each agent to its own objective, mean over pairs, with constructed layers (dashed), and with
# layers after the longest (solid) and the shortest (dotted) training. The thin dashed lines are the predicted plateaus.
# ```

# %% [markdown]
# The identity of {prf:ref}`thm-trained-gap` uses nothing of the trained layers but what they miss at the fixed point.
# It is checked at the points that the conversations have reached, where they have come to rest.


# %%
def identity_left(layers, result):
    """What the identity leaves of each pair, and whether the pair has come to rest."""
    first_agent, second_agent = (known.agent for known in free(layers))
    misses = (
        first_agent(result["second"]) - first(result["second"]),
        second_agent(result["first"]) - second(result["first"]),
    )
    moves = norm(first_agent(result["second"]) - result["first"])
    left = result["first"] - theory.first - shift(exact_free, *misses)
    reach_of_move = moves * operator_norm(spread(exact_free))
    return norm(left) / typical, reach_of_move <= 1e-7 * typical


# %% tags=["nbval-check-output"]
each = zip(trained.values(), equilibria, strict=True)
left, at_rest = (
    np.array(part)
    for part in zip(*(identity_left(*one) for one in each), strict=True)
)
what = (
    "equilibrium: gap minus (I - PQ)^-1 of what the agents miss where they rest"
)
given = [
    contracts(exact_free),
    requires("share of pairs at rest", at_rest.mean(), ">=", 0.1),
]
left = np.where(at_rest, left, 0)
checks.add("A10", what, close(left, tolerance=1e-6), given=given)

# %% [markdown]
# From how far away does a pair find its place? The same pairs after the longest training, from starts that are 10 to
# 10,000 times as far from the origin: how many settle where they settled before, and for how many
# {prf:ref}`thm-trained-reach` has promised it within the first half of the turns. The cubic term sets a limit, and the
# theorem's condition is sufficient, not necessary.

# %%
times = [1, 10, 100, 1000, 10_000]
pair = agents_of(free(best))
enough = 2 * long_enough(exact_free)
arrived, promised = [], []
for factor in times:
    run = alternate(*pair, factor * w0, enough, history=False)
    off = norm(run.first[0] - settled["first"])
    arrived.append(off <= 2e-6 * typical)
    promised.append(norm(factor * w0 - theory.second) <= settled["largest"])
kept = np.array(promised)[:, settled["in reach"]]
came = np.array(arrived)[:, settled["in reach"]]

# %% tags=["nbval-check-output"]
what = "equilibrium: starts within the largest ball that lead elsewhere"
stable = contracts(exact_free)
share = kept.mean() if kept.size else 0
some = requires("share of starts in reach", share, ">", 0)
elsewhere_led = close((kept & ~came).sum(), tolerance=0)
checks.add("A10", what, elsewhere_led, given=[stable, some])

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
for shares, name, color in (
    (arrived, "arrived", FIRST),
    (promised, "promised", THEORY),
):
    ax.semilogx(times, np.mean(shares, axis=1), "o-", color=color, label=name)
ax.set(
    xlabel="times as far from the origin",
    ylabel="share of pairs",
    ylim=(-0.05, 1.05),
)
ax.legend()
show("fig-trained-reach", fig)

# %% [markdown]
# ```{glue:figure} fig-trained-reach
# ---
# name: fig-trained-reach
# alt: >-
#   Two curves against the factor by which the start is farther away, from 1 to 10,000 on a log axis: the share of pairs
#   that arrive, and below it the share for which it was promised.
# ---
# Equilibrium, longest training: share of pairs that settle at the same point as from the ordinary start, against how
# many times as far from the origin they start; and the share for which the theorem promises it within the first half of
# the turns.
# ```

# %% [markdown]
# ## Setting 2: the attack
#
# The attacker A reads the one-example prompt of {doc}`03_asymmetry`, made for its step size against the exact victim. A
# trained attacker has never seen a prompt like it: one example, and by {prf:ref}`thm-trained-affine` an own term that
# weighs $n$ times what it weighs in a prompt of $n$. The theorem also names a remedy, for which the theory of exact
# steps has no use: the attacker shows its example $n$ times. The geometry is the same, and so is the exact step.

# %%
attack = a2a.attack_prompt(second, theta_first, eta_first)
attacker = GradientAgent(attack.S, theta_first, eta_first)
exact_attack = (attacker, second)


# %%
def attacked(layers, copies=1):
    return [
        reader(layers[0], repeated(attack, copies)),
        reader(layers[1], prompts[1]),
    ]


# %%
attacks = settle_all(exact_attack, attacked)
repeated_attacks = settle_all(exact_attack, lambda layers: attacked(layers, n))
under_attack, repeated_attack = attacks[-1], repeated_attacks[-1]
beaten = under_attack["theory"]

# %% tags=["nbval-check-output"]
compare("attack, one example", exact_attack, attacks, theta_first)
compare("attack, example repeated", exact_attack, repeated_attacks, theta_first)

# %% tags=["nbval-check-output"]
for name, result in (
    ("one example", under_attack),
    ("example repeated", repeated_attack),
):
    what = f"attack, {name}: victim minus theta_B, against Q (theta_A - theta_B)"
    bound = np.where(result["in reach"], result["bound second"], np.inf).max()
    small = requires(
        "largest bound on the victim's gap", bound / typical, "<=", 0.01
    )
    miss = result["second"] - theta_second
    off = norm(miss - matvec(second.M, theta_first - theta_second)) / typical
    checks.add("A10", what, close(off, tolerance=0.01), given=[small])

# %%
prompt_kinds = prompts[0], attack, repeated(attack, n)
heads = "ordinary", "one example", f"shown {n} times", "in reach", "ran away"
print(f"{'median step error on:':>24}" + "".join(f"{head:>16}" for head in heads))
for (steps, layers), result in zip(trained.items(), attacks, strict=True):
    missed = [
        np.median(step_error(layers[0], kind, eta_first)) for kind in prompt_kinds
    ]
    shares = result["in reach"].mean(), np.mean(norm(result["first"]) > FAR / 2)
    row = "".join(f"{error:>16.0e}" for error in missed)
    row += "".join(f"{share:>16.1%}" for share in shares)
    print(f"{steps:>6} steps of training {row}")

# %% [markdown]
# The last columns are about the attack with one example: pairs that come within reach of {prf:ref}`thm-trained-reach`,
# and pairs that ran away. The own term is cubic: far from the objective it can outgrow the step of a badly trained
# attacker.

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
for layers, copies, kind, color, name in (
    (constructed, 1, "--", THEORY, "attacker, constructed"),
    (best, n, "-.", "C3", "attacker, example repeated"),
    (best, 1, "-", HELPED, "attacker, one example"),
):
    pair = agents_of(attacked(layers, copies))
    run = alternate(*pair, w0, min(200, long_enough(exact_attack)))
    median = np.median(norm(run.first - theta_first), axis=1)
    errors_by_turn(ax, median, label=name, color=color, style=kind)
victim, plateau = norm(run.second - theta_second), norm(beaten.bias_second)
median = np.median(victim, axis=1)
errors_by_turn(
    ax, median, label="victim", color=SECOND, plateau=np.median(plateau)
)
ax.set(xscale="log")
ax.legend()
show("fig-trained-attack", fig)

# %% [markdown]
# ```{glue:figure} fig-trained-attack
# ---
# name: fig-trained-attack
# alt: >-
#   Error against turn, both on log axes: the victim beside its predicted plateau, and three curves of the attacker,
#   with constructed layers, with trained layers and one example, and with trained layers and the example repeated.
# ---
# Attack: distance of attacker and victim to their own objectives, median over pairs. The attacker with constructed
# layers (dashed), and with trained ones that show their example once or n times. Thin dashed line: the predicted
# plateau of the victim.
# ```

# %% [markdown]
# ## Setting 3: the Newton helper
#
# B gives up its objective and steers ({doc}`04_newton_helper`). A trained helper can't set its step, only what it
# reads: every turn it labels the inputs of its prompt with the objective of `newton_objective`, and its trained layer
# takes the step. For the exact helper the answer is $\theta_A$ whatever it is handed, if both prompts see every
# direction: the affine map with $Q = 0$, and {prf:ref}`thm-trained-gap` says
# $\tilde a - \theta_A = \delta_A(\tilde b) + P\,\delta_B(\tilde a)$. The objective $h(w)$ that the helper sets is
# affine in $w$, so that its map too is a sum of products of affine factors.


# %%
def objective(w):
    return a2a.newton_objective(first, second, w)


steering = probe(objective, w0).M  # the derivative of h


# %%
def helper(layer):
    """A trained layer that steers by its labels."""
    X = torch.from_numpy(prompts[1].X)

    def answer(w):
        return LSAAgent(layer, Prompt.from_objective(prompts[1].X, objective(w)))(
            w
        )

    def slope(w):
        h, at = torch.from_numpy(objective(w)), torch.from_numpy(w)
        by_w = jacobian(lambda v: layer(X, matvec(X, h), v), w)
        by_h = jacobian(lambda v: layer(X, matvec(X, v), at), h.numpy())
        return by_w + by_h @ steering

    return Known(answer, slope, lambda w, r: helper_variation(layer, w, r))


# %%
def helper_variation(layer, w, radius):
    """What the derivative of a helper can change by within a radius of w."""
    x, y, rows_w, one = layer.rows.values()
    V, W, S = layer.V.numpy(), layer.W.numpy(), second.S
    h, V_x = objective(w), V[rows_w, x]
    size_V = norm(V[rows_w, y][:, 0])
    to_y = abs(w @ W[y, rows_w][0] + W[y, one][0]), norm(W[y, rows_w][0])
    to_x = norm(w @ W[x, rows_w].T + W[x, one][:, 0]), operator_norm(W[x, rows_w])
    read = norm(matvec(V_x @ S, h)), operator_norm(V_x @ S @ steering)
    seen = norm(matvec(S, h)), operator_norm(S @ steering)
    label = norm(h), operator_norm(steering)
    change = product_variation([to_y, read], radius)
    change += size_V * product_variation([seen, to_x], radius)
    change += size_V * product_variation([to_y, seen, label], radius)
    return change + own_variation(layer, w, n, radius)


# %%
def helped(layers):
    return [reader(layers[0], prompts[0]), helper(layers[1])]


exact_helped = (first, AffineMap(np.zeros((d, d)), theta_first))
helps = settle_all(exact_helped, helped)
with_help = helps[-1]

# %% tags=["nbval-check-output"]
compare("helper", exact_helped, helps, theta_first)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
for layers, kind, note in (
    (best, "-", "trained"),
    (least, ":", "short training"),
    (constructed, "--", "constructed"),
):
    run = alternate(*agents_of(helped(layers)), w0, 12)
    color = THEORY if kind == "--" else HELPED
    median = np.median(norm(run.first - theta_first), axis=1)
    errors_by_turn(ax, median, label=f"helped, {note}", color=color, style=kind)
run = alternate(*agents_of(free(best)), w0, 12)
plateau = np.median(norm(theory.bias_first))
median = np.median(norm(run.first - theta_first), axis=1)
errors_by_turn(ax, median, label="without help", color=FIRST, plateau=plateau)
ax.legend(loc="lower right", bbox_to_anchor=(1, 0.1))
show("fig-trained-helper", fig)

# %% [markdown]
# ```{glue:figure} fig-trained-helper
# ---
# name: fig-trained-helper
# alt: >-
#   Error against turn on a log axis. One curve without help beside the predicted plateau, and three with the helper:
#   with constructed layers, after the longest and after the shortest training.
# ---
# Newton helper: distance of the main agent to its objective, median over pairs, with and without help. Constructed
# layers are dashed, trained ones solid, and dotted after the shortest training. Thin dashed line: the predicted plateau
# without help.
# ```

# %% [markdown]
# ## The gap, foreseen
#
# For every pair, in each setting, for every length of training: what {eq}`eq-trained-foreseen`, with one call of each
# trained agent, leaves of the gap between where the trained pair settled and the exact fixed point. Relative to the
# foreseen gap that is of first order, where the theory applies.


# %%
settings = {
    "equilibrium": (equilibria, FIRST),
    "attack, one example": (attacks, "C3"),
    "attack, example repeated": (repeated_attacks, SECOND),
    "helper": (helps, HELPED),
}


# %%
def distance(result, predicted=None):
    """From where the first trained agent settled to the exact fixed point, or to a prediction."""
    expected = result["theory"].first if predicted is None else predicted
    return norm(result["first"] - expected) / typical


def foreseen_gap(result):
    return norm(result["one call"] - result["theory"].first) / typical


# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
for name, (results, color) in reversed(settings.items()):
    gap = np.array([foreseen_gap(result) for result in results])
    left = np.array([distance(result, result["one call"]) for result in results])
    cloud(ax, gap, left / gap, color=color, label=name)
ax.axhline(1, color=THEORY, linewidth=1, linestyle="--")
ax.set(xscale="log", yscale="log")
ax.set(xlabel="foreseen gap", ylabel="remainder / foreseen gap")
for handle in ax.legend().legend_handles:
    handle.set(sizes=[30], alpha=1)
show("fig-trained-foreseen", fig)

# %% [markdown]
# ```{glue:figure} fig-trained-foreseen
# ---
# name: fig-trained-foreseen
# alt: >-
#   Scatter plot on log axes of the relative remainder against the foreseen gap, one colour for each setting, with a
#   dashed line where the remainder is as large as the gap.
# ---
# What one call of each trained agent leaves of the gap, relative to the foreseen gap, against the foreseen gap in units
# of the typical gap between objectives; one point a pair, for all lengths of training. Above the dashed line first
# order foretells nothing.
# ```

# %% [markdown]
# The table shows where first order is enough: the share of pairs in reach of the theorem, and the share whose remainder
# is below a tenth of the gap. One example and a short training are too far from exact.

# %%
print(f"{'':>26}" + "".join(f"{steps:>16} steps" for steps in lengths))
for name, (results, _) in settings.items():
    row = ""
    for result in results:
        small = distance(result, result["one call"]) < 0.1 * foreseen_gap(result)
        row += f"{result['in reach'].mean():>12.0%} {small.mean():>8.0%} "
    print(f"{name:>26}{row}")

# %% [markdown]
# ## The gap and the training error
#
# The headline, {numref}`fig-trained-headline`, shows the gap in all settings against the step error of the layers,
# measured on ordinary prompts far from the fixed point. {prf:ref}`thm-trained-gap` promises no more than that the gap
# is proportional to what the agents miss *at the fixed point*; how it grows with the step error elsewhere is an
# estimate over a few trainings, shown with its 95 % interval. {numref}`fig-trained-orders` shows what is left of the
# gap at the equilibrium once one call, or $d + 1$ calls, of each trained agent have been used: an affine map identified
# from $d + 1$ calls (`probe`) has a fixed point of its own.


# %%
def medians(results, predictions=None):
    """Median distance over pairs, for each length of training."""
    predictions = predictions or [None] * len(results)
    pairs = zip(results, predictions, strict=True)
    return [float(np.median(distance(*pair))) for pair in pairs]


# %%
def power(results):
    """Growth of the gap with the training error: the slope on log axes, with its 95 % interval over trainings."""
    if len(lengths) < 3:
        return "unknown (it takes three lengths of training)"
    fit = stats.linregress(np.log(errors), np.log(medians(results)))
    half = stats.t.ppf(0.975, len(lengths) - 2) * fit.stderr
    return f"{fit.slope:.2f} ({fit.slope - half:.2f} to {fit.slope + half:.2f})"


# %%
for name, (results, _) in settings.items():
    print(f"{name:>26}: gap as a power of the step error, {power(results)}")
told = f"Over trainings the gap at the equilibrium grows as the step error to the power {power(equilibria)}."
glue("trained-told", told, display=False)

# %% tags=["hide-input"]
fig, ax = panels()
for name, (results, color) in settings.items():
    power_law(ax, errors, medians(results), label=name, color=color, slope=1)
ax.set(
    xlabel="relative step error of the trained layers",
    ylabel="gap to the exact fixed point",
)
ax.legend()
headline("trained-headline", fig)


# %%
def probed(layers, result):
    """The fixed point of the affine maps identified from d + 1 calls of each agent."""
    A, B = (known.agent for known in free(layers))
    turn = probe(A, result["theory"].second) @ probe(B, result["theory"].first)
    return matvec(np.linalg.pinv(np.eye(d) - turn.M), turn.c)


# %%
by_probe = [
    probed(*one) for one in zip(trained.values(), equilibria, strict=True)
]
by_call = [result["one call"] for result in equilibria]

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
for predictions, label, color, slope in (
    (None, "exact agents' fixed point", FIRST, 1),
    (by_call, "corrected by one call each", SECOND, 2),
    (by_probe, "from $d + 1$ calls each", HELPED, 2),
):
    left = medians(equilibria, predictions)
    power_law(ax, errors, left, label=label, color=color, slope=slope)
ax.set(xlabel="relative step error", ylabel="distance to the prediction")
ax.legend()
show("fig-trained-orders", fig)

# %% [markdown]
# ```{glue:figure} fig-trained-orders
# ---
# name: fig-trained-orders
# alt: >-
#   Three curves on log axes beside dashed lines: the distance to the exact fixed point beside slope 1, those corrected
#   by one call and by d + 1 calls beside slope 2.
# ---
# Equilibrium: distance between where the trained pair settles and three predictions, against the step error. Dashed
# lines have slope 1 for the exact agents' fixed point, which is wrong at first order, and slope 2 for what is left
# after one call, or d + 1 calls, of each trained agent.
# ```

# %% [markdown]
# ## What was checked

# %% tags=["nbval-check-output"]
checks.table()
