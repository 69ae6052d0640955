import asyncio
import json

import httpx2
import numpy as np
import pytest

from a2a import sample_prompt
from a2a.chat import ChatAgent, ChatClient, offline
from a2a.chat.server import application, local_server


def pytest_configure(config):
    config.addinivalue_line("markers", "smollm2: loads a real language model; takes a minute, run with -m smollm2")


def pytest_collection_modifyitems(config, items):
    if "smollm2" not in config.option.markexpr:
        for item in items:
            if item.get_closest_marker("smollm2"):
                item.add_marker(pytest.mark.skip(reason="run with -m smollm2"))


FAST = {"backoff": 0.02, "timeout": 0.4, "retries": 2}


@pytest.fixture(scope="session")
def base_url():
    with local_server() as url:
        yield url


@pytest.fixture
def prompt(rng):
    return sample_prompt(rng, 12, 3, rng.standard_normal(3))


@pytest.fixture
def ask(base_url, prompt):
    """Ask a model once: the agent, and w or the error. A name's counted faults are used up by its first call."""

    def ask(model, **options):
        agent = ChatAgent(ChatClient(base_url, **FAST), prompt, 0.5, model=model, **options)
        try:
            return agent, agent(np.array([0.5, -1.0, 0.25]))
        except Exception as error:
            return agent, error

    return ask


class Watched:
    """The local server's application, with a look at what it is asked and at how many calls are under way at once."""

    def __init__(self, app, pause=0.0):
        self.app, self.pause = app, pause
        self.asked = []
        self.under_way = self.most = 0

    async def __call__(self, scope, receive, send):
        body = b""

        async def listen():
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            if message["type"] == "http.request" and not message.get("more_body"):
                self.asked.append(json.loads(body))
                await asyncio.sleep(self.pause)
            return message

        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.app(scope, listen, send)
        finally:
            self.under_way -= 1


@pytest.fixture
def watched():
    """A server of its own and what it was asked."""
    app = Watched(application(), pause=0.01)
    with local_server(app=app) as url:
        yield url, app


@pytest.fixture(scope="session")
def http(base_url):
    """Asks the local server over HTTP: `http(body)` posts a chat, other things by name."""
    with httpx2.Client(base_url=base_url, trust_env=False, timeout=60) as client:

        def ask(body=None, path="/chat/completions", method="POST", **more):
            if isinstance(body, bytes):
                more = {"content": body, "headers": {"content-type": "application/json"}, **more}
            elif body is not None:
                more["json"] = body
            return client.request(method, f"{base_url}{path}", **more)

        yield ask


@pytest.fixture
def hosts(monkeypatch):
    """Has the local server host an agent "toy" that answers as told."""

    def hosts(answer, **more):
        monkeypatch.setitem(offline.OFFLINE, "toy", offline.OfflineAgent("toy", answer, "It does as told.", **more))

    return hosts
