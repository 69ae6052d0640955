"""Layers and prompts for the tests of linear self-attention."""

import numpy as np
import torch

from a2a.lsa import LinearSelfAttention


def examples(seed, n, d, batch=()):
    """X, y and w of standard normal numbers, as tensors."""
    rng = np.random.default_rng(seed)
    return (torch.asarray(rng.standard_normal(shape)) for shape in ((*batch, n, d), (*batch, n), (*batch, d)))


def random_layer(seed, d):
    """All of V and W at random."""
    return LinearSelfAttention(d, generator=torch.Generator().manual_seed(seed % 2**31), scale=1.0)


def nearly(rng, d, eta, off):
    """The constructed layer with weights that are off by standard normal numbers times `off`."""
    layer = LinearSelfAttention.gradient_step(d, eta)
    for part in (layer.V, layer.W):
        part += off * torch.from_numpy(rng.standard_normal(tuple(part.shape)))
    return layer


def fresh_prompts(d, n, scale=1.0, count=500):
    """X, y and w of prompts without label noise."""
    generator = torch.Generator().manual_seed(99)
    X, theta, w = (torch.randn(count, *shape, d, generator=generator).double() for shape in ((n,), (), ()))
    X = scale * X
    return X, (X @ theta[..., None])[..., 0], w
