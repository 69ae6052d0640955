"""What would stop a study after hours is said before its first turn."""

import os
from dataclasses import replace

import pytest

from a2a.chat.server import local_server
from a2a.dialogue import Sampling, Seed, Study
from a2a.dialogue.interventions import INTERVENTIONS
from a2a.dialogue.live import tell
from a2a.dialogue.ready import require_ready
from a2a.dialogue.record import under_way
from a2a.journal import JournalError
from a2a.models.errors import CallError
from a2a.models.scripted import ScriptedModel
from a2a.models.served import ServedModel

SEEDS = [Seed("one-01", "one", "A boat."), Seed("one-02", "one", "A hill.")]


class Counted(ScriptedModel):
    """A scripted model that says how often it was asked, and for how many tokens."""

    def __init__(self, name):
        super().__init__(lambda text, seed: "and then some", name)
        self.asked = []

    def __call__(self, texts, sampling, seeds):
        self.asked.append(sampling.max_new_tokens)
        return super().__call__(texts, sampling, seeds)


@pytest.fixture(autouse=True)
def build(tmp_path, monkeypatch):
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    return tmp_path


@pytest.fixture
def study():
    return Study("small", Counted("a"), Counted("b"), SEEDS, turns=2)


def test_each_model_writes_one_token_first(study):
    require_ready([study, replace(study, turns=4)])
    assert study.first.asked == study.second.asked == [1]


def test_each_kind_of_sampling_is_tried(study):
    require_ready([study, replace(study, intervention=INTERVENTIONS["top-k"])])
    assert study.first.asked == [1, 1]


def test_nothing_is_left_behind(study, build):
    require_ready([study])
    assert not list(build.iterdir())


def test_a_study_that_is_whole_needs_no_model(study):
    told = tell({"small": study})["small"]
    before = list(study.first.asked)
    assert tell({"small": study})["small"].outputs == told.outputs and study.first.asked == before


def test_a_model_that_holds_too_little_is_named(study):
    study.second.context = 50
    with pytest.raises(ValueError, match="b holds 50 tokens: max_new_tokens must be fewer, got 50"):
        require_ready([study])
    assert not study.first.asked


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_stops_it_before_the_first_turn(study, build):
    build.chmod(0o500)
    with pytest.raises(OSError, match="can't be written to"):
        tell({"small": study})
    assert not study.first.asked


def test_a_place_that_is_no_file_stops_it_before_the_first_turn(study):
    under_way(study).mkdir(parents=True)
    with pytest.raises((JournalError, OSError)):
        tell({"small": study})
    assert not study.first.asked


def test_a_place_in_a_file_stops_it_before_the_first_turn(study, build):
    (build / "conversations").write_text("not a folder")
    with pytest.raises(OSError, match="conversations"):
        tell({"small": study})
    assert not study.first.asked


def test_a_name_that_the_second_server_does_not_know_stops_it_before_the_first_turn(study):
    with local_server() as url, pytest.raises(CallError, match="'nobody' does not exist"):
        tell({"small": replace(study, second=ServedModel(url, "nobody", retries=0))})
    assert len(study.first.asked) <= 1 and not under_way(study).exists()


def test_a_setting_that_a_server_does_not_know_stops_it_before_the_first_turn(study):
    with local_server() as url:
        served = replace(study, first=ServedModel(url, "gradient"), sampling=Sampling(no_repeat_ngram_size=3))
        with pytest.raises(ValueError, match="no setting like no_repeat_ngram_size"):
            require_ready([served])
