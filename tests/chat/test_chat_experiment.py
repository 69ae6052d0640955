"""Agents side by side, against a real server: who takes part, how each is asked, who is dropped."""

import numpy as np
import pytest

from a2a.chat import BudgetExhausted, NoValidReply, Prices, ReplayMiss
from a2a.chat.experiment import Asking, Experiment, LeftOut
from a2a.chat.lineup import line_up
from a2a.chat.offline import OFFLINE

W = np.array([0.5, -1.0, 0.25])
OFFLINE_LIVE = ["gradient", "gradient:noise=0.01", "softmax-icl"]


@pytest.fixture
def begin(base_url):
    """An experiment with one model, or with all; the local server of these tests answers."""
    begun = []

    def begin(model="gradient", options=None, asking=None, **choices):
        address = base_url if model and choices.get("mode") != "replay" else ""
        cast = line_up(3, model=model, base_url=address, **choices)
        begun.append(Experiment(cast, asking or Asking(0.5), options or {}))
        return begun[-1]

    yield begin
    for experiment in begun:
        experiment.close()


def test_by_default_the_offline_agents_are_asked_and_the_slow_one_replayed():
    cast = line_up(3)
    assert cast.names == list(OFFLINE) and cast.live == OFFLINE_LIVE and cast.mode == "live"


def test_in_replay_nobody_is_asked():
    cast = line_up(3, mode="replay")
    assert cast.live == [] and cast.names == list(OFFLINE)


def test_one_model_takes_part_alone():
    cast = line_up(3, model="gradient:eta=2", also=["smollm2"])
    assert cast.names == cast.live == ["gradient:eta=2"]


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"base_url": "http://localhost:1/v1"}, "needs the name of a model"),
        ({"model": "gpt-5-mini", "mode": "replay"}, "no recorded answers of gpt-5-mini"),
        ({"transcript": "kept"}, 'a transcript needs the mode "record" or "replay"'),
    ],
)
def test_what_makes_no_experiment(choices, says):
    with pytest.raises(ValueError, match=says):
        line_up(3, **choices)


def test_a_folder_without_recordings_has_nobody_to_replay(tmp_path):
    with pytest.raises(ValueError, match="no recorded answers there"):
        line_up(3, mode="replay", transcript=str(tmp_path))


def test_what_is_recorded_resumes_replays_and_joins_the_others(begin, prompt, tmp_path):
    where = {"transcript": str(tmp_path / "kept")}
    recording = begin("gradient:eta=2", mode="record", **where)
    answer = recording.agent("gradient:eta=2", prompt, 0)(W)
    resumed = begin("gradient:eta=2", mode="record", **where)
    assert (resumed.agent("gradient:eta=2", prompt, 0)(W) == answer).all()
    assert resumed.clients["gradient:eta=2"].spent.calls == 0
    replayed = begin("", mode="replay", **where)
    assert replayed.line_up.names == ["gradient:eta=2"], "of a folder, whoever is recorded there"
    assert (replayed.agent("gradient:eta=2", prompt, 0)(W) == answer).all()


def test_the_order_is_that_of_the_registry_then_by_name(begin, prompt, tmp_path):
    names = ["zeta", "smollm2", "gradient:eta=2", "softmax-icl", "gradient"]
    for name in names:
        (tmp_path / f"{name.replace(':', '-')}.jsonl").write_bytes(recorded_line(name))
    cast = line_up(3, mode="replay", transcript=str(tmp_path))
    assert cast.names == ["gradient", "softmax-icl", "smollm2", "gradient:eta=2", "zeta"]


def recorded_line(name):
    from a2a.chat import Request
    from a2a.sealed import sealed

    request = Request(name, [])
    reply = {"text": "", "model": name, "finish_reason": "stop", "refusal": None}
    record = {"key": request.key, "request": request.as_dict(), "server": "loopback", "reply": reply, "error": None}
    return sealed(record | {"outcome": "invalid: empty", "usage": None})


def test_a_local_server_of_its_own_starts_and_stops(prompt):
    from a2a.chat import ChatError

    experiment = Experiment(line_up(3, model="gradient"), Asking(0.5), {"retries": 0})
    agent = experiment.agent("gradient", prompt, 0)
    assert np.isfinite(agent(W)).all()
    experiment.close()
    with pytest.raises(ChatError):
        agent(W)


def test_every_agent_is_asked_in_the_same_way(begin, prompt):
    how = Asking(0.25, digits=6, room=True, attempts=2, temperature=0.5, reasoning_effort="low")
    agent = begin(asking=how).agent("gradient", prompt, 7)
    assert (agent.form.eta, agent.form.digits, agent.form.room, agent.attempts) == (0.25, 6, True, 2)
    assert agent.settings.temperature == 0.5 and agent.settings.reasoning_effort == "low" and agent.settings.seed == 7
    assert begin().agent("gradient", prompt, 0, attempts=1).attempts == 1


def test_where_nothing_is_said_an_agent_has_its_own_temperature(prompt):
    cast = line_up(3, mode="replay")
    chosen = {
        name: Experiment(cast, Asking(0.5)).agent(name, prompt, 0).settings.temperature
        for name in ("gradient", "smollm2")
    }
    assert chosen == {"gradient": None, "smollm2": 0.0}
    warm = Experiment(cast, Asking(0.5, temperature=1.0)).agent("smollm2", prompt, 0)
    assert warm.settings.temperature == 1.0


def test_equal_questions_of_different_streams_are_different_calls(begin, prompt):
    experiment = begin("gradient:noise=0.5")
    one, same, other = (experiment.agent("gradient:noise=0.5", prompt, stream)(W) for stream in (0, 0, 1))
    assert (one == same).all() and (one != other).any()


def test_an_agent_without_a_valid_reply_is_dropped_and_not_asked_again(begin, prompt):
    experiment = begin("gradient+refusal")
    assert experiment.left == ["gradient+refusal"]
    assert experiment.study(lambda name: experiment.agent(name, prompt, 0)(W)) == {}
    assert experiment.dropped == {"gradient+refusal": "no valid reply in 3 attempts"} and experiment.left == []
    assert experiment.study(lambda name: pytest.fail("it was dropped")) == {}
    assert experiment.outcomes("gradient+refusal") == {"refusal": 3}


def test_a_question_that_is_not_recorded_is_an_error_in_replay(prompt):
    experiment = Experiment(line_up(3, mode="replay"), Asking(0.5))
    with pytest.raises(ReplayMiss):
        experiment.study(lambda name: experiment.agent(name, prompt, 99)(W))


def test_elsewhere_it_drops_the_agent(prompt):
    experiment = Experiment(line_up(3), Asking(0.5))
    answered = experiment.study(lambda name: experiment.agent(name, prompt, 99)(W))
    assert list(answered) == OFFLINE_LIVE
    assert experiment.dropped == {"smollm2": "not recorded with these parameters"}
    experiment.close()


def test_other_errors_pass(begin):
    def fails(name):
        raise KeyError(name)

    with pytest.raises(KeyError):
        begin().study(fails)


def test_a_budget_that_cannot_do_is_refused_before_a_call(begin):
    experiment = begin(options={"budget_calls": 10})
    experiment.expect(10)
    with pytest.raises(BudgetExhausted, match=r"11 calls of each model, and budget_calls is 10: none was sent"):
        experiment.expect(11)
    assert experiment.clients["gradient"].spent.calls == 0


@pytest.mark.parametrize("mode", ["record", "replay"])
def test_a_recording_may_go_on_next_time(begin, mode, tmp_path):
    choices = {"transcript": str(tmp_path)} if mode == "record" else {}
    begin(options={"budget_calls": 1}, mode=mode, **choices).expect(1000)


def test_no_budget_is_no_limit(begin):
    begin().expect(10**9)


def test_options_reach_every_client():
    options = {"budget_calls": 5, "prices": Prices(1.0, 2.0), "concurrency": 3}
    experiment = Experiment(line_up(3), Asking(0.5), options)
    assert {client.cost for client in experiment.clients.values()} == {0.0}
    assert list(experiment.clients) == list(OFFLINE) and experiment.options["concurrency"] == 3
    experiment.close()


def test_an_invalid_reply_is_counted_over_all_agents_of_a_name(begin, prompt):
    experiment = begin("gradient+nanx1")
    with pytest.raises(NoValidReply):
        experiment.agent("gradient+nanx1", prompt, 0, attempts=1)(W)
    experiment.agent("gradient+nanx1", prompt, 1)(W)
    assert experiment.outcomes("gradient+nanx1").total() >= 2


def test_a_place_that_can_not_be_written_to_is_named_before_anything_is_asked(tmp_path, watched):
    (tmp_path / "taken").write_text("not a folder")
    url, app = watched
    cast = line_up(3, model="gradient", base_url=url, mode="record", transcript=str(tmp_path / "taken"))
    with pytest.raises(OSError, match="taken"):
        Experiment(cast, Asking(0.5))
    assert not app.asked


def test_who_is_left_out_is_dropped_with_the_reason(begin):
    experiment = begin("gradient")

    def leave_out(name):
        raise LeftOut("says nothing")

    assert experiment.study(leave_out) == {} and experiment.dropped == {"gradient": "says nothing"}
