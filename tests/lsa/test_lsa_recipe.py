"""Weights kept in a file, and files that don't hold what they say."""

import json
from dataclasses import asdict

import pytest
import torch
from instances import RECIPE
from safetensors.torch import load_file, save_file

from a2a.lsa import Recipe, train_lsa
from a2a.lsa import training as module


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
    recipe = Recipe(d=2, n=4, eta=0.9, steps=2, batch=4, learning_rate=1e-2, seed=0)
    save_file(load_file(file), file, metadata={"recipe": json.dumps(asdict(recipe))})
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
