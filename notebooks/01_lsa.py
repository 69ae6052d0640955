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
# # A transformer layer that takes one gradient step
#
# An agent of paper A {cite}`cosentino2025` is one layer of linear self-attention that reads in-context examples and an
# estimate $w$. **With a few constructed weights the layer is exactly one step of gradient descent, and up to a trade of
# scale no other weights in those blocks are.** {glue:text}`lsa-learned`
#
# ```{glue:figure} lsa-headline
# ---
# name: fig-lsa-headline
# alt: >-
#   Four heat maps of 2d+2 by 2d+2 matrices with blocks x, y, w and 1. The constructed V has one negative diagonal block
#   in row w, column x; the constructed W has a positive diagonal block in row x, column w and one negative entry in row
#   y, column 1. Beside them V and W as they were learned.
# ---
# The constructed weights beside those learned from random ones, all in one scale of colours. Grey columns are never
# read. A layer that answers $(0, 0, f(w), 1)$ has the constructed blocks in the columns $x$ and $y$ of $V$ and in the
# rows $x$ and $y$ of $W$; {prf:ref}`thm-lsa-unique` leaves more freedom in the rows and columns of $w$ and 1, through
# which the query attends to itself.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook; the trainings have the seeds seed, seed + 1, ...
d = 10  # dimension of the regression task; [1, 32]
n = 20  # in-context examples in a prompt, and in training; [1, 500]
eta = 0.3  # step size; (0, 10]
noise = 0.5  # standard deviation of label noise, where there is some; [0, 100]
turns = 200  # steps of an agent that is left alone; [1, 5000]
instances = 1000  # random prompts in each numeric check; [1, 2000]
steps = 1000  # steps of training; [1, 100000]
trainings = 3  # layers trained, each from its own random weights; [1, 20]

# %% [markdown]
# ## Setting
#
# A prompt shows $n$ examples of a linear task, the rows of $X$ with the labels $y$. Its loss and the gradient are
#
# ```{math}
# :label: eq-lsa-loss
# L(w) = \frac{1}{2n}\,\|Xw - y\|^2, \qquad \nabla L(w) = \frac1n X^\top (Xw - y) = S\,(w - \theta), \qquad
# S = \frac1n X^\top X ,
# ```
#
# where $\theta$ solves the least-squares problem $S\theta = X^\top y / n$; without label noise it is the vector that
# made the labels, if $S$ has full rank. One gradient step of size $\eta$ is an affine map,
#
# ```{math}
# :label: eq-lsa-step
# f(w) = w - \eta\,\nabla L(w) = M w + (I - M)\,\theta, \qquad M = I - \eta S .
# ```
#
# The layer sees tokens, the columns of a $(2d+2) \times (n+1)$ matrix with rows for $x$, $y$, $w$ and a constant. Each
# example is a column, and the last column is the query:
#
# ```{math}
# :label: eq-lsa-tokens
# Z = \begin{pmatrix} x_1 & \cdots & x_n & 0 \\ y_1 & \cdots & y_n & 0 \\ 0 & \cdots & 0 & w \\
# 0 & \cdots & 0 & 1 \end{pmatrix}, \qquad \mathrm{LSA}(Z) = Z + \frac1n\, V Z\, (Z^\top W Z) .
# ```
#
# There is no softmax. This token layout is that of {cite}`huang2025`, on which the companion stands; what we have seen
# of paper A states none. A layer of attention as a step of gradient descent goes back to {cite}`vonoswald2023` and was
# analysed in {cite}`ahn2023` and {cite}`zhang2023`; the in-context regression task is that of {cite}`garg2022`.

# %% tags=["hide-input"]
import numpy as np
import torch

from a2a.book.claims import Checks
from a2a.book.figures import style
from a2a.lsa import LinearSelfAttention

style()
torch.set_num_threads(1)  # tensors this small gain nothing from more
rng = np.random.default_rng(seed)
layer = LinearSelfAttention.gradient_step(d, eta)
rows = layer.rows
checks = Checks("linear self-attention")

# %% [markdown]
# ## The construction
#
# Write $V_{wx}$ for the block of $V$ with the rows of $w$ and the columns of $x$, and so on. The constructed weights
# are
#
# ```{math}
# :label: eq-lsa-weights
# V_{wx} = -\eta I, \qquad W_{xw} = I, \qquad W_{y1} = -1, \qquad \text{and everything else } 0 .
# ```

# %%
from a2a import GradientAgent, sample_prompt
from a2a.lsa.attention import tokens

theta, w = rng.standard_normal((2, instances, d))
prompt = sample_prompt(rng, n, d, theta)
Z = tokens(prompt.X[0], prompt.y[0], w[0])  # of the first prompt

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import panels, show
from a2a.book.plots import blocks


def heat_maps(matrices, named, height, **columns):
    """Side by side, in one scale of colours."""
    fig, axes = panels(len(matrices), height=height)
    limit = max(float(abs(matrix).max()) for matrix in matrices.values())
    for ax, (name, matrix) in zip(axes, matrices.items(), strict=True):
        blocks(ax, matrix, named, columns.get(name, named))
        ax.images[0].set_clim(-limit, limit)
        ax.set_title(f"${name[0]}${name[1:]}")
    return fig, axes


named = {"x": rows["x"], "y": rows["y"], "w": rows["w"], "1": rows["constant"]}
V, W = layer.V.detach(), layer.W.detach()
parts = {"examples": slice(0, n), "query": slice(n, None)}
fig, axes = heat_maps({"Z": Z, "V": V, "W": W}, named, 3.4, Z=parts)
axes[1].text(0.7 * d, 1.3 * d, r"$-\eta I$")
axes[2].text(1.75 * d, 0.25 * d, "$I$")
axes[2].text(1.75 * d, 1.25 * d, r"$-1$")
show("fig-lsa-layout", fig)

# %% [markdown]
# ```{glue:figure} fig-lsa-layout
# ---
# name: fig-lsa-layout
# alt: >-
#   Three heat maps. Z has random entries in the rows x and y for the n examples and in the rows w and 1 for the query.
#   V has the block minus eta times the identity in row w, column x. W has the identity in row x, column w and minus 1
#   in row y, column 1.
# ---
# The tokens of one prompt and the constructed weights, in one scale of colours. In each matrix only the marked blocks
# are not 0: examples carry x and y, the query carries w and 1; W lets an example's x meet the query's w and its y the
# query's 1, and V moves x into the row of w.
# ```

# %% [markdown]
# ```{prf:theorem} Constructed weights take one gradient step
# :label: thm-lsa-step
# With the weights {eq}`eq-lsa-weights` the last column of $\mathrm{LSA}(Z)$ is $(0, 0, f(w), 1)$, for every prompt and
# every $w$.
# ```
# ```{prf:proof}
# Let $q = (0, 0, w, 1)$ be the last column of $Z$. Then $Wq$ has $w$ in the rows of $x$, $-1$ in the row of $y$ and 0
# elsewhere. The score of example $i$ is therefore $s_i = (x_i, y_i, 0, 0) \cdot Wq = x_i^\top w - y_i$, its residual,
# and the query's score with itself is $q \cdot Wq = 0$. The last column of $Z\,(Z^\top W Z)$ is
# $\sum_i s_i\,(x_i, y_i, 0, 0)$. Of it $V$ keeps only the $x$ part, scales it by $-\eta$ and puts it into the rows of
# $w$: what is added to $q$ is $-\frac{\eta}{n}\sum_i x_i (x_i^\top w - y_i) = -\eta\,\nabla L(w)$ there and 0 in all
# other rows.
# ```
#
# The proof, repeated with symbols for every entry ($d = 2$, $n = 3$): the whole of $\mathrm{LSA}(Z)$ is computed, all
# columns attending to all.

# %% tags=["nbval-check-output"]
import sympy as sp

X_ = sp.Matrix(3, 2, sp.symbols("x1:4(1:3)"))
y_, w_ = sp.Matrix(sp.symbols("y1:4")), sp.Matrix(sp.symbols("w1:3"))
eta_ = sp.Symbol("eta", positive=True)
Z_ = sp.zeros(6, 4)
Z_[:2, :3], Z_[2, :3], Z_[3:5, 3], Z_[5, 3] = X_.T, y_.T, w_, 1
unit = LinearSelfAttention.gradient_step(2, 1.0)  # V is proportional to eta
V_, W_ = (sp.Matrix(part.detach().int().tolist()) for part in (unit.V, unit.W))
last = (Z_ + eta_ * V_ * Z_ * (Z_.T * W_ * Z_) / 3)[:, 3]
step_ = w_ - eta_ * X_.T * (X_ * w_ - y_) / 3
off = (last - sp.Matrix([0, 0, 0, *step_, 1])).expand()
print("last column minus (0, 0, f(w), 1):", list(off))

# %% [markdown]
# And in numbers, over many random prompts: `last_column` computes the whole of $\mathrm{LSA}(Z)$, too.

# %%
from a2a.linalg import norm
from a2a.lsa import LSAAgent
from a2a.lsa.attention import last_column

agent = GradientAgent.from_prompt(prompt, eta)
stepped, answer = agent(w), LSAAgent(layer, prompt)(w)
# the scores of all tokens are a matrix of (n + 1) x (n + 1): of long prompts a few are enough
some = slice(max(1, 10**7 // (n + 1) ** 2))
few = prompt.X[some], prompt.y[some], w[some]
rest = np.zeros((instances, 1))
wanted = np.concatenate([0 * w, rest, stepped, rest + 1], axis=-1)
size = norm(w) + norm(stepped)

# %% tags=["nbval-check-output"]
from a2a.book.evidence import close, within

all_tokens = norm(last_column(layer, *few) - wanted[some]) / size[some]
what = "constructed layer minus gradient step, relative: all tokens attend to all"
checks.add("A1", what, close(all_tokens, tolerance=1e-12))
what = "constructed layer minus gradient step, relative: the query's column alone"
checks.add("A1", what, close(norm(answer - stepped) / size, tolerance=1e-12))

# %% [markdown]
# ## Only the query's column is needed
#
# Computed with its $(n+1) \times (n+1)$ scores, $\mathrm{LSA}(Z)$ costs $O(n^2 d + n d^2)$ operations (without a
# softmax $V(ZZ^\top)(WZ)$ would do with $O(n d^2)$), but its last column needs only the scores of the last column,
# $Z^\top (W q)$, and one weighted sum of the tokens: $O(n d + d^2)$. `LinearSelfAttention` computes that and nothing
# else. It must agree with the full attention for any weights, so the check draws all of $V$ and $W$ at random. Both
# costs are then counted, by PyTorch's counter of floating-point operations.

# %% tags=["nbval-check-output"]
generator = torch.Generator().manual_seed(seed)
dense = LinearSelfAttention(d, generator=generator, scale=1.0)
column = dense.query_column(*map(torch.from_numpy, few)).detach().numpy()
full = last_column(dense, *few)
difference = norm(column - full) / norm(full)
print("random V and W: relative difference", within(difference, 1e-12))

# %%
from a2a.lsa.attention import operations

sizes = np.array([50, 100, 200, 400, 800, 1600, 3200]) * d
cost_full, cost_column = zip(*(operations(d, int(m)) for m in sizes), strict=True)

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import FIRST, SECOND, power_law

fig, ax = panels()
for cost, label, color, slope in (
    (cost_full, "all tokens attend to all", SECOND, 2),
    (cost_column, "the query's column alone", FIRST, 1),
):
    power_law(ax, sizes, cost, label=label, color=color, slope=slope)
ax.set(xlabel="examples in the prompt, n", ylabel="floating-point operations")
ax.legend()
show("fig-lsa-cost", fig)

# %% [markdown]
# ```{glue:figure} fig-lsa-cost
# ---
# name: fig-lsa-cost
# alt: >-
#   Two straight lines on log axes: the attention of all tokens to all tokens rises with slope 2; the query's column
#   alone lies below it and rises with slope 1.
# ---
# Floating-point operations of the layer against the number of examples, counted. Dashed lines have the slopes 2 and 1.
# ```

# %% [markdown]
# ## Earlier estimates in the prompt
#
# A chain of thought appends every new estimate as a further column $(0, 0, w_k, 1)$ {cite}`huang2025`.
#
# ```{prf:theorem} When a layer ignores earlier estimates
# :label: thm-lsa-history
# Let $z = (w, 1)$ and $z_k = (w_k, 1)$ for earlier estimates $w_1, \ldots, w_m$, $m \ge 1$, and write $W_o$ for the
# rows and columns of $w$ and $1$ in $W$. They add
#
# $$\frac1n \sum_{k=1}^m (z_k^\top W_o\, z)\,(V_{ww} w_k + V_{w1})$$
#
# to the query's $w$ block. That is 0 for all $w$ and all $w_k$ if and only if $W_o = 0$, or $V_{ww} = 0$ and
# $V_{w1} = 0$.
# ```
# ```{prf:proof}
# An earlier column is read like any token, and it is 0 outside the rows of $w$ and 1: its score is $z_k^\top W_o z$,
# and what $V$ passes on is $V_{ww} w_k + V_{w1}$; $n$ stays the number of examples. With all $w_k$ equal the sum is $m$
# times a product of two polynomials in $w_k$ and $w$, so it is 0 only if one of them is; a bilinear form in $z_k$ and
# $z$ whose last entries are 1 is 0 only if all its coefficients are.
# ```
#
# The constructed weights meet both conditions: an agent of such layers that keeps its whole history is the agent that
# keeps the last estimate. What learned layers do is measured {ref}`below <learned-history>`.

# %%
few = tuple(part[:200] for part in few)
earlier = rng.standard_normal((len(few[0]), 20, d))
exact = agent(w)[some][:200]


def with_history(layer, m):
    """The query's w block with m earlier estimates in the prompt."""
    return last_column(layer, *few, earlier[:, :m])[:, rows["w"]]


# %% tags=["nbval-check-output"]
off = norm(with_history(layer, 20) - exact) / size[: len(exact)]
what = "constructed layer with 20 earlier estimates minus gradient step, relative"
checks.add("A1", what, close(off, tolerance=1e-12))

# %% [markdown]
# ## One agent alone
#
# An agent that reads its own output repeats the step, $w_t - \theta = M^t (w_0 - \theta)$: it converges to $\theta$
# from every start if and only if $\rho(M) < 1$, that is $0 < \eta\lambda < 2$ for all eigenvalues $\lambda$ of $S$, and
# the slowest error then shrinks by $\rho(M)$ a step. With label noise of standard deviation $\sigma$ nothing changes
# but the objective: $\theta$ is the least-squares solution of the noisy prompt. For standard normal inputs and
# $n > d + 1$ its mean squared distance from the vector behind the labels is $\sigma^2 d/(n-d-1)$, because
# $\mathrm{E}\,(X^\top X)^{-1} = I/(n-d-1)$; for $n < d - 1$ the shortest least-squares solution also misses what no
# example shows, $d - n + \sigma^2 n/(d-n-1)$ for standard normal objectives; between, with $\sigma > 0$, infinite.

# %%
from a2a import take_turns
from a2a.agents import held

noisy = sample_prompt(rng, n, d, theta, noise=noise)
alone, alone_noisy = (
    take_turns([held(LSAAgent(layer, shown), far=1e6)], w, turns)[:, 0]
    for shown in (prompt, noisy)
)

# %% tags=["nbval-check-output"]
from a2a.prompts import label_noise_error

distance = norm(noisy.theta - theta)
measured, foretold = np.sqrt(np.mean(distance**2)), label_noise_error(n, d, noise)
told = "least squares to the vector behind noisy labels, rms"
print(f"{told}: {measured:.2f}, in theory {foretold:.2f}")

# %% tags=["hide-input", "remove-output"]
from a2a.book.figures import HELPED, errors_by_turn

curves = {
    "noisy labels, to the true vector": (alone_noisy - theta, SECOND, "-"),
    r"clean labels, to $\theta$": (alone - theta, FIRST, "-"),
    "noisy labels, to least squares": (alone_noisy - noisy.theta, HELPED, ":"),
}
fig, ax = panels()
for name, (off, color, kind) in curves.items():
    plateau = distance if noise and color == SECOND else None
    curve = {"color": color, "style": kind, "plateau": plateau}
    errors_by_turn(ax, norm(off), label=name, **curve)
ax.set(ylabel="distance")
ax.legend()
show("fig-lsa-alone", fig)

# %% [markdown]
# ```{glue:figure} fig-lsa-alone
# ---
# name: fig-lsa-alone
# alt: >-
#   Distance against turn on a log axis: with clean labels to theta, with noisy labels to the least-squares solution and
#   to the vector behind the labels. Where the step is small enough and the examples span all directions, the last one
#   levels off at the dashed line and the others go on falling.
# ---
# The constructed layer, left alone, with and without label noise: mean over prompts, band from the 10th to the 90th
# percentile. Dashed, the mean distance from the vector behind the noisy labels to the least-squares solution. Prompts
# that make the agent diverge are held at a million.
# ```

# %% [markdown]
# The rate is checked on starts along the slowest direction. The whole way of an agent is compared with
# $\theta + M^t(w_0 - \theta)$, for noisy labels with a $\theta$ from a least-squares solver, where no prompt makes the
# agent diverge.

# %% tags=["nbval-check-output"]
from a2a.agents import left_alone, slowest

direction, radius = slowest(agent)
rate = norm(LSAAgent(layer, prompt)(theta + direction) - theta)
what = "rate of one layer along its slowest direction minus rho(I - eta S)"
checks.add("A1", what, close(rate - radius, tolerance=1e-9))

# %%
from a2a.book.claims import requires
from a2a.linalg import matvec, operator_norm


def follows(what, ended, agent):
    """The check that an agent left alone has got where the theory has it."""
    expected = left_alone(agent, w, turns)
    off = norm(ended - expected) / (norm(expected) + norm(w))
    small = requires("largest eta lambda", operator_norm(agent.step), "<", 2)
    checks.add("A1", what, close(off, tolerance=1e-8), given=[small])


# %% tags=["nbval-check-output"]
what = "agent left alone minus theta + M^t (w_0 - theta), relative"
follows(what, alone[-1], GradientAgent(prompt.S, theta, eta))
pairs = zip(noisy.X, noisy.y, strict=True)
fitted = np.array([np.linalg.lstsq(X, y, rcond=None)[0] for X, y in pairs])
what = "the same with noisy labels and the least-squares solution, relative"
follows(what, alone_noisy[-1], GradientAgent(noisy.S, fitted, eta))

# %% [markdown]
# With fewer examples than dimensions, $S$ has a kernel. The gradient has no component there: the agent finds $\theta$
# in the directions that its examples span and leaves what it was handed in all others. (Here $\eta$ is 1 over the
# largest eigenvalue in any prompt, because that grows as $n$ falls, and $n$ is $d/2$.)

# %%
scarce = sample_prompt(rng, max(d // 2, 1), d, theta)
short = 1 / float(operator_norm(scarce.S).max())
cautious = LSAAgent(LinearSelfAttention.gradient_step(d, short), scarce)
ended = take_turns([cautious], w, turns, history=False)[0, 0]
unseen = np.eye(d) - np.linalg.pinv(scarce.X) @ scarce.X

# %% tags=["nbval-check-output"]
what = "d / 2 examples: what moves in directions without an example"
moved = matvec(unseen, ended - w)
checks.add("A1", what, close(norm(moved) / norm(w), tolerance=1e-9))
what = "d / 2 examples: agent minus theta + M^t (w_0 - theta), relative"
follows(what, ended, GradientAgent(scarce.S, theta, short))

# %% [markdown]
# ## Which other weights take the same step?
#
# Multiplying $V$ by $c$ and dividing $W$ by $c$ changes nothing, so the scale of the two is free; we fix it by
# $W_{y1} = -1$. What a training may find beyond that is settled as well.
#
# ```{prf:theorem} The step determines the blocks
# :label: thm-lsa-unique
# For some $n \ge 1$, let the query's $w$ block be $f(w)$ for all $X$, all $\theta$ with labels $y = X\theta$, and all
# $w$. Then, in the scale $W_{y1} = -1$,
#
# $$V_{wx} = -\eta I, \quad W_{xw} = I, \quad W_{x1} = 0, \quad W_{yw} = 0, \quad V_{wy} = 0,$$
#
# and either $V_{ww} = 0$ and $V_{w1} = 0$, or the query doesn't attend to itself: $W_{ww}$ is antisymmetric,
# $W_{w1} = -W_{1w}^\top$ and $W_{11} = 0$. Every such layer takes the gradient step for every $n$, with any labels.
# ```
# ```{prf:proof}
# The query's $w$ block moves by $\frac1n$ times
#
# $$\sum_i (V_{wx} x_i + V_{wy} y_i)\,\big(x_i^\top (W_{xw} w + W_{x1}) + y_i (W_{yw} w + W_{y1})\big)
# + s(w)\,(V_{ww} w + V_{w1}),$$
#
# with the query's own score $s(w) = w^\top W_{ww} w + w^\top W_{w1} + W_{1w} w + W_{11}$. It must equal
# $-\eta \sum_i x_i x_i^\top (w - \theta)$, and both sides are polynomials in $x_i$, $\theta$ and $w$: their terms agree
# one by one. At $X = 0$ only $s(w)(V_{ww}w + V_{w1})$ is left, and a product of polynomials is 0 only if one factor is;
# a quadratic form is 0 only if its matrix is antisymmetric. Now let one $x \neq 0$ and the others be 0. The terms
# without $\theta$ say $V_{wx}x \cdot x^\top(W_{xw}w + W_{x1}) = -\eta\,x\,x^\top w$. So $V_{wx}x$ is a multiple of $x$
# for every $x$, hence $V_{wx} = \alpha I$ with $\alpha \neq 0$, $W_{xw} = -(\eta/\alpha) I$ and $W_{x1} = 0$. The terms
# linear in $\theta$ and free of $w$ say $\alpha W_{y1} = \eta$, and $W_{y1} = -1$ makes $\alpha = -\eta$. Those linear
# in both say, after division by $x^\top\theta$, $\alpha\,x\,(W_{yw}w) = (\eta/\alpha)\,V_{wy}\,(x^\top w)$. For
# $d \ge 2$ take $w \perp x$: $W_{yw}w = 0$ for every $w$, so $W_{yw} = 0$ and then $V_{wy} = 0$. For $d = 1$ the terms
# quadratic in $\theta$ and linear in $w$, $V_{wy}W_{yw} = 0$, say the same. Conversely, with these blocks the examples
# contribute the step by the proof of {prf:ref}`thm-lsa-step`, whatever the labels, and the own term is 0: in the first
# case because of its second factor; in the second because $w^\top W_{ww}w = 0$ for an antisymmetric matrix and
# $w^\top W_{w1} + W_{1w}w = 0$.
# ```
#
# A check of the count, at $d = 3$. The weights that act on the query's $w$ block number $d(2d+2)$ in $V$ and
# $(2d+2)(d+1)$ in $W$. By the theorem $2d^2 + 3d$ independent changes of the six blocks through which the examples act
# show at first order (all but the trade of scale). Where $V_{ww}$ and $V_{w1}$ are 0 and the query attends to itself,
# so do all $d(d+1)$ changes of those two; where they are not 0 and it doesn't, all $(d+1)(d+2)/2$ changes of the
# symmetric part of its score. At the constructed weights, where the two branches of solutions cross, neither shows.
# That must be the rank of the derivative of the layer's answers by its weights.

# %%
probes = sample_prompt(rng, 5, 3, rng.standard_normal((200, 3)))
probe_w = rng.standard_normal((200, 3))
construct = LinearSelfAttention.gradient_step
crossing, attending, moving = (construct(3, 0.3) for _ in range(3))
attending.W[4:, 4:] = torch.from_numpy(rng.standard_normal((4, 4)))
moving.V[4:7, 4:] = torch.from_numpy(rng.standard_normal((3, 4)))

# %% tags=["nbval-check-output"]
from a2a.book.tables import Table
from a2a.lsa.blocks import derivative_rank

layers = {
    "the constructed weights": (crossing, 0),
    "a query that attends to itself, V_ww = V_w1 = 0": (attending, 3 * 4),
    "one that doesn't, any V_ww and V_w1": (moving, 4 * 5 // 2),
}
ranks = [derivative_rank(one, probes, probe_w) for one, _ in layers.values()]
predicted = [2 * 3**2 + 3 * 3 + own for _, own in layers.values()]
Table(["at", "rank", "predicted"], zip(layers, ranks, predicted, strict=True))

# %% [markdown]
# ## Training
#
# All of $V$ and $W$, $2(2d+2)^2$ numbers, start at small random values and are trained on the squared error of the
# whole query column against $(0, 0, f(w), 1)$, on fresh prompts at every step: standard normal inputs and objectives,
# and $w$ after up to three gradient steps from a standard normal start, because that is what an agent meets in use.
# {prf:ref}`thm-lsa-unique` says what has to come out if the loss goes to 0.

# %%
from a2a.lsa import train_lsa
from a2a.places import build_folder

kept = {"steps": steps, "cache": build_folder() / "lsa"}
learned = [train_lsa(d, n, eta, seed=seed + k, **kept) for k in range(trainings)]

# %% tags=["hide-input", "remove-output"]
fig, ax = panels()
for k, trained in enumerate(learned):
    style_of = {"color": f"C{3 + k % 3}", "label": f"training {k + 1}"}
    ax.semilogy(np.arange(1, steps + 1), trained.losses, linewidth=1, **style_of)
ax.set(xlabel="step of training", ylabel="loss on the current batch")
ax.legend()
show("fig-lsa-loss", fig)

# %% [markdown]
# ```{glue:figure} fig-lsa-loss
# ---
# name: fig-lsa-loss
# alt: A curve of the loss against the step of training for each random start, on a log axis.
# ---
# Training loss against the step of training, for each random start.
# ```

# %% [markdown]
# Whether a training has come far enough to be judged is read off its own loss, the mean over the last twentieth of its
# steps: its root must be at most a thousandth of the step itself, whose root mean square on standard normal prompts is
# $\eta\sqrt{2dc}$ with $c = 1 + (d+1)/n$, because $\mathrm{E}\,S^2 = cI$.

# %%
c = 1 + (d + 1) / n
step_size = eta * np.sqrt(2 * d * c)
last = slice(-max(1, steps // 20), None)
losses = np.array([np.mean(trained.losses[last]) for trained in learned])
trained_to = np.sqrt(losses) / step_size
what = "root of the training loss over the step"
converged = requires(what, trained_to, "<=", 1e-3)

# %% [markdown]
# The learned weights are brought to the scale $W_{y1} = -1$ and laid beside the constructed ones in
# {numref}`fig-lsa-headline`.

# %% tags=["hide-input"]
from a2a.book.figures import headline
from a2a.lsa.blocks import in_one_gauge

V_k, W_k = map(np.ma.array, in_one_gauge(learned[0]))
W_k[:, : d + 1] = np.ma.masked  # the query is 0 there
pairs = {
    "V constructed": V,
    "V learned": V_k,
    "W constructed": W,
    "W learned": W_k,
}
fig, _ = heat_maps(pairs, named, 2.8)
headline("lsa-headline", fig)

# %% [markdown]
# ## What a small loss implies, and what it doesn't
#
# ````{prf:theorem} A small loss leaves the blocks little room
# :label: thm-lsa-close
# Let $d \ge 2$, let $X$, $\theta$ and $w$ be standard normal, $y = X\theta$, and let $L$ be the mean square of what the
# layer misses in the query's $w$ block. Put $c = 1 + (d+1)/n$, $\varepsilon = \sqrt{L/c}$ and
# $\gamma = \sqrt{1 + n/(d+1)}$. In the scale $W_{y1} = -1$ (if $\varepsilon < \eta\sqrt{d-1}$ it isn't 0: part (2)
# would be too large), with $E_V = V_{wx} + \eta I$, $E_W = W_{xw} - I$ and Frobenius norms,
#
# ```{math}
# :label: eq-lsa-close
# |V_{wy}| \le \frac{\varepsilon}{\sqrt{2d}}, \qquad
# |W_{x1}| \le \frac{\varepsilon\,(\sqrt{n+d+1} + 1)}{\eta\sqrt{d-1} - \varepsilon}, \qquad
# \|E_V\| \le \varepsilon + |V_{wy}|\,|W_{x1}| ,
# ```
#
# where $\varepsilon < \eta\sqrt{d-1}$, and if the bound on $\|E_V\|$ is at most $\eta/2$,
#
# $$\|E_W\| \le \frac{2}{\eta}\Big(\gamma\varepsilon + \|E_V\| + \frac{\varepsilon}{\sqrt{d+1}}\Big), \qquad
# |W_{yw}| \le \frac{2}{\eta\sqrt d}\big(\varepsilon + |V_{wy}|(\sqrt d + \|E_W\|)\big) .$$
#
# Under the same condition the query's own term $s(w)(V_{ww}w + V_{w1})/n$ has, over $w$, a root mean square of at most
# $\sqrt L + \tfrac32\eta\,(\|E_W\| + |W_{x1}|) + \|E_V\| + \sqrt{d/2}\,\varepsilon$.
# ````
# ```{prf:proof}
# Write $V, v, W, p, u$ for $V_{wx}, V_{wy}, W_{xw}, W_{x1}, W_{yw}^\top$ and $G = S - I$. Parts of the miss of
# different degree (of Hermite polynomials) in $\theta$, in $w$, or with and without $G$, are uncorrelated, so the mean
# square of each is at most $L$. (1) Degree 2 in $\theta$: $v\,(\theta^\top S\theta - \mathrm{tr}\,S)(u^\top w - 1)$,
# mean square $2dc\,|v|^2(1 + |u|^2)$. (2) Degree 1 in $\theta$, 0 in $w$: $-(E_V - v p^\top) S\theta$, mean square
# $c\,\|E_V - vp^\top\|^2$. (3) Degree 0 in both, with $G$: $VGp - v\,\mathrm{tr}\,G$; here
# $\mathrm{E}|VGp|^2 \ge \|V\|^2|p|^2/n$, $\mathrm{E}(\mathrm{tr}\,G)^2 = 2d/n$, and by (2) $V$ is within $\varepsilon$
# of $-\eta I$ plus a matrix of rank one, so that $\|V\| \ge \eta\sqrt{d-1} - \varepsilon$. (4) Degree 1 in $w$, 0 in
# $\theta$, with $G$: $VGE_W w + E_VGw + v\,\mathrm{tr}(G)\,u^\top w$; no singular value of $V$ is below $\eta/2$,
# $\mathrm{E}\,G^2 = \frac{d+1}{n}I$, and $|v||u| \le \varepsilon/\sqrt{2d}$ by (1). (5) Degree 1 in both:
# $VS\theta\,(u^\top w) + v\,\theta^\top SWw$, mean squares $c\|V\|^2|u|^2$ and $c|v|^2\|W\|^2$, with
# $\|V\| \ge \eta\sqrt d/2$. The own term is the mean of the miss over $X$ and $\theta$ without the other parts' means,
# $(VE_W + E_V)w + Vp + dv(u^\top w - 1)$.
# ```
#
# A quarter of the training prompts are those of the theorem, so $L$ is at most four times the loss; the check takes
# eight times the loss of the last steps, to leave room for chance. A small loss does **not** tell which factor of the
# own term has vanished, says nothing of earlier estimates, for which the antisymmetric part of the score counts, too,
# and little of prompts far from those of the training, which the next sections measure.

# %%
from a2a.lsa.closeness import ANYTHING, allowed_deviation, deviation

starts = rng.standard_normal((10_000, d))
deviations = [deviation(trained, eta, starts, n) for trained in learned]
allowed = [allowed_deviation(8 * loss, d, n, eta) for loss in losses]
if not converged.holds:
    allowed = [ANYTHING] * trainings  # far from convergence

# %%
columns = "norm, largest of all trainings", "is", "may be"
largest = (np.max(of, axis=0) for of in (deviations, allowed))
texts = [[f"{value:.0e}" for value in of] for of in largest]
Table(columns, zip(ANYTHING._fields, *texts, strict=True))

# %% tags=["nbval-check-output"]
from a2a.book.evidence import every

wide = requires("d", d, ">=", 2)
shares = np.array([bound.E_V / eta for bound in allowed])
reach = requires("bound on V_wx + eta I over eta", shares, "<=", 0.5)
given = [converged, wide, reach]
what = "learned blocks and own term: distance from the constructed ones within what the loss allows"
kept_to = every(np.array(deviations) <= np.array(allowed))
checks.add("A2", what, kept_to, given=given)

# %% [markdown]
# ## How well does the learned step carry over?
#
# The error is measured relative to the step, first on fresh prompts like those of the training, then on prompts of
# other lengths, then on inputs whose population covariance has another condition number (eigenvalues spread evenly on a
# log scale, mean 1, directions random). Beside it stands the part of the error that comes from the query's own term.
# {eq}`eq-lsa-close` says what it can be for any prompt without label noise:
#
# $$|\mathrm{LSA}(w) - f(w) - \text{own term}| \le \|S\|\Big[(\|E_V\| + |V_{wy}||\theta|)\,|w-\theta|
# + (\eta + \|E_V\| + |V_{wy}||\theta|)\,\big(\|E_W\||w| + |W_{x1}| + |W_{yw}||\theta||w|\big)\Big] .$$

# %%
from a2a.lsa.closeness import root_mean_square as rms
from a2a.lsa.closeness import survey

# for each training and kind of prompt: sizes of step, miss, own term, rest, and the rest's bound
trained_to_step = rng, learned, allowed, eta
on_fresh = rms(survey(*trained_to_step, [(n, None)], instances))[:, 0]
relative = on_fresh[:, 1] / on_fresh[:, 0]

# %%
from a2a.book.prose import glue_text

kind = "finds them" if converged.holds else "has not come that far here"
told = f"Training from random weights {kind}: on prompts that it has never seen, "
told += (
    f"the learned layer misses the gradient step by {relative.max():.0e} of it."
)
glue_text("lsa-learned", told)

# %%
from a2a import random_covariance

lengths = np.unique(np.geomspace(1, 10 * n, 10).astype(int))
conditions = np.geomspace(1, 1e4, 9)
spectra = [np.geomspace(1, kappa, d) for kappa in conditions]
others = [random_covariance(rng, values / values.mean()) for values in spectra]
several = min(instances, 200)
by_length = survey(*trained_to_step, [(m, None) for m in lengths], several)
by_condition = survey(*trained_to_step, [(n, C) for C in others], several)

# %% tags=["hide-input", "remove-output"]
fig, axes = panels(2, sharey=True)
shown = (lengths, by_length), (conditions, by_condition)
for ax, (x, of) in zip(axes, shown, strict=True):
    step, error, own, *_ = np.moveaxis(rms(of), -1, 0)
    for k in range(trainings):
        of_k = {"color": f"C{3 + k % 3}", "markersize": 4}
        ax.loglog(x, error[k] / step[k], "o-", label=f"training {k + 1}", **of_k)
        ax.loglog(x, own[k] / step[k], "--", linewidth=1, **of_k)
axes[0].axvline(n, color="#888888", linestyle=":")
axes[0].set(xlabel="examples in the prompt, n", ylabel="relative step error")
axes[1].set(xlabel="condition number of the population covariance")
axes[0].legend()
show("fig-lsa-generalises", fig)

# %% [markdown]
# ```{glue:figure} fig-lsa-generalises
# ---
# name: fig-lsa-generalises
# alt: >-
#   Two panels on log axes, a solid and a dashed curve for each training. Left: relative step error and the part from
#   the own term against the number of examples. Right: the same against the condition number of the inputs' covariance.
# ---
# Relative error of the learned step (solid, root mean square) on prompts of other lengths (the training's is dotted)
# and on inputs with other spectra, for each training. Dashed, the part of it that the query's own term makes.
# ```

# %% [markdown]
# The own term is the one part of the layer's answer in which no example takes part: it enters with the weight $1/n$, so
# that what training has left of it is heaviest where $n$ is small. The deviation of the acting blocks stays for prompts
# of any length. {doc}`05_trained_agents` meets the own term again.

# %% tags=["nbval-check-output"]
what = "relative step error of the learned layers on fresh prompts, rms"
long = requires("steps of training", steps, ">=", 1000)
effort = {"given": [long, requires("examples", n, ">=", d)]}
effort["otherwise"] = "more steps of training may help"
checks.add("A2", what, close(relative, tolerance=1e-2), **effort)
longer = rms(by_length[:, lengths >= n])
other = np.concatenate([longer, rms(by_condition)], axis=1)
what = "the same on longer prompts and on other spectra, rms"
error = other[..., 1] / other[..., 0]
checks.add("A2", what, close(error, tolerance=1e-2), given=[converged])

# %% tags=["nbval-check-output"]
both = [np.moveaxis(of, 2, 0).reshape(5, -1) for of in (by_length, by_condition)]
step, _, _, error, bound = np.concatenate(both, axis=1)
what = "step error without the own term, any length and spectrum, within what the loss allows"
held_to = every(error <= bound + 1e-12 * (1 + step))
checks.add("A2", what, held_to, given=given)

# %% [markdown]
# (learned-history)=
# ## Do learned layers ignore earlier estimates?
#
# {prf:ref}`thm-lsa-history` wants one of two factors to be 0. A loss of 0 wants less: it is enough that the scores of
# $w$ and 1 among themselves, $W_o$, are antisymmetric, so that the query's own score is 0 for every $w$; the score
# between *two* estimates is then not 0 unless $W_o = 0$. So a layer that has learned the step may still be disturbed by
# estimates that it never saw in training. The table shows, in the scale $W_{y1} = -1$, the largest entries of the
# symmetric and of the antisymmetric part of $W_o$ and of $(V_{ww}, V_{w1})$, and the step error with 0, 1, 5 and 20
# earlier estimates in the prompt.


# %%
def row(name, layer):
    """The largest entries of the three parts, and median step errors with earlier estimates."""
    V, W = (part[:, d + 1 :] for part in in_one_gauge(layer))
    W_o, V_o = W[d + 1 :], V[rows["w"]]
    symmetric, antisymmetric = (W_o + W_o.T) / 2, (W_o - W_o.T) / 2
    parts = [part.abs().max() for part in (symmetric, antisymmetric, V_o)]
    for m in (0, 1, 5, 20):
        off = norm(with_history(layer, m) - exact)
        parts.append(np.median(off / norm(exact - few[2])))
    return name, *(f"{part:.0e}" for part in parts)


columns = "weights", "W_o: symmetric", "antisymmetric", "V", "0", "1", "5", "20"
of_learned = [row(f"training {k + 1}", one) for k, one in enumerate(learned)]
title = "largest entries; step error with 0, 1, 5 and 20 earlier estimates"
Table(columns, [row("constructed", layer), *of_learned], title)

# %% [markdown]
# What earlier estimates add is the sum of {prf:ref}`thm-lsa-history`, for learned and for random weights.

# %% tags=["nbval-check-output"]
from a2a.lsa.attention import earlier_term

named_layers = [("learned", one) for one in learned] + [("random", dense)]
for name, some_layer in named_layers:
    bare, added = (with_history(some_layer, m) for m in (0, 20))
    off = norm(added - bare - earlier_term(some_layer, few[2], earlier, n))
    print(f"{name} weights:", within(off / (norm(added) + norm(bare)), 1e-12))

# %% [markdown]
# ## What was checked

# %% tags=["nbval-check-output"]
checks.table()
