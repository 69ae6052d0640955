import pytest

from a2a.models import LanguageModel, RecordedModel, Sampling, load_model

TOLD = {"name": "tiny", "size": 12, "source": "hf:owner/tiny", "context": 40}


def test_it_is_a_language_model_that_describes_itself_as_recorded():
    model = RecordedModel(TOLD)
    assert isinstance(model, LanguageModel)
    assert (model.name, model.size, model.describe()) == ("tiny", 12, TOLD)


def test_it_says_where_it_is_loaded_from():
    with pytest.raises(RuntimeError, match=r"tiny is only recorded here: load it .*hf:owner/tiny"):
        RecordedModel(TOLD)(["text"], Sampling(), [0])


def test_models_are_the_same_if_all_that_was_recorded_is():
    assert RecordedModel(TOLD) == RecordedModel(dict(TOLD)) != RecordedModel({**TOLD, "context": 41})
    assert len({RecordedModel(TOLD), RecordedModel(dict(TOLD))}) == 1
    assert RecordedModel(load_model("scripted:words").describe()) != load_model("scripted:words")


def test_what_was_described_does_not_change_under_it():
    told = dict(TOLD)
    model = RecordedModel(told)
    told["name"] = model.describe()["name"] = "another"
    assert model.describe() == TOLD


@pytest.mark.parametrize("wrong", [{}, {"name": None}, {"name": "tiny", "size": "12"}])
def test_a_model_without_a_name(wrong):
    with pytest.raises(ValueError, match="its name and its size"):
        RecordedModel(wrong)
