"""The book's generated parts, made from the executed notebooks alone: the status of the runs, the headline picture."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat


def status_table(notebooks: Iterable[Path]) -> str:
    """A Markdown table with a row a notebook or variant of one, and under it the versions that the notebooks ran on."""
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


def _status_row(name: str, metadata: Mapping[str, Any]) -> str:
    run, made_by = metadata["papermill"], metadata["a2a"]
    parameters = ", ".join(f"`{key} = {value!r}`" for key, value in made_by["parameters"].items())
    day = run["start_time"][:16].replace("T", " ")
    commit = made_by["commit"] or "none"
    cells = (
        _link(name),
        parameters,
        f"{run['duration']:.0f}",
        f"{day} UTC",
        made_by["version"],
        commit,
    )
    return f"| {' | '.join(cells)} |"


def _link(name: str) -> str:
    """To the chapter, or to the page that a variant of one has for itself."""
    chapter, _, variant = name.partition("--")
    return (
        f'<a href="../variants/{name}.html">{variant}</a> of {chapter}' if variant else f"{{doc}}`/notebooks/{chapter}`"
    )
