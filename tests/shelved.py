"""Studies made by hand, as the page of conversations shows them."""

from a2a.book.shelf import judged_by
from a2a.dialogue import Conversations, Seed, Study
from a2a.loops.labels import Label
from a2a.loops.metrics import jaccard_distance
from a2a.loops.rule import LoopRule
from a2a.models.scripted import ScriptedModel

RULES = [LoopRule("Jaccard", threshold=0.5), LoopRule("Jaccard", lag=2, threshold=0.5)]


def shelved(name, texts, labels=(), models=("A (small)", "B"), injected=None, category="news"):
    """A study with these conversations, lists of texts by name, whose sentences are of one category."""
    pair = [ScriptedModel(lambda text, seed: text, model) for model in models]
    turns = max(map(len, texts.values())) - 1
    study = Study(name, *pair, [Seed(id, category, told[0]) for id, told in texts.items()], turns=turns)
    put = injected or {}
    outputs = [
        {"conversation": id, "turn": turn, "text": told[turn], "injected": put.get((id, turn))}
        for turn in range(1, turns + 1)
        for id, told in texts.items()
    ]
    return judged_by(RULES, name, Conversations(study, outputs), {"Jaccard": jaccard_distance}, labels)


def label(study, conversation, loop=None, reader="first", sure=True):
    onset, end = loop or (None, None)
    return Label(study, conversation, loop is not None, onset, end, sure, reader)


LOOPING = ["a seed", "one two", "three four", "five six", "five six", "five six", "five six"]
QUIET = ["b seed", "red", "green", "", "blue", "a whale", "black"]
PUT = "What nobody had asked."
STUDIES = [
    shelved(
        "main",
        {"news-01": LOOPING, "news-02": QUIET, "news-03": [*QUIET[:-1], "white"]},
        [
            label("main", "news-01", (4, 5)),
            label("main", "news-01", reader="second"),
            label("main", "news-02", sure=False),
        ],
    ),
    shelved("put_in", {"question-01": QUIET}, injected={("question-01", 4): PUT}, category="question"),
]
