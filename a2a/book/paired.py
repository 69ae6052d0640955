"""What changes of a study do, judged by the plan: by several judges at once, in tables and as evidence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from a2a.book.agreed import agreed, worst
from a2a.book.evidence import Evidence, at_least, at_most, different, same
from a2a.book.tables import Table
from a2a.dialogue.comparison import AT_LAST, AT_SOME, TURNS, Comparison, Loops, Values
from a2a.dialogue.plan import Plan
from a2a.dialogue.remedies import Judged, adjusted_by_judge
from a2a.intervals import Estimate, mean
from a2a.significance import p_in_words

Kind = Callable[[Estimate, float, float], Evidence]
"""What a mean change says, by its margin and its adjusted p-value."""

ANSWERS = {"supported": "the same", "contradicted": "different", "undecided": "undecided"}
QUESTIONS = (AT_SOME, AT_LAST, TURNS)


def stays(change: Estimate, margin: float, p: float) -> Evidence:
    """Whether something stays as it is."""
    return same(change, margin=margin, p=p)


def falls(change: Estimate, margin: float, p: float) -> Evidence:
    """Whether something becomes less; what lies within the margin is no change."""
    return different(change, -1, p=p, margin=margin)


@dataclass(frozen=True)
class Paired:
    """Studies against the main one.

    Attributes:
        comparison: which conversations pair up.
        loops: what is found in each study, by distance.
        plan: the margins, levels and the power.
        seed, draws: of bootstraps and random signs; each starts from the seed, so that a change has one interval.
    """

    comparison: Comparison
    loops: Mapping[str, Loops]
    plan: Plan
    seed: int
    draws: int

    def margin(self, question: str) -> float:
        """The plan's margin for one of QUESTIONS."""
        return self.plan.margins["turns" if question == TURNS else "share"]

    def outcomes(self, question: str) -> dict[str, Values]:
        """What is found of each conversation, by distance and study."""
        return {by: found.outcomes()[question] for by, found in self.loops.items()}

    def estimate(self, change: np.ndarray) -> Estimate:
        """A mean change of pairs with its interval."""
        return mean(change, np.random.default_rng(self.seed), self.draws, "pairs")

    def p_values(self, judged: Judged) -> dict[str, dict[str, float]]:
        """By judge and study, adjusted for all studies."""
        return adjusted_by_judge(judged, np.random.default_rng(self.seed), self.draws)

    def changes(self, studies: Sequence[str], question: str) -> dict[str, dict[str, np.ndarray]]:
        """The change of each pair, (pairs,), by study and distance."""
        values = self.outcomes(question)
        return {study: {by: self.comparison.change(study, of) for by, of in values.items()} for study in studies}

    def same(self, studies: Sequence[str], question: str) -> dict[str, Evidence]:
        """Whether the answer to a question is that of the main study, for each of some studies."""
        margins = dict.fromkeys(self.loops, self.margin(question))
        return self.judged(self.changes(studies, question), stays, margins)

    def judged(self, judged: Judged, kind: Kind, margins: Mapping[str, float]) -> dict[str, Evidence]:
        """The evidence on each study, of all its judges together; if that is undecided, how many pairs would decide.

        Args:
            judged: the change of each pair, by study and judge; p-values are adjusted for all studies.
            margins: by judge.
        """
        p_values = self.p_values(judged)
        found = {}
        for study, by in judged.items():
            each = {
                judge: kind(self.estimate(one), margins[judge], p_values[judge][study]) for judge, one in by.items()
            }
            undecided = [judge for judge, one in each.items() if one.verdict == "undecided"]
            apart = agreed({judge: replace(one, note="") for judge, one in each.items()})
            more = self.plan.until_decided([by[judge] for judge in undecided], [margins[judge] for judge in undecided])
            found[study] = replace(apart, note="; ".join(filter(None, [apart.note, more])))
        return found

    def no_worse(self, changes: Mapping[str, np.ndarray]) -> Evidence:
        """Whether no measure of quality gets worse by more than the plan's margin.

        Args:
            changes: of each pair, (pairs,), by measure; NaN where it is unknown.
        """
        found: dict[str, Evidence] = {}
        for what, change in changes.items():
            margin, estimate = self.plan.quality[what], self.estimate(change)
            found[what] = at_most(estimate, margin) if margin > 0 else at_least(estimate, margin)
        together = worst(found)
        if together.verdict != "undecided":
            return together
        needed = {
            what: self.plan.pairs_for_no_worse(changes[what], self.plan.quality[what])
            for what, one in found.items()
            if one.verdict == "undecided"
        }
        told = ", ".join(f"{what} {'unknown' if many is None else f'{many:,}'}" for what, many in needed.items())
        have = min(int(np.sum(~np.isnan(changes[what]))) for what in needed)
        note = f"pairs needed with a power of {self.plan.power:g}, if nothing changes: {told}; there are {have}"
        return replace(together, note=note)

    def table(self, studies: Mapping[str, str], unjudged: Collection[str] = ()) -> Table:
        """A row for each study and question, the distances side by side, with p-values and the answer by the plan.

        Args:
            studies: what each is called.
            unjudged: those to which the distances may give no answer.
        """
        rows = []
        for question in QUESTIONS:
            p_values = self.p_values(self.changes(list(studies), question))
            answers = self.same(list(studies), question)
            for study, what in studies.items():
                cells = self._cells(study, question, slice(None))
                told = [text for by, two in cells.items() for text in (*two, p_in_words(p_values[by][study]))]
                pairs = len(self.comparison.ids[study])
                answer = ANSWERS[answers[study].verdict] if pairs >= self.plan.fewest else "too few pairs"
                rows.append([what, question, pairs, *told, "" if study in unjudged else answer])
        columns = [name for by in self.loops for name in (by, "change", "p")]
        return Table(["study", "in a loop", "pairs", *columns, "answer"], _by_study(rows), "all pairs")

    def table_of(self, new: Mapping[str, np.ndarray], studies: Mapping[str, str]) -> Table:
        """The numbers of `table` for some of the pairs, without an answer; a study without such a pair has no row.

        Args:
            new: which of a study's pairs count, (pairs,), by study.
            studies: what each is called.
        """
        rows = []
        for question in QUESTIONS:
            for study in (one for one in studies if new[one].any()):
                told = [text for two in self._cells(study, question, new[study]).values() for text in two]
                rows.append([studies[study], question, new[study].sum(), *told])
        columns = [name for by in self.loops for name in (by, "change")]
        return Table(["study", "in a loop", "pairs", *columns], _by_study(rows), "the new pairs alone")

    def _cells(self, study: str, question: str, among: np.ndarray | slice) -> dict[str, tuple[str, str]]:
        """From what to what an outcome changes and by how much, by distance."""
        found = {}
        for by, values in self.outcomes(question).items():
            before, after = self.comparison.of_main(study, values)[among], values[study][among]
            form, summed = ("{:.2f} to {:.2f}", np.mean) if question == TURNS else ("{:.0f} to {:.0f}", np.sum)
            found[by] = form.format(summed(before), summed(after)), self.estimate(after - before).shown("+.2f")
        return found


def _by_study(rows: Sequence[list[Any]]) -> list[list[Any]]:
    """Rows of the same study one after the other, the studies in the order in which they come."""
    order = list(dict.fromkeys(row[0] for row in rows))
    return sorted(rows, key=lambda row: order.index(row[0]))
