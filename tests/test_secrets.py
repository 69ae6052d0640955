"""What `scrub` finds of a key, and what it leaves alone."""

import base64
import html
import json
import textwrap
import time
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from a2a.journal import Journal
from a2a.secrets import SHORTEST, holds_secret, scrub, scrubber

KEY = "planted/0123+456\\789abcdef"
KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=SHORTEST, max_size=60)


def escaped(text, escape):
    return "".join(f"\\u{ord(c):04x}" if escape(i) else c for i, c in enumerate(text))


def percent(text):
    return "".join(f"%{ord(c):02X}" for c in text)


SPELLINGS = {
    "plain": KEY,
    "upper case": KEY.upper(),
    "JSON": json.dumps(KEY)[1:-1],
    "JSON in JSON": json.dumps(json.dumps(KEY)[1:-1])[1:-1],
    "JSON, escaped": escaped(KEY, lambda i: True),
    "JSON, escaped in capitals": escaped(KEY, lambda i: True).upper().replace("\\U", "\\u"),
    "JSON, escaped in part": escaped(KEY, lambda i: i % 3 == 0).replace("/", "\\/"),
    "JSON, escaped twice": json.dumps(escaped(KEY, lambda i: i % 2))[1:-1],
    "Python": "".join(f"\\x{ord(c):02x}" for c in KEY),
    "an address": quote(KEY, safe=""),
    "an address, all of it": percent(KEY),
    "an address, twice": quote(quote(KEY, safe=""), safe=""),
    "an address, thrice": percent(KEY).replace("%", "%2525"),
    "HTML": html.escape(KEY),
    "HTML, decimal": "".join(f"&#{ord(c)};" for c in KEY),
    "HTML, hexadecimal, twice": html.escape("".join(f"&#x{ord(c):X};" for c in KEY)),
    "wrapped": "\n".join(textwrap.wrap(KEY, 10)),
    "wrapped and indented": textwrap.fill(KEY, 12, subsequent_indent="    "),
    "wrapped, in JSON": json.dumps("\r\n".join(textwrap.wrap(KEY, 9)))[1:-1],
    "UTF-16": KEY.encode("utf-16-le").decode("latin-1").rstrip("\0"),
    "UTF-16 in JSON": json.dumps(KEY.encode("utf-16-le").decode("latin-1").rstrip("\0"))[1:-1],
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_the_key_is_removed_in_any_spelling(spelling):
    assert scrubber(KEY)(f"<{spelling}>") == "<[removed]>"


@pytest.mark.parametrize("before", ["", "x", "xy", "Bearer ", "your key is "])
@pytest.mark.parametrize("after", ["", "!", "!!", " is wrong"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])
def test_the_key_is_removed_in_base64_wherever_it_stands(before, after, encode):
    coded = encode(f"{before}{KEY}{after}".encode()).decode()
    head, tail = scrubber(KEY)(coded).split("[removed]")
    assert len(head) <= len(before) * 4 / 3 + 2 and len(tail.rstrip("=\n")) <= len(after) * 4 / 3 + 2


@given(KEYS, st.sampled_from([quote, json.dumps, html.escape, lambda key: base64.b64encode(key.encode()).decode()]))
def test_every_key_is_removed(key, spell):
    assert "[removed]" in scrubber(key)(spell(key)) and "[removed]" in scrubber(key)(spell(key).upper())


def test_it_is_removed_wherever_it_stands_in_an_answer():
    answer = {"choices": [{"message": {"content": f"a {KEY} b", KEY: 1}}], "n": 3, "usage": None, "ok": True}
    message = {"content": "a [removed] b", "[removed]": 1}
    assert scrubber(KEY)(answer) == {"choices": [{"message": message}], "n": 3, "usage": None, "ok": True}


@pytest.mark.parametrize(
    "text", ["sk-pl**********cdef.", "sk-...cdef", "sk-proj-0123456789abcdefghijkl", "sk-ant-api03-aaaaaaaaaaaaaaaaaa"]
)
def test_what_looks_like_a_key_is_removed_too(text):
    assert scrubber(KEY)(f"key {text}") == scrubber("")(f"key {text}") == "key [removed]"


@pytest.mark.parametrize(
    "text", ["sk-learn", "#sk-container-id-1", "sk-toggleable__control-label", "task-0123456789abcdef"]
)
def test_words_that_begin_like_a_key_stay(text):
    assert scrubber(KEY)(text) == text


@pytest.mark.parametrize("who", ["me:secret", "me", "me:se%40cret", ":secret", "me:se@cret", "sk-me:secret", "x" * 600])
def test_an_address_loses_its_user_and_password(who):
    assert scrub(f"ProxyError: http://{who}@proxy:80/x") == "ProxyError: http://[removed]proxy:80/x"


def test_an_address_without_them_stays():
    text = "http://127.0.0.1:8000/v1#org/model@2, https://unpkg.com/@scope/name and me@example.org"
    written = r'{"url":"http://127.0.0.1:80","mail":"me@h.org"} <http://h>,me@h.org http://h.org\nme@h.org'
    assert scrub(text) == text and scrub(written) == written


@example("://a@a@")
@given(st.text(st.sampled_from("://@sk-a1.*x "), max_size=60))
def test_nothing_is_left_to_remove(text):
    assert scrub(scrub(text)) == scrub(text)


@given(st.text())
def test_other_texts_stay_as_they_are(text):
    text = text.replace("sk-", "").replace("://", "")
    assert scrubber(KEY)(text) == text


@pytest.mark.parametrize("key", ["", "none", "EMPTY", "x", "plänted-0123456789", "planted\udcff0123456789"])
def test_a_stand_in_for_a_key_takes_nothing_out_of_a_text(key):
    assert scrubber(key)("none of these is empty: x") == "none of these is empty: x"


@pytest.mark.parametrize(
    "text", ["\\" * 300_000, "sk-" * 100_000, KEY[:-1] * 10_000, "&#0" * 100_000, "://" * 100_000, "%25" * 100_000]
)
def test_a_hostile_text_takes_no_time(text):
    started = time.monotonic()
    assert scrubber(KEY)(text) == text and not holds_secret(text) and time.monotonic() - started < 10


def test_the_key_is_that_of_the_environment_when_it_is_asked_for(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert scrub(KEY) == KEY
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    assert scrub(KEY) == "[removed]"


@pytest.mark.parametrize(
    "value", [f"x{KEY}y", [KEY], "http://me:pass@h/v1#m", "http://me@h/v1", "HTTP://h/v1?token=1", ["a", "x://a:b@c"]]
)
def test_what_holds_a_secret(monkeypatch, value):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert holds_secret(value)


@pytest.mark.parametrize(
    "value",
    [3, None, True, [1, 2], "plain", "http://127.0.0.1:80/v1#org/model@2?", "Who lives at http://h.org?", "a@b"],
)
def test_what_holds_none(monkeypatch, value):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert not holds_secret(value)


def test_no_record_holds_the_key(monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    found = []
    Journal(tmp_path / "j.jsonl", b'{"').append([{"text": f"it is {KEY}", KEY: [KEY]}])
    Journal(tmp_path / "j.jsonl", b'{"').read(found.append)
    assert found[0]["text"] == "it is [removed]" and KEY not in (tmp_path / "j.jsonl").read_text().replace("\\\\", "\\")
