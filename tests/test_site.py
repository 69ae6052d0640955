"""The built site: it is there, it is whole, and a reader who can't see the pictures is told what they show."""

import gzip
import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from chapters import CHAPTERS, ROOT, stem_of

SITE = ROOT / "_build" / "html"


def pages_of_the_toc():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


@cache
def page(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def article(name):
    return page(SITE / f"{name}.html").find("article")


@pytest.fixture(params=pages_of_the_toc())
def name(request):
    return request.param


def test_the_site_is_built():
    assert (SITE / "index.html").stat().st_size > 0


def test_every_page_of_the_toc_has_a_title(name):
    assert article(name).find("h1").get_text(strip=True)


def test_every_internal_link_resolves(name):
    here = SITE / f"{name}.html"
    broken = []
    for link in page(here).find_all("a", href=True):
        address = urlsplit(link["href"])
        if address.scheme or link["href"] in ("#", ""):
            continue
        target = (here.parent / unquote(address.path)).resolve() if address.path else here
        if not target.exists() or (address.fragment and not page(target).find(id=unquote(address.fragment))):
            broken.append(link["href"])
    assert not broken


def test_every_picture_exists_and_has_alt_text(name):
    here = SITE / f"{name}.html"
    for picture in article(name).find_all("img"):
        assert (here.parent / unquote(picture["src"])).exists()
        assert len(picture.get("alt", "").split()) >= 5, f"{picture['src']} needs alt text"


def test_chapters_show_figures_with_captions():
    for chapter in CHAPTERS:
        figures = article(f"notebooks/{chapter}").find_all("figure")
        assert figures
        assert all(figure.find("figcaption") for figure in figures)


def test_nothing_is_loaded_from_another_host(name):
    """The book is read where there is no network, and nobody is told who reads it."""
    loaded = page(SITE / f"{name}.html").find_all(["script", "link", "img", "iframe"])
    addresses = [tag.get("src") or (tag.get("href") if tag.name == "link" else None) for tag in loaded]
    assert not [address for address in addresses if address and urlsplit(address).netloc]


def test_chapters_can_be_downloaded_as_notebooks():
    for chapter in CHAPTERS:
        here = SITE / "notebooks" / f"{chapter}.html"
        downloads = [link["href"] for link in page(here).find_all("a", href=True) if link["href"].endswith(".ipynb")]
        assert downloads
        assert (here.parent / downloads[0]).resolve().is_file()


def claims():
    return json.loads((SITE / "claims.json").read_text())["claims"]


def test_every_claim_of_the_book_is_on_its_page_with_its_verdict():
    stated = yaml.safe_load((ROOT / "book" / "claims.yml").read_text())
    shown = {
        line.find("strong").get_text(): line.find(class_="a2a-verdict").get_text()
        for line in article("book/claims").select("details.a2a-claim > summary")
    }
    assert list(shown) == list(stated) == [claim["id"] for claim in claims()]
    assert all(shown[claim["id"]].endswith(claim["verdict"]) for claim in claims())


def test_every_claim_is_checked_and_every_assumption_of_the_theory_holds():
    assert all(claim["checks"] for claim in claims())
    theory = [claim for claim in claims() if claim["id"].startswith("A") and claim["id"] != "A11"]
    assert {claim["verdict"] for claim in theory} <= {"supported", "contradicted"}
    assert all(one["holds"] for claim in theory for check in claim["checks"] for one in check["assumptions"])


@pytest.mark.parametrize("former", yaml.safe_load((ROOT / "_config.yml").read_text())["sphinx"]["config"]["redirects"])
def test_a_former_address_leads_to_the_chapter_of_that_name(former):
    target = page(SITE / f"{former}.html").find("meta", attrs={"http-equiv": "refresh"})["content"].partition("url=")[2]
    assert (SITE / former).parent.joinpath(target).exists() and Path(target).stem == stem_of(former.partition("_")[2])


def test_every_variant_has_a_page_that_the_status_links():
    variants = [f"{name}--{variant}" for name, chapter in CHAPTERS.items() for variant in chapter.get("variants", ())]
    links = {link["href"] for link in article("book/status").find_all("a", href=True)}
    assert variants and {f"../variants/{name}.html" for name in variants} <= links


def test_no_cell_of_a_chapter_failed(name):
    assert not article(name).select(".output.traceback, .stderr")


def test_every_recorded_conversation_is_on_its_page_and_its_texts_are_beside_it():
    recordings = sorted((ROOT / "conversations").glob("*.jsonl"))
    studies = {file: re.sub(r"-\d+$", "", file.stem) for file in recordings}
    shown = {f"{study}/{name}" for file, study in studies.items() for name in names_in(file)}
    listed = {item["id"] for item in article("book/conversations").select(".a2a-shelf li")}
    assert shown and listed == shown
    scripts = {file.stem for file in (SITE / "book" / "conversations").glob("*.js")}
    assert scripts == set(studies.values())


def names_in(recording):
    """The conversations of a file, which its first line names."""
    with recording.open() as lines:
        return [seed["id"] for seed in json.loads(next(lines))["seeds"]]


def test_the_page_of_conversations_is_light():
    page = (SITE / "book/conversations.html").read_bytes()
    own = [(SITE / f"_static/a2a-conversations.{kind}").read_bytes() for kind in ("js", "css")]
    assert sum(len(gzip.compress(part)) for part in [page, *own]) < 150_000


def test_the_dialogue_chapter_links_each_conversation_that_it_shows():
    links = [link["href"] for link in article(f"notebooks/{stem_of('dialogue')}").select(".a2a-conversation a")]
    assert len(links) >= 3 and all("book/conversations.html#main/" in link for link in links)
