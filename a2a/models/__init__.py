"""Language models: what one is, and how one is loaded by its name."""

from a2a.models.loading import load_model
from a2a.models.protocol import Continuation, LanguageModel, Sampling
from a2a.models.recorded import RecordedModel

__all__ = ["Continuation", "LanguageModel", "RecordedModel", "Sampling", "load_model"]
