"""What the page of conversations is made of: its list, and the scripts with the texts."""

import gzip
import json
from dataclasses import replace

import pytest
from bs4 import BeautifulSoup
from chapters import ROOT
from hostile import HOSTILE, misleading
from shelved import LOOPING, PUT, STUDIES, label, shelved

from a2a.book.conversations import address, render_conversation
from a2a.book.conversations_page import conversations_page, said_by_readers
from a2a.book.conversations_script import study_script
from a2a.printable import excerpt


def page(studies):
    return BeautifulSoup(conversations_page(studies), "html.parser")


def handed(shelved):
    """What a study's script hands to the page."""
    call = study_script(shelved)
    assert call.startswith("a2aConversations({") and call.endswith("});\n")
    return json.loads(call.removeprefix("a2aConversations(").removesuffix(");\n"))


def row(shelved, place=0):
    return handed(shelved)["conversations"][place]


def test_every_conversation_has_its_place_and_links_to_itself():
    items = page(STUDIES).select("li")
    assert [item["id"] for item in items] == ["main/news-01", "main/news-02", "main/news-03", "put_in/question-01"]
    assert all(item.a["href"] == f"#{item['id']}" for item in items)


@pytest.mark.parametrize(
    ("place", "rule", "readers", "words"),
    [
        (0, "loop", "differ", "rule 4–6 · readers 4–5 or no"),
        (1, "none", "none", "readers no"),
        (2, "none", "unlabelled", ""),
    ],
)
def test_an_entry_says_what_the_rule_and_readers_found(place, rule, readers, words):
    item = page(STUDIES).select("li")[place]
    assert (item["data-rule"], item["data-readers"]) == (rule, readers)
    assert item.get_text() == f"news-0{place + 1} {words}".strip()


@pytest.mark.parametrize(
    ("said", "verdict"),
    [([], "unlabelled"), ([(4, 5)], "loop"), ([None], "none"), ([(4, 5), None], "differ"), ([(4, 5), (3, 5)], "loop")],
)
def test_what_readers_say_together(said, verdict):
    assert said_by_readers(label("s", "c", loop) for loop in said) == verdict


def test_what_can_be_chosen():
    soup = page(STUDIES)
    options = {one["name"]: [option["value"] for option in one.select("option")] for one in soup.select("select")}
    assert options["study"] == ["", "main", "put_in"] and options["category"] == ["", "news", "question"]
    assert {item["data-readers"] for item in soup.select("li")} <= set(options["readers"])
    assert {item["data-rule"] for item in soup.select("li")} <= set(options["rule"])


def test_every_control_has_a_label():
    soup = page(STUDIES)
    assert all(control.find_parent("label").get_text() for control in soup.select("select, input"))


def test_without_scripts_the_page_says_what_is_missing_and_where_the_texts_are():
    soup = page(STUDIES)
    assert "JavaScript" in soup.noscript.get_text()
    assert [link["href"] for link in soup.select("details p a")] == ["conversations/main.js", "conversations/put_in.js"]
    assert "conversations/main.jsonl" in soup.details.get_text()
    assert soup.form.has_attr("hidden") and not soup.select("li[hidden]")


def test_a_study_in_parts_names_each_file():
    main = STUDIES[0]
    parts = replace(main, told=replace(main.told, parts=[["news-01"], ["news-02", "news-03"]]))
    text = page([parts]).details.get_text()
    assert "conversations/main.jsonl, conversations/main-2.jsonl." in text


def test_a_script_holds_the_texts_loops_and_labels():
    one = row(STUDIES[0])
    assert one["texts"] == LOOPING
    assert one["loops"] == [[[4, 6]], []]
    assert one["labels"] == [
        {"reader": "first", "loop": [4, 5], "sure": True},
        {"reader": "second", "loop": None, "sure": True},
    ]


def test_distances_have_two_digits_and_none_beside_silence():
    assert row(STUDIES[0])["distances"][0] == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    assert row(STUDIES[0], 1)["distances"][0] == [1.0, 1.0, None, None, 1.0, 1.0]
    third = shelved("s", {"a": ["one two", "one three", "x"]})
    assert row(third)["distances"][0][0] == 0.67


def test_a_script_holds_the_settings():
    found = handed(STUDIES[0])
    assert (found["study"], found["models"]) == ("main", ["A (small)", "B"])
    assert [rule["name"] for rule in found["rules"]] == ["Jaccard, lag 1", "Jaccard, lag 2"]
    assert found["about"].startswith("6 turns")


def test_a_sentence_from_outside_is_told():
    assert row(STUDIES[1])["injected"] == {"4": PUT}


@pytest.fixture(scope="module")
def hostile():
    texts = list(HOSTILE.values())
    names = {f"{number}-{name}": [text or "x", *texts[:3]] for number, (name, text) in enumerate(HOSTILE.items())}
    labels = [label("evil", name, (1, 2), reader=texts[0]) for name in names]
    return shelved("evil", names, labels, models=(texts[0], texts[1]), category=texts[0])


def test_hostile_texts_are_no_markup_in_the_list(hostile):
    soup = page([hostile])
    assert len(soup.select("li")) == len(HOSTILE)
    assert not soup.select("img, h1, td") and len(soup.select("script")) == 1
    assert not misleading(soup.get_text())


def test_a_name_of_hostile_text_stays_one_attribute():
    evil = '"><img src=x onerror=alert(1)>'
    item = page([shelved("s", {evil: ["a", "b"]}, category=evil)]).li
    assert (item["id"], item["data-category"]) == (f"s/{evil}", evil)
    assert item.a["href"].isascii() and "<" not in item.a["href"]


def test_a_script_holds_hostile_texts_made_printable(hostile):
    script = study_script(hostile)
    assert script.isascii() and len(script) < 300_000
    assert [one["texts"][0] for one in json.loads(script[17:-3])["conversations"]] == [
        excerpt(text, 5000) for text in HOSTILE.values()
    ]


def test_the_first_load_is_small_and_from_here():
    """What the page brings besides the theme, with as many conversations as are planned."""
    planned, some = 1600, 100
    texts = {f"question-{number:03}": LOOPING for number in range(some)}
    study = shelved("main", texts, [label("main", name, (4, 5)) for name in texts])
    own = [(ROOT / f"book/_static/a2a-conversations.{kind}").read_bytes() for kind in ("js", "css")]
    page = len(gzip.compress(conversations_page([study]).encode())) * planned // some
    assert page + sum(len(gzip.compress(part)) for part in own) < 60_000
    assert not any(b"http" in part.replace(b"http://www.w3.org/2000/svg", b"") for part in own)


def test_nothing_is_ever_taken_for_markup_by_the_script():
    script = (ROOT / "book/_static/a2a-conversations.js").read_text()
    assert not any(way in script for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("))


def test_a_chapter_links_to_the_address():
    assert address("main", "news-04") == "../book/conversations.html#main/news-04"
    shown = BeautifulSoup(render_conversation(["a", "b"], ["A", "B"], link=address("main", "a b")), "html.parser")
    assert shown.a["href"] == "../book/conversations.html#main/a%20b"
    assert not BeautifulSoup(render_conversation(["a", "b"], ["A", "B"]), "html.parser").a
