"""What `a2a run` does: one notebook with new parameters, its page and its verdicts beside it."""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
from pathlib import Path
from typing import Any

from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from a2a.book.execute import execute
from a2a.book.parameters import checked
from a2a.book.progress import Progress, earlier_run, expectation
from a2a.book.runs import find_notebook, notebook_parameters


def run(options: argparse.Namespace) -> int:
    """Run the notebook that the options name; returns the exit code."""
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # it raises what it logs
    notebook = find_notebook(options.notebook)
    known = notebook_parameters(notebook)
    defaults = {name: parameter.default for name, parameter in known.items()}
    chosen = checked(known, dict(options.parameters), notebook.stem)
    output = options.output or default_output(notebook, dict(options.parameters))
    if options.page and not options.force:
        _check_companions(output)
    if earlier := earlier_run(notebook, defaults | chosen):
        print(f"{notebook.stem} takes {expectation(earlier, defaults)}", file=sys.stderr)
    progress = Progress(notebook, earlier)
    try:
        execute(notebook, output, chosen, before_cell=progress, overwrite=options.force)
    except PapermillExecutionError as error:
        print(f"a2a: error: {error.ename}: {error.evalue} (cell {error.exec_count} of {output})", file=sys.stderr)
        return 1
    except DeadKernelError:
        print(f"a2a: error: the kernel died, perhaps for want of memory; {output} ends there", file=sys.stderr)
        return 1
    finally:
        progress.close()
    print(output)
    if options.page:
        _write_companions(output, notebook, {name: value for name, value in chosen.items() if value != defaults[name]})
    return 0


def default_output(notebook: Path, parameters: dict[str, str]) -> Path:
    """Where a run goes that isn't told where: a file in runs/, named for its parameters."""
    given = ",".join(f"{name}={value}" for name, value in parameters.items())
    safe = re.sub(r"[^\w=,.+-]+", "-", given)[:100]
    return Path("runs") / f"{notebook.stem}__{safe}.ipynb" if safe else Path("runs") / f"{notebook.stem}.ipynb"


def _companions(output: Path) -> tuple[Path, Path]:
    return output.with_suffix(".claims.json"), output.with_suffix(".html")


def _check_companions(output: Path) -> None:
    """Refuse what would overwrite anything but the claims and the page of a run."""
    for file, mark in zip(_companions(output), ('"claims"', "a2a run"), strict=True):
        if file.exists() and mark not in file.read_text(encoding="utf-8", errors="replace")[:500]:
            raise ValueError(f"{file} exists and isn't of a run; it isn't overwritten")


def _write_companions(output: Path, notebook: Path, own: dict[str, Any]) -> None:
    """Write what a run leaves beside its notebook, and print where: its claims and its page."""
    from a2a.book.page import NoPage, write_page
    from a2a.book.sides import run_claims

    claims, page = _companions(output)
    claims.write_text(json.dumps(run_claims(output), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(claims)
    try:
        write_page(output, notebook, page, own)
        print(page)
    except (NoPage, OSError) as error:
        print(f"a2a: no page: {error}", file=sys.stderr)
