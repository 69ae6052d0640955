import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, batches, close, dimensions, fast_agent, seeds

from a2a import AffineMap, GradientAgent, Helper, alternate, newton_target
from a2a.imperfect import (
    Identifying,
    exchange_matrix,
    newton_helper,
    partly_sighted,
    rescaled_exchanges,
    root_loss,
    wrong_hessian,
)


@given(seed=seeds, d=dimensions, batch=batches, share=st.floats(0, 1))
def test_some_directions_are_seen_and_the_others_are_named(seed, d, batch, share):
    rng, rank = np.random.default_rng(seed), round(share * d)
    theta = rng.standard_normal((*batch, d))
    one, unseen = partly_sighted(rng, rank, theta, 0.5)
    assert one.S.shape == (*batch, d, d) and unseen.shape == (*batch, d - rank, d)
    assert close(np.linalg.eigvalsh(one.S), np.broadcast_to([0.0] * (d - rank) + [1.0] * rank, (*batch, d)))
    assert close(unseen @ one.S, np.zeros_like(unseen))
    assert close(unseen @ unseen.mT, np.broadcast_to(np.eye(d - rank), (*batch, d - rank, d - rank)))
    assert (one.theta == theta).all()


@pytest.mark.parametrize("rank", [-1, 4])
def test_no_more_directions_are_seen_than_there_are(rng, rank):
    with pytest.raises(ValueError, match=f"rank must be between 0 and d = 3, got {rank}"):
        partly_sighted(rng, rank, np.zeros(3), 0.5)


@given(seed=seeds, d=dimensions, sigma=st.floats(0.01, 0.95))
def test_a_hessian_is_as_wrong_as_it_should_be(seed, d, sigma):
    rng = np.random.default_rng(seed)
    S = agent(rng, d, batch=(2,)).S
    H = wrong_hessian(rng, S, np.array([sigma, sigma / 2]))
    inverse = np.linalg.inv(np.linalg.cholesky(S))
    relative = inverse @ H @ inverse.mT - np.eye(d)
    assert close(np.linalg.norm(relative, 2, (-2, -1)), [sigma, sigma / 2], 1e-7)
    assert close(H, H.mT)


@given(seed=seeds, d=dimensions)
def test_the_exchange_matrix_is_what_an_exchange_does(lib, seed, d):
    rng = np.random.default_rng(seed)
    main, other, w0 = agent(rng, d, lib), agent(rng, d, lib), rng.standard_normal(d)
    H = lib(wrong_hessian(rng, np.asarray(main.S), 0.5))
    told = alternate(main, newton_helper(other, main, hessian=H), lib(w0), 1).second[0]
    expected = np.asarray(exchange_matrix(main, H)) @ (w0 - np.asarray(main.theta))
    assert close(np.asarray(told - main.theta), expected, 1e-7)


def test_the_loss_at_most_shrinks_as_the_theorem_says(rng):
    main, sigma = fast_agent(rng, 4, batch=(50,)), rng.uniform(0.05, 0.8, 50)
    iteration = exchange_matrix(main, wrong_hessian(rng, main.S, sigma))
    error = rng.standard_normal((50, 4))
    factor = root_loss(main.S, np.matvec(iteration, error)) / root_loss(main.S, error)
    assert (factor <= np.linalg.norm(main.M, 2, (-2, -1)) * sigma / (1 - sigma) * (1 + 1e-9)).all()


def test_the_root_of_the_loss_is_never_of_a_negative_number(lib):
    assert close(root_loss(lib(np.diag([4.0, 1.0])), lib([[1.0, 0.0], [3.0, 4.0]])), [2.0, 52**0.5])
    assert root_loss(lib(-1e-30 * np.eye(1)), lib([1.0])) == 0


def test_exchanges_are_scaled_back_to_length_1(lib):
    main, helper = (AffineMap(lib(factor * np.eye(2)), lib(np.zeros(2))) for factor in (2.0, 1e150))
    read, answers = rescaled_exchanges(main, helper, lib([3.0, 4.0]), 3)
    assert close(read, [[0.6, 0.8]] * 3) and close(answers, 2e150 * np.array([[0.6, 0.8]] * 3))


@given(seed=seeds, d=dimensions, batch=batches)
def test_an_identifying_helper_is_done_at_exchange_d_plus_1(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    main, other = fast_agent(rng, d, lib, batch=batch), fast_agent(rng, d, lib)
    w0 = lib(rng.standard_normal((*batch, d)))
    run = alternate(main, Helper(other, Identifying(w0)), w0, d + 3)
    theta = np.broadcast_to(np.asarray(main.theta), (*batch, d))
    for written in run.second[d:]:
        assert close(written, theta, 1e-7)


def test_it_probes_w0_and_each_unit_vector():
    target = Identifying(np.array([5.0, 7.0]))
    assert [target(np.zeros(2)).tolist() for _ in range(2)] == [[6.0, 7.0], [5.0, 8.0]]


def test_an_unmoved_direction_cannot_be_identified():
    main, w0 = GradientAgent(np.diag([1.0, 0.0]), np.zeros(2), 0.5), np.ones(2)
    with pytest.raises(ValueError, match="no unique fixed point"):
        alternate(main, Identifying(w0), w0, 3)


@pytest.mark.parametrize("damping", [0.3, 1.0])
def test_a_newton_helper_aims_at_the_newton_target(lib, rng, damping):
    main, other, w = agent(rng, 3, lib), agent(rng, 3, lib), lib(rng.standard_normal(3))
    aimed = newton_target(main, w, damping=damping)
    assert close(newton_helper(other, main, damping=damping)(w), np.asarray(aimed), 1e-7)


def test_directions_are_drawn_anew_for_each_agent(rng):
    one, unseen = partly_sighted(rng, 1, np.zeros((400, 2)), 0.5)
    assert close(one.S.mean(axis=0), np.eye(2) / 2, 0.2)  # no direction is preferred
    assert close(abs(unseen).max(axis=-1) ** 2 + abs(unseen).min(axis=-1) ** 2, np.ones((400, 1)))


def test_a_helper_that_sees_nothing_leaves_everything(rng):
    main, w = fast_agent(rng, 3), rng.standard_normal(3)
    seeing_nothing, unseen = partly_sighted(rng, 0, np.zeros(3), 0.5)
    assert close(newton_helper(seeing_nothing, main)(w), w) and unseen.shape == (3, 3)


def test_a_true_hessian_is_a_newton_step(lib, rng):
    main, other, w = agent(rng, 3, lib), agent(rng, 3, lib), lib(rng.standard_normal(3))
    assert close(newton_helper(other, main, hessian=main.S)(w), np.asarray(main.theta), 1e-7)
    assert close(exchange_matrix(main, main.S), np.zeros((3, 3)))


def test_an_error_of_zero_has_no_loss(lib):
    assert close(root_loss(lib(np.eye(3)), lib(np.zeros((2, 3)))), [0.0, 0.0])


@pytest.mark.parametrize("w0", [[np.nan, 1.0], 3.0])
def test_a_start_must_be_a_finite_vector(w0):
    with pytest.raises(ValueError, match="w0 must"):
        Identifying(w0)


def test_what_it_hears_may_change_later():
    target, w = Identifying(np.zeros(1)), np.ones(1)
    target(w)
    w *= 7
    assert close(target.answers[0], [1.0])


def test_an_exchange_corrects_what_the_hessian_sees_and_nothing_else(lib, rng):
    main, other, w0 = agent(rng, 3, lib), agent(rng, 3, lib), rng.standard_normal(3)
    H = lib(np.diag([1.0, 0.5, 0.0]))
    told = alternate(main, newton_helper(other, main, hessian=H), lib(w0), 1).second[0]
    expected = np.asarray(exchange_matrix(main, H)) @ (w0 - np.asarray(main.theta))
    assert close(np.asarray(told - main.theta), expected, 1e-7)


def test_a_hessian_too_small_to_be_inverted_is_refused():
    with pytest.raises(ValueError, match="exchange_matrix must stay within the range of its numbers"):
        exchange_matrix(GradientAgent(np.eye(2), np.zeros(2), 0.5), 1e-320 * np.eye(2))


def test_a_hessian_may_be_wrong_about_a_prompt_that_misses_a_direction(rng):
    seen = np.array([[3.0, 1e-17], [1e-17, 0.0]])  # by rounding, its smaller eigenvalue is below 0
    assert close(wrong_hessian(rng, seen, 0.0), np.diag([3.0, 0.0]))
