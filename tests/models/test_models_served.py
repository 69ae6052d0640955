"""The completions API over real HTTP on this machine, with a small Llama behind it."""

import json

import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse

from a2a.chat.server import local_server
from a2a.dialogue import Study, converse, load_seeds
from a2a.models import Sampling, load_model
from a2a.models.served import HTTPModel

SHORT = Sampling(max_new_tokens=8)


@pytest.fixture(scope="module")
def hosted(folders):
    return load_model(str(folders["llama"]))


@pytest.fixture
def server(hosted):
    """A server like vLLM's: its URL, what it was asked, and the statuses that it answers before it works."""
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
        (row,) = hosted([body["prompt"]], sampling, [body["seed"]])
        choice = {"index": 0, "text": row.text, "finish_reason": row.finish, "logprobs": None}
        usage = {"prompt_tokens": row.prompt_tokens, "completion_tokens": row.new_tokens, "total_tokens": 0}
        return {
            "id": "1",
            "object": "text_completion",
            "created": 0,
            "model": "tiny",
            "choices": [choice],
            "usage": usage,
        }

    with local_server(app=app) as url:
        yield url, asked, failures


def test_a_server_writes_what_the_model_writes(server, hosted, texts):
    model = load_model(f"{server[0]}#tiny")
    assert isinstance(model, HTTPModel)
    assert model(texts, SHORT, range(5)) == hosted(texts, SHORT, range(5))


def test_a_conversation_over_http(server, hosted, tmp_path):
    model = load_model(f"{server[0]}#tiny")
    settings = {"seeds": load_seeds()[:3], "turns": 3, "sampling": SHORT}
    told = converse(Study("http", model, model, **settings), tmp_path / "t.jsonl")
    assert told.texts() == converse(Study("here", hosted, hosted, **settings)).texts()
    assert told.study["models"][0] == {"name": "tiny", "size": None, "source": "loopback", "context": 40}


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
