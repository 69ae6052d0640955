"""A program at a terminal: what it shows is read, what a person types is sent."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time


class Terminal:
    """`python -m a2a` with arguments, at a terminal of so many columns and lines; `with` ends it."""

    def __init__(self, *arguments, folder, columns=80, lines=24):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "a2a", *map(str, arguments)],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(theirs)
        self.shown = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def until(self, text, seconds=120):
        """What is shown up to a text, from where the last look ended."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < deadline, f"no {text!r} in {self.shown!r}"
            if select.select([self._ours], [], [], 1)[0]:
                self.shown += self._read()
        before, _, self.shown = self.shown.partition(text)
        return before.replace("\r\n", "\n")

    def type(self, *lines):
        """Send lines, one after the other."""
        for line in lines:
            os.write(self._ours, f"{line}\n".encode())

    def press(self, key):
        """Send a key as it is."""
        os.write(self._ours, key)

    def stopped_by(self, key, times=10):
        """As `ended`, after a key; Python may miss one that comes just before it waits for a line."""
        for _ in range(times):
            self.press(key)
            try:
                self.process.wait(10)
                break
            except subprocess.TimeoutExpired:
                continue
        return self.ended(1)

    def ended(self, seconds=120):
        """The exit code, and what is shown to the end."""
        code, rest = self.process.wait(seconds), self.shown
        while select.select([self._ours], [], [], 0.2)[0] and (new := self._read()):
            rest += new
        return code, rest.replace("\r\n", "\n")

    def _read(self):
        try:
            return os.read(self._ours, 65536).decode(errors="replace")
        except OSError:  # the other end is closed
            assert self.process.wait(60) is not None
            return ""
