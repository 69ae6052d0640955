"""Answers in pieces, as chat clients ask for them: together they are the answer in one piece."""

import json

import httpx2
import openai
import pytest
from refusals import refused

from a2a.chat.faults import CONTENT
from a2a.chat.protocol import Form, messages


@pytest.fixture(scope="module")
def official(base_url):
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0, timeout=60) as client:
        yield client


@pytest.fixture
def task(prompt):
    return messages(Form(0.5), prompt.X, prompt.y, prompt.theta)


def test_a_chat_as_the_official_client_streams_it(official, task):
    whole = official.chat.completions.create(model="gradient", messages=task)
    pieces = list(official.chat.completions.create(model="gradient", messages=task, stream=True))
    assert pieces[0].choices[0].delta.role == "assistant" and len(pieces) > 10
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == whole.choices[0].message.content
    assert [piece.choices[0].finish_reason for piece in pieces] == [None] * (len(pieces) - 1) + ["stop"]
    assert len({(piece.id, piece.created, piece.model) for piece in pieces}) == 1
    assert {piece.object for piece in pieces} == {"chat.completion.chunk"}


def test_a_completion_as_the_official_client_streams_it(official, task):
    asked = {"model": "gradient", "prompt": task[1]["content"], "max_tokens": 4}
    whole, pieces = official.completions.create(**asked), list(official.completions.create(**asked, stream=True))
    assert "".join(piece.choices[0].text for piece in pieces) == whole.choices[0].text
    assert pieces[-1].choices[0].finish_reason == "length" and {piece.object for piece in pieces} == {"text_completion"}


def test_the_official_helper_puts_the_pieces_together(official, task):
    with official.chat.completions.stream(model="gradient", messages=task) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content.startswith('{"w": [')


@pytest.mark.parametrize("chat", [True, False])
def test_the_usage_comes_last_if_it_is_asked_for(official, task, chat):
    create = official.chat.completions.create if chat else official.completions.create
    asked = {"messages": task} if chat else {"prompt": task[1]["content"]}
    whole = create(model="gradient", **asked)
    *pieces, last = create(model="gradient", **asked, stream=True, stream_options={"include_usage": True})
    assert last.usage == whole.usage and last.choices == [] and {piece.usage for piece in pieces} == {None}


def test_the_events_are_as_the_standard_has_them(base_url):
    body = {"model": "gradient", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    with httpx2.stream("POST", f"{base_url}/chat/completions", json=body, trust_env=False) as answer:
        text = answer.read().decode()
    assert answer.headers["content-type"].startswith("text/event-stream")
    *events, done, rest = text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    assert all(json.loads(event.removeprefix("data: "))["choices"] for event in events)


def test_what_is_refused_is_refused_before_the_stream(http):
    body = {"model": "gradient", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    refused(http({**body, "n": 2}), 400, "n")
    refused(http({**body, "model": "nosuch"}), 404, "model")
    assert refused(http({**body, "model": "gradient+500"}), 500) == "injected status 500"


def streamed(http, model):
    body = {"model": model, "prompt": "current w = [2], x = [1], y = 1", "stream": True}
    return http(body, "/completions")


@pytest.mark.parametrize("fault", sorted(CONTENT.keys() - {"refusal"}))
def test_faults_of_the_content_are_in_the_pieces(http, fault):
    pieces = [json.loads(event[6:]) for event in streamed(http, f"gradient+{fault}").text.split("\n\n")[:-2]]
    assert "".join(piece["choices"][0]["text"] for piece in pieces) == CONTENT[fault]('{"w": [1.5000]}')


def test_a_refusal_is_in_the_pieces(official, task):
    pieces = list(official.chat.completions.create(model="gradient+refusal", messages=task, stream=True))
    assert "".join(piece.choices[0].delta.refusal or "" for piece in pieces) == "I'm sorry, I can't help with that."
    assert not any(piece.choices[0].delta.content for piece in pieces)


def test_faults_of_the_transport_spoil_a_stream_too(http):
    assert "[DONE]" not in streamed(http, "gradient+garbage").text
    assert "hotel" in streamed(http, "gradient+page").text
    assert '"choices": []' in streamed(http, "gradient+nochoices").text
    with pytest.raises(httpx2.RemoteProtocolError, match="closed connection"):
        streamed(http, "gradient+cut")
