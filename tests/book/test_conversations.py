from html.parser import HTMLParser

from hostile import HOSTILE

from a2a.book.conversations import render_conversation, safe
from a2a.printable import printable

TEXTS = list(HOSTILE.values())


class Elements(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.open, self.text = set(), [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found |= {tag, *(name for name, _ in attributes)}
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_comment(self, data):
        raise AssertionError("a comment in the text became one in the page")

    def handle_data(self, data):
        self.text += data


def test_hostile_text_stays_text():
    page = Elements(render_conversation(TEXTS, ["<b>A</b>", "B"], title="<i>title</i>"))
    assert page.found == {"div", "p", "strong", "small", "class", "style", "dir"}
    assert page.open == []
    assert all(printable(text) in page.text for text in TEXTS if len(printable(text)) < 2000)


def test_the_page_can_be_written_to_a_file(tmp_path):
    (tmp_path / "page.html").write_text(render_conversation(TEXTS, ["A", "B"]), encoding="utf-8")


def test_formulas_are_left_alone():
    assert "mathjax_ignore" in render_conversation(TEXTS, ["A", "B"])


def test_long_texts_are_cut_and_counted():
    page = Elements(render_conversation(TEXTS, ["A", "B"], limit=500))
    assert "[…999,500 more characters]" in page.text
    assert len(page.text) < 10_000


def test_a_title_and_a_name_stay_on_one_line_and_short():
    page = Elements(render_conversation(["a"], ["A", "B"], title="one\ntwo" + "x" * 1_000_000))
    assert page.text.startswith("one\\u{a}twoxxx") and len(page.text) < 1000
    assert safe('"a"\n<b>') == "&quot;a&quot;\\u{a}&lt;b&gt;"


def test_turns_have_their_writer_and_a_loop_is_set_apart():
    page = render_conversation(["seed", "one", "", "two"], ["A", "B"], marked=[3])
    assert Elements(page).text == "seedseed1 · Aone2 · B(empty)3 · Atwo"
    assert page.count("border-left") == 1


def test_a_folded_conversation_is_as_harmless():
    page = Elements(render_conversation(TEXTS, ["A", "B"], title="<i>title</i>", folded=True))
    assert page.found == {"details", "summary", "div", "strong", "small", "class", "style", "dir"}
    assert page.open == []
    assert page.text.startswith("<i>title</i>")
