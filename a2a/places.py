"""Where things lie: the root of the book, the build folder, and the files that a user names."""

from __future__ import annotations

import os
from pathlib import Path

STARTED_IN = "A2A_STARTED_IN"
"""The environment variable with the folder that a run was started in."""


def build_folder() -> Path:
    """Where notebooks keep what is costly to make: A2A_BUILD if set, else their book's _build, else a user cache."""
    if chosen := os.environ.get("A2A_BUILD"):
        return Path(chosen)
    if here := _with_contents(Path.cwd().resolve()):
        return here / "_build"
    import platformdirs

    return platformdirs.user_cache_path("a2a")


def book_root() -> Path | None:
    """The folder of the book around the current one, else of the package's own book; None if there is neither."""
    return _with_contents(Path.cwd().resolve()) or _with_contents(Path(__file__).resolve().parent)


def given_path(path: str) -> Path:
    """The path that a notebook's parameter gives: a relative one counts from where the run was started."""
    return Path(os.environ.get(STARTED_IN, "."), Path(path).expanduser())


def read_given(path: Path) -> str:
    """The text of a file that a user wrote, without the mark that spreadsheets put before it.

    Raises:
        ValueError: if it isn't UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} isn't UTF-8: {error.reason} at byte {error.start}") from None


def _with_contents(folder: Path) -> Path | None:
    """The nearest folder around this one, or itself, that holds a table of contents."""
    return next((one for one in (folder, *folder.parents) if (one / "_toc.yml").exists()), None)
