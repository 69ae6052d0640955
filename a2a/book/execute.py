"""Run one notebook with new parameters through papermill, strictly: a wrong parameter is an error, not a warning."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
from papermill.iorw import NoIOHandler, papermill_io

from a2a.book.output import check_output, text_digest, write_whole
from a2a.book.parameters import checked
from a2a.book.provenance import provenance
from a2a.book.runs import existing, notebook_parameters
from a2a.places import STARTED_IN
from a2a.secrets import scrub

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What a kernel is told unless it is set: on small matrices two threads, one of which waits for a busy core, cost more
than ten times the time. A notebook that gains from more asks torch for them itself."""

_one_at_a_time = threading.Lock()
"""A run changes its process's folder and environment, so those of several threads wait for each other."""


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
    commit that made it, and a digest of its text. It is written at the end, also when a cell has failed, with the error
    in it; until then, and if the run is stopped or killed, what was at `output` stays. No key is in it, whatever a cell
    printed or raised.
    `before_cell` is called with `cell` and `cell_index` as each cell starts. For `overwrite` see `check_output`.

    Raises:
        FileNotFoundError: if there is no such notebook.
        ValueError: if a parameter isn't one of the notebook's, has a value of another type than its default, or is out
            of its range, or holds a key or a password; or if `output` isn't an .ipynb file, or is one that mustn't be
            overwritten.
        OSError: if nothing can be written at `output`.
        papermill.PapermillExecutionError: if a cell fails.
    """
    notebook, output = existing(Path(notebook)), Path(output)
    known = notebook_parameters(notebook)
    chosen = checked(known, parameters or {}, notebook.stem)
    values = {name: parameter.default for name, parameter in known.items()} | chosen
    standard = all(value == known[name].default for name, value in chosen.items())
    file = check_output(output, notebook, standard=standard, overwrite=overwrite)
    content = _with_stable_ids(jupytext.read(notebook))
    content.metadata["a2a"] = {**provenance(), "parameters": values}
    with _one_at_a_time, tempfile.TemporaryDirectory() as folder, _environment(_for_kernels()):
        source = Path(folder) / f"{notebook.stem}.ipynb"
        nbformat.write(content, source)
        hooks = {"on_cell_start": before_cell} if before_cell else {}
        _run(source, file, chosen, cwd=str(notebook.parent.resolve()), **hooks)
    return output


def _run(source: Path, output: Path, parameters: Mapping[str, Any], **options: Any) -> None:
    """Let papermill run `source`, and write what came of it, whole or not; nothing if it was stopped."""
    _kept.text = ""
    try:
        papermill.execute_notebook(
            str(source).replace("{", "{{").replace("}", "}}"),  # papermill fills in what stands in braces
            _Kept.SCHEME,
            parameters,
            progress_bar=False,
            log_output=False,
            extra_arguments=[
                "--IPKernelApp.log_level=CRITICAL",  # spares notes on loopback ports and on its own end
                "--IPKernelApp.extensions=a2a.book.kernel",
            ],
            **options,
        )
    except Exception as error:
        vars(error).update(scrub(vars(error)))
        error.args = scrub(error.args)
        _kept.write_to(output, failed=True)
        raise
    _kept.write_to(output)


class _Kept(NoIOHandler):
    """Where papermill writes after each cell: memory, because what a cell printed may hold a key.

    So a run that is killed leaves what was there before it, too.
    """

    SCHEME = "a2a-kept.ipynb"
    text = ""

    def write(self, text: str, path: str) -> None:
        self.text = text

    def write_to(self, output: Path, *, failed: bool = False) -> None:
        """Write the notebook without keys, if any of it has run."""
        if self.text:
            content = nbformat.reads(self.text, as_version=4)
            if not any(cell.metadata.get("papermill", {}).get("start_time") for cell in content.cells):
                return  # the kernel never came up: an earlier run says more
            content.metadata["papermill"]["output_path"] = str(output)
            content.metadata["papermill"]["exception"] = failed or None  # papermill tells of cells' errors alone
            for cell in content.cells:
                if "outputs" in cell:
                    cell["outputs"] = _joined(cell["outputs"])
            content = nbformat.from_dict(scrub(content))
            content.metadata["a2a"]["text"] = text_digest(content)
            write_whole(output, nbformat.writes(content))


_kept = _Kept()
papermill_io.register(_Kept.SCHEME, _kept)


def _joined(outputs: Iterable[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Outputs in which what was printed at one go isn't cut in two: a key that is cut is found by nobody."""
    joined: list[nbformat.NotebookNode] = []
    for output in outputs:
        if joined and output.output_type == "stream" and output.get("name") == joined[-1].get("name"):
            joined[-1]["text"] += output["text"]
        else:
            joined.append(output)
    return joined


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
