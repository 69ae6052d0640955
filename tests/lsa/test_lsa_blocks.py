"""What the weights do, block by block."""

import numpy as np
import pytest
import torch
from hypothesis import given
from instances import close, dimensions, seeds
from layers import examples, random_layer

from a2a import sample_prompt
from a2a.lsa import LinearSelfAttention, acting_blocks, own_term
from a2a.lsa.blocks import derivative_rank, in_one_gauge


def test_blocks_are_compared_in_one_gauge():
    layer = LinearSelfAttention.gradient_step(2, 0.3)
    layer.V *= 5
    layer.W /= 5
    blocks = acting_blocks(layer)
    assert close(blocks["V[w, x]"], -0.3 * np.eye(2)) and close(blocks["W[x, w]"], np.eye(2))
    assert close(blocks["W[y, constant]"], [[-1.0]])


def test_without_the_six_blocks_only_the_own_term_is_left():
    X, y, w = examples(0, 5, 3, (4,))
    layer, rows = random_layer(0, 3).requires_grad_(False), slice(0, 4)
    layer.V[:, rows] = 0
    assert close(layer(X, y, w) - w, own_term(layer, w, 5))
    assert all(block.abs().max() == 0 for name, block in acting_blocks(layer).items() if name.startswith("V"))


@given(seed=seeds, d=dimensions)
def test_six_blocks_and_the_own_term_are_all_that_the_layer_does(seed, d):
    X, y, w = examples(seed, 4, d)
    layer = random_layer(seed, d).requires_grad_(False)
    V_x, V_y, W_xw, W_x1, W_yw, W_y1 = acting_blocks(layer).values()
    score = X @ (W_xw @ w + W_x1[:, 0]) + y * (W_yw @ w + W_y1[0])
    acted = (X @ V_x.T + y[:, None] @ V_y.T).T @ score / 4
    assert close(layer(X, y, w), w + acted + own_term(layer, w, 4))


def test_one_gauge_keeps_what_the_layer_does():
    X, y, w = examples(0, 5, 3)
    layer = random_layer(0, 3).requires_grad_(False)
    answer = layer(X, y, w)
    layer.V[:], layer.W[:] = in_one_gauge(layer)
    assert close(layer(X, y, w), answer) and layer.W[3, -1] == pytest.approx(-1.0)


@pytest.mark.parametrize(("d", "own"), [(1, 0), (2, 0), (3, 0), (2, 1)])
def test_the_rank_is_that_of_the_theorem(rng, d, own):
    layer = LinearSelfAttention.gradient_step(d, 0.3)
    if own:  # the query attends to itself: all changes of what V passes on show
        layer.W[d + 1 :, d + 1 :] = torch.from_numpy(rng.standard_normal((d + 1, d + 1)))
    prompt = sample_prompt(rng, 4, d, rng.standard_normal((60, d)))
    expected = 2 * d**2 + 3 * d + own * d * (d + 1)
    assert derivative_rank(layer, prompt, rng.standard_normal((60, d))) == expected
