import json

import pytest

from a2a.dialogue import Seed, Study, converse
from a2a.dialogue.interventions import INTERVENTIONS, OUTSIDE, Intervention, is_loop
from a2a.models import Sampling
from a2a.models.scripted import ScriptedModel

SEEDS = [Seed("s-01", "s", "A first sentence."), Seed("s-02", "s", "Another one.")]


def talk(model, intervention, turns=12, file=None):
    return converse(Study("t", model, model, SEEDS, turns=turns, intervention=intervention), file)


def of(told, name, conversation="s-01"):
    return [output[name] for output in told.outputs if output["conversation"] == conversation]


def test_none_changes_nothing():
    model = ScriptedModel(lambda text, seed: str(seed))
    told = talk(model, INTERVENTIONS["none"])
    assert told.counts() == {"empty": 0, "ended": 24, "over-long": 0, "redrawn": 0, "injected": 0}


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("temperature", {"temperature": 1.0}),
        ("top-k", {"top_k": 50, "top_p": 1.0}),
        ("repetition penalty", {"repetition_penalty": 1.2}),
        ("no repeated n-grams", {"no_repeat_ngram_size": 3}),
    ],
)
def test_sampling_is_replaced(name, changed):
    told = talk(ScriptedModel(lambda text, seed: text), INTERVENTIONS[name], turns=1)
    assert of(told, "sampling") == [{**Sampling().as_dict(), **changed}]


def test_near_copies_are_drawn_again():
    model = ScriptedModel(lambda text, seed: text if seed % 2 else f"new words {seed}")
    plain, novel = (talk(model, rule) for rule in (INTERVENTIONS["none"], Intervention(novelty=0.1, tries=20)))
    assert any(later == earlier for earlier, later in zip(of(plain, "text"), of(plain, "text")[1:], strict=False))
    texts = novel.texts()["s-01"]
    assert all(texts[i] not in texts[max(i - 2, 0) : i] for i in range(1, len(texts)))
    assert novel.counts()["redrawn"] > 0
    assert max(of(novel, "attempts")) > 1


def test_of_tries_that_all_fail_the_most_novel_is_kept():
    told = talk(ScriptedModel(lambda text, seed: text), Intervention(novelty=0.5, tries=3), turns=2)
    assert of(told, "attempts") == [3, 3]
    assert of(told, "text") == ["A first sentence."] * 2


def test_a_sentence_every_k_turns():
    read = []
    model = ScriptedModel(lambda text, seed: read.append(text) or "same")
    told = talk(model, INTERVENTIONS["inject every 5"])
    assert [turn for turn, said in enumerate(of(told, "injected"), start=1) if said] == [6, 11]
    assert any(text == f"same {sentence}" for text in read for sentence in OUTSIDE)


def test_a_sentence_when_a_loop_is_detected():
    told = talk(ScriptedModel(lambda text, seed: "same again"), INTERVENTIONS["inject on detection"])
    # outputs 2, 3, 4 copy the one before: known when turn 5 is due; then three copies of an output since are needed
    assert [turn for turn, said in enumerate(of(told, "injected"), start=1) if said] == [5, 9]


def test_no_sentence_without_a_loop():
    told = talk(ScriptedModel(lambda text, seed: str(seed)), INTERVENTIONS["inject on detection"])
    assert told.counts()["injected"] == 0


def test_two_cycles_are_loops_too():
    assert is_loop(["a b", "c d"] * 2 + ["a b"], 0.5)
    assert not is_loop(["a b", "c d"] * 2, 0.5)
    assert is_loop(["x", "a", "a", "a", "a"], 0.5)
    assert not is_loop(["x", "a", "a", "a"], 0.5)


def test_interventions_go_on_after_a_stop(tmp_path):
    model = ScriptedModel(lambda text, seed: "same again" if seed % 3 else str(seed))
    rule = Intervention(novelty=0.5, inject="detected")
    talk(model, rule, file=tmp_path / "whole.jsonl")
    whole = (tmp_path / "whole.jsonl").read_bytes()
    (tmp_path / "cut.jsonl").write_bytes(whole[: len(whole) // 2])
    assert talk(model, rule, file=tmp_path / "cut.jsonl").texts() == talk(model, rule).texts()


@pytest.mark.parametrize("wrong", [{"inject": "often"}, {"novelty": 2.0}, {"tries": 0}, {"sentences": ()}])
def test_interventions_that_make_no_sense(wrong, untyped):
    with pytest.raises(ValueError, match=r"inject|novelty|tries"):
        Intervention(**wrong)


@pytest.mark.parametrize("name", INTERVENTIONS)
def test_every_registered_one_is_described_and_read_back_as_itself(name):
    rule = INTERVENTIONS[name]
    assert rule.name == name and len(rule.description) > 20
    assert Intervention.from_dict(json.loads(json.dumps(rule.as_dict()))) is rule
    assert "description" not in rule.as_dict() and "sentences" not in rule.as_dict()


def test_one_of_our_own_is_read_back_with_the_known_sentences():
    own = Intervention("novelty", novelty=0.9)
    assert Intervention.from_dict(own.as_dict()) == own != INTERVENTIONS["novelty"]
    assert own.description == "" and own == Intervention("novelty", novelty=0.9, description="stricter")


def test_of_sentences_that_are_not_ours_only_the_hash_comes_back():
    own = Intervention("ours", inject="every", every=2, sentences=("A sentence of our own.",))
    read = Intervention.from_dict(own.as_dict())
    assert read.as_dict() == own.as_dict() and read.sentences == ()
    assert read.sentence(["one"], 0, 0) is None
    with pytest.raises(ValueError, match="only the hash of its sentences is known"):
        read.sentence(["one", "two"], 0, 0)


def test_sentences_must_have_the_hash_that_is_given():
    with pytest.raises(ValueError, match="these sentences have the hash"):
        Intervention(sentences=("Another.",), sentences_sha256="0" * 12)
