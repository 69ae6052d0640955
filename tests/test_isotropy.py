"""Isotropic prompts and lopsided ones, against the equilibrium."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from instances import close, dimensions, seeds

from a2a import UnstableInteraction, equilibrium
from a2a.isotropy import isotropic_agent, isotropic_gain, lopsided_pairs, lopsided_spectra

parts = st.floats(-0.95, 0.95)


@given(p=parts, q=parts, d=dimensions)
def test_the_isotropic_gain_is_that_of_the_equilibrium(p, q, d):
    gap = np.arange(1.0, d + 1)
    first, second = isotropic_agent(np.zeros(d), np.array(p)), isotropic_agent(gap, np.array(q))
    assert close(equilibrium(first, second).bias_first, isotropic_gain(p, q) * gap)
    assert close(equilibrium(first, second).bias_second, -isotropic_gain(q, p) * gap)


@pytest.mark.parametrize("lib", [np.float32, torch.tensor], ids=["numpy", "torch"])
def test_a_number_goes_with_any_kind_of_array(lib):
    q = lib([0.2, 0.4])
    assert isotropic_gain(0.5, q).dtype == isotropic_gain(q, 0.5).dtype == q.dtype
    assert np.allclose(isotropic_gain(0.5, q), [0.4 / 0.9, 0.3 / 0.8])


@pytest.mark.parametrize(("p", "q"), [(1, 1), (np.array([0.1, 2.0]), 0.5)])
def test_there_is_no_gain_where_errors_never_end(p, q):
    with pytest.raises(ValueError, match="p q must not be 1"):
        isotropic_gain(p, q)


@given(seed=seeds, d=dimensions)
def test_an_isotropic_agent_leaves_the_part_it_is_told(seed, d):
    rng = np.random.default_rng(seed)
    theta, kept = rng.standard_normal((4, d)), rng.uniform(-1, 1, 4)
    agent, w = isotropic_agent(theta, kept), rng.standard_normal(d)
    assert close(agent(w) - theta, kept[:, None] * (w - theta))


@pytest.mark.parametrize("d", [1, 2, 7])
@pytest.mark.parametrize("condition", [1.0, 30.0, 1e6])
def test_lopsided_spectra_keep_their_mean(d, condition):
    values = lopsided_spectra(condition, d)
    assert values.shape == (d,) and values.mean() == pytest.approx(1) and (np.diff(values) >= 0).all()
    assert values[-1] / values[0] == pytest.approx(condition if d > 1 else 1)


def test_spectra_come_in_batches():
    many = lopsided_spectra([1.0, 10.0], 3)
    assert close(many[1], lopsided_spectra(10.0, 3)) and close(many[0], np.ones(3))


def lopsided(rng, draws=200):
    spectra = lopsided_spectra([1.0, 100.0], 4)
    return spectra, 1 / spectra.max(), lopsided_pairs(rng, spectra, 1 / spectra.max(), draws)


def test_lopsided_pairs_come_a_draw_and_a_spectrum_at_a_time(rng):
    _, _, (own, partner) = lopsided(rng, 5)
    assert own.bias_first.shape == partner.bias_first.shape == (5, 2, 4)


def test_one_gap_serves_all_spectra_of_a_draw(rng):
    _, eta, (own, partner) = lopsided(rng, 5)
    gaps = own.first - own.bias_first - (own.second - own.bias_second)
    assert close(np.linalg.norm(gaps, axis=-1), np.ones((5, 2))) and close(gaps[:, 0], gaps[:, 1])
    isotropic = isotropic_gain(1 - eta, 1 - eta)
    assert close(np.linalg.norm(own.bias_first[:, 0], axis=-1), np.full(5, isotropic))
    assert close(own.bias_first[:, 0], partner.bias_first[:, 0])


def test_the_mean_gain_is_that_of_the_eigenvalues(rng):
    spectra, eta, (own, partner) = lopsided(rng, 3)
    values = 1 - eta * spectra
    for index in range(2):
        for settled, gains in (
            (own, isotropic_gain(values[index], 1 - eta)),
            (partner, isotropic_gain(1 - eta, values[index])),
        ):
            found = np.trace(settled.gain_first[:, index], axis1=-2, axis2=-1)
            assert close(found, np.full(3, gains.sum()))


def test_an_own_prompt_that_is_lopsided_costs_more(rng):
    spectra, eta, (own, _) = lopsided(rng, 400)
    squares = (own.bias_first**2).sum(axis=-1).mean(axis=0)
    predicted = np.mean(isotropic_gain(1 - eta * spectra, 1 - eta) ** 2, axis=-1)
    assert squares[1] > squares[0] and np.allclose(squares, predicted, rtol=0.15)


def test_steps_that_are_too_large_are_refused(rng):
    with pytest.raises(UnstableInteraction):
        lopsided_pairs(rng, lopsided_spectra([1.0, 100.0], 4), 5.0, 3)
