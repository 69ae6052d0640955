"""What a run will take, before it is started: calls, tokens, US dollars and minutes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil

from a2a.chat.transcripts import Transcripts
from a2a.intervals import Number
from a2a.models.usage import Prices, Usage


@dataclass(frozen=True)
class Stage:
    """A part of a run: `width` questions at once, `depth` times one after the other."""

    name: str
    depth: int
    width: int = 1

    @property
    def calls(self) -> int:
        """Questions in all."""
        return self.depth * self.width


@dataclass(frozen=True)
class Forecast:
    """What stages take of one model whose replies are all valid at once.

    Attributes:
        calls: how many.
        read, written: tokens.
        minutes: with as many calls under way at once as are allowed.
    """

    calls: int
    read: int
    written: int
    minutes: float

    def dollars(self, prices: Prices) -> float | None:
        """What that costs; None without both prices."""
        used = Usage(prompt_tokens=self.read, completion_tokens=self.written)
        return used.cost(prices) if prices.known else None


def forecast(stages: Iterable[Stage], concurrency: int, *, read: Number, written: Number, seconds: Number) -> Forecast:
    """The forecast for stages, from the tokens and the seconds of one reply."""
    stages = list(stages)
    calls = sum(stage.calls for stage in stages)
    rounds = sum(stage.depth * ceil(stage.width / concurrency) for stage in stages)
    return Forecast(calls, round(calls * read), round(calls * written), rounds * seconds / 60)


def tokens_of_a_call(transcripts: Transcripts) -> tuple[float, float]:
    """Tokens read and written, means over the replies of a recording.

    Raises:
        ValueError: if it holds no reply.
    """
    used = transcripts.used
    if not used.replies:
        raise ValueError(f"{transcripts.path.name} holds no reply")
    return used.prompt_tokens / used.replies, used.completion_tokens / used.replies
