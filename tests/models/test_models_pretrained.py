"""Mistral's and Llama 2's classes, with random small weights, on the path that the real ones take."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from a2a.dialogue import Study, converse, load_seeds
from a2a.models import Sampling, load_model
from a2a.models.pretrained import PretrainedModel

SHORT = Sampling(max_new_tokens=12)


def test_a_conversation_of_mistral_and_llama(folders, tmp_path):
    first, second = load_model(str(folders["mistral"])), load_model(str(folders["llama"]))
    told = converse(Study("tiny", first, second, load_seeds()[:4], turns=3, sampling=SHORT), tmp_path / "tiny.jsonl")
    assert [model.describe()["architecture"] for model in told.study.models] == [
        "MistralForCausalLM",
        "LlamaForCausalLM",
    ]
    assert told.is_complete
    assert {output["model"] for output in told.outputs if output["turn"] % 2} == {"tiny-mistral"}
    assert {output["model"] for output in told.outputs if output["turn"] == 2} == {"tiny-llama"}
    assert all(output["new_tokens"] <= 12 and output["text"] for output in told.outputs)


def test_size_counts_the_parameters(folders):
    model = load_model(str(folders["llama"]))
    assert model.size == sum(p.numel() for p in model.model.parameters()) > 100_000


def test_lockstep_and_one_by_one_write_the_same(folder, texts):
    model = load_model(str(folder))
    together = model(texts, SHORT, range(5))
    assert together == [model([text], SHORT, [seed])[0] for seed, text in enumerate(texts)]
    assert len({row.prompt_tokens for row in together}) > 1  # there was something to pad


def test_a_seed_decides_the_text(folder, texts):
    model = load_model(str(folder))
    first, again, other = (model(texts[:1], SHORT, [seed])[0] for seed in (3, 3, 4))
    assert first == again != other


def test_temperature_0_is_greedy_search_of_transformers(folder, texts):
    model = load_model(str(folder))
    ids = model.tokenizer(texts[0], return_tensors="pt")["input_ids"]
    expected = model.model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=12)[0, ids.shape[1] :]
    (found,) = model(texts[:1], Sampling(temperature=0.0, max_new_tokens=12), [0])
    assert found.text == model.tokenizer.decode(expected, skip_special_tokens=True)


def test_own_sampling_defaults_of_a_model_do_not_apply(folders, texts, tmp_path):
    model = load_model(str(folders["llama"]))
    expected = model(texts, SHORT, range(5))
    model.model.generation_config = type(model.model.generation_config)(repetition_penalty=5.0, eos_token_id=0)
    model.model.save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    assert load_model(str(tmp_path))(texts, SHORT, range(5)) == expected


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision(folder, texts, dtype):
    model = load_model(str(folder), dtype=dtype)
    assert model.describe()["dtype"] == dtype
    assert all(row.new_tokens for row in model(texts, SHORT, range(5)))


def test_end_of_text_at_once_is_an_empty_output(folder, texts):
    model = load_model(str(folder))
    torch.nn.init.zeros_(model.model.model.norm.weight)  # equal logits: greedy search takes token 0, the end of text
    for row in model(texts, Sampling(temperature=0.0), range(5)):
        assert (row.text, row.finish, row.new_tokens) == ("", "stop", 1)


def test_an_over_long_text_loses_its_start(folder, texts):
    model = load_model(str(folder), context=30)
    whole = model.tokenizer(texts[0])["input_ids"]
    (row,) = model(texts[:1], SHORT, [0])
    assert row.dropped == len(whole) - 18 > 0
    assert row.prompt_tokens == 18
    ids, _ = model.tokens(texts[0], 18)
    assert ids == [1, *whole[-17:]]  # the begin-of-text token stays


def test_an_empty_text_is_continued(folder):
    assert load_model(str(folder))([""], SHORT, [0])[0].prompt_tokens == 1


def test_no_texts_no_continuations(folder):
    assert load_model(str(folder))([], SHORT, []) == []


def test_no_room_to_write(folder, texts):
    with pytest.raises(ValueError, match="holds 10 tokens"):
        load_model(str(folder), context=10)(texts, SHORT, range(5))


def test_chat_template_is_an_option(folders, texts):
    model = load_model(str(folders["llama"]))
    raw = model(texts[:1], SHORT, [0])[0]
    model.tokenizer.chat_template = "<s>[INST] {{ messages[0]['content'] }} [/INST]"
    chat = PretrainedModel(model.model, model.tokenizer, "chat", chat_template=True)
    assert chat(texts[:1], SHORT, [0])[0].prompt_tokens > raw.prompt_tokens


def test_chat_template_where_there_is_none(folders):
    with pytest.raises(ValueError, match="no chat template"):
        load_model(str(folders["llama"]), chat_template=True)


def test_unknown_dtype(folders):
    with pytest.raises(ValueError, match="float32, bfloat16, float16"):
        load_model(str(folders["llama"]), dtype="float8")


def test_a_pickle_is_not_loaded(folders, tmp_path):
    folder = Path(shutil.copytree(folders["llama"], tmp_path / "pickled"))
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(OSError, match=r"no file named model\.safetensors"):
        load_model(str(folder))


def test_a_hundred_kilobytes_without_spaces(folders):
    (row,) = load_model(str(folders["mistral"]))(["x" * 100_000], SHORT, [0])
    assert row.prompt_tokens == 500
    assert row.dropped > 0
