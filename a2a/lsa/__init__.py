"""The linear self-attention transformer: with constructed weights, and trained (torch)."""

from a2a.lsa.layer import LinearSelfAttention, LSAAgent, acting_blocks
from a2a.lsa.training import Recipe, relative_step_error, train_lsa

__all__ = ["LSAAgent", "LinearSelfAttention", "Recipe", "acting_blocks", "relative_step_error", "train_lsa"]
