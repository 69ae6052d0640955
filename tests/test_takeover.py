import numpy as np
from instances import agent, close, fast_agent

from a2a import GradientAgent, alternate
from a2a.crafted import attacker_against
from a2a.takeover import share_lost, take_over


def test_the_attack_goes_on_where_the_talk_was(lib, rng):
    victim, ordinary, theta = fast_agent(rng, 3, lib), fast_agent(rng, 3, lib), lib(rng.standard_normal(3))
    attacker, w0 = attacker_against(victim, theta, 0.5), lib(rng.standard_normal(3))
    talk = take_over(ordinary, attacker, victim, w0, 4, 7)
    honest = alternate(ordinary, victim, w0, 4)
    assert (talk.before, talk.after) == (4, 7) and talk.run.first.shape == (11, 3)
    assert close(talk.run.first[:4], honest.first) and close(talk.run.second[:4], honest.second)
    assert close(talk.run.first[4], attacker(honest.second[-1]))


def test_the_attacker_arrives(rng):
    victim, theta = fast_agent(rng, 3), rng.standard_normal(3)
    talk = take_over(fast_agent(rng, 3), attacker_against(victim, theta, 0.5), victim, np.zeros(3), 3, 300)
    assert close(talk.run.first[-1], theta) and not close(talk.run.first[2], theta, 1e-3)


def test_what_may_grow_is_cut_short():
    wild = GradientAgent(np.eye(2), np.zeros(2), 101.0)  # an error grows a hundredfold a step
    tame = GradientAgent(np.eye(2), np.ones(2), 0.5)
    talk = take_over(wild, tame, tame, np.ones(2), 1000, 5)
    assert talk.before == 11 and talk.after == 5  # 1e20 is reached at factor 50 a turn


def test_the_victim_loses_what_its_own_step_leaves_of_the_gap(rng):
    victim, theta, w0 = fast_agent(rng, 3, batch=(6,)), rng.standard_normal(3), rng.standard_normal(3)
    lost = share_lost(attacker_against(victim, theta, 0.4), victim, theta, w0)
    gap = victim.theta - theta
    assert close(lost, np.linalg.norm(np.matvec(victim.M, gap), axis=-1) / np.linalg.norm(gap, axis=-1))


def test_a_pair_that_runs_away_has_no_share(rng):
    wild = GradientAgent(np.eye(2), np.zeros(2), 5.0)
    assert np.isnan(share_lost(wild, wild, np.ones(2), np.ones(2)))
    assert not np.isnan(share_lost(agent(rng, 2), fast_agent(rng, 2), np.ones(2), np.ones(2)))


def test_many_pairs_are_attacked_at_once(lib, rng):
    victims, theta = fast_agent(rng, 2, lib, batch=(5,)), lib(rng.standard_normal((5, 2)))
    talk = take_over(
        fast_agent(rng, 2, lib), attacker_against(victims, theta, 0.5), victims, lib(np.ones((5, 2))), 2, 3
    )
    assert talk.run.first.shape == talk.run.second.shape == (5, 5, 2)
    assert close(talk.run.second[-1], victims(talk.run.first[-1]))


def test_the_fastest_growth_of_a_batch_decides():
    growing = GradientAgent(np.stack([np.eye(2), 1e10 * np.eye(2)]), np.zeros(2), 1.0)
    tame = GradientAgent(np.eye(2), np.ones(2), 0.5)
    assert take_over(growing, tame, tame, np.ones(2), 50, 1).before == 2
