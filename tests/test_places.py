"""Where a notebook finds its book, its build folder and the files that a user names."""

from pathlib import Path

from a2a import places
from a2a.places import book_root, build_folder, given_path


def test_build_folder_is_the_chosen_one(monkeypatch, tmp_path):
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    assert build_folder() == tmp_path


def test_build_folder_is_the_books(monkeypatch, tmp_path):
    monkeypatch.delenv("A2A_BUILD", raising=False)
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert build_folder() == tmp_path.resolve() / "_build"


def test_build_folder_outside_a_book_is_the_users(monkeypatch, tmp_path):
    monkeypatch.delenv("A2A_BUILD", raising=False)
    monkeypatch.chdir(tmp_path)
    assert build_folder().name == "a2a"


def test_the_books_folder_is_the_nearest(monkeypatch, tmp_path):
    (tmp_path / "_toc.yml").touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    assert book_root() == tmp_path.resolve()


def test_outside_a_book_it_is_the_packages(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert book_root() == Path(__file__).resolve().parent.parent


def test_no_book(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(places, "__file__", str(tmp_path / "site-packages" / "a2a" / "places.py"))
    assert book_root() is None


def test_a_relative_path_counts_from_where_the_run_was_started(monkeypatch, tmp_path):
    monkeypatch.setenv("A2A_STARTED_IN", str(tmp_path))
    assert given_path("runs/x") == tmp_path / "runs/x"
    assert given_path("/runs/x") == Path("/runs/x")
    monkeypatch.delenv("A2A_STARTED_IN")
    assert given_path("runs/x") == Path("runs/x")
