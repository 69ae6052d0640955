"""Whatever changes, the graph makes anew what depends on it and nothing else: no page is stale, no hour is wasted.

In a copy of the checkout every output is an empty file, marked as up to date. Snakemake is asked what it would do after
a change; what it should do is found here by other means than its own.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from modulefinder import ModuleFinder
from pathlib import Path

import nbformat
import pytest
import yaml
from chapters import CHAPTERS, ROOT

HEADLINE = next(name for name, chapter in CHAPTERS.items() if "headline" in chapter)
SITE = {"_build/html/index.html", "_build/site.txt"}
CLAIMS = {"_build/generated/claims.html", "_build/generated/claims.json"}
STATUS = {"_build/generated/status.md"}
CONVERSATIONS = {"_build/generated/conversations.html"} | {
    f"_build/generated/conversations/{file.stem}.js"
    for file in (ROOT / "conversations").glob("*.jsonl")
    if not re.search(r"-\d+$", file.stem)
}
PICTURES = {"_build/generated/equilibrium.png", "book/images/equilibrium.png"}
PARTS = ("_build/html/book/status.html", "_build/html/_static/a2a.css")
ONE, OTHER = list(CHAPTERS)[2:4]


@cache
def imported(chapter):
    """The modules of the package that a chapter and what runs it import, and the names of all other modules."""
    finder = ModuleFinder(path=[str(ROOT)])
    finder.run_script(str(ROOT / "notebooks" / f"{chapter}.py"))
    finder.import_hook("a2a.book.execute")
    return set(finder.modules), {name.split(".")[0] for name in finder.badmodules}


def importing(module):
    return {chapter for chapter in CHAPTERS if module in imported(chapter)[0]}


def variants(chapters, suffix):
    found = [(chapter, variant) for chapter in chapters for variant in CHAPTERS[chapter].get("variants", ())]
    return {f"_build/variants/{chapter}--{variant}{suffix}" for chapter, variant in found}


VARIANT_PAGES = variants(CHAPTERS, ".html")


@cache
def shown(module):
    """What is made of recorded conversations with a module of the package."""
    finder = ModuleFinder(path=[str(ROOT)])
    finder.import_hook("a2a.book.conversations_page")
    return CONVERSATIONS | SITE if module in finder.modules else set()


def executed(chapters):
    """All that is made from the outputs of these chapters, and they."""
    outputs = {f"notebooks/{chapter}.ipynb" for chapter in chapters} | CLAIMS | STATUS | SITE
    outputs |= variants(chapters, ".ipynb") | variants(chapters, ".html")
    return outputs | PICTURES if HEADLINE in chapters else outputs


def references(chapters):
    return {f"tests/reference/{chapter}.ipynb" for chapter in chapters}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A copy of the checkout in which everything seems to be made."""
    folder = tmp_path_factory.mktemp("built") / "checkout"
    unused = shutil.ignore_patterns(".*", "_build", "runs", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, folder, ignore=unused)
    for output in executed(CHAPTERS) | CONVERSATIONS | set(PARTS):
        replace(folder / output, b"")
    (folder / "_build/site.txt").write_text("\n".join(PARTS))
    snakemake(folder, "--touch", "--forceall", "--cores", "1")
    return folder


@pytest.fixture
def checkout(built, tmp_path):
    """A copy of that at another place, which by itself makes nothing stale."""
    return Path(shutil.copytree(built, tmp_path / "moved", copy_function=os.link))


def replace(file, content):
    """Write a file anew: what is linked to it stays as it was."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    file.write_bytes(content)


def change(file):
    replace(file, file.read_bytes() + b"\n")


def snakemake(folder, *options, **environment):
    command = [sys.executable, "-m", "snakemake", "--nolock", "--quiet", "host", "progress", *options]
    return subprocess.run(
        [*command, "--", "book", "references"],
        cwd=folder,
        env=os.environ | environment,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ).stdout


def remade(folder, **environment):
    """The outputs that a build would make."""
    lines = map(str.strip, snakemake(folder, "--dry-run", **environment).splitlines())
    return {file for line in lines if line.startswith("output: ") for file in line.removeprefix("output: ").split(", ")}


@pytest.mark.parametrize("pattern", ["a2a/book/execute.py", "a2a/**/server.py"])
def test_a_module(checkout, pattern):
    file = next(checkout.glob(pattern))
    module = ".".join(file.relative_to(checkout).with_suffix("").parts)
    chapters = importing(module)
    change(file)
    assert remade(checkout) == executed(chapters) | references(chapters) | shown(module)


def test_data_of_a_package(checkout):
    file = next(checkout.glob("a2a/**/*.npz"))
    package = ".".join(file.relative_to(checkout).parent.parts)
    chapters = importing(package)
    change(file)
    assert chapters and remade(checkout) == executed(chapters) | references(chapters) | shown(package)


@pytest.mark.parametrize(
    ("module", "parts"), [("claims_page", CLAIMS), ("conversations_page", CONVERSATIONS), ("shelf", CONVERSATIONS)]
)
def test_what_makes_a_page(checkout, module, parts):
    change(checkout / f"a2a/book/{module}.py")
    assert remade(checkout) == parts | SITE


@pytest.mark.parametrize("file", ["a2a/book/onefile.py", "book/rerun.md"])
def test_what_makes_the_page_of_a_variant(checkout, file):
    change(checkout / file)
    assert VARIANT_PAGES and remade(checkout) == VARIANT_PAGES | SITE


def test_what_a_page_includes(checkout):
    change(checkout / "CONTRIBUTING.md")
    assert remade(checkout) == SITE


def test_the_parameters_of_a_variant(checkout):
    chapter = next(name for name, chapter in CHAPTERS.items() if "variants" in chapter)
    other = CHAPTERS | {
        chapter: CHAPTERS[chapter] | {"variants": {key: {"d": 2} for key in CHAPTERS[chapter]["variants"]}}
    }
    replace(checkout / "chapters.yml", yaml.safe_dump(other, sort_keys=False).encode())
    assert remade(checkout) == variants([chapter], ".ipynb") | variants([chapter], ".html") | STATUS | SITE


def test_a_notebook_and_the_small_parameters_of_another(checkout):
    change(checkout / f"notebooks/{ONE}.py")
    small = CHAPTERS | {OTHER: CHAPTERS[OTHER] | {"small": {"d": 2}}}
    replace(checkout / "chapters.yml", yaml.safe_dump(small, sort_keys=False).encode())
    assert remade(checkout) == executed({ONE}) | references({ONE, OTHER}) | VARIANT_PAGES


def test_a_new_recording(checkout):
    replace(checkout / "conversations/another.jsonl", b"")
    chapters = {name for name, chapter in CHAPTERS.items() if "conversations" in chapter.get("data", ())}
    there = CONVERSATIONS | {"_build/generated/conversations/another.js"}
    assert chapters and remade(checkout) == executed(chapters) | references(chapters) | there


def test_the_pinned_versions(checkout):
    change(checkout / "constraints.txt")
    assert remade(checkout) == executed(CHAPTERS) | references(CHAPTERS)


def test_the_installed_version_of_a_library(checkout, tmp_path):
    metadata = tmp_path / "first_on_the_path" / "transformers-0.1.dist-info" / "METADATA"
    replace(metadata, b"Metadata-Version: 2.1\nName: transformers\nVersion: 0.1\n")
    chapters = {chapter for chapter in CHAPTERS if "transformers" in imported(chapter)[1]}
    path = os.pathsep.join([str(tmp_path / "first_on_the_path"), str(checkout)])
    assert chapters and remade(checkout, PYTHONPATH=path) == executed(chapters) | references(chapters)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_site_that_is_gone(checkout, part):
    (checkout / part).unlink()
    assert remade(checkout) == SITE


def test_a_run_of_a_chapter_that_is_gone(checkout):
    (checkout / f"notebooks/{ONE}.ipynb").unlink()
    assert remade(checkout) == executed({ONE})


def test_generated_parts_that_are_gone(checkout):
    gone = {*STATUS, next(iter(VARIANT_PAGES))}
    for part in gone:
        (checkout / part).unlink()
    assert remade(checkout) == gone | SITE


def test_every_chapter_is_in_the_list():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [Path(chapter["file"]) for part in toc["parts"] for chapter in part["chapters"]]
    assert list(CHAPTERS) == [file.name for file in files if file.parent.name == "notebooks"]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_reference_has_its_small_parameters(chapter):
    """Without a record of the last run, as in a fresh clone, the graph can't see that they have changed."""
    cells = nbformat.read(ROOT / "tests" / "reference" / f"{chapter}.ipynb", as_version=4).cells
    given = next(cell.source for cell in cells if cell.source.startswith("# Parameters"))
    values = {line.targets[0].id: ast.literal_eval(line.value) for line in ast.parse(given).body}
    assert values == CHAPTERS[chapter]["small"]
