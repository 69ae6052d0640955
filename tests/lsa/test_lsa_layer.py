"""The layer: constructed weights, the query's column, agents."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from instances import batches, close, dimensions, seeds
from layers import examples, random_layer

from a2a import GradientAgent, Prompt, alternate, sample_prompt
from a2a.lsa import LinearSelfAttention, LSAAgent


def tokens(X, y, w, thoughts=()):
    """Z of one prompt: a column an example, a column each earlier w, and the query."""
    n, d = X.shape
    shown = torch.cat([X, y[:, None], torch.zeros(n, d + 1, dtype=X.dtype)], dim=1)
    asked = [torch.cat([torch.zeros(d + 1), thought, torch.ones(1)]).double() for thought in (*thoughts, w)]
    return torch.cat([shown, torch.stack(asked)]).T


def attend(layer, Z, n):
    return Z + layer.V @ Z @ (Z.T @ layer.W @ Z) / n


@given(seed=seeds, n=st.integers(1, 8), d=dimensions, eta=st.floats(0.01, 2.0), batch=batches)
def test_constructed_weights_take_a_gradient_step(seed, n, d, eta, batch):
    X, y, w = examples(seed, n, d, batch)
    stepped = w - eta * (((w[..., None, :] * X).sum(-1) - y)[..., None] * X).mean(-2)
    assert (LinearSelfAttention.gradient_step(d, eta)(X, y, w) - stepped).abs().max() < 1e-10


@given(seed=seeds, n=st.integers(1, 8), d=dimensions)
def test_constructed_weights_leave_the_rest_of_the_query(seed, n, d):
    X, y, w = examples(seed, n, d)
    column = LinearSelfAttention.gradient_step(d, 0.3).query_column(X, y, w)
    assert close(column[: d + 1], np.zeros(d + 1)) and column[-1] == 1.0


@given(seed=seeds, n=st.integers(1, 8), d=dimensions)
def test_the_query_column_is_the_last_column_of_the_full_layer(seed, n, d):
    layer, (X, y, w) = random_layer(seed, d), examples(seed, n, d)
    full = attend(layer, tokens(X, y, w), n)
    assert close(layer.query_column(X, y, w).detach(), full[:, -1].detach(), 1e-10)


@given(seed=seeds, thoughts=st.integers(1, 4))
def test_earlier_estimates_in_the_context_change_nothing(seed, thoughts):
    X, y, w = examples(seed, 5, 3)
    layer, earlier = LinearSelfAttention.gradient_step(3, 0.3), torch.randn(thoughts, 3, dtype=torch.float64)
    with_them = attend(layer, tokens(X, y, w, earlier), 5)[:, -1]
    assert close(with_them, attend(layer, tokens(X, y, w), 5)[:, -1], 1e-10)


def test_earlier_estimates_would_change_a_random_layer():
    X, y, w = examples(0, 5, 3)
    layer = random_layer(0, 3)
    with torch.no_grad():
        with_one, without = (attend(layer, tokens(X, y, w, earlier), 5)[:, -1] for earlier in ([w], []))
    assert not close(with_one, without, 0.01)


def test_a_wrong_sign_of_the_weights_would_be_noticed():
    X, y, w = examples(0, 5, 3)
    layer = LinearSelfAttention.gradient_step(3, 0.3)
    right = layer(X, y, w)
    layer.W[layer.rows["y"], layer.rows["constant"]] *= -1
    assert not close(layer(X, y, w), right, 0.01)


@given(seed=seeds, batch=batches)
def test_a_batch_is_its_single_prompts(seed, batch):
    layer, (X, y, w) = random_layer(seed, 2), examples(seed, 4, 2, batch)
    with torch.no_grad():
        answers = layer(X, y, w)
        single = [layer(X[i], y[i], w[i]).numpy() for i in np.ndindex(batch)]
    assert close(answers, np.reshape(single, (*batch, 2)))


def test_one_prompt_answers_many_estimates():
    X, y, _ = examples(0, 4, 2)
    assert LinearSelfAttention.gradient_step(2, 0.1)(X, y, torch.zeros(3, 5, 2)).shape == (3, 5, 2)


def test_gradients_flow_to_the_weights():
    X, y, w = examples(0, 4, 2)
    layer = random_layer(0, 2)
    layer(X, y, w).sum().backward()
    assert all(part.grad.abs().max() > 0 for part in (layer.V, layer.W))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_layer_answers_in_its_dtype(dtype):
    layer = LinearSelfAttention.gradient_step(2, 0.3, dtype=dtype)
    assert layer([[1, 2]], [3], [0, 0]).dtype == dtype


def test_the_layer_takes_lists():
    assert close(LinearSelfAttention.gradient_step(2, 0.5)([[1, 2]], [3], [0, 0]), [1.5, 3.0])


def test_a_new_layer_without_a_generator_hands_w_on():
    X, y, w = examples(0, 4, 2)
    assert close(LinearSelfAttention(2)(X, y, w).detach(), w)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_agent_keeps_library_and_dtype(lib, dtype):
    agent = LSAAgent(LinearSelfAttention.gradient_step(2, 0.3), Prompt(lib(np.eye(2)), lib(np.ones(2))))
    w = lib(np.zeros(2, dtype))
    assert type(agent(w)) is type(w) and agent(w).dtype == w.dtype


def test_a_transformer_alternates_like_the_gradient_agent(lib, rng):
    prompts = [sample_prompt(rng, 9, 3, lib(rng.standard_normal(3))) for _ in range(2)]
    layer, w0 = LinearSelfAttention.gradient_step(3, 0.3), lib(rng.standard_normal((4, 3)))
    transformers = alternate(*(LSAAgent(layer, prompt) for prompt in prompts), w0, 10)
    steps = alternate(*(GradientAgent.from_prompt(prompt, 0.3) for prompt in prompts), w0, 10)
    assert close(transformers.first, steps.first, 1e-8) and close(transformers.second, steps.second, 1e-8)


def test_arrays_that_can_not_be_written_are_read():
    X = np.broadcast_to(np.eye(2), (3, 2, 2))
    agent = LSAAgent(LinearSelfAttention.gradient_step(2, 0.3), Prompt(X, np.broadcast_to(1.0, (3, 2))))
    assert agent(np.broadcast_to(0.0, (3, 2))).shape == (3, 2)


X, Y, W = np.ones((4, 2)), np.ones(4), np.ones(2)


@pytest.mark.parametrize(
    ("X", "y", "w", "message"),
    [
        (np.ones((4, 3)), Y, W, r"X must have shape \(\.\.\., n, 2\), got \(4, 3\)"),
        (np.ones((0, 2)), np.ones(0), W, r"X must have shape .*, got \(0, 2\)"),
        (X, np.ones(3), W, r"y must have shape \(\.\.\., 4\), got \(3,\)"),
        (X, Y, np.ones(3), r"w must have shape \(\.\.\., 2\), got \(3,\)"),
        (X * np.nan, Y, W, "X must be finite"),
        (X, Y, [0.0, np.inf], "w must be finite"),
        (np.ones((3, 4, 2)), Y, np.ones((5, 2)), r"X has \(3,\), y has \(\), w has \(5,\)"),
    ],
)
@pytest.mark.usefixtures("untyped")
def test_what_the_layer_can_not_read(X, y, w, message):
    with pytest.raises(ValueError, match=message):
        LinearSelfAttention.gradient_step(2, 0.3)(X, y, w)


@pytest.mark.parametrize("d", [0, -1])
def test_a_layer_has_a_dimension(d):
    with pytest.raises(ValueError, match=f"d must be a whole number of at least 1, got {d}"):
        LinearSelfAttention.gradient_step(d, 0.3)


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize("eta", [0, -0.1, float("nan"), [0.1, 0.2]])
def test_a_layer_has_one_positive_step(eta):
    with pytest.raises(ValueError, match="eta must be"):
        LinearSelfAttention.gradient_step(2, eta)


def test_an_agents_prompt_must_fit_its_layer():
    with pytest.raises(ValueError, match="the prompt must have the layer's d = 3, got d = 2"):
        LSAAgent(LinearSelfAttention.gradient_step(3, 0.3), Prompt(X, Y))


@pytest.mark.parametrize("w", [[1.0], [np.nan, 0.0]])
def test_an_agents_estimate_must_fit(w):
    with pytest.raises(ValueError, match="w must"):
        LSAAgent(LinearSelfAttention.gradient_step(2, 0.3), Prompt(X, Y))(w)
