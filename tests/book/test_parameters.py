import math
from pathlib import Path

import pytest

from a2a.book.parameters import checked, described, read_parameters
from a2a.book.ranges import Interval, Words, parse_range
from a2a.book.runs import notebook_parameters

CHAPTERS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("[0-9]*.py"))

CELL = """\
seed = 0  # of everything random
d = 8  # dimension of the task; [1, 64]
n = 30  # examples in each prompt; more is better; [2 * d, 10000]
eta = 0.3  # step size; (0, 10]
mode = "live"  # how replies come; {live, record, replay}
dtype = ""  # empty: float32; {"", float32}
lengths = [200, 300]  # steps of training,
# each of a run of its own; [1, 100000]
noise = (
    0.5  # of the labels; [0, 100]
)
to_read = ["a", "b"]
# what is shown in full
temperature = None  # passed on where it is given; [0, 2]
free = -1  # any number; it isn't used

# a comment of its own; [1, 2]
sizes = {}  # by name
"""


@pytest.fixture
def known():
    return read_parameters(CELL)


def test_a_parameter_has_a_default_a_meaning_and_a_range(known):
    n = known["n"]
    assert (n.name, n.default, n.meaning) == ("n", 30, "examples in each prompt; more is better")
    assert n.range == Interval("2 * d", "10000")
    assert known["eta"].range == Interval("0", "10", opens="(")
    assert known["mode"].range == Words(("live", "record", "replay"))
    assert known["dtype"].range == Words(("", "float32")) and known["dtype"].meaning == "empty: float32"


def test_a_comment_goes_on_in_the_next_line(known):
    assert known["lengths"].meaning == "steps of training, each of a run of its own"
    assert known["lengths"].range == Interval("1", "100000")


def test_a_comment_stands_where_the_formatter_puts_it(known):
    assert (known["noise"].meaning, known["noise"].range) == ("of the labels", Interval("0", "100"))
    assert (known["to_read"].meaning, known["to_read"].range) == ("what is shown in full", None)


def test_a_parameter_without_a_range_is_free(known):
    assert known["free"].range is None and known["free"].meaning == "any number; it isn't used"
    assert known["sizes"].range is None and known["sizes"].meaning == "by name"


def test_the_order_is_that_of_the_cell(known):
    assert list(known) == [
        "seed",
        "d",
        "n",
        "eta",
        "mode",
        "dtype",
        "lengths",
        "noise",
        "to_read",
        "temperature",
        "free",
        "sizes",
    ]


def test_what_is_given_comes_back_in_the_type_of_its_default(known):
    assert checked(known, {"d": "4", "eta": "1", "lengths": "[5]"}, "02") == {"d": 4, "eta": 1.0, "lengths": [5]}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": 8}, 'parameter "n" must be in [2 * d, 10000], here [16, 10000], got 8 (d = 8 is the default)'),
        (
            {"d": 20},
            'parameter "n" must be in [2 * d, 10000], here [40, 10000], got 30, its default (d = 20)',
        ),
        ({"d": 5, "n": 9}, 'parameter "n" must be in [2 * d, 10000], here [10, 10000], got 9 (d = 5)'),
        ({"d": 0}, 'parameter "d" must be in [1, 64], got 0'),
        ({"eta": 0.0}, 'parameter "eta" must be in (0, 10], got 0.0'),
        ({"eta": math.nan}, 'parameter "eta" must be in (0, 10], got nan'),
        ({"eta": "1e999"}, 'parameter "eta" must be in (0, 10], got inf'),
        ({"mode": "play"}, "parameter \"mode\" must be one of live, record, replay, got 'play'"),
        ({"lengths": []}, 'parameter "lengths" needs at least one entry, got an empty list'),
        ({"dtype": "int8"}, "parameter \"dtype\" must be one of empty, float32, got 'int8'"),
        ({"lengths": "[5, 0]"}, 'each entry of [5, 0] in parameter "lengths" must be in [1, 100000], got 0'),
        ({"temperature": 3}, 'parameter "temperature" must be in [0, 2], got 3'),
        ({"temperature": "hot"}, "parameter \"temperature\" must be in [0, 2], got 'hot'"),
        ({"seed": -1}, 'parameter "seed" must be in [0, inf], got -1'),
        ({"seed": True}, 'parameter "seed" is int (default 0), got True'),
        ({"lengths": "[5, 6.5]"}, 'parameter "lengths[1]" is int (default 200), got 6.5'),
    ],
)
def test_what_is_out_of_range_is_named(known, given, message):
    with pytest.raises(ValueError) as caught:
        checked(known, given, "02")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "given",
    [
        {"d": 64, "n": 128},
        {"d": 1, "n": 2},
        {"eta": 10.0},
        {"temperature": "none"},
        {"temperature": 0.7},
        {"temperature": 2},
        {"mode": "replay"},
        {"seed": 10**30},
        {"free": 10**9},
    ],
)
def test_what_is_in_range_passes(known, given):
    assert checked(known, given, "02").keys() == given.keys()


def test_a_bound_is_computed_once_its_parameters_are_in_range():
    cell = "turns = 9  # turns; [1 / m, 10]\nm = 2  # repetitions; [1, 5]"
    with pytest.raises(ValueError, match=r'"m" must be in \[1, 5\], got 0'):
        checked(read_parameters(cell), {"m": 0}, "02")


def test_a_default_out_of_its_range_is_an_error():
    with pytest.raises(ValueError, match=r'parameter "d" must be in \[1, 64\], got 0, its default'):
        checked(read_parameters("d = 0  # dimension; [1, 64]"), {}, "02")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("d = 2 * 3  # dimension", 'parameter "d" must start as a literal, got 2 * 3'),
        ("d = 8  # dimension; [1, 64", "parameter \"d\": '[1, 64' isn't a range such as"),
        ("d = 8  # dimension; [1]", "isn't a range such as"),
        ("d = 8  # dimension; (as in the paper)", "isn't a range such as"),
        ("d = 8  # dimension; [1, 2 3]", "the bound '2 3' isn't arithmetic"),
        ("d = 8  # dimension; [1, m]", 'parameter "d": [1, m] hangs on "m", which isn\'t one'),
        ("d = 8  # dimension; [1, len(d)]", 'hangs on "len"'),
    ],
)
def test_a_cell_that_is_written_otherwise(cell, message):
    with pytest.raises(ValueError) as caught:
        read_parameters(cell)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "values", "bounds"),
    [
        ("[-1, inf)", {}, (-1, math.inf)),
        ("[2 * (d + 1), n / 4 - 1]", {"d": 2, "n": 40}, (6, 9.0)),
        ("(-d, 1e-3)", {"d": 2}, (-2, 0.001)),
    ],
)
def test_bounds_are_arithmetic_in_the_other_parameters(text, values, bounds):
    assert parse_range(text).at(values) == bounds


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("[0, 1 / d]", {"d": 0}, "[0, 1 / d] has no bounds for d = 0: division by zero"),
        ("[0, d]", {"d": "x"}, "[0, d] has no bounds for d = 'x': d isn't a number"),
        ("[0, d ** 2]", {"d": 3}, "d ** 2 isn't a number, the name of one, or + - * / of such"),
    ],
)
def test_bounds_without_a_value(text, values, message):
    with pytest.raises(ValueError) as caught:
        parse_range(text).at(values)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("[0, 1]", [0, 1, 0.5], [-0.1, 1.1, "x", True, None, math.nan]),
        ("(0, 1)", [0.5], [0, 1]),
        ("[0, inf]", [10**400], [math.inf]),
    ],
)
def test_an_interval_holds_finite_numbers_up_to_its_bounds(text, inside, outside):
    interval = parse_range(text)
    assert all(interval.allows(value, {}) for value in inside)
    assert not any(interval.allows(value, {}) for value in outside)


@pytest.mark.parametrize("text", ["[2 * d, 10000]", "(0, inf)", "{live, record}", '{"", low}'])
def test_a_range_is_shown_as_it_is_written(text):
    assert str(parse_range(text)) == text


def test_parameters_are_described_in_columns_that_wrap(known):
    lines = described(known, 80).splitlines()
    assert max(map(len, lines)) <= 80
    starts = {line.split()[0]: line.index(line.split()[1]) for line in lines if line[2] != " "}
    assert set(starts) == set(known) and len(set(starts.values())) == 1
    assert "  n " in described(known, 80) and "[2 * d, 10000]" in described(known, 80)


def test_no_parameters_are_described_by_nothing():
    assert described({}, 80) == ""


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda file: file.stem)
def test_the_defaults_of_a_chapter_are_as_its_ranges_want_them(chapter):
    known = notebook_parameters(chapter)
    assert known and checked(known, {}, chapter.stem) == {}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda file: file.stem)
def test_every_parameter_of_a_chapter_has_a_meaning(chapter):
    assert not [parameter.name for parameter in notebook_parameters(chapter).values() if not parameter.meaning]
