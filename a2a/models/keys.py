"""The key to a server: from OPENAI_API_KEY only, for addresses that hold no secrets."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

from a2a.models.errors import CallError
from a2a.secrets import VARIABLE

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
    key = os.environ.get(VARIABLE) or (NONE if is_local(base_url) else "")
    if not key:
        raise CallError(f"{base_url} needs a key: set the environment variable OPENAI_API_KEY")
    if not re.fullmatch(r"[!-~]+", key):
        # such a key would fail in the middle of a call, with an error that repeats it in a spelling of its own
        del key  # or a traceback with local variables would show it
        raise CallError("OPENAI_API_KEY holds a blank, a line end or a letter that isn't ASCII: no key has one")
    return key
