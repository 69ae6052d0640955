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


def test_a_new_vector_takes_the_old_one_s_place(tmp_path):
    stored = Stored(tmp_path / "v.safetensors", MODEL)
    stored.add({"one": np.ones(2), "two": np.zeros(2)})
    stored.add({"one": np.array([0.0, 2.0])})
    assert {text: vector.tolist() for text, vector in stored.find(["one", "two"]).items()} == {
        "one": [0, 2],
        "two": [0, 0],
    }


def test_what_replaces_is_alone(tmp_path):
    stored = Stored(tmp_path / "v.safetensors", MODEL)
    stored.add({"one": np.array([1.0, 0]), "two": np.array([0.0, 1])})
    stored.replace({"two": np.array([0.6, 0.8])})
    assert stored.find(["one", "two"]).keys() == {"two"}
    assert stored.find(["two"])["two"] == pytest.approx([0.6, 0.8], abs=1e-3)


def test_the_file_is_the_same_in_whatever_order_vectors_come(tmp_path, rng):
    vectors = {str(i): rng.random(4) for i in range(5)}
    one, other = (Stored(tmp_path / name, MODEL) for name in ("one", "other"))
    one.add(vectors)
    for text in reversed(vectors):
        other.add({text: vectors[text]})
    assert one.file.read_bytes() == other.file.read_bytes()


def test_a_file_without_its_model_s_name_is_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"digests": np.zeros((1, 32), np.uint8), "vectors": np.zeros((1, 3))}, tmp_path / "v.safetensors")
    with pytest.raises(ValueError, match=r"should hold vectors of a model, but says \{\}"):
        Stored(tmp_path / "v.safetensors", MODEL).find(["x"])
