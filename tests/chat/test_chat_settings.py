"""Other settings: each differs from the first in one thing, and shares its questions as far as the task is the same."""

from dataclasses import replace

import numpy as np
import pytest

from a2a import GradientAgent
from a2a.chat import ReplayMiss
from a2a.chat.experiment import Asking, Experiment, LeftOut
from a2a.chat.forecast import Stage
from a2a.chat.lineup import line_up
from a2a.chat.pairs import Pair
from a2a.chat.settings import FAR, implicit, settings, settings_of_pairs
from a2a.chat.single_steps import SingleSteps, ask_single_steps
from a2a.chat.varied import converse_in, step_size, turn_rate, varied

ASKING, N, D, GAPS = Asking(0.5), 12, 3, [0.5, 2.0]
OF_PAIRS = {one.name: one for one in [*settings_of_pairs(N, D, ASKING), implicit(N, D, ASKING)]}


@pytest.fixture(scope="module")
def questions():
    return SingleSteps.draw(np.random.default_rng(0), 6, N, D, GAPS, 0.5, 4)


@pytest.fixture(scope="module")
def pair():
    return Pair.draw(np.random.default_rng(0), GAPS, 2, N, D, 0.5, 4)


@pytest.fixture
def met(base_url, pair):
    """What two agents of a name do in a setting, and their experiment."""

    def met(name, setting, turns=6):
        experiment = Experiment(line_up(3, model=name, base_url=base_url), ASKING)
        other = experiment.otherwise(setting.asking, setting.d)
        talk = converse_in(setting, setting.pair(pair, 0), name, other, turns)
        return varied(talk, np.random.default_rng(1), 200), talk, experiment

    return met


def test_there_are_prompts_tasks_words_starts_and_orders():
    names = " ".join(OF_PAIRS)
    for what in ("B moves first", "starts 5", "other prompts, 3", "another order", "room", "eta", "d = 2", "d = 5"):
        assert what in names
    assert len(OF_PAIRS) == len(settings_of_pairs(N, D, ASKING)) + 1, "no name twice"


@pytest.mark.parametrize("n", [3, 12, 50])
@pytest.mark.parametrize("d", [1, 2, 3, 5])
@pytest.mark.parametrize("asking", [ASKING, Asking(1.0, room=True)])
def test_none_is_the_first_setting_again(n, d, asking):
    n = max(n, d)
    for one in settings(n, d, asking):
        assert one.n >= one.d
        different = one.asking != asking, one.reordered, (one.n, one.d) != (n, d)
        assert sum(different) == 1, one.name


def test_another_order_is_the_same_task(questions):
    other = OF_PAIRS["examples in another order"].questions(questions, 0, GAPS)
    assert (other.prompts.X != questions.prompts.X).any()
    assert np.allclose(other.wanted, questions.wanted) and (other.w == questions.w).all()


def test_other_words_are_about_the_same_task(questions):
    other = OF_PAIRS["eta = 0.25"].questions(questions, 0, GAPS)
    assert (other.prompts.X == questions.prompts.X).all() and np.allclose(other.wanted, questions.wanted / 2)
    assert OF_PAIRS["room to reason"].asking == replace(ASKING, room=True)


def test_other_tasks_have_prompts_of_their_own(questions):
    other = OF_PAIRS["d = 5, n = 20"].questions(questions, 0, GAPS)
    assert other.prompts.X.shape == (6, 20, 5) and other.steps == questions.steps
    again, another = (OF_PAIRS["d = 5, n = 20"].questions(questions, seed, GAPS).w for seed in (0, 1))
    assert (again == other.w).all() and (another != other.w).any()


def test_who_moves_first_changes_places_only(pair):
    turned, kept = OF_PAIRS["B moves first"].pair(pair, 0), pair.at_largest
    assert np.allclose(turned.expected[1], kept.first(turned.expected[0])), "A answers B"
    assert np.allclose(turned.objectives[::-1], kept.objectives)
    assert turn_rate(turned) == pytest.approx(turn_rate(kept))


def test_starts_are_farther_away(pair):
    assert np.allclose(OF_PAIRS[f"starts {FAR:g} times as far"].pair(pair, 0).w0, FAR * pair.w0[-1:])


def test_other_prompts_are_not_chosen_for_their_pace(pair):
    rates = [turn_rate(OF_PAIRS[f"other prompts, {i}"].pair(pair, 0)) for i in (1, 2, 3)]
    assert len(set(rates)) == 3 and min(rates) > turn_rate(pair.at_largest)


@pytest.mark.parametrize("name", ["B moves first", "other prompts, 1", "d = 2, n = 8", "room to reason", "eta = 1.0"])
def test_the_exact_agent_does_what_exact_agents_do(met, name):
    found, _, _ = met("gradient", OF_PAIRS[name])
    assert found.r_squared > 0.9999 and found.off.value < 0.01 and found.eta == OF_PAIRS[name].asking.eta


def test_another_step_is_seen(met):
    found, _, _ = met("gradient:eta=0.25", OF_PAIRS["examples in another order"])
    assert found.r_squared < 0.8 and found.off.value > 0.1


def test_far_from_rest_exact_agents_are_met_all_the_same(met):
    found, talk, _ = met("gradient", replace(OF_PAIRS["other prompts, 2"], away=50.0), turns=4)
    assert np.abs(talk.settled[:, 0].mean(1) - talk.pair.expected[:, 0]).max() > 1, "the conversation hasn't settled"
    assert found.off.interval()[1] < 0.01


def test_where_no_step_size_is_named_it_is_read_off(met):
    found, talk, _ = met("gradient:eta=0.3", OF_PAIRS["implicit form"])
    assert found.eta == pytest.approx(0.3, abs=1e-3) and step_size(talk) == pytest.approx(0.3, abs=1e-3)
    assert found.off.value < 0.01 and found.nearest == ("theory", "theory")


def test_an_agent_that_never_moves_has_no_step_size(met):
    with pytest.raises(LeftOut, match="don't go down"):
        met("gradient:copy=1", OF_PAIRS["implicit form"])


def test_one_that_jumps_is_nearest_to_its_own_objective(met):
    found, _, _ = met("gradient:jump=1", OF_PAIRS["B moves first"])
    assert found.nearest == ("own objective", "own objective")


def test_prompts_that_nothing_settles_on_are_left_out_before_a_call(met, base_url, pair):
    experiment = Experiment(line_up(3, model="gradient", base_url=base_url), ASKING)
    fast = replace(pair.at_largest, eta=9.0)
    with pytest.raises(LeftOut, match="nothing settles: a turn's rate is"):
        converse_in(OF_PAIRS["B moves first"], fast, "gradient", experiment, 6)
    assert experiment.clients["gradient"].spent.calls == 0


def test_a_setting_takes_as_many_calls_as_was_said(met):
    _, _, experiment = met("gradient", OF_PAIRS["B moves first"])
    assert experiment.clients["gradient"].spent.calls == Stage("", 2 * 6, 2).calls == 24


def test_asked_otherwise_clients_are_shared_and_accounts_are_not(questions, base_url):
    experiment = Experiment(line_up(3, model="gradient", base_url=base_url), ASKING)
    other = experiment.otherwise(Asking(0.25), 3)
    other.dropped["gradient"] = "for a test"
    assert other.clients is experiment.clients and not experiment.dropped
    assert (other.asking.eta, experiment.asking.eta) == (0.25, 0.5)
    again = experiment.otherwise(Asking(0.25), 3)
    ask_single_steps(again, questions)
    assert experiment.outcomes("gradient").total() == 6


def test_who_does_one_dimension_only_is_not_asked_for_another():
    experiment = Experiment(line_up(3, mode="replay"), ASKING)
    assert experiment.otherwise(ASKING, 5).dropped == {"softmax-icl": "does d = 3 only"}
    assert experiment.otherwise(ASKING, 3).dropped == {}


def test_what_a_recording_lacks_is_said_where_it_is_one_setting_of_many(questions):
    experiment = Experiment(line_up(3, mode="replay"), ASKING)
    other = experiment.otherwise(Asking(0.123), 3)
    assert ask_single_steps(other, questions) == {}
    assert set(other.dropped.values()) == {"not recorded with these parameters"}
    with pytest.raises(ReplayMiss):
        ask_single_steps(Experiment(line_up(3, mode="replay"), Asking(0.123)), questions)


def test_implicit_answers_are_judged_by_direction_and_loss(questions, base_url):
    experiment = Experiment(line_up(3, model="gradient:eta=0.3", base_url=base_url), ASKING)
    setting = implicit(N, D, ASKING)
    asked = setting.questions(questions, 0, GAPS)
    one = ask_single_steps(experiment.otherwise(setting.asking, 3), asked)["gradient:eta=0.3"]
    assert one.eta == pytest.approx(0.3, abs=1e-3) and one.r_squared_along > 0.9999 and one.goes_down == 6
    exact = GradientAgent.from_prompt(asked.stated, 0.3)(asked.w)
    assert (asked.loss(exact) < asked.loss(asked.w)).all()
