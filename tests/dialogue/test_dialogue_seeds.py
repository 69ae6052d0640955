from collections import Counter
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2a.dialogue import load_seeds, spread
from a2a.dialogue.seeds import our_seeds


def test_fifty_different_sentences_in_seven_categories():
    seeds = load_seeds()
    assert len({seed.text for seed in seeds}) == len({seed.id for seed in seeds}) == 50
    assert set(Counter(seed.category for seed in seeds).values()) == {7, 8}


def test_a_hundred_further_ones_in_the_same_categories():
    seeds = our_seeds(150)
    assert seeds[:50] == load_seeds() and our_seeds(20) == spread(load_seeds(), 20) and our_seeds() == load_seeds()
    assert len({seed.text for seed in seeds}) == len({seed.id for seed in seeds}) == 150
    assert {seed.category for seed in seeds[50:]} == {seed.category for seed in seeds[:50]}


def test_only_some_categories():
    assert {seed.category for seed in load_seeds(categories=["question", "news"])} == {"question", "news"}
    with pytest.raises(ValueError, match="no seeds of category poems"):
        load_seeds(categories=["poems"])


def test_a_text_file(tmp_path):
    (tmp_path / "mine.txt").write_text("One.\n\n  Two. \n", encoding="utf-8")
    assert [(seed.id, seed.text) for seed in load_seeds(tmp_path / "mine.txt")] == [
        ("own-01", "One."),
        ("own-02", "Two."),
    ]


def test_a_yaml_file(tmp_path):
    (tmp_path / "mine.yml").write_text("a: [One.]\nb: [Two., Three.]\n", encoding="utf-8")
    assert [seed.id for seed in load_seeds(tmp_path / "mine.yml")] == ["a-01", "b-01", "b-02"]


@pytest.mark.parametrize("content", ["- One.", "a: One.", "a: [1]", "a: ['']", ""])
def test_yaml_of_another_form(tmp_path, content):
    (tmp_path / "mine.yml").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match="list of sentences"):
        load_seeds(tmp_path / "mine.yml")


def test_a_file_without_sentences(tmp_path):
    (tmp_path / "mine.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no seed sentence"):
        load_seeds(tmp_path / "mine.txt")


def test_the_mark_before_a_text_is_no_part_of_the_first_sentence(tmp_path):
    (tmp_path / "own.txt").write_bytes("\ufeffA boat.\n".encode())
    assert [seed.text for seed in load_seeds(tmp_path / "own.txt")] == ["A boat."]


@pytest.mark.parametrize(("content", "says"), [(b"a: [\xe9]", "isn't UTF-8"), (b"a: [", "isn't YAML")])
def test_a_file_that_cannot_be_read_is_named(tmp_path, content, says):
    (tmp_path / "own.yml").write_bytes(content)
    with pytest.raises(ValueError, match=f"own.yml {says}"):
        load_seeds(tmp_path / "own.yml")


def test_spread_takes_its_share_of_every_part():
    assert spread(range(10), 3) == [0, 3, 6]
    assert spread("abc", 0) == spread("abc", 7) == ["a", "b", "c"]


@given(st.lists(st.integers(), max_size=40), st.integers(0, 50))
def test_what_is_spread_is_in_order_and_even(things, most):
    kept = spread(enumerate(things), most)
    assert len(kept) == min(most or len(things), len(things))
    places = [place for place, _ in kept]
    gaps = {after - before for before, after in pairwise(places)}
    assert max(gaps, default=1) - min(gaps, default=1) <= 1
    assert places[:1] == [0][: len(things)]
    assert len(things) - max(places, default=0) <= -(-len(things) // max(len(kept), 1))  # up to the end
    assert all(things[place] == thing for place, thing in kept)


def test_the_order_of_categories_is_the_asked_one():
    found = [seed.category for seed in load_seeds(categories=["question", "news"])]
    assert list(dict.fromkeys(found)) == ["question", "news"]
    whole = load_seeds()
    assert [seed for seed in whole if seed.category == "news"] == load_seeds(categories=["news"])


def test_a_seed_s_name_tells_its_category_and_place():
    for category, of in groupby(load_seeds(), key=lambda seed: seed.category):
        assert [seed.id for seed in of] == [f"{category}-{i:02}" for i in range(1, 9)][
            : len(load_seeds(categories=[category]))
        ]
