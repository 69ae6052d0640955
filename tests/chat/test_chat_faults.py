"""Every fault, through the real client against the real server: a retry, or a clear error in one line."""

import numpy as np
import pytest

from a2a.chat import CallFailed, ChatAgent, ChatClient, ChatError, NoValidReply, RequestRejected
from a2a.chat.faults import CONTENT, TRANSPORT

PASSING = ["429x2", "500x2", "503x1", "408x1", "timeoutx1", "cutx2", "garbagex2", "pagex1", "nochoicesx1", "dripx1"]
LASTING = {
    "429": "429 - injected",
    "500": "500 - injected",
    "timeout": "no complete answer within 0.4 s",
    "drip": "no complete answer within 0.4 s",
    "cut": "connection failed: peer closed connection",
    "garbage": "isn't a chat completion",
    "page": "isn't a chat completion",
    "nochoices": "isn't a chat completion",
}
REJECTED = ["400", "401", "403", "404", "422", "quota"]
REPAIRED = ["fenced", "prose", "brackets", "reasoning"]
NO_ANSWER = {
    "nan": "invalid: not finite",
    "huge": "invalid: too large",
    "short": "invalid: wrong length",
    "nothing": "invalid: nothing found",
    "empty": "invalid: empty",
    "length": "cut off",
    "refusal": "refusal",
}


def test_every_fault_is_tried_here():
    tried = {name.split("x")[0] for name in PASSING} | {*LASTING, *REJECTED, *REPAIRED, *NO_ANSWER}
    assert {*TRANSPORT, *CONTENT} <= tried


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_failure_is_retried(ask, fault):
    agent, answer = ask(f"gradient+{fault}")
    times = int(fault[-1])
    assert np.isfinite(answer).all()
    assert (agent.client.spent.calls, agent.client.spent.failed, agent.client.spent.replies) == (times + 1, times, 1)


@pytest.mark.parametrize(("fault", "says"), LASTING.items())
def test_a_lasting_failure_is_one_clear_line(ask, fault, says):
    agent, error = ask(f"gradient+{fault}")
    assert type(error) is CallFailed and says in str(error) and "tried 3 times" in str(error)
    assert "\n" not in str(error) and agent.client.spent.calls == 3


@pytest.mark.parametrize("fault", REJECTED)
def test_what_the_server_rejects_is_asked_once(ask, fault):
    agent, error = ask(f"gradient+{fault}")
    assert type(error) is RequestRejected and agent.client.spent.calls == 1
    assert "\n" not in str(error) and error.__cause__ is None


@pytest.mark.parametrize("fault", REPAIRED)
def test_a_badly_packed_answer_is_unpacked(ask, fault):
    agent, answer = ask(f"gradient+{fault}")
    assert (answer == ask("gradient")[1]).all()
    (name,) = agent.counts
    assert name.startswith("repaired")


@pytest.mark.parametrize(("fault", "name"), NO_ANSWER.items())
def test_no_answer_is_counted_and_named(ask, fault, name):
    agent, error = ask(f"gradient+{fault}", attempts=2)
    assert type(error) is NoValidReply and agent.counts == {name: 2}
    assert [outcome.name for outcome in error.outcomes] == [name, name] and f"2 attempts: {name}" in str(error)


def test_one_more_attempt_may_succeed(ask):
    agent, answer = ask("gradient+refusalx1+nanx1")
    assert agent.counts == {"refusal": 1, "invalid: not finite": 1, "valid": 1}
    assert (answer == ask("gradient")[1]).all()


@pytest.mark.parametrize("setting", ["response_format", "seed", "temperature", "reasoning_effort"])
def test_a_setting_that_is_not_taken_is_left_out_once(ask, setting):
    from a2a.chat import Settings

    chosen = Settings(temperature=0.3, reasoning_effort="low")
    agent, answer = ask(f"gradient+no_{setting}", settings=chosen)
    assert np.isfinite(answer).all()
    assert agent.client.spent.calls == 2 and list(*agent.client.endpoint.not_taken.values()) == [setting]
    agent(answer)
    assert agent.client.spent.calls == 3


def test_a_setting_that_is_not_taken_in_the_middle_of_a_batch(base_url, prompt):
    """Calls under way learn it each for itself, later ones go without."""
    client = ChatClient(base_url, concurrency=4)
    agent = ChatAgent(client, prompt, 0.5, model="gradient+no_response_format+prose")
    assert agent(np.zeros((12, 3))).shape == (12, 3)
    assert 1 <= client.spent.failed <= 4 and client.spent.replies == 12


def test_the_token_limit_is_sent_under_the_name_that_is_taken(ask):
    from a2a.chat import Settings

    agent, error = ask("gradient+no_max_completion_tokens", settings=Settings(max_tokens=5), attempts=1)
    assert type(error) is NoValidReply and agent.counts == {"cut off": 1}


def test_a_wrong_key_stops_at_once(prompt, monkeypatch):
    from a2a.chat.server import local_server

    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-but-secret")
    with local_server(key="right") as url:
        client = ChatClient(url, concurrency=1)
        with pytest.raises(RequestRejected, match=r"401 - Incorrect API key.*is OPENAI_API_KEY right\?") as caught:
            ChatAgent(client, prompt, 0.5, model="gradient")(np.zeros((20, 3)))
    assert client.spent.calls == 1
    assert len(str(caught.value).splitlines()) == 1 and "secret" not in str(caught.value)


def test_no_server_at_all(prompt):
    client = ChatClient("http://127.0.0.1:9/v1", backoff=0.01, retries=1)
    with pytest.raises(CallFailed, match="connection failed"):
        ChatAgent(client, prompt, 0.5, model="gradient")(np.zeros(3))


def test_a_remote_server_needs_a_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ChatError, match="set the environment variable OPENAI_API_KEY"):
        ChatClient("https://api.example.org/v1")


@pytest.mark.parametrize("url", ["api.openai.com/v1", "file:///etc/passwd", ""])
def test_what_is_no_url(url):
    with pytest.raises(ValueError, match="base_url must be like"):
        ChatClient(url)
