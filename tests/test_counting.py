import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, close, fast_agent, seeds

from a2a import alternate, turns_to
from a2a.counting import doublings_to_rest, most_turns, turns_to_share
from a2a.longrun import doubled


@given(rate=st.floats(0.01, 0.999), share=st.sampled_from([0.5, 1e-3, 1e-8]))
def test_the_bound_is_the_turns_of_the_slowest_error(rate, share):
    turns = most_turns(np.array([rate]), share)[0]
    assert close(rate ** (2 * turns), share)
    assert close(most_turns(np.array([rate]), share, agents=1)[0], 2 * turns)


def test_where_errors_may_grow_there_is_no_bound():
    assert most_turns(np.array([0.0, 0.5, 1.0, 1.5]), 0.25).tolist() == pytest.approx([0, 1, np.inf, np.inf], abs=0.01)


@given(seed=seeds, d=st.integers(1, 4), share=st.sampled_from([0.5, 0.1, 1e-4]))
def test_turns_are_those_that_a_conversation_takes(seed, d, share):
    rng = np.random.default_rng(seed)
    first, second, error = fast_agent(rng, d), fast_agent(rng, d), rng.standard_normal((5, d))
    longest = float(turns_to(max(0.1, np.linalg.norm(second.M @ first.M, 2)), share)) + 1
    counted = turns_to_share(second.M @ first.M, error, share, longest)
    for one, turns in zip(error, counted, strict=True):
        left, taken = one, 0
        while taken == 0 or np.linalg.norm(left) > share * np.linalg.norm(one):
            left, taken = second.M @ (first.M @ left), taken + 1
        assert turns == taken


def test_the_worst_start_takes_as_long_as_the_bound():
    M, error = np.diag([0.9, 0.5]), np.array([1.0, 0.0])
    bound = most_turns(np.array(0.9), 1e-6)
    assert turns_to_share(M @ M, error, 1e-6, float(bound)) == np.ceil(bound)


def test_nothing_is_counted_without_a_bound():
    assert turns_to_share(2 * np.eye(2), np.ones((3, 2)), 0.1, np.inf).tolist() == [np.inf] * 3


def test_shares_may_differ():
    halves = turns_to_share(0.5 * np.eye(1), np.ones((2, 1)), np.array([0.3, 0.1]), 10.0)
    assert halves.tolist() == [2, 4]


def test_a_turn_doubled_is_that_of_so_many_turns(rng):
    first, second, w0 = agent(rng, 3), agent(rng, 3), rng.standard_normal(3)
    assert close(doubled(second @ first, 4)(w0), alternate(first, second, w0, 16).second[-1])
    assert close(doubled(second @ first, 0)(w0), second(first(w0)))


def test_doublings_last_until_the_slowest_pair_is_at_rest():
    assert 0.9**2 ** doublings_to_rest(np.array([0.1, 0.9])) <= 1e-12
    assert 0.9**2 ** (doublings_to_rest(np.array([0.1, 0.9])) - 1) > 1e-12


def test_pairs_that_drift_apart_need_not_be_waited_for():
    assert doublings_to_rest(np.array([0.9999999, 10.0]), 1e-8) == 3
    assert doublings_to_rest(np.array([1.0]), 1e-8) == 50


def test_a_bound_may_be_as_large_as_numbers_get():
    assert turns_to_share(0.5 * np.eye(1), np.ones(1), 0.3, 1.7e308) == 2


def test_errors_that_outgrow_the_numbers_are_refused():
    with pytest.raises(ValueError, match="what M makes of the error must be finite"):
        turns_to_share(1e8 * np.eye(2), np.ones(2), 0.1, 1000.0)


def test_a_bound_is_one_number(lib, untyped):
    with pytest.raises(ValueError, match="longest must be one number, got "):
        turns_to_share(0.5 * np.eye(1), np.ones(1), 0.3, lib([1.0, 2.0]))


def test_a_norm_of_0_in_low_precision_takes_no_turn():
    assert most_turns(np.float32(0.0), 0.25) == pytest.approx(0, abs=0.01)
