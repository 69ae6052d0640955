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
# # Remedies and their price
#
# Paper B ({cite}`maiti2025`) suggests novelty and control from outside against the loops of {doc}`10_dialogue`. These
# interventions were tried, each with all else as in the main study:
#
# ```{glue:} remedies-interventions
# ```
#
# **{glue:text}`remedies-working` of {glue:text}`remedies-count` are shown to take turns out of loops,
# {glue:text}`remedies-free` of them without making the text worse by any of three measures; that all of them do both
# (B8) is {glue:text}`remedies-B8`. By change of the share of turns in a loop: {glue:text}`remedies-effects`.** The
# models are {glue:text}`remedies-models`. The rules' thresholds come from readers' labels, and the readers are
# instances of a large language model, no person.
#
# ```{glue:figure} remedies-headline
# ---
# name: fig-remedies-headline
# alt: >-
#   Three panels with one row for each intervention. Changes with intervals: of the share of turns in a loop, of the
#   share of conversations in a loop at some turn, and of the perplexity. With the parameters of the book higher
#   temperature, repetition penalty and the ban on repeated n-grams lie far on the left of the first two panels and on
#   the right of the third.
# ---
# What each intervention changes, against the same seed sentences of the main study, with 95 % intervals. Left and
# middle: by {glue:text}`remedies-metric` distance (filled) and by {glue:text}`remedies-other` distance (open); the
# bands are the margins in which a change counts as none. The novelty rule goes by Jaccard distance, which doesn't judge
# it. Right: the factor of the perplexity of all outputs, or the first measure of quality where there is no perplexity;
# up to the end of the band, what is worse counts as no worse.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook, and of live studies; [0, inf)
model_a = ""  # first model of live studies, as hf:owner/name; empty: recorded
model_b = ""  # second model of live studies
device = "cpu"  # of live studies: cpu, cuda, cuda:1, ...
dtype = ""  # of live studies; empty: float32 on cpu, else bfloat16;
# {"", float32, bfloat16, float16}
limit = 0  # at most so many conversations of a study, two at least, evenly
# spread; 0: all that were recorded; [0, 10000]
metric = "cosine"  # whose rule the figures show; {cosine, Jaccard}
lag = 1  # of the rules: how many turns they look back; [1, 2]
steps = 3  # consecutive distances below the threshold; [1, 25]
resamples = 2000  # bootstrap, and random signs of a test; [100, 100000]
spot_check = 4  # recorded perplexities that are computed again; 0: none; [0, 20]

# %% [markdown]
# ## What would count
#
# The main study is that of {doc}`10_dialogue`; {doc}`12_dialogue_sensitivity` says how conversations pair up, and how
# {eq}`eq-sensitivity-change` is judged. The margins were fixed in a plan before the newer conversations existed. An
# intervention takes turns out of loops if the 95 % interval of the change lies below zero and the p-value, adjusted
# over the interventions by Holm's method, is below 0.05; if the 90 % interval lies within the margin, that is no
# effect, which contradicts the claim. Two judges must say so: two distances. The novelty rule accepts an output by its
# Jaccard distance, so that distance can't judge it; labels of readers who knew neither the study nor any distance take
# its place.
#
# The text is no worse if, over all outputs, the 95 % interval of the change lies on the right side of the margin for
# each of three measures: the logarithm of the perplexity of an output under the *other* model of the pair, by itself,
# without the text before it (after that text a repetition would be no surprise, and a loop would look fluent); the
# coherence of {doc}`10_dialogue`; and distinct-2, the share of different pairs of words within an output. The outputs
# aren't split by whether they are in a loop: that is what an intervention changes.

# %% tags=["nbval-check-output"]
from a2a.book.tables import Table
from a2a.dialogue.plan import load_plan

plan = load_plan()
SHARE, TURNS = plan.margins["share"], plan.margins["turns"]
rows = [
    ["share of turns in a loop: no effect", f"within {TURNS}"],
    ["share of conversations, by readers: no effect", f"within {SHARE}"],
]
for what, by in plan.quality.items():
    sign = "at most" if by > 0 else "at least"
    rows.append([f"change of {what}: no worse", f"{sign} {by:+}"])
Table(["by the plan", ""], rows)

# %% [markdown]
# For models that converse for hundreds of turns, twelve interventions were found to leave the collapse of meaning as it
# is ({cite}`kong2026`). Where other weights and a GPU are, or servers (which can't forbid repeated n-grams: that study
# is missing), the same studies run with them, each from where it was cut off:
#
#     a2a run remedies -p model_a hf:mistralai/Mistral-Nemo-Base-2407 \
#         -p model_b hf:meta-llama/Llama-2-13b-hf -p device cuda

# %% [markdown]
# ## What ran

# %% tags=["hide-input"]
import warnings

import numpy as np

from a2a.book.figures import THEORY, panels, show, style
from a2a.dialogue.comparison import Comparison, Loops, new_of
from a2a.dialogue.labelled import choosing, read_labels
from a2a.dialogue.live import told_studies
from a2a.dialogue.score import STUDIES
from a2a.loops.embeddings import Embedder

warnings.filterwarnings("ignore", "IProgress not found")  # no bar is drawn here
style()
embed = Embedder.of_book()
most = max(limit, 2) if limit else 0  # one conversation has no interval

# %%
# what is missing is said before the models talk for hours
labels = read_labels()
reader = choosing(labels)
given = {"A": model_a, "B": model_b, "C": ""}
if is_live := any(given.values()):
    embed.load()
options = {"device": device, "dtype": dtype, "most": most, "seed": seed}
made, told = told_studies(given, names=STUDIES, **options)
texts = {name: list(one.texts().values()) for name, one in told.items()}
comparison = Comparison({name: one.ids for name, one in told.items()})
new = {name: new_of(one) for name, one in told.items()}
count = {name: len(rows) for name, rows in texts.items()}
# one look into the file of recorded vectors for all texts
embed(sorted({text for rows in texts.values() for row in rows for text in row}))
main = told["main"].study

# %% tags=["hide-input"]
from myst_nb import glue

from a2a.book.prose import glue_text
from a2a.dialogue.changes import changes_of

changes = changes_of({name: one.study for name, one in told.items()})
what_of = {name: changes[name].what for name in told if name != "main"}
remedies = [name for name in plan.asked_of("B8") if name in told]
done = {name: told[name].study.intervention for name in remedies}
rows = [[rule.name, rule.description] for rule in done.values()]
glue_text("remedies-models", ", ".join(model.name for model in main.models))

# %% tags=["nbval-check-output", "remove-output"]
settings = Table(["intervention", "what it does"], rows)
glue("remedies-interventions", settings)

# %% [markdown]
# An injected sentence, one of a few that have nothing to do with any seed sentence, is added to what the next model
# reads. An empty output counts as new for the novelty rule, and has no distance, so that it ends a row of repetitions:
# the share of empty outputs stands beside each study. Hotter sampling stands beside the interventions; it is the study
# of claim B5.

# %% tags=["nbval-check-output"]
rows = []
for name, one in told.items():
    counts = one.counts()
    outputs = count[name] * main.turns
    share = f"{counts['empty'] / outputs:.3f}"
    happened = [counts["redrawn"], counts["injected"]]
    what = changes[name].what
    rows.append([what, count[name], new[name].sum(), outputs, share, *happened])
columns = ["study", "conversations", "new", "outputs", "share empty"]
Table([*columns, "redrawn", "injected"], rows)

# %% [markdown]
# ## Do they take turns out of loops?
#
# The rules are those of {doc}`11_loops`, by two distances, with the thresholds that the labels choose on which readers
# agree. The answer in the table is by the two distances and asks whether anything changes at all; a rule that goes by
# one of them gets none. The checks below ask whether it becomes less, by the judges that a rule may have.

# %%
from a2a.book.paired import QUESTIONS, Paired, falls
from a2a.loops.distances import Distances
from a2a.loops.metrics import all_metrics
from a2a.loops.rule import calibrate

two = sorted(plan.distances, key=lambda name: name != metric)
metrics = {name: all_metrics(embed)[name] for name in two}
of_labelled = Distances(reader.texts, metrics)
rules = calibrate(of_labelled, reader.loops, lags=[lag], steps=steps)
distances = {name: Distances(rows, metrics) for name, rows in texts.items()}
loops_by = {rule.metric: Loops(rule, distances) for rule in rules}
paired = Paired(comparison, loops_by, plan, seed, resamples)
AT_SOME, _, IN_TURNS = QUESTIONS
by_distance = [name for name, rule in done.items() if rule.novelty]

# %% tags=["nbval-check-output"]
paired.table({n: what_of[n] for n in remedies}, unjudged=by_distance)

# %% tags=["nbval-check-output"]
paired.table({name: what_of[name] for name in what_of if name not in remedies})

# %% [markdown]
# The same for those pairs alone that are new since the plan was written, where there are any, without an answer:

# %% tags=["nbval-check-output"]
from IPython.display import display

has_new = [name for name in what_of if new[name].any()]
if has_new:
    display(paired.table_of(new, what_of))
else:
    print("all pairs are among the first that were recorded")

# %% [markdown]
# The readers' labels for the rules that a distance may not judge: how many conversations loop by the readers, in the
# main study and with the rule.

# %%
from a2a.dialogue.remedies import judges_of

turns_by = paired.outcomes(IN_TURNS)
known_labels = [] if is_live else labels
judged = {
    name: judges_of(name, rule, comparison, turns_by, known_labels)
    for name, rule in done.items()
}
margins = dict.fromkeys(turns_by, TURNS) | {"readers": SHARE}

# %% tags=["nbval-check-output"]
rows = [
    [what_of[name], by, len(change), paired.estimate(change).shown("+.2f")]
    for name, judges in judged.items()
    for by, change in judges.items()
    if name in by_distance
]
Table(["rule", "judge", "pairs", "change"], rows)

# %% [markdown]
# Claim B8 has two halves. This is the first, that interventions take turns out of loops:

# %%
from a2a.book.claims import Checks, requires

everyone = [model.name for model in main.models]
checks = Checks(*everyone)


def in_loops(name):
    """What the judges of a remedy ask for."""
    by_readers = "readers" in judged[name]
    told = " (by readers, of conversations)" if by_readers else ""
    return f"the share of turns in a loop{told}"


# %%
def check_remedies(what, evidence, changes):
    """Check one half of the claim; the remedies for which it comes out so."""
    found = []
    for name in remedies:
        pairs = [np.sum(~np.isnan(one)) for one in changes[name].values()]
        given = [requires("pairs", pairs, ">=", plan.fewest)]
        given.append(requires("judges or measures", len(pairs), ">=", 2))
        checks.add(
            "B8",
            f"change in {what(name)}, {what_of[name]}",
            evidence[name],
            given=given,
        )
        found += [name] if checks.made[-1].verdict == "supported" else []
    return found


# %% tags=["nbval-check-output"]
taken_out = paired.judged(judged, falls, margins)
working = check_remedies(in_loops, taken_out, judged)

# %% [markdown]
# ## At what price?
#
# An intervention that stops loops is worth little if the text gets worse. Perplexities are compared as the mean of
# their logarithms, so an effect on them is a factor. A loop of few words has a low perplexity and a low distinct-2 of
# its own, so that breaking it raises both. In brackets is from how many pairs a number comes, where it isn't all.

# %%
from a2a.dialogue import quality

known = quality.perplexities(told, made)
in_all = quality.mean_quality(told, known)
quality_of = {
    name: {what: comparison.change(name, of) for what, of in in_all.items()}
    for name in what_of
}


def effect(what, change):
    """An effect on quality in words; on the logarithm of the perplexity, as a factor."""
    found = paired.estimate(change)
    logs = what == "log perplexity"
    said = found.through(np.exp).shown() if logs else found.shown("+.2f")
    return said if found.n == len(change) else f"{said} [{found.n} pairs]"


# %% tags=["nbval-check-output"]
rows = [
    [what_of[name], *(effect(what, change) for what, change in by.items())]
    for name, by in quality_of.items()
]
factor = {"log perplexity": "perplexity, times"}
columns = [factor.get(what, f"change of {what}") for what in in_all]
Table(["study", *columns], rows, title="quality of all outputs")

# %% tags=["nbval-check-output"]
rows = []
for name in has_new:
    some = {what: change[new[name]] for what, change in quality_of[name].items()}
    rows.append(
        [what_of[name], *(effect(what, one) for what, one in some.items())]
    )
if rows:
    display(Table(["study", *columns], rows, title="the new pairs alone"))
else:
    print("all pairs are among the first that were recorded")

# %% [markdown]
# The second half of the claim is that the text is no worse:

# %% tags=["nbval-check-output"]
no_worse = {name: paired.no_worse(quality_of[name]) for name in remedies}
harmless = check_remedies(lambda _: "quality", no_worse, quality_of)
free = [name for name in working if name in harmless]
of = f"{len(working)} of {len(remedies)} interventions"
print(f"{of} are shown to take turns out")
names = ", ".join(what_of[name] for name in free) or "none"
print(f"of loops; without making the text worse: {names}")

# %% [markdown]
# A remedy against one kind of repetition may leave room for another: where the two distances of the first table differ,
# words and meanings do. The perplexities are recorded, since one of the two models isn't part of the book's
# environment; some of those under the other one are computed again here.

# %%
from a2a.book.evidence import within

scored = [id for id in told["main"].ids if ("main", id, 2) in known]
some = [] if is_live else scored[:spot_check]
off = quality.computed_again(known, told["main"], some)
if len(off):
    print(f"{len(off)} perplexities computed again;")
    print(f"relative difference to the record {within(off, 1e-3)}")
else:
    print("no recorded perplexity was computed again")

# %% tags=["hide-input"]
from a2a.book.collected import claim_verdict

effects = [
    f"{what_of[name]} {np.mean(by[next(iter(by))]):+.2f}"
    for name, by in judged.items()
]
texts_to_glue = {
    "metric": metric,
    "other": two[1],
    "count": len(remedies),
    "working": len(working),
    "free": len(free),
    "effects": ", ".join(effects),
    "B8": claim_verdict([{"verdict": one.verdict} for one in checks.made], {}),
}
for name, text in texts_to_glue.items():
    glue_text(f"remedies-{name}", text)

# %% tags=["hide-input"]
from a2a.book.figures import few_decades, headline

first = next(iter(in_all))
logs, price = first == "log perplexity", plan.quality[first]


def bar(ax, found, row, face="C0"):
    """An estimate with its interval."""
    ax.plot(found.interval(), [row, row], color="C0", linewidth=1.2)
    ax.plot(found.value, row, "o", color="C0", markerfacecolor=face)


def draw_changes(ax, question):
    """The changes of each study by both distances, and the margin."""
    for row, by in enumerate(paired.changes(list(what_of), question).values()):
        one, other = map(paired.estimate, by.values())
        bar(ax, one, row - 0.14)
        bar(ax, other, row + 0.14, "white")
    margin = paired.margin(question)
    ax.axvspan(-margin, margin, color=THEORY, alpha=0.1, linewidth=0)
    ax.axvline(0, color=THEORY, linewidth=1)


# %% tags=["hide-input"]
tall = 0.38 * len(what_of) + 1.2
fig, (left, middle, right) = panels(3, height=tall, sharey=True)
draw_changes(left, IN_TURNS)
draw_changes(middle, AT_SOME)
for row, by in enumerate(quality_of.values()):
    found = paired.estimate(by[first])
    bar(right, found.through(np.exp) if logs else found, row)
side = (1, np.exp(price)) if logs else (0, price)
right.axvspan(*sorted(side), color=THEORY, alpha=0.1, linewidth=0)
right.axvline(side[0], color=THEORY, linewidth=1)
left.set(xlabel="turns in a loop")
middle.set(xlabel="conversations in a loop")
right.set(xlabel="perplexity, times" if logs else first)
if logs:
    right.set(xscale="log")
    few_decades(right.xaxis)
left.set_yticks(range(len(what_of)), what_of.values())
left.invert_yaxis()
headline("remedies-headline", fig)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels(height=4.4)
for number, name in enumerate(what_of):
    place, cost = (
        paired.estimate(change)
        for change in (
            paired.changes([name], IN_TURNS)[name][metric],
            quality_of[name][first],
        )
    )
    cost = cost.through(np.exp) if logs else cost
    bars = [
        np.abs(np.array([one.interval()]).T - one.value) for one in (cost, place)
    ]
    look = {"fmt": "osD^vP*X<>"[number % 10], "markersize": 8, "elinewidth": 1}
    ax.errorbar(place.value, cost.value, *bars, label=what_of[name], **look)
ax.axvline(0, color=THEORY, linewidth=1)
ax.axhline(int(logs), color=THEORY, linewidth=1)
ax.set(xlabel="change in the share of turns in a loop")
ax.set(ylabel="factor of perplexity" if logs else first)
if logs:
    ax.set(yscale="log")
    few_decades(ax.yaxis)
ax.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))
show("fig-sensitivity-remedies", fig)

# %% [markdown]
# ```{glue:figure} fig-sensitivity-remedies
# ---
# name: fig-sensitivity-remedies
# alt: >-
#   Points with error bars, one an intervention. With the parameters of the book those farthest left have the highest
#   factors of perplexity.
# ---
# What each intervention does to loops, by {glue:text}`remedies-metric` distance, and to perplexity, over all outputs,
# under the other model of the pair, with 95 % intervals. Left of 0: fewer turns in a loop. Above 1: text that the other
# model finds less likely.
# ```

# %% [markdown]
# ## What was checked
#
# Every check names the models that ran.

# %% tags=["nbval-check-output"]
checks.table()
