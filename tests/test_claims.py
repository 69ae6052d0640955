import numpy as np
import pytest

from a2a.claims import METADATA, Claim, claim, collect, magnitude
from a2a.execute import execute


def stated(**options):
    return claim("A4", "bias", **{"predicted": 1.0, "measured": 1.0, "tolerance": 0.1, **options})


def test_within_the_tolerance_it_holds():
    assert stated(measured=1.05).holds and stated(measured=1.05).verdict == "holds"


def test_beyond_the_tolerance_it_fails():
    assert not stated(measured=1.15).holds and stated(measured=1.15).verdict == "failed"


def test_no_tolerance_wants_equality():
    assert stated(tolerance=0.0).holds and not stated(measured=1.0000001, tolerance=0.0).holds


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, [1.0, np.nan]])
def test_what_is_not_a_number_fails(bad):
    assert not stated(measured=bad).holds and not stated(predicted=bad).holds


def test_infinity_is_not_compared_with_infinity():
    assert not stated(predicted=np.inf, measured=np.inf).holds


def test_one_bad_entry_fails_the_claim_and_is_the_one_shown():
    one = stated(predicted=[1.0, 2.0, 3.0], measured=[1.0, 2.5, 3.05])
    assert (one.holds, one.predicted, one.measured) == (False, "2.00", "2.50")


def test_predicted_and_measured_broadcast():
    assert stated(predicted=1.0, measured=np.ones((3, 2))).holds


@pytest.mark.parametrize(
    ("value", "tolerance", "text"),
    [
        (0.123456, 0.01, "0.123"),
        (12.0, 10.0, "12"),
        (3.0, 100.0, "< 1e+01"),
        (1e-12, 1e-8, "< 1e-09"),
        (0.123456789, 1e-8, "0.123457"),
        (0.0, 1e-8, "0"),
        (0.5, 0.0, "0.5"),
        (np.nan, 0.1, "nan"),
    ],
)
def test_numbers_have_the_digits_that_the_tolerance_can_tell_apart(value, tolerance, text):
    assert stated(measured=value, tolerance=tolerance).measured == text


@pytest.mark.parametrize("tolerance", [-0.1, np.nan, np.inf])
def test_a_tolerance_is_a_finite_number(tolerance):
    with pytest.raises(ValueError, match="tolerance must be a finite number >= 0, got"):
        stated(tolerance=tolerance)


@pytest.mark.usefixtures("untyped")
def test_a_tolerance_is_no_text():
    with pytest.raises(ValueError, match=r"tolerance must be a finite number >= 0, got '0\.1'"):
        stated(tolerance="0.1")


def test_a_claim_compares_something():
    with pytest.raises(ValueError, match="claim A4 compares nothing"):
        stated(measured=[])


@pytest.mark.parametrize(
    ("residual", "text"),
    [(0.0, "0"), (3e-15, "< 1e-14"), (-3e-15, "< 1e-14"), ([0, 0.02], "< 1e+00"), (np.nan, "nan"), (np.inf, "inf")],
)
def test_magnitude_is_an_upper_bound_in_powers_of_ten(residual, text):
    assert magnitude(residual) == text


def test_a_claim_displays_its_verdict():
    data, metadata = claim("A<4", "gap & bias", predicted=1, measured=2, tolerance=0.1)._repr_mimebundle_()
    assert data["text/plain"].startswith("A<4 failed: gap & bias; predicted 1.00, measured 2.00")
    assert "A&lt;4 failed." in data["text/html"] and "gap &amp; bias" in data["text/html"]
    assert metadata[METADATA]["holds"] is False


NOTEBOOK = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
size = 2.0  # of the gap

# %%
from a2a.claims import claim

# %%
claim("A4", "first", predicted=size, measured=2.0, tolerance=0.1)

# %%
claim("A6", "second", predicted=size, measured=3.0, tolerance=0.1)
"""


def test_claims_are_collected_from_executed_notebooks(tmp_path):
    source = tmp_path / "02_small.py"
    source.write_text(NOTEBOOK)
    run = execute(source, tmp_path / "out" / "02_small.ipynb")
    assert collect([run]) == [
        ("02_small", Claim("A4", "first", "2.00", "2.00", "0.1", True)),
        ("02_small", Claim("A6", "second", "2.00", "3.00", "0.1", False)),
    ]
