"""How long a run will take, told by an earlier run of the same notebook."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from a2a.book.runs import chapter_of, read_run


class Progress:
    """A line on the terminal that says which cell runs and, if an earlier run is known, how long the rest will take.

    Where standard error is no terminal but a log, it says nothing.

    Args:
        notebook: the py:percent notebook that is run.
        earlier: a run of it.
    """

    def __init__(self, notebook: Path, earlier: nbformat.NotebookNode | None) -> None:
        self._cells = [cell.source for cell in jupytext.read(notebook).cells if cell.cell_type == "code"]
        self._seconds = _seconds_by_cell(earlier) if earlier else {}
        self._done = 0

    def __call__(self, cell: nbformat.NotebookNode, cell_index: int) -> None:
        """To be called before each cell."""
        if cell.source in self._cells and sys.stderr.isatty():  # the cell with the given parameters isn't among them
            self._done += 1
            left = sum(self._seconds.get(source, 0.0) for source in self._cells[self._done - 1 :])
            told = f", about {duration(left)} left" if self._seconds else ""
            sys.stderr.write(f"\r\033[Kcell {self._done} of {len(self._cells)}{told}")
            sys.stderr.flush()

    def close(self) -> None:
        """Clear the line."""
        if self._done:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def earlier_run(notebook: Path, values: Mapping[str, Any]) -> nbformat.NotebookNode | None:
    """The latest finished run of a notebook, beside it or in runs/; one with these parameters comes before others."""
    files = filter(Path.is_file, Path("runs").glob(f"{notebook.stem}*.ipynb"))  # no link that leads nowhere
    own = sorted(files, key=lambda file: file.stat().st_mtime)
    found = [notebook.with_suffix(".ipynb"), *own[-10:]]  # reading hundreds would take longer than many a run
    runs = [run for file in found if (run := read_run(file)) and chapter_of(run) == notebook.stem]
    finished = [run for run in runs if _finished(run)]
    return max(finished, key=lambda run: (_parameters(run) == values, run.metadata.papermill.end_time), default=None)


def expectation(earlier: nbformat.NotebookNode, defaults: Mapping[str, Any]) -> str:
    """How long that run took, and with which parameters, in words."""
    own = {name: value for name, value in _parameters(earlier).items() if value != defaults.get(name)}
    at = (
        f"with {', '.join(f'{name} = {value!r}' for name, value in own.items())}"
        if own
        else "at the parameters of the book"
    )
    return f"about {duration(earlier.metadata.papermill.duration)} {at}"


def duration(seconds: float) -> str:
    """Seconds in words, such as "20 s" or "3 min"."""
    return f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _parameters(run: nbformat.NotebookNode) -> dict[str, Any]:
    return dict(run.metadata["a2a"]["parameters"])


def _finished(run: nbformat.NotebookNode) -> bool:
    papermill = run.metadata["papermill"]
    return papermill["end_time"] is not None and not papermill["exception"]


def _seconds_by_cell(run: nbformat.NotebookNode) -> dict[str, float]:
    return {
        cell.source: cell.metadata["papermill"]["duration"] or 0.0 for cell in run.cells if "papermill" in cell.metadata
    }
