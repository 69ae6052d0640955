"""What running a page with a paid model takes, from recorded token counts, in words and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from a2a.book.tables import Table
from a2a.chat.forecast import Forecast, Stage, forecast, tokens_of_a_call
from a2a.chat.lineup import LineUp
from a2a.chat.offline import known
from a2a.intervals import Number
from a2a.models.usage import Prices


@dataclass(frozen=True)
class Expected:
    """What is expected of one reply of a paid model.

    Attributes:
        read, written: tokens; those written with all reasoning.
        seconds: until it is there.
        source: where the tokens are from, in words.
    """

    read: Number
    written: Number
    seconds: Number
    source: str


def expected(cast: LineUp, written: Number, seconds: Number) -> Expected:
    """From a recording of a model that isn't ours; else what a language model of ours read, and `written` tokens."""
    counted = {name: tokens_of_a_call(transcripts) for name, transcripts in cast.recorded.items()}
    theirs = [name for name in counted if known(name) is None]
    if theirs:
        read, written = counted[theirs[0]]
        return Expected(read, written, seconds, f"as recorded of {theirs[0]}")
    ours = sorted(counted, key=lambda name: not (agent := known(name)) or not agent.language_model)
    read = counted[ours[0]][0] if ours else 0.0
    source = f"read as counted by {ours[0]}, written as assumed" if ours else "nothing recorded"
    return Expected(read, written, seconds, source)


def forecasts(stages: Sequence[Stage], concurrency: int, one: Expected) -> dict[str, Forecast]:
    """Of each stage, and of all of them together."""
    costs = {"read": one.read, "written": one.written, "seconds": one.seconds}
    each = {stage.name: forecast([stage], concurrency, **costs) for stage in stages}
    return each | {"all": forecast(stages, concurrency, **costs)}


def forecast_table(stages: Sequence[Stage], concurrency: int, one: Expected, prices: Prices) -> Table:
    """A row for each stage and one for all."""
    rows = [
        (name, f"{part.calls:,}", f"{part.read:,}", f"{part.written:,}", _dollars(part, prices), f"{part.minutes:.0f}")
        for name, part in forecasts(stages, concurrency, one).items()
    ]
    return Table(["one model", "calls", "tokens read", "tokens written", "US dollars", "minutes"], rows)


def forecast_words(stages: Sequence[Stage], concurrency: int, one: Expected, prices: Prices) -> str:
    """All stages in half a sentence."""
    all_of_it = forecasts(stages, concurrency, one)["all"]
    read, written = (float(f"{tokens:.2g}") for tokens in (all_of_it.read, all_of_it.written))
    dollars = all_of_it.dollars(prices)
    money = "dollars that are unknown, as no prices were given" if dollars is None else f"{dollars:.2f} US dollars"
    return (
        f"{all_of_it.calls:,} calls, about {read:,.0f} tokens read and {written:,.0f} written ({one.source}), "
        f"{all_of_it.minutes:.0f} minutes and {money}"
    )


def _dollars(part: Forecast, prices: Prices) -> str:
    dollars = part.dollars(prices)
    return "unknown" if dollars is None else f"{dollars:.2f}"
