"""The page of conversations in a real browser: by address, by keyboard, on a phone, and with hostile texts."""

import shutil

import chromium
import pytest
from chapters import ROOT
from hostile import HOSTILE
from shelved import PUT, STUDIES, label, shelved

from a2a.book.conversations_page import conversations_page
from a2a.book.conversations_script import study_script
from a2a.printable import excerpt

pytestmark = pytest.mark.skipif(chromium.DRIVER is None, reason="needs chromium and its driver")

EVIL = shelved(
    "evil",
    {"__proto__": [text or "x" for text in HOSTILE.values()], "a%b ü": ["seed", *map(str, range(1, len(HOSTILE)))]},
    [label("evil", "__proto__", (2, 9), reader=HOSTILE["markup"])],
    models=(HOSTILE["markup"], HOSTILE["out of its frame"]),
)
SKELETON = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>All</title>
<meta name="viewport" content="width=device-width"></head><body><article><h1>All</h1>{}</article></body></html>"""
ENTRIES = "[...document.querySelectorAll('.a2a-shelf li')].filter(one => !one.hidden).map(one => one.id)"
CHOOSE = """const one = document.querySelector(arguments[0]); one.value = arguments[1];
one.dispatchEvent(new Event("input", {bubbles: true}))"""
SAID = "return document.querySelector('.a2a-find output').textContent"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The page as a folder of files, which no server serves."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "book/_static", folder / "_static")
    (folder / "book/conversations").mkdir(parents=True)
    studies = [*STUDIES, EVIL]
    (folder / "book/conversations.html").write_text(SKELETON.format(conversations_page(studies)))
    for one in studies:
        (folder / f"book/conversations/{one.name}.js").write_text(study_script(one))
    return folder


@pytest.fixture(scope="module")
def window():
    with chromium.chromium() as opened:
        yield opened


@pytest.fixture
def browser(window, site):
    """A window whose page raised no error, and that a test left as it found it."""
    window.size(1280, 900)
    window.address = (site / "book/conversations.html").as_uri()
    yield window
    assert window.errors() == []


def read(browser, id):
    """Open the page at a conversation's address."""
    browser.open(f"{browser.address}#{id}")
    return browser.wait("return document.querySelector('.a2a-told h2')?.textContent")


def choose(browser, control, value, said):
    """Choose something, and wait until the page says how many conversations there are."""
    browser.run(CHOOSE, control, value)
    browser.wait(f"{SAID}.startsWith(arguments[0])", said)
    return browser.run(f"return {ENTRIES}")


def texts(browser):
    return browser.run("return [...document.querySelectorAll('.a2a-text')].map(one => one.textContent)")


def test_an_address_shows_its_conversation(browser):
    assert read(browser, "main/news-01") == "main/news-01"
    assert texts(browser)[:3] == ["a seed", "one two", "three four"]
    assert browser.run("return document.activeElement.textContent") == "main/news-01"
    assert browser.run("return document.querySelector('[aria-current]').closest('li').id") == "main/news-01"


def test_a_page_without_an_address_shows_the_list_alone(browser):
    browser.open(browser.address)
    assert browser.wait(SAID) == "6 of 6 conversations"
    assert browser.run("return document.querySelector('.a2a-told').hidden")


@pytest.mark.parametrize("id", ["main/none", "main/%E0%A4%A", "..%2F..%2Fother/news-01"])
def test_an_address_of_no_conversation_is_told_and_loads_nothing(browser, id):
    browser.open(f"{browser.address}#{id}")
    assert "no conversation" in browser.wait("return document.querySelector('[role=alert]')?.textContent")
    assert browser.run("return document.querySelectorAll('head script').length") == 0


def test_loops_are_marked_in_words_too(browser):
    read(browser, "main/news-01")
    rows = "return [...document.querySelectorAll('.a2a-told ol > li')]"
    judged = f"{rows}.map(one => one.querySelector('.a2a-judges')?.textContent)"
    both = " · in a loop by the rule, reader “first”"
    assert browser.run(judged) == [None] * 4 + [both, both, " · in a loop by the rule"]
    assert browser.run(f"{rows}.map(one => one.className)") == [""] * 4 + ["a2a-by-rule a2a-by-reader"] * 2 + [
        "a2a-by-rule"
    ]


def test_strips_say_what_they_show(browser):
    read(browser, "main/news-01")
    said = browser.run("return [...document.querySelectorAll('svg')].map(one => one.getAttribute('aria-label'))")
    assert said == [
        "Jaccard, lag 1: in a loop at turns 4 to 6; threshold 0.50",
        "Jaccard, lag 2: no loop; threshold 0.50",
        "Reader “first”: a loop at turns 4 to 5",
        "Reader “second”: no loop",
    ]
    assert browser.run("return document.querySelectorAll('svg')[0].querySelectorAll('.a2a-held').length") == 3


def test_distances_stand_in_a_table(browser):
    read(browser, "main/news-02")
    rows = browser.run(
        "return [...document.querySelectorAll('tbody tr')].map(one => [...one.children].map(c => c.textContent))"
    )
    assert rows[1:4] == [["2", "1.00", "1.00"], ["3", "–", "–"], ["4", "–", "1.00"]]


def test_an_empty_output_and_a_sentence_from_outside_are_told(browser):
    read(browser, "put_in/question-01")
    assert texts(browser)[3] == "(empty)"
    assert browser.run("return document.querySelector('.a2a-put').textContent").endswith(PUT)


@pytest.mark.parametrize(
    ("control", "value", "left"),
    [
        ("select[name=study]", "put_in", ["put_in/question-01"]),
        ("select[name=category]", "question", ["put_in/question-01"]),
        ("select[name=rule]", "loop", ["main/news-01"]),
        ("select[name=readers]", "none", ["main/news-02"]),
        ("select[name=readers]", "differ", ["main/news-01"]),
        ("input", "WHITE", ["main/news-03"]),
    ],
)
def test_what_is_asked_for_is_left(browser, control, value, left):
    browser.open(browser.address)
    assert choose(browser, control, value, "1 of") == left
    assert browser.run(
        "return [...document.querySelectorAll('.a2a-shelf details')].map(one => one.open && !one.hidden)"
    ) == [any(id.startswith(f"{name}/") for id in left) for name in ("main", "put_in", "evil")]


def test_a_text_is_sought_as_it_stands_and_marked_where_it_is(browser):
    read(browser, "main/news-03")
    assert choose(browser, "input", "W.*E", "0 of") == []
    assert choose(browser, "input", "whit", "1 of") == ["main/news-03"]
    assert browser.wait("return document.querySelector('mark')?.textContent") == "whit"


def test_it_goes_on_to_the_next_of_those_that_are_left(browser):
    read(browser, "main/news-01")
    choose(browser, "select[name=readers]", "unlabelled", "3 of")
    follow = "return document.querySelector('.a2a-told a[rel=next]').textContent"
    assert browser.wait(follow) == "Next: main/news-03"


def test_it_is_read_by_keyboard_alone(browser):
    """Tab leads from the heading to the next conversation, and Enter to its heading."""
    read(browser, "main/news-01")
    browser.press("Tab", "Enter")
    assert browser.wait("return document.activeElement.textContent === 'main/news-02'")
    browser.press("Tab", "Tab", "Enter")
    assert browser.wait("return document.activeElement.textContent === 'main/news-03'")
    browser.press("Tab", "Enter")
    assert browser.wait("return document.activeElement.textContent === 'main/news-02'")


def test_everything_that_is_used_has_a_name(browser):
    read(browser, "main/news-01")
    browser.run("for (const one of document.querySelectorAll('details')) one.open = true")
    kinds = "article :is(a, select, input, summary, section, nav, svg, form)"
    used = browser.ask("elements", using="css selector", value=kinds)
    names = [browser.ask(f"element/{next(iter(one.values()))}/computedlabel", "GET") for one in used]
    unnamed = [
        browser.run("return arguments[0].outerHTML", one) for one, name in zip(used, names, strict=True) if not name
    ]
    assert len(used) > 20 and not unnamed


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_contrast(browser, theme):
    """Of 4.5 at least to what lies behind, as the guidelines for accessible pages have it."""
    read(browser, "main/news-01")
    back = "#ffffff" if theme == "light" else "#121212"
    browser.run("document.documentElement.dataset.theme = arguments[0]", theme)
    names = ("--a2a-rule", "--a2a-read", "--a2a-line")
    colours = browser.run(
        "return arguments[0].map(one => getComputedStyle(document.documentElement).getPropertyValue(one).trim())", names
    )
    assert all(contrast(colour, back) >= 4.5 for colour in colours)


def contrast(one, other):
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("id", ["main/news-01", "evil/__proto__"])
def test_it_fits_a_phone(browser, id):
    browser.size(390, 844)
    read(browser, id)
    assert browser.run("return document.documentElement.scrollWidth") <= 390


def test_hostile_texts_stay_texts(browser):
    read(browser, "evil/__proto__")
    assert texts(browser) == [excerpt(text, 5000) for text in HOSTILE.values()]
    inside = "return [...new Set([...document.querySelectorAll('.a2a-told *')].map(one => one.localName))]"
    assert not {"img", "script", "h1", "iframe"} & set(browser.run(inside))


def test_a_name_with_signs_has_an_address(browser):
    assert read(browser, "evil/a%25b%20%C3%BC") == "evil/a%b ü"


def test_texts_that_are_gone_are_told(browser, site):
    file = site / "book/conversations/put_in.js"
    moved = file.rename(file.with_suffix(".gone"))
    browser.open(f"{browser.address}#put_in/question-01")
    assert "can't be loaded" in browser.wait("return document.querySelector('[role=alert]')?.textContent")
    browser.run(CHOOSE, "input", "whale")
    browser.wait(f"{SAID}.includes(arguments[0])", "can't be loaded")
    moved.rename(file)
    assert browser.errors()  # the browser's own, about the file
