import pytest

from a2a.book.agreed import agreed, worst
from a2a.book.evidence import Evidence, at_least, same
from a2a.intervals import Estimate


def evidence(verdict, measured="1", wanted="0", note=""):
    return Evidence(verdict, wanted, measured, note=note)


def test_judges_that_agree_are_believed():
    found = agreed({"one": evidence("contradicted", "0.3"), "other": evidence("contradicted", "0.5")})
    assert (found.verdict, found.measured) == ("contradicted", "by one 0.3; by other 0.5")


def test_judges_that_differ_decide_nothing():
    found = agreed({"one": evidence("supported"), "other": evidence("contradicted")})
    assert found.verdict == "undecided"
    assert found.note.startswith("by one supported, by other contradicted: they disagree")


def clear(value):
    """An estimate that is sure to a tenth."""
    return Estimate(value, lambda level, n: (value - 0.1, value + 0.1), 50)


def test_judges_that_contradict_from_opposite_sides_decide_nothing():
    more, less = (same(clear(value), margin=0.15) for value in (0.4, -0.4))
    assert agreed({"one": more, "other": more}).verdict == "contradicted"
    found = agreed({"one": more, "other": less})
    assert found.verdict == "undecided" and "they disagree" in found.note


def test_a_small_effect_that_is_seen_may_be_settled_by_more_samples():
    small, none = (same(Estimate(value, lambda level, n: (0.08, 0.21), 50), margin=0.15) for value in (0.12, 0.3))
    assert {small.verdict, none.verdict} == {"contradicted"}
    assert "no number of samples" not in agreed({"one": evidence("supported"), "other": small}).note
    assert "no number of samples" in agreed({"one": evidence("supported"), "other": none}).note


def test_a_bound_is_missed_from_one_side_only():
    assert agreed({str(value): at_least(clear(value), 0.6) for value in (0.1, -0.4)}).verdict == "contradicted"


def test_where_one_judge_is_undecided_its_note_is_told():
    found = agreed({"one": evidence("supported"), "other": evidence("undecided", note="9 more")})
    assert (found.verdict, found.note) == ("undecided", "by one supported, by other undecided (9 more)")


def test_the_note_of_judges_that_agree_is_the_first_one_s():
    found = agreed({"one": evidence("undecided", note="more"), "other": evidence("undecided", note="less")})
    assert found.note == "more"


def test_one_judge_is_enough():
    assert agreed({"one": evidence("supported", "2")}).measured == "by one 2"


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("supported", "supported"), "supported"),
        (("supported", "undecided"), "undecided"),
        (("undecided", "contradicted", "supported"), "contradicted"),
    ],
)
def test_the_worst_of_several_counts(verdicts, expected):
    found = worst({str(i): evidence(verdict, f"m{i}", f"w{i}") for i, verdict in enumerate(verdicts)})
    assert found.verdict == expected
    assert found.measured.startswith("0 m0; 1 m1") and found.wanted.startswith("0 w0; 1 w1")


@pytest.mark.parametrize("together", [agreed, worst])
def test_no_evidence_is_refused(together):
    with pytest.raises(ValueError, match="no evidence was given"):
        together({})


def test_what_does_not_apply_is_the_worst():
    found = worst({"one": evidence("contradicted"), "other": evidence("not applicable")})
    assert found.verdict == "not applicable"
