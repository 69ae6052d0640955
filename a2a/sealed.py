"""Records as lines of JSON that say whether they are as they were written: each ends with a digest of itself.

The digest is the first half of the SHA-256 of all that stands before it in its line. It finds accidents and edits, not
forgers: whoever writes a line of their own can write its digest, too.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

Record = dict[str, Any]

_DIGEST = b', "digest": "'


def digest(value: Any) -> str:
    """Of anything that JSON can hold: 32 hexadecimal digits that are the same in all processes and on all machines."""
    return _half_hash(json.dumps(value, sort_keys=True).encode())


def sealed(record: Record) -> bytes:
    """A record's line, without its line feed.

    Raises:
        ValueError, TypeError: if it can't be written as JSON.
    """
    # ASCII only: texts may hold line separators and halves of surrogate pairs
    body = json.dumps(record, allow_nan=False).encode().removesuffix(b"}")
    return body + _end(body)


def unsealed(line: bytes) -> Record:
    """The record of a line, without its digest.

    Raises:
        ValueError, TypeError, RecursionError: if it isn't one, or isn't as it was written.
    """
    record = parsed(line)
    body, found, _ = line.rpartition(_DIGEST)
    if not found or "digest" not in record:
        raise ValueError("the record has no digest, so nobody can tell whether it is as it was written")
    if line != body + _end(body):
        raise ValueError("the record isn't as it was written: it has another digest")
    del record["digest"]
    return record


def parsed(line: bytes) -> Record:
    """The JSON object of a line.

    Raises:
        ValueError, TypeError, RecursionError: if it isn't one.
    """
    record = json.loads(line.decode())
    if not isinstance(record, dict):
        raise TypeError(f"a record is a JSON object, not {type(record).__name__}")
    return record


def _end(body: bytes) -> bytes:
    return _DIGEST + _half_hash(body).encode() + b'"}'


def _half_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
