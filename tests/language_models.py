"""Language models of full architecture with random small weights, and the text files that come with them."""

import pytest

from a2a.dialogue import load_seeds

ARCHITECTURES = {
    # as Mistral Nemo: grouped queries, heads wider than hidden size / heads, no sliding window
    "mistral": lambda transformers: transformers.MistralConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        sliding_window=None,
        rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
        **SMALL,
    ),
    # as Llama 2 13B: a key and a value for each query head
    "llama": lambda transformers: transformers.LlamaConfig(
        hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4, **SMALL
    ),
}
SMALL = {
    "vocab_size": 320,
    "max_position_embeddings": 512,
    "eos_token_id": 0,
    "bos_token_id": 1,
    "pad_token_id": None,
    "initializer_range": 0.3,
    "tie_word_embeddings": False,
}


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """A folder for each architecture, as a user's local model lies in one."""
    import torch

    transformers = pytest.importorskip("transformers", reason="transformers isn't installed")
    made = {}
    for number, (name, config) in enumerate(ARCHITECTURES.items()):
        made[name] = tmp_path_factory.mktemp("models") / f"tiny-{name}"
        torch.manual_seed(number)
        transformers.AutoModelForCausalLM.from_config(config(transformers)).save_pretrained(made[name])
        _tokenizer().save_pretrained(made[name])
    return made


@pytest.fixture(params=sorted(ARCHITECTURES))
def folder(request, folders):
    return folders[request.param]


@pytest.fixture(scope="session")
def texts():
    return [seed.text for seed in load_seeds()[:5]]


def _tokenizer():
    """Byte-level BPE that puts <s> before every text, as Llama 2's and Mistral Nemo's tokenizers do."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["</s>", "<s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([seed.text for seed in load_seeds()], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
