from dataclasses import asdict

import pytest
import torch
from instances import RECIPE
from safetensors.torch import load_file, save_file

from a2a.lsa import LinearSelfAttention, acting_blocks, relative_step_error, train_lsa
from a2a.lsa import training as module


def fresh_prompts(d, n, scale=1.0, count=500):
    generator = torch.Generator().manual_seed(99)
    X, theta, w = (torch.randn(count, *shape, d, generator=generator).double() for shape in ((n,), (), ()))
    X = scale * X
    return X, (X @ theta[..., None])[..., 0], w


@pytest.mark.parametrize(
    ("n", "scale", "largest"),
    [(12, 1.0, 1e-3), (40, 1.0, 1e-3), (12, 0.5, 5e-3)],
    ids=["as trained", "more examples", "smaller inputs"],
)
def test_a_trained_layer_takes_the_gradient_step(trained, n, scale, largest):
    error = relative_step_error(trained[0], *fresh_prompts(3, n, scale), RECIPE["eta"])
    assert error.shape == (500,) and error.median() < largest


def test_an_untrained_layer_does_not(trained):
    layer = LinearSelfAttention(3, generator=torch.Generator().manual_seed(0))
    assert relative_step_error(layer, *fresh_prompts(3, 12), RECIPE["eta"]).median() > 0.5


def test_the_constructed_layer_has_no_error():
    layer = LinearSelfAttention.gradient_step(3, 0.3)
    assert relative_step_error(layer, *fresh_prompts(3, 12), 0.3).max() < 1e-10


def test_the_learned_blocks_are_the_constructed_ones(trained):
    learned, constructed = acting_blocks(trained[0]), acting_blocks(LinearSelfAttention.gradient_step(3, RECIPE["eta"]))
    assert all((learned[name] - constructed[name]).abs().max() < 0.01 for name in constructed)


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


def test_the_cache_gives_the_same_layer_back(trained, monkeypatch):
    layer, cache = trained
    monkeypatch.setattr(module, "_train", lambda recipe: pytest.fail("trained again"))
    again = train_lsa(**RECIPE, cache=cache)
    assert torch.equal(again.V, layer.V) and torch.equal(again.W, layer.W) and again.losses == layer.losses
    assert not again.V.requires_grad


def test_another_recipe_is_another_file(tmp_path):
    for seed in (0, 1):
        train_lsa(2, 4, steps=2, batch=4, seed=seed, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.fixture
def cached(tmp_path):
    """A folder with the weights of one short training, and their file."""
    train_lsa(2, 4, steps=2, batch=4, cache=tmp_path)
    (file,) = tmp_path.iterdir()
    return tmp_path, file


def test_weights_of_another_recipe_are_refused(cached):
    folder, file = cached
    recipe = module.Recipe(d=2, n=4, eta=0.9, steps=2, batch=4, learning_rate=1e-2, seed=0)
    save_file(load_file(file), file, metadata={"recipe": module.json.dumps(asdict(recipe))})
    with pytest.raises(
        ValueError, match=rf"{file.name} should hold weights of .*'eta': 0\.3.*, but says .*'eta': 0\.9"
    ):
        train_lsa(2, 4, steps=2, batch=4, cache=folder)


def test_weights_without_a_recipe_are_refused(cached):
    folder, file = cached
    save_file(load_file(file), file)
    with pytest.raises(ValueError, match="but says None; delete it"):
        train_lsa(2, 4, steps=2, batch=4, cache=folder)


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-9], lambda data: b"x" * 99])
def test_a_damaged_file_is_refused(cached, damage):
    folder, file = cached
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ValueError, match="can't be read; delete it"):
        train_lsa(2, 4, steps=2, batch=4, cache=folder)


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
