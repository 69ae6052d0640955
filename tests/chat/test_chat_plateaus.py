"""What conversations of real agents say: plateaus, step size, rate and scatter, each against what was put in."""

import numpy as np
import pytest

from a2a import NoisyAgent, alternate
from a2a.chat.experiment import Asking, Experiment, LeftOut
from a2a.chat.lineup import line_up
from a2a.chat.pairs import Pair, Talk
from a2a.chat.plateaus import (
    approach,
    exchanges_for_linearity,
    fitted_step,
    middle,
    plateaus,
    predicted_floor,
    scatter,
)

RESAMPLES = 200


@pytest.fixture(scope="module")
def pair():
    return Pair.draw(np.random.default_rng(0), [0.5, 2.0], 2, 12, 3, 0.5, 4)


@pytest.fixture(scope="module")
def conversation(base_url, pair):
    """Conversations of an agent with itself, held once each."""
    held = {}

    def conversation(name):
        if name not in held:
            held[name] = talked(base_url, pair, name)
        return held[name]

    return conversation


def talked(base_url, pair, name, turns=12):
    experiment = Experiment(line_up(pair.d, model=name, base_url=base_url), Asking(0.5))
    first = experiment.agent(name, pair.prompt_first, 0)
    return pair.converse(first, experiment.agent(name, pair.prompt_second, 1), turns)


def chance():
    return np.random.default_rng(5)


def between(estimate, value):
    low, high = estimate.interval()
    return low <= value <= high


def test_the_exact_agent_is_where_prompts_and_maps_say(conversation, pair):
    found = plateaus(conversation("gradient"), chance(), RESAMPLES)
    assert np.abs(found.measured - pair.plateau).max() < 3e-4
    assert np.abs(found.fitted - pair.plateau).max() < 3e-4 and found.off.max() < 3e-4
    assert found.rate.value == pytest.approx(pair.theory.rate, abs=0.02) and found.answers == 6


def test_draws_are_of_every_agent_and_gap(conversation):
    found = plateaus(conversation("gradient"), chance(), RESAMPLES)
    assert found.measured_draws.shape == found.fitted_draws.shape == (2, 2, RESAMPLES)


def test_another_step_size_settles_where_the_maps_say_and_the_prompts_do_not(conversation, pair):
    found = plateaus(conversation("gradient:eta=0.25"), chance(), RESAMPLES)
    assert np.abs(found.measured / found.fitted - 1).max() < 0.02
    assert np.abs(found.measured / pair.plateau - 1).max() > 0.05


def test_noise_widens_the_intervals_and_they_hold_the_truth(conversation, pair):
    found = plateaus(conversation("gradient:noise=0.02"), chance(), RESAMPLES)
    exact = plateaus(conversation("gradient"), chance(), RESAMPLES)
    wide, narrow = (np.ptp(middle(one.measured_draws), axis=0) for one in (found, exact))
    assert (wide > 10 * narrow).all() and (wide > 0.005).all()
    held = [between(one, pair.plateau[0, gap]) for gap, one in enumerate(found.measured_plateaus(0))]
    assert sum(held) >= 1 and np.abs(found.measured - pair.plateau).max() < 0.03


def test_estimates_of_plateaus_and_their_ratios_are_those_of_the_arrays(conversation, pair):
    found = plateaus(conversation("softmax-icl"), chance(), RESAMPLES)
    assert [one.value for one in found.measured_plateaus(1)] == found.measured[1].tolist()
    assert [one.value for one in found.fitted_plateaus(0)] == found.fitted[0].tolist()
    ratios = found.over(pair.plateau)
    assert [one.value for one in ratios] == (found.measured / pair.plateau).ravel().tolist()
    assert found.over_fitted()[2].value == pytest.approx(found.measured[1, 0] / found.fitted[1, 0])
    assert ratios[0].n == 6 and ratios[0].unit == "answers"


def test_a_ratio_to_an_estimate_is_less_certain_than_one_to_a_number(conversation):
    found = plateaus(conversation("gradient:noise=0.02"), chance(), RESAMPLES)
    certain, uncertain = found.over(found.fitted), found.over_fitted()
    widths = [[np.ptp(one.interval()) for one in those] for those in (certain, uncertain)]
    assert np.mean(widths[1]) > np.mean(widths[0])


def test_equal_streams_draw_equal_intervals(conversation):
    talk = conversation("gradient:noise=0.02")
    one, same = (plateaus(talk, chance(), RESAMPLES) for _ in range(2))
    assert (one.fitted_draws == same.fitted_draws).all() and one.rate.interval() == same.rate.interval()


@pytest.mark.parametrize("eta", [0.5, 0.25])
def test_the_step_size_is_found(conversation, eta):
    fit = fitted_step(conversation(f"gradient:eta={eta}"), chance(), RESAMPLES)
    assert fit.eta.value == pytest.approx(eta, abs=1e-3) and between(fit.eta, fit.eta.value)
    assert fit.r_squared > 0.9999 and fit.eta.n == 2 * 6 * 2


def test_a_rule_that_bends_is_told_from_an_affine_one(conversation):
    affine, bent = (fitted_step(conversation(name), chance(), RESAMPLES).p for name in ("gradient", "softmax-icl"))
    assert affine > 0.001 > bent


def test_too_few_exchanges_for_that_test_are_said_not_raised(base_url):
    pair = Pair.draw(np.random.default_rng(0), [1.0], 2, 12, 5, 0.5, 4)
    talk = talked(base_url, pair, "gradient")
    assert exchanges_for_linearity(5) == 22 > talk.first_half(0)[0].shape[1]
    fit = fitted_step(talk, chance(), RESAMPLES)
    assert np.isnan(fit.p) and fit.eta.value == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("d", [1, 2, 3, 7])
def test_as_many_exchanges_as_the_test_asks_for(d):
    from a2a import linearity_test

    rng = np.random.default_rng(0)
    enough = exchanges_for_linearity(d)
    read = rng.standard_normal((enough, d))
    assert 0 <= linearity_test(read, rng.standard_normal((enough, d)))[1] <= 1
    with pytest.raises(ValueError, match="exchanges"):
        linearity_test(read[1:], read[1:])


def test_starts_approach_each_other_as_the_prompts_predict(conversation):
    factor = approach(conversation("gradient"), 3e-5)
    assert factor.measured == pytest.approx(factor.predicted, rel=0.02) and 2 < factor.turns <= 12


def test_another_step_size_approaches_at_another_factor(conversation):
    factor = approach(conversation("gradient:eta=0.25"), 3e-5)
    assert factor.measured > 1.5 * factor.predicted


def test_noise_leaves_fewer_turns_to_see_it_in_and_one_at_least(conversation):
    talk = conversation("gradient")
    turns = [approach(talk, noise).turns for noise in (0.0, 3e-5, 1e-2, 1e6)]
    assert turns[0] == 12 and turns == sorted(turns, reverse=True) and turns[-1] == 1


def test_the_floor_is_that_of_noisy_agents(pair):
    """A long run of exact agents with known noise."""
    rng = np.random.default_rng(1)
    noisy = [NoisyAgent(agent, 0.1, rng) for agent in (pair.first, pair.second)]
    run = alternate(*noisy, np.broadcast_to(pair.w0[:, :1], (2, 200, 3)), 40)
    seen = np.sqrt(run.first[-1].var(axis=1, ddof=1).sum(axis=-1).mean())
    assert predicted_floor(pair, 0.1) == pytest.approx(seen, rel=0.1)
    assert predicted_floor(pair, 0.2) == pytest.approx(2 * predicted_floor(pair, 0.1))


def test_the_scatter_of_real_agents_is_the_floor_that_their_noise_predicts(base_url):
    pair = Pair.draw(np.random.default_rng(0), [1.0], 10, 12, 3, 0.5, 4)
    seen = scatter(talked(base_url, pair, "gradient:noise=0.02"), 0.02, 10_000)
    assert seen.over.value == pytest.approx(seen.measured / seen.predicted)
    low, high = seen.over.interval(0.999)
    assert low < 1 < high and seen.over.n == 29 * 3


def test_more_answers_make_the_scatter_surer(conversation):
    talk = conversation("gradient:noise=0.02")
    widths = [np.ptp(scatter(talk, 0.02, asked).over.interval()) for asked in (10, 100, 10_000)]
    assert widths == sorted(widths, reverse=True)
    over = scatter(talk, 0.02, 100).over
    assert np.ptp(over.interval(0.95, 4 * over.n)) == pytest.approx(np.ptp(over.interval(0.95)) / 2)


def test_without_noise_there_is_no_scatter(pair):
    exact = pair.exact(200)
    assert scatter(Talk(pair, exact.run), 0.01, 10).measured < 1e-6


def test_the_middle_of_draws_holds_95_in_100():
    draws = np.arange(1001.0)
    assert middle(draws).tolist() == [25.0, 975.0]
    assert middle(np.stack([draws, 2 * draws])).shape == (2, 2)


class Remembering:
    """A callable as an agent that keeps what it read and wrote."""

    def __init__(self, write):
        self.write, self.kept = write, []

    def __call__(self, w):
        self.kept.append((w, self.write(w)))
        return self.kept[-1][1]

    @property
    def exchanges(self):
        read, written = zip(*self.kept, strict=True)
        return np.stack(read, axis=-2), np.stack(written, axis=-2)


def test_agents_that_answer_always_the_same_are_left_out(pair, untyped):
    with pytest.raises(LeftOut, match="too much alike to fit a map"):
        pair.converse(Remembering(np.zeros_like), Remembering(np.zeros_like), 12)


def test_agents_that_repeat_what_they_read_settle_nowhere(untyped):
    pair = Pair.draw(np.random.default_rng(0), [0.5, 2.0], 6, 12, 3, 0.5, 4)
    found = plateaus(pair.converse(Remembering(np.copy), Remembering(np.copy), 12), chance(), RESAMPLES)
    assert np.isnan(found.fitted).all() and np.isfinite(found.measured).all()
    assert not any(estimate.is_known for estimate in [*found.fitted_plateaus(0), *found.over_fitted()])
    assert all(estimate.is_known for estimate in found.measured_plateaus(0))
