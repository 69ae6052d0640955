"""Where a run may be written, and how: it takes the place of runs alone, and nothing is ever half written."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import nbformat

from a2a.book.runs import chapter_of, name_of, read_run
from a2a.sealed import digest


def check_output(output: Path, notebook: Path, *, standard: bool, overwrite: bool = False) -> Path:
    """The file that `output` stands for, behind any links, if a run of `notebook` may be written there.

    Args:
        standard: whether all parameters are the notebook's defaults: the book's own run has no others.
        overwrite: whether an .ipynb file that isn't a run of this notebook, or was edited since, is replaced, too. Not
            even then is a file that git keeps, or another chapter's run.

    Raises:
        ValueError: if it may not.
        OSError: if nothing can be written there.
    """
    file = Path(os.path.realpath(output))
    if output.suffix != ".ipynb" or file.suffix != ".ipynb" or (file.exists() and not file.is_file()):
        raise ValueError(f"the output must be an .ipynb file, got {output}")
    source = file.with_suffix(".py")
    if source.exists() and not (standard and source == notebook.resolve()):
        raise ValueError(f"{output} is the book's own run of {source.name} at its defaults; choose another output")
    if _is_made(file):
        raise ValueError(f"{output} is where the book is built; choose another output")
    if file.exists() and (why := _is_not_ours(file, notebook)) and (not overwrite or _is_kept(file)):
        raise ValueError(f"{output} exists and {why}; it isn't overwritten")
    file.parent.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=file.parent).close()  # no run takes its time to find out then that this can't be done
    return file


def companions(output: Path) -> tuple[Path, Path]:
    """What a run leaves beside its notebook: its claims and its page."""
    return output.with_suffix(".claims.json"), output.with_suffix(".html")


def check_companions(output: Path, *, overwrite: bool) -> None:
    """Refuse what would overwrite anything but the claims and the page of a run.

    Raises:
        ValueError, OSError: see `check_output`.
    """
    for file, mark in zip(companions(output), ('"claims"', 'content="a2a run"'), strict=True):
        if not file.exists():
            continue
        theirs = not file.is_file() or file.is_symlink() or _is_kept(file)
        if theirs or not (overwrite or mark in file.read_text(encoding="utf-8", errors="replace")[:500]):
            raise ValueError(f"{file} exists and isn't of a run; it isn't overwritten")


def write_whole(file: Path, text: str) -> None:
    """Write a file so that at no moment, and after no kill, it is anything but what it was or what it is to be."""
    part = file.with_name(f".{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def text_digest(run: nbformat.NotebookNode) -> str:
    """Of all that a reader may have edited: the text of its cells."""
    return digest([cell["source"] for cell in run["cells"]])


def _is_not_ours(file: Path, notebook: Path) -> str:
    """What keeps a file from being replaced by a run of the notebook; "" if nothing does."""
    run = read_run(file)
    if run is None or name_of(chapter_of(run)) != name_of(notebook.stem):
        return f"isn't a run of {notebook.stem}"
    text = text_digest(run)
    return "" if run.metadata["a2a"].get("text", text) == text else "was edited after its run"


def _is_made(file: Path) -> bool:
    """Whether a file is inside the build folder of a book, but for the one in which its build lets runs be written."""
    built = [folder for folder in file.parents if folder.name == "_build" and (folder.parent / "_toc.yml").exists()]
    return any(file.relative_to(folder).parts[0] != "running" for folder in built)


def _is_kept(file: Path) -> bool:
    """Whether git keeps a file."""
    try:
        asked = ["git", "ls-files", "--error-unmatch", "--", file.name]
        return subprocess.run(asked, cwd=file.parent, capture_output=True, check=False).returncode == 0
    except OSError:  # no git here
        return False
