import numpy as np
import pytest
from instances import agent

from a2a import GradientAgent
from a2a.book.claims import Checks, requires
from a2a.book.one_claim import PRECISION, OneClaim, digits_left, invertible_prompts


@pytest.fixture
def a9():
    return OneClaim(Checks("agents"), "A9", tolerance=1e-7)


def verdicts(claim):
    assert {check.id for check in claim.checks.made} <= {"A9"}
    return [check.verdict for check in claim.checks.made]


def test_rounding_counts_as_zero(a9):
    a9.vanishes("small", np.array([0.0, -1e-8]))
    a9.vanishes("not so small", 1e-6)
    a9.vanishes("small enough", 1e-6, tolerance=1e-5)
    assert verdicts(a9) == ["supported", "contradicted", "supported"]


def test_counts_are_compared_exactly(a9):
    a9.equals("counts", np.array([1, 2]), np.array([1, 2]))
    a9.equals("another", 3, 2)
    assert verdicts(a9) == ["supported", "contradicted"]


def test_every_instance_has_to_be_right(a9):
    a9.holds("all", np.array([True, True]))
    a9.holds("not all", np.array([True, False]))
    assert verdicts(a9) == ["supported", "contradicted"]


def test_assumptions_are_part_of_a_check(a9):
    broken = requires("x", 2, "<", 1)
    a9.vanishes("one", 1.0, broken)
    a9.equals("two", 1, 2, broken)
    a9.holds("three", False, broken)
    assert verdicts(a9) == ["not applicable"] * 3


def test_prompts_must_see_every_direction(rng):
    one = agent(rng, 3)
    assert invertible_prompts(one, agent(rng, 3)).holds
    assert not invertible_prompts(one, GradientAgent(np.diag([1.0, 1.0, 0.0]), np.zeros(3), 0.1)).holds


def test_a_condition_number_leaves_digits():
    assert digits_left(np.array([1.0, 1e6])).holds
    assert not digits_left(1e8).holds
    assert pytest.approx(2.0**-52) == PRECISION
