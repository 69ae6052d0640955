import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, batches, close, dimensions, seeds

from a2a import AffineMap, GradientAgent, alternate, equilibrium, random_covariance, take_turns, turns_to


@given(seed=seeds, d=dimensions, batch=batches, turns=st.integers(1, 6))
def test_the_first_agent_reads_what_the_second_wrote(lib, seed, d, batch, turns):
    rng = np.random.default_rng(seed)
    first, second, w = agent(rng, d, lib, batch=batch), agent(rng, d, lib), lib(rng.standard_normal(d))
    run = alternate(first, second, w, turns)
    for turn in range(turns):
        a = first(w)
        w = second(a)
        assert close(run.first[turn], a) and close(run.second[turn], w)


@given(seed=seeds, members=st.integers(1, 4), turns=st.integers(1, 4))
def test_a_ring_writes_in_order(lib, seed, members, turns):
    rng = np.random.default_rng(seed)
    agents, w = [agent(rng, 2, lib) for _ in range(members)], lib(rng.standard_normal((3, 2)))
    written = take_turns(agents, w, turns)
    expected = [[w := one(w) for one in agents] for _ in range(turns)]
    assert close(written, np.array([[np.asarray(w) for w in turn] for turn in expected]))


def test_without_history_only_the_last_turn_is_kept(lib, rng):
    first, second, w0 = agent(rng, 3, lib), agent(rng, 3, lib), lib(np.zeros(3))
    full, last = alternate(first, second, w0, 5), alternate(first, second, w0, 5, history=False)
    assert close(last.first, full.first[-1:]) and close(last.second, full.second[-1:])


def test_any_callable_is_an_agent(lib):
    run = alternate(lambda w: 2 * w, lambda w: w + 1, lib([1.0]), 2)
    assert run.first.tolist() == [[2.0], [6.0]] and run.second.tolist() == [[3.0], [7.0]]


def test_a_batch_that_the_second_agent_brings_reaches_every_turn(lib):
    first, second = AffineMap(lib([[0.5]]), lib([0.0])), AffineMap(lib([[0.5]]), lib(np.ones((4, 1))))
    assert tuple(alternate(first, second, lib([1.0]), 3).first.shape) == (3, 4, 1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_interaction_keeps_library_and_dtype(lib, dtype):
    w0 = lib(np.ones(2, dtype))
    run = alternate(lambda w: w / 2, lambda w: w, w0, 2)
    assert type(run.first) is type(w0) and run.first.dtype == run.second.dtype == w0.dtype


def test_integers_become_float64():
    assert alternate(lambda w: w, lambda w: w, [1, 2], 1).first.dtype == np.float64


@pytest.mark.parametrize("turns", [0, -1])
def test_there_is_at_least_one_turn(turns):
    with pytest.raises(ValueError, match=f"turns must be a whole number of at least 1, got {turns}"):
        alternate(lambda w: w, lambda w: w, [1.0], turns)


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize("turns", [2.0, "3", None, True])
def test_turns_is_a_whole_number(turns):
    with pytest.raises(ValueError, match="turns must be a whole number of at least 1, got"):
        alternate(lambda w: w, lambda w: w, [1.0], turns)


@pytest.mark.usefixtures("untyped")
def test_turns_may_be_numpys():
    assert alternate(lambda w: w, lambda w: w, [1.0], np.int64(2)).first.shape == (2, 1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([1.0], r"what agent 0 wrote at turn 1 must have shape \(\.\.\., 2\), got \(1,\)"),
        ([np.nan, 0.0], "what agent 0 wrote at turn 1 must be finite"),
        (None, "what agent 0 wrote at turn 1 must hold real numbers"),
        (torch.ones(2), "what it read is numpy, what agent 0 wrote at turn 1 is torch"),
    ],
)
def test_a_bad_answer_is_named_where_it_was_written(answer, message):
    with pytest.raises(ValueError, match=message):
        alternate(lambda w: answer, lambda w: w, [0.0, 0.0], 1)


def test_a_diverging_pair_is_stopped_at_the_overflow(lib):
    growing = AffineMap(lib([[1e100]]), lib([0.0]))
    with pytest.raises(ValueError, match="what agent 1 wrote at turn 2 must be finite"):
        alternate(growing, growing, lib([1.0]), 9)


@pytest.mark.parametrize(("w0", "message"), [(1.0, r"w0 must have shape"), ([np.inf], "w0 must be finite")])
def test_the_start_is_a_finite_vector(w0, message):
    with pytest.raises(ValueError, match=message):
        alternate(lambda w: w, lambda w: w, w0, 1)


def test_a_ring_needs_an_agent():
    with pytest.raises(ValueError, match="a ring needs at least one agent, got none"):
        take_turns([], [1.0], 1)


def in_place(w):
    w *= 0.5
    return w


def one_buffer(shape, lib):
    """An agent that writes every answer into the same memory."""
    answer = lib(np.zeros(shape))

    def agent(w):
        answer[...] = w / 2
        return answer

    return agent


@given(turns=st.integers(1, 4), batch=batches, reuses=st.booleans())
def test_what_an_agent_does_in_place_stays_with_it(lib, turns, batch, reuses):
    agent = one_buffer((*batch, 2), lib) if reuses else in_place
    w0 = lib(np.ones((*batch, 2)))
    written = take_turns([agent, agent], w0, turns)
    halves = 0.5 ** np.arange(1, 2 * turns + 1).reshape(turns, 2)
    assert close(written, np.broadcast_to(halves.reshape(turns, 2, *[1] * (len(batch) + 1)), (turns, 2, *batch, 2)))
    assert close(w0, np.ones((*batch, 2)))


@given(rate=st.floats(1e-9, 1e9), share=st.floats(1e-300, 0.999))
def test_the_turns_are_the_first_that_get_there(rate, share):
    if abs(np.log(rate)) < 1e-6:
        return
    turns, factor = turns_to(rate, share), min(rate, 1 / rate)
    assert turns * np.log(factor) <= np.log(share) * (1 - 1e-12)
    assert turns == 1 or (turns - 1) * np.log(factor) > np.log(share) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("rate", "share", "turns"),
    [(0.1, 1e-6, 6), (0.5, 0.25, 2), (2.0, 0.001, 10), (0.0, 1e-9, 1), (1e-300, 0.5, 1), (1 - 1e-14, 0.5, 69376186)],
)
def test_turns_to_a_share(rate, share, turns):
    assert turns_to(rate, share, at_most=69376186) == turns


@given(seed=seeds)
def test_the_slowest_error_has_that_share_after_that_many_turns(seed):
    rng = np.random.default_rng(seed)
    S = random_covariance(rng, rng.uniform(0.1, 1.9, 3))
    one, blind = GradientAgent(S, np.zeros(3), 1.0), GradientAgent(np.zeros((3, 3)), np.zeros(3), 1.0)
    rate = equilibrium(one, blind).rate
    slowest = np.linalg.eigh(one.M)[1][:, np.argmax(np.abs(np.linalg.eigvalsh(one.M)))]
    turns = turns_to(rate, 0.01)
    left = np.linalg.norm(alternate(one, blind, slowest, turns).first, axis=-1)
    assert left[-1] <= 0.01 * (1 + 1e-9) and (turns == 1 or left[-2] > 0.01 * (1 - 1e-9))


def test_a_batch_gets_a_number_a_pair(lib):
    turns = turns_to(lib([0.1, 1.0, 10.0, 0.99]), 1e-3, at_most=100)
    assert turns.tolist() == [3, 100, 3, 100] and "int" in str(turns.dtype)


def test_a_rate_of_1_needs_a_limit(lib):
    with pytest.raises(ValueError, match=r"a rate of 1 takes no number of turns to get anywhere: .* as at_most"):
        turns_to(lib([0.5, 1.0]), 0.1)


@pytest.mark.parametrize(
    ("rate", "share", "at_most", "message"),
    [
        (-0.5, 0.1, None, "rate must be a spectral radius >= 0, got -0.5"),
        (np.inf, 0.1, None, "rate must be finite"),
        (0.5, 0.0, None, "share must be one positive number, got 0.0"),
        (0.5, 1.0, None, "share must be between 0 and 1, got 1.0"),
        (0.5, 0.1, 0, "at_most must be a whole number of at least 1, got 0"),
    ],
)
def test_what_has_no_number_of_turns(rate, share, at_most, message):
    with pytest.raises(ValueError, match=message):
        turns_to(rate, share, at_most=at_most)
