"""How surprising a model finds a text: a measure of quality when the model is another one than its writer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from a2a.models.pretrained import PretrainedModel


def perplexity(model: PretrainedModel, prompts: Sequence[str], texts: Sequence[str], *, batch: int = 16) -> np.ndarray:
    """exp of the mean negative log-likelihood of a text's tokens after its prompt, (len(texts),); NaN for no tokens.

    The text's tokens are its own, made without the prompt: the model may have split the whole differently. The start of
    an over-long prompt is cut off.
    """
    pairs = [_ids(model, prompt, text) for prompt, text in zip(prompts, texts, strict=True)]
    order = sorted(range(len(pairs)), key=lambda i: sum(map(len, pairs[i])))  # similar lengths share a batch
    surprises = np.full(len(pairs), np.nan)
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        surprises[chosen] = _surprise(model, [pairs[i] for i in chosen])
    return np.exp(surprises)


def _ids(model: PretrainedModel, prompt: str, text: str) -> tuple[list[int], list[int]]:
    new = model.tokenizer(text, add_special_tokens=False)["input_ids"][: model.context - 1]
    return model.tokens(prompt, model.context - len(new))[0], new


@torch.inference_mode()
def _surprise(model: PretrainedModel, pairs: list[tuple[list[int], list[int]]]) -> np.ndarray:
    longest = max(len(prompt) + len(text) for prompt, text in pairs)
    rows = [prompt + text for prompt, text in pairs]
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=model.model.device)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=model.model.device)
    logits = model.model(input_ids=ids, attention_mask=mask).logits
    surprises = []
    for (prompt, text), row, tokens in zip(pairs, logits, ids, strict=True):
        here = slice(len(prompt), len(prompt) + len(text))
        before = row[here.start - 1 : here.stop - 1].float().log_softmax(-1)
        surprises.append(-before.gather(1, tokens[here, None]).mean().item() if text else np.nan)
    return np.array(surprises)
