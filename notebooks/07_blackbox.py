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
# # A black box behind a chat API
#
# Paper A ({cite}`cosentino2025`) also runs GPT-5-mini: each agent is shown examples of a regression task and asked for
# the next estimate. **An agent behind a chat API that takes the gradient step settles, with its partner, on the plateau
# that the two prompts predict, as closely as its single steps are right. One that takes another, still nearly affine
# step settles where a map fitted to its first turns says. One that doesn't do the task gives nothing to predict, and
# that shows at once.** No prompt and no data of those runs are public; here the experiment is written out for any model
# behind an OpenAI-compatible API and run on agents that need no key. In this run {glue:text}`blackbox-language-models`.
#
# ```{glue:figure} blackbox-headline
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
d = 3  # dimension of the task; softmax-icl was trained for 3 only; [1, 20]
n = 12  # in-context examples in each prompt; [d, 200]
eta = 0.5  # step size that is asked for; softmax-icl was trained for 0.5; (0, 1]
digits = 4  # digits after the decimal point, of every number stated and asked for; [1, 12]
gaps = [0.5, 1.0, 2.0, 3.0]  # distances between the two objectives; (0, 100]
turns = 14  # turns of a conversation; the first half is fitted; [6 + 4 * d / instances, 200]
instances = (
    2  # repetitions of every conversation, each from its own start; [2, 50]
)
steps = 12  # one-agent steps, each on a prompt of its own; [4, 200]
resamples = 400  # bootstrap; [100, 100000]
base_url = ""  # of an OpenAI-compatible API; empty: a local server, started here
model = ""  # its name there; empty: the offline agents side by side
mode = "live"  # "record" keeps and resumes, "replay" makes no calls; {live, record, replay}
transcript = ""  # folder or file; empty: runs/transcripts, to replay transcripts
budget_calls = (
    400  # calls that may be sent for each model, retries included; [1, 1000000]
)
attempts = 3  # how often an agent is asked until its reply is valid; [1, 20]
concurrency = 8  # calls under way at once; [1, 64]
timeout = 120.0  # seconds for one reply; (0, 3600]
room = False  # whether there is room to reason in the reply
temperature = None  # passed on where a number is given; [0, 2]
reasoning_effort = ""  # passed on where given, such as "low"
price_prompt = 0.0  # US dollars for a million tokens read, for the cost; [0, inf)
price_completion = 0.0  # US dollars for a million tokens written; [0, inf)
smollm2_live = False  # run SmolLM2 here (slow) instead of replaying its replies

# %% [markdown]
# ## Setting
#
# An agent's prompt shows $n$ examples $(x_i, y_i)$, rounded to a stated number of digits; its geometry is
# $S = X^\top X / n$, its objective $\theta$ the least-squares solution, both of the rounded numbers that the model
# reads. The model is handed $w$ and asked for
#
# ```{math}
# :label: eq-blackbox-step
# w - \eta\, S\,(w - \theta), \qquad\text{it answers}\qquad w - \eta\, S\,(w - \theta) + \delta(w),
# ```
#
# and the error $\delta$ of its step is what makes it a black box. {prf:ref}`thm-trained-gap` says what follows for two
# of them, A and B: where they settle lies from the equilibrium of the prompts by at most
#
# ```{math}
# :label: eq-blackbox-bound
# |\tilde a - a^*| \le \frac{|\delta_A| + \|P\|\,|\delta_B|}{1 - \|P\|\,\|Q\|}, \qquad P = I - \eta S_A,\; Q = I - \eta S_B .
# ```
#
# So the chapter measures $\delta$ first, on single steps, and shows beside everything that comes after what that error
# allows.
#
# The verdicts don't hang on the agent's own error. Their margins stand here, before any reply is read:
#
# | what | margin |
# |---|---|
# | an agent takes the gradient step | $R^2$ of its single steps at least 0.99, and usable replies to at least half of them |
# | its implied step size | within 10 % of the one asked for |
# | plateaus, measured over predicted | within 10 % |
# | the factor a turn by which different starts approach each other | within 10 % |
# | scatter at the plateau over the noise floor | within 25 % |
# | what a helper leaves of the plateau | at most 10 % |
# | errors of attacker and victim against a white-box attack | within 5 % of the gap |
#
# An estimate supports if its 90 % interval lies within the margin. One pair of prompts and the few starts of a run are
# what a verdict is about; other prompts would give other numbers.

# %% tags=["hide-input"]
import json
import textwrap
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from statistics import NormalDist

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator
from myst_nb import glue

import a2a
from a2a import GradientAgent, Helper, Prompt, alternate, identify, sample_prompt
from a2a.arrays import norm, operator_norm
from a2a.book.claims import Checks, requires
from a2a.book.evidence import at_least, close, same, weakest

# %% tags=["hide-input"]
from a2a.book.figures import (
    FIRST,
    HELPED,
    SECOND,
    THEORY,
    errors_by_turn,
    few_decades,
    headline,
    panels,
    show,
    style,
)

# %% tags=["hide-input"]
from a2a.chat import (
    ChatAgent,
    ChatClient,
    NoValidReply,
    Prices,
    ReplayMiss,
    Settings,
    Transcripts,
    messages,
    recording_file,
    recordings,
    schema,
    stated,
    stated_prompt,
)
from a2a.chat.server import local_server
from a2a.chat.softmax_icl import load_weights
from a2a.intervals import Estimate, from_draws
from a2a.places import book_root, given_path

style()
rng = np.random.default_rng(seed)

checks = Checks()

# %%
if base_url and not model:
    raise ValueError("a base_url needs the name of a model there")

# %% [markdown]
# ## The agents
#
# Without a key, four agents answer over real HTTP, or did so when their replies were recorded:
#
# - `gradient`, the positive control: it reads the text, takes the exact step and writes it rounded.
# - `gradient:noise=0.01`, the same with Gaussian noise on every answer, for what a model that samples does.
# - `softmax-icl`, a softmax transformer with MLPs, trained in this project on in-context regression. Its rule is
#   learned; nothing in it is a gradient step.
# - `smollm2`, the language model SmolLM2-135M-Instruct, the negative control: too small for this arithmetic. It is slow
#   without a GPU, so by default its recorded replies are replayed. `smollm2_live` makes it answer here.
#
# The first three run live on a local server that this notebook starts and stops. A paid model takes their place with
#
#     OPENAI_API_KEY=... a2a run 07_blackbox -p base_url https://api.openai.com/v1 -p model gpt-5-mini -p mode record -p budget_calls 400
#
# which records every call; the same command resumes a run that was cut short, without asking anything twice. Somebody's
# recording is scored again, without a key, with the parameters that it was made with and
#
#     a2a run 07_blackbox -p mode replay -p transcript path/to/transcripts

# %% tags=["nbval-check-output"]
_, recipe, quality = load_weights()
print(f"softmax-icl: {recipe.layers} layers, {recipe.heads} heads,", end=" ")
print(f"width {recipe.width}; {recipe.steps} training steps", end=" ")
print(f"on batches of {recipe.batch} fresh tasks", end=" ")
print(f"with d = {recipe.d}, n = {recipe.n}, eta = {recipe.eta}")
print(f"on new tasks: mean squared error {quality['loss']:.1e},", end=" ")
print(f"R^2 of the step {quality['r_squared']:.4f},", end=" ")
print(f"median relative error {quality['median_relative_error']:.3f}")

# %%
OFFLINE = ["gradient", "gradient:noise=0.01", "softmax-icl", "smollm2"]
library = (book_root() or Path.cwd()) / "transcripts"
recorded = recordings(library) if library.is_dir() else {}
if transcript and mode == "replay":
    recorded = recordings(given_path(transcript))
live = [model] if model else OFFLINE[: 3 if d == 3 else 2]
if smollm2_live and not model:
    live.append("smollm2")
if mode == "replay":
    live = []
names = [model] if model else sorted({*live, *recorded})
names.sort(key=lambda name: [*OFFLINE, name].index(name))
if not set(names) - set(live) <= set(recorded) or not names:
    raise ValueError(f"no recorded answers {f'of {model}' if model else 'there'}")

# %% [markdown]
# Every agent has a client of its own. Only agents that are asked live need a server.

# %%
server = ExitStack()
url = base_url
if live and not base_url:
    url = server.enter_context(local_server())
target = (
    given_path(transcript) if transcript else library.parent / "runs/transcripts"
)
options = {
    "budget_calls": budget_calls,
    "timeout": timeout,
    "prices": Prices(price_prompt, price_completion),
}


def client_for(name):
    if name not in live:
        return ChatClient(transcripts=recorded[name], mode="replay", **options)
    kept = None
    if mode == "record":
        kept = Transcripts(recording_file(target, name))
    one = name == "smollm2"  # it answers one call at a time
    at_once = 1 if one else concurrency
    return ChatClient(
        url, transcripts=kept, mode=mode, concurrency=at_once, **options
    )


clients = {name: client_for(name) for name in names}
made = {name: [] for name in names}

# %% tags=["nbval-check-output"]
for name in names:
    print(
        f"{name}: {'asked here' if name in live else 'replayed from a recording'}"
    )


# %%
def chat_agent(name, prompt, stream, attempts=attempts):
    """An agent; equal questions of different streams are different calls."""
    greedy = name == "smollm2" and temperature is None  # its best case
    settings = Settings(
        temperature=0.0 if greedy else temperature,
        reasoning_effort=reasoning_effort or None,
        seed=stream,
    )
    agent = ChatAgent(
        clients[name],
        prompt,
        eta,
        model=name,
        digits=digits,
        room=room,
        settings=settings,
        attempts=attempts,
    )
    made[name].append(agent)
    return agent


# %% [markdown]
# ## The protocol
#
# This is all that a model sees of one step: a system message, and a user message with the examples, the current $w$ and
# the task. Nothing is remembered from step to step. The protocol also knows an implicit form, which asks to improve $w$
# a little and names no step size; for that one the prompts alone predict no rate, so this chapter uses the explicit
# form.

# %%
theta_steps = rng.standard_normal((steps, d))
prompts = sample_prompt(rng, n, d, theta_steps)
away = rng.standard_normal((steps, d))
away *= (np.resize(gaps, steps) / norm(away))[:, None]
w_steps = stated(theta_steps + away, digits)
shown = Prompt(prompts.X[0], prompts.y[0])

# %% tags=["nbval-check-output"]
example = chat_agent(names[0], shown, 0)
for message in messages(
    example.form, example.prompt.X, example.prompt.y, w_steps[0]
):
    print(f"[{message['role']}]\n{message['content']}\n")

# %% [markdown]
# Where a server has structured outputs, the answer must fit this JSON schema; elsewhere it is parsed tolerantly.

# %% tags=["nbval-check-output"]
print(json.dumps(schema(example.form, d)))

# %% [markdown]
# A reply is *valid*; *repaired*, if the numbers are beyond doubt and the form isn't right (fenced, prose around it,
# wrong brackets); *invalid* (wrong length, not finite, absurdly large, nothing found), a *refusal*, or *cut off* at the
# token limit. Only the first two become numbers, and every outcome is counted. The replies of the agents to the
# question above:

# %%
dropped = {}


def study(experiment):
    """What an experiment finds for each agent; those that fail are dropped."""
    found = {}
    for name in [name for name in names if name not in dropped]:
        try:
            found[name] = experiment(name)
        except NoValidReply:
            dropped[name] = f"no valid reply in {attempts} attempts"
        except ReplayMiss:
            if mode == "replay":
                raise
            dropped[name] = "not recorded with these parameters"
    return found


# %% tags=["nbval-check-output"]
def reply(name):
    """The reply to the question above as the model wrote it, and its outcome."""
    agent = chat_agent(name, shown, 0, attempts=1)
    (outcome,) = agent.outcomes(w_steps[0])
    return agent.last.text or "", outcome.name


for name, (said, outcome) in study(reply).items():
    print(
        f"{name} ({outcome}): {textwrap.shorten(said, 300, placeholder=' ...')}"
    )

# %% [markdown]
# ## One agent: steps against the gradient step
#
# Each agent takes one step on each of several prompts, from as far from its objective as the `gaps` will put it later,
# and is asked once. Of the errors $\delta$ of its steps the chapter keeps the largest, and as a share of the steps that
# were wanted their mean square, $\epsilon^2 = 1 - R^2$. The implied step size is the one that explains the steps best.

# %%
exact = GradientAgent.from_prompt(stated_prompt(prompts, digits), eta)
wanted = exact(w_steps) - w_steps
rounding = 0.5 * 10.0**-digits * d**0.5  # the most that the last digit can hide
single = {}


def answers(agent):
    """What it answers to each step, (steps, d), NaN where that is no vector."""
    outcomes = agent.outcomes(w_steps)
    return np.array([o.w or [np.nan] * d for o in outcomes])


def first_steps(name):
    single[name] = chat_agent(name, prompts, 0, attempts=1)
    return answers(single[name])


written = study(first_steps)


# %%
def one_agent(answer):
    """Of the steps answered: how many, R^2, implied step size, error."""
    valid = np.isfinite(answer).all(axis=1)
    step, ideal = (answer - w_steps)[valid], wanted[valid]
    error = norm(step - ideal)
    r_squared = 1 - np.sum(error**2) / np.sum(ideal**2) if valid.any() else np.nan
    implied = (
        eta * np.sum(step * ideal) / np.sum(ideal**2) if valid.any() else np.nan
    )
    delta = error.max() if valid.any() else np.nan
    return {
        "valid": valid.sum(),
        "r_squared": r_squared,
        "eta": implied,
        "delta": max(delta, rounding),
        "epsilon": np.sqrt(1 - r_squared),
    }


facts = {name: one_agent(answer) for name, answer in written.items()}


# %%
def r_squared_of(name):
    """R^2 of an agent's single steps, with a bootstrap over the steps."""
    valid = np.isfinite(written[name]).all(axis=1)
    if not valid.any():
        return Estimate(np.nan, lambda level, n: (np.nan, np.nan), steps)
    ideal = wanted[valid]
    missed = norm(written[name][valid] - w_steps[valid] - ideal) ** 2
    chance = np.random.default_rng(seed)  # rng draws the questions of later steps
    again = chance.integers(len(missed), size=(resamples, len(missed)))
    draws = 1 - missed[again].sum(-1) / (norm(ideal) ** 2)[again].sum(-1)
    value = facts[name]["r_squared"]
    return from_draws(value, draws, len(missed), "steps")


def usable(name):
    """The assumption that an agent does the task at all."""
    answered = facts[name]["valid"]
    return requires("usable replies to single steps", answered, ">=", steps / 2)


def takes_the_step(name):
    """What the theory takes for granted of an agent."""
    r_squared = facts[name]["r_squared"]
    step = requires("R^2 of single steps", r_squared, ">=", 0.99)
    return [usable(name), step]


def check(name, what, evidence, given=()):
    """A check of one agent under the assumptions named."""
    checks.add("A11", what, evidence, given=given, models=[name])


# %% tags=["nbval-check-output"]
print(f"{'':20} valid    R^2  eta implied    largest error")
for name, fact in facts.items():
    line = f"{name:20} {fact['valid']:2}/{steps:2}"
    if fact["valid"]:
        line += (
            f" {fact['r_squared']:6.4f} {fact['eta']:12.3f} {fact['delta']:16.1g}"
        )
    print(line)

# %% tags=["nbval-check-output"]
for name in facts:
    what = "R^2 of single steps against the gradient step"
    check(name, what, at_least(r_squared_of(name), 0.99), [usable(name)])

# %% [markdown]
# An agent that answers fewer than half of these questions is not asked to talk: there is no map to predict with. From
# here on the tables say so in its place.

# %% tags=["nbval-check-output"]
for name, fact in facts.items():
    if fact["valid"] < steps / 2:
        dropped[name] = f"{fact['valid']} of {steps} replies usable"
for name, why in dropped.items():
    print(f"{name}: left out of what follows, {why}")
if not dropped:
    print("no agent is left out")


# %% tags=["hide-input"]
def agent_panels(**options):
    """A panel for each agent, titled with its name."""
    fig, axes = panels(len(names), height=3.0, **options)
    by_name = dict(zip(names, np.atleast_1d(axes)))
    for name, ax in by_name.items():
        ax.set_title(name, fontsize=10)
    return fig, by_name


def nothing(ax, why):
    """Say in an empty panel why it is empty."""
    ax.text(
        0.5,
        0.5,
        textwrap.fill(why, 18),
        ha="center",
        va="center",
        transform=ax.transAxes,
        fontsize=10,
        backgroundcolor="white",
    )


# %% tags=["hide-input", "remove-output"]
fig, axes = agent_panels(sharex=True, sharey=True)
limit = 1.05 * np.abs(wanted).max()
for name, ax in axes.items():
    ax.plot([-limit, limit], [-limit, limit], "--", color=THEORY, linewidth=1)
    if name in written and facts[name]["valid"]:
        ax.plot(wanted, written[name] - w_steps, "o", color=FIRST, markersize=3)
    else:
        nothing(ax, dropped.get(name, "no usable reply"))
    ax.set(xlim=(-limit, limit), xlabel="gradient step")
axes[names[0]].set_ylabel("step written")
show("fig-blackbox-steps", fig)

# %% [markdown]
# ```{glue:figure} fig-blackbox-steps
# ---
# name: fig-blackbox-steps
# alt: >-
#   One panel an agent. The points of the gradient agents and of the transformer lie on the diagonal; the language
#   model's panel is empty or scattered.
# ---
# One agent: each coordinate of the steps that it wrote against the gradient step of its prompt. The dashed diagonal is
# the exact step.
# ```

# %% [markdown]
# ## Repeated questions: the noise of an agent
#
# A model that samples answers the same question differently each time. Each of the questions above is asked twice more;
# the spread of the answers is the agent's noise, a standard deviation $\sigma$ in each coordinate. An agent that always
# repeats itself still rounds.

# %%
rounding_noise = 10.0**-digits / 12**0.5


def noise_of(name):
    """Standard deviation of repeated answers, at least that of rounding."""
    repeats = np.stack(
        [written[name], *(answers(single[name]) for _ in range(2))]
    )
    complete = np.isfinite(repeats).all(axis=(0, 2))
    variance = repeats[:, complete].var(axis=0, ddof=1).mean()
    return max(float(np.sqrt(variance)), rounding_noise)


noise = study(noise_of)

# %% [markdown]
# ## Two agents: growing misalignment
#
# A and B keep the inputs of their prompts; B's labels move its objective away from A's, by each of the `gaps` in one
# direction. Every conversation is held `instances` times from different starts. What the prompts alone predict is
# {prf:ref}`thm-equilibrium`, applied to the numbers as stated. Paid turns should be few, so of a number of random pairs
# of prompts the one with the smallest spectral radius of a turn is used; that choice looks at the inputs only.

# %%
gap = np.array(gaps)
direction = rng.standard_normal(d)
theta_first = rng.standard_normal(d)
theta_second = theta_first + gap[:, None, None] * direction / norm(direction)
pairs = rng.standard_normal((2, 30, n, d))
P, Q = np.eye(d) - eta * np.swapaxes(pairs, -1, -2) @ pairs / n
X_first, X_second = pairs[:, np.argmin(a2a.spectral_radius(P @ Q))]
prompt_first = Prompt.from_objective(X_first, theta_first)
prompt_second = Prompt.from_objective(X_second, theta_second)
w0 = stated(rng.standard_normal((len(gap), instances, d)), digits)

# %%
first, second = (
    GradientAgent.from_prompt(stated_prompt(prompt, digits), eta)
    for prompt in (prompt_first, prompt_second)
)
theory = a2a.equilibrium(first, second)
objectives = np.stack([0 * second.theta + first.theta, second.theta])[:, :, 0]
expected = np.stack([theory.first, theory.second])[:, :, 0]
plateau_prompts = norm(expected - objectives)


# %%
def converse(name):
    """The two agents and their conversations at all gaps, from all starts."""
    pair = chat_agent(name, prompt_first, 1), chat_agent(name, prompt_second, 2)
    return *pair, alternate(*pair, w0, turns)


talks = study(converse)

# %% [markdown]
# The plateau is the distance of the mean of what an agent writes in the last quarter of the turns to its objective,
# where noise averages out. The first half of the turns gives each agent's map, fitted by least squares with nothing
# assumed but that it is affine; the fixed point of the two fitted maps is the second prediction. It knows the answers
# of the first half and not the prompts.

# %%
half, last = turns // 2, turns // 4


def sample(run):
    """What both wrote in the last quarter: (2, gaps, samples, d)."""
    both = np.stack([run.first[-last:], run.second[-last:]])
    return np.moveaxis(both, 1, 3).reshape(2, len(gap), -1, d)


def first_half(agent):
    """Its exchanges in the first half, all starts together: (gaps, m, d)."""
    return [
        part[..., :half, :].reshape(len(gap), -1, d) for part in agent.exchanges
    ]


def settle(exchanges_first, exchanges_second):
    """Where the fitted maps settle, (2, gaps, ..., d), and the rate of a turn."""
    A, B = identify(*exchanges_first), identify(*exchanges_second)
    a = (A @ B).fixed_point()
    return np.stack([a, B(a)]), (A @ B).spectral_radius()


# %% [markdown]
# Intervals come from a bootstrap of both sides: exchanges of the first half are drawn again with replacement and
# refitted, and so are the samples of the last quarter.


# %%
def plateaus(name):
    """Plateaus of A and B, (2, gaps): measured and fitted, with draws."""
    A, B, run = talks[name]
    point, rate = settle(first_half(A), first_half(B))
    draws, rates = settle(
        *(a2a.resample(rng, *first_half(X), resamples) for X in (A, B))
    )
    seen = sample(run)
    chosen = rng.integers(seen.shape[2], size=(resamples, seen.shape[2]))
    again = seen[:, :, chosen].mean(axis=3)
    centre = objectives[:, :, None]
    return {
        "measured": norm(seen.mean(axis=2) - objectives),
        "measured draws": norm(again - centre),
        "fitted": norm(point - objectives),
        "fitted draws": norm(draws - centre),
        "off": norm(seen.mean(axis=2) - expected),
        "rate": rate,
        "rate draws": rates,
    }


results = {name: plateaus(name) for name in talks}


# %%
def interval(draws):
    """The middle 95 % over the bootstrap, on the last axis."""
    return np.percentile(draws, [2.5, 97.5], axis=-1)


def spread(result):
    """99 % of the bootstrap lies closer to the fitted plateau, (2, gaps)."""
    moved = (result["fitted draws"] - result["fitted"][..., None]) - (
        result["measured draws"] - result["measured"][..., None]
    )
    return np.percentile(np.abs(moved), 99, axis=-1)


# %%
def unusable():
    """One line for each agent that has nothing to show."""
    for name, why in dropped.items():
        print(f"{name}: {why}")


def with_interval(value, draws):
    low, high = interval(draws)
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


# %% tags=["nbval-check-output"]
for agent, who in enumerate("AB"):
    print(f"plateau of {who}:       gap prompts  fitted                measured")
    for name, result in results.items():
        for level, value in enumerate(gap):
            cells = [
                with_interval(
                    result[key][agent, level],
                    result[f"{key} draws"][agent, level],
                )
                for key in ("fitted", "measured")
            ]
            print(
                f"{name:20} {value:4g}  {plateau_prompts[agent, level]:.3f} ",
                *cells,
            )
unusable()


# %% tags=["hide-input"]
KINDS = {
    "prompts": {"markersize": 4, "marker": "o"},
    "fitted maps": {"markersize": 9, "marker": "o", "markerfacecolor": "none"},
}
AGENTS = (("A", FIRST), ("B", SECOND))


# %% tags=["hide-input"]
def percent(measured, predicted):
    return 100 * (measured / predicted - 1)


def bars(ax, x, y, draws, **look):
    """Points with the 95 % intervals of their bootstrap draws."""
    low, high = interval(draws)
    ax.vlines(x, low, high, color=look["color"], linewidth=1)
    ax.plot(x, y, linestyle="none", **look)


def draw(above, below, result, agent):
    """One agent's plateaus: measured against predicted, and ratio against gap."""
    who, color = AGENTS[agent]
    seen, again = result["measured"][agent], result["measured draws"][agent]
    foretold = plateau_prompts[agent], plateau_prompts[agent][:, None]
    for kind, (known, drawn), aside in (
        ("prompts", foretold, -0.04),
        (
            "fitted maps",
            (result["fitted"][agent], result["fitted draws"][agent]),
            0.04,
        ),
    ):
        look = {"color": color, "label": f"{who}, {kind}", **KINDS[kind]}
        bars(above, known, seen, again, **look)
        ratios = percent(seen, known), percent(again, drawn)
        bars(below, gap + aside, *ratios, **look)


# %% tags=["hide-input"]
fig, grid = plt.subplots(
    2, len(names), figsize=(9.6, 5.2), sharex="row", sharey="row", squeeze=False
)
around = np.array([0.7 * plateau_prompts.min(), 1.4 * plateau_prompts.max()])
for name, above, below in zip(names, *grid):
    above.set_title(name, fontsize=10)
    above.plot(around, around, "--", color=THEORY, linewidth=1, zorder=0)
    below.axhline(0, linestyle="--", color=THEORY, linewidth=1, zorder=0)
    above.set(xscale="log", yscale="log", xlabel="predicted plateau")
    below.set_xlabel("gap between objectives")
    if name in results:
        draw(above, below, results[name], 0)
        draw(above, below, results[name], 1)
    else:
        nothing(above, dropped[name])
        nothing(below, dropped[name])
grid[0, 0].set_ylabel("measured plateau")
grid[1, 0].set_ylabel("measured over\npredicted: excess, %")
for axis in (grid[0, 0].xaxis, grid[0, 0].yaxis):
    few_decades(axis)
entries = [ax.get_legend_handles_labels() for ax in grid[0]]
fig.legend(
    *max(entries, key=len), loc="outside lower center", ncols=4, fontsize=9
)
headline("blackbox-headline", fig)


# %%
def ratio(result, known, known_draws):
    """Measured over predicted plateau of both agents at all gaps, the weakest."""
    values = result["measured"] / known
    draws = result["measured draws"] / known_draws
    return weakest(
        [
            same(
                from_draws(values[at], draws[at], last * instances, "answers"),
                1,
                margin=0.1,
            )
            for at in np.ndindex(values.shape)
        ]
    )


# %% tags=["nbval-check-output"]
for name, result in results.items():
    from_prompts = ratio(result, plateau_prompts, plateau_prompts[..., None])
    what = "plateau over the one that the prompts predict, all gaps"
    check(name, what, from_prompts, takes_the_step(name))
    from_maps = ratio(result, result["fitted"], result["fitted draws"])
    what = "plateau over the one that maps fitted to the first half predict"
    check(name, what, from_maps, [usable(name)])

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
size_P, size_Q = operator_norm(first.M), operator_norm(second.M)
amplification = (1 + max(size_P, size_Q)) / (1 - size_P * size_Q)
glue("blackbox-amplification", float(amplification), display=False)
transient = np.abs(
    sample(alternate(first, second, w0, turns)).mean(axis=2) - expected
).max()


def allowed(name):
    """What the errors of single steps allow between plateau and prediction."""
    return amplification * facts[name]["delta"] + transient * d**0.5


# %% tags=["nbval-check-output"]
print(
    f"a step's error moves the plateau at most {amplification:.1f} times as far"
)
print(f"{'':22}largest deviation   allowed")
for name, result in results.items():
    print(f"{name:22}{result['off'].max():17.1g} {allowed(name):9.1g}")
unusable()

# %%
near = results.get("softmax-icl")
if near:
    for kind, known in (("prompts", plateau_prompts), ("maps", near["fitted"])):
        worst = float(np.abs(percent(near["measured"], known)).max())
        glue(f"blackbox-softmax-icl-{kind}", worst, display=False)

# %% [markdown]
# The transformer shows what near-agreement looks like: its plateaus differ from the prompts' by up to
# {glue:text}`blackbox-softmax-icl-prompts:.1f` %, which is more than the digits explain and within what its single
# steps announce; the maps fitted to its own turns are right to {glue:text}`blackbox-softmax-icl-maps:.1f` %. An agent
# like this follows the theory of two affine maps, and the gradient step nearly.

# %% tags=["hide-input", "remove-output"]
fig, axes = agent_panels(sharex=True, sharey=True)
for name, ax in axes.items():
    if name not in results:
        nothing(ax, dropped[name])
        continue
    for agent, (who, color) in enumerate((("A", FIRST), ("B", SECOND))):
        off = results[name]["off"][agent]
        ax.plot(gap, off, "o-", color=color, markersize=4, label=who)
    ax.axhline(allowed(name), color=THEORY, linestyle="--", linewidth=1)
    ax.set(yscale="log", xlabel="gap between objectives")
axes[names[0]].set_ylabel("deviation from the prompts")
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
# ## What the conversations say about each agent
#
# A's prompt is the same at all gaps, so all that it read and wrote in the first halves can be fitted together: with the
# step size as the one unknown besides the objective, $M = I - \eta S_A$, which gives the implied step size, and with an
# unrestricted map, which gives $R^2$. A small p-value of the test against quadratic terms says that no affine map
# describes the agent, however close one comes.


# %%
def implied(name):
    """A's implied step size with draws, R^2 of a free map, p of its linearity."""
    A = talks[name][0]
    pooled = [part.reshape(-1, d) for part in first_half(A)]
    again = a2a.resample(rng, *pooled, resamples)
    fitted = identify(*pooled, structure="step size", S=first.S)
    draws = identify(*again, structure="step size", S=first.S)
    return {
        "eta": fitted.eta,
        "eta draws": draws.eta,
        "r_squared": identify(*pooled).r_squared,
        "p": a2a.linearity_test(*pooled)[1],
    }


maps = {name: implied(name) for name in talks}

# %% tags=["nbval-check-output"]
print(f"{'':22}eta implied             R^2 of a map   p, linearity")
for name, found in maps.items():
    eta_text = with_interval(found["eta"], found["eta draws"])
    p = "< 0.001" if found["p"] < 0.001 else f"{found['p']:.2f}"
    print(f"{name:22}{eta_text:24}{found['r_squared']:.6f}       {p}")
unusable()

# %% tags=["nbval-check-output"]
for name, found in maps.items():
    exchanges = len(gap) * half * instances
    step = from_draws(found["eta"], found["eta draws"], exchanges, "exchanges")
    evidence = same(step, eta, margin=eta / 10)
    check(name, "implied step size", evidence, takes_the_step(name))

# %% [markdown]
# **Rate.** $\rho(PQ)$ from the prompts, and from the fitted maps at the largest gap. It is scored by the factor a turn
# with which the differences between the conversations from different starts shrink, over as many turns as they stand
# well above the noise; the prompts predict that factor as well.


# %%
def difference(run):
    """Root mean square difference between the starts, by turn, from turn 0."""
    path = np.concatenate([w0[None], run.second])
    return np.sqrt(
        np.mean((path - path.mean(axis=2, keepdims=True)) ** 2, (1, 2, 3))
    )


shrinking = difference(alternate(first, second, w0, turns))


def factors(name):
    """Predicted and measured factor a turn, and over how many turns."""
    clear = shrinking > 5 * noise[name]
    count = max(int(np.argmin(clear)) - 1 if not clear.all() else turns, 1)
    measured = difference(talks[name][2])
    return *(
        (x[count] / x[0]) ** (1 / count) for x in (shrinking, measured)
    ), count


# %% tags=["nbval-check-output"]
print(
    f"{'':22}rho, prompts  rho, fitted           factor: predicted measured turns"
)
for name, result in results.items():
    fitted = with_interval(result["rate"][-1], result["rate draws"][-1])
    predicted, measured, count = factors(name)
    print(
        f"{name:22}{theory.rate:.3f}         {fitted:22}",
        f"{predicted:16.3f} {measured:8.3f} {count:5}",
    )
unusable()

# %% tags=["nbval-check-output"]
for name in talks:
    predicted, measured, _ = factors(name)
    what = "factor a turn by which starts approach each other, over predicted"
    evidence = close(measured / predicted, 1, tolerance=0.1)
    check(name, what, evidence, takes_the_step(name))

# %% [markdown]
# **Noise floor.** By {prf:ref}`thm-noise` the noise of repeated answers gives the scatter that remains at the plateau.
# It is measured as the root mean square distance of what A writes in the last quarter from its mean. Where the noise is
# that of the last digit alone, the agents fall into step with their rounding, and there is no scatter to predict.

# %%
eye = np.eye(d)


def floors(name):
    """Scatter of A at the plateau, from repeated answers and measured."""
    covariance = noise[name] ** 2 * eye
    predicted = np.trace(
        a2a.noise_floor(first, second, covariance, covariance)[0]
    )
    seen = sample(talks[name][2])[0]
    measured = seen.var(axis=1, ddof=1).sum(axis=-1).mean()
    return np.sqrt(predicted), np.sqrt(measured)


scatter = {name: floors(name) for name in talks}
noisy = [name for name in talks if noise[name] > 2 * rounding_noise]

# %% tags=["nbval-check-output"]
print(f"{'':22}noise of an answer  floor: predicted  measured")
for name, pair in scatter.items():
    if name in noisy:
        predicted, measured = (f"{value:.3f}" for value in pair)
        print(f"{name:22}{noise[name]:18.3f} {predicted:>17} {measured:>9}")
    else:
        print(f"{name:22}repeats itself to the last digit or nearly so")
unusable()


# %%
def scatter_ratio(name):
    """Measured over predicted scatter; both are standard deviations."""
    predicted, measured = scatter[name]
    asked, seen = 2 * steps * d, len(gap) * (last * instances - 1) * d
    error = (1 / (2 * asked) + 1 / (2 * seen)) ** 0.5 * measured / predicted

    def interval(level, n):
        z = NormalDist().inv_cdf((1 + level) / 2) * (seen / n) ** 0.5
        return measured / predicted - z * error, measured / predicted + z * error

    return Estimate(measured / predicted, interval, seen, "numbers written")


# %% tags=["nbval-check-output"]
for name in noisy:
    what = "scatter at the plateau over the predicted noise floor"
    evidence = same(scatter_ratio(name), 1, margin=0.25)
    check(name, what, evidence, takes_the_step(name))

# %% [markdown]
# ## A helper for a black box
#
# {doc}`04_newton_helper` removes the plateau of a main agent that is known. Here the main agent is the black box A at
# the largest gap, and its partner, a gradient agent with a prompt of its own, gives up its objective. The *identified*
# helper first asks $d + 1$ questions and then steers to the fixed point of the map that they give. *Anderson* only
# combines the exchanges of the conversation.

# %%
partner = GradientAgent.from_prompt(sample_prompt(rng, n, d, np.zeros(d)), eta)
start = w0[-1]
short, long = 4, d + 5  # turns of the helped conversations


def helped(name):
    """Errors by turn, (turns, instances), of A with each helper."""
    main = chat_agent(name, prompt_first, 3)
    goal = a2a.probe(main, start).fixed_point()
    runs = {
        "identified": alternate(
            main, Helper(partner, lambda w: goal), start, short
        ),
        "Anderson": alternate(
            main, Helper(partner, a2a.Anderson(start)), start, long
        ),
    }
    return {kind: norm(run.first - first.theta) for kind, run in runs.items()}


with_help = study(helped)

# %% tags=["hide-input", "remove-output"]
fig, axes = agent_panels(sharex=True, sharey=True)
for name, ax in axes.items():
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if name not in with_help:
        nothing(ax, dropped[name])
        continue
    alone = norm(talks[name][2].first[:, -1] - first.theta)
    plateau = plateau_prompts[0, -1]
    errors_by_turn(
        ax, alone.mean(axis=1), label="no helper", color=FIRST, plateau=plateau
    )
    for kind, look in (("identified", "-"), ("Anderson", ":")):
        errors = with_help[name][kind].mean(axis=1)
        errors_by_turn(ax, errors, label=kind, color=HELPED, style=look)
    ax.set_ylabel("")
axes[names[0]].set_ylabel("error of the main agent")
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
reach = 1 + 2**0.5 * norm(start - first.theta).max()
slowest = operator_norm(np.linalg.inv(eye - first.M))


def left_over(name):
    """Mean error with each helper at the end."""
    return [float(errors[-1].mean()) for errors in with_help[name].values()]


# %% tags=["nbval-check-output"]
print(f"{'error of A':22}plateau  identified  Anderson   allowed")
for name in with_help:
    plateau = results[name]["measured"][0, -1]
    bound = slowest * reach * facts[name]["delta"]
    print(
        f"{name:22}{plateau:7.3f}",
        *(f"{e:10.1g}" for e in [*left_over(name), bound]),
    )
unusable()

# %% tags=["nbval-check-output"]
for name in with_help:
    plateau = results[name]["measured"][0, -1]
    what = "share of the plateau that a helper leaves, identified and Anderson"
    evidence = close(np.array(left_over(name)) / plateau, tolerance=0.1)
    check(name, what, evidence, takes_the_step(name))

# %% [markdown]
# ## The one-probe attack on a black box
#
# Now B is the black box and the victim. An attacker hands it $\theta_A$ once; the answer tells the attacker the
# one-example prompt with which it wins ({doc}`03_asymmetry`). The argument needs only that single answer: an attacker
# that cancels what the victim adds at $\theta_A$ makes $\theta_A$ a fixed point of the pair, whether or not the victim
# is affine. Against an agent with noise the attacker cancels a noisy direction. What is predicted is what a white-box
# attack of the prompt itself would have reached from the same start in the same number of turns.

# %%
objective = first.theta
victim_theory = GradientAgent(second.S, second.theta[-1, 0], eta)
known = a2a.attack_prompt(victim_theory, objective, eta)
known_attacker = GradientAgent.from_prompt(known, eta)


def ends(run):
    """Errors of attacker and victim in the last quarter of the turns."""
    errors = (run.first - objective, run.second - victim_theory.theta)
    return [float(norm(error[-last:].mean(axis=(0, 1)))) for error in errors]


foreseen = ends(alternate(known_attacker, victim_theory, start, turns))


# %%
def attack(name):
    """Errors at the end of a conversation with the victim."""
    labels = prompt_second.y[-1, 0]
    victim = chat_agent(name, Prompt(X_second, labels), 4)
    stolen = a2a.probe_attack(victim, objective, eta)
    attacker = GradientAgent.from_prompt(stolen, eta)
    return ends(alternate(attacker, victim, start, turns))


attacks = study(attack)

# %%
strength = operator_norm(np.linalg.inv(eye - known_attacker.M @ victim_theory.M))


def attack_allowed(name):
    """Errors of the probe and of every later step, amplified."""
    return 2 * float(strength) * facts[name]["delta"]


# %% tags=["nbval-check-output"]
print(f"{'errors of':22}attacker  victim   allowed deviation")
print(f"{'predicted':22}{foreseen[0]:8.4f} {foreseen[1]:7.4f}")
for name, (won, lost) in attacks.items():
    print(f"{name:22}{won:8.4f} {lost:7.4f} {attack_allowed(name):11.1g}")
unusable()

# %% tags=["nbval-check-output"]
for name, pair in attacks.items():
    what = "errors of attacker and victim after one probe, as shares of the gap"
    shares, expected_shares = (
        np.array(pair) / gap[-1],
        np.array(foreseen) / gap[-1],
    )
    evidence = close(shares, expected_shares, tolerance=0.05)
    check(name, what, evidence, takes_the_step(name))

# %% [markdown]
# ## Replies, calls and cost
#
# Every reply of this chapter by its outcome, and what it took. Tokens are the server's counts (words and signs on the
# local server); a cost needs `price_prompt` and `price_completion`. Replies that come from a recording cost nothing.

# %% tags=["nbval-check-output"]
for name in names:
    counts = sum((agent.counts for agent in made[name]), Counter())
    told = "; ".join(
        f"{outcome}: {count}" for outcome, count in sorted(counts.items())
    )
    print(f"{name:22}{told or dropped[name]}")

# %% tags=["nbval-check-output"]
print(f"{'':22}sent failed replayed tokens read tokens written cost (US dollars)")
for name, client in clients.items():
    sent, old = client.spent, client.replayed
    read, wrote = (
        getattr(sent, kind) + getattr(old, kind)
        for kind in ("prompt_tokens", "completion_tokens")
    )
    cost = (
        f"{client.cost:.2f}"
        if price_prompt or price_completion
        else "no prices given"
    )
    print(
        f"{name:22}{sent.calls:4} {sent.failed:6} {old.replies:8}",
        f"{read:11} {wrote:14} {cost}",
    )
server.close()

# %%
PROGRAMS = ("gradient", "softmax-icl")
asked_models = [name for name in names if not name.startswith(PROGRAMS)]
did = [name for name in asked_models if name in talks]
answer = f"of the language models, {', '.join(did)} did the task"
if not did:
    answer = "no language model did the task"
    if asked_models:
        answer += f"; {', '.join(asked_models)} was asked and failed"
glue("blackbox-language-models", answer, display=False)

# %% [markdown]
# ## What was checked
#
# Claim A11 is about GPT-5-mini, which isn't run here without a key: checks of other agents say how the experiment
# works, and leave the claim untested. A recording of it, put in the folder `transcripts`, appears in this chapter and
# on the page of the claims by itself. An agent that doesn't take the gradient step gives the theory nothing to predict:
# its checks are not applicable.

# %% tags=["nbval-check-output"]
checks.table()
