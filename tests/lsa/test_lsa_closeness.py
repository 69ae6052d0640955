"""How close layers come to the step: the theorem's bounds hold, and are 0 for the constructed one."""

import numpy as np
import pytest
import torch
from instances import RECIPE
from layers import fresh_prompts, nearly

from a2a.linalg import matvec
from a2a.lsa import LinearSelfAttention, acting_blocks, relative_step_error
from a2a.lsa.closeness import (
    ANYTHING,
    allowed_deviation,
    deviation,
    root_mean_square,
    sizes_on_fresh_prompts,
    survey,
)


@pytest.mark.parametrize(
    ("n", "scale", "largest"),
    [(12, 1.0, 1e-3), (40, 1.0, 1e-3), (12, 0.5, 5e-3)],
    ids=["as trained", "more examples", "smaller inputs"],
)
def test_a_trained_layer_takes_the_gradient_step(trained, n, scale, largest):
    error = relative_step_error(trained[0], *fresh_prompts(3, n, scale), RECIPE["eta"])
    assert error.shape == (500,) and error.median() < largest


def test_an_untrained_layer_does_not(trained):
    layer = LinearSelfAttention(3, generator=torch.Generator().manual_seed(0))
    assert relative_step_error(layer, *fresh_prompts(3, 12), RECIPE["eta"]).median() > 0.5


def test_the_constructed_layer_has_no_error():
    layer = LinearSelfAttention.gradient_step(3, 0.3)
    assert relative_step_error(layer, *fresh_prompts(3, 12), 0.3).max() < 1e-10


@pytest.mark.parametrize(("X", "w"), [(np.zeros((3, 1)), np.zeros(2)), (np.zeros((3, 2)), np.zeros(1))])
def test_inputs_that_do_not_fit_the_layer_are_named(X, w, untyped):
    layer = LinearSelfAttention.gradient_step(2, 0.3)
    with pytest.raises(ValueError, match=r"must have shape \(\.\.\., (n, )?2\)"):
        relative_step_error(layer, X, np.zeros(3), w, 0.3)


def test_the_learned_blocks_are_the_constructed_ones(trained):
    learned, constructed = acting_blocks(trained[0]), acting_blocks(LinearSelfAttention.gradient_step(3, RECIPE["eta"]))
    assert all((learned[name] - constructed[name]).abs().max() < 0.01 for name in constructed)


def on_paper(layer, eta, n):
    """Mean square of the miss in the query's w block, on the theorem's prompts."""
    X, y, w = fresh_prompts(layer.d, n, count=4000)
    step = -eta * matvec(X.mT, matvec(X, w) - y) / n
    return float((layer(X, y, w) - w - step).square().sum(-1).mean())


def test_the_constructed_layer_deviates_by_nothing(rng):
    w = rng.standard_normal((50, 3))
    assert max(deviation(LinearSelfAttention.gradient_step(3, 0.3), 0.3, w, 10)) < 1e-15
    assert max(allowed_deviation(0.0, 3, 10, 0.3)) == 0.0


@pytest.mark.parametrize("off", [1e-5, 1e-4, 1e-3])
@pytest.mark.parametrize(("d", "n"), [(2, 1), (2, 10), (4, 12)])
def test_no_layer_deviates_by_more_than_its_loss_allows(rng, d, n, off):
    layer = nearly(rng, d, 0.4, off)
    allowed = allowed_deviation(1.2 * on_paper(layer, 0.4, n), d, n, 0.4)  # a fifth for chance
    found = deviation(layer, 0.4, rng.standard_normal((4000, d)), n)
    assert all(one <= bound for one, bound in zip(found, allowed, strict=True))


@pytest.mark.parametrize(("loss", "d"), [(1e-8, 1), (10.0, 3)])
def test_where_the_theorem_says_nothing_anything_is_allowed(loss, d):
    assert allowed_deviation(loss, d, 10, 0.3) == ANYTHING


def test_a_loss_that_leaves_half_a_step_bounds_three_norms_only():
    allowed = allowed_deviation(0.07, 5, 20, 0.5)
    assert 0.25 < allowed.E_V < np.inf and allowed.W_x1 < np.inf
    assert allowed.E_W == allowed.W_yw == allowed.own == np.inf


@pytest.mark.parametrize("off", [1e-4, 1e-2])
def test_no_step_misses_by_more_than_the_deviation_explains(rng, off):
    layer = nearly(rng, 3, 0.3, off)
    exactly = deviation(layer, 0.3, rng.standard_normal((10, 3)), 8)
    sizes = sizes_on_fresh_prompts(rng, layer, exactly, 0.3, 8, np.diag([3.0, 1.0, 0.1]), 300)
    assert (sizes.rest <= sizes.most * (1 + 1e-9)).all() and sizes.rest.max() > 0.01 * sizes.most.min()
    assert (sizes.missed <= sizes.own + sizes.rest + 1e-12).all()


def test_a_survey_has_a_row_for_each_layer_and_kind(rng):
    layers = [nearly(rng, 2, 0.3, off) for off in (0.0, 0.1)]
    found = survey(rng, layers, [ANYTHING] * 2, 0.3, [(5, None), (9, None), (1, np.eye(2))], 7)
    assert found.shape == (2, 3, 5, 7) and np.isinf(found[:, :, 4]).all()
    assert found[0, :, 1].max() < 1e-12 < found[1, :, 1].min()


def test_the_root_mean_square_of_one_number_is_its_size():
    assert root_mean_square(np.array([[3.0, -3.0], [0.0, 2.0]])).tolist() == [3.0, 2.0**0.5]
