"""kill -9 at random moments: the study that goes on is the one that wasn't interrupted."""

import itertools
import json
import multiprocessing
import os
import random
import time
from contextlib import suppress

import pytest

from a2a.dialogue import Study, converse, load_seeds, read_conversations
from a2a.dialogue.studyfile import RecordError
from a2a.models.scripted import ScriptedModel, named

KILLS = int(os.environ.get("A2A_KILLS", "4"))
TURNS = max(20, 3 * KILLS)


def slow(text, seed):
    time.sleep(2e-5)
    return named("words").write(text, seed)


def study():
    model = ScriptedModel(slow)
    return Study("killed", model, model, load_seeds(), turns=TURNS, batch=5)


def run(file):
    """Go on with the study, unless another process does."""
    with suppress(RecordError):
        converse(study(), file)


def without_times(file):
    records = [json.loads(line) for line in file.read_bytes().splitlines()]
    return [
        {key: value for key, value in record.items() if key not in ("time", "seconds", "digest")} for record in records
    ]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("recorders", [1, 3])
def test_killed_again_and_again(tmp_path, recorders):
    """Of several at once one records, and the others leave."""
    moments, fork = random.Random(5), multiprocessing.get_context("fork")
    run(tmp_path / "whole.jsonl")
    sizes = [0]
    while len(sizes) <= KILLS:
        children = [fork.Process(target=run, args=(tmp_path / "killed.jsonl",)) for _ in range(recorders)]
        for child in children:
            child.start()
        while any(child.is_alive() for child in children) and written(tmp_path / "killed.jsonl") == sizes[-1]:
            time.sleep(1e-4)  # each of them gets to write something
        time.sleep(moments.uniform(0, 0.01))
        for child in children:
            child.kill()
            child.join()
        sizes.append(written(tmp_path / "killed.jsonl"))
    left = [later - earlier for earlier, later in itertools.pairwise(sizes)]
    assert all(more > 0 for more in left[:3])
    assert len(read_conversations(tmp_path / "killed.jsonl").outputs) < 50 * TURNS
    run(tmp_path / "killed.jsonl")
    assert without_times(tmp_path / "killed.jsonl") == without_times(tmp_path / "whole.jsonl")


def written(file):
    return file.stat().st_size if file.exists() else 0
