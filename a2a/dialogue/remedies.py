"""What remedies against loops do, and who may judge it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from a2a.dialogue.comparison import Comparison, Values
from a2a.dialogue.interventions import Intervention
from a2a.dialogue.labelled import readers_change
from a2a.loops.labels import Label
from a2a.significance import adjusted_p

Judged = Mapping[str, Mapping[str, np.ndarray]]
"""The change of each pair of conversations, (pairs,), by study and judge."""

OWN_JUDGE = "Jaccard"
"""The distance by which the novelty rule accepts an output, so that it can't judge that rule."""


def judges_of(
    study: str,
    rule: Intervention,
    comparison: Comparison,
    share_of_turns: Mapping[str, Values],
    labels: Iterable[Label],
) -> dict[str, np.ndarray]:
    """The change that each judge sees in a study, a conversation each; those who see fewer than two are left out.

    Args:
        rule: the study's intervention; where it goes by novelty, the readers stand in for the Jaccard distance.
        share_of_turns: the share of turns in a loop, by distance and study.
        labels: of all readers.
    """
    judges = {by: comparison.change(study, values) for by, values in share_of_turns.items()}
    if rule.novelty:
        judges.pop(OWN_JUDGE, None)
        judges["readers"] = readers_change(labels, study, comparison.ids[study], comparison.main)
    return {by: change for by, change in judges.items() if np.sum(~np.isnan(change)) >= 2}


def adjusted_by_judge(judged: Judged, rng: np.random.Generator, draws: int) -> dict[str, dict[str, float]]:
    """The p-values of the changes, by judge and study, adjusted for as many studies as there are.

    A judge of few of them stands in for another one, so that its p-values are adjusted for all studies, too.

    Args:
        judged: what `judges_of` gives, by study.
    """
    found = {}
    for judge in dict.fromkeys(by for judges in judged.values() for by in judges):
        changes = {study: by.get(judge, np.zeros(0)) for study, by in judged.items()}  # nothing has a p-value of 1
        p_values = adjusted_p(changes, rng, draws)
        found[judge] = {study: p_values[study] for study, by in judged.items() if judge in by}
    return found
