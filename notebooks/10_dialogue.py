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
# # Two language models talking
#
# > {glue:text}`dialogue-line-1`
# >
# > {glue:text}`dialogue-line-2`
# >
# > {glue:text}`dialogue-line-3`
# >
# > — {glue:text}`dialogue-where`
#
# Two language models read each other's last output for 25 turns, from one seed sentence, with nothing else to read.
# Paper B ({cite}`maiti2025`) reports that Mistral Nemo Base 2407 and Llama 2 13B fall into loops in 35 of 50
# conversations. **Those models are the paper's; here {glue:text}`dialogue-pair` ran. {glue:text}`dialogue-share-reader`
# of its conversations fall into a loop by {glue:text}`dialogue-judge`, and {glue:text}`dialogue-share-rule` by the
# paper's rule; {glue:text}`dialogue-share-end` are in one at the last turn, by the same rule.
# {glue:text}`dialogue-who`.**
#
# ```{glue:figure} dialogue-headline
# ---
# name: fig-dialogue-headline
# alt: >-
#   Left, the distance of outputs to the one before, to the one two turns before and to the seed sentence, against the
#   turn. Right, the share of conversations that have been in a loop by each turn and the share in one at it, beside the
#   paper's share. With the parameters of the book the two distances between outputs fall over the first turns while the
#   one to the seed rises, and the share in a loop levels off far below the share that has been in one.
# ---
# Left: {glue:text}`dialogue-metric` distance of each output to the one before it, to the one two turns before it, and
# to the seed sentence: mean over conversations with its 95 % interval. Right: share of conversations that have been in
# a loop by a turn, and that are in one at it, by the paper's rule with our threshold. The bar is the paper's 35 of 50
# with its 95 % Wilson interval, from its models. Pair: {glue:text}`dialogue-pair`.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random here, and of a live study; [0, 4294967295]
conversations = ""  # recorded: a name in conversations/ or a file; empty: main
model_a = ""  # first model of a live study, as hf:owner/name; empty: recorded
model_b = ""  # second model of a live study
device = "cpu"  # of a live study: cpu, cuda, cuda:1, ...
dtype = ""  # of a live study; empty: float32 on cpu, else bfloat16;
# {"", float32, bfloat16, float16}
chat_template = False  # of a live study; off, as in the paper
seeds_file = ""  # seed sentences of a live study; empty: our fifty
turns = 25  # outputs in a conversation of a live study; [4, 1000]
max_new_tokens = 50  # of a live study, as are the next three; [1, 10000]
temperature = 0.7  # 0 takes the likeliest token; [0, 10]
top_p = 0.95  # mass of the nucleus; (0, 1]
history = 1  # texts that a model reads: 1 is the last output, 0 is all; [0, 1000]
stop_on_loop = False  # end a live study once all its conversations loop
limit = 0  # at most so many conversations, two at least, evenly spread; 0: all;
# [0, 10000]
labels = ""  # CSV of readers' labels; empty: those of the recorded studies
metric = "cosine"  # whose rule the figures show;
# {cosine, Jaccard, BLEU, coherence}
steps = 3  # consecutive distances below the threshold; [1, 25]
thresholds = {}  # by metric, for lag 1, in place of the calibrated ones
to_read = []  # conversations to be shown in full; none named: chosen by their loops
edge = 3  # turns at either end that are compared, at most half; [1, 500]
spread_of = 5  # outputs at either end whose spread is compared; [2, 500]
perplexity = 30.0  # of t-SNE, at most a third of the texts; [1, 1000]
resamples = 2000  # bootstrap, and random signs of a test; [100, 100000]
spot_check = 6  # conversations of which turns are made again; 0: none; [0, 1000]
spot_turns = [1, 13]  # which turns; [1, 1000]
embedded_again = 20  # recorded embeddings that are computed again; [1, 10000]

# %% [markdown]
# ## The protocol
#
# With $x_0$ the seed sentence and $A$, $B$ the two models, turn $t$ draws
#
# ```{math}
# :label: eq-dialogue-turn
# x_t \sim A(\,\cdot \mid x_{t-1}) \;\text{ for odd } t, \qquad x_t \sim B(\,\cdot \mid x_{t-1}) \;\text{ for even } t .
# ```
#
# A model sees the last output as raw text and continues it. There is no instruction, no chat template and no memory.
# After an empty output a model reads the last text that holds something, which may be its own.
#
# | | Paper B | the recorded study here |
# |---|---|---|
# | A | Mistral Nemo Base 2407, 12 billion parameters | SmolLM2-135M-Instruct (Q4_1) {cite}`allal2025` |
# | B | Llama 2 13B | Gemma 3 270M base (Q4_K_M) {cite}`gemma2025` |
# | seed sentences | 50, not published | 50 of our own, in seven categories |
# | turns, new tokens, temperature, top-p | 25, 50, 0.7, 0.95 | the same |
# | embedding, tokens, BLEU, NPMI corpus, thresholds | not stated | stated below |
#
# The models here are a hundred times smaller, and A was tuned to follow instructions, of which it gets none: it is used
# without its chat template. What is measured is a fact about this pair. Where the weights and a GPU are, or a server,
# the paper's own pair runs through the same cells, and the record of it, in the build folder, is gone on with if it was
# cut off:
#
#     a2a run dialogue -p model_a hf:mistralai/Mistral-Nemo-Base-2407 \
#         -p model_b hf:meta-llama/Llama-2-13b-hf -p device cuda
#     a2a run dialogue -p model_a http://localhost:8001/v1#NAME -p model_b http://localhost:8002/v1#NAME
#
# With `stop_on_loop` a live study ends after the first turn at which every conversation is in a loop, by the rule for
# loops of any length of {doc}`11_loops`, which needs no embedding. All conversations take a turn together, so none of
# them ends before the others, and the same command without it goes on from there. What is said of the last turns is
# then said of turns that were chosen for their loops.

# %% [markdown]
# ## What would count
#
# The margins are those of a plan that was written before the newer conversations existed; all conversations count, and
# where there are newer ones, the same numbers of these alone stand beside them. Two shares are *the same* if the 90 %
# interval of their difference lies within the margin; something is *different* if its 95 % interval excludes zero, and
# its p-value, by Holm's step-down method over the checks of a claim, is below 0.05. What is neither is undecided, with
# the number of samples that would decide if the estimate stayed where it is. Intervals of means are from a bootstrap
# over conversations, their p-values from random signs.

# %%
from a2a.dialogue.plan import load_plan

plan = load_plan()
SHARE = plan.margins["share"]  # between two shares of conversations
PAPER = 35, 50  # conversations that fall into a loop, of paper B's

# %% [markdown]
# ## What ran

# %% tags=["hide-input"]
import warnings

import numpy as np

from a2a.book.figures import literal, style
from a2a.dialogue import Sampling, recorded, spread
from a2a.dialogue.comparison import new_of
from a2a.dialogue.labelled import choosing, read_labels, settled, who_read
from a2a.dialogue.live import in_loops, is_live, live_study, tell
from a2a.dialogue.record import under_way
from a2a.loops.embeddings import Embedder
from a2a.loops.metrics import METRICS, require_thresholds
from a2a.places import given_path

warnings.filterwarnings("ignore", "IProgress not found")  # no bar is drawn here
style()
rng = np.random.default_rng(seed)
most = max(limit, 2) if limit else 0  # one conversation has no interval
embed = Embedder.of_book()


# %%
def live():
    """The conversations of two models; goes on where a run was cut off."""
    embed.load()  # what is missing is said before the models talk for hours
    study = live_study(
        model_a,
        model_b,
        device=device,
        dtype=dtype,
        chat_template=chat_template,
        seeds_file=given_path(seeds_file) if seeds_file else None,
        most=most,
        turns=turns,
        sampling=Sampling(temperature, top_p, max_new_tokens),
        history=history or "all",
        seed=seed,
    )
    name = under_way(study).name
    print(f"recorded in conversations/{name} of the build folder")
    until = in_loops(steps=steps, turns=4) if stop_on_loop else None
    return tell({"live": study}, until)["live"]


# %%
# what is wrong is said before the models talk for hours
new = is_live(
    model_a, model_b, conversations=conversations, seeds_file=seeds_file
)
require_thresholds(thresholds)
known_labels = read_labels(labels)
readers = choosing(known_labels)

# %%
told = live() if new else recorded(conversations or "main")
every = told.texts()
texts = {name: every[name] for name in spread(every, most)}
last_turn = min(map(len, texts.values())) - 1  # of a record under way: so far
if len(texts) < 2 or last_turn < 4:
    raise ValueError("wanted two conversations at least, of four turns at least")
names = [model.name for model in told.study.models]
pair = " × ".join(name.split(" (")[0] for name in names)
heading = literal(pair)
ends, outer = min(edge, last_turn // 2 - 1), min(spread_of, last_turn // 2)
new_ones = dict(zip(told.ids, new_of(told), strict=True))
is_new = np.array([new_ones[name] for name in texts])

# %% tags=["nbval-check-output"]
from a2a.printable import printable

for letter, model in zip("AB", told.study.models, strict=True):
    size = f"{model.size:,} parameters" if model.size else "size unknown"
    print(printable(f"{letter}: {model.name}, {size}", one_line=True))
outputs = [text for rows in texts.values() for text in rows[1:]]
silent = sum(not text.strip() for text in outputs)
print(f"{len(texts)} conversations of {last_turn} turns; {silent} empty outputs")

# %% tags=["hide-input"]
from a2a.book.prose import glue_text

glue_text("dialogue-pair", pair)
glue_text("dialogue-who", who_read(known_labels))

# %% [markdown]
# The conversations are recorded, with every setting and random seed, so that the chapter doesn't depend on anyone's
# hardware. As a spot check some turns are made again here, each from the recorded text before it. Only turns by
# SmolLM2-135M-Instruct are: its weights come with the book's environment, while Gemma's have terms of use that a reader
# must accept first. Another processor, or another number of threads, rounds otherwise in the last bits. Where two
# tokens are about as likely that can draw the other one, and the text goes on differently from there. So a turn that
# differs elsewhere is no error, and no verdict hangs on it.

# %%
from a2a.dialogue.spotcheck import spot_check_included

some = [] if new else spread(texts, spot_check) if spot_check else []
again = spot_check_included(told, conversations=some, turns=spot_turns)
if again:
    identical = sum(turn.is_identical for turn in again)
    print(f"{identical} of {len(again)} turns came out identical to the record")
else:
    print("no recorded turn was made again")

# %% [markdown]
# ## The distances
#
# Paper B compares each output with the one before it. Models that take turns may also repeat every other output, which
# no comparison of neighbours sees, so each distance is taken at lag 1 and at lag 2. With texts $x$ and $y$:

# %% mystnb={"markdown_format": "myst"} tags=["hide-input"]
from IPython.display import Markdown

from a2a.loops.metrics import all_metrics, definitions, papers

Markdown(definitions())

# %% [markdown]
# The paper doesn't state these choices; they are ours. An empty output has no distance: silence isn't a repetition. In
# the rules below it also ends a row of repetitions, while the readers' guideline passes over it.

# %%
from a2a.loops.distances import Distances, last_minus_first, mean_known, telling

metrics = all_metrics(embed)
distances = Distances(list(texts.values()), metrics)

# %% [markdown]
# The embeddings of recorded texts are recorded, too, in half precision: embedding them takes longer than all the rest
# of this page. Some are computed again here, by the model itself; no entry of a vector may be off by more than the
# rounding.

# %%
from a2a.book.evidence import within

ROUNDING = 1e-3
recorded_texts = sorted({text for rows in texts.values() for text in rows})
sample = spread(recorded_texts, embedded_again)
off = Embedder()(sample) - embed(sample)

# %% tags=["nbval-check-output"]
print(f"{len(sample)} embeddings computed again: {within(off, ROUNDING)}")

# %% [markdown]
# ## What a loop is
#
# A loop is what readers find one: three outputs in a row that each, for most of their length, say again what stands in
# the six texts before. The readers of the book's labels are instances of a large language model; {doc}`11_loops` says
# what they were given and how well they agree.

# %%
read = {
    label.conversation: label
    for label in settled(known_labels)
    if label.study == told.study.name
}

# %% [markdown]
# ## Over the turns
#
# What the paper reports of its pair, in words: distances between consecutive outputs fall, cosine most clearly, while
# the outputs drift away from the seed. {numref}`fig-dialogue-turns` shows the same distances for
# {glue:text}`dialogue-pair`.

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import (
    FIRST,
    HELPED,
    SECOND,
    mean_band,
    panels,
    show,
)

turn_axis = np.arange(1, last_turn + 1)
fig, axes = panels(len(METRICS), height=3.2)
for ax, name in zip(axes, METRICS, strict=True):
    for values, label, color in (
        (distances.at(name, 1), "lag 1", FIRST),
        (distances.at(name, 2), "lag 2", SECOND),
        (distances.to_seed(name), "to the seed", HELPED),
    ):
        mean_band(ax, turn_axis, values, color=color, label=label)
    ax.set(title=name, xlabel="turn", ylim=(0, None))
axes[0].set_ylabel("distance")
handles = axes[0].get_legend_handles_labels()
fig.legend(*handles, loc="outside lower center", ncols=3)
fig.suptitle(heading, fontsize="medium")
show("fig-dialogue-turns", fig)

# %% [markdown]
# ```{glue:figure} fig-dialogue-turns
# ---
# name: fig-dialogue-turns
# alt: >-
#   Panels, one a metric, each with three curves against the turn. With the parameters of the book cosine, Jaccard
#   and BLEU distances at lag 1 and lag 2 fall over the first turns, those at lag 2 from a higher level, and then stay
#   level; the distance to the seed rises or stays near 1; coherence differences are small throughout.
# ---
# The distances over the turns: to the output before (lag 1), to the output two turns before (lag 2), and to the
# seed sentence; mean over conversations with its 95 % interval. The pair stands above the panels.
# ```

# %% [markdown]
# The change from the first to the last turns, conversation by conversation, with a bootstrap interval over
# conversations. A distance between outputs leaves the seed sentence out: lag 1 starts at turn 2, lag 2 at turn 3.

# %%
from a2a import intervals


def average(values):
    """The mean over conversations with its interval."""
    return intervals.mean(values, rng, resamples, "conversations")


falls_by = {
    name: {
        "lag 1": last_minus_first(distances.at(name, 1)[:, 1:], ends),
        "lag 2": last_minus_first(distances.at(name, 2)[:, 2:], ends),
        "to the seed": last_minus_first(distances.to_seed(name), ends),
    }
    for name in metrics
}

# %% tags=["nbval-check-output"]
from a2a.book.tables import Table

columns = ["change", "lag 1", "lag 2", "to the seed"]
rows = [
    [name, *(average(values).shown("+.2f") for values in by.values())]
    for name, by in falls_by.items()
]
Table(columns, rows)

# %% [markdown]
# The paper reports that all four distances between consecutive outputs fall.

# %%
from a2a.book.claims import Checks, requires
from a2a.book.evidence import at_most, descriptive, different, same
from a2a.significance import adjusted_p

checks = Checks(*names)
falls = {name: falls_by[name]["lag 1"] for name in papers()}
p_values = adjusted_p(falls, rng, resamples)

# %% tags=["nbval-check-output"]
for name, fall in falls.items():
    known = np.sum(~np.isnan(fall))
    checks.add(
        "B2",
        f"{name} distance at lag 1, last minus first turns",
        different(average(fall), -1, p=p_values[name]),
        given=[requires("conversations with both ends", known, ">=", 2)],
        otherwise="with this pair the distance isn't shown to fall",
    )

# %% [markdown]
# Does it fall where nothing loops? The same change at lag 1, apart for the conversations in which the reader found a
# loop and those in which no loop was found, of those that were labelled; and for the newer ones.

# %% tags=["nbval-check-output"]
loops = np.array([name in read and read[name].loops for name in texts])
quiet = np.array([name in read and not read[name].loops for name in texts])
kinds = {"with a loop": loops, "without": quiet}
kinds |= {"newer": is_new} if is_new.any() else {}
rows = []
for name, by in falls_by.items():
    each = [average(by["lag 1"][kind]).shown("+.2f") for kind in kinds.values()]
    rows.append([name, *each])
sizes = [f"{what} ({kind.sum()})" for what, kind in kinds.items()]
Table(["change at lag 1", *sizes], rows)

# %% [markdown]
# ## How many fall into a loop
#
# Paper B's rule says that a conversation falls into a loop if a distance stays below its threshold for three steps in a
# row, with thresholds set by hand. Here labels on which readers agree choose the thresholds, those with the largest
# kappa ({cite}`cohen1960`); {doc}`11_loops` says how good the rules are.

# %%
from a2a.loops.rule import Vote, calibrate, pick

rules = calibrate(
    Distances(readers.texts, metrics),
    readers.loops,
    steps=steps,
    given=thresholds,
)
rule = pick(rules, metric)
at_lag_1 = tuple(pick(rules, name) for name in papers())
judges = [*rules, Vote("two of four, lag 1", at_lag_1, 2)]

# %% [markdown]
# The rule counts a conversation that has been in a loop at any turn. A loop can be left again, so the share that
# is in a loop at the last turn is given beside it. For the readers that is the share whose first loop lasts to the end,
# since only the first was labelled. Many labels that chose the thresholds are on the conversations of the recorded
# study itself, so there the rules' shares lean on the readers'; {doc}`11_loops` tries the rules on conversations that
# chose none, and compares where a loop begins with what the readers say. Intervals are Wilson's {cite}`wilson1927`.

# %%
counted = {}
if labels_here := [read[name] for name in texts if name in read]:
    still = sum(label.end == last_turn for label in labels_here)
    counted["reader"] = int(loops.sum()), still, len(labels_here)
for judge in judges:
    ever, at_end = judge.falls(distances), judge.in_loop(distances)[:, -1]
    counted[judge.name] = int(ever.sum()), int(at_end.sum()), len(texts)
    if is_new.any() and judge in (rule, pick(rules, "Jaccard")):
        both = int(ever[is_new].sum()), int(at_end[is_new].sum())
        counted[f"{judge.name}, newer ones"] = *both, int(is_new.sum())
shares = {
    name: [intervals.share(count, n, "conversations") for count in counts]
    for name, (*counts, n) in counted.items()
}

# %% tags=["nbval-check-output"]
paper = intervals.share(*PAPER)
rows = [
    [name, f"{ever} of {n}", shares[name][0], f"{end} of {n}", shares[name][1]]
    for name, (ever, end, n) in counted.items()
]
rows.append(["paper B, its models", "35 of 50", paper, "", ""])
Table(
    ["in a loop", "ever", "share", "at the last turn", "share"], rows, title=pair
)

# %% tags=["hide-input"]
main_row = "reader" if "reader" in counted else rule.name
for key, name, place in (
    ("reader", main_row, 0),
    ("rule", rule.name, 0),
    ("end", rule.name, 1),
):
    text = f"{counted[name][place]} of {counted[name][2]}"
    glue_text(f"dialogue-share-{key}", text)
judge = "the reader's labels" if main_row == "reader" else "the rule alone"
glue_text("dialogue-judge", judge)
glue_text("dialogue-metric", metric.capitalize())

# %% [markdown]
# The paper's share is a fact about its pair, so that another pair's share is no evidence for or against it, only
# something to lay beside it. For the paper's own pair the two shares would have to be the same, as if they were two
# samples of one.

# %%
PAPERS_OWN = all(
    any(wanted in name.lower() for name in names)
    for wanted in ("mistral-nemo", "llama-2-13b")
)


def against_paper(name):
    """Our share of conversations beside or against the paper's."""
    if not PAPERS_OWN:
        beside = f"{paper}, Mistral Nemo × Llama 2"
        return descriptive(shares[name][0], beside)
    ours = counted[name][0], counted[name][2]
    apart = intervals.difference_of_shares(
        ours, PAPER, rng, resamples, "conversations"
    )
    return same(apart, margin=SHARE)


# %% tags=["nbval-check-output"]
by_plan = [pick(rules, name).name for name in plan.distances]
for name in dict.fromkeys((main_row, *by_plan)):
    what = f"share in a loop at some turn, by {name}"
    checks.add("B1", what, against_paper(name))
    at_end = descriptive(shares[name][1], "not said by the paper")
    checks.add("B1", f"share in one at the last turn, by {name}", at_end)

# %% tags=["hide-input", "remove-output"]
fig, ax = panels(height=4.2)
for row, both in enumerate(shares.values()):
    for part, offset, face in zip(
        both, (-0.13, 0.13), (FIRST, "white"), strict=True
    ):
        ax.plot(part.interval(), [row + offset] * 2, color=FIRST, linewidth=1.2)
        ax.plot(part.value, row + offset, "o", color=FIRST, markerfacecolor=face)
ax.axvspan(*paper.interval(), color=SECOND, alpha=0.15, linewidth=0)
ax.axvline(paper.value, color=SECOND, linewidth=1)
ax.set(yticks=range(len(shares)), xlim=(0, 1), xlabel="share of conversations")
ax.set_yticklabels(shares)
ax.invert_yaxis()
ax.set_title(heading, fontsize="medium")
show("fig-dialogue-share", fig)

# %% [markdown]
# ```{glue:figure} fig-dialogue-share
# ---
# name: fig-dialogue-share
# alt: >-
#   Two shares with intervals in each row, one row for the reader and one a rule, over the band of the paper's share.
#   With the parameters of the book the filled points lie in or near the band, the open ones well to the left of it.
# ---
# Share of conversations that have been in a loop at any turn (filled), and that are in one at the last (open), by the
# reader and by each rule, with 95 % Wilson intervals. The band is the interval of the paper's 35 of 50, which are its
# models' conversations. The pair stands above the panel.
# ```

# %% tags=["hide-input"]
from a2a.book.figures import THEORY, headline

fig, (left, right) = panels(2)
for values, label, color in (
    (distances.at(metric, 1), "to the output before", FIRST),
    (distances.at(metric, 2), "two turns before", SECOND),
    (distances.to_seed(metric), "to the seed", HELPED),
):
    mean_band(left, turn_axis, values, color=color, label=label)
left.set(xlabel="turn", ylabel=f"{metric} distance", ylim=(0, None))
left.legend(loc="center right", bbox_to_anchor=(1, 0.7))
turns_in = rule.in_loop(distances)
ever = np.maximum.accumulate(turns_in, axis=1).mean(axis=0)
right.plot(turn_axis, ever, color=FIRST, label="in a loop by this turn")
here = turns_in.mean(axis=0)
right.plot(turn_axis, here, "--", color=FIRST, label="at this turn")
right.plot([last_turn + 1] * 2, paper.interval(), color=THEORY)
right.plot(last_turn + 1, paper.value, "D", color=THEORY, label="paper B")
right.set(xlabel="turn", ylabel="share of conversations", ylim=(0, 1))
right.legend(loc="upper left")
fig.suptitle(heading, fontsize="medium")
headline("dialogue-headline", fig)

# %% [markdown]
# ## Conversations to read
#
# Open them. Chosen by computation: the shortest loop of which the reader was sure, one of median length and the
# longest; the longest loop that the rule misses, and its loudest false alarm, where there are any. Where the reader was
# sure of none, loops of the rule are shown, too; if there are fewer than three, conversations follow that are extreme
# by their distances. A bar marks the reader's loop, or the rule's where nobody has read. All that are recorded are in
# {doc}`/book/conversations`.

# %%
from a2a.book.examples import found, opening, to_show

known = found(list(texts), turns_in, read)
far = [list(texts)[place] for place in telling(distances)]
reasons = to_show(known, others=far, asked=to_read)
shown = list(reasons)

# %% tags=["hide-input"]
from IPython.display import HTML, display

from a2a.book.conversations import address, render_conversation

in_book = not new and not conversations.endswith(".jsonl")
for name, why in reasons.items():
    page = render_conversation(
        texts[name],
        names,
        title=f"{name}, {why} ({pair}): {known[name].verdict}",
        marked=known[name].loop,
        folded=True,
        link=address(told.study.name, name) if in_book else "",
    )
    display(HTML(page))

# %% [markdown]
# Distances differ in what fools them: the embeddings of lines of random digits are near each other, while their words
# have nothing in common. The last of these conversations by all four:

# %% tags=["nbval-check-output"]
row = list(texts).index(shown[-1])
columns = ["lag 1", *range(last_turn + 1 - ends, last_turn + 1)]
rows = [
    [name, *(f"{value:.2f}" for value in distances.at(name)[row, -ends:])]
    for name in metrics
]
Table([str(column) for column in columns], rows, title=f"{shown[-1]}, by turn")

# %% tags=["hide-input"]
for name, line in opening(texts, known, rule.name).items():
    glue_text(f"dialogue-{name}", line)

# %% [markdown]
# ## Does the path collapse?
#
# Paper B shows t-SNE pictures in which a conversation's path ends in one place. t-SNE preserves neighbourhoods, not
# distances, so a picture can't settle it. In the space of the embeddings itself the spread of some outputs is the mean
# cosine distance over their pairs. Paths collapse if the mean spread of the last outputs over that of the first ones is
# below one. The rows below also split the conversations by whether the rule finds them in a loop at the last turn, or
# at any. That makes the ratio of the first of these small by construction; the others say whether anything collapses
# without a loop.

# %%
from a2a.loops.variety import at_both_ends, ratio_of_means

vectors = embed([text for rows in texts.values() for text in rows])
vectors = vectors.reshape(len(texts), last_turn + 1, -1)
heard = np.array(
    [[bool(text.strip()) for text in rows] for rows in texts.values()]
)
apart = 1 - vectors[:, 1:] @ vectors[:, 1:].swapaxes(-1, -2)
by_end = at_both_ends(apart, heard[:, 1:], outer)
whole = ~np.isnan(by_end).any(axis=0)
groups = {
    "all": whole,
    "in a loop at the end": whole & turns_in[:, -1],
    "not in one then": whole & ~turns_in[:, -1],
    "never in one": whole & ~turns_in.any(axis=1),
}
groups |= {"newer": whole & is_new} if is_new.any() else {}


def narrowing(group):
    """The mean spread of the last outputs over that of the first, for some."""
    parts = [part[group] for part in by_end[::-1]]
    own = {"rng": rng, "draws": resamples, "unit": "conversations"}
    return intervals.bootstrap(ratio_of_means, *parts, **own)


# %% tags=["nbval-check-output"]
rows = []
for name, group in groups.items():
    both = [f"{part[group].mean():.2f}" if group.any() else "" for part in by_end]
    rows.append([name, f"{group.sum()}", *both, narrowing(group)])
Table(["spread of outputs", "of", "first", "last", "last over first"], rows)

# %% tags=["nbval-check-output"]
checks.add(
    "B4",
    "spread of embeddings, last over first outputs",
    at_most(narrowing(whole), 1),
    given=[requires("with outputs at both ends", whole.sum(), ">=", plan.fewest)],
    otherwise="with this pair the paths aren't shown to collapse",
)

# %% [markdown]
# What else changes between the first and the last outputs: their length in words and signs, the share of different
# pairs of words in an output (distinct-2, {cite}`li2016`), the share of its sequences of four words that stood before
# in the conversation, and the Vendi score ({cite}`friedman2023`), which counts how many different outputs there are in
# effect.

# %%
from a2a.loops.variety import distinct_n, length, repetition_rate, vendi

per_output = {
    "words and signs": lambda rows: length(rows[1:]),
    "distinct-2": lambda rows: distinct_n(rows[1:], 2),
    "repeated sequences": repetition_rate,
}
variety = {
    name: np.array([of(rows) for rows in texts.values()])
    for name, of in per_output.items()
}

# %% tags=["nbval-check-output"]
rows = []
for name, values in variety.items():
    parts = values[:, :outer], values[:, -outer:]
    both = (mean_known(part.reshape(1, -1))[0] for part in parts)
    rows.append([name, *(f"{value:.2f}" for value in both)])
ends_of = vectors[:, 1 : 1 + outer], vectors[:, -outer:]
effective = (vendi(part).mean() for part in ends_of)
rows.append([f"Vendi, of {outer} outputs", *(f"{n:.2f}" for n in effective)])
Table(["", "first", "last"], rows)

# %% [markdown]
# And the picture. t-SNE ({cite}`vandermaaten2008`) with the perplexity and the seed of the parameters cell, on all seed
# sentences and outputs together.

# %%
from sklearn.manifold import TSNE

tsne = TSNE(
    perplexity=min(perplexity, (vectors[..., 0].size - 1) / 3),
    init="pca",
    random_state=seed,
)
flat = tsne.fit_transform(vectors.reshape(-1, vectors.shape[-1]))
points = flat.reshape(len(texts), last_turn + 1, 2)

# %% tags=["hide-input", "remove-output"]
fig, axes = panels(3, height=3.4)
for ax, name in zip(axes, shown[-3:], strict=False):
    path = points[list(texts).index(name)]
    ax.scatter(*flat.T, s=3, color="#d0d0d0", linewidth=0, rasterized=True)
    ax.plot(*path.T, color="#888888", linewidth=0.7)
    ax.scatter(*path[1:].T, c=turn_axis, s=22, cmap="viridis", zorder=2)
    ax.scatter(*path[0], marker="s", s=36, color=SECOND, zorder=3)
    ax.set(title=literal(name), xticks=[], yticks=[])
fig.suptitle(heading, fontsize="medium")
show("fig-dialogue-tsne", fig)

# %% [markdown]
# ```{glue:figure} fig-dialogue-tsne
# ---
# name: fig-dialogue-tsne
# alt: >-
#   Panels with the same grey cloud of points, in each the path of one conversation. A path that loops stays in one spot
#   for as long as it does; one that doesn't wanders.
# ---
# t-SNE of all seed sentences and outputs (grey), and the paths of the last three conversations above, from the seed
# sentence (square) through dark to light points. The pair stands above the panels.
# ```

# %% [markdown]
# The same points once more, to be explored: pointing at a path sets it apart, and pointing at a point shows its text.

# %% tags=["hide-input"]
from a2a.book.textmap import text_map

label = f"t-SNE map of {points[..., 0].size} texts: {pair}"
caption = f"Each line is a conversation of {pair}, each point a text, "
caption += "dark at the start, light at the end."
display(HTML(text_map(points, texts, label=label, caption=caption)))

# %% [markdown]
# ## What was checked
#
# Every check names the models that ran. Paper B's statements are about Mistral Nemo × Llama 2; a check of another pair
# says whether the same statement is true of that one.

# %% tags=["nbval-check-output"]
checks.table()
