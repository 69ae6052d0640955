"""What a script is made of: its modules, their data, the libraries they need. The build runs again what these change.

Paths are relative to the current folder, the root of the checkout, so that a checkout can be moved.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from platform import python_version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def package_files(*scripts: str) -> list[str]:
    """The files of a2a that scripts import, directly or through others, and the data files in these modules' packages.

    A script that is itself one of a2a's modules counts, too.
    """
    found = {file for file in reached(*scripts) if file.startswith("a2a/")}
    folders = {Path(file).parent for file in found}
    return sorted(found | {str(file) for file in _data_files() if _package_of(file) in folders})


def versions(*scripts: str) -> dict[str, str]:
    """The version of Python and of each installed library that scripts import, and of those that these require."""
    names = {name.split(".")[0] for script in reached(*scripts) for name in _imports(script)} - {"a2a"}
    return required_versions(library for name in names for library in _libraries().get(name, ()))


def required_versions(libraries: Iterable[str]) -> dict[str, str]:
    """The version of Python, of each of the libraries, and of the installed ones that these require without extras."""
    found: dict[str, str] = {}
    todo = set(libraries)
    while todo:
        name = todo.pop()
        found[name], required = _installed(name)
        todo |= required - found.keys()
    return {"python": python_version(), **dict(sorted(found.items()))}


@cache
def reached(*scripts: str) -> set[str]:
    """The scripts and the modules of this checkout that they import, at their top or in a function."""
    found: set[str] = set()
    todo = {file for script in scripts for file in (script, *_modules(script.removesuffix(".py").replace("/", ".")))}
    while todo:
        found |= todo
        todo = {module for script in todo for name in _imports(script) for module in _modules(name)} - found
    return found


@cache
def _imports(script: str) -> set[str]:
    """The dotted names that a script imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(script).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{one.name}" for one in node.names}
    return found


@cache
def _modules(name: str) -> set[str]:
    """The files that are read to import a dotted name: the packages on the way, and itself."""
    stems = [Path(*name.split(".")[:depth]) for depth in range(1, name.count(".") + 2)]
    return {str(file) for stem in stems for file in (stem / "__init__.py", stem.with_suffix(".py")) if file.is_file()}


@cache
def _data_files() -> list[Path]:
    kept = (file for file in Path("a2a").rglob("[!.]*") if file.is_file() and "__pycache__" not in file.parts)
    return [file for file in kept if file.suffix != ".py"]


def _package_of(file: Path) -> Path:
    return next(folder for folder in file.parents if (folder / "__init__.py").exists())


@cache
def _libraries() -> dict[str, set[str]]:
    """By importable name, the installed libraries that hold it."""
    return {name: {*map(canonicalize_name, held)} for name, held in metadata.packages_distributions().items()}


@cache
def _installed(library: str) -> tuple[str, set[str]]:
    """The version of a library, and the installed ones that it requires without extras."""
    about = metadata.metadata(library)
    wanted = [Requirement(text) for text in about.get_all("Requires-Dist", ()) if "extra ==" not in text]
    names: set[str] = {canonicalize_name(one.name) for one in wanted if one.marker is None or one.marker.evaluate()}
    return about["Version"], names & set().union(*_libraries().values())
