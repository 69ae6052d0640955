import json

import jsonschema
import numpy as np
import pytest

from a2a import Prompt, sample_prompt
from a2a.chat import Form, Request, messages, schema, stated, stated_prompt
from a2a.chat.hosted import read_task

W = np.array([0.123456, -2.0, -0.00001])


def _text(form, prompt):
    return "\n".join(message["content"] for message in messages(form, prompt.X, prompt.y, W))


@pytest.mark.parametrize("room", [False, True])
@pytest.mark.parametrize("eta", [None, 0.25, 1e-3])
@pytest.mark.parametrize("digits", [1, 4, 8])
def test_what_is_stated_can_be_read_back(prompt, eta, room, digits):
    task = read_task(_text(Form(eta, room, digits), prompt))
    rounded = stated_prompt(prompt, digits)
    assert (task.prompt.X == rounded.X).all() and (task.prompt.y == rounded.y).all()
    assert (task.w == stated(W, digits)).all()
    assert (task.eta, task.digits) == (eta, digits)


def test_forms_differ_and_none_shows_the_answer(prompt):
    texts = {_text(Form(eta, room), prompt) for eta in (None, 0.5) for room in (False, True)}
    assert len(texts) == 4
    theta = ", ".join(f"{value:.4f}" for value in prompt.theta)
    assert not any(theta in text for text in texts)


def test_the_implicit_form_names_no_rule(prompt):
    implicit = _text(Form(), prompt).lower()
    assert "gradient" not in implicit and "eta" not in implicit


def test_numbers_are_plain(rng):
    prompt = sample_prompt(rng, 12, 3, 1e5 * rng.standard_normal(3))
    text = _text(Form(0.5), Prompt(1e-7 * prompt.X, prompt.y))
    assert "-0.0000" not in text and "e+" not in text and "e-" not in text


@pytest.mark.parametrize("room", [False, True])
def test_the_schema_takes_d_numbers_only(room):
    wanted = schema(Form(0.5, room), 3)
    extra = {"reasoning": "because"} if room else {}
    jsonschema.validate({**extra, "w": [1, 2.5, -3e-2]}, wanted)
    for wrong in ([1, 2], [1, 2, 3, 4], ["1", 2, 3], 5):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**extra, "w": wrong}, wanted)
    assert wanted["required"] == list(wanted["properties"]) and not wanted["additionalProperties"]
    json.dumps(wanted)


@pytest.mark.parametrize(("eta", "digits"), [(0.0, 4), (-1.0, 4), (float("nan"), 4), (0.5, 0), (0.5, 16)])
def test_a_form_without_sense_is_refused(eta, digits):
    with pytest.raises(ValueError, match=r"eta|digits"):
        Form(eta, digits=digits)


def test_a_question_that_holds_the_key_is_not_asked(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "planted-0123456789")
    with pytest.raises(ValueError, match="a request holds a key") as caught:
        Request("m", [{"role": "user", "content": "Who knows planted-0123456789?"}])
    assert "planted" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:8000\nme@h.org", 'the "sk-learn" page', "see http://h.org\tme@h.org"]
)
def test_an_ordinary_question_is_asked(text):
    assert Request("m", [{"role": "user", "content": text}]).key
