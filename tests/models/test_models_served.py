"""The completions API over real HTTP on this machine, with a small Llama behind it."""

import json
from dataclasses import replace

import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from a2a.chat.server import local_server
from a2a.dialogue import Study, converse, load_seeds
from a2a.models import Sampling, load_model
from a2a.models.errors import CallError
from a2a.models.served import ServedModel

KEY = "planted-0123456789abcdef"  # not every key looks like one
SHORT = Sampling(max_new_tokens=8)


@pytest.fixture(scope="module")
def hosted(folders):
    return load_model(str(folders["llama"]))


def application(write):
    """A server's application like vLLM's, what it was asked, and the statuses that it answers before it works."""
    app, asked, failures = FastAPI(), [], []

    @app.get("/v1/models")
    async def models():
        return {"object": "list", "data": [{"id": "tiny", "object": "model", "max_model_len": 40}, {"id": "other"}]}

    @app.post("/v1/completions")
    async def completions(request: Request):
        body = json.loads(await request.body())
        asked.append(body)
        if failures:
            return JSONResponse({"error": {"message": "busy"}}, failures.pop(), {"retry-after": "0"})
        sampling = Sampling(body["temperature"], body["top_p"], body["max_tokens"])
        (row,) = write([body["prompt"]], sampling, [body["seed"]])
        choice = {"index": 0, "text": row.text, "finish_reason": row.finish, "logprobs": None}
        usage = {"prompt_tokens": row.prompt_tokens, "completion_tokens": row.new_tokens, "total_tokens": 0}
        said = {"id": "1", "object": "text_completion", "created": 0, "model": "tiny"}
        return {**said, "choices": [choice], "usage": usage}

    return app, asked, failures


@pytest.fixture
def server(hosted):
    """A server's URL, what it was asked, and the statuses that it answers before it works."""
    app, asked, failures = application(hosted)
    with local_server(app=app) as url:
        yield url, asked, failures


def test_a_server_writes_what_the_model_writes(server, hosted, texts):
    model = load_model(f"{server[0]}#tiny")
    assert isinstance(model, ServedModel)
    assert model(texts, SHORT, range(5)) == hosted(texts, SHORT, range(5))


def test_a_conversation_over_http(server, hosted, tmp_path):
    model = load_model(f"{server[0]}#tiny")
    settings = {"seeds": load_seeds()[:3], "turns": 3, "sampling": SHORT}
    told = converse(Study("http", model, model, **settings), tmp_path / "t.jsonl")
    assert told.texts() == converse(Study("here", hosted, hosted, **settings)).texts()
    assert told.study.models[0].describe() == {"name": "tiny", "size": None, "source": "loopback", "context": 40}


def test_settings_beyond_openai_are_sent_only_when_they_do_something(server, texts):
    model = load_model(f"{server[0]}#tiny")
    model(texts[:1], SHORT, [3])
    model(texts[:1], Sampling(max_new_tokens=8, top_k=5, repetition_penalty=1.2), [3])
    plain, more = server[1]
    assert (plain["seed"], plain["prompt"], plain["truncate_prompt_tokens"]) == (3, texts[0], 32)
    assert not {"top_k", "repetition_penalty"} & plain.keys()
    assert (more["top_k"], more["repetition_penalty"]) == (5, 1.2)


def test_a_busy_server_is_asked_again_with_the_same_seed(server, hosted, texts):
    server[2].extend([503, 429])
    assert load_model(f"{server[0]}#tiny")(texts[:1], SHORT, [7]) == hosted(texts[:1], SHORT, [7])
    assert [body["seed"] for body in server[1]] == [7, 7, 7]


def test_what_the_api_cannot_do_is_refused(server, texts):
    with pytest.raises(ValueError, match="no_repeat_ngram_size"):
        load_model(f"{server[0]}#tiny")(texts, Sampling(no_repeat_ngram_size=3), range(5))
    with pytest.raises(ValueError, match="chat_template"):
        load_model(f"{server[0]}#tiny", chat_template=True)


def test_a_server_must_come_with_its_model():
    with pytest.raises(ValueError, match="#model"):
        load_model("http://127.0.0.1:1/v1")


@pytest.mark.parametrize("url", [f"http://me:{KEY}@127.0.0.1/v1", f"http://127.0.0.1/v1?token={KEY}"])
@pytest.mark.parametrize("model", ["", "#tiny"])
def test_credentials_in_the_address_are_refused_and_not_shown(url, model):
    with pytest.raises(ValueError, match="without user, password and query") as caught:
        load_model(url + model)
    assert KEY not in str(caught.value)


def test_a_remote_server_needs_a_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(CallError, match="set the environment variable OPENAI_API_KEY"):
        load_model("https://api.example.org/v1#tiny")


class Parrot:
    """Repeats the key in what it continues, and in a header."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        said = dict(scope["headers"]).get(b"authorization", b"").removeprefix(b"Bearer ")

        async def repeat(message):
            if message["type"] == "http.response.start":
                message = {**message, "headers": [h for h in message["headers"] if h[0] != b"content-length"]}
                message["headers"].append((b"x-request-id", said))
            elif message["type"] == "http.response.body":
                message = {**message, "body": message["body"].replace(b"busy", said).replace(b"<key>", said)}
            await send(message)

        await self.app(scope, receive, repeat)


@pytest.mark.parametrize("status", [401, 500])
def test_a_key_that_the_server_repeats_is_in_no_record_and_no_error(status, tmp_path, monkeypatch, hosted):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    app, _, failures = application(lambda *given: [replace(hosted(*given)[0], text="it is <key>")])
    study = {"seeds": load_seeds()[:3], "turns": 2, "sampling": SHORT}
    with local_server(app=Parrot(app)) as url:
        model = ServedModel(url, "tiny", retries=0)
        converse(Study("http", model, model, **study), tmp_path / "t.jsonl")
        failures.append(status)
        with pytest.raises(CallError, match=rf"{status} - \[removed\]") as caught:
            model(["text"], SHORT, [0])
    content = (tmp_path / "t.jsonl").read_text()
    assert KEY not in content and content.count("it is [removed]") == 6
    assert KEY not in str(caught.value) and KEY not in f"{model}{vars(model)}{vars(model.connection)}"


@pytest.mark.parametrize("body", [{}, {"choices": []}, {"choices": [{"text": None}]}])
def test_what_is_no_completion(body):
    app = FastAPI()
    app.post("/v1/completions")(lambda: body)
    with (
        local_server(app=app) as url,
        pytest.raises(CallError, match=r"the answer isn't a completion \(tried 2 times\)"),
    ):
        ServedModel(url, "tiny", context=40, retries=1, backoff=0.01)(["text"], SHORT, [0])


def test_a_server_that_does_not_say_how_much_it_holds(server):
    assert load_model(f"{server[0]}#other").describe()["context"] is None
    assert load_model(f"{server[0]}#tiny", context=12).describe()["context"] == 12
