"""What made a run: the versions of the package, of Python and of the libraries, and the commit."""

from __future__ import annotations

import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any


def provenance() -> dict[str, Any]:
    """Versions of the package, Python and what the package requires, and the commit (empty outside a git checkout)."""
    return {
        "version": metadata.version("a2a"),
        "commit": _commit(),
        "python": platform.python_version(),
        "libraries": {name: metadata.version(name) for name in _libraries()},
    }


def _libraries() -> list[str]:
    """What the package requires, and what of its extras is installed, but for the developers' own."""
    wanted = [text for text in metadata.requires("a2a") or [] if not re.search(r"extra == .dev", text)]
    installed = {one.name.lower().replace("_", "-") for one in metadata.distributions()}
    return sorted({name for text in wanted if (name := re.split(r"[^\w.-]", text)[0]).lower() in installed})


def _commit() -> str:
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]
    try:
        answer = subprocess.run(asked, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    except OSError:  # no git here
        return ""
    return answer.stdout.strip()
