"""Notebooks on disk: a chapter by its name, its parameters, and which files are runs of it."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import jupytext
import nbformat

from a2a.book.parameters import Parameter, read_parameters


def name_of(stem: str) -> str:
    """A chapter's name without its number, which moves when chapters are added before it."""
    return re.sub(r"^\d+_", "", stem)


def find_notebook(name: str) -> Path:
    """The notebook of that name: a path, or one of the book's, with its number, without it, or with a former one.

    Raises:
        FileNotFoundError: that lists the book's notebooks.
    """
    if Path(name).suffix == ".py" and Path(name).is_file():
        return Path(name)
    book = Path("notebooks") if Path("notebooks").is_dir() else Path(__file__).resolve().parents[2] / "notebooks"
    known = {file.stem: file for file in sorted(book.glob("[0-9]*.py"))}
    by_name = {name_of(stem): file for stem, file in known.items()}
    found = known.get(name) or by_name.get(name_of(name.removesuffix(".py")))
    if found is None:
        raise FileNotFoundError(f'no notebook "{name}"; there are {", ".join(known) or f"none in {book}"}')
    return found


def existing(notebook: Path) -> Path:
    """The notebook at a path, or the one beside it that had this number before: names stay, numbers move.

    Raises:
        FileNotFoundError: if there is neither.
    """
    if notebook.is_file():
        return notebook
    beside = [file for file in notebook.parent.glob("[0-9]*.py") if name_of(file.stem) == name_of(notebook.stem)]
    if not beside:
        raise FileNotFoundError(f"no notebook {notebook}")
    return beside[0]


def notebook_parameters(notebook: Path) -> dict[str, Parameter]:
    """The parameters of a py:percent notebook, by name and in order; none if it has no cell with that tag.

    Raises:
        FileNotFoundError: if there is no such notebook.
        ValueError: if the cell isn't written as `a2a.book.parameters` wants it.
    """
    tagged = (cell for cell in jupytext.read(existing(notebook)).cells if "parameters" in cell.metadata.get("tags", []))
    return read_parameters(next((cell.source for cell in tagged), ""))


def read_run(file: Path) -> nbformat.NotebookNode | None:
    """The executed notebook in a file, or None if it isn't one that `execute` wrote."""
    if not file.is_file():  # a pipe would never end
        return None
    try:
        with warnings.catch_warnings(action="error"):  # about what no run lacks, such as the ids of cells
            content = nbformat.read(file, as_version=4)
        return content if chapter_of(content) and content.metadata["a2a"]["parameters"] is not None else None
    except Exception:  # nbformat stumbles over damaged files in many ways, assertions among them
        return None


def chapter_of(run: nbformat.NotebookNode) -> str:
    """The name of the notebook that was run, whatever the file of the run is called."""
    return Path(run.metadata["papermill"]["input_path"]).stem
