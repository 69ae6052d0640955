"""Who takes part in an experiment with agents behind chat APIs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from a2a.chat.client import Mode
from a2a.chat.offline import OFFLINE
from a2a.chat.transcripts import Transcripts, recordings
from a2a.places import book_root, given_path


@dataclass(frozen=True)
class LineUp:
    """Who takes part in an experiment.

    Attributes:
        names: of all agents, in the order in which they are shown.
        live: those that are asked; the others' replies are replayed.
        recorded: by name, what is replayed.
        mode: see `ChatClient`.
        base_url: where those that are asked answer; empty for the local server.
        written_to: folder or file that new calls are recorded in.
    """

    names: list[str]
    live: list[str]
    recorded: Mapping[str, Transcripts]
    mode: Mode
    base_url: str
    written_to: Path


def line_up(
    d: int, *, model: str = "", base_url: str = "", mode: Mode = "live", transcript: str = "", also: Iterable[str] = ()
) -> LineUp:
    """The agents of an experiment: one model, or all offline agents and whatever else is recorded.

    Args:
        d: dimension of the tasks.
        model: the only one to take part.
        base_url, mode: see `LineUp`.
        transcript: folder or file of recordings, to replay or to write; the book's own are replayed without it.
        also: offline agents that are asked though by default they aren't.

    Raises:
        ValueError: if a base_url comes without a model, a transcript in a mode that has none, or nothing is recorded of
            what should be replayed.
    """
    if base_url and not model:
        raise ValueError("a base_url needs the name of a model there")
    if transcript and mode == "live":
        raise ValueError('a transcript needs the mode "record" or "replay": "live" neither keeps nor reads replies')
    library = (book_root() or Path.cwd()) / "transcripts"
    recorded = recordings(library) if library.is_dir() else {}
    if transcript and mode == "replay":
        recorded = recordings(given_path(transcript))
    asked = [model] if model else [name for name, agent in OFFLINE.items() if agent.live and agent.does(d)]
    live = [] if mode == "replay" else list(dict.fromkeys([*asked, *([] if model else also)]))
    names = [model] if model else _ordered({*live, *recorded})
    if not set(names) - set(live) <= set(recorded) or not names:
        raise ValueError(f"no recorded answers {f'of {model}' if model else 'there'}")
    written_to = given_path(transcript) if transcript else library.parent / "runs/transcripts"
    return LineUp(names, live, recorded, mode, base_url, written_to)


def _ordered(names: Iterable[str]) -> list[str]:
    """Offline agents first, as they are registered, then others by their names."""
    order = list(OFFLINE)
    return sorted(sorted(names), key=lambda name: order.index(name) if name in order else len(order))
