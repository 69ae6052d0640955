"""One BLAS thread while anyone asks for it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from a2a import linalg, threads


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_threads_that_overlap_leave_the_number_of_blas_threads_as_it_was():
    threads.blas.cache_clear()
    stack = np.stack([np.eye(8)] * 300)
    with threadpool_limits(2, user_api="blas"), ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: linalg.apply("eigh", stack), range(40)))
        assert blas_threads() == {2}
