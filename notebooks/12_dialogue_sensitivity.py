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
# same seed sentences. **With the pair of {doc}`10_dialogue`, {glue:text}`sensitivity-main` conversations fall into a
# loop. At temperature 1.0 and top-p 0.99 it is {glue:text}`sensitivity-hot`; with half the tokens
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
# Left: share of conversations that fall into a loop, with its 95 % Wilson interval; the line is the main study, A × B.
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
# Each study repeats the protocol of {doc}`10_dialogue` with one change. The seed sentences are the same and so are the
# random numbers that belong to a conversation, so the conversations pair up. With $L_i$ the share of turns that
# conversation $i$ of a study spends in a loop, and $L^0_i$ the same for the main study's conversation from the same
# seed sentence,
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
# In the recorded studies A is SmolLM2-135M-Instruct {cite}`allal2025`, used without its chat template, and B is Gemma 3
# 270M base {cite}`gemma2025`. C is TinyLlama-1.1B-Chat ({cite}`zhang2024tinyllama`), of the same architecture as A and
# eight times its size, its weights quantised to about two bits. Where other weights and a GPU are, or servers (which
# can't forbid repeated n-grams: that study is missing), the same studies run with them, each from where it was cut off:
#
#     a2a run dialogue_sensitivity -p model_a hf:mistralai/Mistral-Nemo-Base-2407 \
#         -p model_b hf:meta-llama/Llama-2-13b-hf -p model_c hf:meta-llama/Llama-2-7b-hf -p device cuda

# %%
import numpy as np

SHARE = 0.15  # two shares of conversations
TURNS = 0.10  # an effect on the share of turns in a loop
WORST = {"log perplexity": 0.22, "coherence": -0.02, "distinct-2": -0.05}
# none of fewer conversations need be one of 15 %
ENOUGH = np.ceil(np.log(0.05) / np.log(1 - SHARE))

# %% [markdown]
# ## What ran

# %% tags=["hide-input"]
import warnings

from a2a.book.figures import THEORY, panels, show, style
from a2a.dialogue import recorded
from a2a.dialogue.comparison import Comparison, Loops, paired_up
from a2a.dialogue.labelled import choosing, read_labels
from a2a.dialogue.live import live_studies, tell
from a2a.dialogue.record import studies
from a2a.loops.embeddings import Embedder

warnings.filterwarnings("ignore", "IProgress not found")  # no bar is drawn here
style()
rng = np.random.default_rng(seed)
embed = Embedder.of_book()
most = max(limit, 2) if limit else 0  # one conversation has no interval


# %%
# what is missing is said before the models talk for hours
labels = read_labels()
reader = choosing(labels)
is_live = bool(model_a or model_b or model_c)
made = {}
if is_live:
    embed.load()
    given = {"A": model_a, "B": model_b, "C": model_c}
    made = live_studies(given, device=device, dtype=dtype, most=most, seed=seed)
whole = tell(made) if is_live else {name: recorded(name) for name in studies()}
told = paired_up(whole, most)
texts = {name: list(one.texts().values()) for name, one in told.items()}
comparison = Comparison({name: one.ids for name, one in told.items()})
count = {name: len(rows) for name, rows in texts.items()}
last_turn = told["main"].study.turns

# %%
from a2a.dialogue.changes import KINDS, by_letter, changes_of

main = told["main"].study
changes = changes_of({name: one.study for name, one in told.items()})
letters = by_letter((one.study for one in told.values()), main)
everyone = [model.name for model in letters.values()]
COLORS = dict(zip(KINDS, ("#333333", "C0", "C1", "C2", "C3", "C4"), strict=True))


def kind_of(*kinds):
    """The studies that change one of these, by name."""
    return [name for name, change in changes.items() if change.kind in kinds]


CLAIMS = {
    "B5": ["hot"],
    "B6": ["smollm2_self", "gemma3_self"],
    "B8": kind_of("intervention"),
    "B9": ["tokens_25", "tokens_100"],
    "B10": [n for n in ("swapped", "larger", "tinyllama_self") if n in told],
    "": kind_of("history"),
}

# %% tags=["nbval-check-output"]
from a2a.book.tables import Table
from a2a.printable import printable

for letter, model in letters.items():
    size = f"{model.size:,} parameters" if model.size else "size unknown"
    kind = model.describe().get("architecture", "architecture unknown")
    print(printable(f"{letter}: {model.name}, {kind}, {size}"))

# %% tags=["nbval-check-output"]
rows = [
    [change.what, count[name], *told[name].counts().values()]
    for name, change in changes.items()
]
columns = ["study", "conversations", *told["main"].counts()]
Table(columns, rows, title=f"conversations of {last_turn} turns, and outputs")

# %% [markdown]
# "Ended" are outputs that stop before the token limit, "over-long" those whose model couldn't read all that it was
# given, "redrawn" those that the novelty rule drew again, "injected" those before which the model read a sentence from
# outside. An empty output has no distance and ends a row of repetitions, which keeps a conversation out of a loop
# without making it a better one: with the parameters of the book that is common where {glue:text}`sensitivity-A` talks
# to itself. After an empty output a model reads the last text that holds something, which may be its own.

# %% [markdown]
# ## Which conversations loop
#
# The rule is that of {doc}`11_loops`. Labels on which readers agree, of conversations of all studies, choose its
# threshold. Beside it stands a second rule, by {glue:text}`sensitivity-other` distance.

# %%
from dataclasses import replace

from a2a.loops.distances import Distances
from a2a.loops.metrics import all_metrics
from a2a.loops.rule import calibrate

other = "cosine" if metric == "Jaccard" else "Jaccard"
metrics = {name: all_metrics(embed)[name] for name in (metric, other)}
found = calibrate(
    Distances(reader.texts, metrics), reader.loops, lags=[lag], steps=steps
)
rules = {rule.metric: rule for rule in found}
if threshold:
    rules[metric] = replace(rules[metric], threshold=threshold)

# %%
distances = {name: Distances(rows, metrics) for name, rows in texts.items()}
loops_by = {by: Loops(rule, distances) for by, rule in rules.items()}
loops, in_turns = loops_by[metric], loops_by[metric].share_of_turns
ever = {by: found.ever for by, found in loops_by.items()}


# %%
def of_all(name, by=metric):
    """How many of a study's conversations fall into a loop, in words."""
    return f"{ever[by][name].sum():.0f} of {count[name]}"


on_loops = comparison.effects(in_turns, rng, resamples)
p_values = comparison.p_values(in_turns, CLAIMS, rng, resamples)

# %% tags=["nbval-check-output"]
from a2a.significance import adjusted_p, p_in_words

rows = []
for name, change in changes.items():
    counts = [of_all(name, by) for by in rules]
    turns = f"{in_turns[name].mean():.2f}"
    effect = on_loops[name].shown("+.2f") if name in on_loops else ""
    p = p_in_words(p_values.get(name))
    rows.append([change.what, *counts, turns, effect, p])
cuts = [f"{rule.name}: below {rule.threshold:.2g}" for rule in rules.values()]
columns = ["study", *rules, "share of turns", "its change", "p"]
Table(columns, rows, title=f"in a loop by {'; '.join(cuts)}")

# %% [markdown]
# The change and its p-value are for the share of turns in a loop by the first rule, between conversations from the same
# seed sentence. That pairs them; whether it makes their outcomes alike is another matter (studies that inject a
# sentence share whole conversations with the main one):

# %% tags=["nbval-check-output"]
alike = comparison.correlations(in_turns).values()
if alike:
    print("correlation of the shares of turns, study and main:")
    print(f"{min(alike):+.1f} to {max(alike):+.1f} in {len(alike)}")

# %% [markdown]
# Does the rule mean the same away from the study that chose its threshold? Two looks: the same effects by another
# distance, and the rule on crossed conversations, where little can repeat. A third one, each study judged by thresholds
# that other studies' labels choose, is in {doc}`11_loops`.

# %% tags=["nbval-check-output"]
by_other = comparison.effects(loops_by[other].share_of_turns, rng, resamples)
clear = [name for name, effect in on_loops.items() if effect.excludes(0)]
alike = sum(on_loops[n].value * by_other[n].value > 0 for n in clear)
print(f"{len(clear)} effects have an interval that excludes zero;")
print(f"{alike} of them have the same sign by {other} distance")
alarms = [loops.rule.falls(known.crossed()) for known in distances.values()]
fired, total = sum(map(np.sum, alarms)), sum(map(np.size, alarms))
print(f"the rule fires on {fired} of {total} crossed conversations")

# %% [markdown]
# What two distances say is put together: where they agree that is the verdict, otherwise the check is undecided.

# %%
from a2a import intervals
from a2a.book.agreed import agreed, worst
from a2a.book.claims import Checks, requires
from a2a.book.evidence import at_least, at_most, different, same

checks = Checks(*everyone)


def average(change, unit="conversations"):
    """A mean change with its interval."""
    return intervals.mean(change, rng, resamples, unit)


def enough(name):
    """The assumption that a study has as many conversations as it takes."""
    return [requires("conversations", count[name], ">=", ENOUGH)]


# %%
def as_many_loop(id):
    """The checks of a claim that as many conversations loop as in the main study."""
    adjusted = {
        by: comparison.p_values(values, CLAIMS, rng, resamples)
        for by, values in ever.items()
    }
    for name in CLAIMS[id]:
        by_each = {}
        for by, values in ever.items():
            change = average(comparison.change(name, values))
            by_each[by] = same(change, margin=SHARE, p=adjusted[by][name])
        evidence = agreed(by_each)
        before = comparison.of_main(name, ever[metric]).sum()
        seen = f"{before:.0f} to {of_all(name)} by {metric}"
        checks.add(
            id,
            f"change in the share that falls into a loop, {changes[name].what}",
            evidence,
            given=enough(name),
            models=[model.name for model in told[name].study.models],
            otherwise=f"a change that was found: {seen}"
            if evidence.verdict == "contradicted"
            else "",
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
turn_axis = np.arange(1, last_turn + 1)


def at_each_turn(ax, names):
    """The share of a study's conversations in a loop at each turn."""
    for name in names:
        color = THEORY if name == "main" else None
        share = loops.turns[name].mean(axis=0)
        ax.plot(turn_axis, share, color=color, label=changes[name].what)
    ax.set(xlabel="turn", ylabel="share in a loop")
    ax.legend(fontsize="small", loc="upper left")


fig, axes = panels(3, sharey=True, height=3.4)
for ax, kind in zip(axes, ("sampling", "token limit", "history"), strict=True):
    at_each_turn(ax, kind_of("", kind))
    ax.set(title=kind, ylim=(-0.02, 1.3), yticks=np.arange(6) / 5)
    ax.label_outer()
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
# (right). Black: the main study.
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
# question of {doc}`02_equilibrium` of real language models: do two of them settle between the places where each would
# settle alone? For models that debate, Ko and Geiping ({cite}`ko2026`) measure how near a pair's two sides come to each
# other. With $s_A$, $s_B$ the mean embeddings of the last outputs of each model's conversations with itself, and $m_A$,
# $m_B$ those of its outputs in the pair,
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
from a2a.dialogue.settling import Places, embedded

ALONE, TOGETHER = ("smollm2_self", "gemma3_self"), ("main", "swapped")
vectors = {name: embedded(embed, texts[name]) for name in ALONE + TOGETHER}
places = Places(vectors, comparison.ids, ALONE, late)

# %% tags=["nbval-check-output"]
rows = []
for name in TOGETHER:
    in_order = told[name].study.first.describe() == main.first.describe()
    found = places.settled(name, rng, resamples, a_is_first=in_order)
    what = f"{changes[name].what} ({found.n} of {count[name]})"
    rows.append([what, found.contraction, found.place_a, found.place_b])
Table(["pair", "contraction", "place of A", "place of B"], rows)

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import FIRST, HELPED, SECOND, mean_band

fig, (left, right) = panels(2, height=4)
at_each_turn(left, kind_of("", "models"))
left.set(ylim=(-0.02, 1.02))
colors = (FIRST, SECOND, THEORY, HELPED)
for name, color in zip(ALONE + TOGETHER, colors, strict=True):
    look = {"color": color, "label": changes[name].what}
    mean_band(right, turn_axis, places.along(name), **look)
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
    found = loops.moved(factor).share_of_turns.values()
    return np.array([turns.mean() for turns in found])


curves = np.array([in_turns_at(factor) for factor in factors])

# %% tags=["hide-input", "remove-output"]
fig, ax = panels(height=4)
for curve, name in zip(curves.T, distances, strict=True):
    width = 2.6 if name == "main" else 1.3
    color = COLORS[changes[name].kind]
    ax.plot(factors, curve, color=color, linewidth=width)
for kind, color in COLORS.items():
    ax.plot([], [], color=color, label=kind or "main study")
ax.axvspan(0.8, 1.2, color=THEORY, alpha=0.1, linewidth=0)
ax.set(xscale="log", xlabel="threshold / calibrated threshold")
ax.set(ylabel="turns in a loop", ylim=(0, 1))
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
from scipy.stats import spearmanr

for factor in (0.8, 1.2):
    both = in_turns_at(factor), in_turns_at(1)
    if min(map(np.ptp, both)) > 0:
        alike = spearmanr(*both).statistic
        print(f"threshold x {factor}: rank correlation of studies {alike:.2f}")

# %% [markdown]
# Claim B7 says that the share of conversations that loop hardly depends on the threshold. Here it is the mean over all
# studies that is asked for, on the seed sentences that they share.

# %%
shared = comparison.shared
moved = {by: {} for by in loops_by}
for by, found in loops_by.items():
    before = comparison.over_studies(found.ever)
    for factor in (0.8, 1.2):
        after = comparison.over_studies(found.moved(factor).ever)
        moved[by][factor] = after - before

# %% tags=["nbval-check-output"]
p_moved = {by: adjusted_p(both, rng, resamples) for by, both in moved.items()}
for factor in (0.8, 1.2):
    by_each = {}
    for by, both in moved.items():
        change = average(both[factor], "seed sentences")
        by_each[by] = same(change, margin=SHARE, p=p_moved[by][factor])
    checks.add(
        "B7",
        f"change in the share, mean of {len(told)} studies, threshold x {factor}",
        agreed(by_each),
        given=[requires("seed sentences", len(shared), ">=", ENOUGH)],
    )

# %% [markdown]
# ## Remedies and their price
#
# Paper B suggests novelty and control from outside. What the interventions do, with all else as in the main study:

# %% tags=["nbval-check-output"]
remedies = CLAIMS["B8"]
done = {name: told[name].study.intervention for name in remedies}
rows = [[rule.name, rule.description] for rule in done.values()]
Table(["intervention", "what it does"], rows)

# %% [markdown]
# An empty output counts as new. An injected sentence, one of a few that have nothing to do with any seed sentence, is
# added to what the next model reads.
#
# An intervention that stops loops is worth little if the text gets worse. Three measures of quality: the perplexity of
# each output under the *other* model of the pair, by itself, without the text before it (after that text a repetition
# would be no surprise, and a loop would look fluent); the coherence of {doc}`10_dialogue`; and distinct-2, the share of
# different pairs of words within an output. Perplexities are compared as the mean of their logarithms, so an effect is
# a factor. Hotter sampling stands beside the interventions. For models that converse for hundreds of turns, twelve
# interventions were found to leave the collapse of meaning as it is ({cite}`kong2026`).

# %%
from a2a.dialogue import quality
from a2a.dialogue.score import STUDIES

compared = {name: told[name] for name in STUDIES if name in told}
known = quality.perplexities(compared, made)
in_all = quality.mean_quality(compared, known)
free_turns = {name: ~turns for name, turns in loops.turns.items()}
outside = quality.mean_quality(compared, known, kept=free_turns)

# %%
from a2a.dialogue.remedies import FACTOR, effects_on


def effects_table(effects, title):
    """A row for each of the compared studies, a column for each effect."""
    form = {what: ".2f" if what == FACTOR else "+.2f" for what in effects}
    rows = [
        [
            changes[name].what,
            *(of[name].shown(form[w]) for w, of in effects.items()),
        ]
        for name in list(compared)[1:]
    ]
    return Table(["study", *effects], rows, title)


# %% tags=["nbval-check-output"]
on_share = comparison.effects(ever[metric], rng, resamples)
both = {"conversations": on_share, "turns": on_loops}
effects_table(both, f"change in loops by {metric}, as a share of")

# %% tags=["nbval-check-output"]
on_quality = effects_on(in_all, comparison, rng, resamples)
effects_table(on_quality, "change in quality, all outputs")

# %% tags=["nbval-check-output"]
on_free = effects_on(outside, comparison, rng, resamples)
effects_table(on_free, "change in quality, outputs that are in no loop")

# %% [markdown]
# The table of all outputs compares like with like. In the other one a study's outputs are chosen by what the
# intervention changes, whether they are in a loop; it is given because a loop of few words has a low perplexity and a
# low distinct-2 of its own, so that breaking it raises both.
#
# Claim B8 has two halves. A remedy takes turns out of loops if two judges say so: the two distances, or, for the
# novelty rule, which accepts an output by its Jaccard distance and can't be judged by it, the first distance and the
# readers. An effect smaller than the margin contradicts the claim.

# %%
from a2a.dialogue.remedies import adjusted_by_judge, judges_of

by_turns = {by: found.share_of_turns for by, found in loops_by.items()}
judged = {
    name: judges_of(name, rule, comparison, by_turns, [] if is_live else labels)
    for name, rule in done.items()
}
adjusted = adjusted_by_judge(judged, rng, resamples)


def taken_out(name):
    """Whether a remedy takes turns out of loops, by its judges."""
    by_each = {}
    for by, change in judged[name].items():
        margin = SHARE if by == "readers" else TURNS
        p = adjusted[by][name]
        by_each[by] = different(average(change), -1, p=p, margin=margin)
    return agreed(by_each)


# %%
def check_remedies(what, evidence_of):
    """The remedies for which a check of B8 comes out for the claim."""
    found = []
    for name in remedies:
        checks.add(
            "B8",
            f"change in {what}, {changes[name].what}",
            evidence_of(name),
            given=enough(name),
            models=[model.name for model in main.models],
        )
        found += [name] if checks.made[-1].verdict == "supported" else []
    return found


# %% tags=["nbval-check-output"]
working = check_remedies("the share of turns in a loop", taken_out)

# %% [markdown]
# And it leaves the text no worse if, over all outputs, the mean logarithm of the perplexity rises by at most 0.22, a
# factor of 1.25, coherence falls by at most 0.02 and distinct-2 by at most 0.05: the 95 % interval must lie on that
# side, for all three. One that lies on the other side contradicts the claim.


# %%
def no_worse(name):
    """Whether every measure of quality stays within its margin."""
    found = {}
    for what, values in in_all.items():
        change = average(comparison.change(name, values))
        judge = at_most if WORST[what] > 0 else at_least
        found[what] = judge(change, WORST[what])
    return worst(found)


# %% tags=["nbval-check-output"]
harmless = check_remedies("quality", no_worse)
free = [name for name in working if name in harmless]
of = f"{len(working)} of {len(remedies)} interventions"
print(f"{of} are shown to take turns out")
names = ", ".join(changes[name].what for name in free) or "none"
print(f"of loops; without making the text worse: {names}")

# %% tags=["hide-input"]
from a2a.book.prose import glue_text

texts_to_glue = {
    "models": ", ".join(everyone),
    "other": other,
    "remedies": len(remedies),
    "working": len(working),
    "free": len(free),
}
for letter in "ABC":
    absent = "not part of this run"
    texts_to_glue[letter] = letters[letter].name if letter in letters else absent
for name, text in (texts_to_glue | {name: of_all(name) for name in told}).items():
    glue_text(f"sensitivity-{name}", text)

# %% [markdown]
# A remedy against one kind of repetition may also leave room for another: the counts by {glue:text}`sensitivity-other`
# distance in the table of all studies say where. The perplexities are recorded, since one of the two models isn't part
# of the book's environment; some of those under the other one are computed again here.

# %%
from a2a.book.evidence import within

some = [] if is_live else shared[:spot_check]
off = quality.computed_again(known, told["main"], some)
if len(off):
    print(f"{len(off)} perplexities computed again;")
    print(f"relative difference to the record {within(off, 1e-3)}")
else:
    print("no recorded perplexity was computed again")

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import few_decades

price, costs = next(iter(on_quality.items()))
fig, ax = panels(height=4.4)
for number, (name, cost) in enumerate(costs.items()):
    place = on_loops[name]
    bars = [
        np.abs(np.array([one.interval()]).T - one.value) for one in (cost, place)
    ]
    look = {"fmt": "osD^vP*X<>"[number % 10], "markersize": 8, "elinewidth": 1}
    what = changes[name].what
    ax.errorbar(place.value, cost.value, *bars, label=what, **look)
is_factor = price == FACTOR
ax.axvline(0, color=THEORY, linewidth=1)
ax.axhline(int(is_factor), color=THEORY, linewidth=1)
ax.set(xlabel="change in the share of turns in a loop", ylabel=price)
if is_factor:
    ax.set(yscale="log")
    few_decades(ax.yaxis)
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
from a2a.book.figures import headline

fig, (left, right) = panels(2, height=0.34 * len(changes) + 1.2, sharey=True)
for row, (name, change) in enumerate(changes.items()):
    color = COLORS[change.kind]
    share = intervals.share(int(ever[metric][name].sum()), count[name])
    for ax, found in ((left, share), (right, on_loops.get(name))):
        if found is not None:
            ax.plot(found.interval(), [row, row], color=color, linewidth=1.4)
            ax.plot(found.value, row, "o", color=color)
left.axvline(ever[metric]["main"].mean(), color=THEORY, linewidth=1)
right.axvline(0, color=THEORY, linewidth=1)
left.set(xlim=(-0.03, 1.03), xlabel="conversations that fall into a loop")
left.set_yticks(range(len(changes)), [one.what for one in changes.values()])
left.invert_yaxis()
right.set(xlabel="change in turns in a loop")
headline("sensitivity-headline", fig)

# %% [markdown]
# ## What was checked
#
# Every check names the models that ran. A contradicted check of B5 to B10 is a change that was found.

# %% tags=["nbval-check-output"]
checks.table()
