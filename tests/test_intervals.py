import subprocess
import sys

import numpy as np
import pytest

from a2a.intervals import (
    Estimate,
    bootstrap,
    difference_of_shares,
    from_draws,
    mean,
    samples_until,
    share,
    unknown,
)
from a2a.loops.agreement import recall


def test_a_share_has_wilsons_interval():
    # 35 of 50: (0.7 + 1.96^2/100) / (1 + 1.96^2/50) +- ...
    assert share(35, 50).interval(0.95) == pytest.approx((0.5625, 0.8090), abs=1e-4)
    assert share(0, 10).interval()[0] == 0
    assert share(10, 10).interval()[1] == pytest.approx(1)


def test_more_samples_like_these_narrow_the_interval():
    few, many = share(7, 10).interval(), share(7, 10).interval(n=1000)
    assert few[0] < many[0] < 0.7 < many[1] < few[1]


@pytest.mark.parametrize(("count", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_a_share_is_of_something(count, n):
    with pytest.raises(ValueError, match=f"got {count} of {n}"):
        share(count, n)


def test_draws_give_percentiles_and_more_samples_narrow_them_by_the_root():
    estimate = from_draws(2.0, np.linspace(0, 4, 1001), n=25)
    assert estimate.interval(0.9) == pytest.approx((0.2, 3.8))
    assert estimate.interval(0.9, n=100) == pytest.approx((1.1, 2.9))


def test_draws_may_have_any_shape():
    draws = np.linspace(0, 4, 1000)
    assert from_draws(2.0, draws.reshape(10, 100), n=25).interval() == from_draws(2.0, draws, n=25).interval()


def test_draws_without_a_number_are_refused():
    with pytest.raises(ValueError, match="got none among 3"):
        from_draws(0.0, np.full(3, np.nan), n=3)


def test_a_mean_covers_the_truth_about_as_often_as_it_says(rng):
    inside = 0
    for _ in range(200):
        low, high = mean(rng.normal(1.0, 2.0, 60), rng, 400).interval(0.9)
        inside += low <= 1.0 <= high
    assert 165 <= inside <= 192


def test_a_mean_has_about_the_interval_of_its_standard_error(rng):
    values = np.append(rng.normal(3, 1, 400), np.nan)
    estimate, error = mean(values, rng, 2000), np.nanstd(values) / 20
    low, high = estimate.interval()
    assert estimate.value == pytest.approx(np.nanmean(values))
    assert (estimate.value - low, high - estimate.value) == pytest.approx((1.96 * error, 1.96 * error), rel=0.15)


def test_a_mean_leaves_out_what_is_no_number(rng):
    assert mean(np.array([1.0, np.nan, 3.0]), rng, 10).n == 2


def test_a_mean_of_fewer_than_two_is_unknown(rng):
    estimate = mean(np.array([1.0, np.nan]), rng, 10)
    assert not estimate.is_known and str(estimate) == "unknown"
    assert np.isnan(estimate.interval()).all()


def test_a_bootstrap_covers_a_share_about_as_often_as_it_says(rng):
    held = 0
    for _ in range(300):
        said = rng.random(100) < 0.6
        low, high = bootstrap(lambda s: s.mean(-1), said, rng=rng, draws=300).interval()
        held += low <= 0.6 <= high
    assert 0.9 < held / 300 <= 1


def test_rows_are_drawn_together(rng):
    values = rng.random(50)
    same = bootstrap(lambda one, two: (one - two).max(-1), values, values, rng=rng, draws=20)
    assert (same.value, same.interval()) == (0.0, (0.0, 0.0))


def test_a_bootstrap_of_what_is_never_defined(rng):
    none = np.zeros(6, dtype=bool)
    assert not bootstrap(recall, none, none, rng=rng, draws=100).is_known


def test_a_difference_of_shares_covers_the_truth(rng):
    inside = 0
    for _ in range(200):
        ours, other = (int(rng.binomial(50, share)) for share in (0.4, 0.7))
        low, high = difference_of_shares((ours, 50), (other, 50), rng, 400).interval(0.9)
        inside += low <= -0.3 <= high
    assert 165 <= inside <= 195


def test_an_estimate_through_a_function(rng):
    logs = mean(rng.normal(0, 1, 50), rng, 200)
    factor = logs.through(np.exp)
    assert factor.value == pytest.approx(np.exp(logs.value))
    assert factor.interval(0.9, n=80) == pytest.approx(np.exp(logs.interval(0.9, n=80)))


def test_an_interval_to_one_side(rng):
    estimate = Estimate(0.5, lambda level, n: (0.25, 0.75) if level > 0.9 else (0.3, 0.7), 10)
    assert estimate.excludes(0) and estimate.excludes(1) and not estimate.excludes(0.3)
    assert estimate.excludes(0.28, 0.9) and not unknown().excludes(0)


def test_the_needed_number_of_samples_is_found():
    assert samples_until(lambda n: n >= 73, 50) == 73
    assert samples_until(lambda n: n >= 5000, 50) == pytest.approx(5000, rel=0.02)
    assert samples_until(lambda n: False, 50) is None
    assert samples_until(lambda n: False, 0) is None


def test_an_estimate_reads_well():
    estimate = Estimate(0.5, lambda level, n: (0.25, 0.75), 10)
    assert str(estimate) == "0.50 (0.25 to 0.75)"
    assert estimate.shown("+.1f") == "+0.5 (+0.2 to +0.8)"
    assert unknown().shown("+.1f") == "unknown"


def test_scipy_is_only_loaded_for_what_needs_it():
    program = "import sys, a2a.intervals; sys.exit('scipy' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.filterwarnings("error")
def test_a_bootstrap_of_no_sample_is_unknown(rng):
    none = bootstrap(lambda values: values.mean(-1), np.empty(0), rng=rng, draws=10, unit="labels")
    assert (none.is_known, none.unit, str(none)) == (False, "labels", "unknown")


def test_samples_may_be_rows_of_numbers(rng):
    pairs = rng.random((40, 2))
    ahead = bootstrap(lambda two: (two[..., 0] - two[..., 1]).mean(-1), pairs, rng=rng, draws=400)
    assert (ahead.n, ahead.value) == (40, pytest.approx(np.diff(-pairs).mean()))
    apart = mean(-np.diff(pairs)[:, 0], rng, 400)
    assert ahead.interval() == pytest.approx(apart.interval(), abs=0.05)


def test_bootstraps_are_those_of_scipy(rng):
    from scipy import stats

    values = rng.exponential(1, 60)
    ours = mean(values, rng, 5000).interval(0.9)
    settings = {"confidence_level": 0.9, "n_resamples": 5000, "method": "percentile", "rng": rng}
    theirs = stats.bootstrap((values,), np.mean, **settings).confidence_interval
    assert ours == pytest.approx(tuple(theirs), abs=0.03)


def test_shares_that_cannot_be_are_refused():
    for count, n in ((-1, 10), (11, 10), (0, 0)):
        with pytest.raises(ValueError, match=f"got {count} of {n}"):
            share(count, n)


def test_a_wider_level_has_a_wider_interval(rng):
    for estimate in (share(7, 20), mean(rng.random(30), rng, 500)):
        (low, high), (lower, higher) = estimate.interval(0.8), estimate.interval(0.99)
        assert lower < low < estimate.value < high < higher


def test_a_single_number_is_no_row_of_samples(rng, untyped):
    with pytest.raises(ValueError, match="samples must be rows of numbers, got a single number"):
        bootstrap(np.max, np.array(0.0), rng=rng, draws=9)


def test_a_statistic_of_several_numbers_is_refused(rng):
    with pytest.raises(ValueError, match=r"the statistic must give one number for all samples, got shape \(2,\)"):
        bootstrap(lambda rows: rows.max(axis=-1), np.zeros((2, 1)), rng=rng, draws=9)


def test_a_mean_beyond_the_range_of_numbers_is_infinite_and_no_warning(rng):
    found = mean(np.array([1.7e308, 1.7e308, 1.6e308]), rng, 9)
    assert found.value == np.inf and found.is_known


@pytest.mark.parametrize("rows", [[np.zeros((1, 0))], [np.zeros(3), np.zeros(2)]])
def test_rows_that_cannot_be_drawn_together_are_refused(rng, rows):
    with pytest.raises(ValueError, match="samples must be rows of as many numbers each, got shapes"):
        bootstrap(lambda *drawn: drawn[0].mean(axis=-1), *rows, rng=rng, draws=9)


def test_samples_of_one_group_are_drawn_together():
    """Four copies of each sample say no more than one of each."""
    once = np.random.default_rng(3).normal(size=30)
    copies, groups = np.repeat(once, 4), np.repeat(np.arange(30), 4)
    options = {"draws": 500, "rng": np.random.default_rng(0)}
    together = bootstrap(lambda x: x.mean(-1), copies, groups=groups.tolist(), **options)
    single = bootstrap(lambda x: x.mean(-1), once, draws=500, rng=np.random.default_rng(0))
    apart = bootstrap(lambda x: x.mean(-1), copies, **options)
    assert together.interval() == pytest.approx(single.interval(), abs=1e-12)
    assert np.ptp(apart.interval()) < 0.6 * np.ptp(together.interval())


def test_groups_of_different_sizes_come_as_a_whole():
    seen = []
    bootstrap(
        lambda x: (seen.append(x.tolist()), x.mean(-1))[1],
        np.array([1.0, 1.0, 1.0, 2.0]),
        groups=["a", "a", "a", "b"],
        draws=50,
        rng=np.random.default_rng(0),
    )
    assert {tuple(sorted(row)) for row in seen} == {(1,) * 6, (1, 1, 1, 2), (2, 2)}


def test_groups_that_are_not_of_all_samples():
    with pytest.raises(ValueError, match="of each of the 3 samples what it belongs to, got 2"):
        bootstrap(np.mean, np.ones(3), groups=["a", "b"], draws=5, rng=np.random.default_rng(0))
