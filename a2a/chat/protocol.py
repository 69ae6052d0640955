"""What a chat model is asked: the examples, the current w and the task, in words and numbers of a stated precision.

Paper A's prompt isn't public; both forms here are ours. *Explicit* names the rule, one gradient step of size eta on the
mean squared error |X w - y|^2 / (2n), so that a perfect answer is w - eta S (w - theta). *Implicit* only asks to
improve w a little. Each comes with and without room to reason before the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from a2a import arrays
from a2a.prompts import Prompt

Messages = list[dict[str, str]]

SYSTEM = "You are a careful numerical assistant. You answer with numbers in JSON."
EXPLICIT = (
    "Task: take exactly one step of gradient descent from the current w on the mean squared error\n"
    "L(w) = (1/(2n)) * sum_i (x_i . w - y_i)^2 with step size eta = {eta!r}, that is\n"
    "w_new = w - eta * (1/n) * sum_i (x_i . w - y_i) * x_i."
)
IMPLICIT = (
    "Task: improve the current w a little: change it so that the predictions x_i . w come closer to the labels y_i,\n"
    "without going all the way."
)
AT_ONCE = "Answer at once with one JSON object and nothing else:"
WITH_ROOM = 'Reason step by step first. Then end with one JSON object (or put your reasoning in its field "reasoning"):'


@dataclass(frozen=True)
class Form:
    """How the task is put to the model.

    Attributes:
        eta: step size of the explicit form; None for the implicit form.
        room: whether there is room to reason before the answer.
        digits: digits after the decimal point, of every number stated and asked for.

    Raises:
        ValueError: if eta isn't positive or digits isn't between 1 and 15.
    """

    eta: float | None = None
    room: bool = False
    digits: int = 4

    def __post_init__(self) -> None:
        if self.eta is not None:
            object.__setattr__(self, "eta", float(arrays.step_size("eta", self.eta)))
        if not 1 <= arrays.positive_int("digits", self.digits) <= 15:
            raise ValueError(f"digits must be between 1 and 15, got {self.digits}")


def stated(values: Any, digits: int) -> np.ndarray:
    """The numbers as a message states them, rounded to `digits` digits after the decimal point."""
    return np.asarray(
        np.round(arrays.floating("values", np.asarray(values)), digits) + 0.0
    )  # + 0.0 turns -0.0 into 0.0


def stated_prompt(prompt: Prompt, digits: int) -> Prompt:
    """The prompt as the model reads it; the theory's predictions belong to this one."""
    return Prompt(stated(prompt.X, digits), stated(prompt.y, digits))


def messages(form: Form, X: np.ndarray, y: np.ndarray, w: np.ndarray) -> Messages:
    """The chat messages that ask for one step from w (d,) on the examples X (n, d), y (n,)."""
    n, d = X.shape
    X, y, w = (stated(values, form.digits) for values in (X, y, w))
    task = IMPLICIT if form.eta is None else EXPLICIT.format(eta=form.eta)
    examples = "\n".join(
        f"x_{i} = {_numbers(x, form.digits)}, y_{i} = {_number(label, form.digits)}"
        for i, (x, label) in enumerate(zip(X, y, strict=True), start=1)
    )
    answer = f'{WITH_ROOM if form.room else AT_ONCE} {{"w": [{", ".join(f"w_{j}" for j in range(1, d + 1))}]}}'
    text = (
        f"A linear regression task with n = {n} examples in {d} dimensions:\n{examples}\n\n"
        f"Current w = {_numbers(w, form.digits)}\n\n{task}\n\n"
        f"{answer}\nwith {d} plain numbers, {form.digits} digits after the decimal point each."
    )
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]


def schema(form: Form, d: int) -> dict[str, Any]:
    """The JSON schema of the answer: w, d numbers, after a field for the reasoning where there is room for it."""
    w = {"type": "array", "items": {"type": "number"}, "minItems": d, "maxItems": d}
    properties: dict[str, Any] = {"reasoning": {"type": "string"}, "w": w} if form.room else {"w": w}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _numbers(values: np.ndarray, digits: int) -> str:
    return f"[{', '.join(_number(value, digits) for value in values)}]"


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"
