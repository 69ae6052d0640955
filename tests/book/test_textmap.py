from html.parser import HTMLParser

import numpy as np
import pytest
from hostile import HOSTILE

from a2a.book.textmap import HEIGHT, WIDTH, text_map


class Picture(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.circles, self.titles, self.open = set(), set(), [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}
        if tag == "circle":
            self.circles.append(dict(attributes))
        if tag == "title":
            self.titles.append("")
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attributes):
        assert tag == "polyline"

    def handle_data(self, data):
        if self.open[-1] == "title":
            self.titles[-1] += data


def test_every_text_is_a_point_with_its_text(rng):
    texts = {"one": ["seed", "first\n\noutput", ""], "two": ["other", "x" * 300, "end"]}
    picture = Picture(text_map(rng.normal(size=(2, 3, 2)), texts, label="what it shows", caption="below"))
    assert picture.titles == [
        "one, seed: seed",
        "one, turn 1: first output",
        "one, turn 2: (empty)",
        "two, seed: other",
        f"two, turn 1: {'x' * 240} […60 more characters]",
        "two, turn 2: end",
    ]
    assert picture.open == []


def test_points_lie_inside_and_keep_their_order():
    points = np.array([[[-5.0, 0.0], [0.0, 3.0], [10.0, 1.0]]])
    picture = Picture(text_map(points, {"one": ["a", "b", "c"]}, label=""))
    x = [float(circle["cx"]) for circle in picture.circles]
    y = [float(circle["cy"]) for circle in picture.circles]
    assert 0 < x[0] < x[1] < x[2] < WIDTH
    assert 0 < y[0] < y[2] < y[1] < HEIGHT
    assert x[1] - x[0] == pytest.approx((x[2] - x[0]) / 3, abs=0.1)


def test_hostile_text_stays_text():
    points = np.zeros((1, len(HOSTILE), 2))  # all in one place
    picture = Picture(text_map(points, {'"><script>': list(HOSTILE.values())}, label='"><script>', caption="<b>"))
    assert picture.tags == {"figure", "style", "svg", "g", "circle", "title", "figcaption"}
    assert picture.attributes == {"class", "viewbox", "role", "aria-label", "cx", "cy", "r", "fill"}
    assert HOSTILE["markup"] in picture.titles[0]
    assert "\\u{202e}" in "".join(picture.titles) and len("".join(picture.titles)) < 10_000


def test_nothing_is_loaded_from_elsewhere(rng):
    page = text_map(rng.normal(size=(1, 2, 2)), {"one": ["a", "b"]}, label="")
    assert "http" not in page and "url(" not in page and "<script" not in page
