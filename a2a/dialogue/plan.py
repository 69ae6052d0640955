"""The plan of the evidence: margins, levels and numbers of conversations that were fixed before the data were read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import yaml

from a2a.loops.metrics import METRICS
from a2a.places import book_root, read_given
from a2a.samples import known

LEVELS = ("same", "different", "p")
MARGINS = ("share", "turns", "kappa", "false_alarms", "auc", "onset")
QUALITY = ("log perplexity", "coherence", "distinct-2")
QUESTION = ("estimate", "kind", "studies", "labels", "note", "why")


@dataclass(frozen=True)
class Plan:
    """What is asked of the conversations, and how it is answered.

    Attributes:
        levels: of the interval that shows that something is the "same", of the one that shows that it is "different",
            and "p", below which an adjusted p-value must lie for that.
        power: of the numbers of conversations that would decide.
        margins: by name, see MARGINS.
        quality: how much worse is no worse, by measure of quality; negative where less is worse.
        distances: which must say the same.
        studies: how many conversations each study has in the end.
        questions: what is asked for each claim, by its id.
    """

    levels: Mapping[str, float]
    power: float
    margins: Mapping[str, float]
    quality: Mapping[str, float]
    distances: tuple[str, ...]
    studies: Mapping[str, int]
    questions: Mapping[str, Mapping[str, Any]]

    @property
    def fewest(self) -> int:
        """Conversations that an answer takes: of fewer, none may be of a kind that makes up a share like the margin."""
        return math.ceil(math.log(self.levels["p"]) / math.log(1 - self.margins["share"]))

    def asked_of(self, claim: str) -> list[str]:
        """The studies that a claim's question is about; all of them where it says so."""
        studies = self.questions[claim].get("studies", [])
        return list(self.studies if studies == "all" else studies)

    def pairs_for_same(self, change: np.ndarray, margin: float) -> int | None:
        """How many pairs show "the same" as often as the power says, if on average nothing changes at all.

        Args:
            change: of each pair at hand, (n,), NaN where it is unknown; its spread is taken for that of others, too.
            margin: within which the interval must lie.

        Returns:
            None if fewer than two changes are known, or if all are equal: then nothing tells the spread.
        """
        return _pairs(change, margin, (1 + self.levels["same"]) / 2, (1 + self.power) / 2)

    def pairs_for_different(self, change: np.ndarray) -> int | None:
        """How many pairs show a change as large as the one seen as often as the power says; see `pairs_for_same`.

        Returns:
            None also if the mean change is 0.
        """
        seen = known("change", change)
        middle = float(seen.mean()) if seen.size else 0.0
        return _pairs(seen, middle, (1 + self.levels["different"]) / 2, self.power) if middle else None

    def pairs_for_no_worse(self, change: np.ndarray, margin: float) -> int | None:
        """How many pairs show "no worse by the margin" as often as the power says; see `pairs_for_same`."""
        return _pairs(change, margin, (1 + self.levels["different"]) / 2, self.power)

    def until_decided(self, changes: Sequence[np.ndarray], margins: Sequence[float]) -> str:
        """How many pairs would decide about changes that are all undecided, in words; nothing if there are none.

        Args:
            changes: of each pair, one row (n,) a judge.
            margins: of the judges.
        """
        if not changes:
            return ""
        none = [self.pairs_for_same(change, margin) for change, margin in zip(changes, margins, strict=True)]
        seen = [self.pairs_for_different(change) for change in changes]
        told = [
            f"{max(many):,} to show {what}"
            for what, many in (("that nothing changes", _known(none)), ("a change like this one", _known(seen)))
            if len(many) == len(changes)
        ]
        have = min(int(np.sum(~np.isnan(change))) for change in changes)
        if not told:
            return f"{have} pairs don't say how many would decide"
        return f"pairs needed with a power of {self.power:g}: {', '.join(told)}; there are {have}"


def _known(many: Sequence[int | None]) -> list[int]:
    return [one for one in many if one is not None]


def load_plan(file: str | Path | None = None) -> Plan:
    """The plan in a YAML file; None is the one that lies beside the book's conversations.

    Raises:
        FileNotFoundError: if no file is given and there is no book here.
        ValueError: if the file isn't a plan: it says what is wrong in one line.
    """
    if file is None:
        if (root := book_root()) is None:
            raise FileNotFoundError("the plan is looked for in the book's folder of conversations: no book here")
        file = root / "conversations" / "plan.yml"
    path = Path(file)
    try:
        return _plan(yaml.safe_load(read_given(path)))
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} isn't YAML: {' '.join(str(error).split())}") from None
    except _Wrong as error:
        raise ValueError(f"{path.name}: {error}") from None


def _pairs(change: np.ndarray, margin: float, sure: float, power: float) -> int | None:
    changes = known("change", change)
    if changes.size < 2 or not np.ptp(changes):
        return None
    ends = NormalDist().inv_cdf(sure) + NormalDist().inv_cdf(power)
    return math.ceil((ends * float(np.std(changes, ddof=1)) / margin) ** 2)


class _Wrong(Exception):
    """What is wrong with a plan."""


def _plan(content: Any) -> Plan:
    told = _mapping(content, "the plan")
    margins = _mapping(told.get("margins"), "margins")
    studies = _mapping(told.get("studies"), "studies")
    distances = told.get("distances")
    if not isinstance(distances, list) or not distances or not all(name in METRICS for name in distances):
        raise _Wrong(f"distances must be a list of some of {', '.join(METRICS)}, got {distances!r}")
    for name, many in studies.items():
        if type(many) is not int or many < 1:
            raise _Wrong(f"studies: {name} must be a whole number from 1, got {many!r}")
    return Plan(
        levels=_numbers(told.get("levels"), "levels", LEVELS, of_shares=True),
        power=_number(told.get("power"), "power", is_share=True),
        margins=_numbers({name: margins.get(name) for name in MARGINS}, "margins", MARGINS),
        quality=_numbers(margins.get("quality"), "margins: quality", QUALITY),
        distances=tuple(distances),
        studies=studies,
        questions=_questions(told.get("questions"), studies),
    )


def _questions(content: Any, studies: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    questions = {id: _mapping(one, f"questions: {id}") for id, one in _mapping(content, "questions").items()}
    for id, one in questions.items():
        if not {"estimate", "kind"} <= one.keys() <= set(QUESTION):
            may = ", ".join(QUESTION[2:])
            raise _Wrong(f"questions: {id} has an estimate, a kind and perhaps {may}, got {', '.join(one)}")
        named = one.get("studies", [])
        if named != "all" and not (isinstance(named, list) and all(name in studies for name in named)):
            raise _Wrong(f'questions: {id}: studies must be "all" or a list of some of those above, got {named!r}')
    return questions


def _mapping(content: Any, what: str) -> dict[str, Any]:
    if not isinstance(content, dict) or not content:
        raise _Wrong(f"{what} must be named entries, got {content!r}")
    return {str(name): value for name, value in content.items()}


def _numbers(content: Any, what: str, names: tuple[str, ...], *, of_shares: bool = False) -> dict[str, float]:
    told = _mapping(content, what)
    if told.keys() != set(names):
        raise _Wrong(f"{what} must have {', '.join(names)}, got {', '.join(told)}")
    return {name: _number(told[name], f"{what}: {name}", is_share=of_shares) for name in names}


def _number(value: Any, what: str, *, is_share: bool = False) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or (is_share and not 0 < value < 1):
        raise _Wrong(f"{what} must be a {'number between 0 and 1' if is_share else 'finite number'}, got {value!r}")
    return float(value)
