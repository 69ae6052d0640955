"""The command line: `a2a run equilibrium -p d 16 -p n 40`, `a2a compare X Y`, `a2a serve`."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from a2a.printable import printable
from a2a.secrets import scrub

CHAT = ("fastapi", "httpx2", "openai", "starlette", "uvicorn")
"""Libraries of the extra that serves and asks chat agents."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    2 is for what is refused or can't be started, 1 for a cell that failed or for a difference, 130 for Ctrl-C, and for
    SIGTERM of a run.
    """
    try:
        options = _parser().parse_args(arguments)
        return int(options.command(options))
    except ModuleNotFoundError as error:
        extra = "chat" if str(error.name).partition(".")[0] in CHAT else "book"
        print(f"a2a: error: {error.name} isn't installed: pip install 'a2a[{extra}]'", file=sys.stderr)
        return 2
    except (ValueError, OSError, OverflowError) as error:
        print(f"a2a: error: {printable(scrub(' '.join(str(error).splitlines())), one_line=True)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        logging.disable()  # what was under way reports its end, too
        print("a2a: stopped", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    from a2a.book.run import run  # no command pays for another's libraries

    return run(options)


def _compare(options: argparse.Namespace) -> int:
    from a2a.book.compare import compare

    differences = compare(options.first, options.second)
    print(printable(differences) or "no differences")
    return 1 if differences else 0


def _import(options: argparse.Namespace) -> int:
    from a2a.dialogue.imported import import_conversations

    said = {name: getattr(options, name) for name in ("address", "commit", "licence")}
    source = {name: text for name, text in said.items() if text}
    for written in import_conversations(options.files, options.output, turns=options.turns, source=source):
        print(printable(str(written), one_line=True))
    return 0


def _serve(options: argparse.Namespace) -> int:
    if not 0 <= options.port < 65536:
        raise ValueError(f"port must be in [0, 65535], got {options.port}")
    from a2a.chat.server import serve

    serve(port=options.port)
    os._exit(0)  # an agent that can't be stopped, as one that loads its model, would be waited for


def _label(options: argparse.Namespace) -> int:
    from a2a.dialogue.labelling import label

    label(options.reader, options.n, options.output)
    return 0


class _Help(argparse.Action):
    """Help on a command and, if a notebook is named before it, on the notebook's parameters."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: Any) -> None:
        if named := getattr(namespace, "notebook", None):
            from a2a.book.parameters import described
            from a2a.book.runs import find_notebook, notebook_parameters

            notebook = find_notebook(named)
            table = described(notebook_parameters(notebook), shutil.get_terminal_size((100, 24)).columns)
            parser.epilog = f"parameters of {notebook.stem} (default, range, meaning):\n{table or '  none'}"
        parser.print_help()
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="a2a", description="The companion's command line.")
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_run(commands)
    _add_import(commands)
    compare = commands.add_parser("compare", help="what differs between two runs or editions, the verdicts first")
    for name in ("first", "second"):
        compare.add_argument(name, type=Path, help="claims.json, an executed notebook, or the folder of an edition")
    compare.set_defaults(command=_compare)
    serve = commands.add_parser("serve", help="host the offline agents behind an OpenAI-compatible API on this machine")
    serve.add_argument("--port", type=int, default=8300, help="default: 8300")
    serve.set_defaults(command=_serve)
    label = commands.add_parser("label", help="label recorded conversations, blind, and see how readers labelled them")
    label.add_argument("--reader", default="a person", help="your name; it draws the conversations")
    label.add_argument("--n", type=int, default=20, help="conversations to label (default: 20, about ten minutes)")
    label.add_argument(
        "-o", dest="output", type=Path, default=Path("my-labels.csv"), help="where labels go (default: my-labels.csv)"
    )
    label.set_defaults(command=_label)
    return parser


def _add_run(commands: Any) -> None:
    run = commands.add_parser(
        "run",
        help="run one notebook with new parameters and print what was written",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    run.add_argument("notebook", help="such as equilibrium, or a path to a py:percent notebook")
    run.add_argument("-h", "--help", action=_Help, nargs=0, help="show this and, after a notebook, its parameters")
    run.add_argument(
        "-p", dest="parameters", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="a parameter"
    )
    run.add_argument(
        "-o", dest="output", type=Path, help="output notebook (default: named for the parameters, in runs/)"
    )
    run.add_argument("--force", action="store_true", help="replace files of that name that aren't a run's, too")
    run.add_argument("--no-page", dest="page", action="store_false", help="write the notebook alone")
    run.set_defaults(command=_run)


def _add_import(commands: Any) -> None:
    given = commands.add_parser("import-conversations", help="make conversations of others a study that chapters read")
    given.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSON lines: a run of a self-play, or plain")
    given.add_argument(
        "-o", dest="output", type=Path, required=True, help="a new .jsonl file for one setting, or a folder for each"
    )
    given.add_argument("--turns", type=int, default=0, help="only so many of each, and none of shorter ones")
    for name, what in (("address", "the source"), ("commit", "the source's version"), ("licence", "the data's")):
        given.add_argument(f"--{name}", default="", help=f"{what}, for the record")
    given.set_defaults(command=_import)


if __name__ == "__main__":
    sys.exit(main())
