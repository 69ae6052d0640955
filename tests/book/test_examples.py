import numpy as np
import pytest

from a2a.book.examples import Found, found, opening, to_show, worth_reading
from a2a.loops.labels import Label

QUIET = Label("s", "c", False, None, None, True, "r")


def loop(onset, end, sure=True):
    return Label("s", "c", True, onset, end, sure, "r")


def told(*empty):
    return ["" if turn in empty else f"text {turn}" for turn in range(11)]


def test_the_loop_is_the_readers_and_else_the_rules_first():
    assert Found([range(2, 5)], loop(3, 6)).loop == range(3, 7)
    assert Found([range(2, 5)], QUIET).loop == range(0)
    assert Found([range(2, 5), range(7, 9)]).loop == range(2, 5)
    assert Found([]).loop == range(0)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (Found([range(2, 5), range(7, 10)]), "a loop by the rule at turns 2 to 4, 7 to 9"),
        (Found([]), "no loop by the rule"),
        (Found([], loop(3, 6)), "a loop from turn 3 to 6 by the reader; no loop by the rule"),
        (
            Found([], loop(3, 6, sure=False)),
            "a loop from turn 3 to 6 by the reader, who was not sure; no loop by the rule",
        ),
        (Found([range(1, 4)], QUIET), "no loop by the reader; a loop by the rule at turns 1 to 3"),
    ],
)
def test_the_verdict_says_who_found_what(one, words):
    assert one.verdict == words


def test_what_is_known_of_each():
    rows = np.array([[0, 1, 1], [0, 0, 0]], dtype=bool)
    assert found(["a", "b"], rows, {"b": QUIET}) == {"a": Found([range(2, 4)]), "b": Found([], QUIET)}


def test_the_shortest_the_median_and_the_longest_loop():
    lengths = {"a": 9, "b": 3, "c": 5, "d": 4, "e": 8}
    known = {name: Found([range(1, 5)], loop(1, length)) for name, length in lengths.items()}
    assert worth_reading(known) == {"b": "the shortest loop", "c": "the median loop", "a": "the longest loop"}


def test_a_loop_of_which_the_reader_was_not_sure_is_no_example_where_there_are_others():
    known = {"a": Found([range(1, 5)], loop(1, 9, sure=False)), "b": Found([range(1, 5)]), "c": Found([], loop(2, 4))}
    assert [name for name, why in worth_reading(known).items() if "loop" in why] == ["c"]
    del known["c"]
    assert worth_reading(known) == {"b": "the shortest loop", "a": "the median loop"}


def test_the_gravest_miss_and_the_loudest_false_alarm():
    known = {
        "found": Found([range(1, 9)], loop(1, 8)),
        "missed": Found([], loop(3, 5)),
        "more missed": Found([], loop(3, 7, sure=False)),
        "alarm": Found([range(2, 5)], QUIET),
        "more alarm": Found([range(2, 5), range(7, 10)], QUIET),
        "unread": Found([range(1, 11)]),
        "quiet": Found([], QUIET),
    }
    reasons = worth_reading(known)
    assert reasons["more missed"] == "a miss" and reasons["more alarm"] == "a false alarm"
    assert not {"alarm", "unread", "quiet"} & reasons.keys()


def test_nothing_is_worth_it_where_nothing_loops():
    assert worth_reading({"a": Found([]), "b": Found([], QUIET)}) == {}
    assert worth_reading({}) == {}


def test_a_conversation_stands_there_once():
    assert worth_reading({"a": Found([range(1, 4)])}) == {"a": "the shortest loop"}


def where(texts, known):
    return opening(texts, known, "the rule")["where"]


def test_it_opens_with_a_loop_of_which_a_reader_was_sure():
    known = {"a": Found([range(1, 9)]), "b": Found([], loop(1, 9, sure=False)), "c": Found([], loop(4, 9))}
    texts = dict.fromkeys(known, told())
    lines = {"line-1": "text 4", "line-2": "text 5", "line-3": "text 6"}
    assert opening(texts, known, "the rule") == lines | {"where": "turns 4, 5, 6 of c: in a loop by the reader"}
    del known["c"]
    assert where(texts, known) == "turns 1, 2, 3 of a: in a loop by the rule"


def test_it_opens_with_no_empty_output():
    known = {"a": Found([], loop(2, 4)), "b": Found([], loop(2, 9))}
    assert where({"a": told(3), "b": told(3, 4)}, known).startswith("turns 2, 5, 6 of b")


@pytest.mark.parametrize("one", [Found([]), Found([], loop(9, 40))], ids=["no loop", "beyond the last turn"])
def test_without_three_lines_of_a_loop_it_opens_with_the_last_outputs(one):
    assert where({"a": told()}, {"a": one}).startswith("turns 8, 9, 10 of a")
    assert where({"a": told()}, {"a": Found([])}).endswith("the last ones, as nothing loops")


def test_lines_are_lines():
    known = {"a": Found([range(1, 5)])}
    assert opening({"a": ["seed", " one\n\ntwo ", *told()]}, known, "the rule")["line-1"] == "one two"


def test_few_examples_are_filled_up_with_others():
    known = {"a": Found([range(1, 4)]), "b": Found([]), "c": Found([]), "d": Found([])}
    shown = to_show(known, others=["a", "b", "c", "d"])
    assert shown == {"a": "the shortest loop", "b": "for its distances", "c": "for its distances"}
    assert list(to_show({"a": Found([])}, others=["a", "a"])) == ["a"]


def test_what_is_asked_for_is_shown_alone():
    known = {"a": Found([range(1, 4)]), "b": Found([])}
    assert to_show(known, others=["a"], asked=["b"]) == {"b": "asked for"}
    with pytest.raises(ValueError, match="aren't there: x, y"):
        to_show(known, others=[], asked=["x", "a", "y"])
