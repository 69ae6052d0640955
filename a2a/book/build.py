"""One build of a checkout at a time, which ends with all that it started.

python -P a2a/book/build.py COMMAND ... runs a command, such as Snakemake with its options, in a session of its own. A
signal, or the end of what asked for it, ends that session at once: Snakemake by itself would wait for chapters that
take minutes, and a killed one would leave them running. It is started as a file, since the package takes half a second
to import, in which nobody would watch.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

LOCK = Path(".snakemake") / "running"
"""Locked by a build, and holds its process id. It is the standard input of all that the build starts, so that the lock
stays until the last of them has ended, whichever of them were killed."""

WRITTEN = ("_build", "notebooks", ".snakemake")
"""Folders that a build writes to."""

PAUSE = 0.1
"""Seconds between two looks at what is waited for."""


class Stopped(Exception):
    """The build has to end, and why."""


class Watch:
    """Notes signals that ask for an end, and whether the process that asked for the build still lives."""

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._signal = ""
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, self._note)

    def _note(self, number: int, _: object) -> None:
        self._signal = signal.Signals(number).name

    def pause(self) -> None:
        """Wait a moment.

        Raises:
            Stopped: if the build has to end.
        """
        time.sleep(PAUSE)
        if self._signal:
            raise Stopped(self._signal)
        if os.getppid() != self._parent:
            raise Stopped("what asked for it was killed")


def main(command: Sequence[str]) -> int:
    """Run the command as the only build of this checkout; returns its exit code, or 130 if it was stopped."""
    watch = Watch()
    try:
        for folder in WRITTEN:
            _require_writable(Path(folder))
        with LOCK.open("a+") as lock:
            wait_for(lock, watch)
            return run(command, lock, watch)
    except Stopped as why:
        print(f"The build was stopped ({why}). The next one goes on from here.", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"The build can't start: {error}", file=sys.stderr)
        return 2


def _require_writable(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as trial:
        trial.write(bytes(2**16))  # a full disk takes the file, but not what is in it


def wait_for(lock: IO[str], watch: Watch) -> None:
    """Take the lock, after what else builds in this checkout has ended.

    Raises:
        Stopped: if the build has to end before.
    """
    said = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if not said:
                lock.seek(0)
                print(f"Waiting for what process {lock.read()} builds in this checkout.", file=sys.stderr)
            said = True
            watch.pause()
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()


def run(command: Sequence[str], lock: IO[str], watch: Watch) -> int:
    """Run a command in a session of its own, which holds the lock; returns its exit code.

    Raises:
        Stopped: if the build has to end, or the command was killed; nothing of its session is left then.
    """
    process = subprocess.Popen(command, stdin=lock, start_new_session=True)
    try:
        while (code := process.poll()) is None:
            watch.pause()
        if code < 0:
            raise Stopped(f"{signal.Signals(-code).name} to {Path(command[0]).name}")
        return code
    except Stopped:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # there is nothing left, or only what ends
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
