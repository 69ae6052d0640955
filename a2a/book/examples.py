"""Which conversations of a study are worth reading, chosen by what readers and a rule say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from a2a.loops.labels import Label
from a2a.loops.spans import spans

LINES = 3
"""Outputs that open a chapter."""
FEWEST = 3
"""Conversations that are shown."""


@dataclass(frozen=True)
class Found:
    """What is known of one conversation.

    Attributes:
        rule: the stretches of turns that the rule finds in a loop.
        label: what a reader said; None if none has read it.
    """

    rule: Sequence[range]
    label: Label | None = None

    @property
    def loop(self) -> range:
        """The first loop, by the reader if there is a label, else by the rule; empty without one."""
        if self.label is None:
            return self.rule[0] if self.rule else range(0)
        return span(self.label)

    @property
    def verdict(self) -> str:
        """What the reader and the rule say, in words."""
        rule = "no loop by the rule"
        if self.rule:
            rule = f"a loop by the rule at turns {', '.join(f'{one[0]} to {one[-1]}' for one in self.rule)}"
        if self.label is None:
            return rule
        reader = f"a loop from turn {self.loop[0]} to {self.loop[-1]}" if self.label.loops else "no loop"
        return f"{reader} by the reader{'' if self.label.sure else ', who was not sure'}; {rule}"


def span(label: Label) -> range:
    """The turns of the loop that a reader found; empty without one."""
    return range(label.onset, label.end + 1) if label.onset and label.end else range(0)


def found(names: Sequence[str], in_loop: np.ndarray, labels: Mapping[str, Label]) -> dict[str, Found]:
    """What is known of each conversation.

    Args:
        names: of the conversations.
        in_loop: whether the rule finds each turn in a loop, (conversations, turns).
        labels: by name, of those that a reader has read.
    """
    return {name: Found(spans(row), labels.get(name)) for name, row in zip(names, in_loop, strict=True)}


def opening(texts: Mapping[str, Sequence[str]], known: Mapping[str, Found], rule: str) -> dict[str, str]:
    """Three outputs to begin with, "line-1", "line-2" and "line-3", and "where" they are.

    They are the first ones that aren't empty of the first loop of which a reader was sure, else of the first loop that
    there is; without any they are the last ones of the first conversation.

    Args:
        texts: by conversation, the seed sentence and every output.
        known: of each of them.
        rule: its name.
    """
    name, turns = _three(texts, known)
    by = "the reader" if known[name].label else rule
    what = f"in a loop by {by}" if turns[0] in known[name].loop else "the last ones, as nothing loops"
    lines = {f"line-{place}": " ".join(texts[name][turn].split()) for place, turn in enumerate(turns, start=1)}
    return {**lines, "where": f"turns {', '.join(map(str, turns))} of {name}: {what}"}


def to_show(known: Mapping[str, Found], *, others: Sequence[str], asked: Sequence[str] = ()) -> dict[str, str]:
    """Why conversations are shown, by name: those asked for; else those worth reading and, up to three, the others.

    Raises:
        ValueError: if one that is asked for isn't there.
    """
    if missing := [name for name in asked if name not in known]:
        raise ValueError(f"to_read names conversations that aren't there: {', '.join(missing)}")
    if asked:
        return dict.fromkeys(asked, "asked for")
    reasons = worth_reading(known)
    more = [name for name in others if name not in reasons][: max(0, FEWEST - len(reasons))]
    return reasons | dict.fromkeys(more, "for its distances")


def worth_reading(known: Mapping[str, Found]) -> dict[str, str]:
    """What makes conversations worth it, by name; what there isn't is left out.

    "the shortest loop", "the median loop", "the longest loop": of those of which the reader was sure, if there are any.
    "a miss": the longest loop of a reader where the rule finds none. "a false alarm": the conversation without a loop
    of which the rule holds most turns for one.
    """
    loops = sorted(_sure_or_any(known), key=lambda name: len(known[name].loop))
    read = {name: one for name, one in known.items() if one.label}
    misses = [name for name, one in read.items() if one.loop and not one.rule]
    alarms = [name for name, one in read.items() if one.rule and not one.loop]
    picked = {
        "the shortest loop": loops[:1],
        "the median loop": loops[len(loops) // 2 :][:1],
        "the longest loop": loops[-1:],
        "a miss": sorted(misses, key=lambda name: -len(read[name].loop))[:1],
        "a false alarm": sorted(alarms, key=lambda name: -sum(map(len, read[name].rule)))[:1],
    }
    reasons: dict[str, str] = {}
    for why, names in picked.items():
        for name in names:
            reasons.setdefault(name, why)
    return reasons


def _three(texts: Mapping[str, Sequence[str]], known: Mapping[str, Found]) -> tuple[str, list[int]]:
    for name in _sure_or_any(known):
        told = [turn for turn in known[name].loop if turn < len(texts[name]) and texts[name][turn].strip()]
        if len(told) >= LINES:
            return name, told[:LINES]
    name, end = next((name, len(rows)) for name, rows in texts.items())
    return name, list(range(end - LINES, end))


def _sure_or_any(known: Mapping[str, Found]) -> list[str]:
    """The conversations with a loop of which a reader was sure; if there are none, all with a loop."""
    loops = [name for name, one in known.items() if one.loop]
    return [name for name in loops if (label := known[name].label) and label.sure] or loops
