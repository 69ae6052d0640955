from importlib import metadata
from modulefinder import ModuleFinder
from pathlib import Path

import pytest

from a2a.book import inputs
from a2a.book.inputs import package_files, reached, required_versions, versions

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = {
    "a2a/__init__.py": "from a2a.plain import one",
    "a2a/plain.py": "one = 1",
    "a2a/texts/__init__.py": "",
    "a2a/texts/words.py": "def read():\n    import a2a.texts.more, yaml",
    "a2a/texts/more.py": "",
    "a2a/texts/apart.py": "",
    "a2a/texts/words.npz": "",
    "a2a/texts/folder/words.txt": "",
    "a2a/texts/.hidden": "",
    "a2a/texts/__pycache__/words.pyc": "",
    "a2a/data.csv": "",
    "plain.py": "import a2a",
    "texts.py": "import numpy.linalg\nfrom a2a.texts import words",
}
PLAIN = ["a2a/__init__.py", "a2a/data.csv", "a2a/plain.py"]
TEXTS = ["a2a/texts/__init__.py", "a2a/texts/folder/words.txt", "a2a/texts/more.py", "a2a/texts/words.npz"]


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """Paths are relative, and what was found in one folder isn't true in another."""
    for function in (reached, inputs._imports, inputs._data_files, inputs._libraries, inputs._installed):
        function.cache_clear()


@pytest.fixture
def small(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("small")
def test_a_script_depends_on_what_it_imports():
    assert package_files("plain.py") == PLAIN


@pytest.mark.usefixtures("small")
def test_imports_in_functions_and_data_beside_modules_count():
    assert package_files("texts.py") == sorted([*PLAIN, *TEXTS, "a2a/texts/words.py"])


@pytest.mark.usefixtures("small")
def test_a_module_of_the_package_is_a_script_too():
    assert package_files("a2a/texts/apart.py") == sorted([*PLAIN, *TEXTS[:2], "a2a/texts/apart.py", TEXTS[3]])


@pytest.mark.usefixtures("small")
def test_libraries_are_those_that_are_imported():
    assert {"numpy", "pyyaml", "python"} == set(versions("texts.py"))
    assert set(versions("plain.py")) == {"python"}


@pytest.mark.parametrize("chapter", sorted((ROOT / "notebooks").glob("[0-9]*.py")), ids=lambda file: file.stem)
def test_modules_are_those_that_python_finds(chapter, monkeypatch):
    monkeypatch.chdir(ROOT)
    finder = ModuleFinder(path=["."])
    finder.run_script(str(chapter.relative_to(ROOT)))
    found = {
        Path(module.__file__).absolute().relative_to(ROOT) for module in finder.modules.values() if module.__file__
    }
    assert {Path(file) for file in reached(str(chapter.relative_to(ROOT)))} == found


def test_what_a_library_requires_counts():
    found = required_versions(["pandas"])
    assert found["numpy"] == metadata.version("numpy")
    assert "python-dateutil" in found and "pytest" not in found


def test_all_data_of_the_package_are_of_some_chapter(monkeypatch):
    monkeypatch.chdir(ROOT)
    chapters = [f"notebooks/{file.name}" for file in Path("notebooks").glob("[0-9]*.py")]
    assert {str(file) for file in inputs._data_files()} <= set(package_files(*chapters))
