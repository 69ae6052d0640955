"""Run one notebook with new parameters through papermill, strictly: a wrong parameter is an error, not a warning."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill

from a2a.book.parameters import checked
from a2a.book.provenance import provenance
from a2a.book.runs import chapter_of, existing, name_of, notebook_parameters, read_run
from a2a.places import STARTED_IN

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What a kernel is told unless it is set: on small matrices two threads, one of which waits for a busy core, cost more
than ten times the time. A notebook that gains from more asks torch for them itself."""


def execute(
    notebook: str | Path,
    output: str | Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    before_cell: Callable[..., None] | None = None,
    overwrite: bool = False,
) -> Path:
    """Run a py:percent notebook with `parameters` in place of its defaults and write it, with outputs, to `output`.

    It runs in the notebook's own folder. The output records the parameters, and under metadata.a2a the versions and the
    commit that made it. If a cell fails, the output written so far stays at `output`, error included. `before_cell` is
    called with `cell` and `cell_index` as each cell starts. With `overwrite`, an .ipynb file that isn't a run of this
    notebook is replaced, too.

    Raises:
        FileNotFoundError: if there is no such notebook.
        ValueError: if a parameter isn't one of the notebook's, has a value of another type than its default, or is out
            of its range; or if `output` isn't an .ipynb file, or is one that mustn't be overwritten.
        papermill.PapermillExecutionError: if a cell fails.
    """
    notebook, output = existing(Path(notebook)), Path(output)
    known = notebook_parameters(notebook)
    chosen = checked(known, parameters or {}, notebook.stem)
    values = {name: parameter.default for name, parameter in known.items()} | chosen
    standard = all(value == known[name].default for name, value in chosen.items())
    _check_output(output, notebook, standard=standard, overwrite=overwrite)
    content = _with_stable_ids(jupytext.read(notebook))
    content.metadata["a2a"] = {**provenance(), "parameters": values}
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _environment(_for_kernels()):
        source = Path(folder) / f"{notebook.stem}.ipynb"
        nbformat.write(content, source)
        hooks = {"on_cell_start": before_cell} if before_cell else {}
        _run(source, output, chosen, cwd=str(notebook.parent.resolve()), **hooks)
    return output


def _check_output(output: Path, notebook: Path, *, standard: bool, overwrite: bool = False) -> None:
    """Refuse what would overwrite anything but a run of the same notebook, or put odd parameters into the book."""
    if output.suffix != ".ipynb":
        raise ValueError(f"the output must be an .ipynb file, got {output}")
    source = output.resolve().with_suffix(".py")
    if source.exists() and not (standard and source == notebook.resolve()):
        raise ValueError(f"{output} is the book's own run of {source.name} at its defaults; choose another output")
    if (
        output.exists()
        and not overwrite
        and ((run := read_run(output)) is None or name_of(chapter_of(run)) != name_of(notebook.stem))
    ):
        raise ValueError(f"{output} exists and isn't a run of {notebook.stem}; it isn't overwritten")


def _run(source: Path, output: Path, parameters: Mapping[str, Any], **options: Any) -> None:
    papermill.execute_notebook(
        str(source),
        str(output),
        parameters,
        progress_bar=False,
        log_output=False,
        extra_arguments=["--IPKernelApp.log_level=CRITICAL"],  # spares notes on loopback ports and on its own end
        **options,
    )


def _for_kernels() -> dict[str, str]:
    return {name: "1" for name in ONE_THREAD if name not in os.environ} | {STARTED_IN: str(Path.cwd())}


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the kernels that are started meanwhile: papermill passes none of its own on."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            os.environ.update({} if value is None else {name: value})


def _with_stable_ids(content: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """jupytext draws new cell ids at every conversion; numbered ones keep equal runs equal."""
    for number, cell in enumerate(content.cells):
        cell["id"] = f"cell-{number}"
    return content
