from pathlib import Path

import numpy as np
import pytest

from a2a import intervals
from a2a.dialogue import read_conversations
from a2a.loops import agreement, labels

RECORDED = Path(__file__).parents[2] / "conversations"

TRUE = np.array([True, True, True, True, False, False])
SAID = np.array([True, True, True, False, True, False])


def test_precision_recall_kappa_by_hand():
    assert agreement.precision(SAID, TRUE) == 3 / 4
    assert agreement.recall(SAID, TRUE) == 3 / 4
    # 4 of 6 agree; by chance 2/3 * 2/3 + 1/3 * 1/3 = 5/9
    assert agreement.kappa(SAID, TRUE) == pytest.approx((4 / 6 - 5 / 9) / (1 - 5 / 9))


def test_perfect_and_opposite():
    half = np.array([True, False])
    assert agreement.kappa(half, half) == 1
    assert agreement.kappa(half, ~half) == -1


def test_undefined_is_nan():
    none = np.zeros(6, dtype=bool)
    assert np.isnan(agreement.precision(none, TRUE))
    assert np.isnan(agreement.recall(SAID, none))
    assert np.isnan(agreement.kappa(none, none))


def test_wilson_by_hand():
    # 35 of 50: (0.7 + 1.96^2/100) / (1 + 1.96^2/50) +- ...
    assert intervals.wilson(35, 50) == pytest.approx((0.5625, 0.8090), abs=1e-4)
    assert intervals.wilson(0, 10)[0] == 0
    assert intervals.wilson(10, 10)[1] == pytest.approx(1)
    with pytest.raises(ValueError, match="n > 0"):
        intervals.wilson(0, 0)


def test_roc_and_area_by_hand():
    score = np.array([0.1, 0.2, 0.4, 0.3, 0.5, np.inf])
    true = np.array([True, True, True, False, False, False])
    false_rate, true_rate, thresholds = agreement.roc(score, true)
    assert false_rate == pytest.approx([0, 0, 0, 1 / 3, 1 / 3, 2 / 3, 1])
    assert true_rate == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 1, 1, 1])
    assert thresholds[[0, -1]].tolist() == [-np.inf, np.inf]
    assert agreement.auc(score, true) == pytest.approx(8 / 9)
    assert np.trapezoid(true_rate, false_rate) == pytest.approx(8 / 9)


def test_ties_count_half():
    assert agreement.auc(np.zeros(4), np.array([True, True, False, False])) == 0.5


def test_best_threshold_lies_in_the_gap():
    score = np.array([0.1, 0.2, 0.6, 0.7, np.inf])
    true = np.array([True, True, False, False, False])
    assert agreement.best_threshold(score, true) == pytest.approx(0.4)
    assert agreement.best_threshold(score[:4], ~np.zeros(4, dtype=bool)) is not None


def test_bootstrap_covers_a_share(rng):
    """An interval of 95% holds the truth in about 95% of samples."""
    held = 0
    for _ in range(300):
        said = rng.random(100) < 0.6
        low, high = intervals.bootstrap(lambda s, t: s.mean(-1), said, said, rng, draws=300)
        held += low <= 0.6 <= high
    assert 0.9 < held / 300 <= 1


def test_bootstrap_of_what_is_never_defined(rng):
    none = np.zeros(6, dtype=bool)
    assert np.isnan(intervals.bootstrap(agreement.recall, none, none, rng)).all()


HEADER = "study,conversation,loops,onset,end,sure,reader\n"


def test_labels(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text(f"{HEADER}main,news-01,yes,7,9,yes,first\nmain,news-02,no,,,no,first\n")
    first, second = labels.load_labels(file)
    assert (first.loops, first.onset, first.end, first.sure) == (True, 7, 9, True)
    assert (second.loops, second.onset, second.end, second.sure) == (False, None, None, False)


@pytest.mark.parametrize("row", ["maybe,,,yes", "yes,,,yes", "no,3,4,yes", "yes,4,3,yes", "yes,3,,yes", "no,,,"])
def test_labels_that_contradict_themselves(tmp_path, row):
    (tmp_path / "labels.csv").write_text(f"{HEADER}main,news-01,{row},first\n")
    with pytest.raises(ValueError, match="yes with an onset"):
        labels.load_labels(tmp_path / "labels.csv")


def test_the_labels_of_the_recorded_conversations():
    """Each label belongs to a recorded conversation, and no reader labelled one twice."""
    read = labels.load_labels(RECORDED / "labels.csv")
    assert len({(label.study, label.conversation, label.reader) for label in read}) == len(read) >= 60
    for study in {label.study for label in read}:
        told = read_conversations(RECORDED / f"{study}.jsonl")
        assert {label.conversation for label in read if label.study == study} <= set(told.ids)
        assert max(label.end or 0 for label in read if label.study == study) <= told.study["turns"]


def test_halves_share_the_loops(rng):
    true = np.arange(31) < 11
    one, other = agreement.halves(true, rng)
    assert sorted([*one, *other]) == list(range(31))
    assert abs(true[one].sum() - true[other].sum()) == 1
    assert not np.array_equal(one, agreement.halves(true, rng)[0])


def test_mean_interval_leaves_out_what_is_missing(rng):
    values = np.append(rng.normal(3, 1, 400), np.nan)
    mean, low, high = intervals.mean_interval(values, rng)
    error = np.nanstd(values) / 20
    assert mean == pytest.approx(np.nanmean(values))
    assert (mean - low, high - mean) == pytest.approx((1.96 * error, 1.96 * error), rel=0.15)


def test_random_signs_by_hand(rng):
    # of the eight signings of (1, 2, 3) two have a mean as far from 0
    assert intervals.random_signs(np.array([1.0, 2.0, 3.0, np.nan]), rng, 100) == pytest.approx(2 / 8)
    assert intervals.random_signs(np.zeros(5), rng, 100) == 1
    assert intervals.random_signs(np.full(3, np.nan), rng, 100) == 1


def test_random_signs_of_a_change_that_is_there(rng):
    assert intervals.random_signs(rng.normal(1, 1, 30), rng, 500) < 0.01


def test_no_threshold_without_a_finite_score():
    assert np.isnan(agreement.best_threshold(np.full(6, np.inf), TRUE))
