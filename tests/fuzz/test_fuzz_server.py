"""Whatever the local server is sent, it answers with a completion or with an error as OpenAI words it."""

import json
import re
import socket
from urllib.parse import urlsplit

import httpx2
import pytest
from fuzzing import fuzzed
from hypothesis import example, given
from hypothesis import strategies as st
from refusals import refused

from a2a.chat.application import application
from a2a.chat.faults import CONTENT
from a2a.chat.protocol import Form, schema
from a2a.chat.server import local_server
from a2a.chat.wire import Chat, Continue

PATHS = ["/v1/chat/completions", "/v1/completions", "/v1/models"]
ASKED = [
    "gradient",
    "softmax-icl",
    "gradient:noise=0.1",
    "gradient:eta=0,digits=3",
    "gradient+429x1",
    "gradient+no_seed",
]
CHAT = {"model": "gradient", "messages": [{"role": "user", "content": "Hello"}]}
TEXT = {"model": "gradient", "prompt": "Hello"}


@pytest.fixture(scope="module")
def url():
    with local_server(app=application()) as base_url:
        yield base_url.removesuffix("/v1")


@pytest.fixture(scope="module")
def client(url):
    with httpx2.Client(base_url=url, trust_env=False, timeout=60) as client:
        yield client


def fine(answer):
    """Whether an answer is one of the two kinds."""
    if answer.status_code != 200:
        assert answer.status_code < 500 or "injected status" in answer.text
        return refused(answer, answer.status_code, answer.json()["error"]["param"])
    if answer.headers["content-type"].startswith("text/event-stream"):
        *events, done, rest = answer.text.split("\n\n")
        assert (done, rest) == ("data: [DONE]", "")
        return [json.loads(event.removeprefix("data: "))["choices"] for event in events]
    body = answer.json()
    return body["data"] if body["object"] == "list" else body["choices"][0]["finish_reason"]


def parts(table):
    """Any of the entries of a table of strategies."""
    return st.fixed_dictionaries({}, optional=table)


numbers = st.one_of(
    st.floats(), st.floats(-10, 10), st.integers(), st.integers(-3, 3), st.sampled_from([10**400, 1e308, -0.0, 5e-324])
)
junk = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
pieces = (
    "x_1 = [|x = [1, 2], y = 3|], y_1 = |Current w = [|eta = | digits after the decimal point|]|,|x = [1], y = 1\n|"
)
pieces += f"x = [1,2,3], y = 1\n|current w = [0.5, -1, 2]|current w = [1]|-|1e|nan|inf|1e308|1e-320|{'0' * 400}|\x00"
words = st.sampled_from(pieces.split("|"))
vectors = st.lists(numbers, min_size=1, max_size=4).map(lambda values: f"[{', '.join(map(str, values))}]")
tasks = st.builds(
    lambda rows, w, eta, digits: "\n".join(
        [
            *(f"x = {x}, y = {y}" for x, y in rows),
            f"current w = {w}, eta = {eta}, {digits} digits after the decimal point",
        ]
    ),
    st.lists(st.tuples(vectors, numbers), min_size=1, max_size=4),
    vectors,
    numbers,
    st.integers(0, 10**12),
)
texts = st.one_of(st.text(max_size=30), st.lists(words | numbers.map(str), max_size=8).map("".join), tasks)
names = st.one_of(
    st.sampled_from(ASKED),
    st.sampled_from([*CONTENT, "404", "503", "quota", "nosuch", ""]).map("gradient+{}".format),
    st.tuples(st.sampled_from(["noise", "digits", "eta", "nosuch"]), numbers).map(
        lambda one: f"gradient:{one[0]}={one[1]}"
    ),
    st.text(max_size=12).map("gradient:{}".format),
    st.text(max_size=12),
)
formats = st.one_of(
    junk,
    st.builds(lambda d, room: schema(Form(0.5, room=room), d), st.integers(0, 4), st.booleans()).map(
        lambda answer: {"type": "json_schema", "json_schema": {"name": "answer", "schema": answer}}
    ),
)
content = texts | st.lists(st.builds(lambda text: {"type": "text", "text": text}, texts), max_size=2) | junk
message = st.fixed_dictionaries({"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": content})
likely = parts(
    {
        "max_tokens": numbers,
        "temperature": numbers,
        "top_p": numbers,
        "seed": st.integers(),
        "stream": st.booleans(),
        "stream_options": st.just({"include_usage": True}) | junk,
        "response_format": formats,
        "n": st.integers(0, 2),
    }
)
any_field = st.sampled_from(sorted({*Chat.model_fields, *Continue.model_fields, "schema_", "__class__"}))
unlikely = st.dictionaries(any_field | st.text(max_size=8), junk, max_size=2)
chats = st.builds(
    lambda model, messages, *more: {"model": model, "messages": messages, **more[0], **more[1]},
    names,
    st.lists(message, min_size=1, max_size=3),
    likely,
    unlikely,
)
completions = st.builds(
    lambda model, prompt, *more: {"model": model, "prompt": prompt, **more[0], **more[1]},
    names,
    texts,
    likely,
    unlikely,
)


@fuzzed(60)
@given(chats)
@example({**CHAT, "model": "gradient:\ud800=1"})
@example({**CHAT, "messages": [{"role": "user", "content": "\udfff"}]})
@example({**CHAT, "messages": [{"role": "user", "content": "x = [1e308], y = 1e308, current w = [1e308]"}]})
@example({**CHAT, "max_tokens": -5})
def test_any_chat(client, body):
    fine(client.post(PATHS[0], content=json.dumps(body), headers={"content-type": "application/json"}))


@fuzzed(60)
@given(completions)
def test_any_completion(client, body):
    fine(client.post(PATHS[1], content=json.dumps(body), headers={"content-type": "application/json"}))


@fuzzed(40)
@given(st.sampled_from(["gradient", "softmax-icl"]), tasks, st.booleans())
def test_any_task(client, model, text, stream):
    """Numbers of every size: a step or a refusal, never a failure."""
    fine(client.post(PATHS[1], json={"model": model, "prompt": text, "stream": stream}))


@st.composite
def broken(draw):
    """A body with some bytes cut out, put in or turned."""
    body = bytearray(json.dumps(draw(st.sampled_from([CHAT, TEXT]))).encode())
    for _ in range(draw(st.integers(1, 4))):
        at, more = draw(st.integers(0, len(body))), draw(st.binary(max_size=4))
        body[at : at + draw(st.integers(0, 4))] = more
    return bytes(body)


@fuzzed(40)
@given(broken() | st.binary(max_size=40))
def test_any_bytes_as_the_body(client, body):
    fine(client.post(PATHS[0], content=body, headers={"content-type": "application/json"}))


methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "QUERY"])
paths = st.sampled_from([*PATHS, "/", "/v1", "/v1/models/"]) | st.text("/v1.%?#[]:@é\\ ", max_size=12).map("/{}".format)
header = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20).map(
    str.strip
)
headers = parts(
    {
        "host": header | st.sampled_from(["localhost", "[::1]", "evil.example"]),
        "origin": header,
        "content-type": header | st.just("application/json"),
        "authorization": header,
        "content-encoding": header,
        "expect": st.just("100-continue"),
        "connection": st.sampled_from(["upgrade", "keep-alive"]),  # closed early, an answer may be lost on its way
        "upgrade": st.just("websocket"),
    }
)


@fuzzed(60)
@given(methods, paths, headers, st.binary(max_size=10))
def test_any_method_path_and_headers(url, client, method, path, headers, body):
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    fine(client.request(method, f"{url}{path}", content=body, headers=encoded))


heads = b"GET /v1/models HTTP/1.1|POST /v1/completions HTTP/1.1|host: localhost|content-type: application/json|"
heads += (
    b"content-length: 2|content-length: 99|transfer-encoding: chunked| folded|GET / HTTP/1.0|PRI * HTTP/2.0||0\r\n|2"
)
lines = st.sampled_from([*(line + b"\r\n" for line in heads.split(b"|")), b"\n", b"{}", b'{"model": "gradient"}'])


@fuzzed(40)
@given(st.lists(lines | st.binary(max_size=6), max_size=10).map(b"".join))
def test_any_bytes_on_the_line(url, client, sent):
    with socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=60) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        came = b"".join(iter(lambda: connection.recv(2**16), b"")).decode()
    statuses = re.findall(r"^HTTP/1\.1 (\d{3}) ", came, re.MULTILINE)
    assert (not came or statuses) and not any(status.startswith("5") for status in statuses)
    assert "Internal Server Error" not in came and '"detail"' not in came
    assert client.get(PATHS[2]).status_code == 200
