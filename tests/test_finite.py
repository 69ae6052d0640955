"""Numbers in range, and the errors for those that are not."""

import numpy as np
import pytest

from a2a import arrays, finite


def test_numbers_out_of_range_are_a_value_error(lib):
    def square(x):
        return x * x

    with pytest.raises(ValueError, match="square must stay within the range of its numbers, got "):
        finite.within_range(square)(lib([1e200]))


def test_large_finite_numbers_are_finite_though_their_sum_is_not(lib):
    assert arrays.vector("w", lib(np.full(4, 1e308))).shape == (4,)


@pytest.mark.parametrize("entries", [[np.inf, -np.inf], [np.nan, 1.0], [-np.inf, 1.0]])
def test_no_entry_that_is_not_finite_gets_through(lib, entries):
    with pytest.raises(ValueError, match="w must be finite"):
        arrays.vector("w", lib(np.array(entries)))
