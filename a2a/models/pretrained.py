"""Models that run on this machine, through transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from a2a.models import weights
from a2a.models.protocol import Continuation, Sampling
from a2a.models.sampler import Sampler

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class PretrainedModel:
    """A causal language model of transformers with its tokenizer.

    Args:
        model, tokenizer: as transformers loads them.
        name: for people and the record.
        source: where it came from, for the record.
        chat_template: put each text as a user's message into the tokenizer's chat template.
        context: tokens it can hold, if fewer than its configuration says.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        name: str,
        *,
        source: str = "",
        chat_template: bool = False,
        context: int | None = None,
    ) -> None:
        from transformers import GenerationConfig

        if chat_template and not tokenizer.chat_template:
            raise ValueError(f"{name} has no chat template")
        self.model, self.tokenizer, self.name, self.source = model.eval(), tokenizer, name, source
        self.chat_template = chat_template
        self.size: int | None = model.num_parameters()
        own = getattr(model.config, "max_position_embeddings", None) or context or 2**31
        self.context = min(own, context or own)
        self._ends = _end_tokens(model, tokenizer)
        # sampling defaults that a model comes with would be applied on top of ours
        pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(self._ends, default=0)
        model.generation_config = GenerationConfig(
            do_sample=False, eos_token_id=sorted(self._ends) or None, pad_token_id=pad, use_cache=True
        )
        self._pad = pad

    def __repr__(self) -> str:
        return f"PretrainedModel({self.name!r}, {self.size:,} parameters)"

    @torch.inference_mode()
    def __call__(self, texts: Sequence[str], sampling: Sampling, seeds: Sequence[int]) -> list[Continuation]:
        from transformers import LogitsProcessorList

        if not texts:
            return []
        read = [self.tokens(text, self.context - sampling.max_new_tokens) for text in texts]
        prompts = [tokens for tokens, _ in read]
        longest = max(map(len, prompts))
        device = self.model.device
        ids = torch.tensor([[self._pad] * (longest - len(row)) + row for row in prompts], device=device)
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in prompts], device=device)
        written = self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=sampling.max_new_tokens,
            logits_processor=LogitsProcessorList([Sampler(sampling, seeds, prompts)]),
        )[:, longest:].tolist()
        return [
            self._continuation(row, len(tokens), dropped) for row, (tokens, dropped) in zip(written, read, strict=True)
        ]

    def describe(self) -> dict[str, Any]:
        """What a reader needs to get the same model again."""
        return {
            "name": self.name,
            "size": self.size,
            "source": self.source,
            "architecture": type(self.model).__name__,
            "dtype": str(self.model.dtype).removeprefix("torch."),
            "chat_template": self.chat_template,
            "context": self.context,
        }

    def tokens(self, text: str, room: int) -> tuple[list[int], int]:
        """The text's tokens, at most `room`: the start is cut off, but for a begin-of-text token; and how many were."""
        if room < 1:
            raise ValueError(f"{self.name} holds {self.context} tokens: max_new_tokens must be fewer")
        if self.chat_template:
            messages = [{"role": "user", "content": text}]
            ids = self.tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)[
                "input_ids"
            ]
        else:
            ids = self.tokenizer(text)["input_ids"]
        begin = self.tokenizer.bos_token_id
        if not ids:  # an empty text still needs something to continue
            ids = [begin if begin is not None else self._pad]
        dropped = max(len(ids) - room, 0)
        if dropped and ids[0] == begin and room > 1:
            return [begin, *ids[len(ids) - room + 1 :]], dropped
        return ids[dropped:], dropped

    def _continuation(self, row: list[int], prompt_tokens: int, dropped: int) -> Continuation:
        end = next((position for position, token in enumerate(row) if token in self._ends), None)
        new = row if end is None else row[:end]
        text = self.tokenizer.decode(new, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        finish = "length" if end is None else "stop"
        return Continuation(text, prompt_tokens, len(new) + (end is not None), finish, dropped)


def load_pretrained(
    spec: str, *, device: str = "cpu", dtype: str = "float32", chat_template: bool = False, context: int | None = None
) -> PretrainedModel:
    """A model from the hub ("hf:owner/name"), an installed package ("gguf:package"), a local folder or .gguf file.

    Raises:
        ValueError: if the dtype isn't known or a package's file isn't the one with the known hash.
        OSError: if there are no weights as safetensors: a pickle isn't loaded.
        ModuleNotFoundError: if something must be installed first.
    """
    try:
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(f"{spec} needs: pip install transformers accelerate") from missing
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {dtype!r}")
    where, name = _locate(spec)
    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(where)
    model: Any = AutoModelForCausalLM.from_pretrained(where, dtype=DTYPES[dtype], use_safetensors=True)
    model.to(device)
    return PretrainedModel(model, tokenizer, name, source=_source(spec), chat_template=chat_template, context=context)


def _locate(spec: str) -> tuple[str | Path, str]:
    kind, _, rest = spec.partition(":")
    if kind == "hf":
        return rest, rest
    if kind == "gguf":
        return weights.dense_copy(rest), weights.package(rest).name
    if spec.endswith(".gguf"):
        return weights.dense_copy_of(Path(spec)), Path(spec).stem
    return Path(spec), Path(spec).resolve().name


def _source(spec: str) -> str:
    kind, _, rest = spec.partition(":")
    if kind == "gguf":
        return f"{spec} (SHA-256 {weights.package(rest).sha256})"
    return spec if kind == "hf" else "local"  # a machine's path says nothing to a reader elsewhere


def _end_tokens(model: Any, tokenizer: Any) -> set[int]:
    """Every token that a model may end its text with, as its generation configuration and its tokenizer say."""
    own = model.generation_config.eos_token_id if model.generation_config is not None else None
    listed = own if isinstance(own, list) else [own]
    return {token for token in (*listed, tokenizer.eos_token_id) if token is not None}
