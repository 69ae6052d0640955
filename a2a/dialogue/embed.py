"""Record embeddings of conversations: python -m a2a.dialogue.embed [--folder conversations].

Those of all texts of a folder, and of the conversations made by hand that rules are tried on, lie beside them, in
embeddings.safetensors: float16, by the hash of the text. A text that is there already keeps its vector.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from a2a.dialogue.records import RecordError, read_conversations
from a2a.loops.cases import cases
from a2a.loops.embeddings import RECORDED, Embedder, made_by
from a2a.loops.stored import Stored


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m a2a.dialogue.embed", description="Record embeddings.")
    parser.add_argument("--folder", type=Path, default=Path("conversations"), help="where the records lie")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    file = options.folder / RECORDED
    try:
        texts = sorted({*texts_of(options.folder), *(text for case in cases() for text in case.texts)})
        vectors = Embedder(recorded=file, device=options.device)(texts)
    except (FileNotFoundError, RecordError, ModuleNotFoundError) as error:
        print(f"embed: {error}", file=sys.stderr)
        return 1
    Stored(file, made_by()).replace(dict(zip(texts, vectors, strict=True)))
    print(f"{len(texts)} embeddings in {file}")
    return 0


def texts_of(folder: Path) -> list[str]:
    """Every text of the conversations in a folder, once.

    Raises:
        FileNotFoundError: if no conversation is there.
        RecordError: if a file isn't the record of a study.
    """
    told = [read_conversations(file) for file in sorted(folder.glob("*.jsonl"))]
    if not told:
        raise FileNotFoundError(f"no recorded conversations in {folder}")
    return sorted({text for one in told for texts in one.texts().values() for text in texts})


if __name__ == "__main__":
    raise SystemExit(main())
