"""Journals that were damaged anyhow: one line says what is wrong and where, and what is good stays."""

import re
from pathlib import Path

import pytest
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st

from a2a.chat import Request, Transcripts
from a2a.chat.transcripts import TranscriptError
from a2a.dialogue import Seed, Study, converse, read_conversations
from a2a.dialogue.studyfile import RecordError
from a2a.models import load_model
from a2a.sealed import sealed, unsealed


def study():
    models = load_model("scripted:words"), load_model("scripted:echo")
    return Study("fuzz", *models, [Seed(f"s-{i}", "s", f"Seed {i}.") for i in range(3)], turns=3)


def call(number):
    request = Request("m", [{"role": "user", "content": f"question {number}"}], {"seed": 0}, replicate=number)
    reply = {"text": f"answer {number}", "model": "m-1", "finish_reason": "stop", "refusal": None}
    told = {"server": "loopback", "left_out": [], "reply": reply, "outcome": "valid", "error": None}
    return {"key": request.key, "request": request.as_dict(), **told, "usage": {"prompt_tokens": 3}, "seconds": 0.1}


class Told:
    """A study's file, as it is read and written."""

    opening, error = b'{"record": "', RecordError

    def read(self, file):
        told = read_conversations(file)
        assert told.texts().keys() == set(told.ids) and told.counts() and told.only(told.ids[:1]).outputs is not None
        return told.outputs

    def write(self, file):
        converse(study(), file)


class Calls:
    """A transcript, as it is read and written."""

    opening, error = b'{"key": "', TranscriptError

    def read(self, file):
        calls = Transcripts(file)
        assert sum(counts.total() for counts in calls.outcomes().values()) == len(calls)
        return [found for number in range(9) if (found := calls.answer(Request(**call(number)["request"])))]

    def write(self, file):
        Transcripts(file).append(call(8))


KINDS = {"study": Told(), "calls": Calls()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """By kind: the bytes of a good file, and what is read of it."""
    folder = tmp_path_factory.mktemp("whole")
    converse(study(), folder / "study")
    for number in range(8):
        Transcripts(folder / "calls").append(call(number))
    return {name: ((folder / name).read_bytes(), kind.read(folder / name)) for name, kind in KINDS.items()}


ODD = [b"null", b"[]", b"7", b'"text"', b"{}", b"[" * 50_000, b'{"a":' * 50_000, b"\xef\xbb\xbf", b"\r", b"\0"]
ODD += [b"\xff\xfe", b'{"key": "', b'{"record": "', b"NaN", b"9" * 5000, b"\xe2\x80\xa8", b"x" * 100_000]


@st.composite
def damaged(draw, content, times=3):
    """The content with bytes changed, cut or put in, or with lines left out, doubled, swapped or put in."""
    lines = content.split(b"\n")
    i, j = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    at, to = sorted(draw(st.integers(0, len(content))) for _ in range(2))
    put = draw(st.binary(min_size=1, max_size=4) | st.sampled_from(ODD))
    swapped = {i: lines[j], j: lines[i]}
    ways = {
        "cut off": content[:at],
        "cut out": content[:at] + content[to:],
        "put in": content[:at] + put + content[at:],
        "overwritten": content[:at] + put + content[at + len(put) :],
        "line left out": b"\n".join(lines[:i] + lines[i + 1 :]),
        "line doubled": b"\n".join([*lines[:i], lines[j], *lines[i:]]),
        "line put in": b"\n".join([*lines[:i], put, *lines[i:]]),
        "lines swapped": b"\n".join(swapped.get(k, line) for k, line in enumerate(lines)),
        "line ends": content.replace(b"\n", b"\r\n"),
    }
    spoilt = ways[draw(st.sampled_from(list(ways)))]
    return draw(damaged(spoilt, times - 1)) if times > 1 and draw(st.booleans()) else spoilt


def one_line(error, file):
    assert str(error).startswith(file.name) and len(str(error).splitlines()) == 1 and len(str(error)) < 500


@pytest.mark.parametrize("kind", KINDS)
@fuzzed(120)
@given(data=st.data())
def test_what_is_read_of_a_damaged_journal_was_written_so(whole, tmp_path, kind, data):
    file, content = tmp_path / "j.jsonl", data.draw(damaged(whole[kind][0]))
    file.write_bytes(content)
    try:
        assert all(record in whole[kind][1] for record in KINDS[kind].read(file))
    except KINDS[kind].error as error:
        one_line(error, file)
    assert file.read_bytes() == content


@pytest.mark.parametrize("kind", KINDS)
@fuzzed(120)
@given(data=st.data())
def test_who_writes_after_damage_removes_a_torn_end_at_most(whole, tmp_path, kind, data):
    file, content = tmp_path / "j.jsonl", data.draw(damaged(whole[kind][0]))
    file.write_bytes(content)
    try:
        KINDS[kind].write(file)
    except KINDS[kind].error as error:
        one_line(error, file)
        assert file.read_bytes() == content
        return
    good, end = content, b""
    if not file.read_bytes().startswith(content):
        good, end = content[: content.rfind(b"\n") + 1], content[content.rfind(b"\n") + 1 :]
    assert file.read_bytes().startswith(good) and KINDS[kind].read(file)
    opening = KINDS[kind].opening
    assert end.startswith(opening) or opening.startswith(end)
    assert re.fullmatch(rb"[ -~]*", end)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


def inside(record):
    """Every object in a record, itself first."""
    found = [record] if isinstance(record, dict) else []
    return found + [
        one
        for value in (record.values() if isinstance(record, dict) else record if isinstance(record, list) else ())
        for one in inside(value)
    ]


@pytest.mark.parametrize("kind", KINDS)
@fuzzed(250)
@given(data=st.data())
def test_a_record_that_was_sealed_with_anything_in_a_field_is_read_or_named(whole, tmp_path, kind, data):
    lines = whole[kind][0].splitlines()
    i = data.draw(st.integers(0, len(lines) - 1))
    record = unsealed(lines[i])
    target = data.draw(st.sampled_from(inside(record)))
    name = data.draw(st.sampled_from([*target, "unknown"]))
    if data.draw(st.booleans()) or name not in target:
        target[name] = data.draw(values)
    else:
        del target[name]
    lines[i] = sealed(record) if record else b"{}"
    file = tmp_path / "j.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    try:
        KINDS[kind].read(file)
    except KINDS[kind].error as error:
        assert re.match(r"j\.jsonl, line \d+: ", str(error))
        one_line(error, file)


@fuzzed(100)
@given(data=st.data())
def test_a_damaged_packed_transcript_is_read_or_named(tmp_path, data):
    packed = (Path(__file__).resolve().parents[2] / "transcripts" / "smollm2.jsonl.gz").read_bytes()
    file = tmp_path / "j.jsonl.gz"
    file.write_bytes(data.draw(damaged(packed)))
    try:
        Transcripts(file)
    except TranscriptError as error:
        one_line(error, file)
