"""Notebooks on disk: what a chapter's parameters are, and which files are runs of a chapter."""

from __future__ import annotations

from pathlib import Path

import jupytext
import nbformat

from a2a.book.parameters import Parameter, read_parameters


def notebook_parameters(notebook: Path) -> dict[str, Parameter]:
    """The parameters of a py:percent notebook, by name and in order; none if it has no cell with that tag.

    Raises:
        FileNotFoundError: if there is no such notebook.
        ValueError: if the cell isn't written as `a2a.book.parameters` wants it.
    """
    if not notebook.is_file():
        raise FileNotFoundError(f"no notebook {notebook}")
    tagged = (cell for cell in jupytext.read(notebook).cells if "parameters" in cell.metadata.get("tags", []))
    return read_parameters(next((cell.source for cell in tagged), ""))


def read_run(file: Path) -> nbformat.NotebookNode | None:
    """The executed notebook in a file, or None if it isn't one that `execute` wrote."""
    try:
        content = nbformat.read(file, as_version=4)
        return content if chapter_of(content) and content.metadata["a2a"]["parameters"] is not None else None
    except (nbformat.ValidationError, ValueError, KeyError, TypeError, AttributeError, OSError):  # whatever it is
        return None


def chapter_of(run: nbformat.NotebookNode) -> str:
    """The name of the notebook that was run, whatever the file of the run is called."""
    return Path(run.metadata["papermill"]["input_path"]).stem
