import numpy as np
import pytest
import torch

from a2a.models import load_model
from a2a.models.perplexity import perplexity


def test_a_model_that_knows_nothing_is_as_perplexed_as_its_vocabulary_is_large(folder, texts):
    model = load_model(str(folder))
    torch.nn.init.zeros_(model.model.model.norm.weight)
    assert perplexity(model, texts, texts) == pytest.approx(np.full(5, 320))


def test_it_is_the_loss_of_transformers(folder, texts):
    model = load_model(str(folder))
    prompt, text = (
        model.tokenizer(texts[0])["input_ids"],
        model.tokenizer(texts[1], add_special_tokens=False)["input_ids"],
    )
    labels = torch.tensor([[-100] * len(prompt) + text])
    loss = model.model(input_ids=torch.tensor([prompt + text]), labels=labels).loss.item()
    assert perplexity(model, texts[:1], texts[1:2]) == pytest.approx([np.exp(loss)], rel=1e-4)


def test_batches_do_not_matter(folder, texts):
    model = load_model(str(folder))
    together, alone = (perplexity(model, texts, texts[::-1], batch=size) for size in (5, 1))
    assert together == pytest.approx(alone, rel=1e-4)


def test_no_text_no_perplexity(folder):
    found = perplexity(load_model(str(folder)), ["one", "one"], ["", "two"])
    assert np.isnan(found).tolist() == [True, False]
