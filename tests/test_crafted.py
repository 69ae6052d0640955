import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, batches, close, dimensions, fast_agent, seeds

from a2a import GradientAgent, alternate, asymmetry, attack_prompt, equilibrium
from a2a.crafted import (
    along,
    attacker_against,
    attackers_by_size,
    blind,
    crossing,
    displacement_spectrum,
    landing,
    never_moved,
    visible_errors,
)
from a2a.imperfect import partly_sighted
from a2a.rest import at_rest


@given(seed=seeds, d=dimensions, batch=batches)
def test_along_keeps_v_and_takes_out_the_rest(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    v = rng.standard_normal((*batch, d))
    onto = np.asarray(along(lib(v)))
    assert close(np.matvec(onto, v), v) and close(onto @ onto, onto)
    assert close(np.trace(onto, axis1=-2, axis2=-1), np.ones(batch))


@given(seed=seeds, d=dimensions, batch=batches)
def test_a_blind_agent_does_not_see_v_and_a_crossing_one_takes_it_off(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    one, v = agent(rng, d, lib, batch=batch), rng.standard_normal((*batch, d))
    assert close(np.matvec(np.asarray(blind(one, lib(v)).S), v), np.zeros_like(v))
    assert close(np.matvec(np.asarray(crossing(one, lib(v)).M), v), np.zeros_like(v))


def test_directions_orthogonal_to_v_stay_as_they_were(lib):
    one, v = GradientAgent(lib(np.diag([1.0, 2.0, 3.0])), lib(np.ones(3)), 0.5), lib([0.0, 1.0, 0.0])
    assert close(blind(one, v).S, np.diag([1.0, 0.0, 3.0]))
    assert close(crossing(one, v).S, np.diag([1.0, 2.0, 3.0]))
    assert close(crossing(one, lib([1.0, 0.0, 0.0])).S, np.diag([2.0, 2.0, 3.0]))


@given(seed=seeds, d=st.integers(2, 5))
def test_an_agent_that_crosses_what_the_other_adds_wins(seed, d):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d), agent(rng, d)
    wins = crossing(first, second.step @ (second.theta - first.theta))
    assert asymmetry(wins, second).first_wins < 1e-9


def test_the_attacker_reads_the_attack_prompt(lib, rng):
    victim, theta = agent(rng, 3, lib), lib(rng.standard_normal(3))
    attacker = attacker_against(victim, theta, 0.7)
    assert close(attacker.S, attack_prompt(victim, theta, 0.7).S) and attacker.eta == 0.7


@given(seed=seeds, d=dimensions, batch=batches)
def test_landing_puts_theta_along_the_inputs_in_one_step(lib, seed, d, batch):
    rng = np.random.default_rng(seed)
    rows = np.linalg.qr(rng.standard_normal((*batch, d, d)))[0][..., : (d + 1) // 2, :]
    theta, w = rng.standard_normal((2, *batch, d))
    written = np.asarray(landing(lib(rows), lib(theta), 0.3)(lib(w)))
    assert close(np.matvec(rows, written), np.matvec(rows, theta))
    outside = np.eye(d) - rows.mT @ rows
    assert close(np.matvec(outside, written), np.matvec(outside, w))


@pytest.mark.parametrize("eta", [0.0, -1.0])
def test_landing_needs_a_positive_step(eta):
    with pytest.raises(ValueError, match="eta must be one positive number"):
        landing(np.eye(2), np.ones(2), eta)


@pytest.mark.parametrize(("d", "sees"), [(4, 2), (3, 1), (2, 2), (1, 1)])
def test_each_further_example_takes_one_direction_from_the_start(rng, d, sees):
    theta, start = rng.standard_normal((2, 5, d))
    victim, unseen = partly_sighted(rng, sees, rng.standard_normal((5, d)), 0.6)
    v = np.matvec(victim.step, victim.theta - theta)
    attackers = attackers_by_size(v, unseen, theta, 0.3)
    left = [np.linalg.norm(at_rest(one, victim, start)[0] - theta, axis=-1) for one in attackers]
    assert len(attackers) == 1 + d - sees
    assert close(left, never_moved(unseen, start - theta))


def test_never_moved_is_what_later_directions_hold(lib):
    unseen, error = lib([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), lib([7.0, 3.0, 4.0])
    assert close(never_moved(unseen, error), [5.0, 4.0, 0.0])


def test_errors_are_taken_where_one_of_the_two_sees(lib):
    first, second = (GradientAgent(lib(np.diag(s)), lib(np.zeros(3)), 0.5) for s in ([1.0, 0, 0], [0, 0, 2.0]))
    errors = visible_errors(first, second, (lib([1.0, 2.0, 3.0]), lib([4.0, 5.0, 6.0])))
    assert close(errors, [[1.0, 0.0, 3.0], [4.0, 0.0, 6.0]])


def test_errors_of_a_pair_that_sees_everything_are_its_bias(lib, rng):
    first, second = fast_agent(rng, 3, lib), fast_agent(rng, 3, lib)
    settled = equilibrium(first, second)
    errors = visible_errors(first, second, (settled.first, settled.second))
    assert close(errors, [np.asarray(settled.bias_first), np.asarray(settled.bias_second)])


def test_a_one_example_attack_moves_in_one_direction_only(rng):
    victim, theta, w0 = fast_agent(rng, 3, batch=(4,)), rng.standard_normal(3), rng.standard_normal((4, 3))
    attacked = displacement_spectrum(alternate(attacker_against(victim, theta, 0.5), victim, w0, 6), w0)
    honest = displacement_spectrum(alternate(fast_agent(rng, 3), victim, w0, 6), w0)
    assert attacked.shape == honest.shape == (4, 3)
    assert (attacked[:, 0] == 1).all() and (attacked[:, 1:] < 1e-10).all()
    assert (honest[:, 2] > 1e-4).all()


def test_step_sizes_may_differ(lib, rng):
    S, theta, eta = np.stack([np.eye(2)] * 3), rng.standard_normal((3, 2)), np.array([0.1, 0.5, 2.0])
    v = lib(np.ones((3, 2)))
    one = crossing(GradientAgent(lib(S), lib(theta), lib(eta)), v)
    assert close(np.matvec(np.asarray(one.M), np.ones((3, 2))), np.zeros((3, 2)))


def test_fewer_turns_than_dimensions_show_fewer_directions(rng):
    first, second, w0 = fast_agent(rng, 4), fast_agent(rng, 4), rng.standard_normal(4)
    assert displacement_spectrum(alternate(first, second, w0, 2), w0).shape == (2,)
