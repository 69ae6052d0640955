import csv

import numpy as np
import pytest

from a2a.dialogue import recorded
from a2a.loops.overlap import MEASURES, last_outputs, said_before
from a2a.places import book_root

OTHERS = book_root() / "conversations" / "others"
PUBLISHED = list(csv.DictReader((OTHERS / "published.csv").read_text().splitlines()))


@pytest.mark.parametrize("setting", sorted({row["setting"] for row in PUBLISHED}))
def test_recomputed_measures_are_those_that_were_published(setting):
    """To the last digit: the texts of the last outputs were copied as they were."""
    texts = recorded(f"others/{setting}").texts(with_seed=False)
    rows = {f"{setting}-{int(row['run']):02}": row for row in PUBLISHED if row["setting"] == setting}
    assert rows.keys() == texts.keys()
    for name, row in rows.items():
        assert last_outputs(texts[name]) == {measure: float(row[measure]) for measure in MEASURES}


def test_measures_of_texts_whose_words_are_counted_by_hand():
    outputs = ["a b", "b c", "a b c d", "a b c d"]
    assert last_outputs(outputs, last=2) == {"words": 4, "jac1": 0.75, "jac2": 0.5, "ttr": 0.5}


def test_words_are_letters_and_apostrophes_in_any_case():
    assert last_outputs(["Don't, 7!", "DON'T don't.", "don't"], last=1)["jac1"] == 1


def test_two_outputs_without_words_overlap():
    assert last_outputs(["7", "8", ""], last=1) == {"words": 0, "jac1": 1, "jac2": 1, "ttr": 0}


def test_too_few_outputs_are_told():
    with pytest.raises(ValueError, match="wanted 8 outputs at least, got 3"):
        last_outputs(["a", "b", "c"])


def test_how_long_ago_an_output_was_said():
    assert list(said_before(["a", "b", "a", "c", "c", "a ", "b"])) == [0, 0, 2, 0, 1, 3, 5]


def test_silence_repeats_nothing():
    assert not said_before(["", " ", ""]).any()


def test_no_outputs():
    assert np.array_equal(said_before([]), [])
