import json
from pathlib import Path

import pytest

from a2a.dialogue import Seed, Study, converse, read_conversations
from a2a.dialogue.interventions import INTERVENTIONS, Intervention
from a2a.dialogue.studyfile import RecordError, header
from a2a.models import LanguageModel, Sampling, load_model
from a2a.models.scripted import ScriptedModel
from a2a.sealed import sealed

SEEDS = [Seed("s-01", "s", "One."), Seed("s-02", "s", "Two.")]
RECORDED = sorted((Path(__file__).resolve().parents[2] / "conversations").glob("*.jsonl"))


def study(**changes):
    models = {"first": load_model("scripted:words"), "second": load_model("scripted:echo")}
    return Study(**{"name": "test", **models, "seeds": SEEDS, "turns": 2, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"history": "all", "batch": 1, "seed": 7, "sampling": Sampling(temperature=0.0)},
        {"intervention": INTERVENTIONS["top-k"]},
        {"intervention": Intervention("ours", {"top_p": 0.5}, sentences=("A sentence of our own.",))},
    ],
)
def test_a_study_is_read_as_the_study_that_it_was(changes):
    made = study(**changes)
    read = Study.from_description(json.loads(json.dumps(made.describe())))
    assert read == made and hash(read) == hash(made)
    assert [model.name for model in read.models] == ["scripted:words", "scripted:echo"]
    assert (read.turns, read.sampling, read.history) == (2, made.sampling, made.history)


def test_a_seed_sentence_with_a_key_is_refused_before_it_is_recorded(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "planted-0123456789")
    with pytest.raises(ValueError, match="seed sentence s-02 holds a key") as caught:
        study(seeds=[SEEDS[0], Seed("s-02", "s", "My key is planted-0123456789.")])
    assert "planted" not in str(caught.value)


def test_a_model_that_is_named_like_a_key_is_refused_before_it_is_recorded():
    """Its name would be removed from the record, and the outputs would then be another model's."""
    with pytest.raises(ValueError, match="a model's name or source looks like a key"):
        study(second=ScriptedModel(lambda text, seed: text, name="sk-hy-instruct-2024-v1-chat"))


@pytest.mark.parametrize("change", [{"turns": 3}, {"seeds": SEEDS[:1]}, {"second": load_model("scripted:words")}])
def test_another_study_is_not_equal(change):
    assert study(**change) != study()


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_what_is_recorded_reads_as_a_study_and_would_be_written_the_same(file):
    with file.open("rb") as lines:
        first = lines.readline()
    told = read_conversations(file)
    again = {**header(told.study), "machine": told.machine}
    assert sealed(again) + b"\n" == first
    assert told.study.name == file.stem and told.is_complete and told.machine["threads"] == 1
    assert told.study.intervention is INTERVENTIONS[told.study.intervention.name]


def test_models_that_were_only_recorded_must_be_loaded(tmp_path):
    converse(study(), tmp_path / "t.jsonl")
    model = read_conversations(tmp_path / "t.jsonl").study.first
    assert isinstance(model, LanguageModel)
    with pytest.raises(RuntimeError, match="scripted:words is only recorded here: load it"):
        model(["text"], Sampling(), [0])


@pytest.mark.parametrize(
    "spoil",
    [
        {"models": [{"name": "one"}]},
        {"models": [{"size": 3}, {"size": 3}]},
        {"sampling": {"top_q": 1}},
        {"turns": 0},
        {"seeds": ["One."]},
        {"intervention": None},
        {"machine": None},
    ],
)
def test_a_first_line_that_is_no_study_is_named(spoil, tmp_path, untyped):
    (tmp_path / "t.jsonl").write_bytes(sealed({**header(study()), **spoil}))
    with pytest.raises(RecordError, match=r"t\.jsonl, line 1: (?!.*digest)"):
        read_conversations(tmp_path / "t.jsonl")
