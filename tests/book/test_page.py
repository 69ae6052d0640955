"""The page of a notebook of its own, and that of a chapter beside the same page of the built site."""

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from a2a.book import page as module
from a2a.book.outline import BLANK
from a2a.book.output import check_companions
from a2a.book.page import NoPage, write_page

ROOT = Path(__file__).resolve().parents[2]
(CHAPTER,) = (ROOT / "notebooks").glob("[0-9]*_trained_agents.py")

TEXT = """\
# A notebook

```{prf:theorem} Small
:label: thm-small

A theorem about $x$.
```

By {prf:ref}`thm-small`, {glue:text}`share` of it, see {numref}`fig-dot`.

$$
x = 1
$$
"""


def tiny():
    """Two cells, executed."""
    told = {"application/papermill.record/text/plain": "'ninety percent'"}
    scrapbook = {"scrapbook": {"name": "share", "mime_prefix": "application/papermill.record/"}}
    outputs = [
        new_output("display_data", data=told, metadata=scrapbook),
        new_output("display_data", data={"image/png": BLANK, "text/plain": "a dot"}),
    ]
    figure = {"mystnb": {"figure": {"name": "fig-dot", "caption": "A dot."}}, "tags": ["hide-input"]}
    cells = [new_markdown_cell(TEXT), new_code_cell("draw()", outputs=outputs, metadata=figure)]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("A2A_BUILD", str(tmp_path_factory.mktemp("build")))
        yield


def read(file):
    return BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module")
def own(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    nbformat.write(tiny(), folder / "run.ipynb")
    write_page(folder / "run.ipynb", folder / "mine.py", folder / "run.html", {"d": 4, "name": "x"})
    return read(folder / "run.html")


@pytest.fixture(scope="module")
def chapter(build, tmp_path_factory):
    file = tmp_path_factory.mktemp("chapter") / "run.html"
    write_page(CHAPTER.with_suffix(".ipynb"), CHAPTER, file, {})
    return read(file)


@pytest.fixture(params=["own", "chapter"])
def any_page(request):
    return request.getfixturevalue(request.param)


def test_nothing_is_loaded(any_page):
    tags = any_page.find_all(["script", "link", "img", "iframe", "source", "object"])
    addresses = [tag.get(name) for tag in tags for name in ("src", "href", "data") if tag.get(name)]
    assert {urlsplit(address).scheme for address in addresses} == {"data"}
    styles = "".join(style.string for style in any_page.find_all("style"))
    assert "@import" not in styles and set(re.findall(r"url\([\"']?([a-z]+)", styles)) == {"data"}


def test_links_lead_within_the_page_or_to_other_hosts(any_page):
    links = [link["href"] for link in any_page.find_all("a", href=True)]
    assert links and all(link.startswith(("#", "http://", "https://")) for link in links)


def test_nothing_is_raw(any_page):
    text = any_page.article.get_text()
    assert not [mark for mark in ("{glue", "{prf", "{numref", "{doc", "{cite", "{eq", "$$") if mark in text]


def test_equations_are_typeset_by_what_is_inside(any_page):
    assert any(
        "MathJax" in script.get_text() and len(script.get_text()) > 10**6 for script in any_page.find_all("script")
    )


def test_a_page_has_the_look_of_the_book_and_nothing_of_the_site(any_page):
    assert any_page.select(".theme-switch-button") and any_page.select("details summary")
    assert not any_page.select(".search-button, .prev-next-footer, .bd-sidebar-primary, .dropdown-download-buttons")


def test_theorems_figures_and_numbers_of_a_notebook_of_its_own(own):
    article = own.article
    assert article.select_one(".proof.theorem .caption-number").get_text(strip=True).startswith("Theorem")
    assert article.select_one("figure#fig-dot figcaption").get_text().strip().startswith("Fig. 1 A dot.")
    assert "ninety percent of it, see Fig. 1" in article.get_text()


def test_the_parameters_of_a_run_stand_at_the_top(own):
    box = own.select_one("article h1").find_next_sibling()
    assert "d = 4, name = 'x'; the others are the defaults" in box.get_text()


def test_a_page_can_be_told_from_other_files(any_page, tmp_path):
    (tmp_path / "run.html").write_text(str(any_page), encoding="utf-8")
    check_companions(tmp_path / "run.ipynb", overwrite=False)


def test_a_run_at_the_defaults_names_none(chapter):
    assert not chapter.select("article h1 + .admonition")


def words(article):
    for tag in article(["script", "style"]):
        tag.decompose()
    return article.get_text(" ").split()


def test_a_chapter_reads_as_in_the_book(chapter):
    """Every number of a theorem, a figure, an equation or a chapter is that of the site, in text and in references."""
    site = read(ROOT / "_build" / "html" / "notebooks" / f"{CHAPTER.stem}.html")
    assert words(chapter.article) == words(site.article)


def test_pictures_of_earlier_pages_are_removed(tmp_path):
    kept, old = (tmp_path / "jupyter_execute" / name for name in ("blank.png", "old.png"))
    kept.parent.mkdir()
    kept.write_bytes(b"x")
    old.write_bytes(b"x" * 1000)
    module._forget_pictures(tmp_path)
    assert kept.exists() and not old.exists()


def test_without_jupyter_book_there_is_no_page(build, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jupyter_book.config", None)
    nbformat.write(tiny(), tmp_path / "run.ipynb")
    with pytest.raises(NoPage, match=r"jupyter_book isn't installed \(pip install 'a2a\[book\]'\)"):
        write_page(tmp_path / "run.ipynb", tmp_path / "mine.py", tmp_path / "run.html", {})
    assert not (tmp_path / "run.html").exists()


def test_where_sphinx_stops_there_is_no_page(build, tmp_path, monkeypatch):
    stopped = subprocess.CompletedProcess([], 2, "", "Traceback\nExtension error: boom\n")
    monkeypatch.setattr(module.subprocess, "run", lambda *given, **options: stopped)
    nbformat.write(tiny(), tmp_path / "run.ipynb")
    with pytest.raises(NoPage, match="Sphinx stopped: Extension error: boom"):
        write_page(tmp_path / "run.ipynb", tmp_path / "mine.py", tmp_path / "run.html", {})
