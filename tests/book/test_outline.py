import base64

import nbformat
import pytest

from a2a.book.outline import BLANK, lay_out, outline, write_if_new

CHAPTER = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A chapter
#
# ```{glue:figure} the-headline
# :name: fig-headline
# ```

# %% mystnb={"figure": {"name": "fig-two"}} tags=["hide-input"]
print("a figure")

# %%
print("text")
"""
DOCUMENTS = ["book/index", "notebooks/01_one", "notebooks/02_two", "notebooks/aside"]


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    for name in ("notebooks/01_one.py", "notebooks/02_two.py"):
        write_if_new(root / name, CHAPTER.encode())
    write_if_new(root / "notebooks" / "01_one.ipynb", b"the edition's own run")
    write_if_new(root / "notebooks" / "aside.md", b"# Aside")
    write_if_new(
        root / "book" / "index.md", b"```{include} ../_build/generated/a.html\n```\n![](../_build/generated/b.png)"
    )
    return root


def laid_out(root, tree, chapter="notebooks/02_two"):
    executed = root.parent / "run.ipynb"
    executed.write_text("executed")
    lay_out(root, DOCUMENTS, tree, chapter, executed)
    return tree


def test_an_outline_is_the_text_with_a_blank_picture_for_each_figure(root):
    content = outline(root / "notebooks" / "01_one.py")
    nbformat.validate(content)
    text, figure, other, glued = content.cells
    assert text.source.startswith("# A chapter") and figure.source == other.source == "" and not other.outputs
    assert figure.outputs[0].data["image/png"] == BLANK and figure.metadata.mystnb.figure.name == "fig-two"
    assert glued.outputs[0].metadata.scrapbook.name == "the-headline"


def test_the_chapter_is_the_run_and_the_others_are_outlines(root, tmp_path):
    tree = laid_out(root, tmp_path / "tree")
    assert (tree / "notebooks" / "02_two.ipynb").read_text() == "executed"
    assert len(nbformat.read(tree / "notebooks" / "01_one.ipynb", as_version=4).cells) == 4


def test_pages_are_linked_and_what_a_build_makes_is_blank(root, tmp_path):
    tree = laid_out(root, tmp_path / "tree")
    assert (tree / "book").readlink() == root / "book"
    assert (tree / "notebooks" / "aside.md").readlink() == root / "notebooks" / "aside.md"
    assert (tree / "_build" / "generated" / "a.html").read_bytes() == b""
    assert (tree / "_build" / "generated" / "b.png").read_bytes() == base64.b64decode(BLANK)


def test_what_a_build_made_is_used(root, tmp_path):
    write_if_new(root / "_build" / "generated" / "a.html", b"made")
    tree = laid_out(root, tmp_path / "tree")
    assert (tree / "_build" / "generated" / "a.html").read_bytes() == b"made"


def test_what_stays_is_not_written_again(root, tmp_path):
    tree = laid_out(root, tmp_path / "tree")
    file = tree / "notebooks" / "01_one.ipynb"
    before = file.stat().st_mtime_ns
    assert laid_out(root, tree) and file.stat().st_mtime_ns == before
    (root / "notebooks" / "01_one.py").write_text(CHAPTER.replace("A chapter", "Another"))
    laid_out(root, tree)
    assert "Another" in file.read_text()


def test_a_notebook_of_its_own_stands_alone(root, tmp_path):
    tree = laid_out(root, tmp_path / "tree", "mine")
    assert (tree / "mine.ipynb").read_text() == "executed" and (tree / "book").is_symlink()
    assert not list((tree / "notebooks").glob("*.ipynb"))


def test_nothing_is_written_into_the_book(root, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "notebooks").symlink_to(root / "notebooks")
    laid_out(root, tree)
    assert (root / "notebooks" / "01_one.ipynb").read_text() == "the edition's own run"
    assert not (root / "notebooks" / "02_two.ipynb").exists() and not (tree / "notebooks").is_symlink()
