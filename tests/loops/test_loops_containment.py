"""Containment by hand, and what must hold of it for any texts."""

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2a.loops.containment import BY_CHANCE, LONGEST, containment, run_length
from a2a.loops.words import units


@pytest.mark.parametrize(
    ("text", "other", "share"),
    [
        ("a b c d", "a b c d", 1),
        ("a b c d", "e f g h", 0),
        ("c d e x", "a b c d e f g", 3 / 4),  # one run of three
        ("c d e f x", "a b c d e f g", 4 / 5),  # two runs that overlap
        ("a b x c d", "a b y c d", 4 / 5),  # both texts begin with "a b" and end with "c d"
        ("y a b c z", "a b c", 3 / 5),
        ("x a b y", "z a b w", 0),  # a pair in the middle is none
        ("d e", "a b c d e", 1),  # it only ends the other
        ("a b c d e", "d e", 2 / 5),
        ("A, B. C!", "a, b. c!", 1),
        ("a b c", "", 0),
        ("", "a b c", 1),
        ("", "", 1),
        (" \n", "a", 1),
    ],
)
def test_by_hand(text, other, share):
    assert containment(text, [other]) == pytest.approx(share)


def test_a_template_with_another_slot_is_contained_for_most_of_its_length():
    assert containment("There are 12 toes.", ["There are 10 fingers."]) == pytest.approx(3 / 5)
    assert containment("She came up to the hill.", ["He went to the sea."]) == pytest.approx(1 / 7)


def test_pieces_of_several_texts_count_together():
    assert containment("a b c d e f", ["a b c", "x", "d e f"]) == 1
    assert containment("a b c d e f", []) == 0
    assert containment("", []) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It's 3.5, Ann", ["it's", "3", ".", "5", ",", "ann"]),
        ("3.5\n41", ["3", ".", "5", "4", "1"]),
        ("我有3本book。", ["我", "有", "3", "本", "book", "。"]),
        ("ไป", ["ไ", "ป"]),
        ("…", ["…"]),
        (" ", []),
    ],
)
def test_units_are_words_or_characters_where_there_are_none(text, found):
    assert units(text) == found


def test_runs_are_longer_where_units_are_few():
    few = [run_length(["a", "b"] * half) for half in (3, 30, 300)]
    assert few == sorted(few) and few[0] > 3
    assert run_length([str(i) for i in range(40)]) == 3
    assert run_length(["a"] * 100) == LONGEST and run_length(["a"] * 5) == 5 and run_length([]) == 3


@pytest.mark.parametrize(("alphabet", "length"), [("01", 50), (string.digits, 25), (string.digits, 1000)])
def test_chance_covers_a_sixteenth_at_most(rng, alphabet, length):
    drawn = [" ".join(rng.choice(list(alphabet), size=length)) for _ in range(60)]
    shares = [containment(one, [other]) for one, other in zip(drawn[::2], drawn[1::2], strict=True)]
    assert np.mean(shares) < 1.5 / BY_CHANCE


def test_a_long_text_of_one_unit_takes_no_time():
    assert containment("." * 20_000, ["." * 10_000]) == 1


KNOWN = ["sea", "hill", "boat", "rose", "the", "of"]
WORDS = st.lists(st.sampled_from(KNOWN), max_size=12)


@given(WORDS, WORDS)
def test_it_is_a_share_and_all_of_a_text_is_in_itself(one, other):
    text, beside = " ".join(one), " ".join(other)
    assert 0 <= containment(text, [beside]) <= 1
    assert containment(text, [text]) == 1


@given(WORDS, WORDS)
def test_only_what_both_hold_is_covered(one, other):
    both = sum(word in other for word in one)
    assert containment(" ".join(one), [" ".join(other)]) * len(one) <= both + 1e-9


@given(WORDS, WORDS, WORDS)
def test_one_more_text_never_covers_less(one, two, three):
    text, other, more = (" ".join(words) for words in (one, two, three))
    assert max(containment(text, [other]), containment(text, [more])) <= containment(text, [other, more])


@given(WORDS, WORDS, st.permutations(KNOWN))
def test_other_names_for_the_words_change_nothing(one, other, names):
    renamed = dict(zip(KNOWN, names, strict=True))
    after = [" ".join(renamed[word] for word in words) for words in (one, other)]
    assert containment(after[0], [after[1]]) == containment(" ".join(one), [" ".join(other)])


@given(WORDS, WORDS)
def test_the_end_of_a_text_is_contained_in_it(end, start):
    assert containment(" ".join(end), [" ".join([*start, *end])]) == 1
