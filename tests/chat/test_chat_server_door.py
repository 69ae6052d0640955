"""Who may ask the local server, and for what; who may not gets an error as OpenAI words it."""

import json

import httpx2
import pytest
from refusals import refused

from a2a.chat.server import local_server

HELLO = {"model": "gradient", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "http://127.0.0.1", ""])
def test_a_page_of_the_web_cannot_ask(http, origin):
    assert "no pages of the web" in refused(http(HELLO, headers={"origin": origin}), 403)


def test_a_page_of_its_own_could(http, base_url):
    own = base_url.removesuffix("/v1")
    assert http(HELLO, headers={"origin": own}).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonp"])
def test_what_a_page_can_send_unasked_is_not_read(http, kind):
    answer = http(json.dumps(HELLO).encode(), headers={"content-type": kind})
    assert "must be application/json" in refused(answer, 415)


def test_json_may_name_its_character_set(http):
    kind = "application/json; charset=utf-8"
    assert http(json.dumps(HELLO).encode(), headers={"content-type": kind}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "[", ""])
def test_another_name_for_this_machine_is_refused(http, host):
    assert "for this machine only" in refused(http(method="GET", path="/models", headers={"host": host}), 400)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:99", "127.0.0.1:1", "[::1]:8300"])
def test_the_names_of_this_machine_are_not(http, host):
    assert http(method="GET", path="/models", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/nosuch", "/models/", "/chat/completions/", "/%ff", "/../etc/passwd", "/docs"])
def test_an_unknown_path(http, path):
    assert refused(http(HELLO, path), 404).startswith("Not Found: POST /")


@pytest.mark.parametrize(("method", "path"), [("GET", "/chat/completions"), ("DELETE", "/models"), ("PUT", "/models")])
def test_a_wrong_method(http, method, path):
    answer = http(method=method, path=path)
    assert refused(answer, 405).startswith("Method Not Allowed") and answer.headers["allow"]


def test_a_key_that_is_wanted():
    with local_server(key="right") as url, httpx2.Client(trust_env=False) as client:
        assert client.get(f"{url}/models", headers={"authorization": "Bearer right"}).status_code == 200
        assert "Incorrect API key" in refused(client.get(f"{url}/models"), 401)


def test_an_agent_that_fails(http, hosts):
    hosts(lambda call: 1 / 0)
    answer = http({**HELLO, "model": "toy"})
    assert refused(answer, 500) == "the server failed: ZeroDivisionError division by zero"
    assert answer.json()["error"]["type"] == "server_error"
