"""What trained agents know of their maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instances import close, seeds
from layers import nearly

from a2a import AffineMap, GradientAgent, newton_objective, probe, sample_prompt
from a2a.lsa.trained import Reader, Relabeller, TrainedAgent, beyond_affine

D, N = 3, 6


def kinds(rng, off=0.1):
    """A reader and a helper that relabels, of layers that are a little off, and the pair of exact agents."""
    prompts = [sample_prompt(rng, N, D, rng.standard_normal((5, D))) for _ in range(2)]
    first, second = (GradientAgent.from_prompt(prompt, 0.3) for prompt in prompts)
    steering = probe(lambda w: newton_objective(first, second, w), np.zeros((5, D))).M
    layers = [nearly(rng, D, 0.3, off) for _ in range(2)]
    helper = Relabeller(layers[1], prompts[1].X, lambda w: newton_objective(first, second, w), steering)
    return (Reader(layers[0], prompts[0]), helper), (first, second)


@given(seed=seeds)
def test_the_slope_is_the_derivative(seed):
    rng = np.random.default_rng(seed)
    w, h = rng.standard_normal((2, 5, D))
    for agent in kinds(rng)[0]:
        step = 1e-5
        measured = (agent(w + step * h) - agent(w - step * h)) / (2 * step)
        assert close((agent.slope(w) @ h[..., None])[..., 0], measured, 1e-5)


@given(seed=seeds, radius=st.floats(1e-2, 30.0))
def test_the_slope_changes_by_no_more_than_its_variation(seed, radius):
    rng = np.random.default_rng(seed)
    w, h = rng.standard_normal((2, 5, D))
    there = w + radius * h / np.linalg.norm(h, axis=-1, keepdims=True)
    for agent in kinds(rng)[0]:
        turned = np.linalg.norm(agent.slope(there) - agent.slope(w), 2, (-2, -1))
        assert (turned <= agent.variation(w, radius) * (1 + 1e-9)).all()


@given(seed=seeds, radius=st.floats(1e-2, 10.0))
def test_what_an_agent_misses_is_lipschitz_within_a_ball(seed, radius):
    rng = np.random.default_rng(seed)
    (reader, _), (exact, _) = kinds(rng)
    centre = rng.standard_normal((5, D))
    one, two = (centre + radius * direction(rng) for _ in range(2))
    miss = np.linalg.norm(reader(one) - exact(one) - reader(two) + exact(two), axis=-1)
    assert (miss <= reader.lipschitz(exact, centre, radius) * np.linalg.norm(one - two, axis=-1) + 1e-9).all()


def direction(rng):
    h = rng.standard_normal((5, D))
    return h / np.linalg.norm(h, axis=-1, keepdims=True)


def test_constructed_layers_miss_nothing_anywhere(rng):
    (reader, helper), (first, _) = kinds(rng, off=0.0)
    w = rng.standard_normal((5, D))
    assert reader.lipschitz(first, w, 100.0).max() < 1e-12
    assert close(helper(w), first.theta, 1e-9)
    to_theta = AffineMap(np.zeros((D, D)), np.zeros(D))
    assert (helper.lipschitz(to_theta, w, 1.0) < 1e-8).all()


def test_an_agent_fills_in_all_verbs():
    with pytest.raises(TypeError, match="abstract"):
        TrainedAgent()


@pytest.mark.parametrize("copies", [1, 3])
def test_without_its_own_term_a_layer_is_one_affine_map(rng, copies):
    prompt = sample_prompt(rng, N, D, rng.standard_normal((5, D)))
    layer = nearly(rng, D, 0.3, 0.5)
    at, elsewhere = rng.standard_normal((2, 5, D))
    assert beyond_affine(layer, prompt, copies, at, elsewhere).max() < 1e-12
