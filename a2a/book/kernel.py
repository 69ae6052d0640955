"""What the kernel of a run loads first, so that no output is lost for a letter that can't be sent."""

from __future__ import annotations

import json
import re
from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Let halves of surrogate pairs, which a model's JSON may hold, be sent as they are shown: "\\u{d800}"."""
    session = shell.kernel.session
    pack = session.pack

    def pack_all(content: Any) -> bytes:
        try:
            return bytes(pack(content))
        except UnicodeEncodeError:
            text = json.dumps(content, ensure_ascii=False, default=str)
            return re.sub("[\ud800-\udfff]", lambda half: rf"\\u{{{ord(half[0]):x}}}", text).encode()

    session.pack = pack_all
