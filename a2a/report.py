"""The book's generated parts, made from the executed notebooks alone: the table of claims, the status of the runs."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat

from a2a.claims import Claim

COLUMNS = ("Claim", "What was compared", "Predicted", "Measured", "Tolerance", "Verdict", "Where")


def claims_table(statements: Mapping[str, Mapping[str, str]], found: Iterable[tuple[str, Claim]]) -> str:
    """An HTML table with a row a check, grouped by claim under what the paper says.

    Args:
        statements: by claim, the "paper" it comes from and what it "says"; if a check must name something for the claim
            to count as measured, that is "measured_by", and "pending" says why it isn't yet.
        found: the claims of the notebooks, as `a2a.claims.collect` gives them.

    Raises:
        ValueError: if a notebook states a claim that isn't in `statements`.
    """
    rows: dict[str, list[tuple[str, Claim]]] = {id: [] for id in statements}
    for notebook, claim in found:
        if claim.id not in rows:
            raise ValueError(f"{notebook} states claim {claim.id}, which isn't one of {', '.join(statements)}")
        rows[claim.id].append((notebook, claim))
    checks = [claim for group in rows.values() for _, claim in group]
    failed = sum(not claim.holds for claim in checks)
    summary = (
        f"{sum(map(bool, rows.values()))} of {len(rows)} claims are measured in this edition, by {len(checks)} checks; "
    )
    summary += f"{failed} of the checks failed." if failed else "all checks hold."
    if elsewhere := sum(bool(checks) and _is_pending(statements[id], checks) for id, checks in rows.items()):
        about = "is about a model that wasn't" if elsewhere == 1 else "are about models that weren't"
        summary += f" {elsewhere} of the claims {about} run here: the checks are of other models."
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    body = "\n".join(_claim_rows(id, statements[id], checks) for id, checks in rows.items())
    return f'<p>{summary}</p>\n<table class="a2a-claims">\n<thead><tr>{head}</tr></thead>\n{body}\n</table>\n'


def status_table(notebooks: Iterable[Path]) -> str:
    """A Markdown table with a row a notebook, and under it the versions that the notebooks ran on."""
    lines = ["| Notebook | Parameters | Seconds | Date of the run | a2a | Commit |", "|---|---|---|---|---|---|"]
    versions: dict[str, list[str]] = {}
    for file in notebooks:
        metadata = nbformat.read(file, as_version=4).metadata
        lines.append(_status_row(file.stem, metadata))
        made_by = {"python": metadata["a2a"]["python"], **metadata["a2a"]["libraries"]}
        versions.setdefault(", ".join(f"{name} {version}" for name, version in made_by.items()), []).append(file.stem)
    lines += ["", *(f"{', '.join(names)} ran on {text}.\n" for text, names in versions.items())]
    return "\n".join(lines)


def headline_picture(notebook: Path, name: str) -> bytes:
    """The PNG that an executed notebook keeps under `name` for its opening.

    Raises:
        ValueError: if it keeps none.
    """
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            scrapbook = output.get("metadata", {}).get("scrapbook", {})
            if scrapbook.get("name") == name:
                encoded = next(value for mime, value in output["data"].items() if mime.endswith("image/png"))
                return base64.b64decode(encoded)
    raise ValueError(f"{notebook.name} keeps no figure named {name!r}")


def _claim_rows(id: str, statement: Mapping[str, str], checks: list[tuple[str, Claim]]) -> str:
    says = (
        f"<strong>{id}</strong> {html.escape(statement['says'])} <small>Paper {html.escape(statement['paper'])}</small>"
    )
    rows = [f'<th scope="rowgroup" colspan="{len(COLUMNS)}" id="claim-{id.lower()}">{says}</th>']
    rows += [_check_cells(notebook, claim) for notebook, claim in checks]
    if _is_pending(statement, checks):
        why = html.escape(statement.get("pending", "no notebook of this edition states it"))
        rows.append(f'<td>{id}</td><td class="a2a-pending" colspan="{len(COLUMNS) - 1}">not measured: {why}</td>')
    return f"<tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody>"


def _is_pending(statement: Mapping[str, str], checks: list[tuple[str, Claim]]) -> bool:
    """Whether something of the claim is still unmeasured: all of it, or what no check names as `measured_by` wants."""
    wanted = statement.get("measured_by")
    return not checks or (wanted is not None and not any(wanted in claim.what for _, claim in checks))


def _check_cells(notebook: str, claim: Claim) -> str:
    mark = "✓" if claim.holds else "✗"
    texts = (claim.id, claim.what, claim.predicted, claim.measured, claim.tolerance)
    cells = "".join(f"<td>{html.escape(text)}</td>" for text in texts)
    cells += f'<td class="a2a-{claim.verdict}">{mark} {claim.verdict}</td>'
    return f'{cells}<td><a href="../notebooks/{notebook}.html">{notebook[:2]}</a></td>'


def _status_row(name: str, metadata: Mapping[str, Any]) -> str:
    run, made_by = metadata["papermill"], metadata["a2a"]
    parameters = ", ".join(f"`{key} = {value!r}`" for key, value in made_by["parameters"].items())
    day = run["start_time"][:16].replace("T", " ")
    commit = made_by["commit"] or "none"
    cells = (
        f"{{doc}}`/notebooks/{name}`",
        parameters,
        f"{run['duration']:.0f}",
        f"{day} UTC",
        made_by["version"],
        commit,
    )
    return f"| {' | '.join(cells)} |"
