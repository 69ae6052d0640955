"""What a model of the local server is: it reads the text of a chat, as any model would, and writes text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from a2a.chat.protocol import Messages
from a2a.prompts import Prompt

_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_EXAMPLE = re.compile(rf"\bx\w*\s*=\s*\[([^\]]*)\]\s*,?\s*y\w*\s*=\s*({_NUMBER})")
_WEIGHT = re.compile(r"\bcurrent w\s*=\s*\[([^\]]*)\]", re.IGNORECASE)
_ETA = re.compile(rf"\beta\s*=\s*({_NUMBER})")
_DIGITS = re.compile(r"(\d+) digits after the decimal point")


class Declined(ValueError):
    """A request that a model doesn't take (status 400); `parameter` names the field."""

    def __init__(self, message: str, parameter: str | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter


@dataclass(frozen=True)
class Call:
    """What a model is called with: a chat, or raw text to continue (`messages` is None), and settings it may follow."""

    messages: Messages | None
    prompt: str
    options: Mapping[str, float] = field(default_factory=dict)
    temperature: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Completion:
    """What a model wrote, and how much it read and wrote."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


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
    if not examples or not weights:
        return None
    try:
        X = np.array([_floats(x) for x, _ in examples])
        prompt, w = Prompt(X, np.array([float(y) for _, y in examples])), np.array(_floats(weights[-1]))
    except ValueError:
        return None
    if w.shape != (prompt.d,):
        return None
    eta, digits = _ETA.search(text), _DIGITS.search(text)
    return Task(prompt, w, float(eta[1]) if eta else None, int(digits[1]) if digits else 4)


def answer_task(call: Call, step: Callable[[Task, Call], np.ndarray]) -> Completion:
    """What a model writes whose answer to a task is `step(task, call)`: JSON, cut off at the token limit.

    The call's options: noise, the standard deviation of Gaussian noise added before the rounding; digits, fewer or more
    than asked for.
    """
    task = read_task(call.prompt)
    text = "There is no regression task in this that I could read." if task is None else _write(task, call, step)
    pieces = _pieces(text)
    limit = len(pieces) if call.max_tokens is None else call.max_tokens
    cut = "".join(pieces[:limit])
    return Completion(
        cut, "length" if len(pieces) > limit else "stop", count_tokens(call.prompt), min(len(pieces), limit)
    )


def count_tokens(text: str) -> int:
    """Words and signs; for models without a tokenizer of their own."""
    return len(_pieces(text))


def _write(task: Task, call: Call, step: Callable[[Task, Call], np.ndarray]) -> str:
    digits = int(call.options.get("digits", task.digits))
    rng = np.random.default_rng(_entropy(call))
    w = step(task, call) + call.options.get("noise", 0.0) * rng.standard_normal(task.prompt.d)
    numbers = ", ".join(f"{value:.{digits}f}" for value in np.round(w, digits) + 0.0)
    if "reasoning" in (call.schema or {}).get("properties", {}):
        reasoning = json.dumps(f"A step from {task.w.tolist()}.")
        return f'{{"reasoning": {reasoning}, "w": [{numbers}]}}'
    return f'{{"w": [{numbers}]}}'


def _entropy(call: Call) -> list[int] | None:
    """Equal seeds on equal questions draw equal noise; without a seed the noise is fresh."""
    if call.seed is None:
        return None
    asked = hashlib.sha256(call.prompt.encode()).digest()
    return [call.seed, int.from_bytes(asked[:8], "big")]


def _floats(text: str) -> list[float]:
    return [float(word) for word in text.split(",")]


def _pieces(text: str) -> list[str]:
    return re.findall(r"\s*(?:\w+|[^\w\s])", text)
