import numpy as np
from instances import fast_agent

from a2a import GradientAgent
from a2a.book.judged import attack_works, fulfilling, judged_by, rests

A, B = ("a", np.array([1.0, 2.0, 3.0]), ">", 1), ("b", np.array([0.0, 5.0, 6.0]), "<=", 5)


def test_pairs_must_fulfil_all_that_is_assumed():
    assert fulfilling(A).tolist() == [False, True, True]
    assert fulfilling(A, B).tolist() == [False, True, False]
    assert fulfilling(A, B, of=slice(1, None)).tolist() == [True, False]


def test_those_that_do_are_judged():
    which, given, count = judged_by(A, B)
    assert which.tolist() == [False, True, False] and count == "1 of 3 pairs"
    assert [(one.what, one.holds) for one in given] == [("a = 2, wanted > 1", True), ("b = 5, wanted <= 5", True)]


def test_where_none_does_the_worst_says_why():
    which, given, count = judged_by(("a", np.array([1.0, 0.5]), ">", 1))
    assert which.all() and count == "0 of 2 pairs"
    assert [(one.what, one.holds) for one in given] == [("a = 0.5, wanted > 1", False)]


def test_a_number_may_stand_for_several_pairs():
    which, _, count = judged_by(("a", np.full(1200, 2.0), ">=", 2), of=slice(1100))
    assert which.all() and count == "1,100 of 1,100 pairs"


def test_a_pair_rests_if_its_rate_is_low(rng):
    slow = GradientAgent(np.eye(2), np.zeros(2), 1e-4)
    assert not fulfilling(rests(slow, slow)) and fulfilling(rests(fast_agent(rng, 2), fast_agent(rng, 2)))


def test_an_attack_works_on_a_stable_victim_that_sees_everything():
    theta = np.zeros(2)
    victims = [np.diag([1.0, 0.5]), np.diag([1.0, 0.0]), np.diag([1.0, 5.0])]
    found = fulfilling(*attack_works(GradientAgent(np.stack(victims), np.ones(2), 0.5), theta))
    assert found.tolist() == [True, False, False]


def test_an_attack_needs_something_to_cancel():
    same = GradientAgent(np.eye(2), np.array([1.0, 0.0]), 1e-7)
    assert not fulfilling(*attack_works(same, np.zeros(2)))
