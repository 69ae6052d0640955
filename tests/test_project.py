"""The three files that say what is installed must agree."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lines, separator):
    """Name and version of every line that pins one; comments, options and channels aside."""
    found = {}
    for line in lines:
        name, _, version = line.split("#")[0].partition(separator)
        if version.strip():
            found[canonical(name.strip())] = version.strip().lstrip("=")
    return found


def requirements(texts):
    return {canonical(NAME.match(text).group()) for text in texts}


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def constraints():
    return pins((ROOT / "constraints.txt").read_text().splitlines(), "==")


@pytest.fixture(scope="module")
def environment():
    """Name and version of everything that environment.yml pins, by conda or by pip."""
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = [line for entry in entries if isinstance(entry, dict) for line in entry.get("pip", [])]
    return pins([entry for entry in entries if isinstance(entry, str)], "=") | pins(by_pip, "==")


def test_every_direct_dependency_is_pinned(project, constraints):
    extras = [text for group in project["optional-dependencies"].values() for text in group]
    wanted = requirements(project["dependencies"] + extras) - {canonical(project["name"])}
    assert wanted and not wanted - set(constraints)


def test_every_version_is_pinned_exactly(constraints):
    assert constraints and all(re.fullmatch(r"\d[\w.!+]*", version) for version in constraints.values())


def test_the_environment_pins_the_same_versions(constraints, environment):
    shared = set(constraints) & set(environment)
    assert {name: environment[name] for name in shared} == {name: constraints[name] for name in shared}


def test_the_environments_packages_are_all_constrained(constraints, environment):
    assert set(environment) - {"python", "pip"} <= set(constraints)


def test_the_environments_python_is_one_that_the_package_takes(project, environment):
    lowest = [int(part) for part in re.search(r">=([\d.]+)", project["requires-python"]).group(1).split(".")]
    assert [int(part) for part in environment["python"].split(".")][:2] >= lowest


@pytest.mark.parametrize(
    ("line", "separator", "found"),
    [
        ("numpy==2.4.6  # why", "==", {"numpy": "2.4.6"}),
        ("Array_API.compat==1.0", "==", {"array-api-compat": "1.0"}),
        ("python=3.11", "=", {"python": "3.11"}),
        ("-c constraints.txt", "==", {}),
        ("# numpy==1", "==", {}),
    ],
)
def test_pins_are_read(line, separator, found):
    assert pins([line], separator) == found
