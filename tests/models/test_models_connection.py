"""Any OpenAI-compatible server over real HTTP: what it may do, and what a connection makes of it."""

import asyncio
import threading

import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from a2a.chat.server import local_server
from a2a.models.connection import Connection
from a2a.models.errors import BudgetExhausted, CallError, CallFailed, RequestRejected
from a2a.models.server import Call
from a2a.models.usage import Budget

KEY = "planted-0123456789abcdef"
FINE = {"data": ["fine"], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}


class Scripted:
    """A server that gives the answers of its script in turn, then the last one for ever."""

    def __init__(self):
        self.script, self.asked, self.under_way, self.most, self.pause = [FINE], 0, 0, 0, 0.0
        self.app = FastAPI()
        self.app.get("/v1/models")(self.answer)

    async def answer(self):
        self.asked, self.under_way = self.asked + 1, self.under_way + 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(self.pause)
        self.under_way -= 1
        now = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return now if isinstance(now, Response) else JSONResponse(now)


@pytest.fixture
def server():
    return Scripted()


@pytest.fixture
def connect(server):
    """A connection to the scripted server."""
    with local_server(app=server.app) as url:
        yield lambda **options: Connection(url, **{"backoff": 0.01, "retries": 2, **options})


def call(read=lambda body: body["data"][0], optional=()):
    return Call("m", "a list", lambda client: client.models.with_raw_response.list(), read, optional)


def ask(connection, times=1, **options):
    return connection.together([connection.ask(call(**options)) for _ in range(times)])


def error(status, message="no", **more):
    return JSONResponse({"error": {"message": message, **more}}, status)


def test_an_answer_and_what_it_used(connect):
    connection = connect()
    assert ask(connection, 3) == ["fine"] * 3
    spent = connection.spent
    assert (spent.calls, spent.failed, spent.replies, spent.tokens) == (3, 0, 3, 21)


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_calls_at_once_than_allowed(connect, server, limit):
    server.pause = 0.02
    ask(connect(concurrency=limit), 8)
    assert server.most == limit


def test_none_at_once_is_refused():
    with pytest.raises(ValueError, match="concurrency must be at least 1"):
        Connection("http://127.0.0.1:1/v1", concurrency=0)


@pytest.mark.parametrize("passing", [error(429), error(503), error(408), Response(b"<html>"), {"data": []}, {}])
def test_a_passing_failure_is_tried_again(connect, server, passing):
    server.script = [passing, passing, FINE]
    connection = connect()
    assert ask(connection) == ["fine"] and (connection.spent.calls, connection.spent.failed) == (3, 2)


@pytest.mark.parametrize(
    ("lasting", "says"),
    [(error(500, "oh\nno"), "500 - oh no"), ({"data": []}, "isn't a list"), (Response(b"[" * 90_000), "isn't a list")],
)
def test_a_lasting_failure_is_one_line(connect, server, lasting, says):
    server.script = [lasting]
    with pytest.raises(CallFailed, match=rf"model m: .*{says}.* \(tried 3 times\)$"):
        ask(connect())
    assert server.asked == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_is_rejected_is_asked_once(connect, server, status):
    server.script = [error(status)]
    with pytest.raises(RequestRejected, match=str(status)):
        ask(connect())
    assert server.asked == 1


def test_a_setting_that_is_declined_is_named_and_may_be_left_out_at_once(connect, server):
    server.script = [error(400, "Unsupported parameter: 'seed'."), FINE]
    came = []

    def told(what, seconds):
        came.append((what, seconds))
        return isinstance(what, CallError)

    connection = connect(retries=0)
    assert connection.together([connection.ask(call(optional=("top_p", "seed")), told)]) == ["fine"]
    (refusal, _), (answer, seconds) = came
    assert refusal.declined == "seed" and answer == "fine" and seconds > 0


def test_an_error_of_one_stops_the_others_and_the_next_batch_starts_anew(connect, server):
    server.script = [error(404), FINE]
    connection = connect(concurrency=1)
    with pytest.raises(RequestRejected):
        ask(connection, 10)
    assert server.asked == 1
    assert ask(connection, 2) == ["fine"] * 2


@pytest.mark.parametrize(("budget", "asked"), [(Budget(calls=3), 3), (Budget(tokens=8), 2)])
def test_budgets(connect, server, budget, asked):
    with pytest.raises(BudgetExhausted, match="is used up"):
        ask(connect(concurrency=1, budget=budget), 9)
    assert server.asked == asked


def test_a_whole_answer_has_its_time(connect, server):
    server.pause = 1.0
    with pytest.raises(CallFailed, match=r"no complete answer within 0\.1 s"):
        ask(connect(timeout=0.1, retries=0))


def test_a_server_that_asks_for_a_pause_gets_it(connect):
    wanted, own = CallFailed("slow down"), CallFailed("no")
    wanted.wait = 7.0
    connection = connect(backoff=1.0)
    assert connection._pause(1, wanted) == 7.0
    assert 0.5 <= connection._pause(1, own) <= 1.0 and 4.0 <= connection._pause(4, own) <= 8.0
    assert connection._pause(50, own) <= 60.0


def test_threads_share_a_connection(connect, server):
    server.pause = 0.02
    connection, answers = connect(), []
    threads = [threading.Thread(target=lambda: answers.extend(ask(connection, 4))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["fine"] * 12 and connection.server._openai is None


def test_a_running_event_loop_does_not_matter(connect):
    async def within():
        return ask(connect())

    assert asyncio.run(within()) == ["fine"]


@pytest.mark.parametrize("spelled", [KEY, "".join(f"\\u{ord(c):04x}" for c in KEY)])
def test_a_key_that_a_server_repeats_is_in_no_answer_and_no_error(connect, server, monkeypatch, spelled):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    said = f'{{"error": {{"message": "your key {spelled}"}}, "data": ["your key {spelled}"]}}'
    for status in (401, 500, 200):
        server.script = [Response(said, status, media_type="application/json")]
        connection = connect(retries=0)
        if status == 200:
            assert ask(connection) == ["your key [removed]"]
        else:
            with pytest.raises(CallError, match=r"your key \[removed\]") as caught:
                ask(connection)
            assert caught.value.__cause__ is None and isinstance(caught.value.__context__, CallError | None)
        assert KEY not in f"{vars(connection)}{vars(connection.server)}"


def test_nobody_there():
    with pytest.raises(CallFailed, match="connection failed"):
        ask(Connection("http://127.0.0.1:9/v1", retries=0))
