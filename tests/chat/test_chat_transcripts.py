import gzip
import json
import subprocess
import sys

import pytest

from a2a.chat import ReplayMiss, Request, TranscriptError, Transcripts, recording_file, recordings
from a2a.sealed import sealed


def _request(number, model="m"):
    return Request(model, [{"role": "user", "content": f"question {number}"}], {"seed": 0}, replicate=number)


def _record(number, model="m", answered="m-2026-01-01", server="loopback", error=None):
    request = _request(number, model)
    reply = None if error else {"text": f"answer {number}", "model": answered, "finish_reason": "stop", "refusal": None}
    return {
        "key": request.key,
        "request": request.as_dict(),
        "server": server,
        "reply": reply,
        "outcome": "valid",
        "error": error,
        "usage": None,
    }


@pytest.fixture
def file(tmp_path):
    return tmp_path / "folder" / "calls.jsonl"


def test_what_was_appended_is_found_again(file):
    written = Transcripts(file)
    for number in range(3):
        written.append(_record(number))
    for transcripts in (written, Transcripts(file)):
        assert len(transcripts) == 3
        assert transcripts.answer(_request(1))["reply"]["text"] == "answer 1"
        assert transcripts.answer(_request(7)) is None
    assert written.outcomes() == {"m": {"valid": 3}}


def test_the_key_is_stable_and_covers_every_field():
    assert _request(1).key == "fa86c53584629b8830c976efd388211a"
    base = {"model": "m", "messages": [], "settings": {}, "replicate": 0, "attempt": 0}
    changes = {"model": "n", "messages": [{"role": "user", "content": ""}], "settings": {"seed": 1}, "replicate": 1}
    keys = {Request(**base).key} | {Request(**{**base, name: value}).key for name, value in changes.items()}
    assert len(keys | {Request(**{**base, "attempt": 1}).key}) == 6


def test_a_failure_is_kept_and_never_served(file):
    transcripts = Transcripts(file)
    transcripts.append(_record(0, error="429 - too fast"))
    assert transcripts.answer(_request(0)) is None
    assert transcripts.failure(_request(0)) == "429 - too fast"
    transcripts.append(_record(0))
    assert Transcripts(file).answer(_request(0))["reply"]["text"] == "answer 0"


def test_one_sees_what_another_appends(file):
    first, second = Transcripts(file), Transcripts(file)
    first.append(_record(0))
    assert second.answer(_request(0)) is not None


def test_any_torn_last_line_is_passed_over_and_then_removed_and_a_whole_one_counts(file):
    transcripts = Transcripts(file)
    for number in range(3):
        transcripts.append(_record(number))
    whole = file.read_bytes()
    before = whole[:-1].rfind(b"\n") + 1
    for cut in range(before + 1, len(whole), 3):
        file.write_bytes(whole[:cut])
        torn = Transcripts(file)
        assert len(torn) == (2 if cut < len(whole) - 1 else 3)
        torn.append(_record(3))
        lines = [json.loads(line)["request"]["replicate"] for line in file.read_bytes().splitlines()]
        assert lines == ([0, 1, 3] if cut < len(whole) - 1 else [0, 1, 2, 3])


def test_a_line_that_is_no_record_is_named(file):
    Transcripts(file).append(_record(0))
    with file.open("a") as out:
        out.write("<<<<<<< HEAD\n")
    with pytest.raises(TranscriptError, match="line 2"):
        Transcripts(file)


@pytest.mark.parametrize(
    "wrong",
    [{"error": None}, {**_record(1), "reply": None}, {**_record(1), "reply": {"text": 3}}, {**_record(1), "key": []}],
)
def test_a_record_that_is_not_one_of_a_call_is_named(file, wrong):
    Transcripts(file).append(_record(0))
    with file.open("a") as out:
        out.write(sealed(wrong).decode() + "\n")
    with pytest.raises(TranscriptError, match=r"calls\.jsonl, line 2: (?!.*digest)"):
        Transcripts(file)


def test_a_file_of_somebody_else_s_is_left_alone(file):
    file.parent.mkdir()
    file.write_text("a letter to my aunt")
    with pytest.raises(TranscriptError, match="line 1"):
        Transcripts(file)
    assert file.read_text() == "a letter to my aunt"


@pytest.mark.parametrize("other", [{"answered": "m-2026-06-01"}, {"server": "https://example.org/v1"}])
def test_answers_of_different_models_are_not_mixed(file, other):
    transcripts = Transcripts(file)
    transcripts.append(_record(0))
    with pytest.raises(TranscriptError, match="another transcript"):
        transcripts.append(_record(1, **other))
    assert Transcripts(file).answer(_request(1)) is None
    transcripts.append(_record(1, model="another", **other))


def test_a_compressed_transcript_replays_and_is_not_written(file, tmp_path):
    Transcripts(file).append(_record(0))
    packed = tmp_path / "calls.jsonl.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    transcripts = Transcripts(packed)
    assert transcripts.answer(_request(0)) is not None and transcripts.answer(_request(1)) is None
    with pytest.raises(TranscriptError, match="replay only"):
        transcripts.append(_record(1))


def test_a_miss_names_the_request(file):
    error = ReplayMiss(_request(5), file, "429 - too fast")
    assert all(part in str(error) for part in (_request(5).key, "question 5", "calls.jsonl", "429"))


APPEND = """
import sys
from a2a.chat import Transcripts
sys.path.insert(0, sys.argv[1])
from test_chat_transcripts import _record
transcripts = Transcripts(sys.argv[2])
for number in range(200):
    transcripts.append({**_record(number, model=sys.argv[3]), "padding": "x" * 5000})
"""


def test_two_processes_into_one_file(file):
    here = str(__file__).rsplit("/", 1)[0]
    models = ("m", "n")
    running = [subprocess.Popen([sys.executable, "-c", APPEND, here, str(file), model]) for model in models]
    assert [process.wait(60) for process in running] == [0, 0]
    lines = [json.loads(line)["request"] for line in file.read_bytes().splitlines()]
    assert len(Transcripts(file)) == len(lines) == 400
    for model in models:
        assert [line["replicate"] for line in lines if line["model"] == model] == list(range(200))


def test_recordings_are_found_by_model(tmp_path):
    for model in ("m", "n"):
        Transcripts(recording_file(tmp_path, model)).append(_record(0, model=model))
    packed = tmp_path / "o.jsonl.gz"
    packed.write_bytes(gzip.compress(sealed(_record(0, model="o"))))
    found = recordings(tmp_path)
    assert found.keys() == {"m", "n", "o"}
    assert all(transcripts.answer(_request(0, model)) for model, transcripts in found.items())
    assert recordings(packed).keys() == {"o"}


def test_a_model_that_only_failed_has_no_recording(file):
    Transcripts(file).append(_record(0, error="429 - too fast"))
    assert recordings(file) == {}


def test_recordings_that_are_not_there(tmp_path):
    assert recordings(tmp_path) == {}
    with pytest.raises(FileNotFoundError, match="no transcripts at"):
        recordings(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("where", "model", "file"),
    [
        ("runs", "gpt-5-mini", "runs/gpt-5-mini.jsonl"),
        ("runs", "gradient:noise=0.01", "runs/gradient-noise-0.01.jsonl"),
        ("runs", "../org/model", "runs/..-org-model.jsonl"),
        ("runs/all.jsonl", "gpt-5-mini", "runs/all.jsonl"),
    ],
)
def test_every_model_has_a_file(where, model, file):
    assert recording_file(where, model).as_posix() == file
