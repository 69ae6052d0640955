import numpy as np
import pytest

from a2a.dialogue import Study, converse, load_seeds
from a2a.dialogue.comparison import Comparison, Loops, new_of, over_labels, paired_up
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
    assert loops.at_end["main"].tolist() == [0.0]
    assert {what: of["main"].tolist() for what, of in loops.outcomes().items()} == {
        "at some turn": [1.0],
        "at the last turn": [0.0],
        "share of turns": [0.6],
    }
    assert loops.moved(0.0).ever["main"].tolist() == [0.0]
    assert loops.moved(2.0).rule.threshold == 1.0


def test_the_study_itself_has_no_effect(comparison):
    assert comparison.change("main", VALUES).tolist() == [0, 0, 0, 0]
    assert "main" not in comparison.correlations(VALUES)


def test_a_change_does_not_hang_on_the_order_of_conversations(comparison):
    turned = Comparison({**IDS, "new": IDS["new"][::-1]})
    values = {**VALUES, "new": VALUES["new"][::-1]}
    assert turned.change("new", values).tolist() == comparison.change("new", VALUES).tolist()[::-1]


def test_a_conversation_without_a_value_has_no_change(comparison):
    values = {**VALUES, "same": np.array([np.nan, 2, 3, np.nan])}
    assert np.array_equal(comparison.change("same", values), [np.nan, 1, 1, np.nan], equal_nan=True)


def test_any_study_can_be_the_one_compared_with():
    turned = Comparison({name: IDS[name] for name in ("main", "same")}, main="same")
    assert turned.change("main", VALUES).tolist() == [0, 0, 0, -1]


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


def test_in_a_loop_at_some_turn_and_at_the_last_are_two_questions():
    rows = [["x", "a", "a", "a", "a", "b"], ["x", "b", "c", "a", "a", "a"], ["x", "b", "c", "d", "e", "f"]]
    loops = Loops(LoopRule("Jaccard", 1, 0.5, steps=2), {"main": Distances(rows, {"Jaccard": jaccard_distance})})
    assert loops.ever["main"].tolist() == [1, 1, 0]
    assert loops.at_end["main"].tolist() == [0, 1, 0]


def test_what_a_moved_threshold_adds_is_what_the_moved_rule_finds(told, rng):
    values = {name: Distances(list(one.texts().values()), {"Jaccard": jaccard_distance}) for name, one in told.items()}
    loops, cuts = Loops(LoopRule("Jaccard", 1, 0.9, steps=1), values), np.array([0.9, 0.5])
    for factor in (0.5, 0.8, 1.1):
        added = loops.added(factor, cuts)["main"]
        assert added.shape == (10, 2)
        assert np.array_equal(added[:, 0], loops.moved(factor).ever["main"] - loops.ever["main"])


def test_the_mean_over_studies_keeps_what_is_behind_the_conversations(comparison):
    twice = {name: np.stack([own, 10 * own], axis=1) for name, own in VALUES.items()}
    both = comparison.over_studies(twice)
    assert both == pytest.approx(np.stack([comparison.over_studies(VALUES), 10 * comparison.over_studies(VALUES)], 1))


def test_conversations_of_later_parts_are_new(told):
    one = told["main"]
    assert not new_of(one).any()
    object.__setattr__(one, "parts", [one.ids[:4], one.ids[4:9], one.ids[9:]])
    assert new_of(one).tolist() == [False] * 4 + [True] * 6
    object.__delattr__(one, "parts")


def test_an_interval_over_labels_holds_both_spreads(rng):
    own = rng.random(40)
    fixed = over_labels(own, own[:, None].repeat(400, axis=1), np.random.default_rng(0))
    drawn = over_labels(own, own[:, None] + rng.normal(0, 0.5, 400), np.random.default_rng(0))
    assert fixed.value == drawn.value == own.mean()
    wide, narrow = (np.ptp(one.interval()) for one in (drawn, fixed))
    assert wide > 3 * narrow and narrow == pytest.approx(4 * own.std() / np.sqrt(40), rel=0.2)
    assert "labels in proportion" in fixed.unit
