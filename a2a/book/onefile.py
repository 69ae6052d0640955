"""A page that Sphinx wrote, as one file: what it loads stands inside, and what only a site has is gone."""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

SITE_ONLY = (
    "dialog#pst-search-dialog, #searchbox, .search-button, .search-button-field, #pst-header > *, .primary-toggle,"
    "#pst-primary-sidebar, #pst-primary-sidebar-modal, .prev-next-footer, .pst-async-banner-revealer,"
    ".dropdown-download-buttons, .btn-fullscreen-button, .dropdown-launch-buttons, noscript,"
    'link[rel="preload"], link[rel="search"], link[rel="index"], link[rel="next"], link[rel="prev"]'
)
"""What a page shows that leads to other pages, and what a browser loads for it."""

SITE_SCRIPTS = re.compile(r"searchtools|language_data|searchindex|sphinx_highlight|thebe|fontawesome")
"""Scripts of the search, and of kernels; and icons, which the theme's style sheet draws from a font as well."""

UNUSED_FONT = re.compile(r"\.ttf$|fa-brands")
REFERENCE = re.compile(r"""url\((["']?)(?!data:)([^"')]+)\1\)""")
IMPORT = re.compile(r"""@import\s+(?:url\()?["']([^"']+)["']\)?;""")


def one_file(page: Path, find: Callable[[Path], Path]) -> BeautifulSoup:
    """The page with its styles, scripts, fonts and pictures inside.

    Links to other pages become text; those within the page and to other hosts stay.

    Args:
        page: as Sphinx wrote it, beside what it loads.
        find: where a file is that the page names, if it isn't there.
    """
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    for tag in soup.select(SITE_ONLY):
        tag.decompose()
    for header in soup.select("#pst-header"):
        header["style"] = "display: none !important"  # the theme's script measures it
    for link in soup.find_all("a", href=True):
        _keep_within(link, page.name)
    for picture in soup.select('img[src], link[rel="icon"]'):
        _embed_picture(picture, page)
    for sheet in soup.select('link[rel="stylesheet"]'):
        sheet.replace_with(_tag(soup, "style", _styles(_local(str(sheet["href"]), page))))
    for script in soup.select("script[src]"):
        _embed_script(soup, script, page, find)
    return soup


def _tag(soup: BeautifulSoup, name: str, text: str) -> Tag:
    tag = soup.new_tag(name)
    tag.string = text
    return tag


def _local(address: str, page: Path) -> Path:
    """The file that a relative address on a page names."""
    return page.parent / unquote(urlsplit(address).path)


def _keep_within(link: Tag, page: str) -> None:
    address = urlsplit(str(link["href"]))
    if address.scheme or not address.path:
        return
    if address.path == page and address.fragment:
        link["href"] = f"#{address.fragment}"
        return
    link.name = "span"
    link.attrs = {key: value for key, value in link.attrs.items() if key == "title"}  # of a citation: what is cited


def _embed_picture(picture: Tag, page: Path) -> None:
    key = "src" if picture.name == "img" else "href"
    address = str(picture[key])
    if not urlsplit(address).scheme:
        picture[key] = _data(_local(address, page))


def _embed_script(soup: BeautifulSoup, script: Tag, page: Path, find: Callable[[Path], Path]) -> None:
    """Put the script in its place, or at the end of the page if it was to wait for that."""
    address = str(script["src"])
    if urlsplit(address).netloc or SITE_SCRIPTS.search(address):
        script.decompose()
        return
    file = _local(address, page)
    source = (file if file.is_file() else find(file)).read_text(encoding="utf-8")
    source = source.replace("</script", r"<\/script").replace("<!--", r"<\!--")  # either would end the script here
    inside = _tag(soup, "script", source)
    if script.has_attr("defer") and soup.body:
        script.decompose()
        soup.body.append(inside)
    else:
        script.replace_with(inside)


def _styles(sheet: Path) -> str:
    text = sheet.read_text(encoding="utf-8")
    text = IMPORT.sub(lambda found: _styles(sheet.parent / found[1]), text)
    return REFERENCE.sub(lambda found: f'url("{_reference(sheet.parent / urlsplit(found[2]).path)}")', text)


def _reference(file: Path) -> str:
    return "data:," if UNUSED_FONT.search(file.name) or not file.is_file() else _data(file)


def _data(file: Path) -> str:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
