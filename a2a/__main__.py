"""The command line: `a2a run 02_equilibrium -p d 16 -p n 40`."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from papermill.exceptions import PapermillExecutionError

from a2a.execute import execute


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code (2: refused or not started, 1: a cell failed)."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except (ValueError, OSError, OverflowError) as error:
        print(f"a2a: error: {error}", file=sys.stderr)
        return 2


def _run(options: argparse.Namespace) -> int:
    parameters = dict(options.parameters)
    notebook = find_notebook(options.notebook)
    output = options.output or _default_output(notebook, parameters)
    try:
        execute(notebook, output, parameters)
    except PapermillExecutionError as error:
        print(f"a2a: error: {error.ename}: {error.evalue} (cell {error.exec_count} of {output})", file=sys.stderr)
        return 1
    print(output)
    return 0


def _serve(options: argparse.Namespace) -> int:
    from a2a.chat.server import serve  # not for every run: it loads torch

    serve(port=options.port)
    return 0


def find_notebook(name: str) -> Path:
    """The notebook of that name: a path, or one of the book's.

    Raises:
        FileNotFoundError: that lists the book's notebooks.
    """
    if Path(name).suffix == ".py" and Path(name).is_file():
        return Path(name)
    book = Path("notebooks") if Path("notebooks").is_dir() else Path(__file__).resolve().parent.parent / "notebooks"
    known = {file.stem: file for file in sorted(book.glob("[0-9]*.py"))}
    if name not in known:
        raise FileNotFoundError(f'no notebook "{name}"; there are {", ".join(known) or f"none in {book}"}')
    return known[name]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="a2a", description="The companion's command line.")
    commands = parser.add_subparsers(required=True, metavar="command")
    run = commands.add_parser("run", help="run one notebook with new parameters and print where it was written")
    run.add_argument("notebook", help="such as 02_equilibrium, or a path to a py:percent notebook")
    run.add_argument(
        "-p", dest="parameters", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="a parameter"
    )
    run.add_argument(
        "-o", dest="output", type=Path, help="output notebook (default: named for the parameters, in runs/)"
    )
    run.set_defaults(command=_run)
    serve = commands.add_parser("serve", help="host the offline agents behind an OpenAI-compatible API on this machine")
    serve.add_argument("--port", type=int, default=8300, help="default: 8300")
    serve.set_defaults(command=_serve)
    return parser


def _default_output(notebook: Path, parameters: dict[str, str]) -> Path:
    given = ",".join(f"{name}={value}" for name, value in parameters.items())
    safe = re.sub(r"[^\w=,.+-]+", "-", given)[:100]
    return Path("runs") / f"{notebook.stem}__{safe}.ipynb" if safe else Path("runs") / f"{notebook.stem}.ipynb"


if __name__ == "__main__":
    sys.exit(main())
