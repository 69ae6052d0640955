"""The page of one run: the chapter as the book shows it, in one file that opens without a server and without network.

Sphinx reads the whole book for it, so that theorems, figures and chapters are numbered and named as they are there, and
writes the one page. What it has read of the other pages is kept for the next time.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a2a.book.collected import require_run
from a2a.book.outline import BLANK, lay_out, write_if_new
from a2a.book.output import write_whole
from a2a.book.runs import read_run
from a2a.places import book_root, build_folder

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag

MATHJAX = "sphinx-mathjax-offline"
ELSEWHERE = (MATHJAX, "sphinx_thebe", "sphinx_comments", "sphinx.ext.intersphinx")
"""Extensions that copy what a site needs, load from other hosts, or start kernels."""

ONE_PAGE = {
    "mathjax_path": "mathjax/tex-svg.js",  # draws without fonts
    "nb_execution_mode": "off",
    "html_copy_source": False,
    "html_sidebars": {"**": []},
    "use_jupyterbook_latex": False,
    "latex_individualpages": False,
}
PLAIN = {
    "parse": {"myst_enable_extensions": ["amsmath", "colon_fence", "deflist", "dollarmath"]},
    "sphinx": {"extra_extensions": ["sphinx_proof"]},
}
"""The settings where there is no book."""


class NoPage(Exception):
    """Why there is no page, in a line."""


def write_page(executed: Path, notebook: Path, page: Path, parameters: Mapping[str, Any]) -> None:
    """Write the page of a run.

    Args:
        executed: the notebook with its outputs.
        notebook: the notebook that was run. If it isn't a chapter of a book, the page has the book's look alone.
        page: the HTML file.
        parameters: those that differ from the defaults, to be named at the top.

    Raises:
        NoPage: if something that it takes isn't installed, or Sphinx fails.
        ValueError: if it is a run with other parameters.
    """
    if read_run(executed):
        require_run(executed, notebook, parameters)
    try:
        from a2a.book.onefile import one_file

        mathjax = _package_folder(MATHJAX) / "static"
        with _source(notebook, executed) as (folder, document):
            soup = one_file(_built(folder, document), lambda file: mathjax / file.parent.name / file.name)
    except ModuleNotFoundError as error:
        raise NoPage(f"{str(error.name).partition('.')[0]} isn't installed (pip install 'a2a[book]')") from None
    if parameters and (title := soup.select_one("article h1")):
        title.insert_after(_note(soup, parameters))
    if soup.head:
        soup.head.insert(0, soup.new_tag("meta", attrs={"name": "generator", "content": "a2a run"}))
    write_whole(page, str(soup))


@contextmanager
def _source(notebook: Path, executed: Path) -> Iterator[tuple[Path, str]]:
    """A folder with the sources for Sphinx in it, nobody else's meanwhile, and the name of the page there."""
    root, document, documents = _place(notebook)
    name = f"{zlib.crc32(str(root).encode()):08x}" if document in documents else "own"
    folder = build_folder().resolve() / "page" / name
    tree = folder / "source"
    tree.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lay_out(root, documents, tree, document, executed)
        alone = f"format: jb-book\nroot: {document}\n"
        write_if_new(tree / "_toc.yml", (root / "_toc.yml").read_bytes() if document in documents else alone.encode())
        write_if_new(tree / "conf.py", _settings(root, tree).encode())
        yield folder, document


def _place(notebook: Path) -> tuple[Path, str, list[str]]:
    """The folder of the book around a notebook, the notebook's name there, and all pages of that book."""
    around = [folder for folder in notebook.resolve().parents if (folder / "_toc.yml").is_file()]
    if around and (document := str(notebook.resolve().relative_to(around[0]).with_suffix(""))) in _pages(around[0]):
        return around[0], document, _pages(around[0])
    root = book_root()
    return root or notebook.parent, notebook.stem, _pages(root) if root else []


def _pages(root: Path) -> list[str]:
    from sphinx_external_toc.parsing import parse_toc_yaml

    return list(parse_toc_yaml(root / "_toc.yml"))


def _settings(root: Path, tree: Path) -> str:
    """What Sphinx is told: the book's own settings, less what only a site needs."""
    from jupyter_book.config import get_final_config

    user = root / "_config.yml"
    settings, _ = get_final_config(
        user_yaml=user if user.is_file() else PLAIN, cli_config=ONE_PAGE.copy(), sourcedir=tree
    )
    settings["extensions"] = [name for name in settings["extensions"] if name not in ELSEWHERE]
    return "\n".join(f"{name} = {value!r}" for name, value in sorted(settings.items()))


def _built(folder: Path, document: str) -> Path:
    """Let Sphinx write the page; returns it."""
    source, site = folder / "source", folder / "html"
    _forget_pictures(folder)
    paths = map(str, (folder / "doctrees", source, site, source / f"{document}.ipynb"))
    command = [sys.executable, "-m", "sphinx", "-q", "-b", "html", "-d", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    if done.returncode:
        raise NoPage(f"Sphinx stopped: {done.stderr.strip().splitlines()[-1]}")
    return site / f"{document}.html"


def _forget_pictures(folder: Path) -> None:
    """Remove what earlier pages left: a picture is named for its content, so that none would ever be replaced."""
    shutil.rmtree(folder / "html", ignore_errors=True)
    for picture in (folder / "jupyter_execute").glob("*.*"):
        if picture.stat().st_size > len(BLANK):  # the others read it again only if it were gone
            picture.unlink()


def _environment() -> dict[str, str]:
    """Where Python keeps no compiled modules, Sphinx's are kept here: compiling them takes longer than the page."""
    if not sys.dont_write_bytecode:
        return dict(os.environ)
    return os.environ | {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(build_folder() / "page" / "compiled"),
    }


def _package_folder(name: str) -> Path:
    if (found := importlib.util.find_spec(name)) is None or found.origin is None:
        raise ModuleNotFoundError(name=name)
    return Path(found.origin).parent


def _note(soup: BeautifulSoup, parameters: Mapping[str, Any]) -> Tag:
    """The parameters of a run, as a box."""
    own = ", ".join(f"{name} = {value!r}" for name, value in parameters.items())
    box = soup.new_tag("div", attrs={"class": "admonition note"})
    title = soup.new_tag("p", attrs={"class": "admonition-title"}, string="A run with parameters of its own")
    text = soup.new_tag("p", string=f"{own}; the others are the defaults that stand below.")
    box.extend([title, text])
    return box
