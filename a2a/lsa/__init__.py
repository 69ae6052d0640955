"""The linear self-attention transformer: with constructed weights, and trained (torch)."""

from a2a.lsa.blocks import acting_blocks, own_term
from a2a.lsa.closeness import relative_step_error
from a2a.lsa.layer import LinearSelfAttention, LSAAgent
from a2a.lsa.lipschitz import jacobian, own_variation, product_variation
from a2a.lsa.recipe import Recipe
from a2a.lsa.training import train_lsa

__all__ = [
    "LSAAgent",
    "LinearSelfAttention",
    "Recipe",
    "acting_blocks",
    "jacobian",
    "own_term",
    "own_variation",
    "product_variation",
    "relative_step_error",
    "train_lsa",
]
