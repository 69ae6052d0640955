"""One try of one call to an OpenAI-compatible server, through the official client; every failure gets a name."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import openai

from a2a.chat.calls import CallFailed, ChatError, Reply, Request, RequestRejected, read_reply

LOOPBACK = ("127.0.0.1", "localhost", "::1")
OPTIONAL = ("response_format", "reasoning_effort", "temperature", "seed", "max_completion_tokens", "max_tokens")
"""What a server may decline to take: it is then left out, and the record says so."""


class Endpoint:
    """A server, the key to it (from OPENAI_API_KEY only) and what it doesn't take.

    Raises:
        ValueError: if the base URL isn't one, or carries a user, a password or a query.
        ChatError: if the server isn't on this machine and there is no key.
    """

    def __init__(self, base_url: str, timeout: float) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("base_url must be like https://api.openai.com/v1 or http://127.0.0.1:8000/v1")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError(
                "base_url must be without user, password and query: the key comes from OPENAI_API_KEY only"
            )
        self.url = base_url.rstrip("/")
        self.is_local = parts.hostname in LOOPBACK
        self.timeout = timeout
        self.not_taken: dict[str, set[str]] = {}
        key = os.environ.get("OPENAI_API_KEY") or ("none" if self.is_local else "")
        if not key:
            raise ChatError(f"{self.url} needs a key: set the environment variable OPENAI_API_KEY")
        self._scrub = _scrubber(key)
        self._openai: openai.AsyncOpenAI | None = None
        secure, through_proxy = parts.scheme == "https", not self.is_local

        for library in ("httpcore2", "openai"):
            logging.getLogger(library).setLevel(logging.WARNING)  # their debug logs show headers, where a key may be

        def connect() -> openai.AsyncOpenAI:  # a closure, so that the key is in no attribute
            http = openai.DefaultAsyncHttpx2Client(verify=secure, trust_env=through_proxy)
            return openai.AsyncOpenAI(api_key=key, base_url=self.url, max_retries=0, timeout=timeout, http_client=http)

        self._connect = connect

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r})"

    @property
    def server(self) -> str:
        """The server's name for the record: its URL, without the port when that is a local server's passing one."""
        return "loopback" if self.is_local else self.url

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """The connections of a batch of calls, closed at its end."""
        async with self._connect() as self._openai:
            yield
        self._openai = None

    async def call(self, request: Request) -> Reply:
        """Ask once, while connected.

        Raises:
            RequestRejected, CallFailed: with one line that says what happened.
        """
        assert self._openai is not None
        try:
            # the client's own timeout is for each read, which a server that drips never exceeds
            async with asyncio.timeout(self.timeout):
                raw = await self._openai.chat.completions.with_raw_response.create(**self._arguments(request))
            return read_reply(self._scrub(raw.text))
        except (TimeoutError, openai.APITimeoutError):
            failure: ChatError = CallFailed(self._line(request, f"no complete answer within {self.timeout:g} s"))
        except openai.APIStatusError as error:
            failure = self._status(request, error)
        except openai.APIConnectionError as error:
            failure = CallFailed(self._line(request, f"connection failed: {error.__cause__ or error}"))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            failure = CallFailed(self._line(request, "the answer isn't a chat completion"))
        raise failure from None  # the cause holds the request with its headers

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

    def _arguments(self, request: Request) -> dict[str, Any]:
        return {"model": request.model, "messages": request.messages, **self.sent(request)}

    def _status(self, request: Request, error: openai.APIStatusError) -> ChatError:
        status, message = error.status_code, str(error.message).removeprefix(f"Error code: {error.status_code}")
        line = self._line(request, f"{status}{message}")
        out_of_credit = status == 429 and error.code == "insufficient_quota"
        if (status in (408, 409, 429) or status >= 500) and not out_of_credit:
            failure = CallFailed(line)
            failure.wait = _seconds(error.response.headers.get("retry-after"))
            return failure
        rejected = RequestRejected(f"{line} (is OPENAI_API_KEY right?)" if status == 401 else line)
        if status in (400, 422):
            told = f"{error.param} {message} {error.body}"
            rejected.declined = next((name for name in OPTIONAL if re.search(rf"\b{name}\b", told)), None)
        return rejected

    def _line(self, request: Request, what: str) -> str:
        """One line, in which the key can't be, not even when the server repeats it."""
        return " ".join(f"{self.url}, model {request.model}: {self._scrub(what)}".split())[:400]


def _scrubber(key: str) -> Callable[[str], str]:
    """Removes the key, and what looks like the masked one that some servers repeat; a closure, like `connect`."""
    is_dummy = key == "none"

    def scrub(text: str) -> str:
        text = text if is_dummy else text.replace(key, "[removed]")
        return re.sub(r"\bsk-[\w*.-]{4,}", "[removed]", text)

    return scrub


def _seed(seed: int, replicate: int, attempt: int) -> int:
    """A seed for each repetition, or a server that honours it would answer the same again."""
    digest = hashlib.sha256(f"{seed}/{replicate}/{attempt}".encode()).digest()
    return int.from_bytes(digest[:4], "big") // 2


def _seconds(retry_after: str | None) -> float | None:
    try:
        return max(0.0, float(retry_after or ""))
    except ValueError:
        return None
