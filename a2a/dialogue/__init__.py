"""Two language models talking: models, conversations, metrics, convergence, interventions and seed sentences."""

from a2a.dialogue.conversation import converse
from a2a.dialogue.records import Conversations, read_conversations, recorded
from a2a.dialogue.seeds import Seed, load_seeds, spread
from a2a.dialogue.study import Study
from a2a.models.loading import load_model
from a2a.models.protocol import Continuation, LanguageModel, Sampling

__all__ = [
    "Continuation",
    "Conversations",
    "LanguageModel",
    "Sampling",
    "Seed",
    "Study",
    "converse",
    "load_model",
    "load_seeds",
    "read_conversations",
    "recorded",
    "spread",
]
