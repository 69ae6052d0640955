import pytest
import torch

from a2a.chat.softmax_icl import Recipe, load_weights, sample_tasks, save_weights, step_quality, train_softmax


@pytest.fixture(scope="module")
def stored():
    return load_weights()


def test_the_stored_weights_have_the_loss_they_state(stored):
    model, recipe, quality = stored
    fresh = step_quality(model, recipe, tasks=10_000, seed=77)
    assert fresh["loss"] == pytest.approx(quality["loss"], rel=0.3)  # its tail is heavy
    assert fresh["median_relative_error"] == pytest.approx(quality["median_relative_error"], rel=0.05)
    assert fresh["r_squared"] == pytest.approx(quality["r_squared"], abs=4e-4)
    assert fresh["r_squared"] > 0.998


def test_their_recipe_is_the_default_one(stored):
    model, recipe, _ = stored
    assert recipe == Recipe()
    assert sum(parameter.numel() for parameter in model.parameters()) == 150_851


def test_the_rule_is_not_linear(stored):
    """A linear rule in w would map the mean of two w to the mean of their images."""
    model, recipe, _ = stored
    X, y, w, _ = sample_tasks(recipe, 500, torch.Generator().manual_seed(5))
    X, y, w = X.double(), y.double(), w.double()
    other = w.flip(0)
    bend = model(X, y, (w + other) / 2) - (model(X, y, w) + model(X, y, other)) / 2
    assert bend.norm(dim=-1).median() > 0.005


def test_the_order_of_examples_and_the_batch_do_not_matter(stored):
    model, recipe, _ = stored
    X, y, w, _ = sample_tasks(recipe, 6, torch.Generator().manual_seed(6))
    X, y, w = X.double(), y.double(), w.double()
    answer = model(X, y, w)
    assert torch.allclose(model(X.flip(1), y.flip(1), w), answer, atol=1e-12)
    assert torch.allclose(model(X[3], y[3], w[3]), answer[3], atol=1e-12)
    assert torch.allclose(model(*(part.unflatten(0, (2, 3)) for part in (X, y, w))).flatten(0, 1), answer, atol=1e-12)


def test_another_dimension_is_refused(stored):
    with pytest.raises(ValueError, match="trained for d = 3"):
        stored[0](torch.zeros(12, 4), torch.zeros(12), torch.zeros(4))


def test_training_from_a_recipe_learns_repeats_and_is_kept(tmp_path):
    recipe = Recipe(layers=1, width=16, heads=2, steps=200, batch=64, learning_rate=5e-3)
    losses = []
    model = train_softmax(recipe, lambda step, loss: losses.append((step, loss)))
    untrained = step_quality(train_softmax(Recipe(**{**vars(recipe), "steps": 1})), recipe)
    quality = step_quality(model, recipe)
    assert [step for step, _ in losses] == [100, 200] and quality["loss"] < 0.7 * untrained["loss"]
    assert step_quality(train_softmax(recipe), recipe)["loss"] == pytest.approx(quality["loss"], rel=1e-3)
    save_weights(model, recipe, tmp_path / "weights.safetensors")
    again, its_recipe, its_quality = load_weights(tmp_path / "weights.safetensors")
    assert its_recipe == recipe and its_quality == quality
    assert step_quality(again, recipe)["loss"] == pytest.approx(quality["loss"], rel=1e-5)
