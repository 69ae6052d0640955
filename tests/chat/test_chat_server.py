import signal
import socket
import subprocess
import sys

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


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'{"model": "gradient"}', b'{"model": 3}', b'{"model": "gradient", "messages": [{}]}', b"\xff"],
)
def test_what_is_no_request(base_url, body):
    answer = httpx2.post(f"{base_url}/chat/completions", content=body, trust_env=False)
    assert answer.status_code == 400 and answer.json()["error"]["message"].startswith("not a request")


def test_streaming_is_declined(official, text):
    with pytest.raises(openai.BadRequestError, match="does not stream"):
        official.completions.create(model="gradient", prompt=text, stream=True)


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


def test_a_page_of_the_web_cannot_ask_it(base_url):
    answer = httpx2.get(f"{base_url}/models", headers={"host": "evil.example"}, trust_env=False)
    assert answer.status_code == 400


def test_a_port_that_is_taken(base_url):
    port = int(base_url.split(":")[2].split("/")[0])
    with pytest.raises(OSError, match="in use"), local_server(port):
        pass


def test_it_is_gone_afterwards():
    with local_server() as url:
        assert httpx2.get(f"{url}/models", trust_env=False).status_code == 200
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{url}/models", trust_env=False)


def test_served_until_interrupted():
    command = [sys.executable, "-c", "from a2a.chat.server import serve; serve()"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().split()[0]
        assert httpx2.get(f"{url}/models", trust_env=False).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20) == ("", "") and process.returncode == 0


def test_names_are_taken_apart():
    name = parse_name("gradient:noise=0.1,digits=3+429x2+cutx1+refusal")
    assert (name.base, name.options) == ("gradient", {"noise": 0.1, "digits": 3.0})
    assert [name.fault(call) for call in range(5)] == ["429", "429", "cut", "refusal", "refusal"]
    assert parse_name("gradient").fault(0) is None


@pytest.mark.parametrize(
    "name", ["gradient+nosuch", "gradient:noise", "gradient:noise=much", "gradient+", "gradient+12"]
)
def test_names_that_make_no_sense(name):
    with pytest.raises(Declined):
        parse_name(name)
