"""Random texts for what shows conversations to readers, and random files where their labels are read."""

import re

import pytest
from fuzzing import fuzzed
from hostile import HOSTILE, misleading
from hypothesis import example, given
from hypothesis import strategies as st

from a2a.dialogue.labelling import wrapped
from a2a.dialogue.reading import shown, squeezed
from a2a.loops.labels import COLUMNS, CYCLE, Label, add_labels, load_labels

PIECES = st.sampled_from(
    ["no, ", "a", " ", "\n", "ha ", "雨が降る。", "The end. ", "\u202e", "\x1b[2J", "0", "⟨", "e\u0301"]
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.tuples(PIECES, st.integers(1, 9)).map(lambda pair: pair[0] * pair[1]), max_size=8).map("".join),
)
MARKED = re.compile(r"⟨([^⟨⟩]*)⟩\[(\d+) times\]")


@given(TEXTS.filter(lambda text: "⟨" not in text and "⟩" not in text))
@fuzzed(100)
def test_a_squeezed_text_can_be_had_back(text):
    assert MARKED.sub(lambda found: found[1] * int(found[2]), squeezed(text)) == text


@given(st.lists(TEXTS, min_size=1, max_size=5), st.integers(1, 90))
@example([HOSTILE["marks"], HOSTILE["terminal"]], 1)
@fuzzed(100)
def test_a_conversation_on_a_terminal_keeps_its_turns_and_its_width(texts, width):
    lines = wrapped(texts, width)
    assert not misleading("".join(lines))
    assert [int(line[:3]) for line in lines if line[:3].strip()] == list(range(len(texts)))
    assert max(map(len, lines)) <= max(width, 10)


@given(st.lists(TEXTS, min_size=1, max_size=5))
@fuzzed(100)
def test_a_conversation_on_a_sheet_is_a_line_a_turn(texts):
    lines = shown(texts).split("\n")
    assert [line.partition(":")[0] for line in lines] == list(map(str, range(len(texts))))


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)
loops = st.tuples(st.integers(1, 30), st.integers(0, 30), st.one_of(st.none(), st.integers(1, 6)))


@st.composite
def labels(draw):
    """Any label that can be."""
    turns = draw(st.one_of(st.none(), loops))
    onset, end, cycle = (turns[0], turns[0] + turns[1], turns[2]) if turns else (None, None, None)
    return Label(draw(names), draw(names), bool(turns), onset, end, draw(st.booleans()), draw(names), cycle)


@given(st.lists(labels(), max_size=4))
@fuzzed(100)
def test_labels_come_back_as_they_were_written(tmp_path_factory, written):
    file = tmp_path_factory.mktemp("labels") / "own.csv"
    for label in written:
        add_labels(file, [label])
    assert written == (load_labels(file) if written else [])


cells = st.one_of(st.sampled_from(["yes", "no", "", "1", "7", "²", "-1", "1e3", '"', "a,b"]), st.text(max_size=5))


@given(st.lists(st.lists(cells, max_size=9), max_size=4))
@fuzzed(100)
def test_any_file_is_labels_or_an_error_that_names_the_line(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("labels") / "own.csv"
    header = ",".join([*COLUMNS, CYCLE])
    file.write_bytes("\n".join([header, *map(",".join, rows)]).encode(errors="surrogatepass"))
    try:
        assert all(one.reader.strip() for one in load_labels(file))
    except ValueError as error:
        assert str(error).startswith("own.csv, line ") or "isn't UTF-8" in str(error)


def test_a_label_of_nobody_is_not_read(tmp_path):
    (tmp_path / "own.csv").write_text(",".join([*COLUMNS, CYCLE]) + "\nmain,a,no,,,yes, ,\n")
    with pytest.raises(ValueError, match="line 2"):
        load_labels(tmp_path / "own.csv")
