"""What there is to compare: the checks of an edition or of a run, and what a run glued and printed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from a2a.book.claims import claim_order
from a2a.book.collected import claims_of, load_statements
from a2a.book.runs import chapter_of, name_of, read_run

Key = tuple[str, str, str, int]
"""Of a check: its claim, what it compares, its chapter, and which of several such it is."""

CLAIMS = ("claims.json", "_build/html/claims.json")
"""Where the claims of an edition stand in its folder."""


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Args:
        verdicts: by claim.
        checks: as claims.json has them, each under its key.
        run: the executed notebook, if that is what was given.
    """

    verdicts: Mapping[str, str]
    checks: Mapping[Key, Mapping[str, Any]]
    run: nbformat.NotebookNode | None = None

    @property
    def chapters(self) -> set[str]:
        """The names of the chapters that it has checks of, or is a run of; a number may have moved."""
        stems = {key[2] for key in self.checks} | ({chapter_of(self.run)} if self.run else set())
        return set(map(name_of, stems))

    def about(self, chapters: set[str]) -> Side:
        """The checks of the chapters of these names alone, and the verdicts that hang on no others."""
        checks = {key: check for key, check in self.checks.items() if name_of(key[2]) in chapters}
        claims = {key[0] for key in checks} - {key[0] for key in self.checks.keys() - checks.keys()}
        return Side({id: verdict for id, verdict in self.verdicts.items() if id in claims}, checks, self.run)


def read_side(path: Path) -> Side:
    """One side of a comparison, from whatever `path` is.

    Raises:
        ValueError: if it is neither a claims.json, nor an executed notebook, nor the folder of an edition.
    """
    if path.is_dir():
        found = [path / name for name in CLAIMS if (path / name).is_file()]
        if not found:
            raise ValueError(f"{path} is no folder of an edition: it has neither {' nor '.join(CLAIMS)}")
        return read_side(found[0])
    if not path.is_file():
        raise ValueError(f"there is no {path}")
    if path.suffix == ".ipynb":
        if (run := read_run(path)) is None:
            raise ValueError(f"{path} isn't an executed notebook of this book")
        with _damage_named(f"{path} isn't an executed notebook as this book writes them"):
            glued(run), printed(run)
            return _side(run_claims(path)["claims"], run)
    with _damage_named(f"{path} is no claims.json"):
        return _side(json.loads(path.read_text(encoding="utf-8"))["claims"], None)


@contextmanager
def _damage_named(what: str) -> Iterator[None]:
    """Whatever is raised by content of another shape, as one error that says so."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{what}: {type(error).__name__}: {error}") from None


def run_claims(file: Path) -> dict[str, Any]:
    """The claims that a run has checks of, as claims.json has them; the checks name the notebook that was run.

    Raises:
        ValueError: if the file isn't an executed notebook.
    """
    if (run := read_run(file)) is None:
        raise ValueError(f"{file} isn't an executed notebook")
    statements = load_statements()
    ids = sorted((claim["id"] for claim in claims_of([file], {})["claims"]), key=claim_order)
    claims = claims_of([file], {id: statements.get(id, {}) for id in ids})
    for check in (check for claim in claims["claims"] for check in claim["checks"]):
        check["notebook"] = chapter_of(run)
    return claims


def glued(run: nbformat.NotebookNode) -> dict[str, str]:
    """The texts that a run keeps for its prose, by name; no figures."""
    found = {}
    for output in (output for cell in run.cells for output in cell.get("outputs", [])):
        name, data = output.get("metadata", {}).get("scrapbook", {}).get("name"), output.get("data", {})
        if name and not any("image/" in kind for kind in data):
            found[name] = next((text for kind, text in data.items() if kind.endswith("text/plain")), "")
    return found


def printed(run: nbformat.NotebookNode) -> dict[str, list[str]]:
    """What the cells whose outputs are compared print, by their source, in order; no figures, and no checks."""
    found = defaultdict(list)
    for cell in run.cells:
        if "nbval-check-output" in cell.metadata.get("tags", []):
            found[cell.source].append("\n".join(text.rstrip("\n") for text in _texts(cell)))
    return found


def _texts(cell: nbformat.NotebookNode) -> Iterator[str]:
    for output in cell.outputs:
        data = output.get("data", {})
        if output.output_type == "stream" and output.name == "stdout":
            yield output.text
        elif output.output_type == "error":
            yield f"{output.ename}: {output.evalue}"
        elif "text/plain" in data and "image/png" not in data and "a2a-check" not in data.get("text/html", ""):
            yield data["text/plain"]


def _side(claims: list[Mapping[str, Any]], run: nbformat.NotebookNode | None) -> Side:
    checks: dict[Key, Mapping[str, Any]] = {}
    for claim in claims:
        for check in claim["checks"]:
            what = _text(claim["id"]), _text(check["what"]), _text(check["notebook"])
            for told in (check["verdict"], check.get("measured") or "", check.get("wanted") or ""):
                _text(told)
            checks[*what, sum(key[:3] == what for key in checks)] = check
    return Side({_text(claim["id"]): _text(claim["verdict"]) for claim in claims}, checks, run)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text is wanted, got {type(value).__name__}")
    return value
