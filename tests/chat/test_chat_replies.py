import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from a2a.chat import parse

W = (0.5, -1.25, 3.0)
GOOD = '{"w": [0.5, -1.25, 3.0]}'

REPLIES = {
    # reply: outcome
    GOOD: "valid",
    ' \n{"w":[5e-1,-1.25,3]}\n': "valid",
    '{"reasoning": "w is [1, 2, 3]", "w": [0.5, -1.25, 3.0]}': "valid",
    '{"w": [0.5, -1.25, 3.0], "loss": 0.1}': "repaired: other fields",
    f"```json\n{GOOD}\n```": "repaired: fenced",
    f"```\n{GOOD}```": "repaired: fenced",
    f"Sure! Here is the step:\n\n{GOOD}": "repaired: prose around it",
    f"{GOOD}\nI hope this helps.": "repaired: prose around it",
    f"The gradient is [9, 9, 9].\n```json\n{GOOD}\n```\nDone.": "repaired: prose around it",
    f'First try: {{"w": [9, 9, 9]}}. Corrected: {GOOD}': "repaired: prose around it",
    '{"w": (0.5, -1.25, 3.0)}': "repaired: malformed JSON",
    '{"w": {0.5, -1.25, 3.0}}': "repaired: malformed JSON",
    "{'w': [0.5, -1.25, 3.0]}": "repaired: malformed JSON",
    "{w: [0.5, -1.25, 3.0,]}": "repaired: malformed JSON",
    '{"w": [0.5, -1.25, 3.0]': "repaired: malformed JSON",
    '{"w": ["0.5", "-1.25", "3.0"]}': "repaired: malformed JSON",
    '{"w": [+.5, −1.25, 3.]}': "repaired: malformed JSON",
    '{"w_new": [0.5, -1.25, 3.0]}': "repaired: malformed JSON",
    '{"w": [0.5 -1.25 3.0]}': "repaired: malformed JSON",
    "[0.5, -1.25, 3.0]": "repaired: bare list",
    "w = [0.5, -1.25, 3.0]": "repaired: bare list",
    '{"w": [0.5, -1.25]}': "invalid: wrong length",
    '{"w": [0.5, -1.25, 3.0, 1.0]}': "invalid: wrong length",
    '{"w": []}': "invalid: wrong length",
    '{"w": [NaN, -1.25, 3.0]}': "invalid: not finite",
    '{"w": [0.5, -Infinity, 3.0]}': "invalid: not finite",
    '{"w": [0.5, inf, 3.0]}': "invalid: not finite",
    '{"w": [0.5, 1e999, 3.0]}': "invalid: not finite",
    '{"w": [0.5, -1.25, 3e7]}': "invalid: too large",
    f'{{"w": [0.5, -1.25, 1{"0" * 400}]}}': "invalid: too large",
    '{"w": [0.5, null, 3.0]}': "invalid: not a number",
    '{"w": [true, -1.25, 3.0]}': "invalid: not a number",
    '{"w": [w_1, w_2, w_3]}': "invalid: not a number",
    '{"w": [0.5 - 0.1, -1.25, 3.0]}': "invalid: not a number",
    '{"w": [1/2, -1.25, 3.0]}': "invalid: not a number",
    '{"w": [1_0, -1.25, 3.0]}': "invalid: not a number",
    '{"w": [[0.5, -1.25, 3.0]]}': "invalid: nothing found",
    '{"w": 0.5}': "invalid: nothing found",
    '{"answer": [0.5, -1.25, 3.0]}': "invalid: nothing found",
    "The current w is [0.5, -1.25, 3.0], which is fine.": "invalid: nothing found",
    "I would move w towards the labels.": "invalid: nothing found",
    '{"w": [0.5, -1.25, 3.': "invalid: nothing found",
    "[" * 100_000: "invalid: nothing found",
    "": "invalid: empty",
    "I'm sorry, but I can't help with that.": "refusal",
    "I cannot comply with this request.": "refusal",
}


@pytest.mark.parametrize(("text", "name"), REPLIES.items(), ids=[repr(text[:50]) for text in REPLIES])
def test_every_reply_has_its_outcome(text, name):
    outcome = parse(text, 3)
    assert outcome.name == name
    assert outcome.w == (W if outcome.kind in ("valid", "repaired") else None)


def test_no_text_at_all():
    assert parse(None, 3).name == "invalid: empty"


@pytest.mark.parametrize("text", [GOOD, "Let me see. w = [1, 2, 3]", None])
def test_what_the_limit_cut_off_is_no_answer(text):
    assert parse(text, 3, finish_reason="length") == parse("", 3, finish_reason="length")
    assert parse(text, 3, finish_reason="length").name == "cut off"


def test_a_refusal_that_the_server_flags():
    assert parse(GOOD, 3, refusal="No.").kind == "refusal"
    assert parse(GOOD, 3, finish_reason="content_filter").kind == "refusal"


@given(st.text(), st.sampled_from([f"{GOOD}", '{"w": [', "[0.5,", "]}", "NaN", "```"]), st.integers(1, 4))
def test_only_d_finite_numbers_of_sensible_size_ever_come_out(noise, piece, d):
    for text in (noise + piece, piece + noise, piece + noise + piece):
        outcome = parse(text, d)
        assert (outcome.w is None) == (outcome.kind not in ("valid", "repaired"))
        assert outcome.w is None or (len(outcome.w) == d and all(abs(value) <= 1e6 for value in outcome.w))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6))
def test_a_good_answer_comes_out_as_it_went_in(w):
    assert parse(json.dumps({"w": w}), len(w)).w == tuple(w)
