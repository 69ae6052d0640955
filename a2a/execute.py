"""Run one notebook with new parameters through papermill, strictly: a wrong parameter is an error, not a warning."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill

from a2a.book.parameters import Parameter, checked, read_parameters

STARTED_IN = "A2A_STARTED_IN"
"""The environment variable with the folder that a run was started in."""

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What a kernel is told unless it is set: on small matrices two threads, one of which waits for a busy core, cost more
than ten times the time. A notebook that gains from more asks torch for them itself."""


def execute(
    notebook: str | Path,
    output: str | Path,
    parameters: Mapping[str, Any] | None = None,
    *,
    before_cell: Callable[..., None] | None = None,
) -> Path:
    """Run a py:percent notebook with `parameters` in place of its defaults and write it, with outputs, to `output`.

    It runs in the notebook's own folder. The output records the parameters, and under metadata.a2a the versions and the
    commit that made it. If a cell fails, the output written so far stays at `output`, error included. `before_cell` is
    called with `cell` and `cell_index` as each cell starts.

    Raises:
        FileNotFoundError: if there is no such notebook.
        ValueError: if a parameter isn't one of the notebook's, has a value of another type than its default, or is out
            of its range; or if `output` isn't an .ipynb file, or is one that mustn't be overwritten.
        papermill.PapermillExecutionError: if a cell fails.
    """
    notebook, output = Path(notebook), Path(output)
    known = notebook_parameters(notebook)
    chosen = checked(known, parameters or {}, notebook.stem)
    values = {name: parameter.default for name, parameter in known.items()} | chosen
    _check_output(output, notebook, standard=all(value == known[name].default for name, value in chosen.items()))
    content = _with_stable_ids(jupytext.read(notebook))
    content.metadata["a2a"] = {**provenance(), "parameters": values}
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, _environment(_for_kernels()):
        source = Path(folder) / f"{notebook.stem}.ipynb"
        nbformat.write(content, source)
        hooks = {"on_cell_start": before_cell} if before_cell else {}
        _run(source, output, chosen, cwd=str(notebook.parent.resolve()), **hooks)
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


def provenance() -> dict[str, Any]:
    """Versions of the package, Python and what the package requires, and the commit (empty outside a git checkout)."""
    return {
        "version": metadata.version("a2a"),
        "commit": _commit(),
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in _libraries()},
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


def _check_output(output: Path, notebook: Path, *, standard: bool) -> None:
    """Refuse what would overwrite anything but a run of the same notebook, or put odd parameters into the book."""
    if output.suffix != ".ipynb":
        raise ValueError(f"the output must be an .ipynb file, got {output}")
    if output.resolve() == notebook.resolve().with_suffix(".ipynb") and not standard:
        raise ValueError(f"{output} is the book's own run, whose parameters are the defaults; choose another output")
    if output.exists() and ((run := read_run(output)) is None or chapter_of(run) != notebook.stem):
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


def _libraries() -> list[str]:
    """What the package requires, without its extras."""
    needed = [text for text in metadata.requires("a2a") or [] if "extra ==" not in text]
    return sorted(re.split(r"[^\w.-]", text)[0] for text in needed)


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
