"""Where a run may be written: over runs of its own notebook, and over nothing else."""

import os
import subprocess

import nbformat
import pytest
from nbformat.v4 import new_notebook
from small_notebook import NOTEBOOK

from a2a.book.output import check_companions, check_output, write_whole


def run_of(stem, **parameters):
    made = {"a2a": {"parameters": parameters}, "papermill": {"input_path": f"/tmp/{stem}.ipynb"}}
    return new_notebook(metadata=made)


@pytest.fixture
def book(tmp_path):
    """A book with two chapters, one of them run, a README and a reference that git keeps."""
    for folder in ("notebooks", "tests/reference", "_build/variants", "_build/running", "runs"):
        (tmp_path / folder).mkdir(parents=True)
    for stem in ("02_small", "03_other"):
        (tmp_path / "notebooks" / f"{stem}.py").write_text(NOTEBOOK)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: notebooks/02_small\n")
    (tmp_path / "README.md").write_text('Use `a2a run`, "claims", content="a2a run".\n')
    (tmp_path / "tests/reference/02_small.ipynb").write_text("{}")
    nbformat.write(run_of("02_small"), tmp_path / "runs" / "02_small.ipynb")
    for command in (["init", "-q"], ["add", "README.md", "tests"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def check(book, output, **options):
    return check_output(book / output, book / "notebooks" / "02_small.py", **{"standard": False} | options)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("notebooks/02_small.py", "must be an .ipynb file"),
        ("x.IPYNB", "must be an .ipynb file"),
        ("folder.ipynb", "must be an .ipynb file"),
        ("to_source.ipynb", "must be an .ipynb file"),
        ("to_readme.ipynb", "must be an .ipynb file"),
        ("notebooks/02_small.ipynb", "is the book's own run of 02_small.py"),
        ("notebooks/03_other.ipynb", "is the book's own run of 03_other.py"),
        ("runs/../notebooks/03_other.ipynb", "is the book's own run of 03_other.py"),
        ("to_chapter.ipynb", "is the book's own run of 03_other.py"),
        ("linked/03_other.ipynb", "is the book's own run of 03_other.py"),
        ("_build/variants/02_small--loud.ipynb", "is where the book is built"),
        ("_build/html/_sources/02_small.ipynb", "is where the book is built"),
        ("tests/reference/02_small.ipynb", "isn't a run of 02_small"),
    ],
)
def test_what_is_not_written_over_even_by_force(book, output, message, overwrite):
    (book / "folder.ipynb").mkdir()
    links = {"to_source.ipynb": "notebooks/02_small.py", "to_readme.ipynb": "README.md", "linked": "notebooks"}
    for name, target in {**links, "to_chapter.ipynb": "notebooks/03_other.ipynb"}.items():
        (book / name).symlink_to(target)
    with pytest.raises(ValueError, match=message):
        check(book, output, overwrite=overwrite)


@pytest.mark.parametrize(
    "output",
    ["runs/new.ipynb", "runs/02_small.ipynb", "_build/running/02_small.ipynb", "_build/running/reference/x.ipynb"],
)
def test_where_runs_go(book, output):
    assert check(book, output) == book / output


def test_the_chapters_own_run_goes_to_its_place(book):
    assert check(book, "notebooks/02_small.ipynb", standard=True)


def test_a_link_to_a_run_stands_for_it(book):
    (book / "latest.ipynb").symlink_to("runs/02_small.ipynb")
    assert check(book, "latest.ipynb") == book / "runs" / "02_small.ipynb"


def test_a_build_folder_of_no_book_is_a_folder(book):
    assert check(book, "elsewhere/_build/run.ipynb")


@pytest.mark.parametrize("place", ["README.md/run.ipynb", "x" * 300 + ".ipynb", "README.md/more/run.ipynb"])
def test_a_place_that_cannot_be_is_found_out_before_the_run(book, place):
    with pytest.raises(OSError, match=r"README|too long"):
        check(book, place)


def test_a_full_or_read_only_place_is_found_out_before_the_run(book, monkeypatch):
    def full(**given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("a2a.book.output.tempfile.TemporaryFile", full)
    with pytest.raises(OSError, match="No space left"):
        check(book, "runs/new.ipynb")


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["run.claims.json", "run.html"])
def test_companions_are_not_written_over_what_git_keeps_links_and_folders(book, name, overwrite):
    for folder, make in {
        "linked": lambda file: file.symlink_to(book / "README.md"),
        "folders": lambda file: file.mkdir(),
        "kept": lambda file: file.write_text('"claims" content="a2a run"'),
    }.items():
        (book / folder).mkdir()
        make(book / folder / name)
        if folder == "kept":
            subprocess.run(["git", "add", folder], cwd=book, check=True)
        with pytest.raises(ValueError, match=f"{name} exists and isn't of a run"):
            check_companions(book / folder / "run.ipynb", overwrite=overwrite)


def test_companions_of_a_run_are(book):
    (book / "runs" / "02_small.claims.json").write_text('{"claims": []}')
    (book / "runs" / "02_small.html").write_text('<html><head><meta name="generator" content="a2a run"/>')
    check_companions(book / "runs" / "02_small.ipynb", overwrite=False)
    (book / "runs" / "02_small.html").write_text("mine")
    check_companions(book / "runs" / "02_small.ipynb", overwrite=True)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    file, other = tmp_path / "a.txt", tmp_path / "b.txt"
    file.write_text("before")
    os.link(file, other)
    write_whole(file, "after \ud800")
    assert (file.read_text(), other.read_text()) == ("after \\ud800", "before")

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("a2a.book.output.Path.replace", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(file, "later")
    assert file.read_text() == "after \\ud800" and sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt"]
