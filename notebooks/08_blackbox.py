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
# In this run {glue:text}`blackbox-language-models`: all numbers here are of the agents in the table below. Running a
# paid model takes, on this page, {glue:text}`blackbox-forecast`.
#
# Paper A ({cite}`cosentino2025`) also runs GPT-5-mini: each agent is shown examples of a regression task and asked for
# the next estimate. **A few questions tell what an agent behind a chat API is to the theory: one that takes the
# gradient step, to the digits, to its noise or to the error of a learned rule, so that the prompts predict where it
# settles with a partner; or one that doesn't do the task and gives nothing to predict, which shows at once, and what it
# does instead is read off from its numbers.** No prompt and no data of those runs are public; here the experiment is
# written out for any model behind an OpenAI-compatible API and run on agents that need no key.
#
# ```{glue:figure} blackbox-headline
# ---
# name: fig-blackbox-steps
# alt: >-
#   One panel an agent. The points of the gradient agents and of the transformer lie on the diagonal; the language
#   model's panel is empty or scattered.
# ---
# One agent: each coordinate of the steps that it wrote against the gradient step of its prompt. The dashed diagonal is
# the exact step.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook; [0, inf)
d = 3  # dimension of the task; softmax-icl was trained for 3 only; [1, 20]
n = 12  # in-context examples in each prompt; [d, 200]
eta = 0.5  # step size that is asked for; softmax-icl was trained for 0.5; (0, 1]
digits = 4  # digits after the decimal point, of every number stated and asked for; [1, 12]
gaps = [0.5, 1.0, 2.0, 3.0]  # distances to the objective, in turn; (0, 100]
steps = 12  # one-agent steps, each on a prompt of its own; [4, 200]
resamples = 400  # bootstrap; [100, 100000]
base_url = ""  # of an OpenAI-compatible API; empty: a local server, started here
model = ""  # its name there; empty: the offline agents side by side
mode = "live"  # "record" keeps and resumes, "replay" makes no calls; {live, record, replay}
transcript = ""  # folder or file; empty: runs/transcripts, to replay transcripts
budget_calls = 1000  # calls for each model, retries too; [1, 1000000]
budget_dollars = 0.0  # US dollars for each model, in all runs that record; 0: no limit; [0, inf)
attempts = 3  # how often an agent is asked until its reply is valid; [1, 20]
concurrency = 8  # calls under way at once; [1, 64]
timeout = 120.0  # seconds for one reply; (0, 3600]
room = False  # whether there is room to reason in the reply
temperature = None  # passed on where a number is given; [0, 2]
reasoning_effort = ""  # passed on where given, such as "low"
price_prompt = 0.0  # US dollars for a million tokens read; 0: unknown; [0, inf)
price_completion = (
    0.0  # US dollars for a million tokens written; 0: unknown; [0, inf)
)
tokens_expected = 1000  # a paid model's reply, reasoning included, until one is recorded; [1, inf)
seconds_expected = 10.0  # until it is there; (0, inf)
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
# |\tilde a - a^*| \le \frac{|\delta_A| + \|P\|\,|\delta_B|}{1 - \|P\|\,\|Q\|},
# \qquad P = I - \eta S_A,\; Q = I - \eta S_B .
# ```
#
# So this chapter measures $\delta$, on single steps, and {doc}`09_blackbox_pairs` shows beside everything that comes
# after what that error allows.
#
# The verdict doesn't hang on the agent's own error. The margin stands here, before any reply is read: an agent **takes
# the gradient step** if $R^2$ of its single steps is at least 0.99, by the 95 % interval, and it gives usable replies
# to at least half of them.

# %% [markdown]
# ## The agents
#
# Without a key, the agents in the table below answer over real HTTP, or did so when their replies were recorded. They
# run on a local server that this notebook starts and stops; the language model is slow without a GPU, so by default its
# recorded replies are replayed, and `smollm2_live` makes it answer here. A paid model takes their place with
#
#     OPENAI_API_KEY=... a2a run blackbox -p base_url https://api.openai.com/v1 -p model gpt-5-mini \
#         -p mode record -p budget_dollars DOLLARS -p price_prompt PRICE -p price_completion PRICE
#
# which records every call; the same command resumes a run that was cut short, without asking anything twice, and with
# `09_blackbox_pairs` in its place does all that claim A11 needs. The prices, of a million tokens, are in the provider's
# list. Once the replies so far have cost the budget, no more calls are sent; the few under way are still paid. Without
# prices a cost is unknown, and a budget in dollars is refused.
#
# Somebody's recording, a file in the folder `transcripts`, becomes a row or a column of every table; alone it is scored
# again, without a key, with the parameters that it was made with and
#
#     a2a run blackbox -p mode replay -p transcript path/to/transcripts

# %%
from a2a.book.blackbox import cast_table
from a2a.chat.lineup import line_up

cast = line_up(
    d,
    model=model,
    base_url=base_url,
    mode=mode,
    transcript=transcript,
    also=["smollm2"] * smollm2_live,
)

# %% tags=["nbval-check-output"]
cast_table(cast)

# %% [markdown]
# What `softmax-icl` is was stored with its weights:

# %% tags=["nbval-check-output"]
from a2a.book.tables import Table
from a2a.chat.softmax_icl import load_weights

_, recipe, quality = load_weights()
Table(
    ["softmax-icl", ""],
    [
        (
            "layers, heads, width",
            f"{recipe.layers}, {recipe.heads}, {recipe.width}",
        ),
        ("training steps", recipe.steps),
        ("fresh tasks in each", recipe.batch),
        ("d, n, eta of the tasks", f"{recipe.d}, {recipe.n}, {recipe.eta}"),
        ("mean squared error on new tasks", f"{quality['loss']:.1e}"),
        ("R^2 of its step", f"{quality['r_squared']:.4f}"),
        ("median relative error", f"{quality['median_relative_error']:.3f}"),
    ],
)

# %% [markdown]
# Every agent has a client of its own, with a budget of its own; what each is asked hangs on the parameters alone, and
# on no other agent.

# %%
from a2a.chat import Prices
from a2a.chat.experiment import Asking, Experiment
from a2a.chat.settings import implicit, settings

asking = Asking(
    eta, digits, room, attempts, temperature, reasoning_effort or None
)
others = [*settings(n, d, asking), implicit(n, d, asking)]
prices = Prices(price_prompt, price_completion)
options = {
    "budget_calls": budget_calls,
    "budget_dollars": budget_dollars or None,
    "concurrency": concurrency,
    "timeout": timeout,
    "prices": prices,
}
experiment = Experiment(cast, asking, options)

# %% [markdown]
# This page asks one question to show its reply, every one of the `steps` three times, and as many questions in each of
# some other settings. What that takes of a paid model: tokens read are those that were counted in a recording, tokens
# written and seconds are `tokens_expected` and `seconds_expected`, assumptions, until somebody's recording of another
# model is in the folder. A model that reasons longer costs more.

# %% tags=["nbval-check-output"]
from a2a.book.forecast import expected, forecast_table
from a2a.chat.forecast import Stage

stages = [
    Stage("a reply to show", 1),
    Stage("single steps, three times", 3, steps),
    Stage("other settings", len(others), steps),
]
experiment.expect(sum(stage.calls for stage in stages))
of_a_reply = expected(cast, tokens_expected, seconds_expected)
forecast_table(stages, concurrency, of_a_reply, prices)

# %%
from a2a.book.forecast import forecast_words
from a2a.book.prose import glue_text

takes = forecast_words(stages, concurrency, of_a_reply, prices)
glue_text("blackbox-forecast", takes)

# %% [markdown]
# ## The protocol
#
# This is all that a model sees of one step: a system message, and a user message with the examples, the current $w$ and
# the task. Nothing is remembered from step to step.

# %%
import numpy as np

from a2a import Prompt
from a2a.chat.single_steps import SingleSteps

rng = np.random.default_rng(seed)
questions = SingleSteps.draw(rng, steps, n, d, gaps, eta, digits)
shown = Prompt(questions.prompts.X[0], questions.prompts.y[0])

# %% tags=["nbval-check-output"]
from a2a.chat import messages

example = experiment.agent(cast.names[0], shown, 0)
X, y = example.prompt.X, example.prompt.y
for message in messages(example.form, X, y, questions.w[0]):
    print(f"[{message['role']}]\n{message['content']}\n")

# %% [markdown]
# Where a server has structured outputs, the answer must fit this JSON schema; elsewhere it is parsed tolerantly.

# %% tags=["nbval-check-output"]
import json

from a2a.chat import schema

print(json.dumps(schema(example.form, d)))

# %% [markdown]
# A reply is *valid*; *repaired*, if the numbers are beyond doubt and the form isn't right (fenced, prose around it,
# wrong brackets); *invalid* (wrong length, not finite, absurdly large, nothing found), a *refusal*, or *cut off* at the
# token limit. Only the first two become numbers, and every outcome is counted. The replies of the agents to the
# question above:


# %%
def reply(name):
    """The reply to the question above as the model wrote it, and its outcome."""
    agent = experiment.agent(name, shown, 0, attempts=1)
    (outcome,) = agent.outcomes(questions.w[0])
    return outcome.name, agent.last.text or ""


# %% tags=["nbval-check-output"]
from a2a.book.blackbox import agent_table

replies = {
    name: (outcome, " ".join(said.split()))
    for name, (outcome, said) in experiment.study(reply).items()
}
agent_table(["agent", "outcome", "reply"], replies, experiment.dropped)

# %% [markdown]
# ## Steps against the gradient step
#
# Each agent takes one step on each of several prompts, from as far from its objective as the `gaps` say in turn (in
# {doc}`09_blackbox_pairs` two objectives are as far apart), and is asked once. Of the errors $\delta$ of its steps the
# largest is kept, and as a share of the steps that were wanted their mean square, $\epsilon^2 = 1 - R^2$. The implied
# step size is the one that explains the steps best.

# %%
from a2a.chat.single_steps import ask_single_steps

single = ask_single_steps(experiment, questions)

# %% tags=["nbval-check-output"]
facts = {
    name: (
        f"{one.answered} of {steps}",
        f"{one.r_squared:.4f}",
        f"{one.eta:.3f}",
        f"{one.delta:.1g}",
    )
    if one.answered
    else (f"0 of {steps}", "", "", "")
    for name, one in single.items()
}
columns = ["agent", "usable replies", "R^2", "implied eta", "largest error"]
agent_table(columns, facts, experiment.dropped)

# %% tags=["nbval-check-output"]
from dataclasses import replace

from a2a.book.blackbox import R_SQUARED, usable
from a2a.book.claims import Checks
from a2a.book.evidence import at_least
from a2a.chat.diagnosis import verdict

checks = Checks()
for name, one in single.items():
    what = "R^2 of single steps against the gradient step"
    drawn = one.r_squared_estimate(np.random.default_rng([seed, 1]), resamples)
    evidence = replace(
        at_least(drawn, R_SQUARED), note=f"it {verdict(one.diagnoses)}"
    )
    checks.add("A11", what, evidence, given=usable(one), models=[name])

# %% [markdown]
# An agent that answers fewer than half of these questions is asked nothing more: there is no map to predict with.

# %% tags=["nbval-check-output"]
from a2a.printable import printable

reasons = [
    f"{name} is left out, {why}" for name, why in experiment.dropped.items()
]
print(printable("\n".join(reasons)) or "no agent is left out")

# %% [markdown]
# {numref}`fig-blackbox-steps` shows every coordinate of these steps. An error that grows with the step turns the points
# about the origin, as another step size would; noise lets them stray evenly.

# %% tags=["hide-input"]
from a2a.book.blackbox import agent_panels, say_why_empty
from a2a.book.figures import FIRST, diagonal, headline, style

style()
fig, axes = agent_panels(cast.names, sharex=True, sharey=True)
widest = 1.05 * np.abs(questions.wanted).max()
for name, ax in axes.items():
    diagonal(ax, -widest, widest)
    if name in single and single[name].answered:
        written = single[name].written - questions.w
        ax.plot(questions.wanted, written, "o", color=FIRST, markersize=3)
    else:
        say_why_empty(ax, experiment.dropped.get(name, "no usable reply"))
    ax.set(xlim=(-widest, widest), xlabel="gradient step")
axes[cast.names[0]].set_ylabel("step written")
headline("blackbox-headline", fig)

# %% [markdown]
# ## What is wrong with a wrong answer
#
# The numbers of a reply tell what it is. An answer is *right* to the last digit stated or to 2 % of the step, and
# *roughly right* to 10 %; it *copied w*; it is the *least squares* solution itself; it goes along the gradient with
# another *step size* (as many times as long as the one asked for; negative is backwards, $n$ times is what a forgotten
# division by $n$ gives); it has a *slip*, if one coordinate alone is wrong; or it is something *other*, or no vector,
# which is *format*. Tolerances hang on the question alone but for a longer step of another size, whose tolerance is 2 %
# of itself. Counts of the single steps above:

# %% tags=["nbval-check-output"]
from a2a.chat.diagnosis import told

named = {
    name: (told(one.diagnoses), f"it {verdict(one.diagnoses)}")
    for name, one in single.items()
}
agent_table(["agent", "replies", "in short"], named, experiment.dropped)

# %% [markdown]
# ## Other settings
#
# One task and one way to ask are few. Each row below differs from what is above in one thing: the order of the
# examples, the room to reason, the step size, or the task, which then has prompts of its own. The order is no part of
# the theory, since $S$ and $\theta$ are sums over the examples; a language model may well care. `softmax-icl` was
# trained for one step size and one number of examples, and other rows show how far its rule carries.


# %%
def alone(setting):
    """Every agent on the single steps of another setting, and who took none."""
    other = experiment.otherwise(setting.asking, setting.d)
    asked = setting.questions(questions, seed, gaps)
    return ask_single_steps(other, asked), other.dropped


elsewhere = {setting.name: alone(setting) for setting in others}


# %% tags=["nbval-check-output"]
def cell(name, found, dropped):
    """What one agent did in one setting."""
    return told(found[name].diagnoses) if name in found else dropped[name]


*named_ones, last = others
rows = [
    (one.name, *(cell(name, *elsewhere[one.name]) for name in cast.names))
    for one in named_ones
]
Table(["setting", *cast.names], rows)

# %% [markdown]
# **The implicit form** asks to improve $w$ a little and names no step size. What can be predicted then? Not the pace:
# from the prompts alone only that an answer has less loss than the $w$ it was given. If the steps go along the gradient
# at all, which the second $R^2$ tells, one number read off from them, the implied step size, makes up for what wasn't
# said, and {doc}`09_blackbox_pairs` predicts a pair with it.

# %% tags=["nbval-check-output"]
by_name, missed = elsewhere[last.name]
facts = {
    name: (
        f"{one.answered} of {steps}",
        f"{one.goes_down} of {one.answered}",
        f"{one.eta:.3f}",
        f"{one.r_squared_along:.4f}",
    )
    for name, one in by_name.items()
}
columns = ["agent", "usable", "with less loss", "implied eta"]
agent_table([*columns, "R^2 of such steps"], facts, missed)

# %% [markdown]
# ## A rehearsal of what goes wrong
#
# No frontier model has been asked yet, and what may happen then can be played: the local server answers over real HTTP
# as such models do, and every row should be told for what it is. The verdict is that of the check above, with the same
# margin; replies are counted as above. It is played in every mode, and asks nothing of any model.

# %%
from a2a.chat.rehearsal import failures, rehearsal

played = failures(eta, n)
stage_play = rehearsal(played, asking)
actors = ask_single_steps(stage_play, questions)
stage_play.close()


# %%
def judged(name):
    """The check of one actor: its verdict, and what the actor does."""
    one = actors[name]
    drawn = one.r_squared_estimate(np.random.default_rng([seed, 1]), resamples)
    applies = all(assumption.holds for assumption in usable(one))
    found = at_least(drawn, R_SQUARED).verdict if applies else "not applicable"
    return found, f"it {verdict(one.diagnoses)}"


# %% tags=["nbval-check-output"]
rows = [
    (what, name, stage_play.clients[name].spent.failed, *judged(name))
    for name, what in played.items()
]
columns = ["rehearsed", "asked for as", "failed tries", "verdict", "in short"]
Table(columns, rows)

# %% [markdown]
# ## Repeated questions: the noise of an agent
#
# A model that samples answers the same question differently each time. Each of the questions above is asked twice more;
# the standard deviation $\sigma$ of the answers to one question, in each coordinate, is the agent's noise. An agent
# that always repeats itself still rounds, so rounding is the least that is counted.

# %%
noise = experiment.study(lambda name: single[name].noise())

# %% tags=["nbval-check-output"]
from a2a.chat.single_steps import rounding_noise

least = rounding_noise(digits)
told = {
    name: (f"{sigma:.3f}" if sigma > 2 * least else "that of the last digit",)
    for name, sigma in noise.items()
}
agent_table(["agent", "noise of an answer"], told, experiment.dropped)

# %% [markdown]
# What an agent's error and its noise are good for is shown in {doc}`09_blackbox_pairs`: by {eq}`eq-blackbox-bound` the
# one says how far a plateau may be from what the prompts predict, and by {prf:ref}`thm-noise` the other says how much
# the answers scatter about it.

# %% [markdown]
# ## Replies, calls and cost
#
# Every reply of this chapter by its outcome, and what it took. Tokens are the server's counts (words and signs on the
# local server); a cost needs `price_prompt` and `price_completion`. Replies that come from a recording cost nothing.

# %% tags=["nbval-check-output"]
from a2a.book.blackbox import outcome_table

outcome_table(experiment)

# %% tags=["nbval-check-output"]
from a2a.book.blackbox import usage_table

experiment.close()
usage_table(experiment)

# %%
from a2a.book.blackbox import language_models

glue_text("blackbox-language-models", language_models(experiment, single))

# %% [markdown]
# ## What was checked
#
# Claim A11 is about GPT-5-mini, which isn't run here without a key: checks of other agents say how the experiment
# works, and leave the claim untested. A recording of it, put in the folder `transcripts`, appears in this chapter and
# on the page of the claims by itself. An agent that doesn't do the task gives the theory nothing to predict: its check
# is not applicable.

# %% tags=["nbval-check-output"]
checks.table()
