import re

import pytest
from hostile import HOSTILE

from a2a.book.tables import Table

TAGS = ("table", "caption", "thead", "tbody", "tr", "th", "td")
TABLE = Table(["agent", "R^2", "why"], [["gradient", "0.99", "exact"], ["a <b>", "< 0.5", ""]], title="Steps")


def test_plain_text_is_aligned_with_numbers_to_the_right():
    assert str(TABLE).splitlines() == ["Steps", "agent       R^2  why", "gradient   0.99  exact", "a <b>     < 0.5"]


def test_the_page_gets_a_table_in_which_nothing_is_markup():
    page = TABLE._repr_mimebundle_()["text/html"]
    assert "<caption>Steps</caption>" in page and "<td>a &lt;b&gt;</td>" in page
    assert '<td class="a2a-right">0.99</td>' in page and '<th scope="col">agent</th>' in page


def test_a_table_without_rows_still_names_its_columns():
    assert str(Table(["a", "b"], [])) == "a  b"


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match=r"needs 2 cells \(a, b\), got \['1'\]"):
        Table(["a", "b"], [[1]])


@pytest.mark.parametrize("cell", ["1", "-0.5", "12 of 50", "0.81 (0.70 to 0.90)", "x 4.7", "< .01", "35 %"])
def test_numbers_are_recognised(cell):
    assert Table(["n"], [[cell]])._right_aligned() == [True]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_stays_in_its_cell(text):
    table = Table(["name", text], [["a", text]], title=text)
    shown = table._repr_mimebundle_()
    assert len(shown["text/plain"].splitlines()) == 3 and len(shown["text/plain"]) < 2000
    assert set(re.findall(r"<\w+", shown["text/html"])) == {f"<{tag}" for tag in TAGS}
    assert "mathjax_ignore" in shown["text/html"] and all(part.encode() for part in shown.values())


def test_a_long_cell_is_cut_and_counted():
    assert "[…999,700 more characters]" in str(Table(["a"], [["x" * 1_000_000]]))
