"""A model as a record describes it: it can be told apart from others, and it can't be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from a2a.models.protocol import Continuation, Sampling


class RecordedModel:
    """A language model of which there is only what its `describe()` said when it wrote.

    Args:
        described: its name, its size (None if unknown), and where it came from ("source").

    Raises:
        ValueError: if it has no name or its size is none.
    """

    def __init__(self, described: Mapping[str, Any]) -> None:
        name, size = described.get("name"), described.get("size")
        if not isinstance(name, str) or not isinstance(size, int | None):
            raise ValueError(f"a model is recorded with its name and its size, got {name!r} and {size!r}")
        self.name, self.size = name, size
        self._described = dict(described)

    def __repr__(self) -> str:
        return f"RecordedModel({self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordedModel) and self._described == other._described

    def __hash__(self) -> int:
        return hash(self.name)

    def __call__(self, texts: Sequence[str], sampling: Sampling, seeds: Sequence[int]) -> list[Continuation]:
        """Refuse: nothing of the model but its description is here.

        Raises:
            RuntimeError: always; it says which model must be loaded.
        """
        source = self._described.get("source")
        raise RuntimeError(f"{self.name} is only recorded here: load it with load_model (its source: {source})")

    def describe(self) -> dict[str, Any]:
        """As it was recorded."""
        return dict(self._described)
