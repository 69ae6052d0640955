import time

import pytest
from hostile import HOSTILE, misleading

from a2a.dialogue.reading import shown, squeezed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no, no, no, no, no, no, ", "⟨no, ⟩[6 times]"),
        ("It rains. It is cold. It is cold. It is cold. And", "It rains.⟨ It is cold.⟩[3 times] And"),
        ("It is cold. It is cold. And", "It is cold. It is cold. And"),
        ("0" * 40, "⟨0⟩[40 times]"),
        ("ha ha ha", "ha ha ha"),
        ("a\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nb", "a\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nb"),
        ("雨が降る。雨が降る。雨が降る。雨が降る。", "⟨雨が降る。⟩[4 times]"),
    ],
)
def test_what_is_said_in_a_row_is_shown_once_and_counted(text, says):
    assert squeezed(text) == says


def test_pieces_begin_where_words_do():
    assert squeezed("She sat. " + "He sat there. " * 4) == "She sat.⟨ He sat there.⟩[4 times] "
    assert "S⟨" not in squeezed("She was well. But she was well. But she was well. But she was well.")


def test_long_random_texts_take_no_time(rng):
    text = " ".join(map(str, rng.integers(10, size=10_000)))
    start = time.perf_counter()
    squeezed(text)
    assert time.perf_counter() - start < 20


def test_a_turn_is_a_line():
    assert shown(["Seed.", "", " one\n\ntwo "]) == "0: Seed.\n1: (empty)\n2: one ⏎  ⏎ two"


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind != "long"])
def test_whatever_a_model_writes_is_one_line(kind):
    lines = shown(["seed", HOSTILE[kind]])
    assert lines.count("\n") == 1 and not misleading(lines)
