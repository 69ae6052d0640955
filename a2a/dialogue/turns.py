"""One turn of a batch of conversations: what the model reads, with which randomness it writes, and the record of it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from a2a.dialogue.study import Study
from a2a.journal import Record
from a2a.models.protocol import Continuation, LanguageModel, Sampling
from a2a.sealed import digest


def make_turn(study: Study, turn: int, conversations: dict[str, list[Record]]) -> list[Record]:
    """One output for each conversation, all by the model whose turn it is."""
    started = time.monotonic()
    model, sampling = study.writer(turn), study.intervention.adjust(study.sampling)
    before = {name: [record["text"] for record in records] for name, records in conversations.items()}
    injected = {name: _injection(study, turn, name, records) for name, records in conversations.items()}
    prompts = {name: prompt(texts, study.history, injected[name]) for name, texts in before.items()}
    drawn = _draw(study, turn, model, sampling, {name: text for name, (text, _) in prompts.items()}, before)
    seconds = round((time.monotonic() - started) / len(drawn), 3)
    settings = sampling.as_dict()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return [
        {
            "record": "output",
            "conversation": name,
            "turn": turn,
            "model": model.name,
            "size": model.size,
            "read": prompts[name][1],
            "text": continuation.text,
            "finish": continuation.finish,
            "prompt_tokens": continuation.prompt_tokens,
            "new_tokens": continuation.new_tokens,
            "dropped": continuation.dropped,
            "injected": injected[name],
            "sampling": settings,
            "seed": seed,
            "asked": asked(model, prompts[name][0], settings, seed),
            "attempts": attempts,
            "time": now,
            "seconds": seconds,
        }
        for name, (continuation, seed, attempts) in drawn.items()
    ]


def asked(model: LanguageModel, text: str, sampling: dict[str, Any], seed: int) -> str:
    """A digest of all that a model was asked when it wrote an output."""
    return digest([model.describe(), text, sampling, seed])


def derived_seed(*parts: Any) -> int:
    """A seed of 32 bits that depends on all parts and on nothing else; any server takes that many."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def prompt(texts: Sequence[str], history: int | Literal["all"], injected: str | None = None) -> tuple[str, list[int]]:
    """What the next model reads of a conversation, and the numbers of those texts (0 is the seed sentence).

    Empty texts are passed over: a model reads the last text that holds something. An injected sentence comes last.
    """
    told = [number for number, text in enumerate(texts) if text.strip()]
    read = told if history == "all" else told[-history:]
    joined = ""
    for number in read:
        gap = "" if not joined or joined[-1].isspace() or texts[number][0].isspace() else " "
        joined += gap + texts[number]
    return f"{joined.rstrip()} {injected}" if injected else joined, read


Drawn = tuple[Continuation, int, int]
"""A continuation, the seed that it was drawn with, and how many were drawn."""


def _draw(
    study: Study,
    turn: int,
    model: LanguageModel,
    sampling: Sampling,
    prompts: dict[str, str],
    before: dict[str, list[str]],
) -> dict[str, Drawn]:
    """The accepted continuations: those that aren't new enough are drawn again, and the most novel one is kept."""
    rule = study.intervention
    best: dict[str, tuple[float, Drawn]] = {}
    open_ids = list(prompts)
    for attempt in range(1, (rule.tries if rule.novelty else 1) + 1):
        seeds = [derived_seed(study.seed, name, turn, attempt) for name in open_ids]
        continuations = model([prompts[name] for name in open_ids], sampling, seeds)
        for name, seed, continuation in zip(open_ids, seeds, continuations, strict=True):
            novelty = rule.distance(continuation.text, before[name])
            if name not in best or novelty > best[name][0]:
                best[name] = novelty, (continuation, seed, attempt)
            else:
                best[name] = best[name][0], (*best[name][1][:2], attempt)
        open_ids = [name for name in open_ids if best[name][0] < rule.novelty]
        if not open_ids:
            break
    return {name: best[name][1] for name in prompts}


def _injection(study: Study, turn: int, name: str, records: list[Record]) -> str | None:
    outputs = [record["text"] for record in records[1:]]
    since = max((number for number, record in enumerate(records[1:]) if record["injected"]), default=0)
    return study.intervention.sentence(outputs, since, derived_seed(study.seed, name, turn, "outside"))
