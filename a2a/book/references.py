"""What nbval compares a chapter with: a run at small parameters, with the compared outputs alone."""

from __future__ import annotations

from pathlib import Path

import nbformat


def as_reference(executed: Path, reference: Path) -> None:
    """Write an executed notebook as a reference for nbval: only the outputs that are compared, no times or versions."""
    content = nbformat.read(executed, as_version=4)
    content.metadata = {"kernelspec": content.metadata["kernelspec"]}
    for number, cell in enumerate(content.cells):
        cell["id"] = f"cell-{number}"
        if "nbval-check-output" in cell.metadata.get("tags", []):
            cell.source = f"# NBVAL_CHECK_OUTPUT\n{cell.source}"  # the page stays free of the mark, nbval reads it here
        elif cell.cell_type == "code":
            cell["outputs"] = []
        cell["metadata"] = {}
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("image/png", None)
            output.get("data", {}).pop("application/papermill.record/image/png", None)
    reference.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(content, reference)
