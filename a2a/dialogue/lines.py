"""JSON lines that somebody else wrote, one by one, with errors that name the file and the line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import NoneType
from typing import Any

from a2a.journal import Record, said
from a2a.sealed import parsed
from a2a.secrets import scrub


class OthersError(ValueError):
    """A file that holds no conversation in a known format; it names the file and the line."""


class Lines:
    """The records of a file, without what looks like a key.

    Attributes:
        name: of the file.
        number: of the line that is being read.
        first: the first record.

    Raises:
        OthersError: if a line isn't a JSON object.
    """

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.number = name, 1
        self._lines = content.removesuffix(b"\n").split(b"\n")
        self.first = self._record(self._lines[0])

    def __iter__(self) -> Iterator[Record]:
        for number, line in enumerate(self._lines, start=1):
            self.number = number
            yield self._record(line)

    def error(self, told: str) -> OthersError:
        """An error about the line that is being read."""
        return OthersError(f"{self.name}, line {self.number}: {told}")

    def value(self, record: Record, name: str, *kinds: type) -> Any:
        """A field of a record.

        Raises:
            OthersError: if it isn't of one of these kinds, or is a number that isn't finite.
        """
        found = record.get(name)
        of_kind = isinstance(found, kinds) and not isinstance(found, bool)
        if not of_kind or (isinstance(found, float) and not math.isfinite(found)):
            wanted = " or ".join("nothing" if kind is NoneType else kind.__name__ for kind in kinds)
            raise self.error(f"{name} is {short(found)}, wanted {wanted}")
        return found

    def _record(self, line: bytes) -> Record:
        try:
            record: Record = scrub(parsed(line))
        except (ValueError, TypeError, RecursionError) as error:
            raise self.error(said(error)) from None
        return record


def short(value: Any) -> str:
    """Anything, in at most a hundred letters of an error."""
    return repr(value if value is None else str(value)[:100])
