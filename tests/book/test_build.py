"""A build that is stopped ends whole, whichever process is hit, and none joins another."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import psutil
import pytest
from chapters import ROOT

TREE = "sleep 300 & sleep 300 & echo started; wait"
"""A command that has processes below it."""

UNTIL_GO = "until [ -e go ]; do sleep 0.1; done; echo done > first"


@pytest.fixture
def start(tmp_path):
    """A function that starts a shell command as a build, in a process group of its own."""

    def start(command=TREE, *, below="", **options):
        build = [sys.executable, "-P", ROOT / "a2a/book/build.py", "sh", "-c", command]
        if below:
            build = ["sh", "-c", f'"$@" {below}', "sh", *build]
        begun = subprocess.Popen(
            build,
            cwd=tmp_path,
            env=os.environ | {"A2A_TEST": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
            **options,
        )
        return stack.enter_context(begun)

    with ExitStack() as stack:
        yield start
        for process in alive(tmp_path):
            process.kill()


def alive(folder):
    """The processes that were started with this folder in their environment."""
    return [process for process in psutil.process_iter() if started_with(process, "A2A_TEST", str(folder))]


def started_with(process, name, value):
    try:
        return process.environ().get(name) == value
    except psutil.Error:
        return False


def soon(condition, seconds=60.0):
    """Whether something becomes true in so many seconds."""
    end = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return held


def test_a_build_has_its_commands_exit_code(start):
    assert start("exit 7").wait() == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_ends_all_with_one_line(start, tmp_path, number):
    build = start()
    assert build.stdout.readline() == "started\n"
    build.send_signal(number)
    _, said = build.communicate(timeout=60)
    assert build.returncode == 130 and not alive(tmp_path)
    assert said == f"The build was stopped ({number.name}). The next one goes on from here.\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_command_that_is_killed_takes_all_below_it_along(start, tmp_path, number):
    build = start(f"sleep 300 & sleep 300 & kill -{number} $$")
    _, said = build.communicate(timeout=60)
    assert build.returncode == 130 and not alive(tmp_path)
    assert said == f"The build was stopped ({number.name} to sh). The next one goes on from here.\n"


def test_a_build_ends_when_what_asked_for_it_is_killed(start, tmp_path):
    maker = start(below="; true")
    assert maker.stdout.readline() == "started\n"
    maker.kill()
    assert soon(lambda: not alive(tmp_path))
    assert (
        maker.stderr.read() == "The build was stopped (what asked for it was killed). The next one goes on from here.\n"
    )


def test_an_ignored_signal_stays_ignored(start):
    build = start("echo started; kill -HUP $PPID; sleep 0.5; exit 5", preexec_fn=ignore_hangup)
    assert build.wait(60) == 5


def ignore_hangup():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def test_a_second_build_waits_and_says_for_which(start, tmp_path):
    first = start(f"echo started; {UNTIL_GO}")
    assert first.stdout.readline() == "started\n"
    second = start("cat first")
    assert second.stderr.readline() == f"Waiting for what process {first.pid} builds in this checkout.\n"
    (tmp_path / "go").touch()
    assert second.communicate(timeout=60) == ("done\n", "")


def test_a_build_that_waits_can_be_stopped(start):
    assert start().stdout.readline() == "started\n"
    second = start("touch joined")
    assert second.stderr.readline().startswith("Waiting")
    second.send_signal(signal.SIGINT)
    assert second.wait(60) == 130


def test_what_a_killed_build_leaves_running_is_waited_for(start, tmp_path):
    first = start(f"echo started; kill -9 $PPID; sh -c 'kill -9 $PPID; {UNTIL_GO}'")
    assert first.stdout.readline() == "started\n" and first.wait(60) == -signal.SIGKILL
    second = start("cat first")
    assert second.stderr.readline().startswith("Waiting")
    (tmp_path / "go").touch()
    assert second.communicate(timeout=60)[0] == "done\n"


@pytest.mark.parametrize("folder", ["_build", "notebooks", ".snakemake"])
def test_a_folder_that_cannot_be_written_is_one_line(start, tmp_path, folder):
    (tmp_path / folder).write_text("a file where a folder should be")
    build = start("true")
    _, said = build.communicate(timeout=60)
    assert build.returncode == 2 and said.startswith("The build can't start: ") and said.count("\n") == 1
    assert folder in said
