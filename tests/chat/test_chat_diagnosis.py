"""What is wrong with an answer, told from its numbers: answers of every kind are made, and recognised."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from a2a.chat.diagnosis import KINDS, RIGHT, ROUGHLY, TOLD, Diagnosis, diagnose, middle_factor, tally, told, verdict

DIGITS = 4


@st.composite
def questions(draw, at_least=2):
    """w, a step that is clearly longer than rounding, and an objective that is neither w nor what the step reaches."""
    d = draw(st.integers(at_least, 6))
    w, step, beyond = (draw(arrays(float, d, elements=st.floats(-5, 5))) for _ in range(3))
    assume(np.linalg.norm(step) > 0.1)
    objective = w + step + beyond
    assume(min(np.linalg.norm(objective - w), np.linalg.norm(beyond)) > 0.5 * np.linalg.norm(step) + 0.1)
    return w, step, objective


def kind(question, written):
    w, step, objective = question
    return diagnose(w, np.asarray(written), step, objective, DIGITS).kind


@given(questions())
def test_a_right_answer_is_right_to_its_last_digit(question):
    w, step, _ = question
    assert kind(question, np.round(w + step, DIGITS)) == "right"


@given(questions(), st.floats(1.1 * RIGHT, 0.95 * ROUGHLY), st.integers(0, 10**6))
def test_a_noisy_answer_is_roughly_right(question, share, seed):
    w, step, _ = question
    away = np.random.default_rng(seed).standard_normal(len(w))
    away *= share * np.linalg.norm(step) / np.linalg.norm(away)
    assume(np.linalg.norm(away) > 1e-3)
    assert kind(question, w + step + away) == "roughly right"


@given(questions())
def test_a_copy_is_a_copy(question):
    assert kind(question, question[0]) == "copied w"


@given(questions())
def test_a_jump_is_a_jump(question):
    assert kind(question, question[2]) == "least squares"


@given(questions(), st.floats(-20, 20))
def test_another_step_size_is_told_with_its_factor(question, factor):
    assume(min(abs(factor), abs(factor - 1)) > 0.15)
    w, step, objective = question
    written = w + factor * step
    assume(np.linalg.norm(written - objective) > RIGHT * np.linalg.norm(step) + 1e-3)
    found = diagnose(w, written, step, objective, DIGITS)
    assert found.kind == "step size" and found.factor == pytest.approx(factor)


@given(questions(), st.integers(0, 5), st.sampled_from([-1, 1]), st.floats(0.3, 3))
def test_one_coordinate_off_is_a_slip(question, at, sign, share):
    w, step, objective = question
    written = w + step
    written[at % len(w)] += sign * share * np.linalg.norm(step)
    others = np.delete(step, at % len(w))
    assume(np.linalg.norm(others) > 0.2 * np.linalg.norm(step))  # else it is along the step
    assume(np.linalg.norm(written - objective) > 0.1 * np.linalg.norm(step))
    assume(np.linalg.norm(written - w) > 0.1 * np.linalg.norm(step))
    assert kind(question, written) == "slip"


@given(questions(at_least=3), st.integers(0, 10**6))
def test_what_is_none_of_these_is_other(question, seed):
    w, step, objective = question
    rng = np.random.default_rng(seed)
    away = rng.standard_normal(len(w))
    away -= away @ step / (step @ step) * step
    assume(np.sort(np.abs(away))[-2] > 0.2)
    written = w + step + away / np.linalg.norm(away) * np.linalg.norm(step)
    assume(np.sort(np.abs(written - w - step))[-2] > 0.05 * np.linalg.norm(step) + 1e-3)
    assume(np.linalg.norm(written - objective) > 0.1 * np.linalg.norm(step))
    assert kind(question, written) == "other"


@given(questions(at_least=1), st.integers(0, 5))
def test_no_vector_is_a_matter_of_format(question, at):
    written = question[0].copy()
    written[at % len(written)] = np.nan
    assert kind(question, written) == "format"


@given(questions(at_least=1), arrays(float, 6, elements=st.floats(-1e6, 1e6)))
def test_every_answer_has_a_kind(question, numbers):
    assert kind(question, numbers[: len(question[0])]) in KINDS


@given(questions(), st.floats(0.5, 100))
def test_kinds_do_not_change_with_the_unit_but_for_the_digits(question, unit):
    w, step, objective = question
    written = w + np.array([1.7, 0.4, -0.6, 2.0, 1.0, -1.0])[: len(w)] * step
    larger = diagnose(unit * w, unit * written, unit * step, unit * objective, 12).kind
    assert larger == diagnose(w, written, step, objective, 12).kind


@pytest.mark.parametrize("written", [0.0, 0.5, 3.0, -1.0])
def test_in_one_dimension_everything_else_is_another_step_size(written):
    assert diagnose(np.zeros(1), np.array([written]), np.ones(1), np.array([9.0]), 4).kind in ("copied w", "step size")


def test_where_no_step_is_wanted_staying_is_right_and_leaving_is_other():
    still = np.zeros(1)
    assert diagnose(still, still, still, still, 4).kind == "right"
    assert diagnose(still, np.ones(1), still, still, 4).kind == "other"
    assert diagnose(np.zeros(2), np.array([0.0, 1.0]), np.zeros(2), np.zeros(2), 4).kind == "slip"


def test_tolerances_do_not_grow_with_the_answer():
    w, step, objective = np.zeros(3), np.array([0.1, 0.2, 0.3]), np.full(3, 50.0)
    assert diagnose(w, objective + 1.0, step, objective, 4).kind == "other"


def made(**counts):
    of = {"size": Diagnosis("step size", 0.5), "right": Diagnosis("right"), "roughly": Diagnosis("roughly right")}
    of |= {"slip": Diagnosis("slip"), "format": Diagnosis("format"), "copied": Diagnosis("copied w")}
    return [of[name] for name, count in counts.items() for _ in range(count)]


def test_a_tally_is_in_the_order_of_the_kinds():
    assert list(tally(made(format=1, slip=2, right=3)).items()) == [("right", 3), ("slip", 2), ("format", 1)]


def test_counts_are_told_with_the_step_size():
    assert told(made(right=2, size=3)) == "right 2, step size (0.5 times) 3"
    assert np.isnan(middle_factor(made(right=1)))


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"right": 12}, "takes the gradient step"),
        ({"roughly": 7, "right": 5}, "takes the gradient step, roughly"),
        ({"right": 9, "slip": 1}, "takes the gradient step 9 times in 10, else slips in one coordinate"),
        ({"size": 12}, "takes another step size, 0.5 times the one asked for"),
        ({"size": 5, "right": 5}, "takes another step size, 0.5 times the one asked for"),
        ({"right": 6, "copied": 3, "slip": 3}, "takes the gradient step 6 times in 12, else copies w"),
        ({"format": 7, "copied": 5}, "gives no usable reply"),
    ],
)
def test_an_agent_is_named_in_a_sentence(counts, says):
    assert verdict(made(**counts)) == says


def test_of_no_reply_there_is_nothing_to_name():
    with pytest.raises(ValueError, match="no reply was given"):
        verdict([])


def test_every_kind_has_its_words():
    assert TOLD.keys() == set(KINDS)
