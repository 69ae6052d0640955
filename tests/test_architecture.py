"""The rules of the house: what may import what, what `import a2a` costs, and how large things may grow."""

import ast
import re
import statistics
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import jupytext
import pytest
from chapters import CHAPTERS, ROOT

TOOLS = {"places", "printable", "secrets", "journal", "sealed", "samples", "intervals", "significance"}
ENTRANCES = {"__main__", "execute"}
MAY_IMPORT = {
    "theory": set(),
    "lsa": {"theory"},
    "tools": set(),
    "models": {"tools"},
    "loops": {"tools", "models"},
    "dialogue": {"tools", "models", "loops"},
    "chat": {"tools", "theory", "models"},
    "book": {"tools", "theory", "lsa", "models", "loops", "dialogue", "chat"},
    "entrances": {"tools", "book", "chat", "dialogue"},
}
LIGHT = {"a2a", "array_api_compat", "jaxtyping", "numpy", "threadpoolctl", "wadler_lindig"}
MODULES = {
    ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
    for file in sorted((ROOT / "a2a").rglob("*.py"))
}
TREES = {name: ast.parse(file.read_text()) for name, file in MODULES.items()}
FUNCTIONS = {
    f"{name}.{node.name}": node.end_lineno - node.lineno + 1
    for name, tree in TREES.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
}


def room(module):
    parts = module.split(".")
    if len(parts) > 1 and parts[1] in MAY_IMPORT:
        return parts[1]
    if len(parts) > 1 and parts[1] in TOOLS:
        return "tools"
    return "entrances" if parts[-1] in ENTRANCES else "theory"


def imported(nodes):
    """The modules of the package that import statements name."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in inside}
    return found & MODULES.keys()


@pytest.mark.parametrize("module", MODULES)
def test_no_arrow_goes_up(module):
    reached = {room(name) for name in imported(ast.walk(TREES[module]))}
    assert reached <= MAY_IMPORT[room(module)] | {room(module)}


def test_no_modules_import_each_other_in_a_circle():
    graph = {name: imported(tree.body) - {name} for name, tree in TREES.items() if not name.endswith("__main__")}
    TopologicalSorter(graph).prepare()


def test_the_theory_needs_little():
    """No torch, SciPy, transformers, papermill or matplotlib for somebody who wants an equilibrium."""
    assert loaded_by("a2a") - loaded_by("sys") <= LIGHT


def loaded_by(module):
    """The top-level modules that a new process has after an import, but for the standard library's and hidden ones."""
    program = f"import {module}, sys; print(*(name.split('.')[0] for name, one in sys.modules.items() if one))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    return {name for name in told if not name.startswith("_")} - set(sys.stdlib_module_names)


@pytest.mark.parametrize("file", [*MODULES.values(), ROOT / "Snakefile", ROOT / "Makefile"], ids=lambda file: file.name)
def test_no_chapter_is_known_by_its_number(file):
    numbered = re.findall(rf"{'|'.join(CHAPTERS)}|[Cc]hapters? \d", file.read_text())
    assert not numbered


def test_functions_are_small():
    assert not {name: lines for name, lines in FUNCTIONS.items() if lines > 40}
    assert statistics.median(FUNCTIONS.values()) <= 8


def test_files_are_small():
    lines = {name: len(file.read_text().splitlines()) for name, file in MODULES.items()}
    assert not {name: count for name, count in lines.items() if count > 200}


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapters_and_their_cells_are_small(chapter):
    file = ROOT / "notebooks" / f"{chapter}.py"
    code = [cell for cell in jupytext.read(file).cells if cell.cell_type == "code"]
    steps = [cell for cell in code if "parameters" not in cell.metadata.get("tags", [])]
    longest, lines = max(len(cell.source.splitlines()) for cell in steps), len(file.read_text().splitlines())
    assert longest <= 25 and lines <= 750


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapters_name_each_other_without_numbers(chapter):
    numbered = re.findall(r"[Cc]hapters? \d", (ROOT / "notebooks" / f"{chapter}.py").read_text())
    assert not numbered


def test_there_are_at_least_as_many_lines_of_tests_as_of_source():
    tests, source = (
        sum(len(file.read_text().splitlines()) for file in Path(ROOT / folder).rglob("*.py"))
        for folder in ("tests", "a2a")
    )
    assert tests >= source
