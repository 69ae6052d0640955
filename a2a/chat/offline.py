"""The agents that need no key: a registry that the local server, `a2a serve` and the chapters read.

A new agent is one entry here, with the function that answers for it.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from a2a.agents import GradientAgent
from a2a.chat import smollm2
from a2a.chat.hosted import FINEST, Call, Completion, Declined, Hosted, Task, answer_task
from a2a.chat.mistakes import MISTAKES, gone_wrong

IMPLICIT_ETA = 0.5
"""What the gradient agent takes for "a little" when the task states no step size."""


@dataclass(frozen=True)
class OfflineAgent:
    """An agent of the local server, and what has to be known to ask it.

    Attributes:
        name: what it is asked for as. Options may follow a colon; the agent of the name before it then answers.
        answer: from a call to what it writes.
        description: what it is, in a sentence.
        version: for the dated name that its replies carry.
        is_installed: whether everything that it needs is there.
        live: whether it is asked where nothing else is said; a slow one is replayed from its recording.
        dimension: the one dimension of a task that it does; None for any.
        one_at_a_time: whether it answers one call at a time.
        temperature: what it is asked with where nothing else is said.
        language_model: whether it is one, and no program.
        options: what may follow its name.
    """

    name: str
    answer: Hosted
    description: str
    version: Callable[[], str] = lambda: "1"
    is_installed: Callable[[], bool] = lambda: True
    live: bool = True
    dimension: int | None = None
    one_at_a_time: bool = False
    temperature: float | None = None
    language_model: bool = False
    options: tuple[str, ...] = ("noise", "digits")

    def check(self, options: Mapping[str, float]) -> None:
        """Options that follow the name.

        Raises:
            Declined: if one isn't an option of this agent, or isn't finite and at least 0.
        """
        for name, value in options.items():
            if name not in self.options:
                there = f"it has {', '.join(self.options)}" if self.options else "it has none"
                raise Declined(f"{self.name} has no option {name!r}; {there}", "model")
            if not (math.isfinite(value) and value >= 0) or (name == "digits" and value not in range(FINEST + 1)):
                wanted = f"a whole number up to {FINEST}" if name == "digits" else "finite and at least 0"
                raise Declined(f"{name} must be {wanted}, got {value}", "model")
        if (wrong := sum(options.get(name, 0.0) for name in MISTAKES)) > 1:
            raise Declined(
                f"the shares of {', '.join(sorted(MISTAKES))} must be at most 1 together, got {wrong}", "model"
            )

    def does(self, d: int) -> bool:
        """Whether it does tasks of dimension d."""
        return self.dimension in (None, d)


def gradient(call: Call) -> Completion:
    """The positive control: the exact gradient step, rounded to the digits asked for.

    Options besides those of `answer_task`: eta, another step size than the one stated; and shares of the answers that
    go wrong as a language model's may: jump, straight to the least-squares solution; copy, w as it was; slip, one
    coordinate off by as much as the step is long.
    """
    return answer_task(call, _gradient_step)


def softmax_icl(call: Call) -> Completion:
    """The learned black box: the softmax transformer's step, whatever step size is stated, in one dimension d only."""
    return answer_task(call, _softmax_step)


@cache
def softmax_version() -> str:
    """Of the stored weights, for the dated model name."""
    from a2a.chat.softmax_icl import WEIGHTS

    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()[:8]


def _gradient_step(task: Task, call: Call) -> np.ndarray:
    stated = IMPLICIT_ETA if task.eta is None else task.eta
    eta = call.options.get("eta", stated)
    if eta == 0:
        return task.w
    try:
        return gone_wrong(task, call, GradientAgent.from_prompt(task.prompt, eta)(task.w))
    except ValueError as problem:
        raise Declined(str(problem), "messages") from None


def _softmax_step(task: Task, call: Call) -> np.ndarray:
    import torch

    model = _softmax()
    if task.prompt.d != model.d:
        raise Declined(f"softmax-icl was trained for d = {model.d}, the task has d = {task.prompt.d}", "messages")
    with torch.no_grad():
        return model(*(torch.from_numpy(part) for part in (task.prompt.X, task.prompt.y, task.w))).numpy()


@cache
def _softmax() -> Any:
    from a2a.chat.softmax_icl import load_weights

    return load_weights()[0]


_GRADIENT = OfflineAgent(
    "gradient",
    gradient,
    "The positive control: it reads the text, takes the exact step and writes it rounded.",
    options=("noise", "digits", "eta", *sorted(MISTAKES)),
)

OFFLINE: dict[str, OfflineAgent] = {
    agent.name: agent
    for agent in (
        _GRADIENT,
        replace(
            _GRADIENT,
            name="gradient:noise=0.01",
            description="The same with Gaussian noise on every answer, for what a model that samples does.",
        ),
        OfflineAgent(
            "softmax-icl",
            softmax_icl,
            "A softmax transformer with MLPs, trained in this project on in-context regression: its rule is learned, "
            "and nothing in it is a gradient step.",
            version=softmax_version,
            dimension=3,
        ),
        OfflineAgent(
            "smollm2",
            smollm2.smollm2,
            "The language model SmolLM2-135M-Instruct, the negative control: too small for this arithmetic, and slow.",
            version=smollm2.version,
            is_installed=smollm2.is_installed,
            live=False,
            one_at_a_time=True,
            temperature=0.0,  # greedy, its best case
            language_model=True,
            options=(),
        ),
    )
}
"""By name, in the order in which they are shown."""


def available() -> list[str]:
    """What the server hosts: the agents without options that are installed."""
    return [name for name in OFFLINE if hosts(name)]


def hosts(name: str) -> bool:
    """Whether the server hosts an agent of that name, less its options."""
    return ":" not in name and name in OFFLINE and OFFLINE[name].is_installed()


def known(name: str) -> OfflineAgent | None:
    """The agent of that name, or the one that its options or faults are for; None for any other model."""
    return OFFLINE.get(name) or OFFLINE.get(re.split("[:+]", name)[0])
