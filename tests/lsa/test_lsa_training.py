"""Training."""

import pytest
import torch
from instances import RECIPE
from layers import fresh_prompts

from a2a.lsa import LinearSelfAttention, train_lsa
from a2a.lsa import training as module


def test_training_sees_what_the_layer_does_with_the_examples():
    generator = torch.Generator().manual_seed(7)
    X, y, w = fresh_prompts(3, 5, count=6)
    theta = torch.linalg.lstsq(X, y).solution
    layer = LinearSelfAttention(3, generator=generator, scale=1.0)
    tasks = module._Tasks(X.mT @ X / 5, theta, w)
    query = torch.cat([torch.zeros(6, 4), w, torch.ones(6, 1)], dim=-1)
    assert torch.allclose(module._change(layer, tasks, 5), layer.query_column(X, y, w) - query, atol=1e-10)


def test_every_step_of_training_has_prompts_of_its_own(monkeypatch):
    monkeypatch.setattr(module, "DRAWN_AT_ONCE", 3)
    recipe = module.Recipe(d=2, n=4, eta=0.3, steps=7, batch=5, learning_rate=1e-2, seed=0)
    seen = [tasks.w for tasks in module._batches(recipe, torch.Generator().manual_seed(0))]
    assert len(seen) == 7 and len({float(w.sum()) for w in seen}) == 7 and seen[0].shape == (5, 2)


def test_the_loss_falls(trained):
    losses = trained[0].losses
    assert len(losses) == RECIPE["steps"] and losses[-1] < 1e-4 * losses[0]


def test_the_trained_layer_is_float64_and_frozen(trained):
    assert trained[0].V.dtype == torch.float64 and not trained[0].W.requires_grad


def test_the_same_seed_gives_the_same_weights():
    one, two = (train_lsa(2, 4, steps=3, batch=8, seed=5) for _ in range(2))
    other = train_lsa(2, 4, steps=3, batch=8, seed=6)
    assert torch.equal(one.V, two.V) and not torch.equal(one.V, other.V)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"d": 0}, "d must be a whole number of at least 1, got 0"),
        ({"n": 0}, "n must be a whole number of at least 1, got 0"),
        ({"steps": 0}, "steps must be a whole number of at least 1, got 0"),
        ({"batch": -1}, "batch must be a whole number of at least 1, got -1"),
        ({"eta": -0.1}, r"eta must be one positive number, got -0\.1"),
        ({"learning_rate": 0.0}, r"learning_rate must be one positive number, got 0\.0"),
        ({"eta": float("nan")}, "eta must be finite"),
    ],
)
def test_what_can_not_be_trained(options, message):
    with pytest.raises(ValueError, match=message):
        train_lsa(**options)
