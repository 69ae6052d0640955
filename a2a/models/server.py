"""One try of one call to an OpenAI-compatible server, through the official client; every failure gets a name."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

import openai

from a2a.models.errors import CallError, CallFailed, RequestRejected
from a2a.models.keys import is_local, key_for
from a2a.models.usage import token_counts
from a2a.printable import excerpt
from a2a.secrets import scrubber

T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    """One question to a server.

    Attributes:
        model, kind: for errors: whom it asks, and what it wants, such as "a chat completion".
        send: sends it with the given client and returns the raw response; called anew for each try.
        read: makes the answer of the decoded body, or raises what reading something else raises (ValueError, KeyError,
            TypeError, ...).
        optional: settings that a server may decline.
    """

    model: str
    kind: str
    send: Callable[[openai.AsyncOpenAI], Awaitable[Any]]
    read: Callable[[Any], T]
    optional: tuple[str, ...] = ()


class Server:
    """A server and the key to it (from OPENAI_API_KEY only).

    Attributes:
        url: its address; name: for the record, without the port when that is a local server's passing one.
        timeout: seconds for one whole answer.

    Raises:
        ValueError: if the base URL isn't one, or carries a user, a password or a query.
        CallError: if the server isn't on this machine and there is no key.
    """

    def __init__(self, base_url: str, timeout: float) -> None:
        local, key = is_local(base_url), key_for(base_url)
        self.url, self.timeout = base_url.rstrip("/"), timeout
        self.name = "loopback" if local else self.url
        self._scrub, self._connect = scrubber(key), _connector(self.url, key, timeout, local)
        self._openai: openai.AsyncOpenAI | None = None
        self._users = 0
        for library in ("httpcore2", "httpx2", "openai"):
            # their logs show headers and what a server says beside its status, where a key may be
            logging.getLogger(library).setLevel(logging.WARNING)

    def __repr__(self) -> str:
        return f"Server({self.url!r})"

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """The connections of a batch of calls, closed at its end; batches that overlap share them."""
        self._openai = self._openai or self._connect()
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                client, self._openai = self._openai, None
                await client.close()

    async def once(self, call: Call[T]) -> tuple[T, dict[str, int]]:
        """Ask once, while connected: the answer and its token counts.

        Raises:
            RequestRejected, CallFailed: with one line that says what happened.
        """
        assert self._openai is not None
        try:
            # the client's own timeout is for each read, which a server that drips never exceeds
            async with asyncio.timeout(self.timeout):
                raw = await call.send(self._openai)
            body = self._scrub(json.loads(raw.text))
            return call.read(body), token_counts(body)
        except (TimeoutError, openai.APITimeoutError):
            failure: CallError = CallFailed(self._line(call, f"no complete answer within {self.timeout:g} s"))
        except openai.APIStatusError as error:
            failure = self._status(call, error)
        except openai.APIConnectionError as error:
            failure = CallFailed(self._line(call, f"connection failed: {error.__cause__ or error}"))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            failure = CallFailed(self._line(call, f"the answer isn't {call.kind}"))
        raise failure from None  # the cause holds the request with its headers

    def _status(self, call: Call[T], error: openai.APIStatusError) -> CallError:
        status, message = error.status_code, str(error.message).removeprefix(f"Error code: {error.status_code}")
        line = self._line(call, f"{status}{message}")
        out_of_credit = status == 429 and error.code == "insufficient_quota"
        if (status in (408, 409, 429) or status >= 500) and not out_of_credit:
            failure = CallFailed(line)
            failure.wait = _seconds(error.response.headers.get("retry-after"))
            return failure
        rejected = RequestRejected(f"{line} (is OPENAI_API_KEY right?)" if status == 401 else line)
        if status in (400, 422):
            told = f"{error.param} {message} {error.body}"
            rejected.declined = next((name for name in call.optional if re.search(rf"\b{name}\b", told)), None)
        return rejected

    def _line(self, call: Call[T], what: str) -> str:
        """One line, in which the key can't be, not even when the server repeats it."""
        line = self._scrub(f"{self.url}, model {call.model}: {what}")
        return excerpt(" ".join(line.split()), 400, one_line=True)


def _connector(url: str, key: str, timeout: float, local: bool) -> Callable[[], openai.AsyncOpenAI]:
    """What makes a client; a closure, so that the key is in no attribute of ours."""
    secure = urlsplit(url).scheme == "https"

    def connect() -> openai.AsyncOpenAI:
        # no proxy between this machine and itself, and no server that sends what it is asked on to another
        http = openai.DefaultAsyncHttpx2Client(verify=secure, trust_env=not local, follow_redirects=False)
        return openai.AsyncOpenAI(api_key=key, base_url=url, max_retries=0, timeout=timeout, http_client=http)

    return connect


def _seconds(retry_after: str | None) -> float | None:
    try:
        return max(0.0, float(retry_after or ""))
    except ValueError:
        return None
