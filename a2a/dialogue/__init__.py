"""Two language models talking: models, conversations, metrics, convergence, interventions and seed sentences."""

from a2a.dialogue.conversation import converse
from a2a.dialogue.models import Continuation, LanguageModel, Sampling, load_model
from a2a.dialogue.records import Conversations, read_conversations, recorded
from a2a.dialogue.seeds import Seed, load_seeds, spread
from a2a.dialogue.study import Study

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
