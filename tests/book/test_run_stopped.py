"""A run that is stopped or killed leaves what was there before it, and no process."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from small_notebook import NOTEBOOK, printed

from a2a.book.runs import read_run
from a2a.execute import execute

KILLS = int(os.environ.get("A2A_KILLS", "2"))
SLOWLY = """
# %%
import pathlib, time

pathlib.Path("kernel.pid").write_text(str(os.getpid()))
time.sleep(60 * (d == 5))
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    (folder / "02_small.py").write_text(NOTEBOOK + SLOWLY)
    execute(folder / "02_small.py", folder / "run.ipynb")
    (folder / "kernel.pid").unlink()
    return folder


@pytest.fixture
def chapter(finished, tmp_path):
    """A notebook that takes a minute with d = 5, and a finished run of it at `run.ipynb`."""
    (tmp_path / "tmp").mkdir()
    return Path(shutil.copytree(finished, tmp_path, dirs_exist_ok=True))


def start(chapter, d):
    """The command, as a terminal would start it: a shell's background job ignores SIGINT."""
    heard = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-m", "a2a", "run", "02_small.py", "-p", "d", str(d), "-o", "run.ipynb", "--no-page"]
    environment = os.environ | {"TMPDIR": str(chapter / "tmp")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=chapter, env=environment, preexec_fn=heard, **pipes)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    assert condition()


def is_gone(chapter):
    """Whether the kernel has ended; one that nobody waits for any more is a zombie."""
    status = Path("/proc") / (chapter / "kernel.pid").read_text() / "stat"
    try:
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_says_so_and_leaves_what_was_there(chapter, how):
    before = (chapter / "run.ipynb").read_bytes()
    process = start(chapter, 5)
    wait_for(lambda: (chapter / "kernel.pid").exists() and (chapter / "kernel.pid").read_text())
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "a2a: stopped\n")
    assert is_gone(chapter) and (chapter / "run.ipynb").read_bytes() == before
    assert sorted(os.listdir(chapter)) == ["02_small.py", "kernel.pid", "run.ipynb", "tmp"]
    assert not os.listdir(chapter / "tmp")


def test_a_run_that_is_killed_at_any_moment_leaves_the_earlier_one_whole(chapter):
    before = (chapter / "run.ipynb").read_bytes()
    for _ in range(KILLS):
        process = start(chapter, 5)
        time.sleep(random.uniform(0.5, 6))
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL and (chapter / "run.ipynb").read_bytes() == before
    if (chapter / "kernel.pid").exists():
        wait_for(partial(is_gone, chapter))
    process = start(chapter, 6)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (0, "run.ipynb\n"), err
    assert printed(chapter / "run.ipynb").startswith("6 0.1") and read_run(chapter / "run.ipynb")
