"""What a model of the local server is: it reads the text of a chat, as any model would, and writes text."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from a2a.chat.protocol import Form, Messages, schema
from a2a.prompts import Prompt

LARGEST = 1000
"""Examples and dimensions of a task that is still taken for one; the time grows with their powers."""
FINEST = 15
"""Digits after the decimal point that are still written."""

# no two parts side by side match the same, and none runs over the start of the next: time is linear in the text
_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_VECTOR = r"\[([^\[\]]*)\]"
_EXAMPLE = re.compile(rf"\bx\w*\s*=\s*{_VECTOR}\s*(?:,\s*)?y\w*\s*=\s*({_NUMBER})")
_WEIGHT = re.compile(rf"\bcurrent w\s*=\s*{_VECTOR}", re.IGNORECASE)
_ETA = re.compile(rf"\beta\s*=\s*({_NUMBER})")
_DIGITS = re.compile(r"(?<!\d)(\d{1,9}) digits after the decimal point")
_PIECE = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")


class Declined(ValueError):
    """A request that isn't taken; `parameter` names the field, `code` and `status` are the error's."""

    def __init__(self, message: str, parameter: str | None = None, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.parameter, self.code, self.status = parameter, code, status


@dataclass(frozen=True)
class Call:
    """What a model is called with: a chat, or raw text to continue (`messages` is None), and settings it may follow.

    `left` is set when nobody waits for the answer any more.
    """

    messages: Messages | None
    prompt: str
    options: Mapping[str, float] = field(default_factory=dict)
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    schema: Mapping[str, Any] | None = None
    left: threading.Event = field(default_factory=threading.Event, compare=False)


@dataclass(frozen=True)
class Completion:
    """What a model wrote or with which words it refused, and how much it read and wrote."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    refusal: str | None = None


Hosted = Callable[[Call], Completion]


@dataclass(frozen=True)
class Task:
    """A regression task as read from text; eta is None where none is stated."""

    prompt: Prompt
    w: np.ndarray
    eta: float | None
    digits: int


def read_task(text: str) -> Task | None:
    """The last task in a text, None if there is none that makes sense."""
    examples, weights = _EXAMPLE.findall(text), _WEIGHT.findall(text)
    if not 0 < len(examples) <= LARGEST or not weights:
        return None
    try:
        X = np.array([_floats(x) for x, _ in examples])
        prompt, w = Prompt(X, np.array([float(y) for _, y in examples])), np.array(_floats(weights[-1]))
    except ValueError:
        return None
    if w.shape != (prompt.d,) or not np.isfinite(w).all():
        return None
    eta, digits = _ETA.search(text), _DIGITS.search(text)
    return Task(prompt, w, float(eta[1]) if eta else None, min(int(digits[1]), FINEST) if digits else 4)


def answer_task(call: Call, step: Callable[[Task, Call], np.ndarray]) -> Completion:
    """What a model writes whose answer to a task is `step(task, call)`: JSON, cut off at the token limit.

    The call's options: noise, the standard deviation of Gaussian noise added before the rounding; digits, fewer or more
    than asked for.

    Raises:
        Declined: if the schema is another than that of an answer to the task, or the task has no finite step.
    """
    task = read_task(call.prompt)
    if call.schema is not None and (task is None or call.schema not in _schemas(task)):
        raise Declined("the schema isn't that of an answer to the task", "response_format", "unsupported_value")
    text = "There is no regression task in this that I could read." if task is None else _write(task, call, step)
    pieces = split(text)
    limit = len(pieces) if call.max_tokens is None else call.max_tokens
    cut = "".join(pieces[:limit])
    return Completion(
        cut, "length" if len(pieces) > limit else "stop", count_tokens(call.prompt), min(len(pieces), limit)
    )


def split(text: str) -> list[str]:
    """Words and signs, each with the blanks before it; together they are the text."""
    return _PIECE.findall(text)


def count_tokens(text: str) -> int:
    """Words and signs; for models without a tokenizer of their own."""
    return sum(1 for _ in _PIECE.finditer(text))


def _schemas(task: Task) -> list[dict[str, Any]]:
    return [schema(Form(room=room), task.prompt.d) for room in (False, True)]


def _write(task: Task, call: Call, step: Callable[[Task, Call], np.ndarray]) -> str:
    digits = int(call.options.get("digits", task.digits))
    rng = randomness(call)
    with np.errstate(all="ignore"):  # checked as a whole
        w = step(task, call) + call.options.get("noise", 0.0) * rng.standard_normal(task.prompt.d)
        rounded = np.round(w, digits) + 0.0
    if not np.isfinite(rounded).all():
        raise Declined("the step of this task isn't finite", "messages")
    numbers = ", ".join(f"{value:.{digits}f}" for value in rounded)
    if "reasoning" in (call.schema or {}).get("properties", {}):
        reasoning = json.dumps(f"A step from {task.w.tolist()}.")
        return f'{{"reasoning": {reasoning}, "w": [{numbers}]}}'
    return f'{{"w": [{numbers}]}}'


def randomness(call: Call) -> np.random.Generator:
    """What a model draws from: the same for equal seeds on equal questions; without a seed it is fresh."""
    if call.seed is None:
        return np.random.default_rng()
    asked = hashlib.sha256(call.prompt.encode()).digest()
    return np.random.default_rng([call.seed % 2**64, int.from_bytes(asked[:8], "big")])


def _floats(text: str) -> list[float]:
    words = text.split(",", LARGEST)
    if len(words) > LARGEST:
        raise ValueError("too many dimensions")
    return [float(word) for word in words]
