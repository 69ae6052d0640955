import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2a.loops.words import jaccard, words


def test_words_and_signs_stand_by_themselves():
    assert words("Don't stop, it’s GOOD. 3.5") == ["don't", "stop", ",", "it’s", "good", ".", "3", ".", "5"]
    assert words(" \n\t") == []


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("a b c", "b c d", 0.5), ("a a b", "B, a", 1 / 3), ("", " ", 0), ("", "a", 1), ("a", "b", 1)],
)
def test_jaccard_by_hand(first, second, distance):
    assert jaccard(first, second) == pytest.approx(distance)


TEXTS = st.lists(st.sampled_from(["sea", "Sea", "hill", ",", "3", "it's"]), max_size=6).map(" ".join)


@given(TEXTS, TEXTS, TEXTS)
def test_jaccard_is_a_distance(one, two, three):
    assert 0 <= jaccard(one, two) == jaccard(two, one) <= 1
    assert (jaccard(one, two) == 0) == (set(words(one)) == set(words(two)))
    assert jaccard(one, three) <= jaccard(one, two) + jaccard(two, three) + 1e-12
