"""What the kernel of a run loads first, so that all output reaches the notebook, and no other place."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Prepare a kernel before its first cell."""
    _send_any_text(shell.kernel.session)
    _spare_the_terminal()


def _send_any_text(session: Any) -> None:
    """Halves of surrogate pairs, which a model's JSON may hold and nobody can send, go out as "\\u{d800}"."""
    pack = session.pack

    def pack_all(content: Any) -> bytes:
        try:
            return bytes(pack(content))
        except UnicodeEncodeError:  # without this, the whole output would be lost, and the run go on
            text = json.dumps(content, ensure_ascii=False, default=str)
            return re.sub("[\ud800-\udfff]", lambda half: rf"\\u{{{ord(half[0]):x}}}", text).encode()

    session.pack = pack_all


def _spare_the_terminal() -> None:
    """What a cell's processes print goes to the notebook alone; ipykernel would show it here, too, keys and all."""
    with open(os.devnull, "wb") as nowhere:
        for stream in (sys.stdout, sys.stderr):
            if (shown := getattr(stream, "_original_stdstream_copy", None)) is not None:
                os.dup2(nowhere.fileno(), shown)
