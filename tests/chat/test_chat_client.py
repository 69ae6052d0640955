import json

import numpy as np
import pytest

from a2a.chat import (
    BudgetExhausted,
    CallFailed,
    ChatAgent,
    ChatClient,
    NoValidReply,
    Prices,
    ReplayMiss,
    Settings,
    TranscriptError,
    Transcripts,
)
from a2a.sealed import sealed

W = np.linspace(-1, 1, 30).reshape(10, 3)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "calls.jsonl"


@pytest.fixture
def recording(watched, file):
    """A client that records, anew at each call, with the same file and server."""

    def recording(**options):
        return ChatClient(watched[0], transcripts=Transcripts(file), mode="record", backoff=0.01, **options)

    return recording


def _agent(client, prompt, **options):
    return ChatAgent(client, prompt, 0.5, **{"model": "gradient", **options})


def test_a_second_run_asks_nothing(recording, watched, prompt):
    first = _agent(recording(), prompt)(W)
    client = recording()
    assert (_agent(client, prompt)(W) == first).all()
    assert len(watched[1].asked) == 10 and client.spent.calls == 0 and client.replayed.replies == 10


def test_replay_needs_no_server_and_gives_the_same(recording, file, prompt):
    first = _agent(recording(), prompt)(W)
    client = ChatClient(transcripts=Transcripts(file), mode="replay")
    agent = _agent(client, prompt)
    assert (agent(W) == first).all() and agent.counts == {"valid": 10} and client.spent.calls == 0


def test_a_miss_in_replay_names_the_request_and_asks_nobody(recording, watched, file, prompt):
    _agent(recording(), prompt)(W)
    client = ChatClient(watched[0], transcripts=Transcripts(file), mode="replay")
    with pytest.raises(ReplayMiss, match=r"model gradient.*isn't in calls.jsonl; replay makes no calls") as caught:
        _agent(client, prompt)(W + 1)
    assert caught.value.request.model == "gradient" and len(watched[1].asked) == 10


@pytest.mark.parametrize("change", [{"digits": 3}, {"settings": Settings(seed=1)}, {"room": True}, {"model": "other"}])
def test_another_question_is_another_call(recording, file, prompt, change):
    _agent(recording(), prompt)(W)
    with pytest.raises(ReplayMiss):
        _agent(ChatClient(transcripts=Transcripts(file), mode="replay"), prompt, **change)(W)


def test_a_repeated_question_is_a_call_of_its_own(recording, watched, file, prompt):
    agent = _agent(recording(), prompt, model="gradient:noise=0.1")
    first, again = agent(W), agent(W)
    assert len(watched[1].asked) == 20 and (first != again).any()
    replay = _agent(ChatClient(transcripts=Transcripts(file), mode="replay"), prompt, model="gradient:noise=0.1")
    assert (replay(W) == first).all() and (replay(W) == again).all()


def test_a_budget_of_calls_stops_cleanly_and_the_next_run_goes_on(recording, watched, file, prompt):
    with pytest.raises(BudgetExhausted, match="budget of 4 calls is used up"):
        _agent(recording(budget_calls=4), prompt)(W)
    assert len(watched[1].asked) == len(Transcripts(file)) == 4
    client = recording(budget_calls=6)
    _agent(client, prompt)(W)
    assert len(watched[1].asked) == len(Transcripts(file)) == 10 and client.replayed.replies == 4


def test_retries_count_towards_the_budget(recording, watched, prompt):
    with pytest.raises(BudgetExhausted):
        _agent(recording(budget_calls=3), prompt, model="gradient+500")(W[0])
    assert len(watched[1].asked) == 3


def test_a_budget_of_tokens_stops_after_the_calls_under_way(recording, watched, file, prompt):
    client = recording(budget_tokens=1, concurrency=3)
    with pytest.raises(BudgetExhausted, match="budget of 1 tokens"):
        _agent(client, prompt)(W)
    assert len(watched[1].asked) == len(Transcripts(file)) == 3
    assert client.spent.tokens > 3 * 300


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_calls_at_once_than_allowed(watched, prompt, limit):
    _agent(ChatClient(watched[0], concurrency=limit), prompt)(W)
    assert watched[1].most == limit


def test_what_a_record_holds(recording, watched, file, prompt):
    agent = _agent(recording(), prompt, settings=Settings(temperature=0.5, seed=3, max_tokens=200), room=True)
    agent(W[0])
    (record,) = [json.loads(line) for line in file.read_text().splitlines()]
    assert record["request"]["base_url"] == watched[0]
    assert record["request"]["settings"].keys() == {"temperature", "seed", "max_tokens", "schema"}
    assert record["reply"]["model"] == "gradient@1" and record["outcome"] == "valid" and record["error"] is None
    assert record["usage"]["prompt_tokens"] > 300 and record["time"].endswith("+00:00") and record["seconds"] > 0
    sent = watched[1].asked[0]
    assert (sent["temperature"], sent["max_completion_tokens"]) == (0.5, 200) and sent["seed"] != 3
    assert sent["response_format"]["json_schema"]["schema"]["required"] == ["reasoning", "w"]


def test_failures_are_recorded_and_asked_again(recording, watched, file, prompt):
    with pytest.raises(CallFailed):
        _agent(recording(retries=1), prompt, model="gradient+429x3")(W[0])
    errors = [json.loads(line)["error"] for line in file.read_text().splitlines()]
    assert len(errors) == 2 and all("429" in error for error in errors)
    with pytest.raises(ReplayMiss, match=r"only as failed .*429"):
        _agent(ChatClient(transcripts=Transcripts(file), mode="replay"), prompt, model="gradient+429x3")(W[0])
    _agent(recording(retries=1), prompt, model="gradient+429x3")(W[0])
    assert len(watched[1].asked) == 4


def test_a_refusal_is_recorded_and_not_served_as_the_answer(recording, watched, file, prompt):
    """The first run gives up after two refusals; the next one asks on, and repeats neither."""
    name = "gradient+refusalx2"
    with pytest.raises(NoValidReply):
        _agent(recording(), prompt, model=name, attempts=2)(W[0])
    agent = _agent(recording(), prompt, model=name, attempts=2)
    answer = agent(W[0])
    assert len(watched[1].asked) == 3 and agent.counts == {"refusal": 2, "valid": 1}
    replay = _agent(ChatClient(transcripts=Transcripts(file), mode="replay"), prompt, model=name, attempts=2)
    assert (replay(W[0]) == answer).all() and replay.counts == agent.counts


def test_replay_gives_up_where_the_recorded_run_did(recording, file, prompt):
    name = "gradient+refusalx1+nan"
    with pytest.raises(NoValidReply) as first:
        _agent(recording(), prompt, model=name, attempts=2)(W[0])
    with pytest.raises(NoValidReply) as again:
        _agent(ChatClient(transcripts=Transcripts(file), mode="replay"), prompt, model=name, attempts=2)(W[0])
    assert str(first.value) == str(again.value)


def test_invalid_replies_are_not_paid_for_twice(recording, watched, prompt):
    for _ in range(2):
        with pytest.raises(NoValidReply, match="too large"):
            _agent(recording(), prompt, model="gradient+huge", attempts=2)(W[0])
    assert len(watched[1].asked) == 2


def test_an_error_of_one_leaves_the_others_recorded(recording, file, prompt):
    with pytest.raises(NoValidReply):
        _agent(recording(concurrency=1), prompt, model="gradient+nanx1", attempts=1)(W)
    assert Transcripts(file).outcomes() == {"gradient+nanx1": {"valid": 9, "invalid: not finite": 1}}


def test_a_model_that_changed_under_its_name_is_noticed(recording, file, prompt):
    _agent(recording(), prompt)(W[0])
    record = json.loads(file.read_text().replace("gradient@1", "gradient@0"))
    file.write_bytes(sealed({name: value for name, value in record.items() if name != "digest"}))
    with pytest.raises(TranscriptError, match="gradient@0 at loopback, now it is gradient@1"):
        _agent(recording(), prompt)(W[1])


def test_cost(watched, prompt):
    client = ChatClient(watched[0], prices=Prices(prompt=2.0, completion=10.0))
    _agent(client, prompt)(W)
    assert client.cost == pytest.approx((2 * client.spent.prompt_tokens + 10 * client.spent.completion_tokens) / 1e6)
    assert ChatClient(watched[0]).cost is None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"mode": "cached"}, "mode must be"),
        ({"mode": "record"}, "needs transcripts"),
        ({"mode": "replay"}, "needs transcripts"),
        ({"base_url": None}, "needs a base_url"),
    ],
)
def test_options_that_make_no_sense(options, says, untyped):
    with pytest.raises(ValueError, match=says):
        ChatClient(**{"base_url": "http://127.0.0.1:1/v1", **options})


def test_a_budget_in_dollars_is_one_for_all_runs_that_record(recording, watched, file, prompt):
    """What the recording has cost counts: the command again goes no further, and with a higher limit it goes on."""
    options = {"prices": Prices(prompt=1e4, completion=1e4), "concurrency": 1}
    one = ChatClient(watched[0], transcripts=Transcripts(file.with_name("one.jsonl")), mode="record", **options)
    _agent(one, prompt)(W[0])
    limit = 2.5 * one.cost
    for _ in range(2):
        with pytest.raises(BudgetExhausted, match="US dollars is used up"):
            _agent(recording(budget_dollars=limit, **options), prompt)(W)
        assert len(Transcripts(file)) == 3, "no call once the limit is passed, and what is paid for is kept"
    assert len(_agent(recording(budget_dollars=100 * limit, **options), prompt)(W)) == 10
    assert len(watched[1].asked) == 11 and len(Transcripts(file)) == 10


def test_a_budget_in_dollars_without_prices_asks_nothing(recording, watched):
    with pytest.raises(ValueError, match="needs both prices"):
        recording(budget_dollars=5.0, prices=Prices(0.0, 0.0))
    assert not watched[1].asked
