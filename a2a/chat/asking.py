"""Who asks a question: of all that share a journal, in this process and in others, one at a time.

A question is held by a POSIX lock on one byte of an empty file beside the journal, NAME.lock. The kernel frees it when
the process ends, however it ends. Such locks are a process's own, and go with the first descriptor of their file that
it closes: each file is opened once and stays open, and what this process holds is kept in `_held`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_held: dict[tuple[Path, str], object] = {}
os.register_at_fork(after_in_child=_held.clear)  # a child has none of its parent's locks


@contextmanager
def asking(journal: Path, key: str) -> Iterator[bool]:
    """Hold a question, unless somebody else does; the value says whether it is held until the end of the block.

    Raises:
        OSError: if the file of locks can't be made.
    """
    file, mine = journal.resolve(), object()
    if _held.setdefault((file, key), mine) is not mine:
        yield False
        return
    try:
        descriptor, byte = _locks(file), int(key[:15], 16)
        if not _is_free(descriptor, byte):
            yield False
            return
        try:
            yield True
        finally:
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, byte)
    finally:
        _held.pop((file, key), None)


def _is_free(descriptor: int, byte: int) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
    except (BlockingIOError, PermissionError):  # systems differ in what they say
        return False
    return True


@cache
def _locks(file: Path) -> int:
    file.parent.mkdir(parents=True, exist_ok=True)
    return os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
