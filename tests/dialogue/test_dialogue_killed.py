"""kill -9 at random moments: the study that goes on is the one that wasn't interrupted."""

import itertools
import json
import multiprocessing
import random
import time

import pytest

from a2a.dialogue import Study, converse, load_seeds, read_conversations
from a2a.models.scripted import ScriptedModel, named

KILLS = 20


def slow(text, seed):
    time.sleep(2e-5)
    return named("words").write(text, seed)


def study():
    model = ScriptedModel(slow)
    return Study("killed", model, model, load_seeds(), turns=60, batch=5)


def run(file):
    converse(study(), file)


def without_times(file):
    records = [json.loads(line) for line in file.read_bytes().splitlines()]
    return [{key: value for key, value in record.items() if key not in ("time", "seconds")} for record in records]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_twenty_times(tmp_path):
    moments, fork = random.Random(5), multiprocessing.get_context("fork")
    run(tmp_path / "whole.jsonl")
    sizes = [0]
    while len(sizes) <= KILLS:
        child = fork.Process(target=run, args=(tmp_path / "killed.jsonl",))
        child.start()
        while child.is_alive() and written(tmp_path / "killed.jsonl") == sizes[-1]:
            time.sleep(1e-4)  # each of them gets to write something
        time.sleep(moments.uniform(0, 0.01))
        child.kill()
        child.join()
        sizes.append(written(tmp_path / "killed.jsonl"))
    left = [later - earlier for earlier, later in itertools.pairwise(sizes)]
    assert all(more > 0 for more in left[:5])
    assert len(read_conversations(tmp_path / "killed.jsonl").outputs) < 3000
    run(tmp_path / "killed.jsonl")
    assert without_times(tmp_path / "killed.jsonl") == without_times(tmp_path / "whole.jsonl")


def written(file):
    return file.stat().st_size if file.exists() else 0
