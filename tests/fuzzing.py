"""How long a fuzz test tries: a few seconds in every run, A2A_FUZZ times as many examples where that is set."""

import os
from collections.abc import Callable

from hypothesis import HealthCheck, settings

FACTOR = int(os.environ.get("A2A_FUZZ", "1"))


def fuzzed(examples: int) -> Callable:
    """A decorator: so many random examples, the same in every run unless A2A_FUZZ asks for more of them."""
    slow = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]
    return settings(
        max_examples=examples * FACTOR,
        derandomize=FACTOR == 1,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=slow,
    )
