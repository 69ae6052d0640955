"""One event loop in a thread of its own: notebooks already run one in theirs."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end and return its result; an interrupt cancels it."""
    future = asyncio.run_coroutine_threadsafe(coroutine, _loop(os.getpid()))
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def together(
    coroutines: Sequence[Coroutine[Any, Any, T]], around: AbstractAsyncContextManager[None] | None = None
) -> list[T]:
    """Run coroutines concurrently, within a context; all of them end before the first error of one is raised."""
    results = run(_gather(coroutines, around or nullcontext()))
    for error in results:
        if isinstance(error, BaseException):
            raise error.with_traceback(None)
    return results  # type: ignore[return-value]


async def _gather(
    coroutines: Sequence[Coroutine[Any, Any, T]], around: AbstractAsyncContextManager[None]
) -> list[T | BaseException]:
    async with around:
        return await asyncio.gather(*coroutines, return_exceptions=True)


@cache
def _loop(process: int) -> asyncio.AbstractEventLoop:
    """A process's loop: a forked child has none of its parent's threads, and would wait for ever for this one."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="a2a-calls", daemon=True).start()
    return loop
