"""A language model by its name: from the hub, a folder, a GGUF file or package, a server, or a script."""

from __future__ import annotations

from pathlib import Path

from a2a.models.protocol import LanguageModel
from a2a.secrets import scrub


def load_model(
    spec: str, *, device: str = "cpu", dtype: str = "float32", chat_template: bool = False, context: int | None = None
) -> LanguageModel:
    """A model by its specification.

    Args:
        spec: "hf:owner/name" (the Hugging Face hub), a local folder or .gguf file, "gguf:package" (a GGUF file from an
            installed package), "http://host:port/v1#model" (an OpenAI-compatible server), or "scripted:words".
        device: "cpu", "cuda", "cuda:1", ...; only for models that run here.
        dtype: "float32", "bfloat16" or "float16"; only for models that run here.
        chat_template: put each text as a user's message into the model's chat template. Off, as in paper B.
        context: tokens the model can hold, if fewer than it says itself.

    Raises:
        ValueError: if the specification has none of these forms, or asks for what the kind can't do.
        ModuleNotFoundError: if something must be installed first; it says what.
    """
    if spec.startswith("scripted:"):
        from a2a.models.scripted import named

        return named(spec.removeprefix("scripted:"))
    if spec.startswith(("http://", "https://")):
        from a2a.models.served import ServedModel

        if chat_template:
            raise ValueError("a server continues raw text here: chat_template is for models that run on this machine")
        return ServedModel.from_spec(spec, context=context)
    if not spec.startswith(("hf:", "gguf:")) and not (spec and Path(spec).exists()):
        raise ValueError(
            f'model must be "hf:owner/name", an existing folder or .gguf file, "gguf:package", '
            f'"http://host:port/v1#model" or "scripted:words", got {scrub(spec)!r}'
        )
    from a2a.models.pretrained import load_pretrained

    return load_pretrained(spec, device=device, dtype=dtype, chat_template=chat_template, context=context)
