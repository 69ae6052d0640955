"""Chat completions of a server: how a request is put to it, and what it doesn't take."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable
from typing import Any

import openai

from a2a.chat.calls import Reply, Request, read_reply
from a2a.models.connection import Connection
from a2a.models.server import Call

OPTIONAL = ("response_format", "reasoning_effort", "temperature", "seed", "max_completion_tokens", "max_tokens")
"""What a server may decline to take: it is then left out, and the record says so."""


class Endpoint:
    """A connection, and which settings each model behind it declined (`not_taken`)."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.not_taken: dict[str, set[str]] = {}

    def __repr__(self) -> str:
        return f"Endpoint({self.connection.server.url!r})"

    def call(self, request: Request, sent: set[str]) -> Call[Reply]:
        """The request as a call; each try goes out without what the model has declined until then.

        Args:
            request: what is asked.
            sent: filled, at each try, with the names of the settings that went out.
        """

        def send(client: openai.AsyncOpenAI) -> Awaitable[Any]:
            settings = self.sent(request)
            sent.clear()
            sent.update(settings)
            raw = client.chat.completions.with_raw_response
            return raw.create(model=request.model, messages=request.messages, **settings)

        return Call(request.model, "a chat completion", send, read_reply, OPTIONAL)

    def sent(self, request: Request) -> dict[str, Any]:
        """The settings that go out with a request: its own, less what the server doesn't take."""
        settings = dict(request.settings)
        if (answer := settings.pop("schema", None)) is not None:
            wrapped = {"name": "answer", "strict": True, "schema": answer}
            settings["response_format"] = {"type": "json_schema", "json_schema": wrapped}
        if (limit := settings.pop("max_tokens", None)) is not None:
            name = "max_tokens" if "max_completion_tokens" in self._declined(request) else "max_completion_tokens"
            settings[name] = limit
        if (seed := settings.get("seed")) is not None:
            settings["seed"] = _seed(seed, request.replicate, request.attempt)
        return {name: value for name, value in settings.items() if name not in self._declined(request)}

    def leave_out(self, model: str, setting: str) -> None:
        """From now on, ask this model without a setting."""
        self.not_taken.setdefault(model, set()).add(setting)

    def _declined(self, request: Request) -> set[str]:
        return self.not_taken.get(request.model, set())


def _seed(seed: int, replicate: int, attempt: int) -> int:
    """A seed for each repetition, or a server that honours it would answer the same again."""
    digest = hashlib.sha256(f"{seed}/{replicate}/{attempt}".encode()).digest()
    return int.from_bytes(digest[:4], "big") // 2
