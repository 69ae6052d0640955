from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2a.loops.spans import spans


@pytest.mark.parametrize(
    ("holds", "turns"),
    [
        ([], []),
        ([0, 0], []),
        ([1, 1, 0, 1], [range(1, 3), range(4, 5)]),
        ([0, 1, 1], [range(2, 4)]),
        ([1, 1], [range(1, 3)]),
    ],
)
def test_stretches_are_counted_from_turn_1(holds, turns):
    assert spans(np.array(holds, dtype=bool)) == turns


@given(st.lists(st.booleans(), max_size=30))
def test_stretches_hold_just_the_turns_and_never_touch(holds):
    found = spans(np.array(holds, dtype=bool))
    assert sorted(turn for one in found for turn in one) == [turn for turn, one in enumerate(holds, start=1) if one]
    assert all(one[-1] + 1 < other[0] for one, other in pairwise(found))
