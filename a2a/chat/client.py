"""The client: answers from a server, from a transcript or from both, with every call written down."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from a2a.chat.asking import asking
from a2a.chat.calls import Reply, Request
from a2a.chat.endpoint import Endpoint
from a2a.chat.replies import Outcome
from a2a.chat.transcripts import ReplayMiss, Transcripts
from a2a.models import background
from a2a.models.connection import LONGEST_PAUSE, LONGEST_WAIT, Connection
from a2a.models.errors import CallError, CallFailed, RequestRejected
from a2a.models.usage import Budget, Prices, Usage

T = TypeVar("T")
Mode = Literal["live", "record", "replay"]
Read = Callable[[Reply], Outcome]
LONGEST_LOOK = 0.5
"""Seconds between two looks whether another process has its answer."""


class ChatClient:
    """Answers requests from a server, a transcript, or both.

    Args:
        base_url: of any OpenAI-compatible server; not needed for replay.
        transcripts: where calls are written down and found again.
        mode: "live" asks and keeps nothing; "record" asks only what the transcript doesn't answer, and writes every
            call down; processes that share a transcript ask each question once, and all get the first reply to it;
            "replay" never asks, and a request that isn't in the transcript is an error that names it.
        concurrency, retries, backoff, timeout: see `Connection`.
        budget_calls, budget_tokens: see `Budget`.
        budget_dollars: see `Budget`; what the replies in the transcript have cost counts, so that it is a limit for all
            runs that record there.
        prices: for the cost.

    Attributes:
        endpoint: the way to the server; None in replay.
        spent, replayed: usage of what was sent, and of what came from the transcript.
        patience: seconds to wait for a question that another process asks while nothing new is recorded.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        transcripts: Transcripts | None = None,
        mode: Mode = "live",
        concurrency: int = 8,
        retries: int = 5,
        backoff: float = 1.0,
        timeout: float = 120.0,
        budget_calls: int | None = None,
        budget_tokens: int | None = None,
        budget_dollars: float | None = None,
        prices: Prices | None = None,
    ) -> None:
        if mode not in ("live", "record", "replay"):
            raise ValueError(f'mode must be "live", "record" or "replay", got {mode!r}')
        if (mode == "live") != (transcripts is None):
            raise ValueError(f"mode {mode!r} {'takes no' if transcripts else 'needs'} transcripts")
        if mode != "replay" and base_url is None:
            raise ValueError(f"mode {mode!r} needs a base_url")
        self.mode, self.transcripts, self.prices = mode, transcripts, prices
        self.endpoint: Endpoint | None = None
        self.spent, self.replayed = Usage(), Usage()
        self.patience = 2 * timeout + LONGEST_WAIT + LONGEST_PAUSE
        if base_url is not None and mode != "replay":
            before = 0.0 if transcripts is None else transcripts.used.cost(prices) or 0.0
            budget = Budget(budget_calls, budget_tokens, budget_dollars, prices, before)
            connection = Connection(
                base_url, concurrency=concurrency, retries=retries, backoff=backoff, timeout=timeout, budget=budget
            )
            self.endpoint, self.spent = Endpoint(connection), connection.spent

    def __repr__(self) -> str:
        return f"ChatClient({self.endpoint!r}, mode={self.mode!r}, {self.transcripts!r})"

    @property
    def cost(self) -> float | None:
        """US dollars for what this client sent; None without prices."""
        return self.spent.cost(self.prices)

    def together(self, coroutines: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """Run coroutines concurrently; if one fails, the others finish what is under way before its error is raised."""
        run = background.together if self.endpoint is None else self.endpoint.connection.together
        return run(coroutines)

    async def answer(self, request: Request, read: Read) -> tuple[Reply, Outcome]:
        """The reply to a request and what `read` makes of it.

        Raises:
            ReplayMiss: in replay, if the transcript doesn't hold the request.
            RequestRejected, CallFailed, BudgetExhausted: see `Connection.ask`; CallFailed also if another process asks
                the same, and nothing is recorded for too long (see `patience`).
            TranscriptError, OSError: if the reply can't be recorded.
        """
        if (reply := self._known(request)) is not None:
            return reply, read(reply)
        if self.endpoint is None:
            assert self.transcripts is not None
            raise ReplayMiss(request, self.transcripts.path, self.transcripts.failure(request))
        if self.transcripts is None:
            return await self._ask(self.endpoint, request, read)
        return await self._ask_once(self.endpoint, self.transcripts, request, read)

    def _known(self, request: Request) -> Reply | None:
        record = None if self.transcripts is None else self.transcripts.answer(request)
        if record is None:
            return None
        reply = Reply(**record["reply"], usage=record["usage"], recorded=True)
        self.replayed.add(reply.usage)
        return reply

    async def _ask_once(
        self, endpoint: Endpoint, transcripts: Transcripts, request: Request, read: Read
    ) -> tuple[Reply, Outcome]:
        """Ask what nobody else who writes to this transcript asks; wait for what somebody does.

        Whoever asks gives the question free once its answer, or its last failure, is recorded; so does its end.
        """
        pause, seen, since = 0.01, -1, 0.0
        while True:
            with asking(transcripts.path, request.key) as is_mine:
                if (reply := self._known(request)) is not None:
                    return reply, read(reply)
                if is_mine:
                    await self._ask(endpoint, request, read)
                    return self._first(transcripts, request, read)
            endpoint.connection.require_going_on()
            if transcripts.calls != seen:
                seen, since = transcripts.calls, time.monotonic()
            elif time.monotonic() - since > self.patience:
                raise CallFailed(f"another process asks {request.name}, and has recorded nothing for {self.patience} s")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK)

    @staticmethod
    def _first(transcripts: Transcripts, request: Request, read: Read) -> tuple[Reply, Outcome]:
        """What was just answered, as it is recorded: a replay is to see the same."""
        record = transcripts.answer(request)
        assert record is not None
        reply = Reply(**record["reply"], usage=record["usage"])
        return reply, read(reply)

    async def _ask(self, endpoint: Endpoint, request: Request, read: Read) -> tuple[Reply, Outcome]:
        sent: set[str] = set()
        outcomes: list[Outcome] = []

        def came(what: Reply | CallError, seconds: float) -> bool:
            if isinstance(what, Reply):
                outcomes.append(read(what))
                self._record(endpoint, request, seconds, reply=what, outcome=outcomes[-1])
                return False
            self._record(endpoint, request, seconds, error=str(what))
            if not isinstance(what, RequestRejected) or what.declined is None or what.declined not in sent:
                return False
            endpoint.leave_out(request.model, what.declined)
            return True  # again at once, without the setting that the server doesn't take

        reply = await endpoint.connection.ask(endpoint.call(request, sent), came)
        return reply, outcomes[-1]

    def _record(
        self,
        endpoint: Endpoint,
        request: Request,
        seconds: float,
        reply: Reply | None = None,
        outcome: Outcome | None = None,
        error: str | None = None,
    ) -> None:
        if self.transcripts is None:
            return
        kept = {} if reply is None else asdict(reply)
        usage = kept.pop("usage", None)
        kept.pop("recorded", None)
        server = endpoint.connection.server
        self.transcripts.append(
            {
                "key": request.key,
                "request": {**request.as_dict(), "base_url": server.url},
                "server": server.name,
                "left_out": sorted(endpoint.not_taken.get(request.model, ())),
                "reply": kept or None,
                "outcome": None if outcome is None else outcome.name,
                "error": error,
                "usage": usage,
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "seconds": round(seconds, 3),
            }
        )
