"""Run one notebook with new parameters through papermill, strictly: a misspelt parameter is an error, not a warning."""

from __future__ import annotations

import ast
import difflib
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill

STARTED_IN = "A2A_STARTED_IN"
"""The environment variable with the folder that a run was started in."""

LIBRARIES = ("array-api-compat", "jupytext", "matplotlib", "nltk", "numpy", "papermill", "seaborn", "torch")


def execute(notebook: str | Path, output: str | Path, parameters: Mapping[str, Any] | None = None) -> Path:
    """Run a py:percent notebook with `parameters` in place of its defaults and write it, with outputs, to `output`.

    It runs in the notebook's own folder. The output records the parameters, and under metadata.a2a the versions and the
    commit that made it. If a cell fails, the output written so far stays at `output`, error included.

    Raises:
        FileNotFoundError: if there is no such notebook.
        ValueError: if a parameter isn't one of the notebook's, or has a value of another type than its default.
        papermill.PapermillExecutionError: if a cell fails.
    """
    notebook, output = Path(notebook), Path(output)
    if not notebook.is_file():
        raise FileNotFoundError(f"no notebook {notebook}")
    content = _with_stable_ids(jupytext.read(notebook))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"{notebook.stem}.ipynb"
        nbformat.write(content, source)
        known = known_parameters(source)
        checked = checked_parameters(known, parameters or {}, notebook.stem)
        content.metadata["a2a"] = {**provenance(), "parameters": {**known, **checked}}
        nbformat.write(content, source)
        output.parent.mkdir(parents=True, exist_ok=True)
        with _kernels_know(STARTED_IN, str(Path.cwd())):
            papermill.execute_notebook(
                str(source),
                str(output),
                checked,
                cwd=str(notebook.parent.resolve()),
                progress_bar=False,
                log_output=False,
                extra_arguments=[
                    "--IPKernelApp.log_level=ERROR"
                ],  # spares the terminal a note on unencrypted loopback ports
            )
    return output


def as_reference(executed: Path, reference: Path) -> None:
    """Write an executed notebook as a reference for nbval: only the outputs that are compared, no times or versions."""
    content = nbformat.read(executed, as_version=4)
    content.metadata = {"kernelspec": content.metadata["kernelspec"]}
    for number, cell in enumerate(content.cells):
        cell["id"] = f"cell-{number}"
        if "nbval-check-output" in cell.metadata.get("tags", []):
            cell.source = f"# NBVAL_CHECK_OUTPUT\n{cell.source}"  # the page stays free of the mark, nbval reads it here
        elif cell.cell_type == "code":
            cell["outputs"] = []
        cell["metadata"] = {}
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/png", None)
            output.get("data", {}).pop("application/papermill.record/image/png", None)
    reference.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(content, reference)


def known_parameters(notebook: str | Path) -> dict[str, Any]:
    """The parameters of an .ipynb notebook with their default values, in order."""
    found = papermill.inspect_notebook(str(notebook))
    return {name: ast.literal_eval(entry["default"]) for name, entry in found.items()}


def checked_parameters(known: Mapping[str, Any], given: Mapping[str, Any], notebook: str) -> dict[str, Any]:
    """`given`, each value in the type of its default.

    Raises:
        ValueError: naming the first parameter that is unknown, with the nearest known one, or of the wrong type.
    """
    for name in given:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f'; did you mean "{nearest[0]}"?' if nearest else ""
            raise ValueError(f'no parameter "{name}"; {notebook} has {", ".join(known) or "none"}{hint}')
    return {name: _typed(name, value, known[name]) for name, value in given.items()}


def provenance() -> dict[str, Any]:
    """Versions of the package, Python and the libraries, and the commit (empty outside a git checkout)."""
    return {
        "version": metadata.version("a2a"),
        "commit": _commit(),
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in LIBRARIES},
    }


def build_folder() -> Path:
    """Where notebooks keep what is costly to make: A2A_BUILD if set, else their book's _build, else a user cache."""
    if chosen := os.environ.get("A2A_BUILD"):
        return Path(chosen)
    for folder in (here := Path.cwd().resolve(), *here.parents):
        if (folder / "_toc.yml").exists():
            return folder / "_build"
    import platformdirs

    return platformdirs.user_cache_path("a2a")


def book_root() -> Path | None:
    """The folder of the book around the current one, else of the package's own book; None if there is neither."""
    here = Path.cwd().resolve()
    for folder in (here, *here.parents, Path(__file__).resolve().parent.parent):
        if (folder / "_toc.yml").exists():
            return folder
    return None


def given_path(path: str) -> Path:
    """The path that a notebook's parameter gives: a relative one counts from where the run was started."""
    return Path(os.environ.get(STARTED_IN, "."), Path(path).expanduser())


@contextmanager
def _kernels_know(variable: str, value: str) -> Iterator[None]:
    """Set an environment variable for the kernels that are started meanwhile: papermill passes none of its own on."""
    before = os.environ.get(variable)
    os.environ[variable] = value
    try:
        yield
    finally:
        del os.environ[variable]
        if before is not None:
            os.environ[variable] = before


def _commit() -> str:
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]
    try:
        answer = subprocess.run(asked, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    except OSError:  # no git here
        return ""
    return answer.stdout.strip()


def _with_stable_ids(content: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """jupytext draws new cell ids at every conversion; numbered ones keep equal runs equal."""
    for number, cell in enumerate(content.cells):
        cell["id"] = f"cell-{number}"
    return content


def _typed(name: str, value: Any, default: Any) -> Any:
    wanted = type(default)
    try:
        if isinstance(value, str) and not isinstance(default, str):
            value = ast.literal_eval({"true": "True", "false": "False"}.get(value, value))
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
    except (ValueError, SyntaxError):
        pass  # it stays text, and the type says so
    if default is not None and type(value) is not wanted:
        raise ValueError(f'parameter "{name}" is {wanted.__name__} (default {default!r}), got {value!r}')
    return value
