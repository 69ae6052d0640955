"""Whether a pair settles and how fast, against the eigenvalues of P Q themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instances import agent, batches, close, dimensions, seeds

from a2a import (
    AffineMap,
    GradientAgent,
    UnstableInteraction,
    bias_bound,
    equilibrium,
    random_covariance,
    sample_pair,
)
from a2a.contraction import contraction, contraction_of_ring

tops = st.sampled_from([0.9, 3.0])


def with_eigenvalues(rng, values, lib, batch=()):
    return GradientAgent(lib(random_covariance(rng, values, batch)), lib(np.zeros(len(values))), 1.0)


def moduli(first, second):
    return np.abs(np.linalg.eigvals(np.asarray(first.M) @ np.asarray(second.M))).max(axis=-1)


@given(seed=seeds, d=dimensions, batch=batches, largest=st.tuples(tops, tops))
def test_the_rate_is_the_largest_modulus_by_every_road(lib, seed, d, batch, largest):
    rng = np.random.default_rng(seed)
    pair = [with_eigenvalues(rng, rng.uniform(0.01, one, d), lib, batch) for one in largest]
    turn = contraction(*pair)
    assert close(turn.rate, moduli(*pair), 1e-8)
    clear = np.abs(moduli(*pair) - 1) > 1e-6
    assert np.all((np.asarray(turn.settles) == (moduli(*pair) < 1)) | ~clear)


@pytest.mark.parametrize("values", [(0.5, 3.0), (3.0, 0.5), (0.5, 1.5), (3.0, 3.0)])
def test_one_batch_may_hold_pairs_for_every_road(lib, rng, values):
    first = GradientAgent(lib(random_covariance(rng, [0.2, 1.0], (2,))), lib([0.0, 0.0]), list(values))
    second = with_eigenvalues(rng, [0.3, 1.7], lib)
    assert close(contraction(first, second).rate, moduli(first, second), 1e-12)


@settings(max_examples=8)
@given(seed=seeds, d=dimensions)
def test_stable_alone_settles_at_any_step(lib, seed, d):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d, lib), agent(rng, d, lib, n=max(1, d - 1))  # which misses a direction
    for shrunk in 10.0 ** rng.uniform(-200, 0, 3):
        slow = GradientAgent(first.S, first.theta, shrunk * first.eta)
        turns = [contraction(*pair) for pair in [(slow, second), (second, slow), (slow, first)]]
        assert all(turn.settles and not np.asarray(turn.unseen).any() for turn in turns)


@given(seed=seeds, d=st.integers(2, 6))
def test_a_complex_rate_is_found(lib, seed, d):
    pair = sample_pair(np.random.default_rng(seed), d, d, 0.9, 0.9)
    first, second = (GradientAgent(lib(one.S), lib(one.theta), 0.9) for one in pair)
    assert close(contraction(first, second).rate, moduli(first, second), 1e-7)


@given(seed=seeds, d=st.integers(2, 5), power=st.integers(-14, 0))
def test_unseen_directions_are_left_out_at_any_step(lib, seed, d, power):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((2, 20, d))
    X[..., -1] = 0.0
    Q, _ = np.linalg.qr(rng.standard_normal((d, d)))
    S = Q @ (X.mT @ X / 20) @ Q.T
    S = (S + S.mT) / 2
    first, second = (GradientAgent(lib(S[i]), lib(np.zeros(d)), 0.3 * 10.0**power) for i in range(2))
    turn = contraction(first, second)
    assert close(turn.unseen, np.outer(Q[:, -1], Q[:, -1]), 1e-7) and turn.settles
    seen = Q[:, :-1]
    restricted = seen.T @ np.asarray(first.M) @ seen @ seen.T @ np.asarray(second.M) @ seen
    assert turn.rate == pytest.approx(np.abs(np.linalg.eigvals(restricted)).max(), abs=1e-12)


def test_an_indefinite_prompt_is_followed_uphill(lib):
    first = GradientAgent(lib(np.diag([1.0, -0.5])), lib([0.0, 0.0]), 0.5)
    still = GradientAgent(lib(np.diag([1.0, 0.0])), lib([0.0, 0.0]), 0.5)
    turn = contraction(first, still)
    assert not turn.settles and turn.rate == pytest.approx(1.25) and not np.asarray(turn.unseen).any()


def test_opposite_curvatures_hide_no_direction(lib):
    one, two = (GradientAgent(lib(np.diag([1.0, s])), lib([0.0, 0.0]), 0.5) for s in (1.0, -1.0))
    turn = contraction(one, two)
    assert not np.asarray(turn.unseen).any() and turn.settles and turn.rate == pytest.approx(0.75)


def test_a_rate_of_one_does_not_settle(lib, rng):
    for values in ([2.0, 0.5], [2.0, 2.0]):
        first, blind = with_eigenvalues(rng, values, lib), GradientAgent(lib(np.zeros((2, 2))), lib([0.0, 0.0]), 1.0)
        assert not contraction(first, blind).settles and not contraction(first, first).settles


def test_a_ring_of_small_steps_settles(lib):
    ring = [GradientAgent(lib(np.diag([1.0, 2.0])), lib([0.0, 0.0]), 1e-14) for _ in range(3)]
    assert contraction_of_ring(ring).settles
    assert not contraction_of_ring([AffineMap(one.M, one.c) for one in ring]).settles  # these have lost the digits


class Spring(AffineMap):
    """A user's own map with a symmetric step."""

    symmetric = True

    def __init__(self, stiffness):
        super().__init__(np.eye(len(stiffness)) - stiffness, np.zeros(len(stiffness)))
        self.step = stiffness


@pytest.mark.parametrize("size", [1.0, 1e-14])
def test_a_users_own_symmetric_map_is_told_from_its_step(rng, size):
    first, second = (Spring(size * random_covariance(rng, [0.1, 0.5, 1.0])) for _ in range(2))
    same = [GradientAgent(one.step, np.zeros(3), 1.0) for one in (first, second)]
    turn, known = contraction(first, second), contraction(*same)
    assert turn.settles and turn.rate == known.rate and contraction_of_ring([first, second, first]).settles
    assert equilibrium(first, second).rate == known.rate and bias_bound(first, second) == 0.0


def test_a_users_own_symmetric_map_that_misses_a_direction_asks_for_the_start():
    blind = Spring(np.diag([0.5, 0.0]))
    blind.objective = lambda: np.zeros(2)
    with pytest.raises(UnstableInteraction, match="pass w0"):
        equilibrium(blind, blind)
    assert equilibrium(blind, blind, np.array([3.0, 4.0])).first.tolist() == [0.0, 4.0]
