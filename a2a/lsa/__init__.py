"""The linear self-attention transformer: with constructed weights, and trained (torch)."""

from a2a.lsa.layer import LinearSelfAttention, LSAAgent, acting_blocks, own_forms, own_term
from a2a.lsa.lipschitz import jacobian, own_variation, product_variation
from a2a.lsa.training import Recipe, relative_step_error, train_lsa

__all__ = [
    "LSAAgent",
    "LinearSelfAttention",
    "Recipe",
    "acting_blocks",
    "jacobian",
    "own_forms",
    "own_term",
    "own_variation",
    "product_variation",
    "relative_step_error",
    "train_lsa",
]
