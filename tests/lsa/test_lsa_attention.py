"""All tokens attending to all: the tokens, the last column, earlier estimates, and what it costs."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from instances import batches, close, dimensions, seeds
from layers import examples, random_layer

from a2a.lsa import LinearSelfAttention
from a2a.lsa.attention import attend, earlier_term, last_column, operations, tokens


def test_tokens_are_the_matrix_of_the_paper():
    Z = tokens([[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0], [7.0, 8.0], [[9.0, 10.0]])
    assert Z.T.tolist() == [
        [0, 0, 0, 9, 10, 1],
        [1, 2, 5, 0, 0, 0],
        [3, 4, 6, 0, 0, 0],
        [0, 0, 0, 7, 8, 1],
    ]


@given(seed=seeds, n=st.integers(1, 6), d=dimensions, batch=batches)
def test_the_last_column_is_that_of_the_query(seed, n, d, batch):
    parts = [part.numpy() for part in examples(seed, n, d, batch)]
    layer = random_layer(seed, d).requires_grad_(False)
    assert close(last_column(layer, *parts), layer.query_column(*map(torch.from_numpy, parts)))


def test_every_column_is_the_formulas(rng):
    layer, Z = random_layer(1, 2), rng.standard_normal((6, 4))
    V, W = layer.V.detach().numpy(), layer.W.detach().numpy()
    scores = np.array([[Z[:, i] @ W @ Z[:, j] for j in range(4)] for i in range(4)])
    assert close(attend(layer, torch.from_numpy(Z), 3), Z + V @ Z @ scores / 3)


@given(seed=seeds, d=dimensions, m=st.integers(1, 4))
def test_earlier_estimates_add_their_term(seed, d, m):
    X, y, w = (part.numpy() for part in examples(seed, 5, d, (3,)))
    earlier = np.random.default_rng(seed).standard_normal((3, m, d))
    layer = random_layer(seed, d)
    added = last_column(layer, X, y, w, earlier) - last_column(layer, X, y, w)
    assert close(added[:, layer.rows["w"]], earlier_term(layer, w, earlier, 5), 1e-8)


def test_the_constructed_layer_ignores_them(rng):
    layer = LinearSelfAttention.gradient_step(3, 0.3)
    assert not earlier_term(layer, rng.standard_normal(3), rng.standard_normal((4, 3)), 5).any()


def test_operations_grow_with_the_square_of_the_examples_and_with_the_examples():
    (full, column), (full_twice, column_twice) = (operations(4, n) for n in (4000, 8000))
    assert full_twice / full == pytest.approx(4, rel=0.01) and column_twice / column == pytest.approx(2, rel=0.01)
    assert column < full / 1000


def test_operations_of_one_example_can_be_counted_by_hand():
    rows, columns = 6, 2  # 2d + 2 and n + 1 for d = 2, n = 1
    by_hand = 2 * columns * rows * rows + 2 * rows * rows * columns + 2 * rows * columns**2 * 2
    assert operations(2, 1)[0] == by_hand


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize(("d", "n", "name"), [(0, 3, "d"), (3, 0, "n")])
def test_what_has_no_operations(d, n, name):
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1"):
        operations(d, n)
