"""A journal: a file of JSON lines that is only appended to, and stays whole under kill -9, full disks, two writers.

A block of records goes out in one write, under the file's lock, and is on the disk when `append` returns. Each record
ends with a digest of itself (see `a2a.sealed`). What a killed writer leaves behind is at most one line without its end:

- a last line that is a whole record counts as one, with or without its line feed;
- a last line that is the beginning of one of this journal's records is torn: readers pass over it, and the next writer
  removes it;
- anything else that isn't a record as it was written is an error that names the file and the line, and stays as it is.
"""

from __future__ import annotations

import errno
import fcntl
import gzip
import json
import os
import re
import tempfile
import textwrap
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from a2a.sealed import Record, parsed, sealed, unsealed
from a2a.secrets import scrub

__all__ = ["Journal", "JournalError", "Record", "said"]


class JournalError(ValueError):
    """A journal that can't be read or may not be written to."""


class Journal:
    """The records of one file; a name that ends in .gz is for reading only.

    Args:
        path: the file; it need not exist.
        opening: how each of this journal's lines begins. Only such an end is ever taken for torn, and removed; a
            shorter one only where a record stands before it.
        error: what is raised for a file that is no such journal.
    """

    def __init__(self, path: str | Path, opening: bytes, error: type[JournalError] = JournalError) -> None:
        self.path = Path(path)
        self._opening, self._error = opening, error
        self._offset = self._line = 0
        self._descriptor: int | None = None
        self._is_packed = self.path.suffix == ".gz"

    def read(self, take: Callable[[Record], None]) -> None:
        """Hand over, one by one, the records that this or another process has appended since the last look.

        Raises:
            JournalError: if a line isn't a record, or `take` won't have it; with the file's name and the line.
        """
        *lines, last = self._new().split(b"\n")
        if last and not self._is_torn(last, is_first=self._line + len(lines) == 0):
            lines.append(last)
        for line in lines:
            try:
                take(unsealed(line))
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
                raise self._error(f"{self.path.name}, line {self._line + 1}: {said(error)}") from error
            self._line += 1
            self._offset += len(line) + 1  # also where the line feed is still to come: whoever writes next adds it

    def append(self, records: Sequence[Record]) -> None:
        """Write a block of records, all or none, and return when they are on the disk.

        Raises:
            JournalError: if the file ends in what no writer of this journal left there.
            OSError: if they can't be written, on a full disk for one; the file is then as it was.
        """
        block = b"".join(sealed(scrub(record)) + b"\n" for record in records)
        with self._held() as descriptor:
            self._mend(descriptor)
            self._write(descriptor, block)

    def require_writable(self) -> None:
        """Nothing, if records can be appended here; whatever wasn't there before isn't there afterwards.

        Raises:
            JournalError: if the file is compressed or something else than a file.
            OSError: if the file, or a new one in this place, can't be written to.
        """
        self._require_file(to_write=True)
        if self.path.exists():
            os.close(os.open(self.path, os.O_RDWR | os.O_APPEND))
            return
        folder = next(folder for folder in self.path.absolute().parents if folder.exists())
        try:
            with tempfile.TemporaryFile(dir=folder) as tried:
                self._write(tried.fileno(), b"x" * 4096)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.path)) from None

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
        self._require_file()
        size = self.path.stat().st_size if self.path.exists() else 0
        if self._is_packed:
            return self._unpacked() if size and not self._offset else b""
        if size + 1 < self._offset:
            raise self._error(f"{self.path.name} holds less than it did: it was cut or removed meanwhile")
        if size <= self._offset:
            return b""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            return file.read()

    def _unpacked(self) -> bytes:
        try:
            return gzip.decompress(self.path.read_bytes())
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise self._error(f"{self.path.name} can't be decompressed: {error}") from None

    def _is_torn(self, end: bytes, *, is_first: bool) -> bool:
        begins = end.startswith(self._opening) or (self._opening.startswith(end) and not is_first)
        return begins and re.fullmatch(rb"[ -~]*", end) is not None and not _is(parsed, end)

    def _require_file(self, *, to_write: bool = False) -> None:
        if to_write and self._is_packed:
            raise self._error(f"{self.path.name} is compressed, for replay only")
        if self.path.exists() and not self.path.is_file():  # a pipe would never end
            raise self._error(f"{self.path.name} isn't a file")

    @contextmanager
    def _locked(self, how: int) -> Iterator[int]:
        self._require_file(to_write=True)
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
        *lines, end = self.path.read_bytes().split(b"\n")
        if _is(unsealed, end):
            self._write(descriptor, b"\n")
        elif all(_is(unsealed, line) for line in lines[-1:]) and self._is_torn(end, is_first=not lines):
            os.ftruncate(descriptor, size - len(end))
        else:
            raise self._error(f"{self.path.name} ends in a line that isn't a record; nothing was changed")

    def _write(self, descriptor: int, block: bytes) -> None:
        size = os.fstat(descriptor).st_size
        try:
            if (written := os.write(descriptor, block)) != len(block):
                raise OSError(errno.ENOSPC, f"only {written} of {len(block)} bytes could be written")
            os.fsync(descriptor)
        except OSError as error:
            os.ftruncate(descriptor, size)  # nobody else has written: the lock is held
            raise OSError(error.errno, error.strerror, str(self.path)) from None


def _is(what: Callable[[bytes], Record], line: bytes) -> bool:
    try:
        what(line)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


def said(error: Exception) -> str:
    """What was wrong with a line, in one line, which need not be true of what a record holds."""
    if isinstance(error, json.JSONDecodeError):
        return f"this isn't JSON ({error.msg} at character {error.pos + 1})"
    if isinstance(error, UnicodeDecodeError):
        return f"this isn't JSON ({error})"
    told = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return textwrap.shorten(told, 300)
