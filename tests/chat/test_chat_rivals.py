"""Rival places where a pair may settle, and which of them is nearest."""

import numpy as np
import pytest

from a2a.chat.pairs import Pair, Talk
from a2a.chat.rivals import THEORY, nearest, rivals
from a2a.interaction import Interaction


@pytest.fixture(scope="module")
def pair():
    return Pair.draw(np.random.default_rng(3), [1.0, 2.0], 2, 12, 3, 0.5, 4)


def settled_at(pair, place, noise=0.0):
    """A conversation that stays at a place (2, gaps, d)."""
    rng = np.random.default_rng(5)
    shape = (8, *pair.w0.shape)
    first, second = (at[None, :, None] + noise * rng.standard_normal(shape) for at in place)
    return Talk(pair, Interaction(first, second))


def test_the_joint_optimum_has_the_least_loss_on_both_prompts(pair):
    joint = rivals(pair)["joint optimum"]
    A, B = pair.first, pair.second
    slope = A.S @ (joint[0, 1] - A.theta) + B.S @ (joint[0, 1] - B.theta[1, 0])
    assert np.allclose(slope, 0) and (joint[0] == joint[1]).all()


def test_the_midpoint_is_as_far_from_both(pair):
    places = rivals(pair)
    away = np.linalg.norm(places["midpoint"] - places["own objective"], axis=-1)
    assert np.allclose(away, np.array([pair.gap, pair.gap]) / 2, atol=1e-3)


def test_small_steps_end_at_the_joint_optimum(pair):
    from dataclasses import replace

    slow = replace(pair, eta=1e-4)
    assert np.allclose(rivals(slow)[THEORY], rivals(slow)["joint optimum"], atol=1e-3)


@pytest.mark.parametrize("name", ["own objective", "midpoint", "joint optimum", THEORY])
def test_where_agents_stay_is_nearest(pair, name):
    near = nearest(settled_at(pair, rivals(pair)[name]), np.random.default_rng(0), 100)
    assert {near.name(agent, gap) for agent in (0, 1) for gap in (0, 1)} == {name}
    assert all((lead.value > 0) == (name == THEORY) for lead in near.leads)


def test_a_lead_is_a_share_of_the_gap_with_its_interval(pair):
    near = nearest(settled_at(pair, rivals(pair)[THEORY], 0.05), np.random.default_rng(0), 300)
    lead = near.lead(1, 1)
    low, high = lead.interval()
    assert low < lead.value < high and lead.n == 4
    places = rivals(pair)
    others = [np.linalg.norm(places[name] - places[THEORY], axis=-1)[1, 1] for name in places if name != THEORY]
    assert lead.value == pytest.approx(min(others) / pair.gap[1], abs=0.06)


def test_noise_that_hides_the_places_leaves_the_lead_open(pair):
    near = nearest(settled_at(pair, rivals(pair)["joint optimum"], 1.0), np.random.default_rng(0), 300)
    assert any(low < 0 < high for low, high in (lead.interval() for lead in near.leads))
