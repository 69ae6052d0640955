"""One call to a chat model: what is asked, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from a2a.chat.protocol import Messages
from a2a.models.usage import token_counts
from a2a.sealed import digest
from a2a.secrets import scrub


@dataclass(frozen=True)
class Request:
    """One call. Requests with equal fields are the same call, asked once.

    Attributes:
        model: name asked for.
        messages: the chat.
        settings: what else decides the answer: temperature, seed, reasoning effort, token limit, schema.
        replicate: distinguishes repetitions of the same question within a run.
        attempt: distinguishes the attempts at one valid answer.

    Raises:
        ValueError: if it holds a key or what looks like one: none is sent or recorded.
    """

    model: str
    messages: Messages
    settings: dict[str, Any] = field(default_factory=dict)
    replicate: int = 0
    attempt: int = 0

    def __post_init__(self) -> None:
        if scrub(told := self.as_dict()) != told:
            raise ValueError("a request holds a key or what looks like one: keys come from OPENAI_API_KEY only")

    def as_dict(self) -> dict[str, Any]:
        """As the record holds it."""
        return {
            "model": self.model,
            "messages": self.messages,
            "settings": self.settings,
            "replicate": self.replicate,
            "attempt": self.attempt,
        }

    @property
    def key(self) -> str:
        """A hash that is stable across processes and machines.

        The base URL isn't part of it: the local server's port changes from run to run.
        """
        return digest(self.as_dict())

    @property
    def name(self) -> str:
        """For people: the model, the numbers and the end of the question."""
        asked = " ".join(self.messages[-1]["content"].split()) if self.messages else ""
        short = asked if len(asked) <= 160 else f"{asked[:80]} ... {asked[-80:]}"
        return f"request {self.key} (model {self.model}, replicate {self.replicate}, attempt {self.attempt}: {short!r})"


@dataclass(frozen=True)
class Reply:
    """What a model answered.

    Attributes:
        text: the answer; None if there is none.
        model: the dated name under which the server answered.
        finish_reason: "stop", "length", ...
        refusal: what the model said when it refused.
        usage: the server's token counts.
        recorded: whether it comes from a transcript.
    """

    text: str | None
    model: str
    finish_reason: str | None = "stop"
    refusal: str | None = None
    usage: dict[str, int] | None = None
    recorded: bool = False


def read_reply(body: Any) -> Reply:
    """The reply in the decoded body of a chat completion.

    Raises:
        ValueError, KeyError, TypeError, IndexError, AttributeError: if it isn't one.
    """
    choice = body["choices"][0]
    message = choice["message"]
    text, refusal, finish = message.get("content"), message.get("refusal"), choice.get("finish_reason")
    if not all(isinstance(said, str | None) for said in (text, refusal, finish)) or not isinstance(body["model"], str):
        raise TypeError("what should be text isn't")
    return Reply(text, body["model"], finish, refusal, token_counts(body) or None)
