"""What a parameter of a notebook may be: an interval of numbers, or one of a few words."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Number = int | float
ARITHMETIC: dict[type, Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
INTERVAL = re.compile(r"([\[(])([^,]+),([^,]+)([\])])")
WORDS = re.compile(r"\{(.*)\}")


@dataclass(frozen=True)
class Interval:
    """What a finite number may be; a bound in a round bracket isn't itself among it.

    Args:
        low, high: numbers, inf, or arithmetic (+ - * /) in the names of other parameters, as text.
        opens, closes: the brackets.
    """

    low: str
    high: str
    opens: str = "["
    closes: str = "]"

    def __str__(self) -> str:
        return f"{self.opens}{self.low}, {self.high}{self.closes}"

    @property
    def names(self) -> list[str]:
        """The parameters that the bounds hang on."""
        trees = (ast.walk(_parsed(bound)) for bound in (self.low, self.high))
        found = {node.id: None for tree in trees for node in tree if isinstance(node, ast.Name)}
        return [name for name in found if name != "inf"]

    def at(self, values: Mapping[str, Any]) -> tuple[Number, Number]:
        """The bounds, with these values of the other parameters.

        Raises:
            ValueError: if a bound is no number there.
        """
        try:
            low, high = (_value(_parsed(bound), {**values, "inf": math.inf}) for bound in (self.low, self.high))
        except (TypeError, ArithmeticError) as error:
            with_these = ", ".join(f"{name} = {values[name]!r}" for name in self.names)
            raise ValueError(f"{self} has no bounds for {with_these}: {error}") from None
        return low, high

    def allows(self, value: Any, values: Mapping[str, Any]) -> bool:
        """Whether `value` is a finite number in the interval, with these values of the other parameters."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not -math.inf < value < math.inf:
            return False
        low, high = self.at(values)
        above = low < value if self.opens == "(" else low <= value
        return above and (value < high if self.closes == ")" else value <= high)

    def shown(self, values: Mapping[str, Any]) -> str:
        """The interval as it is written and, where that hangs on other parameters, with its bounds in numbers."""
        if not self.names:
            return f"in {self}"
        low, high = (format(bound, "d" if isinstance(bound, int) else "g") for bound in self.at(values))
        return f"in {self}, here {self.opens}{low}, {high}{self.closes}"


@dataclass(frozen=True)
class Words:
    """What a text may be: one of a few words, or nothing where "" is among them."""

    words: tuple[str, ...]
    names = ()

    def __str__(self) -> str:
        return "{" + ", ".join(word or '""' for word in self.words) + "}"

    def allows(self, value: Any, values: Mapping[str, Any]) -> bool:
        """Whether `value` is one of the words, whatever the other parameters are."""
        return value in self.words

    def shown(self, values: Mapping[str, Any]) -> str:
        """The words, in a sentence."""
        return f"one of {', '.join(word or 'empty' for word in self.words)}"


def parse_range(text: str) -> Interval | Words:
    """The range that is written as `text`, such as "[2 * d, inf)" or "{live, record, replay}".

    Raises:
        ValueError: if it isn't one.
    """
    if found := WORDS.fullmatch(text):
        return Words(tuple(word.strip().strip("\"'") for word in found[1].split(",")))
    if not (found := INTERVAL.fullmatch(text)):
        raise ValueError(f"{text!r} isn't a range such as [1, 10], (0, 2 * d] or {{live, replay}}")
    opens, low, high, closes = found.groups()
    _parsed(low), _parsed(high)
    return Interval(low.strip(), high.strip(), opens, closes)


def _parsed(bound: str) -> ast.expr:
    try:
        return ast.parse(bound.strip(), mode="eval").body
    except SyntaxError:
        raise ValueError(f"the bound {bound.strip()!r} isn't arithmetic in numbers and names of parameters") from None


def _value(node: ast.expr, values: Mapping[str, Any]) -> Number:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.Name(id=name) if isinstance(values.get(name), int | float):
            return values[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            return ARITHMETIC[type(op)](_value(left, values), _value(right, values))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, values)
    raise TypeError(f"{ast.unparse(node)} isn't a number, the name of one, or + - * / of such")
