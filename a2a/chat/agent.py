"""A chat model as an agent like any other: a callable w -> w."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from a2a import arrays
from a2a.chat.calls import Reply, Request
from a2a.chat.client import ChatClient
from a2a.chat.protocol import Form, messages, schema, stated, stated_prompt
from a2a.chat.replies import Outcome, parse
from a2a.chat.transcripts import ReplayMiss
from a2a.prompts import Prompt


class NoValidReply(RuntimeError):
    """The model gave no valid answer in the attempts it had; it carries their outcomes."""

    def __init__(self, model: str, w: np.ndarray, outcomes: list[Outcome]) -> None:
        self.outcomes = outcomes
        tried = "; ".join(outcome.name for outcome in outcomes)
        super().__init__(f"{model} gave no valid answer to w = {w.tolist()} in {len(outcomes)} attempts: {tried}")


@dataclass(frozen=True)
class Settings:
    """What decides an answer besides the messages; None leaves a choice to the server.

    temperature, reasoning_effort: passed on as they are; max_tokens: limit on the answer, reasoning included;
    structured: ask for structured outputs; seed: each repetition of a call gets its own seed from it. Calls under
    another seed are other calls: two agents that ask the same under one seed share what a transcript holds.
    A setting that the server declines is left out, and the transcript says so.
    """

    temperature: float | None = None
    reasoning_effort: str | None = None
    seed: int | None = 0
    max_tokens: int | None = None
    structured: bool = True


class ChatAgent:
    """Answers w (..., d) by asking a chat model for one step; the w of a batch are asked concurrently.

    Args:
        client: where the answers come from.
        prompt: the examples the model reads, X (..., n, d); leading dimensions broadcast with those of w.
        eta: step size of the explicit form; None for the implicit form.
        model: its name at the server.
        room, digits: see `Form`.
        settings: see `Settings`.
        attempts: how often one w is asked until the answer is valid.

    Attributes:
        prompt: as the model reads it, rounded to the digits stated; predictions belong to this one.
        counts: how often each outcome came, by name.
        last: the reply that came last, as the model wrote it; None before the first.
    """

    def __init__(
        self,
        client: ChatClient,
        prompt: Prompt,
        eta: float | None = None,
        *,
        model: str,
        room: bool = False,
        digits: int = 4,
        settings: Settings | None = None,
        attempts: int = 3,
    ) -> None:
        self.client, self.model = client, model
        self.form = Form(eta, room, digits)
        self.prompt = stated_prompt(prompt, digits)
        self.settings = settings or Settings()
        self.attempts = arrays.positive_int("attempts", attempts)
        self.counts: Counter[str] = Counter()
        self.last: Reply | None = None
        self._asked: Counter[str] = Counter()
        self._exchanges: list[tuple[np.ndarray, np.ndarray]] = []

    def __call__(self, w: Any) -> np.ndarray:
        """The model's answer to w (..., d).

        Raises:
            NoValidReply: for the first w of the batch that got no valid answer in `attempts`.
        """
        read = self._read(w)
        tried = self._ask_all(read)
        for position, outcomes in tried.items():
            if outcomes[-1].w is None:
                raise NoValidReply(self.model, read[position], outcomes)
        written = np.array([outcomes[-1].w for outcomes in tried.values()]).reshape(read.shape)
        self._exchanges.append((read, written))
        return written

    def outcomes(self, w: Any) -> list[Outcome]:
        """The last outcome for each w of the batch, in order, where some may be without a valid answer."""
        return [outcomes[-1] for outcomes in self._ask_all(self._read(w)).values()]

    @property
    def exchanges(self) -> tuple[np.ndarray, np.ndarray]:
        """What the model read and wrote so far, (..., calls, d) each, as `identify` takes them."""
        if not self._exchanges:
            raise ValueError("no exchanges: the agent wasn't called")
        read, written = zip(*self._exchanges, strict=True)
        return np.stack(read, axis=-2), np.stack(written, axis=-2)

    def _read(self, w: Any) -> np.ndarray:
        w = stated(arrays.vector("w", np.asarray(w), self.prompt.d), self.form.digits)
        shape = arrays.batch_shape(prompt=self.prompt.X.shape[:-2], labels=self.prompt.y.shape[:-1], w=w.shape[:-1])
        return np.broadcast_to(w, (*shape, self.prompt.d))

    def _ask_all(self, read: np.ndarray) -> dict[tuple[int, ...], list[Outcome]]:
        batch = read.shape[:-1]
        X = np.broadcast_to(self.prompt.X, (*batch, self.prompt.n, self.prompt.d))
        y = np.broadcast_to(self.prompt.y, (*batch, self.prompt.n))
        positions = list(np.ndindex(batch))
        questions = [self._question(X[position], y[position], read[position]) for position in positions]
        tried = self.client.together([self._ask(question) for question in questions])
        return dict(zip(positions, tried, strict=True))

    def _question(self, X: np.ndarray, y: np.ndarray, w: np.ndarray) -> Callable[[int], Request]:
        """The request of each attempt. A question that came before in this run is a repetition: a call of its own."""
        text = messages(self.form, X, y, w)
        said = text[-1]["content"]
        replicate = self._asked[said]
        self._asked[said] += 1
        return lambda attempt: Request(self.model, text, self._wire_settings(), replicate, attempt)

    def _wire_settings(self) -> dict[str, Any]:
        chosen = {
            "temperature": None if self.settings.temperature is None else float(self.settings.temperature),
            "reasoning_effort": self.settings.reasoning_effort,
            "seed": self.settings.seed,
            "max_tokens": self.settings.max_tokens,
            "schema": schema(self.form, self.prompt.d) if self.settings.structured else None,
        }
        return {name: value for name, value in chosen.items() if value is not None}

    async def _ask(self, question: Callable[[int], Request]) -> list[Outcome]:
        """The outcomes of the attempts at one w; the last is valid unless the attempts are used up.

        A recorded refusal is no answer: it doesn't use up an attempt, so that a run that is started again asks on.
        """
        outcomes: list[Outcome] = []
        used = 0
        while used < self.attempts:
            try:
                reply, outcome = await self.client.answer(question(len(outcomes)), self._parse)
            except ReplayMiss:
                if outcomes:
                    break  # the recorded run gave up here
                raise
            self.last = reply
            self.counts[outcome.name] += 1
            outcomes.append(outcome)
            if outcome.w is not None:
                break
            used += not (reply.recorded and outcome.kind == "refusal")
        return outcomes

    def _parse(self, reply: Reply) -> Outcome:
        return parse(reply.text, self.prompt.d, reply.finish_reason, reply.refusal)
