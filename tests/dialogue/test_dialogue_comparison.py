import numpy as np
import pytest

from a2a.dialogue import Study, converse, load_seeds
from a2a.dialogue.comparison import Comparison, Loops, paired_up
from a2a.loops.distances import Distances
from a2a.loops.metrics import jaccard_distance
from a2a.loops.rule import LoopRule
from a2a.models.scripted import named

IDS = {"main": ["a", "b", "c", "d"], "new": ["d", "b"], "same": ["a", "b", "c", "d"]}
VALUES = {"main": np.array([0.0, 1, 2, 3]), "new": np.array([4.0, 1]), "same": np.array([0.0, 1, 2, 4])}


@pytest.fixture
def comparison():
    return Comparison(IDS)


def test_conversations_pair_up_by_name(comparison):
    assert comparison.shared == ["b", "d"]
    assert comparison.rows("new", ["b", "d"]) == [1, 0]
    assert comparison.of_main("new", VALUES).tolist() == [3, 1]
    assert comparison.change("new", VALUES).tolist() == [1, 0]


def test_effects_are_mean_changes(comparison, rng):
    found = comparison.effects(VALUES, rng, 100)
    assert list(found) == ["new", "same"]
    assert found["same"].value == 0.25
    assert found["new"].n == 2


def test_p_values_are_adjusted_within_a_family(comparison, rng):
    values = {"main": np.zeros(4), "new": np.ones(2), "same": np.ones(4)}
    alone = comparison.p_values(values, {"x": ["new"], "y": ["same"]}, rng, 100)
    together = comparison.p_values(values, {"x": ["new", "same"]}, rng, 100)
    assert alone == {"new": 0.5, "same": 0.125}
    assert together == {"new": 0.5, "same": 0.25}


def test_the_mean_over_studies_is_of_shared_conversations(comparison):
    assert comparison.over_studies(VALUES).tolist() == [1, pytest.approx(11 / 3)]


def test_correlations_need_what_varies(comparison):
    assert comparison.correlations(VALUES) == pytest.approx({"new": 1.0, "same": 0.98}, abs=0.01)
    assert comparison.correlations({**VALUES, "new": np.ones(2)}).keys() == {"same"}
    assert comparison.correlations({**VALUES, "main": np.ones(4)}) == {}


@pytest.fixture(scope="module")
def told():
    words, seeds = named("words"), load_seeds()
    return {
        name: converse(Study(name, words, words, of, turns=4))
        for name, of in (("main", seeds[:10]), ("few", seeds[:10:2]))
    }


def test_what_all_studies_share_comes_first(told):
    ids = told["few"].ids
    assert [one.ids for one in paired_up(told, 3).values()] == [[ids[0], ids[1], ids[3]]] * 2
    kept = paired_up(told, 7)
    assert len(kept["main"].ids) == 7 and kept["few"].ids == ids
    assert {name: len(one.ids) for name, one in paired_up(told).items()} == {"main": 10, "few": 5}


def test_loops_in_several_studies():
    turning = Distances([["x", "a", "a", "a", "a", "b"]], {"Jaccard": jaccard_distance})
    loops = Loops(LoopRule("Jaccard", 1, 0.5), {"main": turning})
    assert loops.turns["main"].tolist() == [[False, True, True, True, False]]
    assert loops.share_of_turns["main"].tolist() == [0.6]
    assert loops.ever["main"].tolist() == [1.0]
    assert loops.moved(0.0).ever["main"].tolist() == [0.0]
    assert loops.moved(2.0).rule.threshold == 1.0
