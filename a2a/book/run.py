"""What `a2a run` does: one notebook with new parameters, its page and its verdicts beside it."""

from __future__ import annotations

import argparse
import json
import logging
import re
import signal
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from a2a.book.execute import execute
from a2a.book.output import check_companions, companions, write_whole
from a2a.book.parameters import checked
from a2a.book.progress import Progress, earlier_run, expectation
from a2a.book.runs import find_notebook, notebook_parameters
from a2a.printable import printable


def run(options: argparse.Namespace) -> int:
    """Run the notebook that the options name; returns the exit code.

    Raises:
        KeyboardInterrupt: at Ctrl-C and at SIGTERM, once the kernel is gone.
    """
    with _stoppable():
        return _run(options)


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends a run as Ctrl-C does; a process that just dies of it would leave its kernel behind."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(options: argparse.Namespace) -> int:
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # it raises what it logs
    notebook = find_notebook(options.notebook)
    known = notebook_parameters(notebook)
    defaults = {name: parameter.default for name, parameter in known.items()}
    chosen = checked(known, dict(options.parameters), notebook.stem)
    output = options.output or default_output(notebook, dict(options.parameters))
    if options.page:
        check_companions(output, overwrite=options.force)
    if earlier := earlier_run(notebook, defaults | chosen):
        print(f"{notebook.stem} takes {expectation(earlier, defaults)}", file=sys.stderr)
    progress = Progress(notebook, earlier)
    try:
        execute(notebook, output, chosen, before_cell=progress, overwrite=options.force)
    except PapermillExecutionError as error:
        said = printable(" ".join(f"{error.ename}: {error.evalue}".splitlines()), one_line=True)
        print(f"a2a: error: {said} (cell {error.exec_count} of {output})", file=sys.stderr)
        return 1
    except DeadKernelError:
        print(f"a2a: error: the kernel died, perhaps for want of memory; {output} ends there", file=sys.stderr)
        return 1
    except (NoSuchKernel, RuntimeError) as error:
        print(f"a2a: error: the notebook's kernel can't be started: {error}", file=sys.stderr)
        return 2
    finally:
        progress.close()
    print(output)
    if options.page:
        _write_companions(output, notebook, {name: value for name, value in chosen.items() if value != defaults[name]})
    return 0


def default_output(notebook: Path, parameters: dict[str, str]) -> Path:
    """Where a run goes that isn't told where: a file in runs/, named for its parameters."""
    given = ",".join(f"{name}={value}" for name, value in parameters.items())
    safe = re.sub(r"[^\w=,.+-]+", "-", given).encode()[:100].decode(errors="ignore")
    if safe != given:  # others may come to the same letters
        safe += f"-{zlib.crc32(given.encode(errors='backslashreplace')):08x}"
    return Path("runs") / f"{notebook.stem}__{safe}.ipynb" if safe else Path("runs") / f"{notebook.stem}.ipynb"


def _write_companions(output: Path, notebook: Path, own: dict[str, Any]) -> None:
    """Write what a run leaves beside its notebook, and print where: its claims and its page."""
    from a2a.book.page import NoPage, write_page
    from a2a.book.sides import run_claims

    claims, page = companions(output)
    write_whole(claims, json.dumps(run_claims(output), indent=1, ensure_ascii=False) + "\n")
    print(claims)
    try:
        write_page(output, notebook, page, own)
        print(page)
    except (NoPage, OSError) as error:
        print(f"a2a: no page: {error}", file=sys.stderr)
