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
# # Two black boxes, attacked and helped
#
# In this run {glue:text}`blackbox-pairs-language-models`: all numbers here are of the agents that {doc}`08_blackbox`
# lists. Running a paid model takes, on this page, {glue:text}`blackbox-pairs-forecast`.
#
# Agents behind a chat API, met one by one in {doc}`08_blackbox`, now read what the other wrote. **An agent that takes
# the gradient step settles, with its partner, on the plateau that the two prompts predict, as closely as its single
# steps are right. One that takes another, still nearly affine step settles where a map fitted to its first turns says.
# One that doesn't do the task gives nothing to predict.** What paper A ({cite}`cosentino2025`) reports of GPT-5-mini is
# asked here of any model behind an OpenAI-compatible API.
#
# ```{glue:figure} blackbox-pairs-headline
# ---
# name: fig-blackbox-headline
# alt: >-
#   Two panels an agent. Above, measured against predicted plateau on log axes; the points of the three agents that do
#   the task lie on the dashed diagonal. Below, the excess in per cent: none for the exact agent, a few per cent with
#   wide bars for the noisy one, a few per cent for the transformer with the prompts' prediction and none with the
#   fitted maps'. The panels of the language model are empty and say why.
# ---
# Distance of each agent to its own objective once it has settled, measured against predicted: from the prompts alone
# (filled), and from maps fitted to the first half of the turns (open). One point a gap between the objectives and
# agent. Below, by how many per cent the measured plateau exceeds the predicted one. Bars are 95 % bootstrap intervals;
# most are smaller than the points.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook; [0, inf)
gaps = [0.5, 1.0, 2.0, 3.0]  # distances between the two objectives; (0, 100]
turns = 14  # turns of a conversation; the first half is fitted; [6 + 4 * d / instances, 200]
instances = 2  # conversations, each from its own start; [2, 50]
d = 3  # dimension of the task; softmax-icl was trained for 3 only; [1, 20]
n = 12  # in-context examples in each prompt; [d, 200]
eta = 0.5  # step size that is asked for; softmax-icl was trained for 0.5; (0, 1]
steps = 12  # one-agent steps, each on a prompt of its own; [4, 200]
digits = 4  # digits after the decimal point, of every number stated and asked for; [1, 12]
resamples = 400  # bootstrap; [100, 100000]
model = ""  # at base_url; empty: the offline agents side by side
base_url = ""  # of an OpenAI-compatible API; empty: a local server, started here
transcript = ""  # folder or file; empty: runs/transcripts, to replay transcripts
mode = "live"  # "record" keeps and resumes, "replay" makes no calls; {live, record, replay}
attempts = 3  # how often an agent is asked until its reply is valid; [1, 20]
budget_calls = 1000  # calls for each model, retries too; [1, 1000000]
budget_dollars = 0.0  # US dollars for each model, in all runs that record; 0: no limit; [0, inf)
timeout = 120.0  # seconds for one reply; (0, 3600]
concurrency = 8  # calls under way at once; [1, 64]
smollm2_live = False  # run SmolLM2 here (slow) instead of replaying its replies
room = False  # whether there is room to reason in the reply
reasoning_effort = ""  # passed on where given, such as "low"
temperature = None  # passed on where a number is given; [0, 2]
price_completion = (
    0.0  # US dollars for a million tokens written; 0: unknown; [0, inf)
)
price_prompt = 0.0  # US dollars for a million tokens read; 0: unknown; [0, inf)
tokens_expected = 1000  # a paid model's reply, reasoning included, until one is recorded; [1, inf)
seconds_expected = 10.0  # until it is there; (0, inf)

# %% [markdown]
# ## Setting
#
# What an agent answers is a gradient step and an error $\delta$ {eq}`eq-blackbox-step`, and {eq}`eq-blackbox-bound`
# says how far such errors can take two of them from the equilibrium of their prompts. Everything below is shown beside
# that.
#
# The verdicts don't hang on the agents' own error. Their margins stand here, before any reply is read:
#
# | what | margin |
# |---|---|
# | an agent takes the gradient step | $R^2$ of single steps at least 0.99, usable replies to at least half |
# | its implied step size | within 10 % of the one asked for |
# | plateaus, measured over predicted | within 10 % |
# | the theory's place against its nearest rival | nearer, by any amount |
# | in other settings, distance from where exact agents are | at most 10 % of the plateau |
# | the factor a turn by which different starts approach each other | within 10 % |
# | scatter at the plateau over the noise floor | within 25 % |
# | what a helper leaves of the plateau | at most 10 % |
# | errors of attacker and victim against a white-box attack | within 5 % of the gap |
#
# An estimate supports if its 90 % interval lies within the margin, or its 95 % interval on the right side of a bound.
# Most verdicts are about one pair of prompts and the few starts of a run; what other prompts, tasks and words give is
# shown below, a row each.

# %% [markdown]
# ## The agents
#
# The agents and the way in which they are asked are those of {doc}`08_blackbox`, and so is what may be said for a paid
# model:
#
#     OPENAI_API_KEY=... a2a run blackbox_pairs -p base_url https://api.openai.com/v1 -p model gpt-5-mini \
#         -p mode record -p budget_dollars DOLLARS -p price_prompt PRICE -p price_completion PRICE
#
# Questions that both pages ask are asked once: the recording of one answers them for the other.

# %%
from a2a.chat import Prices
from a2a.chat.experiment import Asking, Experiment
from a2a.chat.lineup import line_up

also = ["smollm2"] if smollm2_live else []
cast = line_up(
    d, mode=mode, model=model, also=also, transcript=transcript, base_url=base_url
)
asking = Asking(
    eta, digits, room, attempts, temperature, reasoning_effort or None
)
prices = Prices(price_prompt, price_completion)
options = {
    "timeout": timeout,
    "concurrency": concurrency,
    "prices": prices,
    "budget_calls": budget_calls,
    "budget_dollars": budget_dollars or None,
}
experiment = Experiment(cast, asking, options)

# %% [markdown]
# Before anything is asked it is counted: the single steps three times, the conversations at all gaps, two helpers for
# the largest gap and an attack on it, and shorter conversations in other settings. Without a recording, a budget for
# less would be spent for nothing, and the run stops here. {doc}`08_blackbox` says where tokens and minutes come from.

# %% tags=["nbval-check-output"]
from a2a.book.forecast import expected, forecast_table, forecast_words
from a2a.book.prose import glue_text
from a2a.chat.forecast import Stage
from a2a.chat.settings import implicit, settings_of_pairs

short, long, shorter = 4, d + 5, 6  # turns with a helper, and in other settings
others = [*settings_of_pairs(n, d, asking), implicit(n, d, asking)]
stages = [
    Stage("single steps, three times", 3, steps),
    Stage("conversations", 2 * turns, len(gaps) * instances),
    Stage("with a helper", d + 1 + short + long, instances),
    Stage("under attack", 1 + turns, instances),
    Stage("in other settings", 2 * shorter * len(others), instances),
]
experiment.expect(sum(stage.calls for stage in stages))
of_a_reply = expected(cast, tokens_expected, seconds_expected)
told = forecast_words(stages, concurrency, of_a_reply, prices)
glue_text("blackbox-pairs-forecast", told)
forecast_table(stages, concurrency, of_a_reply, prices)

# %% [markdown]
# All questions are drawn before the first is asked, so that they hang on the parameters and not on which agents there
# are; bootstraps draw from a stream of their own.

# %%
import numpy as np

from a2a import GradientAgent, sample_prompt
from a2a.chat.pairs import Pair
from a2a.chat.single_steps import SingleSteps

rng = np.random.default_rng(seed)
questions = SingleSteps.draw(rng, steps, n, d, gaps, eta, digits)
pair = Pair.draw(rng, gaps, instances, n, d, eta, digits)
partner = GradientAgent.from_prompt(sample_prompt(rng, n, d, np.zeros(d)), eta)


def chance():
    return np.random.default_rng([seed, 1])


# %% [markdown]
# ## Each agent alone
#
# The single steps say which agents do the task at all, how large the error of a step is, and how noisy an answer. The
# others are left out of what follows; from here on the tables say so in their place.

# %%
from a2a.chat.single_steps import ask_single_steps

single = ask_single_steps(experiment, questions)
noise = experiment.study(lambda name: single[name].noise())

# %% tags=["nbval-check-output"]
from a2a.book.blackbox import agent_table

facts = {
    name: (f"{one.r_squared:.4f}", f"{one.delta:.1g}", f"{noise[name]:.1g}")
    for name, one in single.items()
    if name in noise
}
columns = ["agent", "R^2 of single steps", "largest error", "noise"]
agent_table(columns, facts, experiment.dropped)

# %% [markdown]
# ## Growing misalignment
#
# A and B keep the inputs of their prompts; B's labels move its objective away from A's, by each of the `gaps` in one
# direction. Every conversation is held `instances` times from different starts. What the prompts alone predict is
# {prf:ref}`thm-equilibrium`, applied to the numbers as stated. Paid turns should be few, so of a number of random pairs
# of prompts the one with the smallest spectral radius of a turn is used; that choice looks at the inputs only.


# %%
def converse(name):
    """The conversations of two agents at all gaps, from all starts."""
    first = experiment.agent(name, pair.prompt_first, 1)
    second = experiment.agent(name, pair.prompt_second, 2)
    return pair.converse(first, second, turns)


talks = experiment.study(converse)

# %% [markdown]
# The plateau is the distance of the mean of what an agent writes in the last quarter of the turns to its objective,
# where noise averages out. The first half of the turns gives each agent's map, fitted by least squares with nothing
# assumed but that it is affine; the fixed point of the two fitted maps is the second prediction. It knows the answers
# of the first half and not the prompts.
#
# Intervals come from a bootstrap of both sides: exchanges of the first half are drawn again with replacement and
# refitted, and so are the samples of the last quarter.

# %%
from a2a.chat.plateaus import plateaus

results = {
    name: plateaus(talk, chance(), resamples) for name, talk in talks.items()
}


# %% tags=["nbval-check-output"]
from a2a.book.plateaus import plateau_rows
from a2a.book.tables import Table

columns = ["agent", "gap", "prompts", "fitted", "measured"]
seen = results, pair, experiment.dropped
Table(columns, plateau_rows(0, *seen), "plateau of A")

# %% tags=["nbval-check-output"]
Table(columns, plateau_rows(1, *seen), "plateau of B")

# %% [markdown]
# {numref}`fig-blackbox-headline` draws these plateaus.

# %% tags=["hide-input"]
from a2a.book.figures import FIRST, THEORY, headline, style
from a2a.book.plateaus import plateau_figure

style()
headline("blackbox-pairs-headline", plateau_figure(cast.names, *seen))

# %%
from a2a.book.blackbox import takes_the_step, usable
from a2a.book.claims import Checks
from a2a.book.evidence import same, weakest

checks = Checks()


def check(name, what, evidence, given):
    checks.add("A11", what, evidence, given=given, models=[name])


def check_each(what, evidence):
    """A check of each agent, which takes for granted that it takes the step."""
    for name, found in evidence.items():
        check(name, what, found, takes_the_step(single[name]))


def as_predicted(ratios):
    """Measured over predicted plateaus of both agents at all gaps, the weakest."""
    return weakest([same(ratio, 1, margin=0.1) for ratio in ratios])


# %% tags=["nbval-check-output"]
for name, result in results.items():
    from_prompts = as_predicted(result.over(pair.plateau))
    what = "plateau over the one that the prompts predict, all gaps"
    check_each(what, {name: from_prompts})
    from_maps = as_predicted(result.over_fitted())
    what = "plateau over the one that maps fitted to the first half predict"
    check(name, what, from_maps, usable(single[name]))

# %% [markdown]
# Intervals are narrow where an agent has no noise: then they say how well an affine map fits, and how long the start is
# remembered.
#
# How far may the plateau be from the prediction of the prompts? With the largest error of a single step in place of
# $|\delta_A|$ and $|\delta_B|$, {eq}`eq-blackbox-bound` says what each agent's error allows, to which the rest of the
# transient at the end of the conversation is added; the prompts predict that, too. In the figure the deviation is the
# distance between where an agent settled and where the prompts say. The largest error is an estimate from other
# prompts, so an agent that errs more on these two can exceed it.

# %%
from a2a.linalg import operator_norm

size_P, size_Q = operator_norm(pair.first.M), operator_norm(pair.second.M)
amplification = (1 + max(size_P, size_Q)) / (1 - size_P * size_Q)
settled = pair.exact(turns).settled.mean(axis=2)
transient = np.abs(settled - pair.expected).max() * d**0.5


def allowed(name):
    """What the errors of single steps allow between plateau and prediction."""
    return amplification * single[name].delta + transient


# %% tags=["nbval-check-output"]
times = f"{amplification:.1f} times"
print(f"a step's error moves the plateau at most {times} as far")

# %% tags=["nbval-check-output"]
from a2a.book.plateaus import percent

deviations = {
    name: (
        f"{result.off.max():.1g}",
        f"{allowed(name):.1g}",
        f"{np.abs(percent(result.measured, pair.plateau)).max():.1f} %",
        f"{np.abs(percent(result.measured, result.fitted)).max():.1f} %",
    )
    for name, result in results.items()
}
columns = ["agent", "largest deviation", "allowed"]
columns += ["plateau off the prompts'", "off the maps'"]
agent_table(columns, deviations, experiment.dropped)

# %% [markdown]
# With the parameters of the book the transformer shows what near-agreement looks like: its plateaus differ from the
# prompts' by more than the digits explain and by no more than its single steps announce; the maps fitted to its own
# turns are right to a small part of that. An agent like this follows the theory of two affine maps, and the gradient
# step nearly.

# %% tags=["hide-input", "remove-output"]
from a2a.book.blackbox import agent_panels, say_why_empty
from a2a.book.figures import show
from a2a.book.plateaus import AGENTS

fig, axes = agent_panels(cast.names, sharex=True, sharey=True)
for name, ax in axes.items():
    if name not in results:
        say_why_empty(ax, experiment.dropped[name])
        continue
    for off, look in zip(results[name].off, AGENTS, strict=True):
        ax.plot(pair.gap, off, "o-", markersize=4, **look)
    ax.axhline(allowed(name), color=THEORY, linestyle="--", linewidth=1)
    ax.set(yscale="log", xlabel="gap between objectives")
axes[cast.names[0]].set_ylabel("deviation from the prompts")
if results:
    axes[next(iter(results))].legend()
show("fig-blackbox-deviation", fig)

# %% [markdown]
# ```{glue:figure} fig-blackbox-deviation
# ---
# name: fig-blackbox-deviation
# alt: >-
#   One panel an agent, deviation against gap on a log axis. The exact agent is at a few rounding units, the noisy one
#   and the transformer are far higher; each stays below its own dashed line.
# ---
# Growing misalignment. Distance between the point where each agent settled and the one that the prompts predict,
# against the gap between the objectives. Dashed: what the error of the agent's single steps allows. The plateau itself
# grows in proportion to the gap.
# ```

# %% [markdown]
# ## Rival predictions
#
# A plateau near the theory's may be near another story's, too: that each agent ends at its *own objective*, or both at
# the *midpoint* or at the *joint optimum*, which has the least loss on all examples. Distances of each place from where
# the agent settled, as shares of the gap; then which is nearest, and by how much the theory's is nearer than the
# nearest rival (negative: farther), with its 95 % interval.

# %%
from a2a.chat.rivals import nearest, rivals

places = {
    name: nearest(talk, chance(), resamples) for name, talk in talks.items()
}

# %% tags=["nbval-check-output"]
from a2a.book.plateaus import rival_rows

columns = ["agent", "whose, gap", *rivals(pair), "nearest, theory's lead"]
Table(columns, rival_rows(places, pair))

# %% tags=["nbval-check-output"]
from a2a.book.evidence import at_least

what = "lead of the theory's place over the nearest rival, in gaps"
evidence = {
    name: weakest([at_least(lead, 0) for lead in near.leads])
    for name, near in places.items()
}
check_each(what, evidence)

# %% [markdown]
# ## What the conversations say about each agent
#
# A's prompt is the same at all gaps, so all that it read and wrote in the first halves can be fitted together: with the
# step size as the one unknown besides the objective, $M = I - \eta S_A$, which gives the implied step size, and with an
# unrestricted map, which gives $R^2$. A small p-value of the test against quadratic terms says that no affine map
# describes the agent, however close one comes; the test needs more exchanges than a short run in many dimensions has.

# %%
from a2a.chat.plateaus import fitted_step

maps = {
    name: fitted_step(talk, chance(), resamples) for name, talk in talks.items()
}


# %% tags=["nbval-check-output"]
from a2a.book.blackbox import p_value, with_interval

implied = {
    name: (with_interval(fit.eta), f"{fit.r_squared:.6f}", p_value(fit.p))
    for name, fit in maps.items()
}
columns = ["agent", "implied eta", "R^2 of a map", "p, linearity"]
agent_table(columns, implied, experiment.dropped)

# %% tags=["nbval-check-output"]
within_a_tenth = {
    name: same(fit.eta, eta, margin=eta / 10) for name, fit in maps.items()
}
check_each("implied step size", within_a_tenth)

# %% [markdown]
# **Rate.** $\rho(PQ)$ from the prompts, and from the fitted maps at the largest gap. It is scored by the factor a turn
# with which the differences between the conversations from different starts shrink, over as many turns as they stand
# well above the noise; the prompts predict that factor as well.

# %%
from a2a.chat.plateaus import approach

approaches = {name: approach(talk, noise[name]) for name, talk in talks.items()}

# %% tags=["nbval-check-output"]
rates = {
    name: (
        f"{pair.theory.rate:.3f}",
        with_interval(results[name].rate),
        f"{factor.predicted:.3f}",
        f"{factor.measured:.3f}",
        factor.turns,
    )
    for name, factor in approaches.items()
}
columns = ["agent", "rho, prompts", "rho, fitted"]
columns += ["factor predicted", "measured", "turns"]
agent_table(columns, rates, experiment.dropped)

# %% tags=["nbval-check-output"]
from a2a.book.evidence import close

what = "factor a turn by which starts approach each other, over predicted"
evidence = {
    name: close(factor.measured / factor.predicted, 1, tolerance=0.1)
    for name, factor in approaches.items()
}
check_each(what, evidence)

# %% [markdown]
# **Noise floor.** By {prf:ref}`thm-noise` the noise of repeated answers gives the scatter that remains at the plateau.
# It is measured as the root mean square distance of what A writes in the last quarter from its mean. Where the noise is
# that of the last digit alone, the agents fall into step with their rounding, and there is no scatter to predict.

# %%
from a2a.chat.plateaus import scatter
from a2a.chat.single_steps import rounding_noise

noisy = [name for name in talks if noise[name] > 2 * rounding_noise(digits)]
numbers = 2 * steps * d  # that say how noisy an answer is
scatters = {name: scatter(talks[name], noise[name], numbers) for name in noisy}

# %% tags=["nbval-check-output"]
floors = dict.fromkeys(talks, ("that of the last digit", "", ""))
floors |= {
    name: (f"{noise[name]:.3f}", f"{seen.predicted:.3f}", f"{seen.measured:.3f}")
    for name, seen in scatters.items()
}
columns = ["agent", "noise of an answer", "floor predicted", "measured"]
agent_table(columns, floors, experiment.dropped)

# %% tags=["nbval-check-output"]
what = "scatter at the plateau over the predicted noise floor"
evidence = {
    name: same(seen.over, 1, margin=0.25) for name, seen in scatters.items()
}
check_each(what, evidence)

# %% [markdown]
# ## Other settings
#
# All this was one pair of prompts, chosen because it settles fast. Each row below differs in one thing, and other
# prompts are the first that are drawn. Conversations are at the largest gap and shorter, and the second half of their
# turns is held against what exact agents write in the same turns from the same starts, so that none need have settled.
# By the theory neither who moves first nor the order of the examples matters in the end.
#
# An entry is the distance from exact agents, as a share of their plateau, of A or B the worse, and what lies nearest to
# A and to B. Where an agent's steps in that setting aren't gradient steps ($R^2$ below 0.99), that is said and the
# entry isn't judged: the check asks whether steps that are right there lead where the theory says, and counts in how
# many settings they are. In the implicit form the step size is read off from the first half of the turns.


# %%
from a2a.chat.varied import converse_in, turn_rate, varied


def in_setting(setting):
    """What every agent does in a setting, and why others are left out."""
    other = experiment.otherwise(setting.asking, setting.d)
    other.dropped |= experiment.dropped
    two = setting.pair(pair, seed)
    found = other.study(
        lambda name: varied(
            converse_in(setting, two, name, other, shorter), chance(), resamples
        )
    )
    return turn_rate(two), found, other.dropped


elsewhere = {setting.name: in_setting(setting) for setting in others}

# %% tags=["nbval-check-output"]
from a2a.book.blackbox import setting_cell

rows = [
    (name, f"{rate:.2f}", *(setting_cell(found, gone, who) for who in talks))
    for name, (rate, found, gone) in elsewhere.items()
]
Table(["setting", "rho", *talks], rows)

# %% tags=["nbval-check-output"]
from a2a.book.blackbox import judged_elsewhere

for who in talks:
    seen = [found[who] for _, found, _ in elsewhere.values() if who in found]
    if seen:  # else there is no recording of any other setting
        found, given = judged_elsewhere(seen, len(elsewhere), at_most=0.1)
        what = "distance from exact agents over the plateau, other settings"
        check(who, what, found, [*takes_the_step(single[who]), given])

# %% [markdown]
# ## A helper for a black box
#
# {doc}`04_newton_helper` removes the plateau of a main agent that is known. Here the main agent is the black box A at
# the largest gap, and its partner, a gradient agent with a prompt of its own, gives up its objective. The *identified*
# helper first asks $d + 1$ questions and then steers to the fixed point of the map that they give. *Anderson* only
# combines the exchanges of the conversation.

# %%
from a2a import Anderson, Helper, alternate, probe
from a2a.linalg import norm

start = pair.w0[-1]
objective = pair.first.theta


def helped(name):
    """Errors by turn, (turns, instances), of A with each helper."""
    main = experiment.agent(name, pair.prompt_first, 3)
    goal = probe(main, start).fixed_point()
    helpers = {
        "identified": (Helper(partner, lambda w: goal), short),
        "Anderson": (Helper(partner, Anderson(start)), long),
    }
    runs = {
        kind: alternate(main, helper, start, count)
        for kind, (helper, count) in helpers.items()
    }
    return {kind: norm(run.first - objective) for kind, run in runs.items()}


with_help = experiment.study(helped)

# %% tags=["hide-input"]
from a2a.book.figures import HELPED, errors_by_turn


def draw_help(ax, name):
    """A's error by turn alone and with each helper, means over starts."""
    unaided = norm(talks[name].run.first[:, -1] - objective).mean(axis=1)
    plateau = pair.plateau[0, -1]
    errors_by_turn(ax, unaided, label="no helper", color=FIRST, plateau=plateau)
    for kind, look in (("identified", "-"), ("Anderson", ":")):
        errors = with_help[name][kind].mean(axis=1)
        errors_by_turn(ax, errors, label=kind, color=HELPED, style=look)
    ax.set_ylabel("")


# %% tags=["hide-input", "remove-output"]
from matplotlib.ticker import MaxNLocator

fig, axes = agent_panels(cast.names, sharex=True, sharey=True)
for name, ax in axes.items():
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if name in with_help:
        draw_help(ax, name)
    else:
        say_why_empty(ax, experiment.dropped[name])
axes[cast.names[0]].set_ylabel("error of the main agent")
if with_help:
    axes[next(iter(with_help))].legend(fontsize=9)
show("fig-blackbox-helper", fig)

# %% [markdown]
# ```{glue:figure} fig-blackbox-helper
# ---
# name: fig-blackbox-helper
# alt: >-
#   One panel an agent, error against turn on a log axis. Without help the error stays on the dashed plateau; with
#   either helper it falls below, to the digits for the exact agent and to the size of its step error for the others.
# ---
# A black-box main agent at the largest gap: its error by turn with its usual partner (blue, with the plateau that the
# prompts predict dashed), with a helper that has identified it (green), and with an Anderson helper (green, dotted).
# Means over starts.
# ```

# %% [markdown]
# A map identified from $d + 1$ answers with errors $\delta$ has its fixed point off by about
# $\|(I - P)^{-1}\|\,|\delta|\,(1 + \sqrt 2\,|w_0 - \theta_A|)$: each answer's own error, and that of the fitted slopes
# over the way from $w_0$ to the objective. That is what the helped error is held against.

# %%
reach = 1 + 2**0.5 * norm(start - objective).max()
slowest = operator_norm(np.linalg.inv(np.eye(d) - pair.first.M))
left_over = {
    name: np.array([errors[-1].mean() for errors in by_helper.values()])
    for name, by_helper in with_help.items()
}

# %% tags=["nbval-check-output"]
errors_of_A = {
    name: (
        f"{results[name].measured[0, -1]:.3f}",
        *(f"{error:.1g}" for error in left),
        f"{slowest * reach * single[name].delta:.1g}",
    )
    for name, left in left_over.items()
}
columns = ["error of A", "plateau", "identified", "Anderson", "allowed"]
agent_table(columns, errors_of_A, experiment.dropped)

# %% tags=["nbval-check-output"]
what = "share of the plateau that a helper leaves, identified and Anderson"
evidence = {
    name: close(left / results[name].measured[0, -1], tolerance=0.1)
    for name, left in left_over.items()
}
check_each(what, evidence)

# %% [markdown]
# ## The one-probe attack on a black box
#
# Now B is the black box and the victim. An attacker hands it $\theta_A$ once; the answer tells the attacker the
# one-example prompt with which it wins ({doc}`03_asymmetry`). The argument needs only that single answer: an attacker
# that cancels what the victim adds at $\theta_A$ makes $\theta_A$ a fixed point of the pair, whether or not the victim
# is affine. Against an agent with noise the attacker cancels a noisy direction. What is predicted is what a white-box
# attack of the prompt itself would have reached from the same start in the same number of turns.

# %%
from a2a import Prompt, attack_prompt, probe_attack

victim_theory = GradientAgent(pair.second.S, pair.second.theta[-1, 0], eta)
known = attack_prompt(victim_theory, objective, eta)
known_attacker = GradientAgent.from_prompt(known, eta)


def ends(run):
    """Errors of attacker and victim in the last quarter of the turns."""
    errors = (run.first - objective, run.second - victim_theory.theta)
    last = turns // 4
    return np.array([norm(error[-last:].mean(axis=(0, 1))) for error in errors])


foreseen = ends(alternate(known_attacker, victim_theory, start, turns))


# %%
def attack(name):
    """Errors at the end of a conversation with the victim."""
    prompt = Prompt(pair.prompt_second.X, pair.prompt_second.y[-1, 0])
    victim = experiment.agent(name, prompt, 4)
    stolen = probe_attack(victim, objective, eta)
    attacker = GradientAgent.from_prompt(stolen, eta)
    return ends(alternate(attacker, victim, start, turns))


attacks = experiment.study(attack)

# %% [markdown]
# Allowed are the errors of the probe and of every later step, amplified.

# %% tags=["nbval-check-output"]
both = known_attacker.M @ victim_theory.M
amplified = 2 * operator_norm(np.linalg.inv(np.eye(d) - both))
outcomes = {"predicted": (*(f"{error:.4f}" for error in foreseen), "")}
for name, errors in attacks.items():
    allowance = f"{amplified * single[name].delta:.1g}"
    outcomes[name] = (*(f"{error:.4f}" for error in errors), allowance)
columns = ["errors of", "attacker", "victim", "allowed deviation"]
agent_table(columns, outcomes, experiment.dropped)

# %% tags=["nbval-check-output"]
what = "errors of attacker and victim after one probe, as shares of the gap"
widest = pair.gap[-1]
evidence = {
    name: close(errors / widest, foreseen / widest, tolerance=0.05)
    for name, errors in attacks.items()
}
check_each(what, evidence)

# %% [markdown]
# ## Replies, calls and cost
#
# As in {doc}`08_blackbox`: every reply by its outcome, and what it took.

# %% tags=["nbval-check-output"]
from a2a.book.blackbox import outcome_table

outcome_table(experiment)

# %% tags=["nbval-check-output"]
from a2a.book.blackbox import language_models, usage_table

experiment.close()
usage_table(experiment)

# %%
glue_text("blackbox-pairs-language-models", language_models(experiment, single))

# %% [markdown]
# ## What was checked
#
# Claim A11 is about GPT-5-mini, which isn't run here without a key: checks of other agents say how the experiment
# works, and leave the claim untested. A recording of it, put in the folder `transcripts`, appears on this page and on
# that of the claims by itself. An agent that doesn't take the gradient step gives the theory nothing to predict: its
# checks are not applicable.

# %% tags=["nbval-check-output"]
checks.table()
