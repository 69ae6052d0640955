"""How fluent recorded outputs are: the perplexity of each under the other model of its pair.

python -m a2a.dialogue.score [STUDY ...] [--folder conversations] adds what the folder's perplexity.csv lacks. An output
is a row, scored by itself, without the text that its writer read: after that text a repetition is no surprise, and a
loop would look fluent. Conversations are added as a whole, a few at a time: a killed run is gone on with by the next.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from a2a.dialogue.records import Conversations, RecordError, read_study
from a2a.models.perplexity import perplexity
from a2a.models.pretrained import PretrainedModel, load_pretrained

COLUMNS = ("study", "conversation", "turn", "model", "perplexity")
STUDIES = (
    "main",
    "hot",
    "temperature",
    "top_k",
    "repetition_penalty",
    "no_repeated_ngrams",
    "novelty",
    "inject_on_detection",
    "inject_every_5",
)
"""Those that the book compares by fluency: without and with each intervention."""

AT_ONCE = 10
"""Conversations that are scored before they are added to the file."""
Row = tuple[str, str, int, str, float]


def score(
    told: Conversations, first: PretrainedModel, second: PretrainedModel, conversations: Iterable[str] | None = None
) -> list[Row]:
    """The perplexities of a study's outputs, each under the model that didn't write it; rows of COLUMNS.

    Args:
        told: as recorded.
        first, second: the study's models.
        conversations: by name; None is all of them.
    """
    wanted = set(told.ids if conversations is None else conversations)
    rows: list[Row] = []
    for parity, reader in ((1, second), (0, first)):
        outputs = [one for one in told.outputs if one["turn"] % 2 == parity and one["conversation"] in wanted]
        values = perplexity(reader, [""] * len(outputs), [one["text"] for one in outputs])
        rows += [
            (told.study.name, one["conversation"], one["turn"], reader.name, float(value))
            for one, value in zip(outputs, values, strict=True)
        ]
    return sorted(rows)


def load_perplexities(file: str | Path) -> dict[tuple[str, str, int], float]:
    """By (study, conversation, turn); NaN for an output without tokens."""
    with Path(file).open(newline="", encoding="utf-8") as rows:
        return {
            (row["study"], row["conversation"], int(row["turn"])): float(row["perplexity"])
            for row in csv.DictReader(rows)
        }


def missing(told: Conversations, known: Iterable[tuple[str, str, int]]) -> list[str]:
    """The conversations of which not every recorded output is scored, in their order.

    Args:
        known: the study, conversation and turn of each scored output.
    """
    scored, name = set(known), told.study.name
    unscored = {one["conversation"] for one in told.outputs if (name, one["conversation"], one["turn"]) not in scored}
    return [id for id in told.ids if id in unscored]


def add(rows: Sequence[Row], file: Path) -> None:
    """Append rows to a file of perplexities; it is replaced as a whole, so that a killed run leaves no half row.

    Of two runs that add at once, the rows of one may be lost; the next run finds them missing.
    """
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        whole = Path(folder) / file.name
        with whole.open("w", newline="", encoding="utf-8") as content:
            writer = csv.writer(content, lineterminator="\n")
            if file.exists():
                content.write(file.read_text(encoding="utf-8"))
            else:
                writer.writerow(COLUMNS)
            writer.writerows((*row[:-1], f"{row[-1]:.5g}") for row in rows)
        whole.replace(file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m a2a.dialogue.score", description="Score recorded outputs.")
    parser.add_argument("studies", nargs="*", metavar="STUDY", default=STUDIES, help="if none: those of the book")
    parser.add_argument("--folder", type=Path, default=Path("conversations"), help="where the records lie")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    try:
        for name in options.studies:
            if rows := _score_study(name, options.folder, options.device):
                known = [math.log(row[-1]) for row in rows if not math.isnan(row[-1])]
                middle = math.exp(sum(known) / len(known)) if known else math.nan
                print(f"{name}: {len(rows)} outputs added, geometric mean of their perplexities {middle:.1f}")
    except (OSError, RecordError, ModuleNotFoundError) as error:
        print(f"score: {error}", file=sys.stderr)
        return 1
    return 0


def _score_study(name: str, folder: Path, device: str) -> list[Row]:
    """Add what is missing of all parts of a study; returns the rows that were added."""
    file, added = folder / "perplexity.csv", list[Row]()
    known = load_perplexities(file) if file.exists() else {}
    told = read_study(folder, name)
    todo = missing(told, known)
    for start in range(0, len(todo), AT_ONCE):
        first, second = (_model(model.describe()["source"], device) for model in told.study.models)
        rows = score(told, first, second, todo[start : start + AT_ONCE])
        rows = [row for row in rows if row[:3] not in known]
        add(rows, file)
        added += rows
    return added


@cache
def _model(source: str, device: str) -> Any:
    return load_pretrained(source.split(" (")[0], device=device)


if __name__ == "__main__":
    raise SystemExit(main())
