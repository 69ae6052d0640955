"""How fluent recorded outputs are: the perplexity of each under the other model of its pair.

python -m a2a.dialogue.score [STUDY ...] [--folder conversations] adds to the folder's perplexity.csv, an output a row.
An output is scored by itself, without the text that its writer read: after that text a repetition is no surprise, and
a loop would look fluent. A study is added as a whole, so that a killed run is gone on with by the next.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from a2a.dialogue.records import Conversations, RecordError, read_conversations
from a2a.dialogue.seeds import spread
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


def add(rows: Sequence[Row], file: Path) -> None:
    """Append rows to a file of perplexities; it is replaced as a whole, so that a killed run leaves no half study."""
    whole = file.with_suffix(".part")
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
    parser.add_argument("--conversations", type=int, default=20, help="at most so many of a study, evenly spread")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    file = options.folder / "perplexity.csv"
    scored = {study for study, _, _ in load_perplexities(file)} if file.exists() else set()
    for name in options.studies:
        if name in scored:
            continue
        try:
            told = read_conversations(options.folder / f"{name}.jsonl")
            first, second = (_model(model.describe()["source"], options.device) for model in told.study.models)
        except (FileNotFoundError, RecordError, ModuleNotFoundError) as error:
            print(f"score: {error}", file=sys.stderr)
            return 1
        rows = score(told, first, second, spread(told.ids, options.conversations))
        add(rows, file)
        known = [row[-1] for row in rows if not math.isnan(row[-1])]
        middle = math.exp(sum(map(math.log, known)) / len(known))
        print(f"{name}: {len(rows)} outputs, geometric mean of the perplexities {middle:.1f}")
    return 0


@cache
def _model(source: str, device: str) -> Any:
    return load_pretrained(source.split(" (")[0], device=device)


if __name__ == "__main__":
    raise SystemExit(main())
