"""The client: calls with a limit on how many at once, retries, budgets, and every one of them written down."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from a2a.chat import background
from a2a.chat.calls import CallFailed, ChatError, Reply, Request, RequestRejected
from a2a.chat.endpoint import Endpoint
from a2a.chat.replies import Outcome
from a2a.chat.transcripts import ReplayMiss, Transcripts
from a2a.chat.usage import Prices, Usage

T = TypeVar("T")
Mode = Literal["live", "record", "replay"]
Read = Callable[[Reply], Outcome]


class BudgetExhausted(ChatError):
    """The budget of calls or tokens is used up; everything answered so far is in the transcript."""


class ChatClient:
    """Answers requests from a server, a transcript, or both.

    Args:
        base_url: of any OpenAI-compatible server; not needed for replay.
        transcripts: where calls are written down and found again.
        mode: "live" asks and keeps nothing; "record" asks only what the transcript doesn't answer, and writes every
            call down; "replay" never asks, and a request that isn't in the transcript is an error that names it.
        concurrency: calls under way at once.
        retries, backoff: how often a call is repeated after a passing failure, and the first pause in seconds (doubled
            each time, at random between half and all of it, and never shorter than the server asks for).
        timeout: seconds for one whole answer.
        budget_calls: calls that this client may send, retries included.
        budget_tokens: tokens after which it sends no more; calls under way then are still finished.
        prices: for the cost.

    Attributes:
        spent, replayed: usage of what was sent, and of what came from the transcript.
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
        prices: Prices | None = None,
    ) -> None:
        if mode not in ("live", "record", "replay"):
            raise ValueError(f'mode must be "live", "record" or "replay", got {mode!r}')
        if (mode == "live") != (transcripts is None):
            raise ValueError(f"mode {mode!r} {'takes no' if transcripts else 'needs'} transcripts")
        if mode != "replay" and base_url is None:
            raise ValueError(f"mode {mode!r} needs a base_url")
        self.mode, self.transcripts = mode, transcripts
        self.endpoint = None if base_url is None or mode == "replay" else Endpoint(base_url, timeout)
        self.retries, self.backoff = retries, backoff
        self.budget_calls, self.budget_tokens, self.prices = budget_calls, budget_tokens, prices
        self.spent, self.replayed = Usage(), Usage()
        self._places = asyncio.Semaphore(concurrency)
        self._stop: Exception | None = None

    def __repr__(self) -> str:
        return f"ChatClient({self.endpoint!r}, mode={self.mode!r}, {self.transcripts!r})"

    @property
    def cost(self) -> float | None:
        """US dollars for what this client sent; None without prices."""
        return self.spent.cost(self.prices)

    def together(self, coroutines: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """Run coroutines concurrently; if one fails, the others finish what is under way before its error is raised."""
        self._stop = None
        results = background.run(self._gather(coroutines))
        for error in results:
            if isinstance(error, BaseException):
                raise error.with_traceback(None)
        return results  # type: ignore[return-value]

    async def _gather(self, coroutines: Sequence[Coroutine[Any, Any, T]]) -> list[T | BaseException]:
        async with self.endpoint.connected() if self.endpoint else nullcontext():
            return await asyncio.gather(*coroutines, return_exceptions=True)

    async def answer(self, request: Request, read: Read) -> tuple[Reply, Outcome]:
        """The reply to a request and what `read` makes of it.

        Raises:
            ReplayMiss: in replay, if the transcript doesn't hold the request.
            RequestRejected: if the server won't take it; nothing is tried again.
            CallFailed: if it failed more often than `retries`.
            BudgetExhausted: before a call that the budget doesn't allow.
        """
        if self.transcripts is not None and (record := self.transcripts.answer(request)) is not None:
            reply = Reply(**record["reply"], usage=record["usage"], recorded=True)
            self.replayed.add(reply)
            return reply, read(reply)
        if self.endpoint is None:
            assert self.transcripts is not None
            raise ReplayMiss(request, self.transcripts.path, self.transcripts.failure(request))
        async with self._places:
            try:
                return await self._ask(self.endpoint, request, read)
            except Exception as error:
                self._stop = error
                raise

    async def _ask(self, endpoint: Endpoint, request: Request, read: Read) -> tuple[Reply, Outcome]:
        failures = 0
        while True:
            self._reserve()
            started, sent = time.monotonic(), endpoint.sent(request)
            try:
                reply = await endpoint.call(request)
            except ChatError as error:
                self.spent.failed += 1
                self._record(request, time.monotonic() - started, error=str(error))
                if isinstance(error, RequestRejected) and error.declined in sent:
                    endpoint.leave_out(request.model, error.declined)
                    continue  # asked again at once, without the setting that the server doesn't take
                failures += 1
                if isinstance(error, RequestRejected):
                    raise
                if failures > self.retries:
                    raise CallFailed(f"{error} (tried {failures} times)") from None
                await asyncio.sleep(self._pause(failures, error))
                continue
            self.spent.add(reply)
            outcome = read(reply)
            self._record(request, time.monotonic() - started, reply, outcome)
            return reply, outcome

    def _reserve(self) -> None:
        if self._stop is not None:
            raise self._stop
        for used, budget, what in (
            (self.spent.calls, self.budget_calls, "calls"),
            (self.spent.tokens, self.budget_tokens, "tokens"),
        ):
            if budget is not None and used >= budget:
                raise BudgetExhausted(f"the budget of {budget} {what} is used up ({used} used)")
        self.spent.calls += 1

    def _pause(self, failures: int, error: ChatError) -> float:
        asked = min(getattr(error, "wait", None) or 0.0, 120.0)
        return max(asked, min(self.backoff * 2 ** (failures - 1), 60.0) * random.uniform(0.5, 1.0))

    def _record(
        self,
        request: Request,
        seconds: float,
        reply: Reply | None = None,
        outcome: Outcome | None = None,
        error: str | None = None,
    ) -> None:
        if self.transcripts is None:
            return
        assert self.endpoint is not None
        kept = None if reply is None else asdict(reply)
        usage = None if kept is None else kept.pop("usage")
        if kept is not None:
            del kept["recorded"]
        self.transcripts.append(
            {
                "key": request.key,
                "request": {**request.as_dict(), "base_url": self.endpoint.url},
                "server": self.endpoint.server,
                "left_out": sorted(self.endpoint.not_taken.get(request.model, ())),
                "reply": kept,
                "outcome": None if outcome is None else outcome.name,
                "error": error,
                "usage": usage,
                "time": datetime.now(UTC).isoformat(timespec="seconds"),
                "seconds": round(seconds, 3),
            }
        )
