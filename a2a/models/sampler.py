"""Drawing the next token: penalties, temperature, top-k, nucleus, and one uniform number a row that decides.

transformers draws from one global generator for a whole batch. Here each row has its own uniform numbers, so that a
conversation's randomness is its own; and the nucleus is found among the most likely tokens first, because sorting a
vocabulary of 262,144 for every row and token takes longer than a small model itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from a2a.models.protocol import COLDEST, Sampling

CANDIDATES = 256
"""Tokens searched for the nucleus before the whole vocabulary is."""


class Sampler:
    """A logits processor for `generate(do_sample=False)`: leaves one token a row, the one that was drawn.

    Args:
        sampling: see `Sampling`.
        seeds: one for each row.
        prompts: the token ids each row has read, without padding.
    """

    def __init__(self, sampling: Sampling, seeds: Sequence[int], prompts: Sequence[Sequence[int]]) -> None:
        self.sampling = sampling
        self.uniforms = uniforms(seeds, sampling.max_new_tokens)
        self.prompts = [list(prompt) for prompt in prompts]
        self.padded = max(len(prompt) for prompt in prompts)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        written = input_ids[:, self.padded :].tolist()
        scores = scores.float()
        if self.sampling.repetition_penalty != 1 or self.sampling.no_repeat_ngram_size:
            rows = [prompt + new for prompt, new in zip(self.prompts, written, strict=True)]
            scores = penalise(scores, rows, self.sampling)
        step = torch.as_tensor(self.uniforms[:, len(written[0])], device=scores.device)
        chosen = draw(scores, step, self.sampling)
        return torch.full_like(scores, -torch.inf).scatter(1, chosen[:, None], 0.0)


def uniforms(seeds: Sequence[int], n: int) -> np.ndarray:
    """n numbers in [0, 1) for each seed, (len(seeds), n): a row depends on its own seed only."""
    return np.stack([np.random.Generator(np.random.PCG64(seed)).random(n) for seed in seeds])


def penalise(scores: Tensor, rows: Sequence[Sequence[int]], sampling: Sampling) -> Tensor:
    """Scores (rows, vocabulary) after the repetition penalty and the ban on repeated n-grams."""
    scores = scores.clone()
    for row, tokens in zip(scores, rows, strict=True):
        if sampling.repetition_penalty != 1:
            seen = torch.tensor(sorted(set(tokens)), device=scores.device)
            values = row[seen]
            row[seen] = torch.where(
                values > 0, values / sampling.repetition_penalty, values * sampling.repetition_penalty
            )
        if banned := repeats(tokens, sampling.no_repeat_ngram_size):
            row[torch.tensor(banned, device=scores.device)] = -torch.inf
    return scores


def repeats(tokens: Sequence[int], n: int) -> list[int]:
    """The next tokens that would complete an n-gram which `tokens` already hold; n = 0 bans none."""
    if n == 0 or len(tokens) < n:
        return []
    tail = list(tokens[len(tokens) - n + 1 :])
    return sorted({tokens[i + n - 1] for i in range(len(tokens) - n + 1) if list(tokens[i : i + n - 1]) == tail})


def draw(scores: Tensor, uniform: Tensor, sampling: Sampling) -> Tensor:
    """One token for each row of scores (rows, vocabulary): the quantile `uniform` (rows,) of its nucleus."""
    if sampling.temperature < COLDEST:
        return scores.argmax(-1)
    scores = scores.double() if scores.shape[-1] <= CANDIDATES else scores
    limit = min(sampling.top_k or scores.shape[-1], scores.shape[-1])
    top, tokens = scores.topk(min(limit, max(CANDIDATES, sampling.top_k)), dim=-1)
    kept = top if sampling.top_k else scores
    log_mass = torch.logsumexp(kept / sampling.temperature, -1, keepdim=True)
    chosen = _invert((top / sampling.temperature - log_mass).exp().double(), tokens, uniform, sampling.top_p)
    if top.shape[-1] < limit:
        wide = (top / sampling.temperature - log_mass).exp().double().sum(-1) < sampling.top_p
        if wide.any():
            top, tokens = scores[wide].sort(dim=-1, descending=True)
            probabilities = (top / sampling.temperature - log_mass[wide]).exp().double()
            chosen[wide] = _invert(probabilities, tokens, uniform[wide], sampling.top_p)
    return chosen


def _invert(probabilities: Tensor, tokens: Tensor, uniform: Tensor, top_p: float) -> Tensor:
    """The token at `uniform` of the nucleus; probabilities (rows, n) fall, and `tokens` are whose they are."""
    before = probabilities.cumsum(-1) - probabilities
    nucleus = torch.where((before < top_p) | (before == 0), probabilities, 0.0).cumsum(-1)
    position = torch.searchsorted(nucleus, (uniform.double() * nucleus[:, -1])[:, None], right=True)
    return tokens.gather(1, position.clamp(max=tokens.shape[-1] - 1)).squeeze(1)
