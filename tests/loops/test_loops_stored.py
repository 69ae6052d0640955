import numpy as np
import pytest

from a2a.loops.stored import Stored

MODEL = "a model"


def test_stored_vectors_are_found_by_their_text(tmp_path, rng):
    texts = ["one", "two\n", "", "\ud800 half a pair"]
    vectors = dict(zip(texts, rng.random((4, 3)).astype(np.float32).astype(float), strict=True))
    file = tmp_path / "folder" / "vectors.safetensors"
    Stored(file, MODEL).add({text: vectors[text] for text in texts[:2]})
    Stored(file, MODEL).add({text: vectors[text] for text in texts[2:]})
    found = Stored(file, MODEL).find([*texts, "another"])
    assert found.keys() == vectors.keys()
    assert all(np.array_equal(found[text], vectors[text]) for text in texts)
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_vectors_of_another_model_are_refused(tmp_path):
    file = tmp_path / "vectors.safetensors"
    Stored(file, MODEL).add({"one": np.ones(3)})
    with pytest.raises(ValueError, match=r"vectors\.safetensors should hold vectors of another"):
        Stored(file, "another").find(["one"])


def test_recorded_vectors_are_small_and_of_length_one(tmp_path, rng):
    vectors = rng.standard_normal((20, 384))
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    stored = Stored(tmp_path / "v.safetensors", MODEL)
    stored.replace({str(i): vector for i, vector in enumerate(vectors)})
    found = stored.find([str(i) for i in range(20)])
    assert stored.file.stat().st_size < 20 * 384 * 2 + 2000
    read = np.array(list(found.values()))
    assert np.linalg.norm(read, axis=-1) == pytest.approx(np.ones(20), abs=1e-12)
    assert 0 < np.abs(read - vectors).max() < 2e-4


def test_a_file_that_is_not_there_holds_nothing(tmp_path):
    assert Stored(tmp_path / "none.safetensors", MODEL).find(["x"]) == {}
