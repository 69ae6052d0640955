"""The key to a server: from OPENAI_API_KEY only, for addresses that hold no secrets, and out of all that comes back."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from a2a.models.errors import CallError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""This machine's names for itself."""
NONE = "none"
"""Stands for a key where none is needed."""


def is_local(base_url: str) -> bool:
    """Whether an address is one of this machine.

    Raises:
        ValueError: if it is no address, or carries a user, a password or a query; none of them is repeated.
    """
    parts = urlsplit(base_url)
    if parts.query or parts.fragment or "@" in base_url:
        raise ValueError("base_url must be without user, password and query: the key comes from OPENAI_API_KEY only")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("base_url must be like https://api.openai.com/v1 or http://127.0.0.1:8000/v1")
    return parts.hostname in LOOPBACK


def key_for(base_url: str) -> str:
    """The key for a server; this machine's own needs none.

    Raises:
        ValueError: if it is no address.
        CallError: if there is no key, or one that no header can carry.
    """
    key = os.environ.get("OPENAI_API_KEY") or (NONE if is_local(base_url) else "")
    if not key:
        raise CallError(f"{base_url} needs a key: set the environment variable OPENAI_API_KEY")
    if not re.fullmatch(r"[!-~]+", key):
        # such a key would fail in the middle of a call, with an error that repeats it in a spelling of its own
        del key  # or a traceback with local variables would show it
        raise CallError("OPENAI_API_KEY holds a blank, a line end or a letter that isn't ASCII: no key has one")
    return key


def scrubber(key: str) -> Callable[[Any], Any]:
    """What removes a key from decoded JSON or from a text; also what looks like a masked one, as servers repeat it.

    A key counts in any case and in any spelling that JSON, HTML or an address has for it, also where a text holds JSON
    in its turn or was UTF-16. The key is in the closure alone: no attribute shows it.
    """
    looks_like_one = re.compile(r"\bsk-[\w*.-]{4,}")
    own = re.compile(r"(?!)" if key == NONE else r"\x00?".join(map(_spellings, key)), re.IGNORECASE)

    def scrub(value: Any) -> Any:
        if isinstance(value, str):
            return looks_like_one.sub("[removed]", own.sub("[removed]", value))
        if isinstance(value, list):
            return [scrub(one) for one in value]
        if isinstance(value, dict):
            return {scrub(name): scrub(one) for name, one in value.items()}
        return value

    return scrub


def _spellings(c: str) -> str:
    """A pattern for the ways to write one character."""
    named = html.escape(c, quote=True)
    ways = [rf"\\{{0,8}}{re.escape(c)}", rf"\\{{1,8}}u00{ord(c):02x}", f"%(?:25)?{ord(c):02x}"]
    ways += [f"&#0*{ord(c)};", f"&#x0*{ord(c):x};", *([re.escape(named)] if named != c else [])]
    return f"(?:{'|'.join(ways)})"
