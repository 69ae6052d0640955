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
# An agent of paper A {cite}`cosentino2025` is one layer of linear self-attention that reads in-context examples and an estimate
# $w$. **With a few constructed weights the layer is exactly one step of gradient descent, and up to a trade of scale no other
# weights in those blocks are. Training from random weights finds them:** on prompts that it has never seen, the learned layer
# misses the gradient step by a relative error of {glue:text}`lsa-step-error`.
#
# ```{glue:figure} lsa-headline
# :name: fig-lsa-headline
# :alt: Four heat maps of 2d+2 by 2d+2 matrices with blocks x, y, w and 1. The constructed V has one negative diagonal block in row w, column x; the constructed W has a positive diagonal block in row x, column w and one negative entry in row y, column 1. The learned V and W show the same blocks; in addition V has a faint diagonal in row w, column w, and W small irregular entries in the rows and columns of w and 1.
#
# The constructed weights beside those learned from random ones, in the same scale. Grey columns are never read. Where
# they differ visibly, {prf:ref}`thm-lsa-unique` leaves them free: those blocks act through the query's attention to itself, which the
# learned layer has brought to 0.
# ```

# %% tags=["parameters"]
seed = 0  # of everything random in this notebook; the trainings have the seeds seed, seed + 1, ...
d = 10  # dimension of the regression task, at least 2
n = 20  # in-context examples in a prompt, and in training
eta = 0.3  # step size
noise = 0.5  # standard deviation of the label noise, where there is some
turns = 200  # steps of an agent that is left alone
instances = 1000  # random prompts in each numeric check
steps = 2000  # steps of training
trainings = 3  # layers trained, each from its own random weights

# %% [markdown]
# ## Setting
#
# A prompt shows $n$ examples of a linear task, the rows of $X$ with the labels $y$. Its loss and the gradient are
#
# ```{math}
# :label: eq-lsa-loss
# L(w) = \frac{1}{2n}\,\|Xw - y\|^2, \qquad \nabla L(w) = \frac1n X^\top (Xw - y) = S\,(w - \theta), \qquad S = \frac1n X^\top X ,
# ```
#
# where $\theta$ solves the least-squares problem $S\theta = X^\top y / n$; without label noise it is the vector that made the labels,
# if $S$ has full rank. One gradient step of size $\eta$ is an affine map,
#
# ```{math}
# :label: eq-lsa-step
# f(w) = w - \eta\,\nabla L(w) = M w + (I - M)\,\theta, \qquad M = I - \eta S .
# ```
#
# The layer sees tokens, the columns of a $(2d+2) \times (n+1)$ matrix with rows for $x$, $y$, $w$ and a constant. Each example is a
# column, and the last column is the query:
#
# ```{math}
# :label: eq-lsa-tokens
# Z = \begin{pmatrix} x_1 & \cdots & x_n & 0 \\ y_1 & \cdots & y_n & 0 \\ 0 & \cdots & 0 & w \\ 0 & \cdots & 0 & 1 \end{pmatrix},
# \qquad \mathrm{LSA}(Z) = Z + \frac1n\, V Z\, (Z^\top W Z) .
# ```
#
# There is no softmax. This token layout is that of {cite}`huang2025`, on which the companion stands; paper A does not state one.
# A layer of attention as a step of gradient descent goes back to {cite}`vonoswald2023` and was analysed in {cite}`ahn2023` and
# {cite}`zhang2023`; the in-context regression task is that of {cite}`garg2022`.

# %% tags=["hide-input"]
import numpy as np
import sympy as sp
import torch
from myst_nb import glue
from torch.utils.flop_counter import FlopCounterMode

from a2a import GradientAgent, random_covariance, sample_prompt, take_turns
from a2a.arrays import matvec, norm
from a2a.claims import claim, magnitude
from a2a.execute import build_folder
from a2a.lsa import LinearSelfAttention, LSAAgent, acting_blocks, train_lsa

torch.set_num_threads(1)  # tensors this small gain nothing from more
rng = np.random.default_rng(seed)
layer = LinearSelfAttention.gradient_step(d, eta)
rows = layer.rows
if d < 2:
    raise ValueError(f"wanted d >= 2, got d = {d}")

# %% tags=["hide-input"]
from a2a.figures import (
    FIRST,
    HELPED,
    SECOND,
    blocks,
    errors_by_turn,
    headline,
    panels,
    power_law,
    show,
    style,
)

style()
# %% [markdown]
# ## The construction
#
# Write $V_{wx}$ for the block of $V$ with the rows of $w$ and the columns of $x$, and so on. The constructed weights are
#
# ```{math}
# :label: eq-lsa-weights
# V_{wx} = -\eta I, \qquad W_{xw} = I, \qquad W_{y1} = -1, \qquad \text{and everything else } 0 .
# ```


# %%
def tokens(X, y, w):
    """Z for each prompt, (..., 2d + 2, n + 1)."""
    Z = np.zeros((*X.shape[:-2], 2 * X.shape[-1] + 2, X.shape[-2] + 1))
    Z[..., : X.shape[-1], :-1] = np.swapaxes(X, -1, -2)
    Z[..., X.shape[-1], :-1] = y
    Z[..., X.shape[-1] + 1 : -1, -1] = w
    Z[..., -1, -1] = 1
    return Z


theta, w = rng.standard_normal((2, instances, d))
prompt = sample_prompt(rng, n, d, theta)
Z = tokens(prompt.X, prompt.y, w)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-lsa-layout", "caption": "The tokens of one prompt and the constructed weights. In each matrix only the marked blocks are not 0: examples carry x and y, the query carries w and 1; W lets an example's x meet the query's w and its y the query's 1, and V moves x into the row of w."}, "image": {"alt": "Three heat maps. Z has random entries in the rows x and y for the n examples and in the rows w and 1 for the query. V has the block minus eta times the identity in row w, column x. W has the identity in row x, column w and minus 1 in row y, column 1."}}
named = {"x": rows["x"], "y": rows["y"], "w": rows["w"], "1": rows["constant"]}
fig, axes = panels(3, height=3.4)
for ax, matrix, columns in (
    (axes[0], Z[0], {"examples": slice(0, n), "query": slice(n, None)}),
    (axes[1], layer.V.detach().numpy(), named),
    (axes[2], layer.W.detach().numpy(), named),
):
    blocks(ax, matrix, named, columns)
axes[1].text(0.7 * d, 1.3 * d, r"$-\eta I$")
axes[2].text(1.75 * d, 0.25 * d, "$I$")
axes[2].text(1.75 * d, 1.25 * d, r"$-1$")
for ax, name in zip(axes, ("tokens $Z$", "$V$", "$W$"), strict=True):
    ax.set_title(name)
show(fig)

# %% [markdown]
# ```{prf:theorem} Constructed weights take one gradient step
# :label: thm-lsa-step
#
# With the weights {eq}`eq-lsa-weights` the last column of $\mathrm{LSA}(Z)$ is $(0, 0, f(w), 1)$, for every prompt and every $w$.
# ```
#
# ```{prf:proof}
# Let $q = (0, 0, w, 1)$ be the last column of $Z$. Then $Wq$ has $w$ in the rows of $x$, $-1$ in the row of $y$ and 0 elsewhere.
# The score of example $i$ is therefore $s_i = (x_i, y_i, 0, 0) \cdot Wq = x_i^\top w - y_i$, its residual, and the query's score with
# itself is $q \cdot Wq = 0$. The last column of $Z\,(Z^\top W Z)$ is $\sum_i s_i\,(x_i, y_i, 0, 0)$. Of it $V$ keeps only the $x$ part,
# scales it by $-\eta$ and puts it into the rows of $w$: what is added to $q$ is
# $-\frac{\eta}{n}\sum_i x_i (x_i^\top w - y_i) = -\eta\,\nabla L(w)$ there and 0 in all other rows.
# ```
#
# The proof, repeated with symbols for every entry ($d = 2$, $n = 3$): the whole of $\mathrm{LSA}(Z)$ is computed, all columns attending to all.

# %%
X_ = sp.Matrix(3, 2, sp.symbols("x1:4(1:3)"))
y_, w_ = sp.Matrix(sp.symbols("y1:4")), sp.Matrix(sp.symbols("w1:3"))
eta_ = sp.Symbol("eta", positive=True)
Z_ = sp.zeros(6, 4)
Z_[:2, :3], Z_[2, :3], Z_[3:5, 3], Z_[5, 3] = X_.T, y_.T, w_, 1

# %% tags=["nbval-check-output"]
unit = LinearSelfAttention.gradient_step(
    2, 1.0
)  # V is proportional to eta, so this leaves eta a symbol
V_, W_ = (sp.Matrix(part.detach().int().tolist()) for part in (unit.V, unit.W))
last = (Z_ + eta_ * V_ * Z_ * (Z_.T * W_ * Z_) / 3)[:, 3]
step_ = w_ - eta_ * X_.T * (X_ * w_ - y_) / 3
print(
    "last column minus (0, 0, f(w), 1):",
    list((last - sp.Matrix([0, 0, 0, *step_, 1])).expand()),
)

# %% [markdown]
# And in numbers, over many random prompts, with the attention of all tokens to all tokens written out.


# %%
def full_attention(layer, Z, n):
    V, W = (part.detach().numpy() for part in (layer.V, layer.W))
    return Z + V @ Z @ (np.swapaxes(Z, -1, -2) @ W @ Z) / n


# %%
agent = GradientAgent.from_prompt(prompt, eta)
answer = LSAAgent(layer, prompt)(w)
attended = full_attention(layer, Z, n)[..., -1]
wanted = np.concatenate(
    [0 * w, np.zeros((instances, 1)), agent(w), np.ones((instances, 1))], axis=-1
)
residual_full = norm(attended - wanted) / norm(w)
residual_layer = norm(answer - agent(w)) / norm(w)

# %% tags=["nbval-check-output"]
print(f"largest relative residual over {instances} prompts")
print(f"  all tokens attend to all: {magnitude(residual_full)}")
print(f"  the query's column alone: {magnitude(residual_layer)}")

# %% [markdown]
# ## Only the query's column is needed
#
# $\mathrm{LSA}(Z)$ costs $O(n^2 d)$ operations, but its last column needs only the scores of the last column, $Z^\top (W q)$, and one
# weighted sum of the tokens: $O(n d + d^2)$. `LinearSelfAttention` computes that and nothing else. It must agree with the full attention
# for any weights, so the check draws all of $V$ and $W$ at random. Both costs are then counted, by PyTorch's counter of
# floating-point operations.

# %% tags=["nbval-check-output"]
dense = LinearSelfAttention(
    d, generator=torch.Generator().manual_seed(seed), scale=1.0
)
inputs = [torch.from_numpy(part) for part in (prompt.X, prompt.y, w)]
column = dense.query_column(*inputs).detach().numpy()
full = full_attention(dense, Z, n)[..., -1]
print(
    f"random V and W, {instances} prompts: largest relative difference {magnitude(norm(column - full) / norm(full))}"
)


# %%
def operations(compute, *arguments):
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        compute(*arguments)
    return counter.get_total_flops()


def all_columns(layer, Z):
    return Z + layer.V @ Z @ (Z.mT @ layer.W @ Z) / (Z.shape[-1] - 1)


# %%
# tensors on the device "meta" have shapes and no entries: nothing is computed
blank = LinearSelfAttention(d).to("meta")
sizes = np.array([50, 100, 200, 400, 800, 1600, 3200]) * d
cost_full, cost_column = [], []
for m in sizes:
    shapes = (1, 2 * d + 2, m + 1), (1, m, d), (1, m), (1, d)
    everything, *parts = (
        torch.empty(shape, device="meta").double() for shape in shapes
    )
    cost_full.append(operations(all_columns, blank, everything))
    cost_column.append(operations(blank.query_column, *parts))

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-lsa-cost", "caption": "Floating-point operations of the layer against the number of examples, counted. The dashed lines have the slopes 2 and 1."}, "image": {"alt": "Two straight lines on log axes: the attention of all tokens to all tokens rises with slope 2, the query's column alone with slope 1, hundreds to thousands of times lower."}}
fig, ax = panels()
power_law(
    ax, sizes, cost_full, label="all tokens attend to all", color=SECOND, slope=2
)
power_law(
    ax, sizes, cost_column, label="the query's column alone", color=FIRST, slope=1
)
ax.set(xlabel="examples in the prompt, n", ylabel="floating-point operations")
ax.legend()
show(fig)

# %% [markdown]
# ## Earlier estimates in the prompt change nothing
#
# A chain of thought appends every new estimate as a further column $(0, 0, w_k, 1)$ {cite}`huang2025`. With the constructed weights the
# query doesn't see them: $Wq$ is 0 in the rows of $w$ and of the constant, so their scores are 0, and $V$ would read only
# their $x$ part, which is 0 too. An agent that keeps its whole history is the agent that keeps the last estimate.

# %% tags=["nbval-check-output"]
earlier = np.zeros((instances, 2 * d + 2, 5))
earlier[:, rows["w"], :] = rng.standard_normal((instances, d, 5))
earlier[:, -1, :] = 1
with_history = full_attention(layer, np.concatenate([earlier, Z], axis=-1), n)[
    ..., -1
]
print(
    f"with five earlier estimates in the prompt: largest relative residual {magnitude(norm(with_history - wanted) / norm(w))}"
)

# %% [markdown]
# ## One agent alone
#
# An agent that reads its own output repeats the step, $w_t - \theta = M^t (w_0 - \theta)$: it converges to $\theta$ if and only if
# $\rho(M) < 1$, that is $0 < \eta\lambda < 2$ for all eigenvalues $\lambda$ of $S$, and the slowest error then shrinks by $\rho(M)$ a step. With
# label noise nothing changes but the objective: $\theta$ is the least-squares solution of the noisy prompt, at a distance of order
# $\sqrt{d/n}$ from the vector behind the labels, and the agent converges to it.

# %%
noisy = sample_prompt(rng, n, d, theta, noise=noise)
alone = take_turns([LSAAgent(layer, prompt)], w, turns)[:, 0]
alone_noisy = take_turns([LSAAgent(layer, noisy)], w, turns)[:, 0]


def after(agent, w, steps):
    """Where the theory has an agent after that many steps on its own."""
    remains = (
        np.linalg.matrix_power(agent.M, steps) @ (w - agent.theta)[..., None]
    )
    return agent.theta + remains[..., 0]


# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-lsa-alone", "caption": "The constructed layer, left alone, with and without label noise: mean over prompts, band from the 10th to the 90th percentile. Dashed, the mean distance from the vector behind the noisy labels to the least-squares solution."}, "image": {"alt": "Distance against turn on a log axis. With clean labels the distance to theta falls steadily. With noisy labels the distance to the least-squares solution falls in the same way, while the distance to the vector behind the labels levels off at the dashed line."}}
fig, ax = panels()
clean, to_fit = norm(alone - theta), norm(alone_noisy - noisy.theta)
to_truth, plateau = norm(alone_noisy - theta), norm(noisy.theta - theta)
name = "noisy labels, to the true vector"
errors_by_turn(ax, to_truth, label=name, color=SECOND, plateau=plateau)
errors_by_turn(ax, clean, label=r"clean labels, to $\theta$", color=FIRST)
name = "noisy labels, to least squares"
errors_by_turn(ax, to_fit, label=name, color=HELPED, style=":")
ax.set(ylabel="distance")
ax.legend()
show(fig)

# %% [markdown]
# The rate is measured on starts along the slowest direction, where it shows from the first step on; no start is slower.

# %%
values, vectors = np.linalg.eigh(prompt.S)
slowest = np.argmax(abs(1 - eta * values), axis=-1)
direction = np.take_along_axis(vectors, slowest[:, None, None], axis=-1)[..., 0]
path = norm(
    take_turns([LSAAgent(layer, prompt)], theta + direction, 10)[:, 0] - theta
)
rate = path[-1] ** (1 / 10)
radius = agent.spectral_radius()
ratios = norm(alone[1:20] - theta) / norm(alone[:19] - theta)

# %% tags=["nbval-check-output"]
print(
    f"steps by random starts that shrink the error by less than the slowest rate: {np.sum(ratios > radius + 1e-9)}"
)
expected = after(agent, w, turns)
missed = norm(alone[-1] - expected) / np.maximum(norm(expected), norm(w))
print(
    f"after {turns} steps the agents are where theory has them, to {magnitude(missed)}"
)
print(f"prompts with a rate below 1: {np.mean(radius < 1):.1%}")

# %% [markdown]
# With fewer examples than dimensions, $S$ has a kernel. The gradient has no component there: the agent finds $\theta$ in the
# directions that its examples span and leaves what it was handed in all others. (The step is a quarter of $\eta$ here, because the
# largest eigenvalue of $S$ grows as $n$ falls.)

# %%
few = sample_prompt(rng, max(d // 2, 1), d, theta)
short_step = LinearSelfAttention.gradient_step(d, eta / 4)
ended = take_turns([LSAAgent(short_step, few)], w, turns)[-1, 0]
unseen = np.eye(d) - np.linalg.pinv(few.X) @ few.X
blind = norm(matvec(unseen, ended - w)) / norm(w)
elsewhere = norm(
    ended - after(GradientAgent.from_prompt(few, eta / 4), w, turns)
) / norm(w)

# %% tags=["nbval-check-output"]
print(
    f"n = {few.n} examples in d = {d}: in the {d - few.n} unseen directions w moves by {magnitude(blind)}"
)
print(
    f"in the others it goes to theta as the theory has it, to {magnitude(elsewhere)}"
)

# %% [markdown]
# ## Which other weights take the same step?
#
# Multiplying $V$ by $c$ and dividing $W$ by $c$ changes nothing, so the scale of the two is free; we fix it by $W_{y1} = -1$. What a
# training may find beyond that is settled as well.
#
# ```{prf:theorem} The step determines the blocks
# :label: thm-lsa-unique
#
# For some $n \ge 1$, let the query's $w$ block be $f(w)$ for all $X$, all $\theta$ with labels $y = X\theta$, and all $w$. Then, in the scale
# $W_{y1} = -1$,
#
# $$V_{wx} = -\eta I, \quad W_{xw} = I, \quad W_{x1} = 0, \quad W_{yw} = 0, \quad V_{wy} = 0,$$
#
# and either $V_{ww} = 0$ and $V_{w1} = 0$, or the query doesn't attend to itself: $W_{ww}$ is antisymmetric, $W_{w1} = -W_{1w}^\top$ and
# $W_{11} = 0$. Every such layer takes the gradient step for every $n$, with any labels.
# ```
#
# ```{prf:proof}
# The query's $w$ block moves by $\frac1n$ times
#
# $$\sum_i (V_{wx} x_i + V_{wy} y_i)\,\big(x_i^\top (W_{xw} w + W_{x1}) + y_i (W_{yw} w + W_{y1})\big) + s(w)\,(V_{ww} w + V_{w1}),$$
#
# with the query's own score $s(w) = w^\top W_{ww} w + w^\top W_{w1} + W_{1w} w + W_{11}$. It must equal $-\eta \sum_i x_i x_i^\top (w - \theta)$,
# and both sides are polynomials in $x_i$, $\theta$ and $w$: their terms agree one by one. At $X = 0$ only $s(w)(V_{ww}w + V_{w1})$
# is left, and a product of polynomials is 0 only if one factor is; a quadratic form is 0 only if its matrix is antisymmetric.
# Now let one $x \neq 0$ and the others be 0. The terms without $\theta$ say $V_{wx}x \cdot x^\top(W_{xw}w + W_{x1}) = -\eta\,x\,x^\top w$.
# So $V_{wx}x$ is a multiple of $x$ for every $x$, hence $V_{wx} = \alpha I$ with $\alpha \neq 0$, $W_{xw} = -(\eta/\alpha) I$ and $W_{x1} = 0$. The terms linear in $\theta$
# and free of $w$ say $\alpha W_{y1} = \eta$, and $W_{y1} = -1$ makes $\alpha = -\eta$. Those linear in both say, after division by
# $x^\top\theta$, $\alpha\,x\,(W_{yw}w) = (\eta/\alpha)\,V_{wy}\,(x^\top w)$. For $d \ge 2$ take $w \perp x$: $W_{yw}w = 0$ for every $w$, so
# $W_{yw} = 0$ and then $V_{wy} = 0$. For $d = 1$ the terms quadratic in $\theta$ and linear in $w$, $V_{wy}W_{yw} = 0$, say the same. The converse is
# the proof of {prf:ref}`thm-lsa-step`.
# ```
#
# A check of the count: at the constructed weights, where both alternatives hold, the weights that act on the query's $w$ block number
# $d(2d+2)$ in $V$ and $(2d+2)(d+1)$ in $W$. The theorem lets exactly $2d^2 + 3d$ independent changes show at first order. That
# must be the rank of the derivative of the layer's answers by its weights.


# %%
def answers(V, W, X, y, w):
    return torch.func.functional_call(small, {"V": V, "W": W}, (X, y, w))


# %% tags=["nbval-check-output"]
small = LinearSelfAttention.gradient_step(3, eta)
probes = sample_prompt(rng, 5, 3, rng.standard_normal((200, 3)))
probe_inputs = [
    torch.from_numpy(part)
    for part in (probes.X, probes.y, rng.standard_normal((200, 3)))
]
slopes = torch.func.jacrev(answers, argnums=(0, 1))(
    small.V.detach(), small.W.detach(), *probe_inputs
)
derivative = torch.cat([slope.reshape(600, -1) for slope in slopes], dim=1)
rank = int(torch.linalg.matrix_rank(derivative))
print(
    f"d = 3: rank of the derivative {rank}, predicted 2 d^2 + 3 d = {2 * 3**2 + 3 * 3}"
)

# %% [markdown]
# ## Training finds them
#
# All of $V$ and $W$, $2(2d+2)^2$ numbers, start at small random values and are trained on the squared error of the whole query column against
# $(0, 0, f(w), 1)$, on fresh prompts at every step: standard normal inputs and objectives, and $w$ after up to three gradient steps from
# a standard normal start, because that is what an agent meets in use. {prf:ref}`thm-lsa-unique` says what has to come out if the loss goes to 0:
# one particular pair of blocks, and with it the right step for prompts of every length and every spectrum.

# %%
cache = build_folder() / "lsa"
learned = [
    train_lsa(d, n, eta, steps=steps, seed=seed + k, cache=cache)
    for k in range(trainings)
]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-lsa-loss", "caption": "Training loss against the step of training, for each random start."}, "image": {"alt": "Curves that fall from about 10 by many orders of magnitude on a log axis, with a plateau at the beginning and a steep end as the learning rate goes to zero."}}
fig, ax = panels()
for k, trained in enumerate(learned):
    ax.semilogy(
        np.arange(1, steps + 1),
        trained.losses,
        linewidth=1,
        color=f"C{3 + k % 3}",
        label=f"training {k + 1}",
    )
ax.set(xlabel="step of training", ylabel="loss on the current batch")
ax.legend()
show(fig)

# %% [markdown]
# The learned weights are brought to the scale $W_{y1} = -1$ and laid beside the constructed ones in {numref}`fig-lsa-headline`.

# %%
scale = -float(learned[0].W[rows["y"], rows["constant"]])
pairs = {
    "$V$ constructed": layer.V.detach().numpy(),
    "$V$ learned": learned[0].V.numpy() * scale,
    "$W$ constructed": layer.W.detach().numpy(),
    "$W$ learned": np.ma.array(learned[0].W.numpy() / scale),
}
pairs["$W$ learned"][:, : d + 1] = np.ma.masked  # the query is 0 there

# %% tags=["hide-input"]
fig, axes = panels(4, height=2.8)
for ax, (name, matrix) in zip(axes, pairs.items(), strict=True):
    blocks(ax, matrix, named)
    ax.set_title(name)
headline("lsa-headline", fig)

# %% [markdown]
# The acting blocks agree with the constructed ones. For the rest {prf:ref}`thm-lsa-unique` leaves two alternatives: what the own score acts through
# in $V$ is 0, or its part of $W$ is antisymmetric. The sizes printed below show which one the trainings took.


# %%
def block_deviation(trained):
    found, built = acting_blocks(trained), acting_blocks(layer)
    return max(float((found[name] - built[name]).abs().max()) for name in built)


def own_score_parts(trained):
    """The symmetric part of W on the rows and columns of w and the constant, and what it multiplies in V."""
    scale = -float(trained.W[rows["y"], rows["constant"]])
    W, V = (
        trained.W[d + 1 :, d + 1 :] / scale,
        trained.V[rows["w"], d + 1 :] * scale,
    )
    return (
        float((W + W.mT).abs().max() / 2),
        float(V.abs().max()),
        float(W.abs().max()),
    )


# %% tags=["nbval-check-output"]
symmetric, value, whole = np.array(
    [own_score_parts(trained) for trained in learned]
).T
print(
    f"rows and columns of w and 1 in W: largest weight {whole.max():.1f}, of the symmetric part {magnitude(symmetric)}"
)
print(f"the own score acts through weights in V of up to {value.max():.1f}")

# %% [markdown]
# ## How well does the learned step carry over?
#
# The error is measured relative to the step, $|\mathrm{LSA}(w) - f(w)| / |f(w) - w|$, first on fresh prompts like those of the training, then on
# prompts of other lengths, then on inputs whose population covariance has another condition number (eigenvalues spread evenly on a
# log scale, mean 1, directions random). Beside it stands the part of the error that comes from the query's own score, with the same
# scale: $|s(w)(V_{ww}w + V_{w1})| / (n\,|f(w) - w|)$.


# %%
def step_errors(trained, n, covariance=None):
    """Relative errors of the learned step on fresh prompts, and the part of them that the own score makes."""
    theta, w = rng.standard_normal((2, instances, d))
    fresh = sample_prompt(rng, n, d, theta, covariance=covariance)
    inputs = [torch.from_numpy(part) for part in (fresh.X, fresh.y, w)]
    step = GradientAgent.from_prompt(fresh, eta)(w) - w
    W, V = (
        trained.W[d + 1 :, d + 1 :].numpy(),
        trained.V[rows["w"], d + 1 :].numpy(),
    )
    query = np.concatenate([w, np.ones((instances, 1))], axis=-1)
    own = np.sum(query @ W * query, axis=-1, keepdims=True) * (query @ V.T) / n
    missed = trained(*inputs).numpy() - w - step
    return norm(missed) / norm(step), norm(own) / norm(step)


# %%
def spread(condition):
    spectrum = np.geomspace(1, condition, d)
    return random_covariance(rng, spectrum / spectrum.mean())


on_fresh = np.array([step_errors(trained, n)[0] for trained in learned])
glue("lsa-step-error", f"{on_fresh.mean():.0e}", display=False)

# %%
lengths = np.unique(np.geomspace(1, 10 * n, 10).astype(int))
conditions = np.geomspace(1, 1e4, 9)
by_length = np.median(
    [[step_errors(trained, m) for m in lengths] for trained in learned], axis=-1
)
by_condition = np.median(
    [
        [step_errors(trained, n, spread(k)) for k in conditions]
        for trained in learned
    ],
    axis=-1,
)

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-lsa-generalises", "caption": "Median relative error of the learned step (solid) on prompts of other lengths (the training's is dotted) and on inputs with other spectra, for each training. Dashed, the part of it that the query's own score makes."}, "image": {"alt": "Two panels on log axes. Left: the relative step error falls as the number of examples grows and flattens; the part from the own score falls all the way, roughly like one over n. Right: the error changes little over four orders of magnitude of the condition number."}}
fig, axes = panels(2, sharey=True)
for ax, x, of in zip(
    axes, (lengths, conditions), (by_length, by_condition), strict=True
):
    for k in range(trainings):
        name, color = f"training {k + 1}", f"C{3 + k % 3}"
        ax.loglog(x, of[k, :, 0], "o-", markersize=4, color=color, label=name)
        ax.loglog(x, of[k, :, 1], "--", linewidth=1, color=color)
axes[0].axvline(n, color="#888888", linestyle=":")
axes[0].set(xlabel="examples in the prompt, n", ylabel="relative step error")
axes[1].set(xlabel="condition number of the population covariance")
axes[0].legend()
show(fig)

# %% [markdown]
# Short prompts are the hardest. The own score is the one part of the layer's answer in which no example takes part: it enters with the
# weight $1/n$, so that what training has left of it is heaviest where $n$ is small. What remains for long prompts is the
# deviation of the acting blocks. {doc}`05_trained_agents` meets the own score again.

# %% [markdown]
# ## The claims

# %% tags=["nbval-check-output"]
measured = max(residual_full.max(), residual_layer.max())
claim(
    "A1",
    "constructed layer minus gradient step, relative",
    predicted=0,
    measured=measured,
    tolerance=1e-12,
)

# %% tags=["nbval-check-output"]
claim(
    "A1",
    "rate of one layer alone minus rho(I - eta S)",
    predicted=0,
    measured=rate - radius,
    tolerance=1e-9,
)

# %% tags=["nbval-check-output"]
pairs = zip(noisy.X, noisy.y, strict=True)
least_squares = np.array([np.linalg.lstsq(X, y, rcond=None)[0] for X, y in pairs])
expected = after(GradientAgent(noisy.S, least_squares, eta), w, turns)
what = "noisy labels: way to the least-squares solution, relative"
miss = norm(alone_noisy[-1] - expected) / np.maximum(norm(expected), norm(w))
claim("A1", what, predicted=0, measured=miss, tolerance=1e-9)

# %% tags=["nbval-check-output"]
claim(
    "A2",
    "mean relative step error of the learned layers, fresh prompts",
    predicted=0,
    measured=on_fresh.mean(),
    tolerance=1e-3,
)

# %% tags=["nbval-check-output"]
claim(
    "A2",
    "largest relative step error of the learned layers, fresh prompts",
    predicted=0,
    measured=on_fresh.max(),
    tolerance=1e-3,
)

# %% tags=["nbval-check-output"]
deviations = [block_deviation(trained) for trained in learned]
claim(
    "A2",
    "learned minus constructed blocks, largest entry",
    predicted=0,
    measured=deviations,
    tolerance=1e-3,
)

# %% tags=["nbval-check-output"]
claim(
    "A2",
    "the query's own score times what it acts through",
    predicted=0,
    measured=symmetric * value,
    tolerance=1e-3,
)
