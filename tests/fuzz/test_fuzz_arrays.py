"""Random kinds, shapes, precisions and sizes of numbers for every array of every public function."""

import warnings

import numpy as np
import pytest
import torch
from calls import CALLS, numbers_of
from fuzzing import fuzzed
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from a2a import IllConditioned

ARGUMENTS = [(name, argument) for name, call in CALLS.items() for argument in call.arrays]
STATISTICS = {"bootstrap", "mean", "from_draws", "random_signs", "holm", "adjusted_p"}
"""In which NaN stands for what is missing, and infinity for no bound."""
INFINITE = {"most_turns", "turns_to_share", "label_noise_error", "visible_errors", "at_rest", "root_mean_square"} | {
    "identify",
    "identify symmetric",
    "share_lost",
    "doublings_to_rest",
    *("AffineMap()", "GradientAgent()", "RedrawingAgent()", "RedrawingAgent", "LinearSelfAttention()", "LSAAgent()"),
}
"""Whose documented answers may be infinite or unknown."""

FOUND = [
    ("dead_zone", "stride", [1e-320, 1e-321]),
    ("exchange_matrix", "hessian", [[6e-321, -2e-321], [-2e-321, 1.1e-320]]),
    ("label_noise_error", "noise", 3e154),
    ("most_turns", "norms", np.float32(0.0)),
    ("random_covariance", "spectrum", [1.1e308, 2e307]),
    ("redraw_factor", "eta", 5e154),
    ("redrawn_mean_squares", "eta", 5e154),
    ("relative_step_error", "X", [[0.0], [0.0], [0.0]]),
    ("root_loss", "error", [4e154, -7e154]),
    ("root_mean_square", "errors", [[1e308, 2e307], [-4e307, 9e307], [3e307, 1.3e308]]),
    ("root_mean_square", "errors", torch.zeros(0, 0)),
    ("sample_prompt", "covariance", [[1.7e308, 5.1e307], [5.1e307, 1.36e308]]),
    ("sample_prompt", "noise", 1.7e308),
    ("spectral_radius", "M", [[1.7e308, 5.1e307], [5.1e307, 1.36e308]]),
    ("turns_to_share", "M", [[5e7, 1.5e7], [1.5e7, 4e7]]),
    ("turns_to_share", "M", [[5e15, 1.5e15], [1.5e15, 4e15]]),
    ("turns_to_share", "longest", torch.zeros(2)),
    ("turns_to_share", "longest", 2e51),
    ("turns_to_share", "longest", 1.7e308),
    ("wrong_hessian", "S", [[1e308, 3e307], [3e307, 8e307]]),
    ("wrong_hessian", "S", [[0.0, 1.5e76], [1.5e76, 8e306]]),
]
"""Of what raised errors or warnings of its own, or never ended, the values that showed it."""

sizes = st.sampled_from([1e-320, 1e-300, 1e-200, 1e-155, 1e-20, 1.0, 1e8, 1e17, 1e155, 1e200, 1e300, 1.7e308])


@st.composite
def scaled(draw, value):
    """The valid numbers, each times a power of any size: all alike, or each its own."""
    factor = draw(st.one_of(sizes, hnp.arrays(float, np.shape(value), elements=sizes)))
    with np.errstate(over="ignore"):
        return np.clip(value * np.asarray(factor), -1.7e308, 1.7e308)


@st.composite
def anything(draw):
    """An array of any shape and type, of one of the libraries, or what is none."""
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
    dtype = draw(st.sampled_from(["f8", "f4", "f2", "i1", "u8", "?", "c16", "O", "U3", "M8[s]", ">f8", "longdouble"]))
    array = np.full(shape, draw(st.sampled_from([0, 1])) if dtype != "M8[s]" else "2020", dtype)
    as_tensor = dtype in ("f8", "f4", "f2", "i1", "?", "c16")
    made = draw(st.sampled_from([lambda a: a, lambda a: a.tolist(), np.ma.array, *([torch.tensor] * as_tensor)]))
    return made(array)


def call(name, argument, value):
    """The numbers of a result, or None if it is refused as it should be."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IllConditioned)
        try:
            return numbers_of(CALLS[name](**{argument: value}))
        except ValueError as error:
            assert len(str(error)) < 300 and "\n" not in str(error), str(error)
            return None


@pytest.mark.usefixtures("untyped")
@fuzzed(150)
@given(data=st.data(), which=st.sampled_from(ARGUMENTS))
def test_no_array_brings_a_raw_error(data, which):
    call(*which, data.draw(anything()))


@pytest.mark.usefixtures("untyped")
@fuzzed(150)
@given(data=st.data(), which=st.sampled_from(ARGUMENTS))
def test_numbers_of_any_size_give_finite_answers(data, which):
    name, argument = which
    in_range(name, argument, data.draw(scaled(CALLS[name].arguments[argument])))


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize(("name", "argument", "value"), FOUND)
def test_what_was_found_stays_mended(name, argument, value):
    in_range(name, argument, np.array(value) if isinstance(value, list) else value)


def in_range(name, argument, value):
    found = call(name, argument, value)
    assert found is None or name in STATISTICS | INFINITE or np.isfinite(found).all()
