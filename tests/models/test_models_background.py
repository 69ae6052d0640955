import asyncio
import multiprocessing
from contextlib import asynccontextmanager

import pytest

from a2a.models import background


async def later(value, seconds=0.0):
    await asyncio.sleep(seconds)
    if isinstance(value, Exception):
        raise value
    return value


def test_results_come_in_order():
    assert background.together([later(1, 0.02), later(2), later(3, 0.01)]) == [1, 2, 3]
    assert background.together([]) == []


def test_all_end_before_the_first_error_is_raised():
    ended = []

    async def noted():
        ended.append(await later("end", 0.03))

    with pytest.raises(ValueError, match="first"):
        background.together([later(ValueError("first"), 0.01), noted(), later(KeyError("second"))])
    assert ended == ["end"]


def test_they_run_within_the_context():
    open_now = []

    @asynccontextmanager
    async def around():
        open_now.append(1)
        yield
        open_now.clear()

    async def look():
        return list(open_now)

    assert background.together([look()], around()) == [[1]]
    assert open_now == []


def test_an_interrupt_cancels(monkeypatch):
    cancelled = []

    async def long():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    class Interrupted:
        def __init__(self, future):
            self.future = future

        def result(self):
            raise KeyboardInterrupt

        def cancel(self):
            return self.future.cancel()

    start = asyncio.run_coroutine_threadsafe
    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", lambda *given: Interrupted(start(*given)))
    running = long()
    with pytest.raises(KeyboardInterrupt):
        background.run(running)
    monkeypatch.undo()
    background.run(asyncio.sleep(0.01))
    assert cancelled in ([True], [])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_waits_for_no_thread_of_its_parent_s():
    fork = multiprocessing.get_context("fork")
    assert background.run(later(1)) == 1
    child = fork.Process(target=lambda: background.run(later(2)))
    child.start()
    child.join(60)
    child.kill()
    assert child.exitcode == 0 and background.run(later(3)) == 3
