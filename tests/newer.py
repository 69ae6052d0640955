"""Which pages change with newer libraries: this book beside one that is built without the pinned versions.

    python tests/newer.py       in a checkout whose book is built: `make newer`

The other book is made in _build/newer, with an environment of its own. The report is printed and left there, in
report.md: first what failed, then pages whose verdicts change, then those whose numbers do.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from a2a.book.compare import compare
from a2a.book.runs import read_run

NEWER = Path("_build") / "newer"
LEFT_OUT = shutil.ignore_patterns(".*", "_build", "runs", "*.egg-info", "__pycache__")
BUILD = ("make", "PINS=", "ARGS=--keep-going", "book")


def main(root: Path) -> int:
    """Build the other book, report on it; returns the exit code, 1 if a page changes or fails."""
    newer = root / NEWER
    shutil.rmtree(newer, ignore_errors=True)
    shutil.copytree(root, newer, ignore=LEFT_OUT)
    for run in newer.glob("notebooks/*.ipynb"):
        run.unlink()
    built = subprocess.run(BUILD, cwd=newer).returncode == 0
    found = {run.relative_to(root): difference(run, newer / run.relative_to(root), newer) for run in runs(root)}
    text = report(found, versions(runs(root), runs(newer)), built)
    (newer / "report.md").write_text(text, encoding="utf-8")
    print(text)
    return int(not built or any(found.values()))


def runs(root: Path) -> list[Path]:
    """The executed notebooks of a book, its variants among them."""
    found = [*sorted(root.glob("notebooks/*.ipynb")), *sorted(root.glob("_build/variants/*.ipynb"))]
    return [run for run in found if (root / "notebooks" / f"{run.stem.partition('--')[0]}.py").exists()]


def difference(old: Path, new: Path, newer: Path) -> str:
    """What differs between two runs; of one that failed, that and its error. "" if nothing does."""
    return compare(old, new) if new.exists() else f"failed: {error(newer / '_build' / 'running' / old.name)}"


def error(run: Path) -> str:
    """The error that a run ended with, in a line."""
    cells = nbformat.read(run, as_version=4).cells if run.exists() else []
    outputs = [output for cell in cells for output in cell.get("outputs", []) if output.output_type == "error"]
    return " ".join(f"{outputs[-1].ename}: {outputs[-1].evalue}".split()) if outputs else "it wasn't run to its end"


def versions(old: list[Path], new: list[Path]) -> dict[str, tuple[str, str]]:
    """By library, the versions that the runs of the two books name, where they differ."""
    before, after = ({name: of for run in side for name, of in libraries(run).items()} for side in (old, new))
    return {name: (before[name], after[name]) for name in before if after.get(name, before[name]) != before[name]}


def libraries(run: Path) -> dict[str, str]:
    """The versions that a run was made with."""
    content = read_run(run)
    return content.metadata["a2a"].get("libraries", {}) if content else {}


def report(found: dict[Path, str], moved: dict[str, tuple[str, str]], built: bool) -> str:
    """In Markdown, what changes: the libraries, then page by page."""
    changed = sorted((run for run in found if found[run]), key=lambda run: (rank(found[run]), run.stem))
    lines = [f"# {len(changed)} of {len(found)} pages change with newer libraries", ""]
    lines += [", ".join(f"{name} {old} → {new}" for name, (old, new) in moved.items()) or "No library is newer.", ""]
    lines += [] if built else ["The book couldn't be built whole.", ""]
    for run in changed:
        lines += [f"## {run.stem}", "", *(f"    {line}" for line in found[run].splitlines()), ""]
    return "\n".join(lines)


def rank(difference: str) -> int:
    """What failed comes first, then changed verdicts, then the rest."""
    return next(place for place, start in enumerate(("failed", "verdicts", "")) if re.match(start, difference))


if __name__ == "__main__":
    sys.exit(main(Path.cwd()))
