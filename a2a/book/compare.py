"""What differs between two runs, or two editions of the book: the verdicts first, then the numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import nbformat

from a2a.book.claims import claim_order
from a2a.book.sides import Key, Side, glued, printed, read_side

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?")


def compare(first: Path, second: Path) -> str:
    """What differs, a line each; "" if nothing does.

    Args:
        first, second: a claims.json, an executed notebook, or the folder of an edition. Where one is of one chapter
            alone, such as a run, that chapter is compared.

    Raises:
        ValueError: if one of them is none of these, or they have no chapter in common.
    """
    old, new = read_side(first), read_side(second)
    single = next((side.chapters for side in (old, new) if len(side.chapters) == 1), None)
    if single and old.chapters != new.chapters:
        if not single <= old.chapters & new.chapters:
            raise ValueError(f"{first} and {second} have no chapter in common")
        old, new = old.about(single), new.about(single)
    old = _at_their_new_places(old, new)
    parts = {
        "verdicts that changed": [*_verdicts(old, new)],
        "checks that appeared": [*_only(new, old)],
        "checks that vanished": [*_only(old, new)],
        "numbers that moved": [*_measured(old, new), *_outputs(old.run, new.run)],
    }
    return "\n".join("\n  ".join([f"{title}:", *lines]) for title, lines in parts.items() if lines)


def moved(old: str, new: str) -> Iterator[str]:
    """Each difference between two texts, as "2.5 → 2.6 (+4 %)"; whole lines where more than their numbers differ."""
    for before, after in zip_longest(old.splitlines(), new.splitlines(), fillvalue=""):
        if NUMBER.split(before) != NUMBER.split(after):
            yield f"{before or 'nothing'} → {after or 'nothing'}"
            continue
        for one, other in zip(NUMBER.findall(before), NUMBER.findall(after), strict=True):
            if one != other:
                yield f"{one} → {other}{_relative(one, other)}"


def _at_their_new_places(old: Side, new: Side) -> Side:
    """The old side, with a check that only moved to another chapter under the key that it has now."""
    gone, come = ([key for key in one.checks if key not in other.checks] for one, other in ((old, new), (new, old)))
    places = {(key[0], key[1], key[3]): key for key in come}
    moved_to = {key: places.get((key[0], key[1], key[3]), key) for key in gone}
    return Side(old.verdicts, {moved_to.get(key, key): check for key, check in old.checks.items()}, old.run)


def _relative(old: str, new: str) -> str:
    before, after = (float(text.replace(",", "")) for text in (old, new))
    return f" ({100 * (after - before) / abs(before):+.2g} %)" if before else ""


def _verdicts(old: Side, new: Side) -> Iterator[str]:
    """Claim by claim: its own verdict, then those of its checks."""
    for id in sorted({key[0] for key in old.checks} | old.verdicts.keys(), key=claim_order):
        before, after = old.verdicts.get(id), new.verdicts.get(id)
        if before and after and before != after:
            yield f"{id}: {before} → {after}"
        for key in _shared(old, new):
            before, after = old.checks[key]["verdict"], new.checks[key]["verdict"]
            if key[0] == id and before != after:
                yield f"{_name(key)}: {before} → {after}"


def _only(side: Side, other: Side) -> Iterator[str]:
    """The checks, and the claims without one, that the other side doesn't have."""
    bare = side.verdicts.keys() - other.verdicts.keys() - {key[0] for key in side.checks}
    for id in sorted(bare, key=claim_order):
        yield f"{id}: {side.verdicts[id]}"
    for key, check in side.checks.items():
        if key not in other.checks:
            yield f"{_name(key)}: {check['verdict']}"


def _measured(old: Side, new: Side) -> Iterator[str]:
    for key in _shared(old, new):
        for what in ("measured", "wanted"):
            before, after = old.checks[key].get(what), new.checks[key].get(what)
            if before and after:  # nothing is measured where a check isn't applicable, as its verdict says
                yield from (f"{_name(key)}, {what}: {change}" for change in moved(before, after))


def _outputs(old: nbformat.NotebookNode | None, new: nbformat.NotebookNode | None) -> Iterator[str]:
    """What is glued and what compared cells print, where both sides are notebooks."""
    if old is None or new is None:
        return
    before, after = glued(old), glued(new)
    for name in before | after:
        for change in moved(before.get(name, ""), after.get(name, "")):
            yield f"glued {name}: {change}"
    cells, others = printed(old), printed(new)
    for source in cells | others:
        first = source.strip().partition("\n")[0][:60]
        for text, other in zip_longest(cells.get(source, []), others.get(source, []), fillvalue=""):
            for change in moved(text, other):
                yield f"{first}: {change}"


def _shared(old: Side, new: Side) -> list[Key]:
    return [key for key in old.checks if key in new.checks]


def _name(key: Key) -> str:
    return f"{key[0]} {key[1]} ({key[2]})"
