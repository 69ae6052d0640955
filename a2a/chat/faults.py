"""Faults on request, so that a client can be tried against everything that real servers do.

They are asked for in the model's name: `gradient+429` always answers 429; `gradient+429x2+cut` does so twice, then cuts
every body.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, replace

from starlette.responses import Response, StreamingResponse

from a2a.chat.answers import error
from a2a.chat.hosted import Completion, Declined

HANG = 600.0
"""Seconds that a timeout hangs; the client gives up first."""


@dataclass(frozen=True)
class ModelName:
    """A name taken apart: `base:option=1.0+fault+faultx2`."""

    base: str
    options: dict[str, float]
    faults: tuple[tuple[str, int | None], ...]

    def fault(self, call: int) -> str | None:
        """The fault of the call of that number (from 0) to this name."""
        for fault, times in self.faults:
            if times is None or call < times:
                return fault
            call -= times
        return None


def parse_name(name: str) -> ModelName:
    """Take a model's name apart.

    Raises:
        Declined: if an option isn't a number, or there is no such fault.
    """
    base, *faults = name.split("+")
    base, _, options = base.partition(":")
    try:
        chosen = {key: float(value) for key, _, value in (pair.partition("=") for pair in options.split(",") if pair)}
    except ValueError:
        raise Declined(f"options are like noise=0.01,digits=3, got {options!r}", "model") from None
    return ModelName(base, chosen, tuple(_fault(fault) for fault in faults))


def _fault(text: str) -> tuple[str, int | None]:
    parts = re.fullmatch(r"([45]\d\d|[a-z_]+?)(?:x(\d{1,9}))?", text, re.ASCII)
    if not parts or not (parts[1].isdigit() or parts[1] in NAMES or parts[1].startswith("no_")):
        raise Declined(f"no fault {text!r}; there are statuses from 400, no_SETTING, {', '.join(NAMES)}", "model")
    return parts[1], int(parts[2]) if parts[2] else None


def refuse(fault: str, settings: Collection[str]) -> Response | None:
    """The answer of a fault that needs no model: a status, or a setting among those sent that isn't taken."""
    if fault.isdigit():
        return error(int(fault), f"injected status {fault}")
    if fault == QUOTA:
        return error(429, "You exceeded your current quota, please check your plan.", code="insufficient_quota")
    if fault.startswith("no_") and (setting := fault.removeprefix("no_")) in settings:
        return error(400, f"Unsupported parameter: {setting!r}.", setting, "unsupported_parameter")
    return None


async def _hang(answer: bytes, media_type: str) -> Response:
    await asyncio.sleep(HANG)
    return Response(answer, media_type=media_type)


async def _cut(answer: bytes, media_type: str) -> Response:
    async def half() -> AsyncIterator[bytes]:
        yield answer[: len(answer) // 2]
        raise ConnectionResetError

    return StreamingResponse(half(), headers={"content-length": str(len(answer))}, media_type=media_type)


async def _drip(answer: bytes, media_type: str) -> Response:
    async def slowly() -> AsyncIterator[bytes]:
        for position in range(len(answer)):
            yield answer[position : position + 1]
            await asyncio.sleep(0.1)

    return StreamingResponse(slowly(), media_type=media_type)


async def _garbage(answer: bytes, media_type: str) -> Response:
    return Response(answer[::-1] + b"\xff\x00", media_type=media_type)


async def _page(answer: bytes, media_type: str) -> Response:
    return Response("<html><body>Welcome to the hotel wifi</body></html>", media_type="text/html")


QUOTA = "quota"
NO_CHOICES = "nochoices"

TRANSPORT: dict[str, Callable[[bytes, str], Awaitable[Response]]] = {
    "timeout": _hang,
    "cut": _cut,
    "drip": _drip,
    "garbage": _garbage,
    "page": _page,
}
"""Faults of the transport: made from the whole answer and its media type."""


def _reasoned(text: str) -> str:
    """The answer at the end of such text as reasoning models write, with vectors in it that are none."""
    wrong = text.replace("[", "[9")
    return (
        f"First r = X w - y.\nIf eta were 1, the answer would be {wrong}, which is too far.\nSo:\n```json\n{text}\n```"
    )


CONTENT: dict[str, Callable[[str], str]] = {
    "fenced": lambda text: f"```json\n{text}\n```",
    "prose": lambda text: f"Here you are:\n{text}\nAnything else?",
    "reasoning": _reasoned,
    "brackets": lambda text: text.replace("[", "(").replace("]", ")"),
    "nan": lambda text: re.sub(r"\[[^,\]]*", "[NaN", text),
    "huge": lambda text: re.sub(r"\[[^,\]]*", "[1e30", text),
    "short": lambda text: re.sub(r"\[[^,\]]*,", "[", text),
    "nothing": lambda text: "The new weights follow from the gradient.",
    "empty": lambda text: "",
    "length": lambda text: text[: len(text) // 2],
    "refusal": lambda text: "I'm sorry, I can't help with that.",
}
"""Faults of the content: made from the text of the answer."""


NAMES = (*TRANSPORT, QUOTA, NO_CHOICES, *CONTENT)
"""All faults with a name of their own."""


def spoil(fault: str | None, completion: Completion) -> Completion:
    """The completion with a fault in its content."""
    if fault not in CONTENT:
        return completion
    text = CONTENT[fault](completion.text)
    if fault == "refusal":
        return replace(completion, text="", refusal=text)
    return replace(completion, text=text, finish_reason="length" if fault == "length" else "stop")
