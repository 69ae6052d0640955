import subprocess
import sys
import types
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from array_api_compat import array_namespace
from threadpoolctl import threadpool_info, threadpool_limits

from a2a import arrays, threads


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


@pytest.mark.parametrize(
    ("matrix", "vector"), [((3, 2), (2,)), ((3, 2), (4, 2)), ((4, 3, 2), (2,)), ((4, 3, 2), (4, 2))]
)
def test_matvec_broadcasts(lib, rng, matrix, vector):
    A, w = rng.standard_normal(matrix), rng.standard_normal(vector)
    assert np.allclose(arrays.matvec(lib(A), lib(w)), np.einsum("...nd,...d->...n", A, w))


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


@pytest.mark.parametrize("size", [1e-320, 1e-300, 1e-150, 1.0, 1e150, 1e300])
def test_a_norm_has_its_digits_at_any_size(lib, size):
    found = np.asarray(arrays.norm(lib([[3 * size, 4 * size], [0.0, 0.0], [1.0, 0.0]])))
    assert found[0] == pytest.approx(5 * size, rel=1e-15, abs=1e-322) and found[1:].tolist() == [0.0, 1.0]


def test_a_norm_of_numbers_in_range_is_left_alone_beside_others(lib, rng):
    v = rng.standard_normal((5, 3))
    assert arrays.norm(lib(np.concatenate([v, np.zeros((1, 3))])))[:5].tolist() == arrays.norm(lib(v)).tolist()


@pytest.mark.parametrize("size", [1e-320, 1e-150, 1e300])
def test_a_direction_has_length_1_at_any_size(lib, size):
    assert np.allclose(arrays.unit(lib([3 * size, 4 * size])), [0.6, 0.8], rtol=1e-2 if size < 1e-307 else 1e-15)


@pytest.mark.parametrize("size", [1e-300, 0.3, 1.0, 5.0, 1e300])
def test_a_power_of_two_changes_no_digits(lib, size):
    unit = arrays.power_of_two(lib(np.array(size)))
    assert 1 <= size / unit < 2 and float(size / unit * unit) == size


def test_numbers_out_of_range_are_a_value_error(lib):
    def square(x):
        return x * x

    with pytest.raises(ValueError, match="square must stay within the range of its numbers, got "):
        arrays.within_range(square)(lib([1e200]))


def test_a_copy_is_another_memory(lib):
    value = lib([1.0, 2.0])
    other = arrays.copy(value)
    other *= 2
    assert value.tolist() == [1.0, 2.0]


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_stacks_of_small_matrices_get_one_thread(monkeypatch):
    seen = []
    threads.blas.cache_clear()  # SciPy may have brought its own BLAS since
    fake = types.SimpleNamespace(eigvalsh=lambda matrix: seen.append(blas_threads()))
    monkeypatch.setattr(array_namespace(np.ones(1)), "linalg", fake)
    with threadpool_limits(2, user_api="blas"):
        for shape in [(3, 2, 2), (2, 2), (3, 300, 300)]:
            arrays.linalg("eigvalsh", np.ones(shape))
        assert seen == [{1}, {2}, {2}] and blas_threads() == {2}


def test_threads_that_overlap_leave_the_number_of_blas_threads_as_it_was():
    threads.blas.cache_clear()
    stack = np.stack([np.eye(8)] * 300)
    with threadpool_limits(2, user_api="blas"), ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: arrays.linalg("eigh", stack), range(40)))
        assert blas_threads() == {2}


def test_the_theory_is_imported_without_the_libraries_that_take_long():
    code = "import sys, a2a; print({'torch', 'scipy.stats', 'sklearn', 'matplotlib'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_as_float_takes_tensors_that_require_gradients():
    assert arrays.as_float(torch.tensor(0.5, requires_grad=True)) == 0.5


def test_large_finite_numbers_are_finite_though_their_sum_is_not(lib):
    assert arrays.vector("w", lib(np.full(4, 1e308))).shape == (4,)


@pytest.mark.parametrize("entries", [[np.inf, -np.inf], [np.nan, 1.0], [-np.inf, 1.0]])
def test_no_entry_that_is_not_finite_gets_through(lib, entries):
    with pytest.raises(ValueError, match="w must be finite"):
        arrays.vector("w", lib(np.array(entries)))
