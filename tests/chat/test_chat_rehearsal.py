"""Failures of language models, played over real HTTP: each verdict names the failure that was played."""

import json

import numpy as np
import pytest

from a2a.book.blackbox import R_SQUARED, usable
from a2a.book.evidence import at_least
from a2a.chat import ChatAgent, ChatClient, parse
from a2a.chat.diagnosis import told, verdict
from a2a.chat.experiment import Asking
from a2a.chat.faults import CONTENT
from a2a.chat.hosted import Declined
from a2a.chat.offline import OFFLINE
from a2a.chat.rehearsal import failures, rehearsal
from a2a.chat.single_steps import SingleSteps, ask_single_steps

STEPS, N, D, ETA = 40, 12, 3, 0.5
NAMED = {
    "gradient+reasoning": ("supported", "takes the gradient step"),
    "gradient+429x6": ("supported", "takes the gradient step"),
    "gradient:jump=1": ("contradicted", "jumps to least squares"),
    "gradient:eta=0.25": ("contradicted", "takes another step size, 0.5 times the one asked for"),
    "gradient:eta=6": ("contradicted", "takes another step size, 12 times the one asked for"),
    "gradient:copy=1": ("contradicted", "copies w"),
    "gradient+length": ("not applicable", "gives no usable reply"),
    "gradient+refusal": ("not applicable", "gives no usable reply"),
}


@pytest.fixture(scope="module")
def played():
    """The experiment of the rehearsal and what every actor answered."""
    questions = SingleSteps.draw(np.random.default_rng(0), STEPS, N, D, [0.5, 1.0, 2.0], ETA, 4)
    experiment = rehearsal(failures(ETA, N), Asking(ETA))
    actors = ask_single_steps(experiment, questions)
    experiment.close()
    return experiment, actors


def judged(one):
    if not all(assumed.holds for assumed in usable(one)):
        return "not applicable"
    return at_least(one.r_squared_estimate(np.random.default_rng(1), 400), R_SQUARED).verdict


@pytest.mark.parametrize("name", NAMED)
def test_every_failure_is_named_by_its_verdict(played, name):
    one, (found, says) = played[1][name], NAMED[name]
    assert (judged(one), verdict(one.diagnoses)) == (found, says)


def test_one_that_is_right_nine_times_in_ten_is_named_with_its_slips(played):
    one = played[1]["gradient:slip=0.1"]
    kinds = [diagnosis.kind for diagnosis in one.diagnoses]
    assert set(kinds) == {"right", "slip"} and 0.75 * STEPS <= kinds.count("right") <= 0.98 * STEPS
    assert verdict(one.diagnoses).endswith(f"{kinds.count('right')} times in {STEPS}, else slips in one coordinate")
    assert judged(one) != "supported", "a few slips are enough not to be taken for the gradient step"


def test_nothing_that_is_rehearsed_goes_untested(played):
    assert played[1].keys() == NAMED.keys() | {"gradient:slip=0.1"}


def test_rate_limits_cost_tries_and_no_answer(played):
    spent = played[0].clients["gradient+429x6"].spent
    assert (spent.failed, spent.replies, spent.calls) == (6, STEPS, STEPS + 6)


def test_who_gives_no_usable_reply_is_dropped_with_the_reason(played):
    assert played[0].dropped == dict.fromkeys(["gradient+length", "gradient+refusal"], "0 of 40 replies usable")


def test_of_reasoning_with_other_vectors_in_it_the_answer_counts():
    said = CONTENT["reasoning"]('{"w": [1.0, 2.0]}')
    assert said.count("[9") == 1, "there is a wrong one before it"
    outcome = parse(said, 2)
    assert outcome.w == (1.0, 2.0) and outcome.kind == "repaired"


def test_mistakes_are_shares_of_the_answers_and_repeat(base_url, prompt):
    def answers():
        agent = ChatAgent(ChatClient(base_url), prompt, ETA, model="gradient:jump=0.3,copy=0.3,slip=0.3")
        return agent(np.random.default_rng(2).standard_normal((30, 3)))

    first, w = answers(), np.round(np.random.default_rng(2).standard_normal((30, 3)), 4)
    assert (first == answers()).all()
    jumped = (np.abs(first - np.round(prompt.theta, 4)) < 0.02).all(axis=1).sum()
    assert 3 <= jumped <= 16 and 3 <= (first == w).all(axis=1).sum() <= 16


@pytest.mark.parametrize("options", [{"jump": 1.5}, {"jump": 0.6, "copy": 0.6}])
def test_shares_of_more_than_all_answers_are_declined(options):
    with pytest.raises(Declined, match="at most 1 together"):
        OFFLINE["gradient"].check(options)


def test_counts_stand_beside_the_sentence(played):
    assert told(played[1]["gradient:copy=1"].diagnoses) == f"copied w {STEPS}"


def test_replies_of_the_actors_are_json_inside(played):
    said = played[1]["gradient+reasoning"].agent.last.text
    assert json.loads(said.split("```json\n")[1].removesuffix("\n```")).keys() == {"w"}
