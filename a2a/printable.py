r"""Text of unknown origin made printable: each character that can't be seen, or that misleads the eye, as its escape.

What models, servers and users write may steer a terminal, turn the writing direction, hide words in characters that
leave no ink, or hold half a character, which no file can keep. An escape is \u{hex}, and the text can be had back.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable

HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Categories of characters that are escaped: control, format, half, private, unassigned, and separators of lines."""

NO_INK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters, marks and signs that show nothing by themselves."""

MARKS = 4
"""So many may stand on one letter: no script needs more, and a heap of them covers the lines around it."""

HEAP = re.compile(f"(?<![mx])m+|(?<=m{{{MARKS}}})m+")
"""Such marks, in a text of "m" for a mark that is shown, "x" for what it may stand on, and blanks."""

ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}")


def printable(text: str, *, one_line: bool = False) -> str:
    r"""The text with escapes for what isn't to be seen in it; it can be encoded, and `original` undoes it.

    A literal \u{ has its backslash escaped, so that no text looks like another one's escape.

    Args:
        one_line: escape line ends and tabs, too.
    """
    text = text.replace("\\u{", "\\u{5c}u{")
    if not text.isascii():
        text = _without_heaps(text)
    return text.translate(_ONE_LINE if one_line else _LINES)


def original(shown: str) -> str:
    """The text that `printable` made this of."""
    return ESCAPE.sub(lambda found: chr(int(found[1], 16)), shown)


def excerpt(text: str, most: int, *, one_line: bool = False) -> str:
    """The text made printable, but for an end that would make it longer than `most`: how long that is, it says."""

    def length(kept: int) -> int:
        return len(printable(text[:kept], one_line=one_line))

    kept = bisect_right(range(min(len(text), most) + 1), most, key=length) - 1
    rest = f" […{len(text) - kept:,} more characters]" if kept < len(text) else ""
    return printable(text[:kept], one_line=one_line) + rest


def escape(character: str) -> str:
    """How a character is shown that isn't shown itself."""
    return f"\\u{{{ord(character):x}}}"


def _shown(character: str) -> str:
    is_hidden = unicodedata.category(character) in HIDDEN or NO_INK.match(character)
    return escape(character) if is_hidden else character


def _kind(character: str) -> str:
    if character.isspace() or _shown(character) != character:  # an escape bears no mark, or its end would be hidden
        return " "
    return "m" if unicodedata.category(character).startswith("M") else "x"


def _without_heaps(text: str) -> str:
    """The text with escapes for marks that have nothing to stand on, and for those that are too many."""
    pieces, end = [], 0
    for heap in HEAP.finditer(text.translate(_KINDS)):
        pieces += [text[end : heap.start()], *map(escape, text[heap.start() : heap.end()])]
        end = heap.end()
    return "".join([*pieces, text[end:]])


class _ByCharacter(dict[int, str]):
    """A table for `str.translate`, in which each character is looked up once."""

    def __init__(self, find: Callable[[str], str], known: str = "") -> None:
        super().__init__((ord(character), character) for character in known)
        self._find = find

    def __missing__(self, code: int) -> str:
        self[code] = self._find(chr(code))
        return self[code]


_ONE_LINE, _LINES, _KINDS = _ByCharacter(_shown), _ByCharacter(_shown, "\n\t"), _ByCharacter(_kind)
