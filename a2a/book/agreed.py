"""One piece of evidence from several that were judged apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from a2a.book.evidence import Evidence


def agreed(by: Mapping[str, Evidence]) -> Evidence:
    """Several judges of one quantity: where all say the same that is the verdict, otherwise it is undecided.

    Judges that contradict a claim from opposite sides of what it says disagree, too.

    Args:
        by: what each judge says, by its name; the first one's numbers stand for all in pictures.

    Raises:
        ValueError: if there is none.
    """
    _require(by)
    first = next(iter(by.values()))
    measured = "; ".join(f"by {name} {one.measured}" for name, one in by.items())
    if len({(one.verdict, _is_above(one)) for one in by.values()}) == 1:
        return replace(first, measured=measured)
    note = ", ".join(f"by {name} {one.verdict}{f' ({one.note})' if one.note else ''}" for name, one in by.items())
    if all(one.verdict != "undecided" and not _is_small(one) for one in by.values()):
        note += ": they disagree, which no number of samples settles"
    return replace(first, measured=measured, verdict="undecided", note=note)


def worst(by: Mapping[str, Evidence]) -> Evidence:
    """Several quantities that must all be as the claim says: the verdict is the worst of theirs.

    Args:
        by: what is said of each quantity, by its name; the numbers in pictures are those of the first with the verdict.

    Raises:
        ValueError: if there is none.
    """
    _require(by)
    order = ("not applicable", "contradicted", "undecided", "supported", "descriptive")
    decisive = min(by.values(), key=lambda one: order.index(one.verdict))
    measured = "; ".join(f"{name} {one.measured}" for name, one in by.items())
    wanted = "; ".join(f"{name} {one.wanted}" for name, one in by.items())
    return replace(decisive, measured=measured, wanted=wanted)


def _is_above(found: Evidence) -> bool:
    """Whether a claim is contradicted from above the middle of what it says; a claim of one side has no middle."""
    if found.verdict != "contradicted" or found.effect is None or found.margin is None:
        return False
    return found.effect > sum(found.margin) / 2


def _is_small(found: Evidence) -> bool:
    """Whether a claim is contradicted by an effect within its margin, which more samples would show to be none."""
    if found.verdict != "contradicted" or found.effect is None or found.margin is None:
        return False
    return found.margin[0] < found.effect < found.margin[1]


def _require(by: Mapping[str, Evidence]) -> None:
    if not by:
        raise ValueError("there is nothing to put together: no evidence was given")
