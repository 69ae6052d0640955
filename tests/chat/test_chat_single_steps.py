"""Single steps of real agents on the local server: what is wanted of them, and what their answers say."""

import numpy as np
import pytest

from a2a import GradientAgent
from a2a.chat import ChatAgent
from a2a.chat.experiment import Asking, Experiment
from a2a.chat.lineup import line_up
from a2a.chat.replies import Outcome
from a2a.chat.single_steps import OneAgent, SingleSteps, ask_single_steps, rounding_noise

GAPS = [0.5, 1.0, 2.0]


@pytest.fixture(scope="module")
def questions():
    return SingleSteps.draw(np.random.default_rng(0), 9, 12, 3, GAPS, 0.5, 4)


@pytest.fixture
def asked(base_url, questions):
    """An agent of that name with its answers, and the experiment."""

    def asked(name, questions=questions):
        experiment = Experiment(line_up(3, model=name, base_url=base_url), Asking(0.5))
        return ask_single_steps(experiment, questions)[name], experiment

    return asked


class Scripted(ChatAgent):
    """An agent that gives one list of outcomes after the other."""

    def __init__(self, *rounds):
        self.rounds = iter(rounds)

    def outcomes(self, w):
        return next(self.rounds)


def with_answers(questions, written):
    return OneAgent(questions, Scripted(), np.array(written))


def test_they_start_as_far_from_their_objectives_as_the_gaps_say_in_turn(questions):
    theta = questions.prompts.theta
    assert np.allclose(np.linalg.norm(questions.w - theta, axis=1), [0.5, 1.0, 2.0] * 3, atol=2e-4)
    assert questions.w.shape == (9, 3) and questions.steps == 9
    assert (questions.w == np.round(questions.w, 4)).all(), "as it is stated"


def test_equal_seeds_draw_equal_questions():
    def drawn(seed):
        return SingleSteps.draw(np.random.default_rng(seed), 4, 5, 2, [1.0], 0.5, 3)

    assert (drawn(1).w == drawn(1).w).all() and (drawn(1).prompts.X == drawn(1).prompts.X).all()
    assert (drawn(1).w != drawn(2).w).any()


def test_what_is_wanted_is_the_gradient_step_of_the_prompt_as_stated(questions):
    for i in range(questions.steps):
        X, y = np.round(questions.prompts.X[i], 4), np.round(questions.prompts.y[i], 4)
        gradient = X.T @ (X @ questions.w[i] - y) / len(y)
        assert np.allclose(questions.wanted[i], -0.5 * gradient, atol=1e-12)


def test_the_exact_agent_is_exact_to_its_last_digit(asked):
    one, experiment = asked("gradient")
    assert one.answered == 9 and one.does_the_task and not experiment.dropped
    assert one.r_squared == pytest.approx(1, abs=1e-6) and one.eta == pytest.approx(0.5, abs=1e-3)
    assert one.delta == one.questions.rounding == pytest.approx(0.5e-4 * 3**0.5)
    assert one.noise() == rounding_noise(4)


def test_another_step_size_is_found_and_is_no_gradient_step_of_the_one_asked_for(asked):
    one, _ = asked("gradient:eta=0.25")
    assert one.eta == pytest.approx(0.25, abs=1e-3)
    assert one.r_squared == pytest.approx(0.75, abs=1e-3)
    assert one.delta == pytest.approx(np.linalg.norm(one.questions.wanted, axis=1).max() / 2, abs=1e-3)


def test_noise_is_seen_in_repeated_answers(asked):
    one, experiment = asked("gradient:noise=0.05")
    assert one.noise() == pytest.approx(0.05, rel=0.35)  # 54 numbers about their means, three standard errors
    assert experiment.outcomes("gradient:noise=0.05") == {"valid": 27}


def test_more_repetitions_are_more_calls(asked):
    one, experiment = asked("gradient")
    one.noise(repetitions=4)
    assert experiment.clients["gradient"].spent.calls == 9 * 5


def test_each_question_is_asked_once_though_there_are_attempts(asked):
    one, experiment = asked("gradient+nan")
    assert one.answered == 0 and experiment.clients["gradient+nan"].spent.calls == 9


def test_an_agent_that_does_not_do_the_task_is_kept_with_its_answers_and_dropped(asked):
    one, experiment = asked("gradient+refusal")
    assert experiment.dropped == {"gradient+refusal": "0 of 9 replies usable"} and not one.does_the_task
    assert np.isnan([one.r_squared, one.eta, one.delta]).all()


def test_half_of_the_answers_are_enough(asked):
    one, experiment = asked("gradient+nanx4")
    assert one.answered == 5 and one.does_the_task and not experiment.dropped
    assert one.valid.sum() == 5 and one.r_squared == pytest.approx(1, abs=1e-6)
    less, experiment = asked("gradient+nanx5")
    assert experiment.dropped == {"gradient+nanx5": "4 of 9 replies usable"} and not less.does_the_task


def test_r_squared_and_step_size_from_their_definitions(questions):
    rng = np.random.default_rng(3)
    step = 0.8 * questions.wanted + 0.1 * rng.standard_normal((9, 3))
    one = with_answers(questions, questions.w + step)
    wanted = questions.wanted.ravel()
    assert one.r_squared == pytest.approx(1 - ((step.ravel() - wanted) ** 2).sum() / (wanted**2).sum())
    assert one.eta == pytest.approx(0.5 * np.linalg.lstsq(wanted[:, None], step.ravel(), rcond=None)[0][0])
    assert one.delta == pytest.approx(np.linalg.norm(step - questions.wanted, axis=1).max())


def test_what_is_not_answered_does_not_count(questions):
    written = questions.w + questions.wanted
    written[2] = np.nan
    one = with_answers(questions, written)
    assert one.answered == 8 and not one.valid[2]
    assert one.r_squared == 1 and one.eta == pytest.approx(0.5) and one.delta == questions.rounding


def test_the_bootstrap_holds_the_estimate_and_repeats(questions):
    rng = np.random.default_rng(4)
    one = with_answers(questions, questions.w + questions.wanted + 0.05 * rng.standard_normal((9, 3)))
    first, again = (one.r_squared_estimate(np.random.default_rng(1), 300) for _ in range(2))
    low, high = first.interval()
    assert low < first.value < high <= 1 and first.value == one.r_squared and first.n == 9
    assert first.interval() == again.interval()


def test_without_answers_there_is_nothing_to_estimate(questions):
    one = with_answers(questions, np.full((9, 3), np.nan))
    estimate = one.r_squared_estimate(np.random.default_rng(1), 300)
    assert np.isnan(estimate.value) and np.isnan(estimate.interval()).all()


def test_a_question_that_is_not_always_answered_says_nothing_of_the_noise(questions):
    """The second time one question isn't answered; its other answers don't count."""
    replies = [[Outcome("valid", tuple(w)) for w in questions.w + shift] for shift in (0.1, -0.1)]
    replies[0][0] = Outcome("refusal")
    one = OneAgent(questions, Scripted(*replies), questions.w + 0.0)
    assert one.noise() == pytest.approx(0.1)


def test_if_no_question_is_always_answered_rounding_is_left(questions):
    refused = [Outcome("refusal")] * questions.steps
    assert OneAgent(questions, Scripted(refused, refused), questions.w + 0.0).noise() == rounding_noise(4)


def test_rounding_noise_is_that_of_rounding():
    numbers = np.random.default_rng(0).uniform(-1, 1, 200_000)
    assert rounding_noise(2) == pytest.approx(np.std(np.round(numbers, 2) - numbers), rel=0.01)


def test_the_exact_agent_of_the_package_agrees(questions, asked):
    one, _ = asked("gradient")
    prompt = one.agent.prompt
    assert np.allclose(one.written, GradientAgent.from_prompt(prompt, 0.5)(questions.w), atol=0.51e-4)
