"""What a chat model answered: a named outcome, and a vector only if there is no doubt about it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["valid", "repaired", "invalid", "refusal", "cut off"]

LARGEST = 1e6
"""A coordinate above this is taken for a slip (a lost decimal point, digits run together), not for a step."""

_FENCE = re.compile(r"```\w*[^\S\n]*\n")
_OPEN, _CLOSE, _INSIDE = r"[\[({]", r"[\])}]", r"([^\[\](){}]*)"
_OBJECT = re.compile(rf"""[{{,]\s*["'“]?w(?:_new)?["'”]?\s*[:=]\s*{_OPEN}{_INSIDE}{_CLOSE}""")
_BARE = re.compile(rf"(?:w\w*\s*[:=]\s*)?[\[(]{_INSIDE}[\])]\.?")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_REFUSAL = re.compile(
    r"\bI(['’]m| am) (sorry|unable|not able)|\b(I )?(can['’]?t|cannot|won['’]t) (help|assist|comply|do|provide|answer)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Outcome:
    """What became of one reply.

    Attributes:
        kind: "valid"; "repaired" (fenced, prose around it, malformed JSON such as wrong brackets; `reason` says which);
            "invalid" (wrong length, not finite, too large, nothing found, ...); "refusal"; "cut off" (token limit).
        w: the answer, d finite numbers, for "valid" and "repaired"; else None.
        reason: why it isn't valid.
    """

    kind: Kind
    w: tuple[float, ...] | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """Kind and reason, as counted."""
        return f"{self.kind}: {self.reason}" if self.reason else self.kind


class _Unusable(Exception):
    """Something that looks like an answer and isn't one; the message is the reason."""


def parse(text: str | None, d: int, finish_reason: str | None = "stop", refusal: str | None = None) -> Outcome:
    """The outcome of a reply that should hold d numbers.

    A reply that the token limit cut off counts as such whatever it holds: the vectors of unfinished reasoning aren't an
    answer. Of several answers the last one counts.
    """
    if refusal or finish_reason == "content_filter":
        return Outcome("refusal")
    if finish_reason == "length":
        return Outcome("cut off")
    text = (text or "").strip()
    try:
        return _strict(text, d) or _tolerant(text, d) or _nothing(text)
    except _Unusable as reason:
        return Outcome("invalid", reason=str(reason))


def _strict(text: str, d: int) -> Outcome | None:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict) or not isinstance(answer.get("w"), list):
        return None
    if not all(type(value) in (int, float) for value in answer["w"]):
        return None
    w = _checked(answer["w"], d)
    return Outcome("valid", w) if answer.keys() <= {"reasoning", "w"} else Outcome("repaired", w, "other fields")


def _tolerant(text: str, d: int) -> Outcome | None:
    if (inside := _unfenced(text)) is not None and (outcome := _strict(inside, d) or _bare_or_object(inside, d)):
        return Outcome("repaired", outcome.w, "fenced")
    return _bare_or_object(text, d)


def _unfenced(text: str) -> str | None:
    """What stands between the fences of a text that is one fenced block; a long one takes no longer than its length."""
    opening = _FENCE.match(text)
    if opening is None or not text.endswith("```") or len(text) < opening.end() + 3:
        return None
    return text[opening.end() : -3].strip()


def _bare_or_object(text: str, d: int) -> Outcome | None:
    if objects := _OBJECT.findall(text):
        whole = text.startswith("{") and text.endswith(("}", "]", ")"))
        return Outcome("repaired", _checked(_split(objects[-1]), d), "malformed JSON" if whole else "prose around it")
    if bare := _BARE.fullmatch(text):
        return Outcome("repaired", _checked(_split(bare.group(1)), d), "bare list")
    return None


def _nothing(text: str) -> Outcome:
    if _REFUSAL.search(text):
        return Outcome("refusal")
    return Outcome("invalid", reason="nothing found" if text else "empty")


def _split(inside: str) -> list[float]:
    inside = inside.strip().rstrip(",;").replace("−", "-")
    words = re.split("[,;]", inside) if re.search("[,;]", inside) else inside.split()
    return [_to_float(word.strip().strip("\"' \t\n")) for word in words]


def _to_float(word: str) -> float:
    if _NOT_FINITE.fullmatch(word):
        raise _Unusable("not finite")
    if not _NUMBER.fullmatch(word):
        raise _Unusable("not a number")
    return float(word)


def _checked(values: list[Any], d: int) -> tuple[float, ...]:
    if len(values) != d:
        raise _Unusable("wrong length")
    # an int too large for a float would raise OverflowError
    if any(isinstance(value, int) and abs(value) > LARGEST for value in values):
        raise _Unusable("too large")
    if not all(math.isfinite(value) for value in values):
        raise _Unusable("not finite")
    if any(abs(value) > LARGEST for value in values):
        raise _Unusable("too large")
    return tuple(float(value) for value in values)
