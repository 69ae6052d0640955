"""No answer is written for nobody: generation ends when the client leaves, and the server when it is told to."""

import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from urllib.parse import urlsplit

import httpx2
import pytest
import torch
from refusals import refused

from a2a.chat.hosted import Completion
from a2a.chat.server import local_server
from a2a.chat.smollm2 import Left, ends_when_left

ASKED = {"model": "toy", "prompt": "Hello"}
LIMIT = 20.0  # seconds for what takes a tenth of one, on a busy machine


class Endless:
    """An agent that writes for as long as somebody waits."""

    def __init__(self):
        self.started, self.ended = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, call):
        self.started.release()
        if call.left.wait(60):
            self.ended.release()
        return Completion("", "stop", 0, 0)


@contextmanager
def asking(base_url, agent):
    """While the toy agent writes; then the client leaves."""

    def ask():
        with pytest.raises(httpx2.TimeoutException):
            httpx2.post(f"{base_url}/completions", json=ASKED, timeout=1.0, trust_env=False)

    thread = threading.Thread(target=ask)
    thread.start()
    assert agent.started.acquire(timeout=LIMIT)
    yield
    thread.join()


def test_an_answer_ends_when_the_client_leaves(base_url, hosts):
    agent = Endless()
    hosts(agent)
    with asking(base_url, agent):
        assert not agent.ended.acquire(timeout=0.1)
    assert agent.ended.acquire(timeout=LIMIT)


def test_the_next_has_its_turn_when_the_client_leaves(base_url, http, hosts):
    agent = Endless()
    hosts(agent, one_at_a_time=True)
    with asking(base_url, agent):
        assert not agent.ended.acquire(timeout=0.1)
    assert agent.ended.acquire(timeout=LIMIT)
    hosts(lambda call: Completion("next", "stop", 0, 0), one_at_a_time=True)
    assert http(ASKED, "/completions").json()["choices"][0]["text"] == "next"


def test_who_leaves_the_queue_is_never_served(base_url, hosts):
    agent = Endless()
    hosts(agent, one_at_a_time=True)
    with asking(base_url, agent), pytest.raises(httpx2.TimeoutException):
        httpx2.post(f"{base_url}/completions", json=ASKED, timeout=0.1, trust_env=False)
    assert agent.ended.acquire(timeout=LIMIT) and not agent.started.acquire(timeout=0.5)


def test_a_server_of_a_program_ends_at_once(hosts):
    agent = Endless()
    hosts(agent)
    with local_server() as url:
        thread = threading.Thread(target=_stopped, args=(url, "toy"))
        thread.start()
        assert agent.started.acquire(timeout=LIMIT)
        started = time.monotonic()
    assert time.monotonic() - started < 10 and agent.ended.acquire(timeout=LIMIT)
    thread.join()


def test_a_request_that_is_still_on_its_way_is_told_so():
    head = "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    head += "content-length: 99\r\nexpect: 100-continue\r\n\r\n"
    with ExitStack() as open_still:
        with local_server() as url:
            connection = open_still.enter_context(socket.create_connection(("127.0.0.1", urlsplit(url).port), LIMIT))
            connection.sendall(head.encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 100 "), "it is waited for"
        answer = b"".join(iter(lambda: connection.recv(2**16), b"")).decode()
    assert answer.startswith("HTTP/1.1 503 ") and '"the server was stopped"' in answer


def _stopped(url, model):
    """Ask a server that is stopped before the answer: it says so if there is time."""
    with suppress(httpx2.RemoteProtocolError, httpx2.ReadError):
        answer = httpx2.post(f"{url}/completions", json={**ASKED, "model": model}, timeout=60, trust_env=False)
        assert refused(answer, 503) == "the server was stopped"


HOST = """
import sys
from a2a.chat import offline
from a2a.chat.server import serve

def endless(call):
    print("writing", flush=True)
    call.left.wait()

offline.OFFLINE["toy"] = offline.OfflineAgent("toy", endless, "It writes for ever.")
serve()
"""


@pytest.mark.parametrize(("told", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
def test_one_signal_ends_it_whatever_is_under_way(told, code):
    heard = partial(signal.signal, signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    command = [sys.executable, "-c", HOST]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=heard, **pipes) as process:
        url = process.stdout.readline().split()[0]
        models = ["toy", "toy", "gradient+timeout", "gradient+drip"]
        threads = [threading.Thread(target=_stopped, args=(url, model)) for model in models]
        for thread in threads:
            thread.start()
        assert [process.stdout.readline() for _ in range(2)] == ["writing\n"] * 2
        assert httpx2.get(f"{url}/models", trust_env=False).status_code == 200
        started = time.monotonic()
        process.send_signal(told)
        assert process.communicate(timeout=LIMIT) == ("", "") and process.returncode == code
        assert time.monotonic() - started < 10  # 2 s, and what a busy machine adds
        for thread in threads:
            thread.join()


DEAF = """
import time
from a2a.__main__ import main
from a2a.chat import offline

def deaf(call):
    print("writing", flush=True)
    time.sleep(60)

offline.OFFLINE["toy"] = offline.OfflineAgent("toy", deaf, "It doesn't look whether somebody waits.")
main(["serve", "--port", "0"])
"""


def test_an_agent_that_cannot_be_stopped_does_not_hold_the_command():
    heard = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", DEAF], preexec_fn=heard, **pipes) as process:
        thread = threading.Thread(target=_stopped, args=(process.stdout.readline().split()[0], "toy"))
        thread.start()
        assert process.stdout.readline() == "writing\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=LIMIT) == ("", "") and process.returncode == 0
        thread.join()


def test_a_model_stops_in_the_middle_of_a_step():
    left, seen = threading.Event(), []
    model = torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(3)))
    model[1].register_forward_hook(lambda *_: seen.append(1) or left.set())
    with ends_when_left(model, left), pytest.raises(Left):
        model(torch.zeros(2))
    assert seen == [1]
    assert model(torch.zeros(2)).shape == (2,), "the model is whole again afterwards"
