"""The recordings in the repository: small, of the offline agents as they are now, and without anything secret."""

import re
from pathlib import Path

import pytest

from a2a.chat import recordings
from a2a.chat.offline import softmax_version

FOLDER = Path(__file__).resolve().parents[2] / "transcripts"


@pytest.fixture(scope="module")
def recorded():
    return recordings(FOLDER)


def test_every_offline_agent_is_recorded(recorded):
    assert {"gradient", "gradient:noise=0.01", "softmax-icl", "smollm2"} <= recorded.keys()


def test_they_are_of_the_stored_weights(recorded):
    assert recorded["softmax-icl"].answered_by["softmax-icl"] == ("loopback", f"softmax-icl@{softmax_version()}")


def test_the_negative_control_has_no_valid_reply(recorded):
    outcomes = recorded["smollm2"].outcomes()["smollm2"]
    assert outcomes.total() and not any(name.startswith(("valid", "repaired")) for name in outcomes)


def test_they_are_small_and_hold_no_key(recorded):
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 1_000_000
    for transcripts in recorded.values():
        assert not any(re.search(r"\bsk-\w{8}", str(record)) for record in transcripts._answers.values())
