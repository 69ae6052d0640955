"""`make book` under signals, kills and moves: it ends at once, and the next one goes on to the same book.

All of it is real but for the book, which is small, and its Python environment, which is this one.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import nbformat
import psutil
import pytest
from small_book import make, make_command, surroundings, write_small_book

KILLS = int(os.environ.get("A2A_KILLS", "2"))
MADE = ("notebooks/01_one.ipynb", "notebooks/02_two.ipynb", "_build/generated/claims.json", "_build/html/index.html")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the small book, built once without a disturbance, and what that came to."""
    folder = tmp_path_factory.mktemp("pipeline") / "small book"
    folder.mkdir()
    write_small_book(folder)
    code, said = make(folder, "book")
    assert code == 0, said
    return folder, content(folder)


@pytest.fixture
def book(built):
    return built[0]


@pytest.fixture
def start(book):
    """Starts builds of the small book, of which nothing is left after the test."""
    builds = []

    def start(**variables):
        builds.append(Build(book, **variables))
        return builds[-1]

    yield start
    for process in (process for build in builds for process in build.alive()):
        with suppress(psutil.Error):
            process.kill()


def content(folder):
    """What a build is for: the claims, the outputs of the notebooks and the files of the site."""
    outputs = [[cell.get("outputs") for cell in nbformat.read(folder / file, as_version=4).cells] for file in MADE[:2]]
    site = sorted(str(file.relative_to(folder)) for file in (folder / "_build/html").rglob("*") if file.is_file())
    return json.loads((folder / "_build/html/claims.json").read_text()), outputs, site


class Build:
    """A running `make book`, whose processes can be found and hit."""

    def __init__(self, folder, **variables):
        self.folder, self.log = folder, folder.with_suffix(".log")
        self.mark = f"{time.monotonic_ns()}"
        with self.log.open("w") as log:
            self.make = subprocess.Popen(
                make_command("book"),
                cwd=folder,
                env=surroundings(folder, A2A_TEST=self.mark, **variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def alive(self, word=""):
        """Its processes, or those with a word in their command line."""
        return [process for process in psutil.process_iter() if self._has(process, word)]

    def _has(self, process, word):
        try:
            own = process.environ().get("A2A_TEST") == self.mark and process.status() != psutil.STATUS_ZOMBIE
            return own and word in " ".join(process.cmdline())
        except psutil.Error:
            return False

    def ends(self, seconds=20.0):
        """Whether nothing of it is left in so many seconds."""
        return soon(lambda: self.make.poll() is not None and not self.alive(), seconds)

    def hit(self, target, number):
        """Send a signal to make, to its process group, as a terminal does, or to Snakemake."""
        if target == "group":
            os.killpg(self.make.pid, number)
        elif target == "make":
            self.make.send_signal(number)
        else:
            for process in self.alive("bin/snakemake"):
                if os.getpgid(process.pid) == process.pid:  # it leads the session that was started for it
                    process.send_signal(number)


def soon(condition, seconds):
    end = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return held


STOPS = [("make", signal.SIGTERM), ("group", signal.SIGINT), ("snakemake", signal.SIGTERM)]
KILLING = [("make", signal.SIGKILL), ("group", signal.SIGKILL), ("snakemake", signal.SIGKILL)]


@pytest.mark.parametrize(("target", "number"), STOPS, ids=lambda value: getattr(value, "name", value))
def test_a_stopped_build_ends_at_once_with_one_line(book, start, target, number):
    (book / MADE[0]).unlink(missing_ok=True)
    build = start(NAP="600")
    assert soon(lambda: build.alive("ipykernel") or build.make.poll() is not None, 120)
    assert build.make.poll() is None, build.log.read_text()
    before = len(build.log.read_text())
    build.hit(target, number)
    assert build.ends()
    said = [line for line in build.log.read_text()[before:].splitlines() if not line.startswith("make: ***")]
    assert build.make.returncode != 0 and len(said) == 1 and said[0].startswith("The build was stopped ("), said
    assert not (book / MADE[0]).exists()


def test_builds_that_are_killed_at_random_come_to_the_same_book(built, start):
    (book, undisturbed), choose = built, random.Random(KILLS)
    for _ in range(KILLS):
        for file in choose.sample(MADE, choose.randint(1, len(MADE))):
            (book / file).unlink(missing_ok=True)
        build = start()
        time.sleep(choose.uniform(0, 20))
        target, number = choose.choice(STOPS + KILLING)
        with suppress(ProcessLookupError, psutil.NoSuchProcess):  # it has ended already
            build.hit(target, number)
        build.make.wait(600)
    code, said = make(book, "book")
    assert code == 0, said
    assert content(book) == undisturbed


def test_a_moved_checkout_gets_an_environment_of_its_own_and_stays_built(book, tmp_path):
    assert make(book, "book")[0] == 0
    moved = Path(shutil.copytree(book, tmp_path / "moved", symlinks=True))
    code, said = make(moved, "book")
    assert code == 0 and "Nothing to be done" in said, said
    assert (moved / ".venv/ready").read_text().strip() == str(moved)
    assert "venv" not in planned(moved).replace(".venv/bin", "")


def planned(folder, *arguments, **variables):
    """The commands that make would run."""
    code, said = make(folder, "-n", "book", *arguments, **variables)
    assert code == 0, said
    return said


@pytest.mark.parametrize("gone", ["ready", "bin"])
def test_an_environment_that_is_not_whole_is_made_again(book, tmp_path, gone):
    folder = Path(shutil.copytree(book, tmp_path / "copy", symlinks=True))
    (folder / ".venv/ready").write_text(str(folder))
    assert "-m venv" not in planned(folder)
    (folder / ".venv" / gone).unlink()
    assert "-m venv --clear --prompt a2a .venv" in planned(folder)


@pytest.fixture
def bare(tmp_path):
    """A folder with nothing but what make reads first."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(Path(__file__).parent.parent / name, tmp_path / name)
    return tmp_path


def test_a_python_that_is_too_old_is_one_line(bare):
    old = bare / "python3.10"
    old.write_text(f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.version_info = (3, 10, 14); $2"\n')
    old.chmod(0o755)
    refused(bare, f"Python 3.11 or later is needed, which {old} is not: make PYTHON=/path/to/it", f"PYTHON={old}")


@pytest.mark.parametrize(("prompt", "is_kept"), [("", True), ("--prompt a2a", False)])
def test_an_environment_that_was_made_by_hand_is_kept(bare, prompt, is_kept):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", *prompt.split(), ".venv"], cwd=bare, check=True)
    (bare / ".venv/mine").touch()
    code, said = make(bare, ".venv/ready", f"PYTHON={sys.executable}")
    assert (bare / ".venv/mine").exists() == is_kept == bool(code)
    assert (".venv is an environment that was made by hand: move it away" in said.splitlines()) == is_kept


def test_no_python_is_one_line(bare):
    refused(bare, "Python 3.11 or later is needed, which python3 is not: make PYTHON=/path/to/it")


def refused(folder, wanted, *arguments):
    command = [shutil.which("make"), "book", *arguments]
    done = subprocess.run(command, cwd=folder, env={"PATH": "/nonexistent"}, capture_output=True, text=True)
    said = (done.stdout + done.stderr).splitlines()
    assert done.returncode != 0 and [line for line in said if not line.startswith("make: ***")] == [wanted]
    assert not (folder / ".venv").exists()
