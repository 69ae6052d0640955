import numpy as np
import pytest

from a2a.dialogue.comparison import Comparison
from a2a.dialogue.interventions import INTERVENTIONS
from a2a.dialogue.remedies import adjusted_by_judge, judges_of
from a2a.loops.labels import Label
from a2a.significance import holm, random_signs

COMPARISON = Comparison({"main": ["a", "b", "c"], "new": ["a", "b", "c"]})
TURNS = {
    "cosine": {"main": np.array([0.5, 0.5, 0.5]), "new": np.array([0.0, 0.25, 0.5])},
    "Jaccard": {"main": np.array([1.0, 1.0, 1.0]), "new": np.array([1.0, 1.0, 1.0])},
}
LABELS = [
    *(Label("main", name, True, 2, 9, True, "first") for name in "ab"),
    *(Label("new", name, False, None, None, True, "third") for name in "ab"),
]


def test_two_distances_judge_a_remedy():
    judges = judges_of("new", INTERVENTIONS["top-k"], COMPARISON, TURNS, LABELS)
    assert {by: change.tolist() for by, change in judges.items()} == {"cosine": [-0.5, -0.25, 0], "Jaccard": [0, 0, 0]}


def test_readers_stand_in_for_the_distance_that_the_novelty_rule_goes_by():
    judges = judges_of("new", INTERVENTIONS["novelty"], COMPARISON, TURNS, LABELS)
    assert judges.keys() == {"cosine", "readers"}
    assert judges["readers"].tolist() == [-1, -1]


def test_a_judge_needs_two_conversations():
    judges = judges_of("new", INTERVENTIONS["novelty"], COMPARISON, TURNS, LABELS[:3])
    assert judges.keys() == {"cosine"}


def test_p_values_are_adjusted_for_all_studies_even_of_a_judge_of_one(rng):
    ones = np.ones(4)
    found = adjusted_by_judge({"x": {"cosine": ones, "readers": ones}, "y": {"cosine": ones}}, rng, 100)
    assert found == {"cosine": {"x": 0.25, "y": 0.25}, "readers": {"x": 0.25}}


def test_judging_one_remedy_leaves_the_judges_of_others_alone():
    judges_of("new", INTERVENTIONS["novelty"], COMPARISON, TURNS, LABELS)
    assert list(TURNS) == ["cosine", "Jaccard"]
    again = judges_of("new", INTERVENTIONS["inject every 5"], COMPARISON, TURNS, [])
    assert list(again) == ["cosine", "Jaccard"]


def test_without_readers_the_novelty_rule_has_one_judge():
    assert list(judges_of("new", INTERVENTIONS["novelty"], COMPARISON, TURNS, [])) == ["cosine"]


def test_no_p_value_falls_by_being_one_of_several(rng):
    changes = {name: {"cosine": rng.normal(0.5, 1, 12)} for name in "uvwxyz"}
    alone = {name: random_signs(judges["cosine"], rng, 5000) for name, judges in changes.items()}
    together = adjusted_by_judge(changes, rng, 5000)["cosine"]
    assert all(together[name] >= alone[name] for name in changes)
    assert together == pytest.approx(dict(zip(changes, holm(list(alone.values())), strict=True)))
