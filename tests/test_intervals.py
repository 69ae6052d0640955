import numpy as np
import pytest

from a2a.intervals import Estimate, from_draws, holm, mean, samples_until, share


def test_a_share_has_wilsons_interval():
    low, high = share(35, 50).interval(0.95)
    assert (round(low, 3), round(high, 3)) == (0.562, 0.809)


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


def test_draws_without_a_number_are_refused():
    with pytest.raises(ValueError, match="got none among 3"):
        from_draws(0.0, np.full(3, np.nan), n=3)


def test_a_mean_covers_the_truth_about_as_often_as_it_says(rng):
    inside = 0
    for _ in range(200):
        low, high = mean(rng.normal(1.0, 2.0, 60), rng, 400).interval(0.9)
        inside += low <= 1.0 <= high
    assert 165 <= inside <= 192


def test_a_mean_leaves_out_what_is_no_number(rng):
    assert mean(np.array([1.0, np.nan, 3.0]), rng, 10).n == 2
    with pytest.raises(ValueError, match="two numbers at least, got 1"):
        mean(np.array([1.0, np.nan]), rng, 10)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_the_needed_number_of_samples_is_found():
    assert samples_until(lambda n: n >= 73, 50) == 73
    assert samples_until(lambda n: n >= 5000, 50) == pytest.approx(5000, rel=0.02)
    assert samples_until(lambda n: False, 50) is None


def test_an_estimate_reads_well():
    assert str(Estimate(0.5, lambda level, n: (0.25, 0.75), 10)) == "0.50 (0.25 to 0.75)"
