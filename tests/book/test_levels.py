"""Levels of errors in words."""

import numpy as np
import pytest

from a2a.book.levels import told


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1.0, 3.0], "2"),
        (0.12345, "0.123"),
        ([1e-12, 3e-17], "within 1e-10"),
        ([0.0, 1.0], "0.5"),
        ([np.nan, 1.0], "not at rest"),
        ([np.inf, 1.0], "not bounded"),
        ([np.inf, np.nan], "not at rest"),
    ],
)
def test_levels_in_words(values, said):
    assert told(values) == said


def test_the_tolerance_is_the_callers():
    assert told([1e-4], tolerance=1e-3) == "within 0.001" and told([1e-4]) == "0.0001"
