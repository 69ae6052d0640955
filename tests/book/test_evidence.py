"""Every kind of evidence: when it supports, when it contradicts, when it can't tell, and what it says then."""

import numpy as np
import pytest

from a2a.book.digits import within
from a2a.book.evidence import at_least, at_most, close, descriptive, different, every, same, weakest
from a2a.intervals import Estimate, share


def estimate(value, half, n=100):
    """A normal-looking estimate: its 95 % interval is `half` wide on either side."""
    scale = {0.95: 1.0, 0.90: 1.645 / 1.96}
    return Estimate(value, lambda level, m: tuple(value + s * half * scale[level] * (n / m) ** 0.5 for s in (-1, 1)), n)


@pytest.mark.parametrize(("measured", "verdict"), [(1.05, "supported"), (1.15, "contradicted"), (0.85, "contradicted")])
def test_numbers_are_compared_by_a_tolerance(measured, verdict):
    assert close(measured, 1.0, tolerance=0.1).verdict == verdict


def test_no_tolerance_wants_equality():
    assert close(1.0, 1.0, tolerance=0).verdict == "supported"
    assert close(1.0000001, 1.0, tolerance=0).verdict == "contradicted"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, [1.0, np.nan]])
def test_what_is_not_a_number_agrees_with_nothing(bad):
    assert close(bad, 1.0, tolerance=1).verdict == "contradicted"
    assert close(1.0, bad, tolerance=1).verdict == "contradicted"
    assert close(bad, bad, tolerance=1).verdict == "contradicted"


def test_the_worst_entry_is_the_one_shown():
    one = close([1.0, 2.5, 3.05], [1.0, 2.0, 3.0], tolerance=0.1)
    assert (one.verdict, one.measured, one.effect, one.margin) == ("contradicted", "2.50", 2.5, (1.9, 2.1))


@pytest.mark.parametrize("noise", [0.0, 3e-16, -4e-12, 9e-11])
def test_rounding_noise_is_never_shown(noise):
    one = close([noise, noise / 2], tolerance=1e-10)
    assert (one.measured, one.effect) == ("within 1e-10", None)


def test_more_than_rounding_noise_is_shown():
    assert close(3e-9, tolerance=1e-10).measured == "off by 3e-09"


@pytest.mark.parametrize("tolerance", [-0.1, np.nan, np.inf])
def test_a_tolerance_is_a_finite_number(tolerance):
    with pytest.raises(ValueError, match="tolerance must be a finite number >= 0, got"):
        close(1, 1, tolerance=tolerance)


@pytest.mark.parametrize("compare", [lambda: close([], tolerance=1), lambda: every([])])
def test_something_is_compared(compare):
    with pytest.raises(ValueError, match="nothing to compare"):
        compare()


def test_one_instance_that_is_not_so_contradicts():
    assert (every([True] * 3).verdict, every([True] * 3).measured) == ("supported", "3 of 3")
    assert (every([True, False]).verdict, every([True, False]).measured) == ("contradicted", "1 of 2")


@pytest.mark.parametrize(
    ("value", "half", "verdict"),
    [(0.0, 0.1, "supported"), (0.1, 0.3, "undecided"), (0.3, 0.2, "contradicted"), (0.05, 0.04, "supported")],
)
def test_the_same_is_an_interval_inside_the_margin(value, half, verdict):
    assert same(estimate(value, half), margin=0.15).verdict == verdict


@pytest.mark.parametrize(
    ("value", "half", "verdict"),
    [(0.3, 0.2, "supported"), (-0.3, 0.2, "contradicted"), (0.1, 0.3, "undecided"), (0.0, 0.05, "contradicted")],
)
def test_a_difference_is_an_interval_on_its_side_of_zero(value, half, verdict):
    assert different(estimate(value, half), 1, margin=0.15).verdict == verdict
    assert different(estimate(-value, half), -1, margin=0.15).verdict == verdict


def test_without_a_margin_no_effect_is_never_shown():
    assert different(estimate(0.0, 0.01), 1).verdict == "undecided"


@pytest.mark.parametrize(("p", "verdict"), [(0.01, "supported"), (0.2, "undecided")])
def test_a_difference_that_luck_explains_decides_nothing(p, verdict):
    assert different(estimate(0.3, 0.2), 1, p=p).verdict == verdict
    assert same(estimate(0.3, 0.2), margin=0.15, p=p).verdict == {0.01: "contradicted", 0.2: "undecided"}[p]


@pytest.mark.parametrize(("value", "verdict"), [(0.9, "supported"), (0.62, "undecided"), (0.3, "contradicted")])
def test_a_threshold_is_passed_with_the_whole_interval(value, verdict):
    assert at_least(estimate(value, 0.1), 0.6).verdict == verdict
    assert at_most(estimate(-value, 0.1), -0.6).verdict == verdict


def test_undecided_says_how_many_more():
    assert at_most(share(0, 50, "conversations"), 0.05).note == (
        "about 73 conversations would decide, if the estimate stays where it is; there are 50"
    )
    assert (
        "more than 100,000" in same(estimate(0.15, 0.3), margin=0.15).note
        or "about" in same(estimate(0.15, 0.3), margin=0.15).note
    )


@pytest.mark.parametrize(
    "kind", [lambda e: same(e, margin=0.15), lambda e: different(e, 1), lambda e: at_least(e, 0.0)]
)
def test_as_many_samples_as_the_note_says_do_decide(kind):
    undecided = kind(estimate(0.1, 0.3, n=100))
    needed = int(undecided.note.split()[1].replace(",", ""))
    assert undecided.verdict == "undecided"
    assert kind(estimate(0.1, 0.3 * (100 / (1.05 * needed)) ** 0.5, n=needed)).verdict != "undecided"
    assert kind(estimate(0.1, 0.3 * (100 / (0.9 * needed)) ** 0.5, n=needed)).verdict == "undecided"


def test_beside_the_papers_number_there_is_no_verdict():
    one = descriptive(share(13, 20), "35 of 50 in the paper")
    assert (one.verdict, one.wanted, one.measured[:4]) == ("descriptive", "35 of 50 in the paper", "0.65")
    assert descriptive("13 of 20", "35 of 50").measured == "13 of 20"


def test_within_says_a_tolerance_or_the_excess():
    assert within([1e-13, -1e-12], 1e-10) == "within 1e-10"
    assert within([1e-13, -0.02], 1e-10) == "off by 0.02"
    assert within(np.nan, 1e-10) == "off by nan"


def test_of_several_the_weakest_is_shown():
    good, better, open_, bad = (
        same(estimate(*of), margin=0.15) for of in ((0.05, 0.05), (0.0, 0.05), (0.0, 0.3), (1.0, 0.1))
    )
    assert weakest([better, good]) == good and weakest([good, open_]) == open_ and weakest([open_, bad, good]) == bad
    with pytest.raises(ValueError, match="no evidence was given"):
        weakest([])
