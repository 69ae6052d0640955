import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from instances import agent, batches, close, covariance, dimensions, seeds

from a2a import AffineMap, IllConditioned, alternate, identify

structures = st.sampled_from(["unrestricted", "symmetric", "step size"])


def exchanges(rng, one, d, m=20, noise=0.0, lib=np.asarray):
    w_in = rng.standard_normal((m, d))
    answers = np.stack([np.asarray(one(lib(w))) for w in w_in], axis=-2)
    return np.broadcast_to(w_in, answers.shape), answers + noise * rng.standard_normal(answers.shape)


@given(seed=seeds, d=dimensions, batch=batches, structure=structures)
def test_every_structure_recovers_a_gradient_agent(lib, seed, d, batch, structure):
    rng = np.random.default_rng(seed)
    one = agent(rng, d, lib, batch=batch)
    w_in, w_out = exchanges(rng, one, d, lib=lib)
    found = identify(lib(w_in), lib(w_out), structure, one.S)
    assert close(found.M, one.M, 1e-7) and close(found.c, np.broadcast_to(one.c, (*batch, d)), 1e-7)
    assert np.allclose(found.r_squared, 1.0) and np.allclose(found.residual_std, 0.0, atol=1e-7)


@given(seed=seeds, d=dimensions)
def test_the_step_size_is_fitted(lib, seed, d):
    rng = np.random.default_rng(seed)
    one = agent(rng, d, lib)
    w_in, w_out = exchanges(rng, one, d, lib=lib)
    assert identify(lib(w_in), lib(w_out), "step size", one.S).eta == pytest.approx(one.eta, rel=1e-8)


@given(seed=seeds, d=dimensions)
def test_the_unrestricted_fit_is_least_squares_with_an_intercept(lib, seed, d):
    rng = np.random.default_rng(seed)
    w_in, w_out = rng.standard_normal((2, 4 * d, d))
    solution = np.linalg.lstsq(np.column_stack([w_in, np.ones(4 * d)]), w_out)[0]
    found = identify(lib(w_in), lib(w_out))
    assert close(found.M, solution[:d].T, 1e-8) and close(found.c, solution[d], 1e-8)


@given(seed=seeds, d=dimensions)
def test_the_symmetric_fit_is_least_squares_over_symmetric_maps(lib, seed, d):
    rng = np.random.default_rng(seed)
    w_in, w_out = rng.standard_normal((2, 4 * d, d))
    rows, columns = np.triu_indices(d)
    basis = np.zeros((len(rows), d, d))
    basis[np.arange(len(rows)), rows, columns] = basis[np.arange(len(rows)), columns, rows] = 1
    maps = [(w_in @ E).ravel() for E in basis] + [np.tile(e, 4 * d) for e in np.eye(d)]
    solution = np.linalg.lstsq(np.column_stack(maps), w_out.ravel())[0]
    found = identify(lib(w_in), lib(w_out), "symmetric")
    assert close(found.M, np.einsum("k,kij->ij", solution[: len(rows)], basis), 1e-7)
    assert close(found.c, solution[len(rows) :], 1e-7)


@given(seed=seeds, d=dimensions)
def test_the_step_size_fit_is_least_squares_in_one_unknown(lib, seed, d):
    rng = np.random.default_rng(seed)
    S = covariance(rng, d)
    w_in, w_out = rng.standard_normal((2, 9, d))
    maps = np.column_stack([-(w_in @ S).ravel(), *(np.tile(e, 9) for e in np.eye(d))])
    solution = np.linalg.lstsq(maps, (w_out - w_in).ravel())[0]
    found = identify(lib(w_in), lib(w_out), "step size", lib(S))
    assert found.eta == pytest.approx(solution[0], rel=1e-7, abs=1e-9) and close(found.c, solution[1:], 1e-7)


def test_the_statistics_are_those_of_the_residual(lib, rng):
    w_in, w_out = rng.standard_normal((2, 30, 3))
    found = identify(lib(w_in), lib(w_out))
    residual = w_out - np.asarray(found(lib(w_in)))
    total = ((w_out - w_out.mean(axis=0)) ** 2).sum()
    assert found.r_squared == pytest.approx(1 - (residual**2).sum() / total)
    assert found.residual_std == pytest.approx(np.sqrt((residual**2).mean()))
    assert found.exchanges == 30 and found.eta is None


def test_the_residual_measures_the_noise(rng):
    w_in, w_out = exchanges(rng, agent(rng, 3), 3, m=5000, noise=0.2)
    assert identify(w_in, w_out).residual_std == pytest.approx(0.2, rel=0.03)


def test_an_agent_that_is_not_affine_comes_out_as_such(lib, rng):
    w_in = rng.standard_normal((500, 3))
    assert identify(lib(w_in), lib(np.cos(3 * w_in))).r_squared < 0.3


def test_an_agent_that_always_says_the_same_is_affine(lib, rng):
    found = identify(lib(rng.standard_normal((9, 3))), lib(np.full((9, 3), 0.1)))
    assert found.r_squared == pytest.approx(1.0) and close(found.M, np.zeros((3, 3)))


def test_a_structure_that_can_not_say_the_same_does_not_fit(lib, rng):
    assert (
        identify(
            lib(rng.standard_normal((9, 3))), lib(np.ones((9, 3))), "step size", lib(np.diag([1.0, 2, 3]))
        ).r_squared
        < 0
    )


@pytest.mark.parametrize("structure", ["unrestricted", "symmetric"])
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_exchanges_that_miss_a_direction_are_refused_with_their_rank(lib, rng, structure, rank):
    w_in = rng.standard_normal((20, rank)) @ rng.standard_normal((rank, 3)) + [5.0, -3.0, 1e6]
    with pytest.raises(ValueError, match=f"w_in must span all 3 directions .* got rank {rank}"):
        identify(lib(w_in), lib(w_in / 2), structure)


@pytest.mark.parametrize("structure", ["unrestricted", "symmetric", "step size"])
def test_some_of_a_batch_may_leave_their_fit_open(lib, rng, structure):
    w_in = rng.standard_normal((4, 9, 3))
    w_in[1] = w_in[1, :1]
    with pytest.warns(IllConditioned, match="1 of 4 sets of exchanges leave their fit open"):
        found = identify(lib(w_in), lib(w_in / 2), structure, lib(np.eye(3)))
    assert close(found.M, np.stack([np.eye(3) / 2, np.eye(3) * (structure == "step size"), *[np.eye(3) / 2] * 2]))
    assert np.isnan(np.asarray(found.r_squared)).tolist() == [False, True, False, False]
    assert np.isinf(np.asarray(found.condition)).tolist() == [False, True, False, False]


def test_a_batch_that_leaves_all_its_fits_open_is_refused(lib):
    with pytest.raises(ValueError, match="got rank 0"):
        identify(lib(np.ones((4, 9, 3))), lib(np.ones((4, 9, 3))))


@given(seed=seeds, d=dimensions, structure=structures)
def test_degrees_of_freedom_are_exchanges_minus_unknowns(lib, seed, d, structure):
    rng = np.random.default_rng(seed)
    w_in, w_out = lib(rng.standard_normal((2 * d + 3, d))), lib(rng.standard_normal((2 * d + 3, d)))
    unknown = {"unrestricted": d**2, "symmetric": d * (d + 1) / 2, "step size": 1}[structure]
    found = identify(w_in, w_out, structure, lib(np.eye(d)))
    assert found.degrees_of_freedom == pytest.approx(2 * d + 3 - (unknown + d) / d)


@given(seed=seeds, d=dimensions)
def test_no_share_of_noise_is_explained_by_a_fit_without_freedom(lib, seed, d):
    w_in, w_out = (lib(w) for w in np.random.default_rng(seed).standard_normal((2, d + 1, d)))
    found = identify(w_in, w_out)
    assert found.degrees_of_freedom == 0 and np.isnan(found.r_squared) and found.residual_std < 1e-6


@given(seed=seeds, d=dimensions, batch=batches)
def test_the_condition_is_that_of_what_was_read(lib, seed, d, batch):
    w_in = np.random.default_rng(seed).standard_normal((*batch, 9, d)) * np.geomspace(1, 1e5, d)
    centred = w_in - w_in.mean(axis=-2, keepdims=True)
    assert np.allclose(identify(lib(w_in), lib(w_in)).condition, np.linalg.cond(centred))


@given(seed=seeds, power=st.integers(-11, 0), structure=st.sampled_from(["unrestricted", "symmetric"]))
def test_what_little_was_read_along_a_direction_is_used(lib, seed, power, structure):
    rng = np.random.default_rng(seed)
    one = agent(rng, 3)
    w_in = rng.standard_normal((20, 3)) * [1.0, 1.0, 10.0**power]
    found = identify(lib(w_in), lib(one(w_in)), structure)
    assert close(found.M, one.M, 1e-14 * 10.0**-power + 1e-12)


@pytest.mark.parametrize("size", [1e-300, 1e-150, 1e150, 1e300])
@pytest.mark.parametrize("structure", ["unrestricted", "symmetric", "step size"])
def test_a_fit_has_its_digits_at_any_size(lib, rng, structure, size):
    w_in, noise = rng.standard_normal((2, 9, 3))
    plain = identify(lib(w_in), lib(w_in / 2 + noise), structure, lib(np.eye(3)))
    large = identify(lib(w_in * size), lib((w_in / 2 + noise) * size), structure, lib(np.eye(3)))
    assert close(large.M, plain.M, 1e-12) and large.r_squared == pytest.approx(plain.r_squared, abs=1e-12)
    assert large.residual_std == pytest.approx(plain.residual_std * size, rel=1e-12)


def test_the_fit_of_a_transcript_predicts_its_later_turns(rng):
    first, second = agent(rng, 3), agent(rng, 3)
    run = alternate(first, second, 3 * rng.standard_normal(3), 12)
    found = identify(run.second[:4], run.first[1:5])
    assert close(found(run.second[5:-1]), run.first[6:], 1e-6)


def test_a_transcript_of_a_batch_is_fitted_at_once(lib, rng):
    w_in = rng.standard_normal((4, 9, 2))
    found = identify(lib(w_in), lib(w_in / 2), "step size", lib(np.eye(2)))
    assert np.allclose(found.eta, np.full(4, 0.5)) and tuple(found.M.shape) == (4, 2, 2)


def test_one_transcript_is_compared_with_a_batch_of_geometries(lib, rng):
    w_in = rng.standard_normal((9, 2))
    found = identify(lib(w_in), lib(w_in / 2), "step size", lib([np.eye(2), 2 * np.eye(2)]))
    assert np.allclose(found.eta, [0.5, 0.25]) and np.allclose(found.r_squared, 1.0)


@pytest.mark.parametrize("structure", ["unrestricted", "symmetric", "step size"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_fit_keeps_library_and_dtype(lib, rng, structure, dtype):
    w_in = lib(rng.standard_normal((9, 2)).astype(dtype))
    found = identify(w_in, w_in / 2, structure, lib(np.eye(2, dtype=dtype)))
    assert type(found.M) is type(w_in) and found.M.dtype == found.c.dtype == w_in.dtype
    assert isinstance(found, AffineMap) and np.allclose(found.M, np.eye(2) / 2, atol=1e-6)


def test_a_step_size_in_torch_has_all_its_digits(rng):
    w = torch.asarray(rng.standard_normal((9, 2)))
    assert close(identify(w, 0.7 * w, "step size", torch.eye(2, dtype=torch.float64)).M, 0.7 * np.eye(2), 1e-14)


W = np.random.default_rng(0).standard_normal((9, 2))


@pytest.mark.parametrize(
    ("w_in", "w_out", "options", "message"),
    [
        (W, W[:5], {}, r"w_in and w_out must both be \(\.\.\., m, d\), got \(9, 2\) and \(5, 2\)"),
        (W[0], W[0], {}, r"must both be \(\.\.\., m, d\), got \(2,\) and \(2,\)"),
        (W, W[:, :1], {}, r"w_out must have shape \(\.\.\., 2\), got \(9, 1\)"),
        (W, np.where(W > 1, np.nan, W), {}, "w_out must be finite"),
        (W, torch.asarray(W), {}, "w_in is numpy, w_out is torch"),
        (W[:2], W[:2], {}, 'structure "unrestricted" in d = 2 needs at least 3 exchanges, got 2'),
        (W[:2], W[:2], {"structure": "symmetric"}, 'structure "symmetric" in d = 2 needs at least 3 exchanges, got 2'),
        (
            W[:1],
            W[:1],
            {"structure": "step size", "S": np.eye(2)},
            '"step size" in d = 2 needs at least 2 exchanges, got 1',
        ),
        (W, W, {"structure": "step size"}, 'structure "step size" needs the prompt geometry S, got None'),
        (W, W, {"structure": "step size", "S": np.triu(np.ones((2, 2)))}, "S must be symmetric"),
        (W, W, {"structure": "step size", "S": np.eye(3)}, r"S must have shape \(\.\.\., 2, 2\), got \(3, 3\)"),
        (W, W, {"structure": "step size", "S": torch.eye(2)}, "w_in is numpy, S is torch"),
        (W, W, {"structure": "step size", "S": np.zeros((2, 2))}, "got no change in S w_in"),
        (0 * W + 0.1, W, {"structure": "step size", "S": np.eye(2)}, "got no change in S w_in"),
    ],
)
def test_what_can_not_be_fitted(w_in, w_out, options, message):
    with pytest.raises(ValueError, match=message):
        identify(w_in, w_out, **options)


@pytest.mark.usefixtures("untyped")
def test_an_unknown_structure():
    with pytest.raises(
        ValueError, match='structure must be "unrestricted", "symmetric" or "step size", got \'diagonal\''
    ):
        identify(W, W, "diagonal")
