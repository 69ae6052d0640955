import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hostile import HOSTILE, misleading
from terminal import Terminal

import a2a
from a2a import __main__ as command
from a2a.dialogue import Study, converse, labelling, load_seeds
from a2a.loops.labels import Label, add_labels, load_labels
from a2a.models.scripted import ScriptedModel, named

NAMES = [seed.id for seed in load_seeds()[:6]]
ROOT = Path(a2a.__file__).parent.parent


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A book with six conversations, the first three of them loops of texts that repeat, each read by two readers."""
    root = tmp_path_factory.mktemp("book")
    (root / "conversations").mkdir()
    (root / "_toc.yml").write_text("")
    words, echo = named("words"), named("echo")
    mixed = ScriptedModel(
        lambda text, seed: words.write(text, seed) if "?" in text else echo.write(text, seed), "mixed"
    )
    converse(Study("secret-study", mixed, mixed, load_seeds()[:6], turns=12), root / "conversations/secret-study.jsonl")
    labels = [said(name, name in NAMES[:3], reader) for name in NAMES for reader in ("first pass", "second pass")]
    add_labels(root / "conversations/labels.csv", labels)
    return root


def said(name, loops, reader, onset=1, end=12):
    turns = (onset, end) if loops else (None, None)
    return Label("secret-study", name, loops, *turns, True, reader)


@pytest.fixture
def book(recorded, monkeypatch):
    """The current folder is the book's; what a person labels is removed after."""
    monkeypatch.chdir(recorded)
    yield recorded
    (recorded / "my-labels.csv").unlink(missing_ok=True)


def answer(terminal, *answers):
    """Go to the question and answer: a loop or not, its turns, sure or not."""
    terminal.until("Enter, b, a, q -- ")
    terminal.type("a")
    terminal.until("A loop?")
    terminal.type(*answers)


def test_a_person_labels_is_told_how_well_that_agrees_and_how_to_use_it(book):
    with Terminal("label", "--reader", "Ada", "--n", "3", folder=book) as terminal:
        terminal.until("Conversation 1 of 3")
        answer(terminal, "y", "1", "12", "y")
        answer(terminal, "n", "n")
        answer(terminal, "yes", "2", "9", "no")
        terminal.until("All 3 are labelled, in my-labels.csv.")
        code, rest = terminal.ended()
    assert code == 0
    assert "You and the readers agree on " in rest and " of 3; kappa " in rest
    assert "a2a run loops -p labels my-labels.csv" in rest
    assert [(one.loops, one.onset, one.end, one.sure) for one in load_labels(book / "my-labels.csv")] == [
        (True, 1, 12, True),
        (False, None, None, False),
        (True, 2, 9, False),
    ]


def test_each_answer_is_on_the_disk_and_the_same_command_goes_on(book):
    places = []
    for stop in ("q\n", "\x04", "\x03"):  # q, Ctrl-D, Ctrl-C
        with Terminal("label", "--reader", "Ada", "--n", "5", folder=book) as terminal:
            answer(terminal, "n", "y")
            terminal.until("Enter, b, a, q -- ")
            code, rest = terminal.stopped_by(stop.encode())
        places.append([one.conversation for one in load_labels(book / "my-labels.csv")])
        assert (code, "stopped" in rest) == (130, True) if stop == "\x03" else (0, False)
    assert [len(one) for one in places] == [1, 2, 3]
    assert places[2][:2] == places[1] and places[1][:1] == places[0]
    assert len(set(places[2])) == 3


def test_a_killed_one_has_lost_nothing(book):
    with Terminal("label", "--reader", "Ada", folder=book) as terminal:
        answer(terminal, "n", "y")
        terminal.until("Conversation 2 of 6")
        terminal.process.kill()
    assert len(load_labels(book / "my-labels.csv")) == 1


def test_what_is_shown_is_blind_paged_and_as_wide_as_the_terminal(book):
    with Terminal("label", "--reader", "Ada", "--n", "1", folder=book, columns=50, lines=12) as terminal:
        terminal.until("Conversation 1 of 1 ==\n".replace("\n", "\r\n"))
        pages = [terminal.until("Enter, b, a, q -- ")]
        for key in ("", "b"):
            terminal.type(key)
            pages.append(terminal.until("Enter, b, a, q -- ").partition("\n")[2])
        terminal.type("q")
        terminal.ended()
    lines = [line for page in pages for line in page.splitlines() if not line.startswith("-- ")]
    assert max(map(len, lines)) <= 50 and all(len(page.splitlines()) <= 12 for page in pages)
    assert pages[0].splitlines()[:9] == pages[2].splitlines()[1:10]
    assert pages[0] != pages[1] and pages[0].startswith("  0  ")
    assert not [word for word in ("secret-study", "mixed", *NAMES) if word in "".join(pages)]


def test_answers_that_mean_nothing_are_asked_for_again(book):
    with Terminal("label", "--reader", "Ada", "--n", "1", folder=book) as terminal:
        answer(terminal, "perhaps", "b")
        answer(terminal, "y", "0", "eleven", "11", "²", "10", "11", "13", "12", "", "y")
        terminal.until("All 1 are labelled")
    (one,) = load_labels(book / "my-labels.csv")
    assert (one.loops, one.onset, one.end, one.sure) == (True, 10, 12, True)


def test_without_a_terminal_answers_may_come_from_a_file(book):
    told = subprocess.run(
        [sys.executable, "-m", "a2a", "label", "--n", "2", "-o", "my-labels.csv"],
        input="a\nn\ny\na\nn\ny\n", capture_output=True, text=True, cwd=book, env=os.environ, timeout=120,
    )  # fmt: skip
    assert told.returncode == 0 and "All 2 are labelled" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--reader", " "], "a name of their own"),
        (["--reader", "first pass"], "a name of their own, got 'first pass'"),
        (["--n", "0"], "n must be at least 1"),
        (["-o", "absent/my.csv"], "absent"),
        (["-o", "_toc.yml"], "lacks the column"),
    ],
)
def test_what_cannot_be_labelled_is_said_before_anything_is_asked(book, arguments, says, capsys, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail(f"asks {question}"))
    (book / "_toc.yml").write_text("no labels\n")
    assert command.main(["label", *arguments]) == 2
    assert says in capsys.readouterr().err
    assert (book / "_toc.yml").read_text() == "no labels\n"


def test_persons_get_conversations_of_their_own_and_the_same_ones_again():
    known = [said(str(i), False, reader) for i in range(100) for reader in ("first pass", "second pass")]
    ada, again, other = (labelling.drawn(known, name, 20) for name in ("Ada", "Ada", "Björn"))
    assert ada == again and ada != other
    assert len({one.conversation for one in ada}) == 20
    assert len(labelling.drawn(known, "Ada", 200)) == 100


def test_a_persons_labels_beside_those_of_readers_who_agree():
    known = [said(name, name in "ab", reader, onset=4) for name in "abcd" for reader in ("first pass", "second pass")]
    known += [said("e", True, "first pass"), said("e", False, "second pass")]
    mine = [said(name, name in "a", "Ada", onset=7) for name in "abcde"]
    told = labelling.comparison(mine, known)
    assert "agree on 3 of 4; kappa 0.50" in told
    assert "differ among themselves on 1 more" in told
    assert "onsets: 3 turns" in told
    assert "kappa unknown" in labelling.comparison(mine[4:], known)


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_text_steers_the_terminal_or_leaves_it(kind):
    lines = labelling.wrapped(["seed", HOSTILE[kind][:5000]], 40)
    assert not misleading("".join(lines)) and not any("\n" in line or "\t" in line for line in lines)
    assert max(map(len, lines)) <= 40
    assert lines[0] == "  0  seed" and lines[1].startswith("  1  ")
    assert all(line.startswith("     ") or not line for line in lines[2:])


def test_wide_characters_take_two_columns():
    lines = labelling.wrapped(["日本語の文" * 20], 25)
    assert max(map(len, lines)) <= 5 + 10


def test_empty_outputs_are_shown_as_such_with_their_number():
    assert labelling.wrapped(["a", "  ", "b\n\nc"], 40) == ["  0  a", "  1  (empty)", "  2  b", "", "     c"]


def test_the_rule_fits_a_terminal():
    assert max(map(len, itertools.chain(labelling.RULE.splitlines()))) <= 120
