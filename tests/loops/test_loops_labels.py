from pathlib import Path

import pytest

from a2a.dialogue import recorded
from a2a.loops import labels

RECORDED = Path(__file__).parents[2] / "conversations"
HEADER = "study,conversation,loops,onset,end,sure,reader\n"


def test_labels(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text(f"{HEADER}main,news-01,yes,7,9,yes,first\nmain,news-02,no,,,no,first\n")
    first, second = labels.load_labels(file)
    assert (first.loops, first.onset, first.end, first.sure) == (True, 7, 9, True)
    assert (second.loops, second.onset, second.end, second.sure) == (False, None, None, False)


@pytest.mark.parametrize("row", ["maybe,,,yes", "yes,,,yes", "no,3,4,yes", "yes,4,3,yes", "yes,3,,yes", "no,,,"])
def test_labels_that_contradict_themselves(tmp_path, row):
    (tmp_path / "labels.csv").write_text(f"{HEADER}main,news-01,{row},first\n")
    with pytest.raises(ValueError, match="yes with an onset"):
        labels.load_labels(tmp_path / "labels.csv")


def test_the_labels_of_the_recorded_conversations():
    """Each label belongs to a recorded conversation, and no reader labelled one twice."""
    read = labels.load_labels(RECORDED / "labels.csv")
    assert len({(label.study, label.conversation, label.reader) for label in read}) == len(read) >= 60
    for study in {label.study for label in read}:
        told = recorded(study)
        assert {label.conversation for label in read if label.study == study} <= set(told.ids)
        assert max(label.end or 0 for label in read if label.study == study) <= told.study.turns


def test_spaces_around_what_a_reader_wrote_are_left_out(tmp_path):
    (tmp_path / "labels.csv").write_text(f"{HEADER}main,news-01, yes , 7 ,9, no,first\n")
    (label,) = labels.load_labels(str(tmp_path / "labels.csv"))
    assert (label.loops, label.onset, label.end, label.sure) == (True, 7, 9, False)


@pytest.mark.parametrize("row", ["yes,0,4,yes", "yes,three,4,yes", "YES,3,4,yes"])
def test_turns_are_numbers_from_one_and_answers_are_spelt_as_told(tmp_path, row):
    (tmp_path / "labels.csv").write_text(f"{HEADER}main,news-01,{row},first\n")
    with pytest.raises(ValueError, match=r"yes with an onset|invalid literal"):
        labels.load_labels(tmp_path / "labels.csv")


def test_labels_keep_their_order_and_readers(tmp_path):
    rows = [f"main,{name},no,,,yes,{reader}" for name in "ba" for reader in ("second", "first")]
    (tmp_path / "labels.csv").write_text(HEADER + "\n".join(rows))
    found = labels.load_labels(tmp_path / "labels.csv")
    assert [(one.conversation, one.reader) for one in found] == [
        ("b", "second"),
        ("b", "first"),
        ("a", "second"),
        ("a", "first"),
    ]


@pytest.mark.parametrize("column", labels.COLUMNS)
def test_a_missing_column_is_named(tmp_path, column):
    kept = [name for name in labels.COLUMNS if name != column]
    (tmp_path / "own.csv").write_text(",".join(kept) + "\n" + ",".join("x" for _ in kept) + "\n")
    with pytest.raises(ValueError, match=rf"own\.csv lacks the column {column}; labels have study"):
        labels.load_labels(tmp_path / "own.csv")


@pytest.mark.parametrize("content", ["", "\n", "no labels at all\n"])
def test_a_file_without_columns_is_no_file_of_labels(tmp_path, content):
    (tmp_path / "own.csv").write_text(content)
    with pytest.raises(ValueError, match="lacks the column study, conversation"):
        labels.load_labels(tmp_path / "own.csv")


@pytest.mark.parametrize("row", ["main", "main,news-01,no,,,yes", "main,news-01,no,,,yes, ", ",news-01,no,,,yes,first"])
def test_a_row_that_is_too_short_is_named_by_its_line(tmp_path, row):
    (tmp_path / "own.csv").write_text(f"{HEADER}main,news-02,no,,,yes,first\n{row}\n")
    with pytest.raises(ValueError, match=r"own\.csv, line 3: a label names its study"):
        labels.load_labels(tmp_path / "own.csv")


def test_labels_saved_by_a_spreadsheet(tmp_path):
    (tmp_path / "own.csv").write_bytes(f"\ufeff{HEADER}main,news-01,no,,,yes,first\n".replace("\n", "\r\n").encode())
    assert [label.study for label in labels.load_labels(tmp_path / "own.csv")] == ["main"]


@pytest.mark.parametrize(
    ("row", "says"),
    [(b"m\xff", "own.csv isn't UTF-8: .* at byte 48"), (b"x" * 140_000, "own.csv, line 2: field larger")],
)
def test_what_is_no_text_and_no_table_is_named(tmp_path, row, says):
    (tmp_path / "own.csv").write_bytes(HEADER.encode() + row)
    with pytest.raises(ValueError, match=says):
        labels.load_labels(tmp_path / "own.csv")


def label(conversation="news-01", loops=True, cycle=None):
    return labels.Label("main", conversation, loops, *((2, 9) if loops else (None, None)), True, "Ada, B.", cycle)


def test_labels_are_added_to_a_file_and_read_again(tmp_path):
    file, both = tmp_path / "new.csv", [label(cycle=3), label("news-02", loops=False)]
    labels.add_labels(file, [])
    assert labels.load_labels(file) == []
    for one in both:
        labels.add_labels(file, [one])
    assert labels.load_labels(file) == both


def test_labels_are_added_in_the_columns_that_a_file_has_and_nothing_in_it_is_changed(tmp_path):
    file = tmp_path / "own.csv"
    held = "reader,note,study,conversation,loops,onset,end,sure\nme,so so,main,news-03,no,,,no"  # and no line end
    file.write_text(held)
    labels.add_labels(file, [label()])
    assert file.read_text() == held + '\n"Ada, B.",,main,news-01,yes,2,9,yes\n'
    assert [one.reader for one in labels.load_labels(file)] == ["me", "Ada, B."]
    with pytest.raises(ValueError, match="cycle"):
        labels.add_labels(file, [label(cycle=2)])
    assert len(labels.load_labels(file)) == 2


@pytest.mark.parametrize(
    ("row", "cycle"), [("yes,7,9,yes,first,2", 2), ("yes,7,9,yes,first,", None), ("no,,,yes,first,", None)]
)
def test_the_cycle_of_a_loop(tmp_path, row, cycle):
    (tmp_path / "own.csv").write_text(f"{HEADER.strip()},cycle\nmain,news-01,{row}\n")
    assert labels.load_labels(tmp_path / "own.csv")[0].cycle == cycle


@pytest.mark.parametrize("row", ["yes,7,9,yes,first,0", "yes,7,9,yes,first,7", "no,,,yes,first,1"])
def test_a_cycle_that_cannot_be(tmp_path, row):
    (tmp_path / "own.csv").write_text(f"{HEADER.strip()},cycle\nmain,news-01,{row}\n")
    with pytest.raises(ValueError, match="from 1 to 6"):
        labels.load_labels(tmp_path / "own.csv")
