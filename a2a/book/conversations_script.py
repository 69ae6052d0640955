"""What the page of conversations loads for each study: a script that hands it the texts, and what was said of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from a2a.book.shelf import Shelved, in_words
from a2a.loops.labels import Label
from a2a.printable import excerpt

LONGEST = 5000
"""Characters of a text that are shown."""


def study_script(shelved: Shelved) -> str:
    """JavaScript that hands the page what it shows of a study's conversations; texts are made printable."""
    study, told = shelved.told.study, shelved.told.texts()
    injected = _injected(shelved)
    head = {
        "study": shelved.name,
        "models": [_line(model.name) for model in study.models],
        "about": in_words(study),
        "rules": [
            {"name": one.rule.name, "metric": one.rule.metric, "threshold": round(float(one.rule.threshold), 4)}
            for one in shelved.judged
        ],
    }
    rows = [
        {
            "id": name,
            "texts": [excerpt(text, LONGEST) for text in texts],
            "injected": injected.get(name, {}),
            "distances": [_rounded(one.distances[row]) for one in shelved.judged],
            "loops": [[_ends(loop) for loop in one.loops[row]] for one in shelved.judged],
            "labels": [_label(label) for label in shelved.labels[name]],
        }
        for row, (name, texts) in enumerate(told.items())
    ]
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    return f'a2aConversations({json.dumps(head)[:-1]}, "conversations": [\n{lines}\n]}});\n'


def _injected(shelved: Shelved) -> dict[str, dict[int, str]]:
    """By conversation and turn, the sentences from outside that a model read last."""
    found: dict[str, dict[int, str]] = {}
    for output in shelved.told.outputs:
        if output["injected"] is not None:
            found.setdefault(output["conversation"], {})[output["turn"]] = _line(output["injected"])
    return found


def _label(label: Label) -> dict[str, Any]:
    loop = [label.onset, label.end] if label.loops else None
    return {"reader": _line(label.reader), "loop": loop, "sure": label.sure}


def _ends(loop: range) -> list[int]:
    return [loop[0], loop[-1]]


def _line(text: str) -> str:
    return excerpt(text, 200, one_line=True)


def _rounded(values: np.ndarray) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), 2) for value in values]
