"""What language models are known to do with such a task, played by the local server over real HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from a2a.chat.experiment import Asking, Experiment
from a2a.chat.lineup import LineUp


def failures(eta: float, n: int) -> dict[str, str]:
    """By the name that the local server knows it under: what is rehearsed, where eta is asked for on n examples."""
    return {
        "gradient+reasoning": "reasoning around the answer, with wrong vectors in it",
        "gradient+429x6": "rate limits: 429 with Retry-After",
        "gradient:jump=1": "the least-squares solution at once",
        f"gradient:eta={eta / 2:g}": "half the step",
        f"gradient:eta={eta * n:g}": "the division by n forgotten",
        "gradient:copy=1": "w repeated",
        "gradient:slip=0.1": "right nine times in ten, else one coordinate off",
        "gradient+length": "cut off at the token limit",
        "gradient+refusal": "a refusal",
    }


def rehearsal(names: Mapping[str, str], asking: Asking) -> Experiment:
    """An experiment with these agents on a local server, in whatever mode another one is."""
    line_up = LineUp(list(names), list(names), {}, "live", "", Path())
    return Experiment(line_up, asking, {"backoff": 0.05})
