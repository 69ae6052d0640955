"""A run that is killed with -9 anywhere and started again repeats no recorded call, loses none and ends the same."""

import json
import os
import random
import signal
import subprocess
import sys
import time

from test_chat_asking import agree_with_a_replay, go_on, start, told

from a2a.chat import Transcripts
from a2a.chat.endpoint import _seed

KILLS = int(os.environ.get("A2A_KILLS", "4"))
ROUNDS = max(1, KILLS // 3)
CALLS = 2 * 6 * 6

RUN = """
import sys
import numpy as np
from a2a import alternate, sample_prompt
from a2a.chat import ChatAgent, ChatClient, Transcripts

rng = np.random.default_rng(0)
client = ChatClient(sys.argv[1], transcripts=Transcripts(sys.argv[2]), mode="record", concurrency=2)
first, second = (ChatAgent(client, sample_prompt(rng, 12, 3, rng.standard_normal((6, 3))), 0.5,
                           model="gradient:noise=0.1") for _ in range(2))
print(alternate(first, second, np.zeros((6, 3)), 6).second.tolist())
"""


def _start(url, file):
    return subprocess.Popen([sys.executable, "-c", RUN, url, str(file)], stdout=subprocess.PIPE, text=True)


def _recorded(file):
    """Of every whole line: the question as the server sees it."""
    whole = file.read_bytes().rpartition(b"\n")[0].splitlines() if file.exists() else []
    requests = [json.loads(line)["request"] for line in whole]
    return [(r["messages"][-1]["content"], _seed(0, r["replicate"], r["attempt"])) for r in requests]


def _kill_after(process, app, calls):
    """Kill soon after the server has been asked so many questions; whether the run was still under way."""
    target = len(app.asked) + calls
    while process.poll() is None and len(app.asked) < target:
        time.sleep(0.0005)
    time.sleep(random.uniform(0, 0.02))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def test_killed_and_started_again(watched, tmp_path, kills=KILLS):
    url, app = watched
    file = tmp_path / "calls.jsonl"
    random.seed(0)
    hits = []
    for kill in range(kills):
        before, asked = _recorded(file), len(app.asked)
        hits.append(_kill_after(_start(url, file), app, random.randint(1, max(2, CALLS // (kills + 1)))))
        new = [(body["messages"][-1]["content"], body["seed"]) for body in app.asked[asked:]]
        assert not set(new) & set(before), f"kill {kill}: a recorded call was made again"
        assert set(before) <= set(_recorded(file)), f"kill {kill}: a recorded call was lost"
        assert len(new) - (len(_recorded(file)) - len(before)) <= 2, (
            f"kill {kill}: more than the calls under way was lost"
        )
    assert sum(hits) > kills / 2, "most kills must have hit a run"
    print(f"{sum(hits)} of {kills} kills hit a run")
    finished = _start(url, file).communicate(timeout=300)[0]
    assert len(_recorded(file)) == len(set(_recorded(file))) == len(Transcripts(file)) == CALLS
    assert CALLS <= len(app.asked) <= CALLS + 2 * kills
    uninterrupted = _start(url, tmp_path / "other.jsonl").communicate(timeout=300)[0]
    assert json.loads(finished) == json.loads(uninterrupted)


def test_several_killed_and_started_again(watched, tmp_path, rounds=ROUNDS):
    """Three recorders of one transcript, each killed at its own moment, in every round."""
    url, app = watched
    file, moments, killed = tmp_path / "calls.jsonl", random.Random(7), 0
    for _ in range(rounds):
        before, running = _recorded(file), [start(url, file) for _ in range(3)]
        go_on(running)
        asked, some = len(app.asked), moments.randint(1, 3)
        while len(app.asked) < asked + some and any(process.poll() is None for process in running):
            time.sleep(0.0005)
        for process in moments.sample(running, 3):
            time.sleep(moments.uniform(0, 0.01))
            process.kill()
        told(running)
        killed += sum(process.returncode == -signal.SIGKILL for process in running)
        assert _recorded(file)[: len(before)] == before
    agree_with_a_replay(url, file)
    assert len(_recorded(file)) == len(set(_recorded(file))) == len(Transcripts(file)) == 24
    assert len(app.asked) <= 24 + 8 * killed, "only what a killed process had asked may be asked again"
    print(f"{killed} of {3 * rounds} kills hit a run")
