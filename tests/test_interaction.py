import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, batches, close, dimensions, seeds

from a2a import AffineMap, alternate, take_turns


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
