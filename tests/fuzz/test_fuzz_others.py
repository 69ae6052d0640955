"""Files of others, with any bytes in any place: a study, or one line that says what is wrong."""

from pathlib import Path

from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st

from a2a.dialogue import read_conversations
from a2a.dialogue.imported import import_conversations
from a2a.dialogue.lines import OthersError

PILOTS = Path(__file__).parent.parent / "dialogue" / "others"
RUNS = [file.read_bytes() for file in sorted(PILOTS.glob("*.jsonl"))]
PLAIN = b'{"conversation": "a", "turn": 0, "text": "s"}\n{"conversation": "a", "turn": 1, "model": "m", "text": "t"}\n'
PIECES = [
    b"null",
    b"true",
    b"-1",
    b"1e400",
    b"9" * 30,
    b'"',
    b"{}",
    b"[[",
    b"\n",
    b"\\ud800",
    b"\xff",
    b"\x00",
    b"NaN",
    b"",
]


@st.composite
def altered(draw):
    """A good file with some stretches replaced."""
    content = draw(st.sampled_from([*RUNS, PLAIN]))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = start + draw(st.sampled_from([0, 1, 4, 40]))
        content = content[:start] + draw(st.sampled_from(PIECES)) + content[end:]
    return content


@fuzzed(150)
@given(altered())
def test_an_altered_file_is_a_study_or_one_line(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("altered")
    (folder / "given.jsonl").write_bytes(content)
    try:
        (written,) = import_conversations([folder / "given.jsonl"], folder / "out.jsonl")
    except OthersError as error:
        assert "given" in str(error) and "\n" not in str(error) and len(str(error)) < 700
        assert [file.name for file in folder.iterdir()] == ["given.jsonl"]
    else:
        assert read_conversations(written.file).is_complete
