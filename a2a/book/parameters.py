"""The parameters of a notebook: what its parameters cell says of them, and whether given values are as it says.

A line of that cell is a name, a literal, and a comment: what the parameter means and, after the last semicolon, what it
may be:

    n = 30  # examples in each prompt; [2 * d, 10000]
    eta = 0.3  # step size; (0, 10]
    mode = "live"  # how replies come; {live, record, replay}

What is said of a list holds for each of its entries, and what is said of None for a value in its place. A comment may
stand on any line of its parameter, and goes on in the lines directly below that hold nothing else. A seed that has no
range is at least 0.
"""

from __future__ import annotations

import ast
import difflib
import io
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, takewhile, zip_longest
from textwrap import wrap
from typing import Any

from a2a.book.ranges import Interval, Words, parse_range
from a2a.secrets import holds_secret

ONLY = "a run keeps its parameters, so keys come from OPENAI_API_KEY only"


@dataclass(frozen=True)
class Parameter:
    """A parameter of a notebook; without a range it is free."""

    name: str
    default: Any
    meaning: str
    range: Interval | Words | None


def read_parameters(source: str) -> dict[str, Parameter]:
    """The parameters of a parameters cell, by name and in order.

    Raises:
        ValueError: if a default isn't a literal, a range isn't one, or its bounds hang on what isn't a parameter.
    """
    comments, alone = _comments(source)
    found = {}
    for line in ast.parse(source).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            end = line.end_lineno or line.lineno
            below = takewhile(alone.__contains__, count(end + 1))
            texts = [comments[place] for place in (*range(line.lineno, end + 1), *below) if place in comments]
            found[line.targets[0].id] = _parameter(line.targets[0].id, line.value, " ".join(texts))
    for parameter in found.values():
        for unknown in set(parameter.range.names if parameter.range else ()) - found.keys():
            raise ValueError(f'parameter "{parameter.name}": {parameter.range} hangs on "{unknown}", which isn\'t one')
    return found


def checked(known: Mapping[str, Parameter], given: Mapping[str, Any], notebook: str) -> dict[str, Any]:
    """`given`, each value in the type of its default, once all parameters are as the notebook wants them.

    Raises:
        ValueError: naming the first parameter that is unknown, with the nearest known one, that is of the wrong type,
            that is out of its range, or that holds a key or a password: neither is repeated.
    """
    for name, value in given.items():
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f'; did you mean "{nearest[0]}"?' if nearest else ""
            raise ValueError(f'no parameter "{name}"; {notebook} has {", ".join(known) or "none"}{hint}')
        if holds_secret(value):
            raise ValueError(
                f'parameter "{name}" holds a key, or an address with a user, a password or a query; {ONLY}'
            )
    chosen = {name: _typed(name, value, known[name].default) for name, value in given.items()}
    values = {name: parameter.default for name, parameter in known.items()} | chosen
    for parameter in sorted(known.values(), key=lambda one: bool(one.range and one.range.names)):
        _check_range(parameter, values, chosen)  # bounds that hang on others come when those are as they should be
    return chosen


def described(known: Mapping[str, Parameter], width: int) -> str:
    """Name, default, range and meaning of each parameter in four columns of text, `width` characters in all."""
    rows = [(one.name, repr(one.default), str(one.range or ""), one.meaning) for one in known.values()]
    limits = (width // 4, width // 5, width // 3)
    widths = [min(max(map(len, column)), most) for column, most in zip(zip(*rows, strict=True), limits, strict=False)]
    widths.append(max(width - sum(widths) - 8, 20))
    return "\n".join(line for row in rows for line in _lines(row, widths))


def _lines(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """A row of a table, each text wrapped in its own column."""
    columns = [wrap(text, width) for text, width in zip(row, widths, strict=True)]
    for texts in zip_longest(*columns, fillvalue=""):
        yield ("  " + "  ".join(map(str.ljust, texts, widths))).rstrip()


def _parameter(name: str, default: ast.expr, comment: str) -> Parameter:
    try:
        value = ast.literal_eval(default)
    except ValueError:
        raise ValueError(f'parameter "{name}" must start as a literal, got {ast.unparse(default)}') from None
    meaning, _, last = comment.rpartition(";")
    if last.strip()[:1] not in tuple("[({"):
        return Parameter(name, value, comment, Interval("0", "inf") if name.endswith("seed") else None)
    try:
        return Parameter(name, value, meaning.strip(), parse_range(last.strip()))
    except ValueError as error:
        raise ValueError(f'parameter "{name}": {error}') from None


def _comments(source: str) -> tuple[dict[int, str], set[int]]:
    """The comments by line, and the lines that hold nothing else."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    found = {token.start[0]: token for token in tokens if token.type == tokenize.COMMENT}
    alone = {line for line, token in found.items() if not token.line[: token.start[1]].strip()}
    return {line: token.string.lstrip("#").strip() for line, token in found.items()}, alone


def _check_range(parameter: Parameter, values: Mapping[str, Any], chosen: Mapping[str, Any]) -> None:
    value, allowed = values[parameter.name], parameter.range
    if allowed is None or (value is None and parameter.default is None):
        return
    if value == []:
        raise ValueError(f'parameter "{parameter.name}" needs at least one entry, got an empty list')
    entries = value if isinstance(value, list) else [value]
    wrong = [entry for entry in entries if not allowed.allows(entry, values)]
    if wrong:
        each = f"each entry of {value!r} in " if isinstance(value, list) else ""
        told = f'{each}parameter "{parameter.name}" must be {allowed.shown(values)}, got {wrong[0]!r}'
        own = "" if parameter.name in chosen else ", its default"
        others = [f"{name} = {values[name]!r}{'' if name in chosen else ' is the default'}" for name in allowed.names]
        raise ValueError(told + own + (f" ({', '.join(others)})" if others else ""))


def _typed(name: str, value: Any, default: Any) -> Any:
    """`value` in the type of the default, and so the entries of a list."""
    wanted = type(default)
    try:
        if isinstance(value, str) and not isinstance(default, str):
            value = ast.literal_eval({"true": "True", "false": "False", "none": "None"}.get(value, value))
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
    except (ValueError, SyntaxError, OverflowError):
        pass  # it stays text, and the type says so
    if default is not None and type(value) is not wanted:
        raise ValueError(f'parameter "{name}" is {wanted.__name__} (default {default!r}), got {value!r}')
    if isinstance(value, list) and default and not isinstance(default[0], str):
        return [_typed(f"{name}[{place}]", entry, default[0]) for place, entry in enumerate(value)]
    return value
