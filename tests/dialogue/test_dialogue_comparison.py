import numpy as np
import pytest

from a2a.dialogue import Study, converse, load_seeds, recorded
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


def test_the_study_itself_has_no_effect(comparison, rng):
    assert comparison.change("main", VALUES).tolist() == [0, 0, 0, 0]
    assert "main" not in comparison.effects(VALUES, rng, 20)
    assert "main" not in comparison.correlations(VALUES)


def test_an_effect_does_not_hang_on_the_order_of_conversations(comparison, rng):
    turned = Comparison({**IDS, "new": IDS["new"][::-1]})
    values = {**VALUES, "new": VALUES["new"][::-1]}
    one, other = (c.effects(v, rng, 50)["new"].value for c, v in ((comparison, VALUES), (turned, values)))
    assert one == other


def test_a_conversation_without_a_value_has_no_change(comparison, rng):
    values = {**VALUES, "same": np.array([np.nan, 2, 3, np.nan])}
    effect = comparison.effects(values, rng, 50)["same"]
    assert (effect.value, effect.n, effect.unit) == (1, 2, "conversations")
    assert not comparison.effects({**VALUES, "new": np.array([np.nan, 1])}, rng, 50)["new"].is_known


def test_any_study_can_be_the_one_compared_with(rng):
    turned = Comparison({name: IDS[name] for name in ("main", "same")}, main="same")
    assert turned.change("main", VALUES).tolist() == [0, 0, 0, -1]
    assert list(turned.effects({name: VALUES[name] for name in turned.ids}, rng, 20)) == ["main"]


def test_p_values_of_the_book_are_exact():
    """By all signs of the conversations that changed at all: 9 of 20, and 16, adjusted for two."""
    told = {name: recorded(name) for name in ("main", "tokens_25", "tokens_100")}
    both = Comparison({name: one.ids for name, one in told.items()})
    changed = {"main": np.zeros(50), "tokens_25": np.repeat([-1.0, 0], [9, 11]), "tokens_100": np.zeros(20)}
    p = both.p_values(changed, {"B9": ["tokens_25", "tokens_100"]}, np.random.default_rng(0), 512)
    assert p == {"tokens_25": 2 * 2 / 2**9, "tokens_100": 1.0}


def test_a_threshold_moved_up_never_takes_a_turn_out_of_a_loop(told, rng):
    values = {name: Distances(list(one.texts().values()), {"Jaccard": jaccard_distance}) for name, one in told.items()}
    loops = Loops(LoopRule("Jaccard", 1, 0.6, steps=1), values)
    for study in told:
        shares = [loops.moved(factor).share_of_turns[study] for factor in (0.5, 1.0, 1.5, 3.0)]
        assert (np.diff(shares, axis=0) >= 0).all() and (shares[-1] == 1).all()
        assert np.array_equal(loops.ever[study], loops.rule.falls(values[study]))


def test_a_conversation_that_main_lacks_is_an_error():
    with pytest.raises(ValueError, match="'e' is not in list"):
        Comparison({"main": ["a"], "new": ["e"]}).change("new", {"main": np.zeros(1), "new": np.zeros(1)})


def test_few_conversations_are_the_same_in_every_study(told):
    for most in (2, 3, 5):
        kept = [one.ids for one in paired_up(told, most).values()]
        assert kept[0] == kept[1] and len(kept[0]) == most
