"""The recorded studies with what rules and readers say, against the parts that the chapters use."""

import numpy as np
import pytest

from a2a.book.shelf import in_words, shelf
from a2a.dialogue import recorded
from a2a.dialogue.labelled import choosing, read_labels
from a2a.loops.cycles import CycleRule
from a2a.loops.distances import Distances
from a2a.loops.embeddings import Embedder
from a2a.loops.metrics import all_metrics
from a2a.loops.rule import calibrate, pick
from a2a.loops.spans import spans


@pytest.fixture(scope="module")
def main():
    return shelf(["main"])[0]


@pytest.fixture(scope="module")
def chapters_rule():
    """As a chapter makes it, from the distances of all metrics."""
    known, metrics = choosing(read_labels()), all_metrics(Embedder.of_book())
    own = {name: metrics[name] for name in ("cosine", "Jaccard")}
    return pick(calibrate(Distances(known.texts, own), known.loops, given={}), "cosine")


def test_the_rule_is_that_of_the_chapters(main, chapters_rule):
    assert [one.rule.name for one in main.judged] == [
        "cosine, lag 1",
        "cosine, lag 2",
        "Jaccard, lag 1",
        "Jaccard, lag 2",
        "containment, last 6",
    ]
    assert main.judged[0].rule == chapters_rule


def test_loops_of_any_length_are_shown_with_what_their_rule_measures(main):
    texts = list(recorded("main").texts().values())
    told, judged, rule = Distances(texts, {}), main.judged[-1], CycleRule()
    np.testing.assert_array_equal(judged.distances, rule.values(told))
    assert judged.loops == [spans(row) for row in rule.in_loop(told)]


def test_loops_are_where_the_rule_finds_them(main, chapters_rule):
    texts = list(recorded("main").texts().values())[:5]
    few = Distances(texts, {"cosine": all_metrics(Embedder.of_book())["cosine"]})
    judged = main.judged[0]
    np.testing.assert_allclose(judged.distances[:5], few.at("cosine"), atol=1e-12)
    assert judged.loops[:5] == [spans(row) for row in chapters_rule.in_loop(few)]
    assert len(judged.loops) == len(main.told.ids)


def test_labels_lie_with_their_conversation(main):
    labels = [label for label in read_labels() if label.study == "main"]
    assert labels and sum(map(len, main.labels.values())) == len(labels)
    assert all(label.conversation == name for name, said in main.labels.items() for label in said)


def test_settings_are_told_in_words():
    assert in_words(recorded("main").study).endswith("temperature 0.7, top-p 0.95, the last text is read")
    assert "all texts are read" in in_words(recorded("history_all").study)
    assert "the last 3 texts are read" in in_words(recorded("history_3").study)
    assert in_words(recorded("novelty").study).endswith("intervention: novelty")
