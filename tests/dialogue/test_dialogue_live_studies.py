import pytest

from a2a.dialogue import live
from a2a.dialogue.live import live_studies, live_study, tell, usual_dtype

WORDS, ECHO = "scripted:words", "scripted:echo"


def test_a_live_study_of_two_models():
    study = live_study(WORDS, ECHO, most=3, turns=4, history="all", seed=7)
    assert [model.name for model in study.models] == [WORDS, ECHO]
    assert (study.name, len(study.seeds), study.turns, study.history, study.seed) == ("live", 3, 4, "all", 7)


def test_one_model_for_both_is_loaded_once():
    study = live_study(WORDS, WORDS)
    assert study.first is study.second


def test_seeds_of_a_user(tmp_path):
    (tmp_path / "mine.txt").write_text("One.\nTwo.\n")
    assert [seed.text for seed in live_study(WORDS, ECHO, seeds_file=tmp_path / "mine.txt").seeds] == ["One.", "Two."]


@pytest.mark.parametrize(("first", "second"), [(WORDS, ""), ("", ECHO), ("", "")])
def test_a_live_study_needs_both_models(first, second):
    with pytest.raises(ValueError, match="both model_a and model_b"):
        live_study(first, second)
    with pytest.raises(ValueError, match="both model_a and model_b"):
        live_studies({"A": first, "B": second, "C": WORDS})


def test_all_studies_of_two_models_and_of_three(monkeypatch):
    two = live_studies({"A": WORDS, "B": ECHO, "C": ""}, most=2, seed=3)
    assert {"main", "hot", "swapped"} <= two.keys() and "larger" not in two
    assert {len(study.seeds) for study in two.values()} == {2}
    assert {study.seed for study in two.values()} == {3}
    with pytest.raises(ValueError, match="different ones"):
        live_studies({"A": WORDS, "B": ECHO, "C": WORDS})


def test_precision_follows_the_device():
    assert (usual_dtype("cpu"), usual_dtype("cuda:1")) == ("float32", "bfloat16")


def test_live_studies_are_recorded_and_gone_on_with(tmp_path, monkeypatch):
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    made = {"live": live_study(WORDS, ECHO, most=2, turns=3)}
    told = tell(made)["live"]
    assert told.is_complete
    (file,) = (tmp_path / "conversations").iterdir()
    before = file.read_bytes()
    assert tell(made)["live"].outputs == told.outputs
    assert file == live.under_way(made["live"]) and file.read_bytes() == before
