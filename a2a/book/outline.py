"""The sources of a book in which one chapter was run: of the others the text alone, enough to number and name it all.

Everything is written only where it differs, so that Sphinx reads again what has changed and nothing else.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import jupytext
import nbformat
from nbformat.v4 import new_code_cell, new_output

BLANK = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one pixel, for a figure that isn't drawn."""

GLUED_FIGURE = re.compile(r"\{glue:figure\}\s*`?([\w.-]+)")
GENERATED = re.compile(r"_build/generated/([\w.-]+)")


def lay_out(root: Path, documents: Sequence[str], tree: Path, chapter: str, executed: Path) -> None:
    """Lay the sources of the book in `root` out in the folder `tree`.

    Args:
        documents: the pages of its table of contents, such as "book/index".
        chapter: the one that was run. If it isn't one of them, the other chapters are left out.
        executed: its notebook with outputs.
    """
    notebooks = [document for document in documents if (root / f"{document}.py").is_file()]
    pages = [document for document in documents if document not in notebooks]
    for document in notebooks if chapter in documents else [chapter]:
        if document == chapter:
            write_if_new(tree / f"{document}.ipynb", executed.read_bytes())
        else:
            _outline_if_new(root / f"{document}.py", tree / f"{document}.ipynb")
    _link_pages(root, pages, tree, kept={Path(document).parts[0] for document in [*notebooks, chapter]})
    _generated(root, pages, tree)


def outline(notebook: Path) -> nbformat.NotebookNode:
    """A py:percent notebook without its code, and with a blank picture in place of each figure."""
    content = jupytext.read(notebook)
    for number, cell in enumerate(content.cells):
        cell["id"] = f"cell-{number}"  # jupytext draws new ones each time
        if cell.cell_type == "code":
            cell.source = ""
            cell.outputs = [_picture()] if "figure" in cell.metadata.get("mystnb", {}) else []
    glued = [name for cell in content.cells for name in GLUED_FIGURE.findall(cell.source)]
    content.cells.append(new_code_cell(id="glued", outputs=[_glued(name) for name in glued]))
    return content


def write_if_new(file: Path, content: bytes) -> None:
    """Write the file unless it holds just that; never through a link to a folder of the book."""
    if file.is_file() and file.read_bytes() == content:
        return
    for folder in file.parents:
        if folder.is_symlink():
            folder.unlink()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _outline_if_new(notebook: Path, file: Path) -> None:
    """Write the outline unless it is there already: reading takes a while, and most notebooks stay as they are."""
    made_from = f"{zlib.crc32(notebook.read_bytes() + Path(__file__).read_bytes()):08x}"
    if not file.is_file() or f'"made_from": "{made_from}"' not in file.read_text(encoding="utf-8"):
        content = outline(notebook)
        content.metadata["made_from"] = made_from
        write_if_new(file, nbformat.writes(content).encode())


def _link_pages(root: Path, pages: Iterable[str], tree: Path, kept: set[str]) -> None:
    """Link the folders of the pages, with their pictures and styles; in folders with notebooks the pages alone."""
    for page in pages:
        top = root / Path(page).parts[0]
        whole = top.is_dir() and top.name not in kept
        for path in [top] if whole else root.glob(f"{page}.*"):
            _link(tree / path.relative_to(root), path)


def _link(file: Path, target: Path) -> None:
    if file.is_symlink() and file.readlink() != target:
        file.unlink()
    if not file.is_symlink():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to(target)


def _generated(root: Path, pages: Iterable[str], tree: Path) -> None:
    """The files that a build of the book makes and its pages include: as they are, or blank."""
    texts = [file.read_text(encoding="utf-8") for page in pages if (file := root / f"{page}.md").is_file()]
    for name in {name for text in texts for name in GENERATED.findall(text)}:
        made = root / "_build" / "generated" / name
        blank = base64.b64decode(BLANK) if made.suffix == ".png" else b""
        write_if_new(tree / "_build" / "generated" / name, made.read_bytes() if made.is_file() else blank)


def _picture() -> nbformat.NotebookNode:
    return new_output("display_data", data={"image/png": BLANK, "text/plain": ""})


def _glued(name: str) -> nbformat.NotebookNode:
    prefix = "application/papermill.record/"
    return new_output(
        "display_data",
        data={f"{prefix}image/png": BLANK, f"{prefix}text/plain": ""},
        metadata={"scrapbook": {"name": name, "mime_prefix": prefix}},
    )
