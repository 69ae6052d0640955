"""Linear algebra over batches, at any size of the numbers."""

import types

import numpy as np
import pytest
from array_api_compat import array_namespace
from threadpoolctl import threadpool_info, threadpool_limits

from a2a import linalg, threads


@pytest.mark.parametrize(
    ("matrix", "vector"), [((3, 2), (2,)), ((3, 2), (4, 2)), ((4, 3, 2), (2,)), ((4, 3, 2), (4, 2))]
)
def test_matvec_broadcasts(lib, rng, matrix, vector):
    A, w = rng.standard_normal(matrix), rng.standard_normal(vector)
    assert np.allclose(linalg.matvec(lib(A), lib(w)), np.einsum("...nd,...d->...n", A, w))


@pytest.mark.parametrize("size", [1e-320, 1e-300, 1e-150, 1.0, 1e150, 1e300])
def test_a_norm_has_its_digits_at_any_size(lib, size):
    found = np.asarray(linalg.norm(lib([[3 * size, 4 * size], [0.0, 0.0], [1.0, 0.0]])))
    assert found[0] == pytest.approx(5 * size, rel=1e-15, abs=1e-322) and found[1:].tolist() == [0.0, 1.0]


def test_a_norm_of_numbers_in_range_is_left_alone_beside_others(lib, rng):
    v = rng.standard_normal((5, 3))
    assert linalg.norm(lib(np.concatenate([v, np.zeros((1, 3))])))[:5].tolist() == linalg.norm(lib(v)).tolist()


@pytest.mark.parametrize("size", [1e-320, 1e-150, 1e300])
def test_a_direction_has_length_1_at_any_size(lib, size):
    assert np.allclose(linalg.unit(lib([3 * size, 4 * size])), [0.6, 0.8], rtol=1e-2 if size < 1e-307 else 1e-15)


@pytest.mark.parametrize("size", [1e-300, 0.3, 1.0, 5.0, 1e300])
def test_a_power_of_two_changes_no_digits(lib, size):
    unit = linalg.power_of_two(lib(np.array(size)))
    assert 1 <= size / unit < 2 and float(size / unit * unit) == size


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_stacks_of_small_matrices_get_one_thread(monkeypatch):
    seen = []
    threads.blas.cache_clear()  # SciPy may have brought its own BLAS since
    fake = types.SimpleNamespace(eigvalsh=lambda matrix: seen.append(blas_threads()))
    monkeypatch.setattr(array_namespace(np.ones(1)), "linalg", fake)
    with threadpool_limits(2, user_api="blas"):
        for shape in [(3, 2, 2), (2, 2), (3, 300, 300)]:
            linalg.apply("eigvalsh", np.ones(shape))
        assert seen == [{1}, {2}, {2}] and blas_threads() == {2}
