import socket

import httpx2
import openai
import pytest

from a2a.chat.faults import parse_name
from a2a.chat.hosted import Declined
from a2a.chat.offline import OFFLINE, available
from a2a.chat.protocol import Form, messages
from a2a.chat.server import local_server, serve


@pytest.fixture
def official(base_url):
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def text(prompt):
    return messages(Form(0.5), prompt.X, prompt.y, prompt.theta)[-1]["content"]


def test_it_says_what_it_hosts(official):
    assert [model.id for model in official.models.list()] == available()
    assert {"gradient", "softmax-icl"} <= set(available()) <= set(OFFLINE)


def test_a_chat_as_the_official_client_reads_it(official, text):
    reply = official.chat.completions.create(model="gradient", messages=[{"role": "user", "content": text}])
    assert reply.choices[0].message.content.startswith('{"w": [') and reply.choices[0].finish_reason == "stop"
    assert reply.model == "gradient@1" and reply.usage.total_tokens > 300


def test_a_completion_as_the_official_client_reads_it(official, text):
    reply = official.completions.create(model="gradient", prompt=text, max_tokens=4)
    assert len(reply.choices[0].text) < 8 and reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 4


def test_what_is_no_task_gets_words(official):
    reply = official.completions.create(model="gradient", prompt="Hello")
    assert reply.choices[0].text.startswith("There is no regression task")


def test_an_unknown_model(official):
    with pytest.raises(openai.NotFoundError, match="gradient, softmax-icl"):
        official.completions.create(model="gpt-5-mini", prompt="")


def test_a_dimension_that_the_softmax_transformer_never_saw(official, rng):
    text = messages(Form(0.5), rng.standard_normal((12, 4)), rng.standard_normal(12), rng.standard_normal(4))
    with pytest.raises(openai.BadRequestError, match="trained for d = 3, the task has d = 4"):
        official.chat.completions.create(model="softmax-icl", messages=text)


def test_equal_seeds_draw_equal_noise(official, text):
    def asked(**options):
        return official.completions.create(model="gradient:noise=0.5", prompt=text, **options).choices[0].text

    assert asked(seed=1) == asked(seed=1) != asked(seed=2)
    assert asked() != asked()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.org", "::", ""])
def test_it_is_for_this_machine_only(host):
    with pytest.raises(ValueError, match="for this machine only"), local_server(host=host):
        pass
    with pytest.raises(ValueError, match="for this machine only"):
        serve(host)


def test_it_listens_nowhere_else(base_url):
    port = int(base_url.split(":")[2].split("/")[0])
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", port), timeout=1):
        pass


def test_a_port_that_is_taken(base_url):
    port = int(base_url.split(":")[2].split("/")[0])
    with pytest.raises(OSError, match="in use"), local_server(port):
        pass


def test_it_is_gone_afterwards():
    with local_server() as url:
        assert httpx2.get(f"{url}/models", trust_env=False).status_code == 200
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{url}/models", trust_env=False)


def test_names_are_taken_apart():
    name = parse_name("gradient:noise=0.1,digits=3+429x2+cutx1+refusal")
    assert (name.base, name.options) == ("gradient", {"noise": 0.1, "digits": 3.0})
    assert [name.fault(call) for call in range(5)] == ["429", "429", "cut", "refusal", "refusal"]
    assert parse_name("gradient").fault(0) is None


@pytest.mark.parametrize(
    "name",
    [
        f"gradient{rest}"
        for rest in ("+nosuch", ":noise", ":noise=much", "+", "+12", "+204", "+999", "+٤٠٠", "+429x99999999999")
    ],
)
def test_names_that_make_no_sense(name):
    with pytest.raises(Declined) as caught:
        parse_name(name)
    assert caught.value.parameter == "model"
