"""Several that write to one transcript: a question is asked once, and its first reply is everybody's."""

import multiprocessing
import subprocess
import sys
import threading
import time
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest

import a2a.chat.client as chat_client
from a2a.chat import BudgetExhausted, CallFailed, ChatAgent, ChatClient, Settings, Transcripts
from a2a.chat.asking import asking
from a2a.sealed import unsealed

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
W = np.linspace(-1, 1, 12).reshape(4, 3)
FORK = multiprocessing.get_context("fork")
KEY, OTHER = "0" * 32, "1" * 32


@pytest.fixture
def file(tmp_path):
    return tmp_path / "folder" / "calls.jsonl"


def _client(url, file, **options):
    return ChatClient(url, transcripts=Transcripts(file), mode="record", backoff=0.01, **options)


def _agent(client, prompt, model="gradient:noise=0.1"):
    return ChatAgent(client, prompt, 0.5, model=model, settings=Settings(seed=None))


def test_one_holds_a_question_until_it_leaves_it(file):
    with asking(file, KEY) as first, asking(file, OTHER) as other:
        assert first and other
        with asking(file, KEY) as second:
            assert not second
        with asking(file, KEY) as third:
            assert not third
    with asking(file, KEY) as again:
        assert again


def test_a_question_is_one_of_its_journal(file):
    with asking(file, KEY) as one, asking(file.with_name("other.jsonl"), KEY) as other:
        assert one and other


def test_a_file_is_the_same_by_any_way_to_it(file, tmp_path):
    file.parent.mkdir()
    (tmp_path / "link").symlink_to(file.parent)
    with asking(file, KEY), asking(tmp_path / "link" / "calls.jsonl", KEY) as second:
        assert not second


def test_an_error_leaves_the_question(file):
    with pytest.raises(RuntimeError), asking(file, KEY):
        raise RuntimeError
    with asking(file, KEY) as again:
        assert again


def _hold(file, key, told, seconds=600):
    with asking(file, key) as mine:
        told.put(mine)
        time.sleep(seconds)


@pytest.fixture
def holder(file):
    """Another process that holds a question."""
    running = []

    def hold(key):
        told = FORK.SimpleQueue()
        running.append(FORK.Process(target=_hold, args=(file, key, told)))
        running[-1].start()
        assert told.get()
        return running[-1]

    yield hold
    for process in running:
        process.kill()
        process.join()


def test_what_another_process_holds_is_free_when_it_is_killed(file, holder):
    process = holder(KEY)
    with asking(file, KEY) as mine, asking(file, OTHER) as other:
        assert not mine and other
    process.kill()
    process.join()
    with asking(file, KEY) as mine:
        assert mine


def test_a_forked_child_holds_nothing_of_its_parent_s(file):
    told = FORK.SimpleQueue()

    def child():
        process = FORK.Process(target=_hold, args=(file, KEY, told, 0))
        process.start()
        process.join()
        return told.get()

    with asking(file, KEY):
        assert child() is False
        with asking(file, KEY) as mine:
            assert not mine
    assert child() is True


def _together(*functions):
    """What functions return, each in a thread of its own; an error is what its function returns."""
    answers = [None] * len(functions)

    def run(number, function):
        try:
            answers[number] = function()
        except CallFailed as error:
            answers[number] = error

    threads = [threading.Thread(target=run, args=one) for one in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


@pytest.mark.parametrize("clients", [1, 2])
def test_agents_of_one_process_ask_the_same_question_once(watched, file, prompt, clients):
    shared = [_client(watched[0], file) for _ in range(clients)]
    first, second = _together(*(partial(_agent(client, prompt), W) for client in (shared[0], shared[-1])))
    assert (first == second).all() and len(watched[1].asked) == len(W)


def test_who_waits_asks_when_the_other_fails(watched, file, prompt):
    """The server fails once: who was sent away with that gave the question free."""
    clients = [_client(watched[0], file, retries=0) for _ in range(2)]
    answers = _together(*(partial(_agent(client, prompt, model="gradient+500x1"), W[0]) for client in clients))
    assert sorted(isinstance(answer, CallFailed) for answer in answers) == [False, True]
    assert len(watched[1].asked) == 2


@pytest.fixture
def known(watched, tmp_path, prompt):
    """The records of the questions in W, and their answers, from another file."""
    elsewhere = tmp_path / "elsewhere.jsonl"
    answers = _agent(_client(watched[0], elsewhere, concurrency=1), prompt)(W)
    records = [unsealed(line) for line in elsewhere.read_bytes().splitlines()]
    watched[1].asked.clear()
    return records, answers


def test_who_waits_holds_no_place_and_gets_what_the_other_recorded(watched, file, holder, prompt, known):
    records, answers = known
    process, told = holder(records[0]["key"]), []
    agent = _agent(_client(watched[0], file, concurrency=1), prompt)
    waiting = threading.Thread(target=lambda: told.append(agent(W)))
    waiting.start()
    while len(watched[1].asked) < len(W) - 1:
        assert waiting.is_alive()
        waiting.join(0.01)
    Transcripts(file).append(records[0])
    waiting.join(60)
    assert (told[0][0] == answers[0]).all() and len(watched[1].asked) == len(W) - 1 and process.is_alive()


def test_who_waits_for_a_killed_process_asks_itself(watched, file, holder, prompt, known):
    process = holder(known[0][0]["key"])
    killer = threading.Timer(0.2, process.kill)
    killer.start()
    assert np.isfinite(_agent(_client(watched[0], file), prompt)(W)).all()
    killer.join()
    assert len(watched[1].asked) == len(W)


def test_a_wait_without_a_sign_of_life_ends(watched, file, holder, prompt, known):
    holder(known[0][0]["key"])
    client = _client(watched[0], file)
    client.patience = 0.2
    with pytest.raises(CallFailed, match=r"another process asks request .*has recorded nothing for 0\.2 s"):
        _agent(client, prompt)(W[0])


def test_who_waits_does_not_outwait_an_error_of_its_own(watched, file, holder, prompt, known):
    holder(known[0][0]["key"])
    client = _client(watched[0], file, budget_calls=1)
    client.patience = 20
    with pytest.raises(BudgetExhausted):
        _agent(client, prompt)(W)


def test_where_locks_do_not_work_the_first_reply_still_wins(watched, file, prompt, monkeypatch):
    monkeypatch.setattr(chat_client, "asking", lambda journal, key: nullcontext(True))
    recorders = [_client(watched[0], file) for _ in range(3)]
    answers = _together(*(partial(_agent(one, prompt), W) for one in recorders))
    replay = _agent(ChatClient(transcripts=Transcripts(file), mode="replay"), prompt)(W)
    assert all((answer == replay).all() for answer in answers)
    assert len(watched[1].asked) > len(W), "several must have asked the same"


SHARED = """
import sys
import numpy as np
from a2a import sample_prompt
from a2a.chat import ChatAgent, ChatClient, Settings, Transcripts

rng = np.random.default_rng(0)
given = {"transcripts": Transcripts(sys.argv[2]), "mode": sys.argv[3]}
client = ChatClient(sys.argv[1] if sys.argv[3] == "record" else None, **given)
agent = ChatAgent(client, sample_prompt(rng, 12, 3, rng.standard_normal((6, 3))), 0.5,
                  model="gradient:noise=0.1", settings=Settings(seed=None))
print("ready", flush=True)
sys.stdin.readline()
w = np.zeros((6, 3))
for turn in range(4):
    w = agent(w)
print(w.tolist())
"""


def start(url, file, mode="record"):
    """A process that asks a model that varies 24 questions, once it is told to go on; it prints what came of them."""
    command = [sys.executable, "-c", SHARED, url, str(file), mode]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def go_on(running):
    """Let processes that are all ready go on at once."""
    assert {process.stdout.readline() for process in running} == {"ready\n"}
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()


def told(running):
    """What processes printed, each different answer once."""
    return {process.communicate(timeout=300)[0] for process in running}


def agree_with_a_replay(url, file):
    """Let three processes ask on one transcript: each prints what a replay of it prints."""
    running = [start(url, file) for _ in range(3)]
    go_on(running)
    answers = told(running)
    go_on([replay := start(url, file, "replay")])
    answers |= told([replay])
    assert len(answers) == 1 and "[[" in answers.pop()


def test_three_processes_on_one_transcript_get_what_a_replay_gets(watched, file):
    url, app = watched
    agree_with_a_replay(url, file)
    assert len(app.asked) == len(Transcripts(file)) == 24
