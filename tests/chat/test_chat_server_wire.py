"""What may stand in a request: every field is followed, or refused by its name."""

import json

import pytest
from refusals import refused

from a2a.chat.protocol import Form, messages, schema

HELLO = {"model": "gradient", "messages": [{"role": "user", "content": "Hello"}]}
TEXT = {"model": "gradient", "prompt": "Hello"}


@pytest.fixture
def task(prompt):
    return {"model": "gradient", "messages": messages(Form(0.5), prompt.X, prompt.y, prompt.theta)}


def as_schema(answer, **more):
    wrapped = {"name": "answer", "strict": True, "schema": answer}
    return {"response_format": {"type": "json_schema", "json_schema": wrapped}, **more}


def said(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]["message"]["content"]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"{} {}", b'{"model": "\\ud800"}', b"9" * 5000])
def test_what_is_no_json(http, body):
    assert refused(http(body), 400).startswith("the body isn't JSON: ")


@pytest.mark.parametrize("body", [[], "text", 3, None, True])
def test_what_is_no_object(http, body):
    assert refused(http(json.dumps(body).encode()), 400).startswith("the body: ")


@pytest.mark.parametrize("depth", [300, 50_000])
def test_deep_nesting_is_refused(http, depth):
    nested = b'{"model": "gradient", "messages": ' + b"[" * depth + b"]" * depth + b"}"
    assert "recursion limit" in refused(http(nested), 400)


@pytest.mark.parametrize("field", ["model", "messages"])
def test_what_is_missing_is_named(http, field):
    left = {name: value for name, value in HELLO.items() if name != field}
    assert refused(http(left), 400, field).startswith(f"{field}: Field required")


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        "Hello",
        [{}],
        ["Hello"],
        [{"role": "user"}],
        [{"role": "king", "content": "Hello"}],
        [{"role": "tool", "content": "4", "tool_call_id": "1"}],
        [{"role": "user", "content": None}],
        [{"role": "user", "content": 3}],
        [{"role": "user", "content": "Hello", "nosuch": 1}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}],
        [{"role": "user", "content": [{"type": "text"}]}],
        [{"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}],
    ],
)
def test_what_are_no_messages(http, wrong):
    assert refused(http({**HELLO, "messages": wrong}), 400, "messages").startswith("messages")


OPTIONS = ("noise=nan", "noise=-1", "digits=99", "digits=0.5", "eta=-1", "eta=inf", "nosuch=1", "noise")
VALUES = {
    "model": [3, None, "", "x" * 10_000, *(f"gradient:{wrong}" for wrong in OPTIONS), "softmax-icl:eta=1"],
    "max_tokens": [-5, 0, 1.5, "5", True],
    "max_completion_tokens": [-5, 0, 1.5, "5", True],
    "temperature": ["hot", -0.1, 2.1, True, 10**400],
    "top_p": [0, 1.1, "all"],
    "seed": ["one", 1.5, 2**63, -(2**64)],
    "stream": ["yes", 1],
    "stream_options": [{"include_usage": True}, [], {"nosuch": True}],
    "n": [0, 2, "1"],
    "stop": ["\n", ["a", "b"]],
    "presence_penalty": [0.5, "none"],
    "frequency_penalty": [-1],
    "logit_bias": [{"50256": -100}],
    "user": [3],
    "metadata": [{"a": 1}, "a"],
    "store": [True],
    "nosuch": [1, None],
}
OF_CHATS = {
    "response_format": [{"type": "json_object"}, {"type": "grammar"}, {"type": "json_schema"}, "text", {}],
    "tools": [[{"type": "function", "function": {"name": "f"}}]],
    "tool_choice": ["auto", "required", {"type": "function"}],
    "functions": [[{"name": "f"}]],
    "function_call": ["auto"],
    "logprobs": [True],
    "top_logprobs": [5],
    "modalities": [["text", "audio"]],
    "audio": [{"voice": "alloy"}],
    "prediction": [{"type": "content", "content": ""}],
    "web_search_options": [{}],
    "service_tier": ["priority"],
    "reasoning_effort": ["huge", 3],
    "best_of": [1],
    "prompt": ["Hello"],
}
OF_TEXTS = {
    "prompt": [None, ["a", "b"], [1, 2], [], 3],
    "best_of": [2],
    "echo": [True],
    "logprobs": [0, 5],
    "suffix": ["!"],
    "messages": [[]],
    "response_format": [{"type": "text"}],
}


def each(table):
    return [(name, value) for name, values in table.items() for value in values]


@pytest.mark.parametrize(("name", "value"), each({**VALUES, **OF_CHATS}))
def test_a_value_that_is_not_followed_in_a_chat(http, name, value):
    answer = http({**HELLO, name: value})
    refused(answer, 404 if (name, value) == ("model", "") else 400, name)


@pytest.mark.parametrize(("name", "value"), each({"max_tokens": [-5], "n": [2], "nosuch": [1], **OF_TEXTS}))
def test_a_value_that_is_not_followed_in_a_completion(http, name, value):
    refused(http({**TEXT, name: value}, "/completions"), 400, name)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_no_temperature(http, value):
    body = json.dumps(HELLO).encode()[:-1] + f', "temperature": {value}}}'.encode()
    refused(http(body), 400, "temperature")


HARMLESS = {
    "n": 1,
    "stop": None,
    "presence_penalty": 0.0,
    "frequency_penalty": 0,
    "logit_bias": {},
    "logprobs": False,
    "top_logprobs": None,
    "tools": None,
    "tool_choice": "none",
    "modalities": ["text"],
    "response_format": {"type": "text"},
    "store": False,
    "user": "me",
    "metadata": {"run": "1"},
    "stream": False,
    "stream_options": None,
    "temperature": None,
    "top_p": 1,
    "max_tokens": None,
    "seed": -3,
    "reasoning_effort": "low",
    "service_tier": "auto",
}


def test_what_asks_for_nothing_is_taken(http, task):
    plain = said(http(task))
    for name, value in HARMLESS.items():
        assert said(http({**task, name: value})) == plain, name


def test_a_text_may_come_in_parts(http, task):
    text = task["messages"][1]["content"]
    parts = [{"type": "text", "text": text[:50]}, {"type": "text", "text": text[50:]}]
    assert said(http({**task, "messages": [{"role": "user", "content": parts}]})) == said(http(task))


def test_a_prompt_may_be_a_list_of_one(http):
    one, listed = (http({**TEXT, "prompt": prompt}, "/completions").json() for prompt in ("Hello", ["Hello"]))
    assert one["choices"] == listed["choices"] and one["usage"] == listed["usage"]


def test_an_answer_may_be_sent_back_as_it_came(http):
    for model in ("gradient", "gradient+refusal"):
        came = http({**HELLO, "model": model}).json()["choices"][0]["message"]
        again = {**came, "annotations": [], "audio": None, "function_call": None, "tool_calls": None}
        assert "no regression task" in said(http({**HELLO, "messages": [*HELLO["messages"], again]}))


def test_the_newer_name_of_the_limit_comes_first(http, task):
    answer = http({**task, "max_tokens": 9, "max_completion_tokens": 3}).json()
    assert answer["usage"]["completion_tokens"] == 3 and answer["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("room", [False, True])
def test_the_schema_of_the_answer_is_followed(http, task, room):
    answer = json.loads(said(http({**task, **as_schema(schema(Form(0.5, room=room), 3))})))
    assert list(answer) == (["reasoning", "w"] if room else ["w"]) and len(answer["w"]) == 3


FOREIGN = [{}, {"type": "object"}, {"type": "object", "properties": {"name": {"type": "string"}}}, schema(Form(0.5), 4)]


@pytest.mark.parametrize("answer", FOREIGN)
def test_another_schema_is_refused(http, task, answer):
    assert "schema" in refused(http({**task, **as_schema(answer)}), 400, "response_format")


def test_words_follow_no_schema(http):
    refused(http({**HELLO, **as_schema(schema(Form(0.5), 3))}), 400, "response_format")


def test_a_long_wrong_value_is_not_repeated(http):
    assert len(http({**HELLO, "user": ["x" * 1000] * 1000}).content) < 1000
    assert len(http({**HELLO, "x" * 100_000: 1}).content) < 2000


def test_many_mistakes_are_one_error(http):
    body = json.dumps({**HELLO, "messages": [{}] * 9000, **{f"field{i}": i for i in range(9000)}})
    answer = http(body.encode())
    assert answer.status_code == 400 and len(answer.content) < 1000
