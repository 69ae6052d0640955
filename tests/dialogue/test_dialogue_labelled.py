import numpy as np
import pytest

from a2a.dialogue import labelled, recorded
from a2a.dialogue.labelled import choosing, read_labels, read_twice, readers_change, without_copies
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


def test_only_some_readers_and_not_too_many():
    labels = [label(f"news-0{i}", reader=reader) for i in (1, 2, 3, 4) for reader in ("first", "second")]
    assert len(labelled.labelled(labels)) == 8
    found = labelled.labelled(labels, "second", most=2)
    assert [(one.conversation, one.reader) for one in found.labels] == [("news-01", "second"), ("news-03", "second")]


def test_models_of_two_studies_are_named_once():
    found = labelled.labelled([label("news-01"), label("news-01", study="smollm2_self")])
    assert len(found.models) == 2


def test_labels_that_can_choose_a_threshold():
    some = [label("news-01"), label("news-02"), label("news-03", loops=False)]
    with pytest.raises(ValueError, match="two loops and two others"):
        choosing(some)
    assert len(choosing([*some, label("news-04", loops=False), label("news-05", reader="second")])) == 4


def test_what_two_readers_said_of_the_same():
    labels = [label("a"), label("b"), label("b", loops=False, reader="second"), label("c", reader="second")]
    one, other = read_twice(labels)
    assert (one.tolist(), other.tolist()) == ([True], [False])
    assert [len(said) for said in read_twice([label("a")])] == [0, 0]


def test_what_readers_say_a_change_did():
    labels = [
        label("a"),
        label("b", loops=False),
        label("a", loops=False, reader="third", study="new"),
        label("b", reader="fourth", study="new"),
        label("c", reader="fourth", study="new"),
        label("b", reader="third", study="another"),
    ]
    assert readers_change(labels, "new").tolist() == [-1, 1]
    assert readers_change(labels, "none").shape == (0,)


def test_copies_of_the_main_study_are_left_out(main):
    name = recorded("hot").ids[0]
    found = labelled.labelled([label(name), label(name, study="hot")])
    kept = without_copies(found, main)
    assert [one.study for one in kept.labels] == ["hot"]
    assert kept.texts == [recorded("hot").texts()[name]]


def test_the_books_labels_and_a_user_s(tmp_path, monkeypatch):
    assert len(choosing(read_labels())) == 64
    (tmp_path / "own.csv").write_text("study,conversation,loops,onset,end,sure,reader\nmain,news-01,no,,,yes,me\n")
    monkeypatch.setenv("A2A_STARTED_IN", str(tmp_path))
    (own,) = read_labels("own.csv")
    assert own.reader == "me"


def test_without_a_book_there_are_no_labels(monkeypatch):
    monkeypatch.setattr(labelled, "book_root", lambda: None)
    with pytest.raises(FileNotFoundError, match="no book here"):
        read_labels()


def test_too_few_of_a_kind_are_counted(main):
    with pytest.raises(ValueError, match="got 1 and 2"):
        choosing([label("news-01"), label("news-02", loops=False), label("news-03", loops=False)])
    with pytest.raises(ValueError, match="got 0 and 0"):
        choosing([label("news-01", reader="second")])


def test_nothing_labelled_is_nothing():
    nobody = labelled.labelled([label("news-01")], "third")
    assert (len(nobody), nobody.texts, nobody.models) == (0, [], [])
    assert nobody.loops.dtype == bool and nobody.onset.shape == (0,)


def test_readers_of_the_recorded_studies():
    """What the pages count of the readers' labels, counted anew from the table."""
    read = read_labels()
    one, other = read_twice(read)
    assert ((one == other).sum(), len(one)) == (20, 22)
    others = labelled.labelled(read, "third", "fourth")
    apart = without_copies(others, recorded("main"))
    assert (len(apart), apart.loops.sum()) == (43, 27)
    assert len(apart) < len(others) and {label.reader for label in apart.labels} == {"third", "fourth"}
    assert sorted(readers_change(read, "novelty")) == [-1, -1, 0, 0, 0, 1, 1]


def test_a_conversation_that_only_starts_alike_is_kept(main):
    name = next(iter(main.texts()))
    found = labelled.labelled([label(name)])
    longer = labelled.Labelled(found.labels, [[*found.texts[0][:-1], "another end"]], found.models)
    assert len(without_copies(longer, main)) == 1
    assert without_copies(found, main).models == found.models


@pytest.mark.parametrize("most", [8, 20])
def test_only_some_of_the_books_labels_choose(most):
    assert len(choosing(read_labels(), most)) == most


def test_a_label_of_a_conversation_that_is_not_recorded_is_named():
    label = Label("main", "news-99", False, None, None, True, "first")
    with pytest.raises(ValueError, match="aren't recorded: main/news-99"):
        labelled.labelled([label])


def test_a_label_of_a_study_that_is_not_recorded_is_named():
    with pytest.raises(FileNotFoundError, match="nothing"):
        labelled.labelled([Label("nothing", "news-01", False, None, None, True, "first")])
