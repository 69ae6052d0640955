"""What the book says of its claims, collected from the outputs of its chapters: nothing that no cell has computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
import yaml

from a2a.book.claims import METADATA
from a2a.book.parameters import checked
from a2a.book.runs import chapter_of, notebook_parameters, read_run
from a2a.places import book_root

SOURCES = ("paper A", "paper B", "question", "ours")


def collect(notebooks: Iterable[Path]) -> list[dict[str, Any]]:
    """All checks in the outputs of executed notebooks, in reading order: a Check's fields and its `notebook`."""
    return [{"notebook": Path(file).stem, **check} for file in notebooks for check in _checks_of(Path(file))]


def load_statements() -> dict[str, dict[str, Any]]:
    """The claims of the book, by their id: `says`, `source`, and what else book/claims.yml says of them.

    Empty where there is no book around.

    Raises:
        ValueError: if a claim has no sentence or an unknown source.
    """
    root = book_root()
    if root is None:
        return {}
    statements = yaml.safe_load((root / "book" / "claims.yml").read_text(encoding="utf-8"))
    for id, statement in statements.items():
        if statement.get("source") not in SOURCES or not statement.get("says"):
            raise ValueError(f"claim {id} needs `says` and a `source` of {', '.join(SOURCES)}, got {statement}")
    return statements


def claims_json(notebooks: Iterable[Path], statements: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Every claim of a book with its verdict and its checks, for machines: the content of claims.json.

    Args:
        notebooks: the book's executed notebooks.
        statements: see `claims_of`.

    Raises:
        ValueError: as `claims_of` does, or if a notebook that lies beside its source isn't a run of it at its defaults.
    """
    notebooks = list(map(Path, notebooks))
    for file in notebooks:
        if (source := file.with_suffix(".py")).exists():
            require_run(file, source, {})
    return claims_of(notebooks, statements)


def require_run(file: Path, source: Path, own: Mapping[str, Any]) -> None:
    """Refuse what isn't a run of a notebook, finished, at its defaults, but for the parameters in `own`.

    Raises:
        ValueError: with the file's name and what is to be done.
    """
    known = notebook_parameters(source)
    values = {name: parameter.default for name, parameter in known.items()} | checked(known, own, source.stem)
    run = read_run(file)
    if (
        run is None
        or chapter_of(run) != source.stem
        or run.metadata["a2a"]["parameters"] != values
        or run.metadata["papermill"].get("exception")
    ):
        told = (
            f"the book's parameters ({', '.join(f'{name} = {value!r}' for name, value in own.items()) or 'defaults'})"
        )
        raise ValueError(f"{file} isn't a finished run of {source.name} at {told}: remove it, and it is made again")


def claims_of(notebooks: Iterable[Path], statements: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Every claim with its verdict and its checks, whatever the parameters of the runs.

    Args:
        notebooks: executed notebooks.
        statements: the claims, as `load_statements` gives them. Without any, a notebook's claims speak for themselves.

    Raises:
        ValueError: if a notebook checks a claim that isn't in `statements`.
    """
    by_claim: dict[str, list[dict[str, Any]]] = {id: [] for id in statements}
    for check in collect(notebooks):
        id = check.pop("id")
        if statements and id not in by_claim:
            raise ValueError(f"{check['notebook']} checks claim {id}, which isn't one of {', '.join(statements)}")
        by_claim.setdefault(id, []).append(check)
    return {"claims": [_claim(id, statements.get(id, {}), checks) for id, checks in by_claim.items()]}


def claim_verdict(checks: Sequence[Mapping[str, Any]], statement: Mapping[str, Any]) -> str:
    """The verdict on a claim: that of its weakest check.

    One check that contradicts the claim decides, then one that is undecided, then one that supports it; a check that
    isn't applicable or only describes decides nothing. What is said of a paper's models alone (`only_these`) can't be
    tested on others.
    """
    if statement.get("only_these"):
        checks = [check for check in checks if tested_on(statement, [check])]
    found = {check["verdict"] for check in checks}
    order = ("contradicted", "undecided", "supported", "not applicable")
    return next((verdict for verdict in order if verdict in found), "not tested")


def tested_on(statement: Mapping[str, Any], checks: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a check is of all the models that the paper's claim is about; a claim about no model needs none."""
    return any(
        all(any(wanted.lower() in model.lower() for model in check["models"]) for wanted in statement.get("models", []))
        for check in checks
    )


def _claim(id: str, statement: Mapping[str, Any], checks: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": id,
        "says": statement.get("says", ""),
        "source": statement.get("source", ""),
        "verdict": claim_verdict(checks, statement),
        "tested_on_papers_models": tested_on(statement, checks) if statement.get("models") else None,
        "checks": checks,
    }


def _checks_of(file: Path) -> Iterator[dict[str, Any]]:
    for cell in nbformat.read(file, as_version=4).cells:
        for output in cell.get("outputs", []):
            yield from map(dict, output.get("metadata", {}).get(METADATA, []))
