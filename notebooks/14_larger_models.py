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
# # Loops of larger models
#
# The pair of {doc}`10_dialogue` is a hundred times smaller than the models of paper B ({cite}`maiti2025`). This chapter
# lays the paper's statements B1 to B3 beside conversations that somebody else made and gave away: language models of
# the paper's size or larger, each talking to itself ({cite}`bergel2026`). They aren't the paper's models, and no reader
# labelled them, so every check here is a description without a verdict. **By the paper's rule on
# {glue:text}`larger-metric` distances, {glue:text}`larger-shares` fall into a loop at some turn. Said before in the
# same conversation, word for word, were {glue:text}`larger-copies` of the outputs; in {glue:text}`larger-far` of these
# the copy lies more than six turns back, where a rule on neighbours doesn't look.**
#
# ```{glue:figure} larger-headline
# ---
# name: fig-larger-headline
# alt: >-
#   Left, one curve a setting of the distance of outputs to the one before, against the turn. Right, a bar a setting of
#   the share of outputs that were said before, divided by how far back. With the parameters of the book only the curve
#   of the chat format falls to near zero, and the bars of the base models hold copies from many turns back.
# ---
# Left: {glue:text}`larger-metric` distance of each output to the one before it, mean over conversations with its 95 %
# interval. Right: share of the outputs that were said before in the same conversation, word for word, by how many turns
# before. A row is a setting; the number of conversations stands behind its name.
# ```

# %% tags=["parameters"]
studies = ["others/OB-A", "others/QB-A", "others/QI-A", "others/A"]
# imported conversations: names in conversations/, or files that
# `a2a import-conversations` wrote
labels = ""  # CSV of readers' labels; empty: those of the recorded studies
metric = "cosine"  # whose rule the checks and figures use;
# {cosine, Jaccard, BLEU, coherence}
thresholds = {}  # by metric, for lag 1, in place of the calibrated ones
steps = 3  # consecutive distances below the threshold; [1, 25]
edge = 5  # turns at either end that are compared, at most half of them; [1, 500]
resamples = 2000  # bootstrap; [100, 100000]
seed = 0  # of everything random in this notebook; [0, inf)

# %% [markdown]
# ## The conversations

# %%
import numpy as np

from a2a.book.tables import Table
from a2a.dialogue import recorded
from a2a.dialogue.others import source_of
from a2a.loops.metrics import require_thresholds

require_thresholds(thresholds)
told = {name: recorded(name) for name in studies}
source = {name: source_of(name) for name in studies}
texts = {name: list(one.texts().values()) for name, one in told.items()}
called = {name: one.study.name for name, one in told.items()}
if not told or min(one.study.turns for one in told.values()) < 8:
    raise ValueError("wanted conversations of eight turns at least")

# %% tags=["nbval-check-output"]
rows = []
for name, one in told.items():
    said, drawn = source[name]["settings"], one.study.sampling
    model = one.study.models[0].name
    mode = said.get("mode", "not said")
    unit = f"{len(one.ids)} x {one.study.turns}"
    rows.append([called[name], model, mode, unit, drawn.temperature])
columns = ["setting", "model", "mode", "conversations x turns", "temperature"]
Table(columns, rows)

# %% [markdown]
# With the parameters of the book they are from *llm-self-play-attractors* by Eduardo Bergel ({cite}`bergel2026`, under
# the licence CC BY 4.0): base models (OB: OLMo 3 32B, QB: Qwen3 30B-A3B) and an instruct model (QI and A: Qwen3 30B-A3B
# Instruct), all at four bits. Twenty runs of each setting were published. The first ones by number are here, more of
# the base models, whose messages are short; none was left out for what it says. The texts are unchanged, and
# `conversations/others/README.md` says from which files they are. Conversations of your own, or of anybody else, get
# their place in every table:
#
#     a2a import-conversations FILE.jsonl ... -o mine.jsonl
#     a2a run larger_models -p studies '["others/OB-A", "mine.jsonl"]'
#
# What differs from the paper's protocol, apart from the models:
#
# | | Paper B, and {doc}`10_dialogue` | these conversations |
# |---|---|---|
# | who talks | two different models | a model and itself |
# | what the first output answers | a seed sentence | a preamble: nobody else is here, there is no task |
# | what a model reads | the last output | the preamble and the whole conversation |
# | in which form | as raw text | a transcript with the speakers' names; in setting A as a chat |
# | turns, new tokens, temperature | 25, 50, 0.7 | 30, at most 400, 0.8 |
# | an output ends | with its tokens | where the next speaker's name would stand |
# | top-p and the like | 0.95 | not recorded: the server's defaults |
#
# The preamble takes the place of the seed sentence in what follows. The whole history is the difference that matters
# most for repetition, and the studies `history_3` and `history_all` of {doc}`12_dialogue_sensitivity` vary it alone.

# %% [markdown]
# ## Their measure, from these texts
#
# Bergel publishes for every run the mean number of words of its last six messages, the overlap of each one's words with
# those of the message before (and of the one before that), and the share of different words. Computed again from the
# texts here, they must come out the same: the texts are those that were published.

# %%
import csv

from a2a.book.evidence import within
from a2a.loops.overlap import MEASURES, last_outputs
from a2a.places import book_root

others = book_root() / "conversations" / "others"
lines = (others / "published.csv").read_text().splitlines()
published = {
    f"{row['setting']}-{int(row['run']):02}": row for row in csv.DictReader(lines)
}
ours = {
    conversation: last_outputs(outputs)
    for one in told.values()
    for conversation, outputs in one.texts(with_seed=False).items()
}
both = [name for name in ours if name in published]

# %% tags=["nbval-check-output"]
EXACT = 1e-12
off = [
    ours[name][measure] - float(published[name][measure])
    for name in both
    for measure in MEASURES
]
if off:
    found = within(np.array(off), EXACT)
    print(f"{len(off)} numbers of {len(both)} runs: {found}")
rows = []
for name, one in told.items():
    means = [
        np.mean([ours[conversation][measure] for conversation in one.ids])
        for measure in MEASURES
    ]
    rows.append([called[name], *(f"{value:.2f}" for value in means)])
Table(["last six outputs", *MEASURES], rows)

# %% [markdown]
# ## Distances over the turns
#
# The paper reports that distances between consecutive outputs fall over a conversation, by each of four metrics. The
# embeddings of these texts are recorded beside them. They are of a text's first 256 tokens: cosine distance doesn't see
# what stands behind.

# %%
from a2a.loops.distances import Distances, last_minus_first
from a2a.loops.embeddings import RECORDED, Embedder
from a2a.loops.metrics import all_metrics, papers
from a2a.places import build_folder

cache = build_folder() / "embeddings"
metrics = all_metrics(Embedder(recorded=others / RECORDED, cache=cache))
distances = {name: Distances(rows, metrics) for name, rows in texts.items()}

# %%
from a2a import intervals

rng = np.random.default_rng(seed)
change = {}
for name, one in distances.items():
    ends = min(edge, told[name].study.turns // 2 - 1)
    for which in papers():
        moved = last_minus_first(one.at(which), ends)
        change[name, which] = intervals.mean(
            moved[~np.isnan(moved)], rng, resamples, "conversations"
        )

# %% tags=["nbval-check-output"]
rows = [
    [called[name], *(change[name, which].shown("+.2f") for which in papers())]
    for name in told
]
Table(["last minus first, lag 1", *papers()], rows)

# %% tags=["nbval-check-output"]
from a2a.book.claims import Checks, requires
from a2a.book.evidence import descriptive

models = {
    name: list(dict.fromkeys(model.name for model in one.study.models))
    for name, one in told.items()
}
checks = Checks(*dict.fromkeys(one for pair in models.values() for one in pair))
for name in told:
    checks.add(
        "B2",
        f"{called[name]}: {metric} distance, last minus first outputs",
        descriptive(change[name, metric], "below 0 in the paper, in words"),
        models=models[name],
    )

# %% [markdown]
# ## In a loop, by the paper's rule
#
# The rule is that of {doc}`11_loops`: a distance that stays below a threshold for some steps in a row, three in the
# paper and `steps` here, with the thresholds that readers' labels choose. Those labels are of conversations of small
# models; nobody has labelled these.
# An output may also repeat the one two turns before, that is, the same speaker's last one. The last row is the rule for
# cycles of any length ({eq}`eq-loops-cycles`), whose threshold needs no label. Each cell says how many conversations
# are in a loop at some turn, and how many at the last one.

# %%
from a2a.dialogue.labelled import choosing, read_labels
from a2a.loops.cycles import CycleRule
from a2a.loops.rule import Vote, calibrate, pick

readers = choosing(read_labels(labels))
own_metrics = all_metrics(Embedder.of_book())
of_labelled = Distances(readers.texts, own_metrics)
rules = calibrate(of_labelled, readers.loops, steps=steps, given=thresholds)
at_lag_1 = [pick(rules, which) for which in papers()]
either = [
    Vote(f"{which}, lag 1 or 2", (pick(rules, which), pick(rules, which, 2)), 1)
    for which in dict.fromkeys((metric, "cosine", "Jaccard"))
]
any_length = CycleRule(steps=steps)
judges = [*at_lag_1, *either, any_length]


# %%
def counted(judge, one):
    """Conversations in a loop at some turn, at the last one, and all."""
    turns_in = judge.in_loop(one)
    return int(turns_in.any(1).sum()), int(turns_in[:, -1].sum()), len(turns_in)


def cell(judge, one):
    """The counts as the tables show them."""
    ever, at_end, n = counted(judge, one)
    return f"{ever}, {at_end} of {n}"


# %% tags=["nbval-check-output"]
rows = [
    [judge.name, *(cell(judge, one) for one in distances.values())]
    for judge in judges
]
Table(["in a loop ever, at the end", *called.values()], rows)

# %% tags=["nbval-check-output"]
rule = pick(rules, metric)
for name, one in distances.items():
    ever, _, n = counted(rule, one)
    checks.add(
        "B1",
        f"{called[name]}: share in a loop at some turn, by {rule.name}",
        descriptive(
            intervals.share(ever, n, "conversations"),
            "0.70, Mistral Nemo × Llama 2",
        ),
        models=models[name],
    )

# %% [markdown]
# ## Word for word
#
# A copy needs neither a metric nor a reader: the same text was said before in the same conversation. The table counts
# outputs by how many turns before their text was last said. One turn is the other speaker's last output, two is the
# speaker's own. What lies further back repeats a stretch of conversation: the speakers say goodbye, the model writes
# the end of a transcript, and the same conversation begins again.

# %%
from a2a.loops.overlap import said_before

FAR = {"1": (1, 1), "2": (2, 2), "3 to 6": (3, 6), "over 6": (7, np.inf)}


def copies(conversations):
    """For each output how many turns before it was said, 0 if it wasn't."""
    return np.array([said_before(rows[1:]) for rows in conversations])


def by_distance(back):
    """The share of outputs that were said so many turns before."""
    return [np.mean((low <= back) & (back <= high)) for low, high in FAR.values()]


again = {name: copies(rows) for name, rows in texts.items()}

# %% tags=["nbval-check-output"]
rows = [
    [called[name], f"{np.mean(back > 0):.1%}"]
    + [f"{part:.1%}" for part in by_distance(back)]
    for name, back in again.items()
]
Table(["outputs said before", "all", *(f"{far} back" for far in FAR)], rows)

# %% [markdown]
# Three copies in a row are a loop, however long its cycle is, and whatever `steps` is. Does a threshold detect it, as
# the paper says? There are few such conversations. They are loops of the plainest kind, and need no reader. The paper's
# rule looks one turn back; the rows below it look two turns back, or six.

# %% tags=["nbval-check-output"]
from a2a.loops.rule import in_loop

copied = {
    name: in_loop(np.where(back > 0, 0.0, 1.0), 0.5).any(1)
    for name, back in again.items()
}
rows = []
for judge in judges:
    falls = {name: judge.falls(one) for name, one in distances.items()}
    found = [
        f"{(falls[name] & loops).sum()} of {loops.sum()}"
        for name, loops in copied.items()
    ]
    rows.append([judge.name, *found])
Table(["of loops of copies found", *called.values()], rows)

# %% tags=["nbval-check-output"]
loops = np.concatenate(list(copied.values()))
for judge in (rule, either[0], any_length):
    falls = np.concatenate([judge.falls(one) for one in distances.values()])
    n = int(loops.sum())
    fires = intervals.share(int((falls & loops).sum()), max(n, 1), "loops")
    checks.add(
        "B3",
        f"share of loops of copies in which {judge.name} fires",
        descriptive(fires, "detects the loop, in the paper's words"),
        given=[requires("loops of copies", n, ">=", 1)],
    )

# %% [markdown]
# Open one: of each setting the conversation with the most copies. An orange bar marks every output that was said
# before.

# %% tags=["hide-input"]
from IPython.display import HTML, display

from a2a.book.conversations import render_conversation

for name, back in again.items():
    most = int((back > 0).sum(1).argmax())
    marked = [turn + 1 for turn in np.flatnonzero(back[most])]
    title = f"{told[name].ids[most]}: {len(marked)} outputs said before"
    writers = told[name].study.models
    page = render_conversation(
        texts[name][most],
        [f"{one.name}, {who}" for one, who in zip(writers, "XY", strict=True)],
        title=title,
        marked=marked,
        folded=True,
    )
    display(HTML(page))

# %% [markdown]
# ## What the history alone does to small models
#
# Whether the whole history makes the difference can't be seen in these conversations, in which everything else is other
# than in the paper, too. The studies `history_3` and `history_all` change nothing but what a model reads: the last
# three texts, or all of them, where the main study has the last output. The rows compare the same seed sentences.

# %%
histories = {
    name: recorded(name) for name in ("main", "history_3", "history_all")
}
common = set.intersection(*(set(one.ids) for one in histories.values()))
small = {
    name: list(one.only(common).texts().values())
    for name, one in histories.items()
}
small_distances = {
    name: Distances(rows, own_metrics) for name, rows in small.items()
}

# %% tags=["nbval-check-output"]
rows, shown = [], (rule, either[0], any_length)
for name, one in small_distances.items():
    back = copies(small[name])
    parts = [f"{part:.1%}" for part in by_distance(back)]
    found = [cell(judge, one) for judge in shown]
    rows.append([name, *found, f"{np.mean(back > 0):.1%}", *parts])
columns = [*(judge.name for judge in shown), "copies"]
columns += [f"{far} back" for far in FAR]
pair = " × ".join(model.name for model in histories["main"].study.models)
Table(["", *columns], rows, title=pair)

# %% tags=["hide-input"]
from a2a.book.figures import headline, literal, mean_band, panels, style
from a2a.book.prose import glue_text

every = np.concatenate([back.ravel() for back in again.values()])
shares = (
    f"{counted(rule, one)[0]} of {len(texts[name])} ({called[name]})"
    for name, one in distances.items()
)
text = {
    "metric": metric,
    "shares": ", ".join(shares),
    "copies": f"{np.mean(every > 0):.0%}",
    "far": f"{np.mean(every[every > 0] > 6):.0%}" if every.any() else "none",
}
for name, said in text.items():
    glue_text(f"larger-{name}", said)

# %% tags=["hide-input"]
style()
fig, (left, right) = panels(2, height=4)
bottom = np.zeros(len(told))
for place, (name, one) in enumerate(distances.items()):
    values = one.at(metric)
    turns = np.arange(1, values.shape[1] + 1)
    label = literal(called[name])
    mean_band(left, turns, values, color=f"C{place % 6}", label=label)
left.set(xlabel="turn", ylabel=f"{metric} distance", ylim=(0, None))
left.legend()
parts = np.array([by_distance(back) for back in again.values()])
for part, far, shade in zip(parts.T, FAR, (0.2, 0.4, 0.6, 0.8), strict=True):
    look = {"color": str(shade), "label": f"{far} back"}
    right.barh(range(len(told)), part, left=bottom, **look)
    bottom += part
names = [f"{literal(called[name])} ({len(rows)})" for name, rows in texts.items()]
right.set_yticks(range(len(told)), names)
right.invert_yaxis()
right.set(xlabel="share of outputs said before")
right.legend(loc="lower right")
headline("larger-headline", fig)

# %% [markdown]
# ## What was checked
#
# Every check names the models that ran. None has a verdict: these are other models than the paper's, under another
# protocol.

# %% tags=["nbval-check-output"]
checks.table()
