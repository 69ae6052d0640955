"""Keys and passwords, out of all that is printed, raised or written: `scrub`."""

from __future__ import annotations

import base64
import html
import os
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

VARIABLE = "OPENAI_API_KEY"
"""The environment variable with the key."""
SHORTEST = 8
"""Letters of the shortest key that is looked for: what is shorter is a stand-in such as "none" or "EMPTY", and stands
in half of all texts."""
REMOVED = "[removed]"

_LIKE_ONE = re.compile(r"""(?<=://)[^\s/?#"<>\\]+@|\bsk-[\w*.-]{4,}""")
_BETWEEN = r"(?:\x00|\\{1,8}(?:u00|x)00|[ \t]{0,8}(?:\r?\n|(?:\\{1,8}r)?\\{1,8}n)[ \t]{0,8})?"
"""What may stand between a key's letters: the other half of a letter in UTF-16, and a line end where it was wrapped."""
_BREAK = r"(?:\s|\\{1,8}[rn]){0,4}"


def scrub(value: Any) -> Any:
    """Decoded JSON or a text without the key of the environment, and without what looks like a key.

    That is a key as servers repeat it, whole or masked, and the user and password in an address. The key counts in any
    case and in any spelling that JSON, HTML, an address or Python has for it, where a text was UTF-16 or its lines are
    short, and in base64.
    """
    return _scrubber(os.environ.get(VARIABLE, "").strip())(value)


def holds_secret(value: Any) -> bool:
    """Whether a parameter's value holds a key, what looks like one, or an address with a user, a password or a query.

    A model's name, after "#", is no part of the address.
    """
    text = value if isinstance(value, str) else repr(value)
    places = (part.partition("://")[2] for part in re.split(r"[\s#]", text))
    return scrub(text) != text or any(re.search(r"@|\?.", place) for place in places)


def scrubber(key: str) -> Callable[[Any], Any]:
    """`scrub` for a key that need not be the environment's. It is in the closure alone: no attribute shows it."""
    own = _pattern(key)

    def scrub(value: Any) -> Any:
        if isinstance(value, str):
            return _LIKE_ONE.sub(_unless_a_word, own.sub(REMOVED, value))
        if isinstance(value, list | tuple):
            return (tuple if isinstance(value, tuple) else list)(map(scrub, value))
        if isinstance(value, dict):
            return {scrub(name): scrub(one) for name, one in value.items()}
        return value

    return scrub


_scrubber = lru_cache(maxsize=4)(scrubber)


def _unless_a_word(found: re.Match[str]) -> str:
    """Nothing of a key, and all of a word such as "sk-learn", which is no key's length and has nothing left out."""
    text = found[0]
    whole = len(text) > 20 and any(map(str.isdigit, text))
    return REMOVED if text.endswith("@") or whole or "*" in text or "..." in text else text


def _pattern(key: str) -> re.Pattern[str]:
    if len(key) < SHORTEST or not key.isascii():  # no header can carry other letters, so no server has seen them
        return re.compile(r"(?!)")
    written = [_BETWEEN.join(map(_spellings, key)), *(_BREAK.join(map(_spellings, text)) for text in _in_base64(key))]
    return re.compile("|".join(written), re.IGNORECASE)


def _in_base64(key: str) -> Iterator[str]:
    """What is the same in every base64 of a text that holds the key: one for each place in a group of three bytes."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + key.encode()).decode()
        yield coded[-(-8 * before // 6) : 8 * (before + len(key.encode())) // 6]


def _spellings(c: str) -> str:
    """A pattern for the ways to write one character."""
    escaped, code, named = "[+-]" if c == "+" else "[/_]" if c == "/" else re.escape(c), ord(c), html.escape(c)
    ways = [rf"\\{{0,8}}{escaped}", rf"\\{{1,8}}(?:u00|x){code:02x}", f"%(?:25){{0,8}}{code:02x}"]
    ways += [f"&(?:amp;){{0,8}}{end[1:]}" for end in (f"&#0*{code};", f"&#x0*{code:x};", named) if len(end) > 1]
    return f"(?:{'|'.join(ways)})"
