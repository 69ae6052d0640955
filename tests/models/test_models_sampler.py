"""The sampler against the definitions, and against the processors of transformers."""

import numpy as np
import pytest
import torch
from transformers import (
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from a2a.models.protocol import Sampling
from a2a.models.sampler import draw, penalise, repeats, uniforms

N = 20_000


def frequencies(scores, sampling):
    """How often each token is drawn over an even grid of uniform numbers: exact to 1/N."""
    grid = (torch.arange(N, dtype=torch.float64) + 0.5) / N
    drawn = torch.cat([draw(scores.expand(len(part), -1), part, sampling) for part in grid.split(2000)])
    return torch.bincount(drawn, minlength=scores.shape[-1]) / N


@pytest.mark.parametrize("temperature", [0.0, 5e-324, 1e-38, 1e-7])
@pytest.mark.parametrize("size", [4, 1000])
def test_next_to_no_temperature_the_most_likely_token_is_taken(temperature, size):
    scores = torch.full((1, size), -20.0).index_fill(1, torch.tensor([2]), 20.0)
    assert draw(scores, torch.tensor([0.5]), Sampling(temperature=temperature)).item() == 2


def test_half_and_half():
    scores = torch.log(torch.tensor([[0.5, 0.3, 0.2]]))
    uniform = torch.tensor([0.0, 0.49, 0.51, 0.79, 0.81, 0.999])
    drawn = draw(scores.expand(6, -1), uniform, Sampling(temperature=1.0, top_p=1.0))
    assert drawn.tolist() == [0, 0, 1, 1, 2, 2]


def test_nucleus_is_the_smallest_set_with_the_mass():
    scores = torch.log(torch.tensor([[0.2, 0.5, 0.3]]))
    assert frequencies(scores, Sampling(temperature=1.0, top_p=0.8)).tolist() == pytest.approx(
        [0, 0.625, 0.375], abs=1e-4
    )
    assert frequencies(scores, Sampling(temperature=1.0, top_p=0.81))[0] > 0
    assert frequencies(scores, Sampling(temperature=1.0, top_p=0.01)).tolist() == [0, 1, 0]


@pytest.mark.parametrize("vocabulary", [50, 1000])
@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        Sampling(temperature=1.0, top_p=0.99),
        Sampling(temperature=1.0, top_p=1.0),
        Sampling(temperature=1.3, top_p=0.9, top_k=20),
        Sampling(temperature=3.0, top_p=0.95, top_k=400),
    ],
)
def test_distribution_is_that_of_transformers(vocabulary, sampling):
    scores = 2 * torch.randn(1, vocabulary, generator=torch.Generator().manual_seed(1))
    warped = TemperatureLogitsWarper(sampling.temperature)(None, scores)
    if sampling.top_k:
        warped = TopKLogitsWarper(min(sampling.top_k, vocabulary))(None, warped)
    expected = TopPLogitsWarper(sampling.top_p)(None, warped).softmax(-1)[0]
    assert (frequencies(scores, sampling) - expected).abs().max() < 2 / N


def test_rows_with_wide_and_narrow_nuclei_in_one_batch():
    wide, narrow = torch.zeros(1000), torch.zeros(1000)
    narrow[7] = 50.0
    drawn = draw(torch.stack([wide, narrow]), torch.tensor([0.9, 0.9]), Sampling(temperature=1.0))
    assert drawn[1] == 7
    assert frequencies(wide[None], Sampling(temperature=1.0)).count_nonzero() in (950, 951)  # 0.95 up to rounding


def test_repetition_penalty_is_that_of_transformers():
    scores = torch.randn(2, 30, generator=torch.Generator().manual_seed(2))
    rows = [[3, 4, 3], [5, 6, 7]]
    expected = RepetitionPenaltyLogitsProcessor(1.3)(torch.tensor(rows), scores.clone())
    assert torch.equal(penalise(scores, rows, Sampling(repetition_penalty=1.3)), expected)


def test_no_repeated_ngrams_is_that_of_transformers():
    scores = torch.zeros(2, 12)
    rows = [[1, 2, 3, 1, 2, 4, 1, 2], [5, 5, 5, 5, 5, 5, 5, 5]]
    expected = NoRepeatNGramLogitsProcessor(3)(torch.tensor(rows), scores.clone())
    assert torch.equal(penalise(scores, rows, Sampling(no_repeat_ngram_size=3)), expected)


@pytest.mark.parametrize(
    ("tokens", "n", "banned"),
    [([1, 2, 3, 1, 2], 3, [3]), ([1, 2], 3, []), ([1, 2, 1], 1, [1, 2]), ([4, 4], 2, [4]), ([1, 2, 1], 0, [])],
)
def test_repeats(tokens, n, banned):
    assert repeats(tokens, n) == banned


def test_a_row_of_uniforms_depends_on_its_seed_only():
    assert np.array_equal(uniforms([5, 9], 20)[1], uniforms([9], 20)[0])
    assert np.array_equal(uniforms([9], 20)[:, :5], uniforms([9], 5))


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"max_new_tokens": 0},
        {"top_k": -1},
        {"repetition_penalty": 0.0},
        {"no_repeat_ngram_size": -1},
    ],
)
def test_settings_out_of_range(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Sampling(**wrong)
