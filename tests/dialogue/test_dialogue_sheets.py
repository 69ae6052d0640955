import json
import re

import numpy as np
import pytest

from a2a.dialogue import Study, converse, load_seeds, sheets
from a2a.dialogue.records import study_names
from a2a.loops.labels import load_labels
from a2a.models.scripted import named
from a2a.places import book_root

TEXTS = {study: {f"c{i}": [f"seed {i}", f"{study} says {i}"] for i in range(10)} for study in ("main", "hot", "cold")}
GUIDELINE = "# How\n\nRepeats.\n\n## Who has read\n\nNobody you know.\n"


def drawn(seed=0, **options):
    return sheets.draw(TEXTS, np.random.default_rng(seed), **{"each": 3, **options})


def test_so_many_of_each_study_and_another_number_of_some():
    places = drawn(take={"main": 10})
    counts = {study: sum(one == study for one, _ in places) for study in TEXTS}
    assert counts == {"main": 10, "hot": 3, "cold": 3}
    assert len(set(places)) == 16


def test_the_same_seed_draws_the_same_shuffled_conversations():
    assert drawn() == drawn() != drawn(seed=1)
    order = [study for study, _ in drawn(each=10)]
    assert order != sorted(order) and order[:10] != ["main"] * 10


def test_what_is_labelled_is_not_drawn_again():
    first = drawn()
    second = drawn(seed=1, known=first, each=10)
    assert len(second) == 30 - 9 and not set(first) & set(second)


def test_conversations_that_are_alike_are_drawn_once_and_count_where_they_were_asked_for():
    copied = {"copy": dict(TEXTS["main"]), **TEXTS}
    places = sheets.draw(copied, np.random.default_rng(0), each=10, take={"main": 10})
    assert {study for study, _ in places} == {"main", "hot", "cold"}
    known = [("main", f"c{i}") for i in range(10)]
    assert not [one for one in sheets.draw(copied, np.random.default_rng(0), each=10, known=known) if one[0] == "copy"]


def test_a_study_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no conversations of warm; there are main, hot, cold"):
        drawn(take={"warm": 3})


def test_sheets_hold_each_conversation_once_the_guideline_and_how_to_answer_and_nothing_else():
    places = drawn(each=7)
    written = sheets.sheets_of(places, TEXTS, GUIDELINE, 4)
    assert [len(re.findall("^## Conversation", sheet, re.M)) for sheet in written] == [5, 5, 5, 6]
    numbers = [int(n) for n in re.findall(r"^## Conversation (\d+)", "\n".join(written), re.M)]
    assert numbers == list(range(1, 22))
    assert all(sheet.startswith("# How\n\nRepeats.\n\n## How to answer") for sheet in written)
    assert not [sheet for sheet in written if "Nobody you know" in sheet]
    assert f"## Conversation 1\n\n0: {TEXTS[places[0][0]][places[0][1]][0]}\n1: " in written[0]


def test_readers_see_all_of_the_books_guideline_but_who_has_read():
    guideline = (book_root() / "conversations/GUIDELINE.md").read_text()
    (sheet,) = sheets.sheets_of([], {}, guideline, 1)
    assert "## What to write" in sheet and "## How to answer" in sheet
    assert "Who has read" not in sheet and "labels.csv" not in sheet


KEY = {"1": ("main", "c3"), "2": ("hot", "c1"), "3": ("main", "c1")}
ROWS = ["3,yes,4,9,2,no", "1,no,,,,yes", "2,yes,1,25,,yes"]


def answers(folder, *sheets_of_rows):
    files = [folder / f"answers-{i}.csv" for i, _ in enumerate(sheets_of_rows)]
    for file, rows in zip(files, sheets_of_rows, strict=True):
        file.write_text("\n".join([",".join(sheets.ANSWERS), *rows]) + "\n")
    return files


def test_answers_become_labels_in_the_order_of_the_key(tmp_path):
    found = sheets.answered(answers(tmp_path, ROWS[:1], ROWS[1:]), KEY, "first pass")
    assert [(one.study, one.conversation) for one in found] == list(KEY.values())
    assert [(one.loops, one.onset, one.end, one.cycle, one.sure) for one in found] == [
        (False, None, None, None, True),
        (True, 1, 25, None, True),
        (True, 4, 9, 2, False),
    ]
    assert {one.reader for one in found} == {"first pass"}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (ROWS[:2], "no answer on 1 conversations: 2"),
        ([*ROWS, ROWS[0]], "answers-0.csv: '3' is answered twice"),
        ([*ROWS, "4,no,,,,yes"], "answers-0.csv: '4' is not in the key"),
        ([ROWS[0], "1,yes,,,,yes", ROWS[2]], "answers-0.csv, conversation 1: a label says yes with an onset"),
        (["3,yes,4,9,7,no", *ROWS[1:]], "conversation 3: the cycle of a loop is from 1 to 6"),
        (["1,no,,,2,no"], "conversation 1: the cycle of a loop is from 1 to 6, and empty without one"),
    ],
)
def test_answers_that_are_not_whole_are_named(tmp_path, rows, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        sheets.answered(answers(tmp_path, rows), KEY, "first pass")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A book's conversations: two studies and a guideline; the current folder is the book's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "_toc.yml").write_text("")
    (made := tmp_path / "conversations").mkdir()
    words = named("words")
    for number, study in enumerate(("main", "hot")):
        converse(Study(study, words, words, load_seeds()[:5], turns=4, seed=number), made / f"{study}.jsonl")
    (made / "GUIDELINE.md").write_text(GUIDELINE)
    return made


def command(*arguments):
    return sheets.main(list(map(str, arguments)))


def test_from_conversations_to_labels_twice_and_then_others(folder, capsys):
    batch = folder / "batch"
    assert command("draw", batch, "--each", 2, "--take", "main=3", "--sheets", 2) == 0
    assert "5 conversations on 2 sheets" in capsys.readouterr().out
    assert sorted(file.name for file in batch.iterdir()) == ["key.json", "sheet-1.md", "sheet-2.md"]
    files = answers(folder, ["1,no,,,,yes", "2,yes,1,4,1,no"], ["3,no,,,,yes", "4,no,,,,yes", "5,no,,,,no"])
    for reader in ("first pass", "second pass"):
        assert command("merge", batch / "key.json", reader, *files) == 0
    labels = load_labels(folder / "labels.csv")
    assert [one.reader for one in labels] == ["first pass"] * 5 + ["second pass"] * 5
    assert {(one.study, one.conversation) for one in labels} == set(
        map(tuple, json.loads((batch / "key.json").read_text()).values())
    )
    assert command("merge", batch / "key.json", "first pass", *files) == 1
    assert "first pass labelled 5 of these conversations before" in capsys.readouterr().err
    assert command("draw", folder / "next", "--each", 5, "--sheets", 1) == 0
    assert "5 conversations on 1 sheets" in capsys.readouterr().out


def test_sheets_never_replace_others(folder, capsys):
    assert command("draw", folder) == 1
    assert "exists" in capsys.readouterr().err


def test_the_parts_of_a_study_are_one_study(folder):
    (folder / "main-2.jsonl").write_bytes((folder / "hot.jsonl").read_bytes())
    assert study_names(folder) == ["hot", "main"]


def test_without_a_book_there_is_nothing_to_draw_from(monkeypatch, capsys):
    monkeypatch.setattr(sheets, "book_root", lambda: None)
    assert command("draw", "new") == 1
    assert "no book here" in capsys.readouterr().err
