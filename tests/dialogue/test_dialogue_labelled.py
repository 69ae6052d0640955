from dataclasses import replace

import numpy as np
import pytest

from a2a.dialogue import labelled, recorded
from a2a.dialogue.labelled import (
    MODELS,
    choosing,
    read_labels,
    read_twice,
    readers_change,
    settled,
    undecided,
    who_read,
)
from a2a.loops.labels import Label


def label(conversation, loops=True, reader="first", study="main", sure=True):
    ends = (3, 9) if loops else (None, None)
    return Label(study, conversation, loops, *ends, sure, reader)


@pytest.fixture(scope="module")
def main():
    return recorded("main")


def test_labels_have_the_texts_that_they_are_about(main):
    found = labelled.labelled([label("news-01"), label("news-02", loops=False, sure=False)])
    assert found.texts == [main.texts()["news-01"], main.texts()["news-02"]]
    assert found.models == [model.name for model in main.study.models]
    assert found.loops.tolist() == [True, False]
    assert found.sure.tolist() == [True, False]
    assert np.array_equal(found.onset, [3, np.nan], equal_nan=True)


def test_not_too_many():
    labels = [label(f"news-0{i}") for i in (1, 2, 3, 4)]
    assert [one.conversation for one in labelled.labelled(labels, most=2).labels] == ["news-01", "news-03"]


def test_models_of_two_studies_are_named_once():
    found = labelled.labelled([label("news-01"), label("news-01", study="smollm2_self")])
    assert len(found.models) == 2


def said(conversation, *readers, study="main"):
    """Labels of one conversation: of each reader a loop's onset and end, or nothing."""
    return [
        Label(study, conversation, bool(turns), *(turns or (None, None)), True, f"reader {i}", 1 if turns else None)
        for i, turns in enumerate(readers)
    ]


def test_readers_who_agree_decide_and_a_tie_is_undecided():
    labels = [*said("a", (3, 9), (3, 9)), *said("b", (3, 9), ()), *said("c", (), ()), *said("d", (), (2, 5), (2, 6))]
    assert [(one.conversation, one.loops) for one in settled(labels)] == [("a", True), ("c", False), ("d", True)]
    assert [one.conversation for one in undecided(labels)] == ["b"]


def test_turns_lie_midway_between_the_readers_who_find_the_loop():
    (one,) = settled(said("a", (3, 9), (6, 12)))
    assert (one.onset, one.end, one.cycle, one.reader) == (4, 11, 1, "reader 0, reader 1")
    (most,) = settled(said("a", (3, 9), (), (7, 9)))
    assert (most.onset, most.end) == (5, 9)
    (none,) = settled(said("a", (), (3, 9), ()))
    assert (none.loops, none.onset, none.end, none.cycle) == (False, None, None, None)


def test_a_label_is_sure_if_all_readers_were():
    first, second = said("a", (3, 9), (3, 9))
    assert settled([first, second])[0].sure
    assert not settled([first, replace(second, sure=False)])[0].sure


def test_one_reader_decides_alone():
    labels = said("a", (3, 9))
    assert settled(labels) == [replace(labels[0], reader="reader 0")] and undecided(labels) == []


def test_the_same_name_in_another_study_is_another_conversation():
    labels = [*said("a", (3, 9)), *said("a", (), study="hot")]
    assert [one.loops for one in settled(labels)] == [True, False]


def test_labels_that_can_choose_a_threshold():
    some = [label("news-01"), label("news-02"), label("news-03", loops=False)]
    with pytest.raises(ValueError, match="two loops and two others"):
        choosing(some)
    split = [label("news-05"), label("news-05", loops=False, reader="second")]
    assert len(choosing([*some, label("news-04", loops=False), *split])) == 4


def test_what_two_readers_said_of_the_same():
    labels = [*said("a", (3, 9)), *said("b", (3, 9), ()), *said("c", (), (1, 4), (2, 4))]
    pairs = [(one.conversation, one.loops, other.loops, other.reader) for one, other in read_twice(labels)]
    assert pairs == [("b", True, False, "reader 1"), ("c", False, True, "reader 1")]
    assert read_twice([]) == []


def test_what_readers_say_a_change_did():
    labels = [
        *said("a", (3, 9), (3, 9)),
        *said("b", (), ()),
        *said("c", (), (3, 9)),
        *said("a", (), (), study="new"),
        *said("b", (2, 9), (2, 9), study="new"),
        *said("c", (2, 9), (2, 9), study="new"),
        *said("d", (2, 9), study="new"),
        *said("b", (), study="another"),
    ]
    assert readers_change(labels, "new", "abcd").tolist() == [-1, 1, 0.5]
    assert readers_change(labels, "none", "abcd").shape == (0,)


def test_readers_judge_only_what_is_compared():
    labels = [*said("a", (3, 9)), *said("b", (3, 9)), *said("a", (), study="new"), *said("b", (), study="new")]
    assert readers_change(labels, "new", ["b"]).tolist() == [-1]


def test_readers_that_are_language_models_are_called_so():
    models = [Label("main", "a", False, None, None, True, name) for name in MODELS]
    person = Label("main", "a", False, None, None, True, "Jo")
    assert who_read(models) == "The readers are instances of a large language model, no person"
    assert who_read([person]) == "The readers are Jo"
    told = who_read([*models, person])
    assert told.startswith("The readers are first pass, second pass, Jo (first pass and second pass: instances")


def test_who_read_the_book_is_known():
    assert {label.reader for label in read_labels()} == set(MODELS)


def test_the_books_labels_and_a_user_s(tmp_path, monkeypatch):
    assert len(choosing(read_labels())) > 60
    (tmp_path / "own.csv").write_text("study,conversation,loops,onset,end,sure,reader\nmain,news-01,no,,,yes,me\n")
    monkeypatch.setenv("A2A_STARTED_IN", str(tmp_path))
    (own,) = read_labels("own.csv")
    assert own.reader == "me"


def test_without_a_book_there_are_no_labels(monkeypatch):
    monkeypatch.setattr(labelled, "book_root", lambda: None)
    with pytest.raises(FileNotFoundError, match="no book here"):
        read_labels()


def test_too_few_of_a_kind_are_counted():
    with pytest.raises(ValueError, match="got 1 and 2"):
        choosing([label("news-01"), label("news-02", loops=False), label("news-03", loops=False)])
    with pytest.raises(ValueError, match="got 0 and 0"):
        choosing([])


def test_nothing_labelled_is_nothing():
    nobody = labelled.labelled([])
    assert (len(nobody), nobody.texts, nobody.models) == (0, [], [])
    assert nobody.loops.dtype == bool and nobody.onset.shape == (0,)


def test_readers_of_the_recorded_studies():
    """Every conversation that was read twice is either settled or undecided, and enough were."""
    read = read_labels()
    both, ties = read_twice(read), undecided(read)
    assert len(both) >= 20 and len(settled(read)) + len(ties) == len({(one.study, one.conversation) for one in read})
    assert sum(one.loops != other.loops for one, other in both) == len(ties) < len(both) / 4
    assert set(readers_change(read, "novelty", recorded("novelty").ids)) <= {-1, -0.5, 0, 0.5, 1}


@pytest.mark.parametrize("most", [8, 20])
def test_only_some_of_the_books_labels_choose(most):
    assert len(choosing(read_labels(), most)) == most


def test_a_label_of_a_conversation_that_is_not_recorded_is_named():
    with pytest.raises(ValueError, match="aren't recorded: main/news-99"):
        labelled.labelled([label("news-99")])


def test_a_label_of_a_study_that_is_not_recorded_is_named():
    with pytest.raises(FileNotFoundError, match="nothing"):
        labelled.labelled([label("news-01", study="nothing")])
