from html.parser import HTMLParser

from a2a.book.conversations import render_conversation, visible

HOSTILE = [
    '<script>alert("x")</script><img src=x onerror=alert(1)>',
    "</div></div><h1>out of the frame</h1>",
    "\x00\x1b[31m\x07 bell \u202e backwards \u2028 \ufeff",
    "\ud800 half a pair",
    "x" * 100_000,
    "$\\alpha$ \\(x\\) &amp; 'quotes\" <!-- comment",
]


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
    page = Elements(render_conversation(HOSTILE, ["<b>A</b>", "B"], title="<i>title</i>"))
    assert page.found == {"div", "p", "strong", "small", "class", "style", "dir"}
    assert page.open == []
    assert HOSTILE[0] in page.text
    assert HOSTILE[1] in page.text
    assert HOSTILE[5] in page.text


def test_the_page_can_be_written_to_a_file(tmp_path):
    (tmp_path / "page.html").write_text(render_conversation(HOSTILE, ["A", "B"]), encoding="utf-8")


def test_formulas_are_left_alone():
    assert "mathjax_ignore" in render_conversation(HOSTILE, ["A", "B"])


def test_long_texts_are_cut_and_counted():
    page = Elements(render_conversation(HOSTILE, ["A", "B"], limit=500))
    assert "[…99,500 more characters]" in page.text
    assert len(page.text) < 2000


def test_what_is_not_printed_becomes_visible():
    assert visible("a\x00b\u202ec\nd\te\ud800") == "a\\u0000b\\u202ec\nd\te\\ud800"


def test_turns_have_their_writer_and_a_loop_is_set_apart():
    page = render_conversation(["seed", "one", "", "two"], ["A", "B"], marked=[3])
    assert Elements(page).text == "seedseed1 · Aone2 · B(empty)3 · Atwo"
    assert page.count("border-left") == 1


def test_a_folded_conversation_is_as_harmless():
    page = Elements(render_conversation(HOSTILE, ["A", "B"], title="<i>title</i>", folded=True))
    assert page.found == {"details", "summary", "div", "strong", "small", "class", "style", "dir"}
    assert page.open == []
    assert page.text.startswith("<i>title</i>")
