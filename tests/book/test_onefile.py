"""A page of its own, in a small site of a style sheet, two scripts, a font and a picture."""

import base64

import pytest

from a2a.book.onefile import one_file

PAGE = """\
<html><head>
<link rel="stylesheet" href="../_static/look.css?v=1">
<link rel="icon" href="../_static/dot.svg">
<link rel="next" href="03.html">
<script src="../_static/early.js"></script>
<script defer src="../_static/maths/late.js"></script>
<script src="../_static/searchtools.js"></script>
<script src="https://elsewhere.org/x.js"></script>
</head><body>
<header id="pst-header"><a href="../index.html">the book</a></header>
<dialog id="pst-search-dialog">search</dialog>
<p><a href="#here">here</a> <a href="02.html#there">there</a> <a href="https://doi.org/1">paper</a>
<a href="../book/references.html#id2" title="A. Author. A title." class="reference">Author, 2025</a>
<a href="03.html">next chapter</a></p>
<a href="../_images/dot.svg"><img src="../_static/dot.svg" alt="a dot"></a>
</body></html>
"""
DOT = b"<svg/>"


@pytest.fixture
def soup(tmp_path):
    static = tmp_path / "html" / "_static"
    static.mkdir(parents=True)
    (tmp_path / "html" / "notebooks").mkdir()
    (static / "look.css").write_text('@import "base.css";\np { background: url(dot.svg?x) }')
    fonts = "url(solid.woff2) format('woff2'), url(solid.ttf)"
    (static / "base.css").write_text(f"@font-face {{ src: {fonts} }}\na {{ background: url('data:image/png,') }}")
    (static / "dot.svg").write_bytes(DOT)
    (static / "solid.woff2").write_bytes(b"font")
    (static / "solid.ttf").write_bytes(b"font, again")
    (static / "early.js").write_text("early = '</script><!-- x'")
    (tmp_path / "late.js").write_text("late = 1")
    (static / "searchtools.js").write_text("search = 1")
    page = tmp_path / "html" / "notebooks" / "02.html"
    page.write_text(PAGE)
    return one_file(page, lambda file: tmp_path / file.name)


def embedded(kind, content):
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def test_styles_stand_inside_with_what_they_load(soup):
    (style,) = (tag.string for tag in soup.find_all("style"))
    assert f'url("{embedded("font/woff2", b"font")}")' in style
    assert f'background: url("{embedded("image/svg+xml", DOT)}")' in style
    assert 'url("data:,")' in style  # the other format of the same font
    assert "url('data:image/png,')" in style and "@import" not in style
    assert not soup.find_all("link", rel="stylesheet")


def test_scripts_stand_inside_and_a_deferred_one_at_the_end(soup):
    early, late = soup.find_all("script")
    assert early.string == r"early = '<\/script><\!-- x'" and early.parent.name == "head"
    assert late.string == "late = 1" and late.parent.name == "body"
    assert not soup.find_all("script", src=True)


def test_pictures_stand_inside(soup):
    assert soup.img["src"] == soup.select_one('link[rel="icon"]')["href"] == embedded("image/svg+xml", DOT)


def test_links_lead_within_the_page_or_to_other_hosts(soup):
    assert [link["href"] for link in soup.find_all("a")] == ["#here", "#there", "https://doi.org/1"]


def test_a_link_to_another_page_is_its_text(soup):
    assert [span.get_text() for span in soup.p.find_all("span")] == ["Author, 2025", "next chapter"]
    assert soup.p.span.attrs == {"title": "A. Author. A title."}


def test_what_only_a_site_has_is_gone(soup):
    assert not soup.select('dialog, link[rel="next"], header a') and soup.select_one("#pst-header")["style"]
