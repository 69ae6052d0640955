"""Text made printable: nothing in it hides or misleads, it can be had back, and the longest takes no time."""

import time

import pytest
from hostile import HOSTILE, IGNORABLE, misleading
from hypothesis import example, given
from hypothesis import strategies as st

from a2a.printable import excerpt, original, printable

ANY = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=())),
        st.sampled_from(["\\", "u{", "\\u{", "\\u{41}", "}", "\u0301", "\u202e", "\ud800", "\udc00", "\n", "\t", " "]),
    )
).map("".join)


@given(ANY, st.booleans())
@example("\\\x00\\u{0}", False)
@example("\\\\u{41}\\u{u{", True)
def test_every_text_can_be_had_back(text, one_line):
    assert original(printable(text, one_line=one_line)) == text


@given(ANY)
def test_nothing_that_hides_is_left(text):
    shown = printable(text)
    assert not misleading(shown)
    assert shown.encode().decode() == shown


@given(ANY)
def test_one_line_is_one_line(text):
    assert len(printable(text, one_line=True).splitlines()) <= 1


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_can_be_written_and_had_back(text, tmp_path):
    (tmp_path / "shown.txt").write_text(printable(text, one_line=True), encoding="utf-8")
    assert original((tmp_path / "shown.txt").read_text(encoding="utf-8")) == text


@pytest.mark.parametrize(
    "text", ["plain", "日本語", "naïve café", "e\u0301", "हिन्दी", "ไทย", "{x} \\alpha \\n", "👩", "×"]
)
def test_harmless_text_stays_as_it_is(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\u{1b}[31m"),
        ("a\u202eb", "a\\u{202e}b"),
        ("\U000e0001", "\\u{e0001}"),
        ("\ue000" + "1", "\\u{e000}1"),
        ("\ud800", "\\u{d800}"),
        ("\\u{1b}", "\\u{5c}u{1b}"),
        ("❤\ufe0f", "❤\\u{fe0f}"),
        ("\u3164", "\\u{3164}"),
    ],
)
def test_an_escape_says_which_character_it_was(text, shown):
    assert printable(text) == shown


def test_lines_and_tabs_are_kept_unless_there_is_one_line_for_all():
    assert printable("a\n\tb\r") == "a\n\tb\\u{d}"
    assert printable("a\n\tb", one_line=True) == "a\\u{a}\\u{9}b"


def test_a_mark_needs_something_to_stand_on():
    assert printable("\u0301a \u0301") == "\\u{301}a \\u{301}"


def test_an_escape_is_nothing_to_stand_on():
    assert printable("\x1b\u0338") == "\\u{1b}\\u{338}"
    assert printable("1\ufe0f\u20e3") == "1\\u{fe0f}\\u{20e3}"


def test_marks_do_not_heap():
    assert printable("e" + "\u0336" * 6) == "e" + "\u0336" * 4 + "\\u{336}" * 2


def test_an_excerpt_says_how_much_is_left_out():
    assert excerpt("x" * 1_000_000, 5) == "xxxxx […999,995 more characters]"
    assert excerpt("a\x00b\n", 12, one_line=True) == "a\\u{0}b\\u{a}"
    assert excerpt("\x00\x00\x00", 12) == "\\u{0}\\u{0} […1 more characters]"


@pytest.mark.parametrize("text", ["x", "\x1b", "\u0301", "e\u0301", "\\u{", "👩\u200d", "\ud800"])
def test_the_time_grows_with_the_length_alone(text):
    started = time.process_time()
    printable(text * (100_000 // len(text)))
    assert time.process_time() - started < 10


@given(ANY, st.integers(20, 50))
def test_an_excerpt_is_not_longer_than_it_may_be(text, most):
    shown, _, rest = excerpt(text, most).partition(" […")
    assert len(shown) <= most and text.startswith(original(shown)) and (rest or original(shown) == text)


def test_what_shows_nothing_is_escaped():
    assert not [hex(code) for code in IGNORABLE if printable(f"a{chr(code)}b") != f"a\\u{{{code:x}}}b"]
