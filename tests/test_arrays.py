import re
import subprocess
import sys

import numpy as np
import pytest
import torch

import a2a
from a2a import arrays


@pytest.mark.parametrize("value", [[1, 2], np.array([True, False]), torch.tensor([1, 2]), np.arange(2, dtype="u1")])
def test_integers_become_float64(value):
    assert str(arrays.floating("x", value).dtype).endswith("float64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_keep_their_dtype(lib, dtype):
    assert arrays.floating("x", lib(np.ones(2, dtype))).dtype == lib(np.ones(1, dtype)).dtype


@pytest.mark.parametrize("value", ["0.3", None, 1j, [[1], [1, 2]], object()])
def test_what_is_not_a_real_number_is_refused(value):
    with pytest.raises(ValueError, match="x must hold real numbers, got"):
        arrays.floating("x", value)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(lib, bad):
    with pytest.raises(ValueError, match=r"x must be finite, got NaN or infinity in an array of shape \(2,\)"):
        arrays.floating("x", lib([1.0, bad]))


def test_a_list_of_tensors_that_require_gradients_is_refused():
    with pytest.raises(ValueError, match="x must hold real numbers"):
        arrays.floating("x", [torch.ones(2, requires_grad=True), torch.ones(2)])


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (0, 3)])
def test_a_vector_needs_a_dimension(lib, shape):
    with pytest.raises(ValueError, match=r"w must have shape \(\.\.\., d\) with no dimension of 0, got"):
        arrays.vector("w", lib(np.ones(shape)))


def test_a_vector_of_another_length_is_refused(lib):
    with pytest.raises(ValueError, match=r"w must have shape \(\.\.\., 3\), got \(4, 2\)"):
        arrays.vector("w", lib(np.ones((4, 2))), 3)


@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (0, 0), (0, 2, 2)])
def test_a_matrix_must_be_square(lib, shape):
    with pytest.raises(ValueError, match=r"M must have shape \(\.\.\., d, d\) with no dimension of 0, got"):
        arrays.square("M", lib(np.ones(shape)))


def test_an_asymmetric_matrix_is_refused_with_its_asymmetry(lib):
    with pytest.raises(ValueError, match=r"S must be symmetric, .* by up to 0\.25"):
        arrays.symmetric("S", lib([[1.0, 0.25], [0.0, 1.0]]))


def test_rounding_is_not_asymmetry(lib):
    assert arrays.symmetric("S", lib([[1.0, 0.3], [0.3 + 1e-16, 1.0]])).shape == (2, 2)


def test_a_covariance_with_a_negative_eigenvalue_is_refused(lib):
    with pytest.raises(ValueError, match=r"C must be positive semi-definite, got an eigenvalue of -2"):
        arrays.covariance("C", lib([[1.0, 0.0], [0.0, -2.0]]))


@pytest.mark.parametrize("eta", [0, -0.1, [0.1, 0.0], np.array(-1.0)])
def test_a_step_size_is_positive(eta):
    with pytest.raises(ValueError, match="eta must be a positive step size, got"):
        arrays.step_size("eta", eta)


def test_a_step_size_of_no_dimension_is_a_float(lib):
    assert type(arrays.step_size("eta", lib(0.3))) is float


def test_a_batch_of_step_sizes_takes_the_kind_of_the_other_array():
    assert arrays.step_size("eta", [0.1, 0.2], like=torch.ones(2)).dtype == torch.float32


@pytest.mark.parametrize("value", [0, -1, 2.0, True, "3", None, np.nan])
def test_a_count_is_a_whole_number_of_at_least_1(value):
    with pytest.raises(ValueError, match="n must be a whole number of at least 1, got"):
        arrays.positive_int("n", value)


def test_a_count_may_be_numpys():
    assert arrays.positive_int("n", np.int64(3)) == 3


@pytest.mark.parametrize("value", [0, -1.0, [0.1, 0.2]])
def test_one_positive_number(value):
    with pytest.raises(ValueError, match="damping must be one positive number, got"):
        arrays.positive_float("damping", value)


@pytest.mark.parametrize("value", [-0.1, [0.1, 0.2]])
def test_a_standard_deviation_is_not_negative(value):
    with pytest.raises(ValueError, match="noise must be a standard deviation >= 0, got"):
        arrays.standard_deviation("noise", value)


def test_two_libraries_are_refused_by_name():
    with pytest.raises(ValueError, match="all arrays must come from one library, but S is torch, theta is numpy"):
        arrays.namespace(S=torch.ones(2), theta=np.ones(2))


def test_two_precisions_of_torch_are_refused_by_name():
    with pytest.raises(ValueError, match=r"must have one dtype and device, but S is torch\.float32 on cpu, w is"):
        arrays.namespace(S=torch.ones(2), w=torch.ones(2, dtype=torch.float64))


def test_batches_that_do_not_broadcast_are_refused_by_name():
    with pytest.raises(ValueError, match=r"batch dimensions must broadcast, but X has \(2,\), y has \(3,\)"):
        arrays.batch_shape(X=(2,), y=(3,))


def test_standard_normal_needs_a_generator():
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator, got 0"):
        arrays.standard_normal(0, (2,), like=np.ones(1))


def test_standard_normal_is_of_the_kind_of_like(lib, rng):
    like = lib(np.ones(1, "float32"))
    drawn = arrays.standard_normal(rng, (2, 3), like=like)
    assert (type(drawn), drawn.dtype, tuple(drawn.shape)) == (type(like), like.dtype, (2, 3))


@pytest.mark.parametrize("dtype", ["float16", "longdouble"])
def test_only_two_precisions_are_taken(dtype):
    with pytest.raises(ValueError, match="x must be of type float32 or float64, got float"):
        arrays.floating("x", np.ones(2, dtype))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            torch.ones(2, dtype=torch.bfloat16),
            "x must be of type float32 or float64, got torch.bfloat16",
        ),
        (torch.ones(2, device="meta"), "x must be a plain tensor, got one without data"),
        (torch.eye(2).to_sparse(), "x must be a plain tensor, got a sparse one"),
        (np.ma.array([1.0, 2.0], mask=[False, True]), "x must be a plain array, got a masked one"),
    ],
)
def test_what_holds_only_some_of_its_numbers_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        arrays.floating("x", value)


def test_a_message_stays_short():
    with pytest.raises(ValueError, match="x must hold real numbers") as caught:
        arrays.floating("x", ["a"] * 100_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("large", [1.0, 1e14, 1e300])
def test_each_matrix_of_a_batch_is_judged_by_its_own_size(lib, large):
    skew, negative = np.array([[1.0, 0.25], [0.0, 1.0]]), np.diag([1.0, -0.5])
    with pytest.raises(ValueError, match=r"S must be symmetric, .* by up to 0\.25"):
        arrays.symmetric("S", lib(np.stack([large * np.eye(2), skew])))
    with pytest.raises(ValueError, match=r"S must be positive semi-definite, got an eigenvalue of -0\.5"):
        arrays.covariance("S", lib(np.stack([large * np.eye(2), negative])))


def test_an_asymmetry_that_overflows_is_one(lib):
    with pytest.raises(ValueError, match="S must be symmetric"):
        arrays.symmetric("S", lib([[0.0, 1.7e308], [-1.7e308, 0.0]]))


def test_a_copy_is_another_memory(lib):
    value = lib([1.0, 2.0])
    other = arrays.copy(value)
    other *= 2
    assert value.tolist() == [1.0, 2.0]


def test_the_theory_is_imported_without_the_libraries_that_take_long():
    code = (
        "import sys, a2a; print({'torch', 'scipy.stats', 'sklearn', 'matplotlib', 'threadpoolctl'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_the_version_is_looked_up_when_asked_for():
    assert re.fullmatch(r"\d+\.\d+.*", a2a.__version__)
    with pytest.raises(AttributeError, match="module 'a2a' has no attribute 'versoin'"):
        _ = a2a.versoin


def test_as_float_takes_tensors_that_require_gradients():
    assert arrays.as_float(torch.tensor(0.5, requires_grad=True)) == 0.5
