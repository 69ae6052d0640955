"""The command line: `a2a run equilibrium -p d 16 -p n 40`, `a2a compare X Y`, `a2a serve`."""

from __future__ import annotations

import argparse
import json
import logging
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from a2a.book.execute import execute
from a2a.book.parameters import checked, described
from a2a.book.progress import Progress, earlier_run, expectation
from a2a.book.runs import notebook_parameters


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    2 is for what is refused or can't be started, 1 for a cell that failed or for a difference, 130 for Ctrl-C.
    """
    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # it raises what it logs
    try:
        options = _parser().parse_args(arguments)
        return int(options.command(options))
    except (ValueError, OSError, OverflowError) as error:
        print(f"a2a: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        logging.disable()  # what was under way reports its end, too
        print("a2a: stopped", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    notebook = find_notebook(options.notebook)
    known = notebook_parameters(notebook)
    defaults = {name: parameter.default for name, parameter in known.items()}
    chosen = checked(known, dict(options.parameters), notebook.stem)
    output = options.output or _default_output(notebook, dict(options.parameters))
    if options.page:
        _check_companions(output)
    if earlier := earlier_run(notebook, defaults | chosen):
        print(f"{notebook.stem} takes {expectation(earlier, defaults)}", file=sys.stderr)
    progress = Progress(notebook, earlier)
    try:
        execute(notebook, output, chosen, before_cell=progress)
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


def _compare(options: argparse.Namespace) -> int:
    from a2a.book.compare import compare

    differences = compare(options.first, options.second)
    print(differences or "no differences")
    return 1 if differences else 0


def _serve(options: argparse.Namespace) -> int:
    from a2a.chat.server import serve  # not for every run: it loads torch

    serve(port=options.port)
    return 0


def find_notebook(name: str) -> Path:
    """The notebook of that name: a path, or one of the book's, with or without its number.

    Raises:
        FileNotFoundError: that lists the book's notebooks.
    """
    if Path(name).suffix == ".py" and Path(name).is_file():
        return Path(name)
    book = Path("notebooks") if Path("notebooks").is_dir() else Path(__file__).resolve().parent.parent / "notebooks"
    known = {file.stem: file for file in sorted(book.glob("[0-9]*.py"))}
    found = known.get(name) or {stem.partition("_")[2]: file for stem, file in known.items()}.get(name)
    if found is None:
        raise FileNotFoundError(f'no notebook "{name}"; there are {", ".join(known) or f"none in {book}"}')
    return found


class _Help(argparse.Action):
    """Help on a command and, if a notebook is named before it, on the notebook's parameters."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: Any) -> None:
        if named := getattr(namespace, "notebook", None):
            notebook = find_notebook(named)
            table = described(notebook_parameters(notebook), shutil.get_terminal_size((100, 24)).columns)
            parser.epilog = f"parameters of {notebook.stem} (default, range, meaning):\n{table or '  none'}"
        parser.print_help()
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="a2a", description="The companion's command line.")
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_run(commands)
    compare = commands.add_parser("compare", help="what differs between two runs or editions, the verdicts first")
    for name in ("first", "second"):
        compare.add_argument(name, type=Path, help="claims.json, an executed notebook, or the folder of an edition")
    compare.set_defaults(command=_compare)
    serve = commands.add_parser("serve", help="host the offline agents behind an OpenAI-compatible API on this machine")
    serve.add_argument("--port", type=int, default=8300, help="default: 8300")
    serve.set_defaults(command=_serve)
    return parser


def _add_run(commands: Any) -> None:
    run = commands.add_parser(
        "run",
        help="run one notebook with new parameters and print what was written",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    run.add_argument("notebook", help="such as equilibrium, 02_equilibrium, or a path to a py:percent notebook")
    run.add_argument("-h", "--help", action=_Help, nargs=0, help="show this and, after a notebook, its parameters")
    run.add_argument(
        "-p", dest="parameters", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="a parameter"
    )
    run.add_argument(
        "-o", dest="output", type=Path, help="output notebook (default: named for the parameters, in runs/)"
    )
    run.add_argument("--no-page", dest="page", action="store_false", help="write the notebook alone")
    run.set_defaults(command=_run)


def _default_output(notebook: Path, parameters: dict[str, str]) -> Path:
    given = ",".join(f"{name}={value}" for name, value in parameters.items())
    safe = re.sub(r"[^\w=,.+-]+", "-", given)[:100]
    return Path("runs") / f"{notebook.stem}__{safe}.ipynb" if safe else Path("runs") / f"{notebook.stem}.ipynb"


if __name__ == "__main__":
    sys.exit(main())
