import os
import resource
import signal
import subprocess
import sys

import pytest

from a2a.dialogue import converse, read_conversations, record
from a2a.dialogue.records import RecordError, read_study
from a2a.dialogue.seeds import load_seeds, our_seeds
from a2a.models.errors import CallError

SCRIPTED = """
models: {A: "scripted:words", B: "scripted:echo"}
defaults:
  {first: A, second: B, turns: 3, history: 1, batch: null, seed: 0, sampling: {},
   intervention: none}
studies:
  one: {}
  lonely: {second: C}
  two: {turns: 2, conversations: 4, sampling: {max_new_tokens: 3}, intervention: novelty}
"""


@pytest.fixture
def studies(tmp_path, monkeypatch):
    (tmp_path / "studies.yml").write_text(SCRIPTED)
    settings = record.studies(file=tmp_path / "studies.yml")
    monkeypatch.setattr(record, "studies", lambda: settings)


def test_all_studies_are_recorded(studies, tmp_path, capsys):
    assert record.main(["--folder", str(tmp_path)]) == 0
    assert len(read_conversations(tmp_path / "one.jsonl").outputs) == 150
    two = read_conversations(tmp_path / "two.jsonl")
    assert (len(two.outputs), two.study.intervention.name, two.study.sampling.max_new_tokens) == (
        8,
        "novelty",
        3,
    )
    assert "one: 150 outputs" in capsys.readouterr().out


def test_only_what_is_named(studies, tmp_path):
    assert record.main(["two", "--folder", str(tmp_path)]) == 0
    assert [file.name for file in tmp_path.glob("*.jsonl")] == ["two.jsonl"]


def test_no_such_study(studies, capsys):
    with pytest.raises(SystemExit):
        record.main(["three"])
    assert "no study three; there are one, two" in capsys.readouterr().err


def test_a_setting_that_is_none():
    with pytest.raises(ValueError, match="has no setting tunrs"):
        record.build("x", {**record.studies()["main"], "first": "scripted:echo", "second": "scripted:echo", "tunrs": 3})


def test_the_main_study_is_paper_b_s_protocol():
    settings = {**record.studies()["main"], "first": "scripted:words", "second": "scripted:echo"}
    study = record.build("main", settings)
    assert study.seeds[:50] == load_seeds()
    assert (len(study.seeds), study.turns, study.history) == (150, 25, 1)
    assert (study.sampling.temperature, study.sampling.top_p, study.sampling.max_new_tokens) == (0.7, 0.95, 50)


def test_seeds_are_spread_over_the_categories(studies):
    study = record.build("two", record.studies()["two"])
    assert [seed.category for seed in study.seeds] == ["everyday", "news", "technical", "dialogue"]


def test_a_whole_study_needs_neither_models_nor_the_machine(studies, tmp_path, monkeypatch):
    record.main(["one", "--folder", str(tmp_path)])
    monkeypatch.setattr(record, "build", lambda *_, **__: 1 / 0)
    assert record.main(["one", "--folder", str(tmp_path), "--threads", "2"]) == 0


def test_some_turns_against_the_record(studies, tmp_path, capsys):
    record.main(["one", "--folder", str(tmp_path / "recorded")])
    again = ["one", "--folder", str(tmp_path / "again"), "--against", str(tmp_path / "recorded")]
    assert record.main([*again, "--turns", "2"]) == 0
    assert "one: 100 of 100 outputs are identical to those in recorded" in capsys.readouterr().out
    assert record.main(again) == 0
    assert "one: 150 of 150" in capsys.readouterr().out


def test_studies_of_other_models():
    other = record.studies({"A": "scripted:words", "B": "scripted:echo"})
    assert (other["main"]["first"], other["swapped"]["first"]) == ("scripted:words", "scripted:echo")
    assert record.studies().keys() - other.keys() == {"larger", "tinyllama_self"}


def test_a_notebook_s_record_is_its_settings_own(studies, tmp_path, monkeypatch):
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    one, two = (record.build("one", settings) for settings in record.studies().values())
    assert record.under_way(one) == record.under_way(record.build("one", record.studies()["one"]))
    assert record.under_way(one) != record.under_way(two)
    assert record.under_way(one).is_relative_to(tmp_path)


def test_another_study_in_the_file_is_an_error(studies, tmp_path, capsys):
    record.main(["one", "--folder", str(tmp_path), "--turns", "1"])
    (tmp_path / "one.jsonl").rename(tmp_path / "two.jsonl")
    assert record.main(["two", "--folder", str(tmp_path)]) == 1
    assert "holds another study" in capsys.readouterr().err


def more_wanted(n):
    """The studies of SCRIPTED, with more conversations in the second."""
    settings = record.studies()
    settings["two"]["conversations"] = n


def test_a_study_that_wants_more_gets_another_part(studies, tmp_path):
    command = ["two", "--folder", str(tmp_path)]
    record.main(command)
    before = (tmp_path / "two.jsonl").read_bytes()
    more_wanted(60)
    assert record.main(command) == 0
    told = read_study(tmp_path, "two")
    assert (tmp_path / "two.jsonl").read_bytes() == before
    assert [len(part) for part in told.parts] == [4, record.PART, 6]
    assert told.ids == [name for part in told.parts for name in part] and set(told.ids) == {s.id for s in our_seeds(60)}
    assert {len(rows) for rows in told.texts().values()} == {3} and told.is_complete


def test_a_conversation_is_the_same_in_whatever_part_it_is(studies, tmp_path):
    record.main(["two", "--folder", str(tmp_path / "grown")])
    more_wanted(6)
    for folder in ("grown", "at_once"):
        record.main(["two", "--folder", str(tmp_path / folder)])
    grown, at_once = (read_study(tmp_path / folder, "two") for folder in ("grown", "at_once"))
    assert [len(grown.parts), len(at_once.parts)] == [2, 1] and set(at_once.ids) <= set(grown.ids)
    assert at_once.texts().items() <= grown.texts().items()
    assert record.identical(at_once, grown) == (12, 12)


def test_a_further_part_goes_on_where_it_was(studies, tmp_path):
    command = ["two", "--folder", str(tmp_path)]
    record.main(command)
    more_wanted(7)
    record.main([*command, "--turns", "1"])
    assert len(read_study(tmp_path, "two").ids) == 4, "a part that is under way is left out"
    before = (tmp_path / "two-2.jsonl").read_bytes()
    record.main(command)
    assert (tmp_path / "two-2.jsonl").read_bytes().startswith(before)
    assert [len(part) for part in read_study(tmp_path, "two").parts] == [4, 6]


def test_at_most_so_many_conversations(studies, tmp_path):
    record.main(["one", "two", "--folder", str(tmp_path), "--conversations", "3"])
    assert [len(read_study(tmp_path, name).ids) for name in ("one", "two")] == [3, 3]


def test_a_part_of_another_study_is_an_error(studies, tmp_path):
    record.main(["one", "two", "--folder", str(tmp_path)])
    (tmp_path / "one.jsonl").rename(tmp_path / "two-2.jsonl")
    with pytest.raises(RecordError, match=r"two in .*: a part holds another study"):
        read_study(tmp_path, "two")


def test_a_conversation_in_two_parts_is_an_error(studies, tmp_path):
    record.main(["two", "--folder", str(tmp_path)])
    (tmp_path / "two-2.jsonl").write_bytes((tmp_path / "two.jsonl").read_bytes())
    with pytest.raises(RecordError, match="or conversations of another part"):
        read_study(tmp_path, "two")


def test_some_conversations_of_several_parts(studies, tmp_path):
    more_wanted(53)
    record.main(["two", "--folder", str(tmp_path)])
    told = read_study(tmp_path, "two")
    some = told.only([told.ids[0], told.ids[-1]])
    assert some.parts == [[told.ids[0]], [told.ids[-1]]] and len(some.outputs) == 4


def test_a_server_that_does_not_answer_is_one_line(studies, tmp_path, capsys, monkeypatch):
    def no_model(spec, **options):
        raise CallError("http://127.0.0.1:9/v1, model m: connection failed")

    record._model.cache_clear()
    monkeypatch.setattr(record, "load_model", no_model)
    assert record.main(["one", "--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "record: http://127.0.0.1:9/v1, model m: connection failed\n"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["--turns", "0"], "--turns: must be a whole number from 1, got '0'"),
        (["--turns", "-1"], "--turns: must be a whole number from 1, got '-1'"),
        (["--turns", "two"], "--turns: must be a whole number from 1, got 'two'"),
        (["--threads", "0"], "--threads: must be a whole number from 1, got '0'"),
        (["--dtype", "int7"], "--dtype: invalid choice: 'int7'"),
    ],
)
def test_a_wrong_option_ends_with_2_and_says_which(studies, capsys, wrong, says):
    with pytest.raises(SystemExit) as ended:
        record.main(wrong)
    assert ended.value.code == 2 and says in capsys.readouterr().err


def _no_folder(tmp_path):
    (tmp_path / "there").write_text("no folder")
    return ["--folder", str(tmp_path / "there" / "in")]


def _foreign(tmp_path):
    (tmp_path / "one.jsonl").write_bytes(b"a letter")
    return ["--folder", str(tmp_path)]


def _pipe(tmp_path):
    os.mkfifo(tmp_path / "one.jsonl")
    return ["--folder", str(tmp_path)]


def _edited(tmp_path):
    record.main(["one", "--folder", str(tmp_path)])
    content = (tmp_path / "one.jsonl").read_bytes()
    (tmp_path / "one.jsonl").write_bytes(content.replace(b'"turn": 2', b'"turn": 3'))
    return ["--folder", str(tmp_path)]


def _against_nothing(tmp_path):
    return ["--folder", str(tmp_path), "--against", str(tmp_path / "nowhere")]


def _against_damaged(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "one.jsonl").write_bytes(b"[1]\n")
    return ["--folder", str(tmp_path), "--against", str(tmp_path / "other")]


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (_no_folder, "there/in/one.jsonl'"),
        (_foreign, "one.jsonl, line 1: this isn't JSON"),
        (_pipe, "one.jsonl isn't a file"),
        (_edited, "one.jsonl, line 52: the record isn't as it was written"),
        (_against_nothing, "no conversations at"),
        (_against_damaged, "one.jsonl, line 1: a record is a JSON object"),
    ],
)
def test_what_cannot_be_recorded_is_one_line_before_a_model_is_loaded(
    studies, tmp_path, capsys, monkeypatch, prepare, says
):
    options = prepare(tmp_path)
    capsys.readouterr()
    monkeypatch.setattr(record, "build", lambda *_, **__: 1 / 0)
    assert record.main(["one", *options]) == 1
    told = capsys.readouterr()
    assert told.err.count("\n") == 1 and told.err.startswith("record: ") and says in told.err


@pytest.mark.parametrize(
    "error", [ModuleNotFoundError("install a2a[dialogue]"), OSError("We couldn't\nconnect"), ValueError("no model")]
)
def test_a_model_that_cannot_be_loaded_is_one_line(studies, tmp_path, capsys, monkeypatch, error):
    def no_model(spec, **options):
        raise error

    record._model.cache_clear()
    monkeypatch.setattr(record, "load_model", no_model)
    assert record.main(["one", "--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"record: {' '.join(str(error).split())}\n"


def test_a_full_disk_is_one_line_and_the_next_run_goes_on(studies, tmp_path, capsys):
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, usual[1]))
    try:
        assert record.main(["one", "--folder", str(tmp_path)]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("record: [Errno ") and last.endswith("one.jsonl'")
    kept = (tmp_path / "one.jsonl").read_bytes()
    assert read_conversations(tmp_path / "one.jsonl").texts() and kept.endswith(b"\n")
    assert record.main(["one", "--folder", str(tmp_path)]) == 0
    assert (tmp_path / "one.jsonl").read_bytes().startswith(kept)


INTERRUPTED = """
import sys, time
from a2a.dialogue import record
from a2a.models.scripted import ScriptedModel

def slow(text, seed):
    print("talking", flush=True)
    time.sleep(0.05)
    return text

record.load_model = lambda spec, **options: ScriptedModel(slow)
sys.exit(record.main(["main", "--folder", sys.argv[1]]))
"""


def test_an_interrupt_ends_with_130_and_one_line(tmp_path):
    run = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stdout.readline() == "talking\n"
    run.send_signal(signal.SIGINT)
    told = run.communicate(timeout=60)[1]
    assert run.returncode == 130 and "Traceback" not in told
    assert told.splitlines()[-1].startswith("record: stopped; what is recorded stays")
    read_conversations(tmp_path / "main.jsonl")


@pytest.mark.parametrize("name", record.studies())
def test_every_recorded_study_can_be_run(name):
    settings = {**record.studies()[name], "first": "scripted:words", "second": "scripted:echo", "turns": 2}
    assert len(converse(record.build(name, settings, seeds=our_seeds(2))).outputs) == 4
