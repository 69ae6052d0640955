"""Derivatives, and bounds on how they change."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from instances import batches, close, dimensions, seeds
from layers import examples, random_layer

from a2a import Prompt
from a2a.lsa import LinearSelfAttention, LSAAgent, jacobian, own_term, own_variation


@given(seed=seeds, batch=batches)
def test_the_jacobian_of_a_gradient_step(seed, batch):
    X, y, w = (part.numpy() for part in examples(seed, 4, 3, batch))
    prompt = Prompt(X, y)
    slope = jacobian(LSAAgent(LinearSelfAttention.gradient_step(3, 0.3), prompt), w)
    assert close(slope, np.broadcast_to(np.eye(3) - 0.3 * prompt.S, slope.shape))


@given(seed=seeds, d=dimensions, radius=st.floats(1e-3, 100.0))
def test_the_derivative_of_the_own_term_changes_by_no_more_than_its_bound(seed, d, radius):
    rng, layer = np.random.default_rng(seed), random_layer(seed, d).requires_grad_(False)
    w, direction = rng.standard_normal((2, 20, d))
    there = w + radius * direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    turned = jacobian(lambda v: own_term(layer, v, 7), there) - jacobian(lambda v: own_term(layer, v, 7), w)
    bound = own_variation(layer, w, 7, radius)
    assert (np.linalg.norm(turned, 2, (-2, -1)) <= bound * (1 + 1e-9)).all()
