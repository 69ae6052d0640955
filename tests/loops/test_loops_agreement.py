import numpy as np
import pytest

from a2a.loops import agreement

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
    assert agreement.best_threshold(score, np.ones(5, dtype=bool)) == 0.1  # no kappa is defined: the lowest


def test_halves_share_the_loops(rng):
    true = np.arange(31) < 11
    one, other = agreement.halves(true, rng)
    assert sorted([*one, *other]) == list(range(31))
    assert abs(true[one].sum() - true[other].sum()) == 1
    assert not np.array_equal(one, agreement.halves(true, rng)[0])


def test_no_threshold_without_a_finite_score():
    assert np.isnan(agreement.best_threshold(np.full(6, np.inf), TRUE))


def test_held_out_agreement_of_a_perfect_score(rng):
    true = np.arange(20) < 8
    score = np.where(true, 0.1, 0.9)
    kappas, drawn = agreement.held_out(score, true, rng, splits=5, draws=12)
    assert kappas.tolist() == [1] * 5
    assert drawn.shape == (5, 3)
    assert np.nanmin(drawn) == 1


def test_held_out_agreement_of_noise_is_about_nothing(rng):
    true = rng.random(200) < 0.5
    kappas, _ = agreement.held_out(rng.random(200), true, rng, splits=40, draws=40)
    assert abs(kappas.mean()) < 0.1


def test_other_labels_choose_other_thresholds(rng):
    score, true = np.array([0.1, 0.2, 0.6, 0.7]), np.array([True, True, False, False])
    found = agreement.thresholds_of_other_labels(score, true, rng, 50)
    assert found.shape == (50,)
    assert set(np.round(found, 2)) >= {0.4}
    assert len(set(found)) > 1


def test_thresholds_with_a_share():
    score = np.array([0.1, 0.2, 0.3, 0.4, np.inf])
    assert agreement.thresholds_with_share(score, 0.4, 0.6) == (0.2, 0.3)
    assert np.isnan(agreement.thresholds_with_share(score, 0.85, 0.95)).all()


def test_kappa_and_area_are_those_of_scikit_learn(rng):
    from sklearn.metrics import cohen_kappa_score, roc_auc_score

    true, said = rng.random((2, 20, 40)) < 0.4
    score = np.round(rng.random((20, 40)), 1)  # with ties
    assert agreement.kappa(said, true) == pytest.approx(list(map(cohen_kappa_score, said, true)))
    assert agreement.auc(score, true) == pytest.approx(list(map(roc_auc_score, true, -score)))


def test_each_row_has_its_own_statistic(rng):
    said, true = rng.random((2, 3, 4, 30)) < 0.5
    for statistic in (agreement.precision, agreement.recall, agreement.kappa):
        found = statistic(said, true)
        assert found.shape == (3, 4)
        assert found[2, 1] == statistic(said[2, 1], true[2, 1])


def test_of_thresholds_that_agree_as_well_the_lowest_is_chosen():
    score, true = np.array([0.1, 0.2, 0.3, 0.4]), np.array([True, False, True, False])
    assert agreement.best_threshold(score, true) == pytest.approx(0.15)


def test_the_half_that_judges_chose_nothing(rng):
    """Few labels of noise can be fitted, but not held out."""
    many = [(rng.random(20), rng.permutation(20) < 8) for _ in range(30)]
    fitted = [agreement.kappa(score < agreement.best_threshold(score, true), true) for score, true in many]
    held = [agreement.held_out(score, true, rng, splits=20, draws=20)[0] for score, true in many]
    assert np.mean(fitted) > 0.2
    assert abs(np.nanmean(held)) < 0.05


def test_a_share_of_conversations_lies_between_its_thresholds(rng):
    score = rng.random(50)
    least, largest = agreement.thresholds_with_share(score, 0.3, 0.6)
    assert [np.mean(score <= cut) for cut in (least, largest)] == pytest.approx([0.3, 0.6])


def test_agreement_with_readers_who_differ_is_that_with_all_of_them_together():
    said, one, other = (np.array(list(row)) == "1" for row in ("110010", "110000", "111010"))
    together = agreement.kappa(np.tile(said, 2), np.concatenate([one, other]))
    assert agreement.kappa(said, (one + other.astype(float)) / 2) == pytest.approx(together)


def test_what_readers_differ_on_chooses_no_threshold():
    score, true = np.array([0.1, 0.2, 0.3, 0.6, 0.7]), np.array([1, 1, 0.5, 0, 0])
    assert agreement.best_of_decided(score, true) == pytest.approx(0.4)
    assert agreement.best_of_decided(score, np.full(5, 0.5)) != agreement.best_of_decided(score, true)


def test_thresholds_of_other_groups_judge_each():
    score = np.array([0.1, 0.9, 0.1, 0.9, 5.1, 5.9])
    true = np.array([1, 0, 1, 0, 1, 0])
    assert agreement.left_out(score, true, list("aabbcc")).tolist() == [True, False, True, False, False, False]


def test_a_threshold_of_no_other_group_finds_nothing():
    assert not agreement.left_out(np.array([0.1, 0.9]), np.array([1, 0]), ["a", "a"]).any()


def test_held_out_agreement_counts_half_loops_both_ways(rng):
    true = np.where(np.arange(40) < 20, np.arange(40) < 10, 0.5)
    kappas, _ = agreement.held_out(np.where(true == 1, 0.1, 0.9), true, rng, splits=5, draws=5)
    assert (kappas < 1).all() and (kappas > 0).all()
