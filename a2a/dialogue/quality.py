"""How good the text is: measures of every output, and their means over a conversation's outputs."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from a2a.dialogue.record import under_way
from a2a.dialogue.records import Conversations
from a2a.dialogue.score import add, load_perplexities, score
from a2a.dialogue.spotcheck import INCLUDED, PACKAGE
from a2a.dialogue.study import Study
from a2a.loops.coherence import reference
from a2a.loops.variety import distinct_n
from a2a.models.perplexity import perplexity
from a2a.models.pretrained import PretrainedModel, load_pretrained
from a2a.places import book_root

Perplexities = dict[tuple[str, str, int], float]
"""By study, conversation and turn."""


def perplexities(told: Mapping[str, Conversations], made: Mapping[str, Study]) -> Perplexities:
    """Those of conversations: live ones if there are studies with their models, else the book's recorded ones."""
    return live_perplexities(told, made) if made else recorded_perplexities()


def recorded_perplexities() -> Perplexities:
    """Those that lie beside the book's recorded studies.

    Raises:
        FileNotFoundError: if there is no book here.
    """
    if (root := book_root()) is None:
        raise FileNotFoundError("perplexities are looked for in the book's folder of conversations: no book here")
    return load_perplexities(root / "conversations" / "perplexity.csv")


def live_perplexities(told: Mapping[str, Conversations], studies: Mapping[str, Study]) -> Perplexities:
    """Those of conversations of loaded models, each computed once and kept beside the study's record.

    Args:
        told: the conversations that are judged, by study.
        studies: with their models; those that aren't judged are passed over.

    Returns:
        Nothing if a model is behind a server, which doesn't say how likely it finds a text.
    """
    known: Perplexities = {}
    for name, study in ((name, studies[name]) for name in told):
        first, second = study.models
        if not (isinstance(first, PretrainedModel) and isinstance(second, PretrainedModel)):
            return {}
        file = under_way(study).with_suffix(".csv")
        if not file.exists():
            add(score(told[name], first, second), file)
        known |= load_perplexities(file)
    return known


def computed_again(known: Perplexities, told: Conversations, conversations: Sequence[str]) -> np.ndarray:
    """Relative differences to recorded perplexities under the included model, of the second turns of a study.

    Returns:
        (n,), empty if that model isn't installed or isn't the study's first, by which second turns are judged.
    """
    source = str(told.study.first.describe().get("source", ""))
    if not conversations or not source.startswith(INCLUDED) or not importlib.util.find_spec(PACKAGE):
        return np.empty(0)
    model = load_pretrained(INCLUDED)
    asked = [one for one in told.only(conversations).outputs if one["turn"] == 2 and one["text"]]
    new = perplexity(model, [""] * len(asked), [one["text"] for one in asked])
    old = [known[told.study.name, one["conversation"], one["turn"]] for one in asked]
    return np.abs(new / old - 1)


def log_perplexities(known: Perplexities, study: str, ids: Sequence[str], turns: int) -> np.ndarray:
    """The natural logarithm of each output's perplexity, (conversations, turns); NaN where there is none."""
    rows = [[known.get((study, id, turn), np.nan) for turn in range(1, turns + 1)] for id in ids]
    return np.log(rows)


def each_output(conversations: Sequence[Sequence[str]], of: Callable[[Sequence[str]], np.ndarray]) -> np.ndarray:
    """Something of every output, (conversations, turns); `of` takes the outputs of one conversation."""
    return np.array([of(texts[1:]) for texts in conversations], dtype=float)


def measure_quality(told: Mapping[str, Conversations], known: Perplexities) -> dict[str, dict[str, np.ndarray]]:
    """The measures of quality of every output, each (conversations, turns), by measure and study.

    "log perplexity" is left out where no perplexity is known; "coherence" is the mean NPMI of a text's pairs of words,
    "distinct-2" the share of different pairs of neighbouring words.
    """
    texts = {name: list(one.texts().values()) for name, one in told.items()}
    found = {
        "coherence": {name: each_output(rows, reference().coherence) for name, rows in texts.items()},
        "distinct-2": {name: each_output(rows, lambda texts: distinct_n(texts, 2)) for name, rows in texts.items()},
    }
    if not known:
        return found
    logs = {name: log_perplexities(known, name, one.ids, one.study.turns) for name, one in told.items()}
    return {"log perplexity": logs, **found}


def mean_quality(told: Mapping[str, Conversations], known: Perplexities) -> dict[str, dict[str, np.ndarray]]:
    """The measures of quality, each a conversation's mean over its outputs, (conversations,), by measure and study.

    All outputs count, in loops and outside: which ones are in a loop is what a remedy changes.

    Args:
        told, known: see `measure_quality`.
    """
    return {
        what: {name: mean_over(values) for name, values in by_study.items()}
        for what, by_study in measure_quality(told, known).items()
    }


def mean_over(values: np.ndarray) -> np.ndarray:
    """A conversation's mean over the outputs that are known, (conversations,); NaN without any.

    values: (conversations, turns).
    """
    known = ~np.isnan(values)
    summed, count = np.where(known, values, 0).sum(axis=1), known.sum(axis=1)
    return np.divide(summed, count, where=count > 0, out=np.full(len(values), np.nan))
