"""The threads of the BLAS library that NumPy uses."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from threading import Lock
from typing import Any


class _OneThread(AbstractContextManager[None]):
    """One BLAS thread while anyone is inside; what was set before returns when the last one has left."""

    def __init__(self) -> None:
        self.lock, self.inside = Lock(), 0
        self.limit: Any = None

    def __enter__(self) -> None:
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.limit = blas().limit(limits=1, user_api="blas")

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.inside -= 1
            if not self.inside:
                self.limit.restore_original_limits()


ONE_BLAS_THREAD = _OneThread()


@cache
def blas() -> Any:
    """Found once: looking through the loaded libraries takes a hundred times as long as limiting them."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
