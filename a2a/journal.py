"""A journal: a file of JSON lines that is only appended to, and stays whole under kill -9, full disks, two writers.

A block of records goes out in one write, under the file's lock, and is on the disk when `append` returns. What a killed
writer leaves behind is at most one line without its end:

- a last line that is a whole record counts as one, with or without its line feed;
- a last line that is the beginning of one of this journal's records is torn: readers pass over it, and the next writer
  removes it;
- anything else that isn't a record is an error that names the file and the line, and stays as it is.
"""

from __future__ import annotations

import errno
import fcntl
import gzip
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class JournalError(ValueError):
    """A journal that can't be read or may not be written to."""


class Journal:
    """The records of one file; a name that ends in .gz is for reading only.

    Args:
        path: the file; it need not exist.
        opening: how each of this journal's lines begins. Only such an end is ever taken for torn, and removed.
        error: what is raised for a file that is no such journal.
    """

    def __init__(self, path: str | Path, opening: bytes, error: type[JournalError] = JournalError) -> None:
        self.path = Path(path)
        self._opening, self._error = opening, error
        self._offset = self._line = 0
        self._descriptor: int | None = None

    def read(self, take: Callable[[Record], None]) -> None:
        """Hand over, one by one, the records that this or another process has appended since the last look.

        Raises:
            JournalError: if a line isn't a record, or `take` won't have it; with the file's name and the line.
        """
        *lines, last = self._new().split(b"\n")
        if last and not self._is_torn(last):
            lines.append(last)
        for line in lines:
            try:
                take(_record(line))
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
                raise self._error(f"{self.path.name}, line {self._line + 1}: {_said(error)}") from error
            self._line += 1
            self._offset += len(line) + 1  # also where the line feed is still to come: whoever writes next adds it

    def append(self, records: Sequence[Record]) -> None:
        """Write a block of records, all or none, and return when they are on the disk.

        Raises:
            JournalError: if the file ends in what no writer of this journal left there.
            OSError: if they can't be written, on a full disk for one; the file is then as it was.
        """
        # ASCII only: texts may hold line separators and halves of surrogate pairs
        block = b"".join(json.dumps(record, allow_nan=False).encode() + b"\n" for record in records)
        with self._held() as descriptor:
            self._mend(descriptor)
            _write(descriptor, block)

    def require_writable(self) -> None:
        """Nothing, if records can be appended here; whatever wasn't there before isn't there afterwards.

        Raises:
            JournalError: if the file is compressed or something else than a file.
            OSError: if the file, or a new one in this place, can't be written to.
        """
        self._require_file()
        if self.path.exists():
            os.close(os.open(self.path, os.O_RDWR | os.O_APPEND))
            return
        folder = next(folder for folder in self.path.absolute().parents if folder.exists())
        try:
            with tempfile.TemporaryFile(dir=folder) as tried:
                _write(tried.fileno(), b"x" * 4096)
        except OSError as error:
            raise OSError(error.errno, f"can't be written to: {error.strerror}", str(self.path)) from None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the file's lock: no other process writes to it meanwhile.

        Raises:
            JournalError: if another process does already.
        """
        with self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB) as self._descriptor:
            try:
                yield
            finally:
                self._descriptor = None

    def _held(self) -> AbstractContextManager[int]:
        return self._locked(fcntl.LOCK_EX) if self._descriptor is None else nullcontext(self._descriptor)

    def _new(self) -> bytes:
        if not self.path.exists():
            return b""
        if self.path.suffix == ".gz":
            return b"" if self._offset else self._unpacked()
        with self.path.open("rb") as file:
            file.seek(self._offset)
            return file.read()

    def _unpacked(self) -> bytes:
        try:
            return gzip.decompress(self.path.read_bytes())
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise self._error(f"{self.path.name} can't be decompressed: {error}") from None

    def _is_torn(self, end: bytes) -> bool:
        return not _is_whole(end) and (end.startswith(self._opening) or self._opening.startswith(end))

    def _require_file(self) -> None:
        if self.path.suffix == ".gz":
            raise self._error(f"{self.path.name} is compressed, for replay only")
        if self.path.exists() and not self.path.is_file():
            raise self._error(f"{self.path} isn't a file")

    @contextmanager
    def _locked(self, how: int) -> Iterator[int]:
        self._require_file()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            try:
                fcntl.flock(descriptor, how)
            except BlockingIOError:
                raise self._error(f"another process writes to {self.path.name}") from None
            yield descriptor
        finally:
            os.close(descriptor)

    def _mend(self, descriptor: int) -> None:
        """Give the file a clean end. Under the lock nobody is in the middle of a line, so its writer was killed."""
        size = os.fstat(descriptor).st_size
        if not size or os.pread(descriptor, 1, size - 1) == b"\n":
            return
        end = self.path.read_bytes().rpartition(b"\n")[-1]
        if self._is_torn(end):
            os.ftruncate(descriptor, size - len(end))
        elif _is_whole(end):
            _write(descriptor, b"\n")
        else:
            raise self._error(f"{self.path.name} ends in a line that isn't a record; nothing was changed")


def _record(line: bytes) -> Record:
    record = json.loads(line)
    if not isinstance(record, dict):
        raise TypeError(f"a record is a JSON object, not {type(record).__name__}")
    return record


def _is_whole(line: bytes) -> bool:
    try:
        _record(line)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


def _said(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return f"this isn't JSON ({error})"
    return f"{error} is missing" if isinstance(error, KeyError) else str(error)


def _write(descriptor: int, block: bytes) -> None:
    size = os.fstat(descriptor).st_size
    try:
        if os.write(descriptor, block) != len(block):
            raise OSError(errno.ENOSPC, f"only a part of {len(block)} bytes could be written")
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, size)  # nobody else has written: the lock is held
        raise
