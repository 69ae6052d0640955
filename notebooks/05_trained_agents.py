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

from a2a import GradientAgent, sample_prompt
from a2a.book.claims import Checks
from a2a.book.figures import style

style()
torch.set_num_threads(1)  # tensors this small gain nothing from more
rng = np.random.default_rng(seed)
checks = Checks("trained linear self-attention")

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
from a2a.lsa import LinearSelfAttention, train_lsa
from a2a.places import build_folder

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
from a2a.lsa import relative_step_error


def step_error(layer, prompt, eta):
    return relative_step_error(layer, prompt.X, prompt.y, w0, eta).numpy()


errors = np.array(
    [
        np.mean(
            [step_error(*one) for one in zip(layers, prompts, etas, strict=True)]
        )
        for layers in trained.values()
    ]
)

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

# %% tags=["nbval-check-output"]
from a2a.book.evidence import within
from a2a.lsa.trained import beyond_affine

left = [
    beyond_affine(layer, prompts[0], copies, w0, elsewhere)
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
from a2a.book.prose import glue_text
from a2a.linalg import norm
from a2a.lsa import LSAAgent, own_term

for name, (layer, _) in (("least", least), ("best", best)):
    missed = LSAAgent(layer, prompts[0])(w0) - first(w0)
    own = own_term(layer, torch.from_numpy(w0), n).numpy()
    share = float(np.median(norm(own) / norm(missed)))
    glue_text(f"trained-own-{name}", share)

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
# \tilde a - a^* = (I - PQ)^{-1}\big(\delta_A(b^*) + P\,\delta_B(a^*)\big)
# + O\big(\ell_A\,|\tilde b - b^*| + \ell_B\,|\tilde a - a^*|\big) ,
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
# has a bound in closed form (`a2a.lsa.product_variation`). A pair is two trained agents that know their derivatives
# (`a2a.lsa.trained`).
#
# From the balls follow four numbers a pair (`a2a.lsa.reach`): the largest radius; the bounds on $|\tilde a - a^*|$ and
# $|\tilde b - b^*|$, which are $r_a$ and $r$ of the smallest ball; and the bound on the remainder of
# {eq}`eq-trained-foreseen`. A pair without a ball has the largest radius 0 and no bounds. A ball counts here only if
# the turns that are simulated bring every start in it within $10^{-6}$ of the typical gap to the fixed point. A
# conversation runs in two halves: a pair is *in reach* if what it has written by half-time lies in its largest ball,
# and the theorem speaks of the second half. A pair that runs away is held at a million times the typical gap.

# %%
from a2a.lsa.reach import FAR, settle


def settle_all(exact, pairs_of):
    """Where the pairs settle and what was foretold, for every length of training."""
    return [
        settle(exact, pairs_of(layers), w0, typical)
        for layers in trained.values()
    ]


# %% [markdown]
# What is checked in every setting: after the longest training each pair settles within 1 % of the typical gap of where
# the theory has the exact one, provided that its bound says so; and after every training each pair in reach settles
# where one call of each agent foretells, up to the bound on the remainder.

# %%
from a2a import spectral_radius
from a2a.book.claims import requires


def contracts(exact):
    """The assumption of the first theorem; a direction that neither prompt sees has the rate 1."""
    rate = spectral_radius(exact[0].M @ exact[1].M)
    return requires("rho(PQ)", rate, "<", 1 - 1e-9, shown="1")


# %%
from a2a.book.evidence import close


def compare(setting, exact, results, target):
    """The two checks of a setting; `target` is where the theory has the first agent."""
    last, stable = results[-1], contracts(exact)
    bound = np.where(last.in_reach, last.balls.gap_first, np.inf).max() / typical
    small = requires("largest bound on the gap", bound, "<=", 0.01)
    off = norm(last.first - target) / typical
    what = f"{setting}: first trained agent minus exact fixed point"
    checks.add("A10", what, close(off, tolerance=0.01), given=[stable, small])

    reached = np.array([result.in_reach for result in results])
    some = requires("share of pairs in reach", reached.mean(), ">=", 0.1)
    remainder = np.array([norm(of.first - of.foreseen) for of in results])
    bounds = np.array([result.balls.remainder for result in results])
    wrong = (remainder > bounds + 2e-6 * typical)[reached].sum()
    what = f"{setting}: pairs in reach farther from where one call of each agent foretells than the remainder's bound"
    checks.add("A10", what, close(wrong, tolerance=0), given=[stable, some])


# %% [markdown]
# ## Setting 1: the biased equilibrium
#
# Two trained agents with fixed prompts, against the formula of {prf:ref}`thm-equilibrium`.

# %%
from a2a.lsa.trained import Reader


def free(layers):
    return [Reader(*each) for each in zip(layers, prompts, strict=True)]


exact_free = (first, second)
equilibria = settle_all(exact_free, free)
settled = equilibria[-1]
theory = settled.theory

# %% tags=["nbval-check-output"]
compare("equilibrium", exact_free, equilibria, theory.first)

# %%
from a2a import alternate
from a2a.agents import held


def run(pair, turns, start=w0, **options):
    """A pair's conversations; estimates that run far away are held there."""
    agents = [held(agent, FAR * typical) for agent in pair]
    return alternate(*agents, start, turns, **options)


# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import FIRST, SECOND, errors_by_turn, panels, show

fig, ax = panels()
for layers, kind, note in (
    (best, "-", ""),
    (least, ":", ", short training"),
    (constructed, "--", ", constructed"),
):
    told = run(free(layers), 30)
    for name, written, agent, bias, color in (
        ("A", told.first, first, theory.bias_first, FIRST),
        ("B", told.second, second, theory.bias_second, SECOND),
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

# %% tags=["nbval-check-output"]
from a2a.lsa.reach import identity_left

left, may_be = np.array(
    [
        identity_left(exact_free, free(layers), result)
        for layers, result in zip(trained.values(), equilibria, strict=True)
    ]
).swapaxes(0, 1)
at_rest = may_be <= 1e-7 * typical
evidence = close(np.where(at_rest, left, 0) / typical, tolerance=1e-6)
some = requires("share of pairs at rest", at_rest.mean(), ">=", 0.1)
what = (
    "equilibrium: gap minus (I - PQ)^-1 of what the agents miss where they rest"
)
checks.add("A10", what, evidence, given=[contracts(exact_free), some])

# %% [markdown]
# From how far away does a pair find its place? The same pairs after the longest training, from starts that are 10 to
# 10,000 times as far from the origin: how many settle where they settled before, and for how many
# {prf:ref}`thm-trained-reach` has promised it within the first half of the turns. The cubic term sets a limit, and the
# theorem's condition is sufficient, not necessary.

# %%
from a2a.lsa.reach import AT_REST, turns_to_rest

times = [1, 10, 100, 1000, 10_000]
enough = {"turns": 2 * turns_to_rest(exact_free), "history": False}
ends = [run(free(best), start=k * w0, **enough).first[0] for k in times]
arrived = norm(np.array(ends) - settled.first) <= 2 * AT_REST * typical
starts = np.multiply.outer(times, w0)
promised = norm(starts - theory.second) <= settled.balls.largest

# %% tags=["nbval-check-output"]
what = "equilibrium: starts within the largest ball that lead elsewhere"
kept, came = (of[:, settled.in_reach] for of in (promised, arrived))
share = kept.mean() if kept.size else 0
some = requires("share of starts in reach", share, ">", 0)
elsewhere_led = close((kept & ~came).sum(), tolerance=0)
checks.add("A10", what, elsewhere_led, given=[contracts(exact_free), some])

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import THEORY

fig, ax = panels()
curves = ("arrived", arrived, FIRST), ("promised", promised, THEORY)
for name, shares, color in curves:
    ax.semilogx(times, shares.mean(axis=1), "o-", color=color, label=name)
ax.set(xlabel="times as far from the origin", ylabel="share of pairs")
ax.set(ylim=(-0.05, 1.05))
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
from a2a import attack_prompt

attack = attack_prompt(second, theta_first, eta_first)
attacker = GradientAgent(attack.S, theta_first, eta_first)
exact_attack = (attacker, second)


def attacked(layers, copies=1):
    reads = attack.repeated(copies), prompts[1]
    return [Reader(*each) for each in zip(layers, reads, strict=True)]


attacks = settle_all(exact_attack, attacked)
repeated_attacks = settle_all(exact_attack, lambda layers: attacked(layers, n))

# %% tags=["nbval-check-output"]
compare("attack, one example", exact_attack, attacks, theta_first)
compare("attack, example repeated", exact_attack, repeated_attacks, theta_first)

# %% tags=["nbval-check-output"]
from a2a.linalg import matvec

kinds = ("one example", attacks[-1]), ("example repeated", repeated_attacks[-1])
for name, result in kinds:
    what = f"attack, {name}: victim minus theta_B, against Q (theta_A - theta_B)"
    bound = np.where(result.in_reach, result.balls.gap_second, np.inf).max()
    words = "largest bound on the victim's gap"
    small = requires(words, bound / typical, "<=", 0.01)
    pulled = matvec(second.M, theta_first - theta_second)
    off = norm(result.second - theta_second - pulled) / typical
    checks.add("A10", what, close(off, tolerance=0.01), given=[small])

# %%
from a2a.book.tables import Table

shown = prompts[0], attack, attack.repeated(n)
rows = []
for (steps, layers), result in zip(trained.items(), attacks, strict=True):
    missed = [np.median(step_error(layers[0], kind, eta_first)) for kind in shown]
    away = np.mean(norm(result.first) > FAR * typical / 2)
    shares = f"{result.in_reach.mean():.1%}", f"{away:.1%}"
    texts = [f"{error:.0e}" for error in missed]
    rows.append([f"{steps} steps", *texts, *shares])
columns = "training", "ordinary", "one example", f"shown {n} times"
title = "median step error by prompt; pairs under attack with one example"
Table([*columns, "in reach", "ran away"], rows, title)

# %% [markdown]
# The last columns are about the attack with one example: pairs that come within reach of {prf:ref}`thm-trained-reach`,
# and pairs that ran away. The own term is cubic: far from the objective it can outgrow the step of a badly trained
# attacker.

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import HELPED

fig, ax = panels()
for layers, copies, kind, color, name in (
    (constructed, 1, "--", THEORY, "attacker, constructed"),
    (best, n, "-.", "C3", "attacker, example repeated"),
    (best, 1, "-", HELPED, "attacker, one example"),
):
    told = run(attacked(layers, copies), min(200, turns_to_rest(exact_attack)))
    median = np.median(norm(told.first - theta_first), axis=1)
    errors_by_turn(ax, median, label=name, color=color, style=kind)
median = np.median(norm(told.second - theta_second), axis=1)
plateau = np.median(norm(attacks[-1].theory.bias_second))
errors_by_turn(ax, median, label="victim", color=SECOND, plateau=plateau)
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
from functools import partial

from a2a import AffineMap, newton_objective, probe
from a2a.lsa.trained import Relabeller

objective = partial(newton_objective, first, second)
steering = probe(objective, w0).M  # the derivative of h


def helped(layers):
    helper = Relabeller(layers[1], prompts[1].X, objective, steering)
    return [Reader(layers[0], prompts[0]), helper]


exact_helped = (first, AffineMap(np.zeros((d, d)), theta_first))
helps = settle_all(exact_helped, helped)

# %% tags=["nbval-check-output"]
compare("helper", exact_helped, helps, theta_first)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
for layers, kind, note in (
    (best, "-", "trained"),
    (least, ":", "short training"),
    (constructed, "--", "constructed"),
):
    told = run(helped(layers), 12)
    color = THEORY if kind == "--" else HELPED
    median = np.median(norm(told.first - theta_first), axis=1)
    errors_by_turn(ax, median, label=f"helped, {note}", color=color, style=kind)
told = run(free(best), 12)
plateau = np.median(norm(theory.bias_first))
median = np.median(norm(told.first - theta_first), axis=1)
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


def distance(result, expected=None):
    """From where the first trained agent settled to the exact fixed point, or to a prediction."""
    expected = result.theory.first if expected is None else expected
    return norm(result.first - expected) / typical


def foreseen_gap(result):
    return norm(result.foreseen - result.theory.first) / typical


# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import cloud

fig, ax = panels()
for name, (results, color) in reversed(settings.items()):
    gap = np.array([foreseen_gap(result) for result in results])
    left = np.array([distance(result, result.foreseen) for result in results])
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
rows = []
for name, (results, _) in settings.items():
    for steps, result in zip(lengths, results, strict=True):
        small = distance(result, result.foreseen) < 0.1 * foreseen_gap(result)
        shares = f"{result.in_reach.mean():.0%}", f"{small.mean():.0%}"
        rows.append([name, f"{steps} steps", *shares])
Table(["setting", "training", "in reach", "remainder below a tenth"], rows)

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
from scipy import stats


def power(results):
    """Growth of the gap with the training error: the slope on log axes, with its 95 % interval over trainings."""
    if len(lengths) < 3:
        return "unknown (it takes three lengths of training)"
    fit = stats.linregress(np.log(errors), np.log(medians(results)))
    half = stats.t.ppf(0.975, len(lengths) - 2) * fit.stderr
    return f"{fit.slope:.2f} ({fit.slope - half:.2f} to {fit.slope + half:.2f})"


powers = {name: power(results) for name, (results, _) in settings.items()}
told = f"Over trainings the gap at the equilibrium grows as the step error to the power {powers['equilibrium']}."
glue_text("trained-told", told)
Table(["setting", "gap as a power of the step error"], powers.items())

# %% tags=["hide-input"]
from a2a.book.figures import headline, power_law

fig, ax = panels()
for name, (results, color) in settings.items():
    power_law(ax, errors, medians(results), label=name, color=color, slope=1)
ax.set(xlabel="relative step error of the trained layers")
ax.set(ylabel="gap to the exact fixed point")
ax.legend()
headline("trained-headline", fig)


# %%
from a2a.lsa.reach import probed_fixed_point

pairs = [free(layers) for layers in trained.values()]
by_probe = [probed_fixed_point(pair, theory) for pair in pairs]
by_call = [result.foreseen for result in equilibria]

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
