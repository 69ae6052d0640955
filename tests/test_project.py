"""The three files that say what is installed must agree."""

import re
import subprocess
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


WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def test_what_builds_the_package_is_pinned_to_the_same_version(constraints):
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    found = pins(wanted, "==")
    assert wanted and len(found) == len(wanted) and found.items() <= constraints.items()


def test_what_builds_a_dependency_is_pinned_too():
    """Older versions of pip read the first name for this, newer ones the second."""
    planned = subprocess.run(
        ["make", "-nB", ".venv/ready", "gemma"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    installs = [line for line in planned.stdout.splitlines() if "pip install" in line]
    for name in ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT"):
        assert installs and all(f"{name}=constraints.txt " in line for line in installs)


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned_by_commit_and_may_only_read(file):
    workflow = yaml.safe_load(file.read_text())
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name) for name in used)
    assert workflow["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in workflow["jobs"].values())


def test_the_security_policy_is_short_and_linked():
    text = (ROOT / "SECURITY.md").read_text()
    assert len([line for line in text.splitlines() if line.strip()]) <= 12
    assert "SECURITY.md" in (ROOT / "CONTRIBUTING.md").read_text()
