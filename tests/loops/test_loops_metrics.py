"""Metrics on cases that can be computed by hand, and what hangs on the registry."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from a2a.loops import metrics

VECTORS = {"east": [1, 0], "north": [0, 1], "west": [-1, 0], "northeast": [math.sqrt(0.5)] * 2}


def embed(texts):
    return np.array([VECTORS[text] for text in texts], dtype=float)


def test_cosine():
    found = metrics.cosine(embed)(["east"] * 4, ["east", "northeast", "north", "west"])
    assert found == pytest.approx([0, 1 - math.sqrt(0.5), 1, 2])


def test_jaccard():
    found = metrics.jaccard_distance(["a b c", "A b", "", "", "a a"], ["b c d", "b a", "", "a", "a"])
    assert found.tolist() == [0.5, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("text", "other", "bleu"),
    [
        ("the cat sat on the mat", "the cat sat on the mat", 1),
        # matches: 4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 quadruples
        ("a b c d x", "a b c d e", (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25),
        # brevity: 4 words against 5; all n-grams match
        ("a b c d", "a b c d e", math.exp(1 - 5 / 4)),
        # no pair matches: 0.1 of 1 pair; the order is 2, the length of the shorter text
        ("b a", "a b c", math.exp(1 - 3 / 2) * math.sqrt(1 * 0.1 / 1)),
        ("a a a a", "a b c d", (1 / 4 * 0.1 / 3 * 0.1 / 2 * 0.1 / 1) ** 0.25),
        ("sea", "sea", 1),
        ("sea", "hill", 0),
        ("", "", 1),
        ("", "sea", 0),
    ],
)
def test_bleu(text, other, bleu):
    assert metrics.bleu_distance([text], [other]) == pytest.approx([1 - bleu])


def test_the_registry_holds_the_papers_four_metrics():
    assert metrics.papers() == ["cosine", "Jaccard", "BLEU", "coherence"]
    assert list(metrics.METRICS) == metrics.papers()
    assert len(set(metrics.colors().values())) == 4
    found = metrics.all_metrics(embed)
    assert list(found) == list(metrics.METRICS)
    assert found["cosine"](["east"], ["north"]) == pytest.approx([1])
    assert found["Jaccard"](["a b"], ["b a"]).tolist() == [0]


def test_a_new_metric_is_one_entry(monkeypatch):
    longer = replace(
        metrics.METRICS["Jaccard"],
        name="length",
        color="C4",
        definition="difference in words",
        distance=lambda embed: lambda texts, others: np.array([float(len(t)) for t in texts]),
        is_papers=False,
    )
    monkeypatch.setitem(metrics.METRICS, "length", longer)
    assert list(metrics.all_metrics(embed))[-1] == "length"
    assert metrics.colors()["length"] == "C4"
    assert "length" not in metrics.papers()
    assert metrics.definitions().endswith("| length | difference in words |")


def test_the_table_of_definitions_has_a_row_for_each_metric():
    head, rule, *rows = metrics.definitions().splitlines()
    assert (head, rule) == ("| distance | definition |", "|---|---|")
    assert [row.split(" | ")[0].strip("| ") for row in rows] == list(metrics.METRICS)
    assert all(row.count(" | ") == 1 for row in rows)


SEA = ["sea", "hill", "the", "boat", "rose"]


@pytest.fixture
def pairs(rng):
    """Texts of few words, so that many pairs share some."""
    return [[" ".join(rng.choice(SEA, size=rng.integers(1, 7))) for _ in range(60)] for _ in range(2)]


def bleu_by_hand(hypothesis, truth):
    """Clipped n-gram precisions in the geometric mean, times the brevity penalty."""
    told, right = hypothesis.split(), truth.split()
    order, logs = min(4, len(told), len(right)), []
    for n in range(1, order + 1):
        ours, theirs = (Counter(zip(*(of[i:] for i in range(n)), strict=False)) for of in (told, right))
        logs.append(math.log(max((ours & theirs).total(), 0.1) / ours.total()))
    return math.exp(sum(logs) / order + min(0.0, 1 - len(right) / len(told)))


def test_bleu_is_that_of_the_definition(pairs):
    expected = [1 - bleu_by_hand(*both) for both in zip(*pairs, strict=True)]
    some_match = [set(one.split()) & set(two.split()) != set() for one, two in zip(*pairs, strict=True)]
    found = metrics.bleu_distance(*pairs)
    assert found[some_match] == pytest.approx(np.array(expected)[some_match])
    assert (found[~np.array(some_match)] == 1).all()  # without a common word nothing is smoothed


@pytest.mark.parametrize("name", ["Jaccard", "BLEU", "coherence"])
def test_a_text_is_at_no_distance_from_itself(pairs, name):
    distance = metrics.all_metrics(embed)[name]
    one, two = pairs
    assert distance(one, one) == pytest.approx(np.zeros(60))
    assert distance(one, two).min() >= 0 and distance(one, two).max() <= 1 + 1e-12


@pytest.mark.parametrize("name", ["cosine", "Jaccard", "coherence"])
def test_all_but_bleu_are_symmetric(pairs, name):
    one, two = (list(VECTORS), list(VECTORS)[::-1]) if name == "cosine" else pairs
    distance = metrics.all_metrics(embed)[name]
    assert np.array_equal(distance(one, two), distance(two, one))


def test_bleu_is_not_symmetric():
    assert metrics.bleu_distance(["a b c d"], ["a b c d e"]) != metrics.bleu_distance(["a b c d e"], ["a b c d"])


def test_rounding_makes_no_negative_distance():
    """A vector a little longer than 1 is at distance 0 from itself, not below."""
    long = metrics.cosine(lambda texts: np.full((len(texts), 1), 1 + 1e-7))
    assert long(["a"], ["a"]).tolist() == [0]


def test_an_embedding_is_asked_for_all_texts_at_once():
    asked = []
    metrics.cosine(lambda texts: asked.append(list(texts)) or embed(texts))(["east", "north"], ["west", "east"])
    assert asked == [["east", "north", "west", "east"]]


@pytest.mark.parametrize("distance", [metrics.jaccard_distance, metrics.bleu_distance])
def test_lists_of_other_lengths_are_refused(distance):
    with pytest.raises(ValueError, match="zip"):
        distance(["a", "b"], ["a"])


@pytest.mark.parametrize("given", [{}, {"cosine": 0.1}, {"cosine": 0, "BLEU": 2.5}])
def test_thresholds_are_numbers_by_metric(given):
    metrics.require_thresholds(given)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"cosin": 0.1}, r"by metric \(cosine, Jaccard, BLEU, coherence\), got one of 'cosin'"),
        ({"cosine": "0.1"}, "threshold of cosine must be a number from 0 on, got '0.1'"),
        ({"cosine": -1}, "from 0 on, got -1"),
        ({"cosine": float("nan")}, "got nan"),
        ({"cosine": float("inf")}, "got inf"),
        ({"cosine": True}, "got True"),
        ({"cosine": None}, "got None"),
    ],
)
def test_other_thresholds_are_refused(given, says):
    with pytest.raises(ValueError, match=says):
        metrics.require_thresholds(given)
