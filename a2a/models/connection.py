"""The one way to OpenAI-compatible servers: calls with a limit on how many at once, retries, timeouts and budgets.

Calls are coroutines. They run in an event loop in a thread of its own, so that notebooks, threads and plain programs
use it in the same way: `Connection.together`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from a2a.models import background
from a2a.models.errors import CallError, CallFailed, RequestRejected
from a2a.models.server import Call, Server
from a2a.models.usage import Budget, Usage

T = TypeVar("T")
LONGEST_PAUSE = 60.0
LONGEST_WAIT = 120.0
"""Seconds between two tries, of our own and at a server's request."""


def _repeat_never(came: Any, seconds: float) -> bool:
    return False


class Connection:
    """A server, and all that is asked of it.

    Args:
        base_url: such as https://api.openai.com/v1.
        concurrency: calls under way at once.
        retries, backoff: how often a call is repeated after a passing failure, and the first pause in seconds (doubled
            each time, at random between half and all of it, and never shorter than the server asks for).
        timeout: seconds for one whole answer.
        budget: what may be used.

    Attributes:
        server: see `Server`.
        spent: what was used so far.

    Raises:
        ValueError: if the address isn't one or holds secrets, or if no call may be under way.
        CallError: if the server isn't on this machine and there is no key.
    """

    def __init__(
        self,
        base_url: str,
        *,
        concurrency: int = 8,
        retries: int = 5,
        backoff: float = 1.0,
        timeout: float = 120.0,
        budget: Budget | None = None,
    ) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, got {concurrency}")
        self.server = Server(base_url, timeout)
        self.retries, self.backoff = retries, backoff
        self.budget, self.spent = budget or Budget(), Usage()
        self._places = asyncio.Semaphore(concurrency)
        self._stop: Exception | None = None

    def __repr__(self) -> str:
        return f"Connection({self.server.url!r})"

    def together(self, coroutines: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
        """Run coroutines that ask, concurrently; if one fails, what is under way ends before its error is raised."""
        self._stop = None
        return background.together(coroutines, self.server.connected())

    async def ask(self, call: Call[T], came: Callable[[T | CallError, float], bool] = _repeat_never) -> T:
        """The answer to a call.

        Args:
            call: see `Call`.
            came: told of each try what it brought, an answer or an error, and how many seconds it took. If it returns
                True for an error, the call is repeated at once, and the try isn't one of `retries`.

        Raises:
            RequestRejected: if the server won't take it; nothing is tried again.
            CallFailed: if it failed more often than `retries`.
            BudgetExhausted: before a call that the budget doesn't allow.
        """
        async with self._places:
            try:
                return await self._ask(call, came)
            except Exception as error:
                self._stop = error
                raise

    async def _ask(self, call: Call[T], came: Callable[[T | CallError, float], bool]) -> T:
        failures = 0
        while True:
            self._reserve()
            started = time.monotonic()
            try:
                answer, counts = await self.server.once(call)
            except CallError as error:
                self.spent.failed += 1
                if came(error, time.monotonic() - started):
                    continue
                failures += 1
                if isinstance(error, RequestRejected):
                    raise
                if failures > self.retries:
                    raise CallFailed(f"{error} (tried {failures} times)") from None
                await asyncio.sleep(self._pause(failures, error))
                continue
            self.spent.add(counts)
            came(answer, time.monotonic() - started)
            return answer

    def require_going_on(self) -> None:
        """Raise the error that has ended the batch under way, if one has: what still waits need not."""
        if self._stop is not None:
            raise self._stop

    def _reserve(self) -> None:
        """Count a call that is about to be sent, if it may be."""
        self.require_going_on()
        self.budget.check(self.spent)
        self.spent.calls += 1

    def _pause(self, failures: int, error: CallError) -> float:
        asked = min(getattr(error, "wait", None) or 0.0, LONGEST_WAIT)
        return max(asked, min(self.backoff * 2 ** (failures - 1), LONGEST_PAUSE) * random.uniform(0.5, 1.0))
