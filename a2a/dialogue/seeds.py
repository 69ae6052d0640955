"""The sentences that conversations start from: fifty of our own and a hundred further ones, or a user's file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml

from a2a.places import read_given

T = TypeVar("T")

OWN = Path(__file__).with_name("seeds.yml")
FURTHER = Path(__file__).with_name("more_seeds.yml")


@dataclass(frozen=True)
class Seed:
    """A sentence that a conversation starts from; `id` names the conversation, such as "literary-03"."""

    id: str
    category: str
    text: str


def load_seeds(file: str | Path | None = None, *, categories: list[str] | None = None) -> list[Seed]:
    """Seed sentences, in the file's order.

    Args:
        file: YAML with a list of sentences for each category, or plain text with one sentence a line; None for ours.
        categories: only these.

    Raises:
        ValueError: if the file has another form, holds no sentence, or lacks a category.
    """
    path = Path(file) if file is not None else OWN
    by_category = _read(path)
    wanted = by_category.keys() if categories is None else categories
    if missing := [name for name in wanted if name not in by_category]:
        raise ValueError(f"no seeds of category {', '.join(missing)}; there are {', '.join(by_category)}")
    seeds = [
        Seed(f"{category}-{number:02}", category, text)
        for category in wanted
        for number, text in enumerate(by_category[category], start=1)
    ]
    if not seeds:
        raise ValueError(f"{path.name} holds no seed sentence")
    return seeds


def our_seeds(most: int = 0) -> list[Seed]:
    """Seed sentences of our own: those of `load_seeds`, evenly spread if fewer are wanted, then the further hundred.

    Args:
        most: at most so many; 0 is all fifty of `load_seeds`.
    """
    first = load_seeds()
    if most <= len(first):
        return spread(first, most)
    known = Counter(seed.category for seed in first)
    further = [
        Seed(f"{category}-{number:02}", category, text)
        for category, texts in _read(FURTHER).items()
        for number, text in enumerate(texts, start=known[category] + 1)
    ]
    return first + spread(further, most - len(first))


def spread(things: Iterable[T], most: int) -> list[T]:
    """At most so many of them, evenly spread, so that every category has its share; 0 is all."""
    listed = list(things)
    n = min(most or len(listed), len(listed))
    return [listed[i * len(listed) // n] for i in range(n)]


def _read(path: Path) -> dict[str, list[str]]:
    content = read_given(path)
    if path.suffix not in (".yml", ".yaml"):
        return {"own": [line.strip() for line in content.splitlines() if line.strip()]}
    try:
        found = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} isn't YAML: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict) or not all(
        isinstance(texts, list) and all(isinstance(text, str) and text.strip() for text in texts)
        for texts in found.values()
    ):
        raise ValueError(f"{path.name} must hold a list of sentences for each category")
    return {str(category): texts for category, texts in found.items()}
