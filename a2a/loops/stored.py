"""Vectors of texts, kept in a file by the hash of the text."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save


class Stored:
    """Vectors in a file, by the hash of their text. Of two processes that add at once, one's additions are lost.

    Args:
        file: one that isn't there holds none.
        made_by: the model of the vectors, in words; another model's are refused.
    """

    def __init__(self, file: Path, made_by: str) -> None:
        self.file, self.made_by = file, made_by

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
            whole.write_bytes(save(tensors, metadata={"made by": self.made_by}))
            whole.replace(self.file)

    def _read(self) -> dict[bytes, np.ndarray]:
        if not self.file.exists():
            return {}
        with safe_open(self.file, framework="np") as stored:
            said = stored.metadata() or {}
            if said.get("made by") != self.made_by:
                raise ValueError(f"{self.file.name} should hold vectors of {self.made_by}, but says {said}")
            digests, vectors = stored.get_tensor("digests"), stored.get_tensor("vectors")
        wide = vectors.astype(float)
        if vectors.dtype == np.float16:  # rounding made them a little shorter or longer than 1
            wide /= np.linalg.norm(wide, axis=-1, keepdims=True)
        return dict(zip(map(bytes, digests), wide, strict=True))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
