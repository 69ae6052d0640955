"""A key is nowhere: in no file that a run writes, no log, no exception, not even when the server repeats it."""

import subprocess
import sys

import pytest

from a2a.chat import ChatClient
from a2a.chat.server import application, local_server

KEY = "planted-0123456789abcdef"  # not every key looks like one

RUN = """
import logging, sys, traceback
import numpy as np
logging.basicConfig(level=logging.DEBUG, filename="debug.log")
from a2a import sample_prompt
from a2a.chat import ChatAgent, ChatClient, Transcripts

rng = np.random.default_rng(0)
prompt = sample_prompt(rng, 12, 3, rng.standard_normal(3))
for fault in sys.argv[2].split(","):
    client = ChatClient(sys.argv[1], transcripts=Transcripts("calls.jsonl"), mode="record", retries=1, backoff=0.01,
                        timeout=1.5)
    agent = ChatAgent(client, prompt, 0.5, model=f"gradient+{fault}", attempts=1)
    print(client, client.endpoint, vars(client), vars(agent))
    print(vars(client.endpoint), vars(client.endpoint.connection), vars(client.endpoint.connection.server))
    try:
        print(agent(np.zeros(3)))
    except Exception:
        print("FAILED:", fault)
        for line in traceback.TracebackException(*sys.exc_info(), capture_locals=True).format():
            print(line)
"""
FAULTS = ("prose", "429", "500", "timeout", "cut", "garbage", "page", "refusal", "400", "403")


class Parrot:
    """Repeats the key where a server could: in a refusal, an error, a header and an answer."""

    def __init__(self, app, spell=lambda said: said):
        self.app, self.spell = app, spell
        self.heard = 0

    async def __call__(self, scope, receive, send):
        said = dict(scope["headers"]).get(b"authorization", b"").removeprefix(b"Bearer ")
        self.heard += said == KEY.encode()

        spelled = self.spell(said)

        async def repeat(message):
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if name != b"content-length"]
                message = {**message, "headers": [*kept, (b"x-request-id", said)]}
            elif message["type"] == "http.response.body":
                message = {**message, "body": message.get("body", b"").replace(b"injected", spelled + b" injected")}
                message["body"] = message["body"].replace(b"Here you are", spelled + b" is your key. Here you are")
            await send(message)

        await self.app(scope, receive, repeat)


def _run(folder, url, faults, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_LOG", "debug")
    with (folder / "printed.txt").open("w") as printed:
        command = [sys.executable, "-c", RUN, url, ",".join(faults)]
        subprocess.run(command, cwd=folder, stdout=printed, stderr=subprocess.STDOUT, check=True, timeout=60)
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != "calls.jsonl.lock")
    return {file.name: file.read_bytes() for file in files}


SPELLINGS = {
    "plain": lambda said: said,
    "escaped": lambda said: b"".join(b"\\u%04x" % c for c in said),  # JSON's other way to write the same
    "escaped twice": lambda said: b"".join(b"\\\\u%04X" % c for c in said),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS.keys())
def test_a_planted_key_is_in_no_file(tmp_path, monkeypatch, spell):
    parrot = Parrot(application(), spell)
    with local_server(app=parrot) as url:
        written = _run(tmp_path, url, FAULTS, monkeypatch)
    assert parrot.heard > len(FAULTS)  # it was sent and repeated
    assert {"calls.jsonl", "printed.txt", "debug.log"} == written.keys() and all(written.values())
    assert (
        written["printed.txt"].count(b"FAILED: ") == len(FAULTS) - 1
        and b"[removed] is your key" in written["calls.jsonl"]
    )
    assert not [name for name, content in written.items() if KEY.encode() in content]


@pytest.mark.parametrize("url", [f"http://me:{KEY}@127.0.0.1/v1", f"http://127.0.0.1/v1?token={KEY}"])
def test_credentials_in_the_url_are_refused_and_not_shown(url):
    with pytest.raises(ValueError, match="without user, password and query") as caught:
        ChatClient(url)
    assert KEY not in str(caught.value)


def test_what_looks_like_a_key_is_removed_too(monkeypatch):
    """As when a server answers with a part of the key."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server = ChatClient("http://127.0.0.1:1/v1").endpoint.connection.server
    assert server._scrub(f"key {KEY}, sk-pl**********cdef.") == "key [removed], [removed]"
