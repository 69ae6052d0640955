"""Agents may do what they like with what they are given: the results are those of a pure agent."""

import numpy as np
import pytest
import torch
from calls import numbers_of
from hypothesis import given, settings
from instances import agent, dimensions, seeds

from a2a import (
    AffineMap,
    Anderson,
    GradientAgent,
    Helper,
    NoisyAgent,
    OneExchange,
    Prompt,
    alternate,
    probe,
    probe_attack,
    take_turns,
)
from a2a.agents import held
from a2a.imperfect import Identifying, newton_helper, rescaled_exchanges
from a2a.intervals import bootstrap
from a2a.longrun import turn_matrix
from a2a.lsa import LinearSelfAttention, jacobian
from a2a.lsa.trained import Relabeller
from a2a.redraw import RedrawingAgent
from a2a.rounding import RoundingAgent

NAN = float("nan")


def in_place(pure):
    def step(w):
        w[...] = pure(1 * w)
        return w

    return step


def a_view_of_its_input(pure):
    return lambda w: in_place(pure)(w)[..., :]


def one_buffer(pure):
    kept = []

    def step(w):
        answer = pure(w)
        if not kept or kept[0].shape != answer.shape:
            kept[:] = [answer]
        kept[0][...] = answer
        return kept[0]

    return step


def spoils_what_it_read(pure):
    def step(w):
        answer = pure(1 * w)
        w[...] = NAN
        return answer

    return step


def spoils_what_it_wrote(pure):
    kept = []

    def step(w):
        for old in kept:
            old[...] = NAN
        answer = pure(1 * w)
        kept.extend([w, answer])
        return answer

    return step


def cannot_be_written(pure):
    def step(w):
        answer = pure(w)
        return answer.expand(answer.shape) if isinstance(w, torch.Tensor) else np.broadcast_to(answer, answer.shape)

    return step


def every_second_number(pure):
    def step(w):
        answer = pure(w)
        xp = torch if isinstance(w, torch.Tensor) else np
        return xp.stack([answer, NAN * answer], -1)[..., 0]

    return step


def resizes(pure):
    def step(w):
        answer = pure(1 * w)
        if isinstance(w, torch.Tensor):
            w.resize_(1)
        else:
            w.resize((1,), refcheck=False)
        return answer

    return step


def asks_for_gradients(pure):
    return lambda w: pure(w.requires_grad_() if isinstance(w, torch.Tensor) else w)


def swaps_the_data(pure):
    def step(w):
        answer = pure(1 * w)
        if isinstance(w, torch.Tensor):
            w.data = torch.full((7,), NAN)
        return answer

    return step


MISCHIEF = [
    in_place,
    a_view_of_its_input,
    one_buffer,
    spoils_what_it_read,
    spoils_what_it_wrote,
    cannot_be_written,
    every_second_number,
    resizes,
    asks_for_gradients,
    swaps_the_data,
]

RUNS = {
    "take_turns": lambda f, g, one, w: take_turns([f, g, f], w, 3),
    "alternate": lambda f, g, one, w: alternate(f, g, w, 3),
    "without history": lambda f, g, one, w: alternate(f, g, w, 3, history=False),
    "probe": lambda f, g, one, w: probe(f, w),
    "probe_attack": lambda f, g, one, w: probe_attack(f, w, 0.5),
    "rescaled_exchanges": lambda f, g, one, w: rescaled_exchanges(f, g, w, 3),
    "noisy": lambda f, g, one, w: [NoisyAgent(f, 0.0, np.random.default_rng(0))(w) for _ in range(2)],
    "held": lambda f, g, one, w: [held(f, 1.0)(w) for _ in range(2)],
    "rounding": lambda f, g, one, w: [RoundingAgent(f, 1e-6)(w) for _ in range(2)],
    "a helper's target": lambda f, g, one, w: alternate(one, Helper(one, f), w, 3),
    "Anderson": lambda f, g, one, w: alternate(f, Anderson(w), w, 3),
    "identifying": lambda f, g, one, w: alternate(f, Identifying(w), w, one.d + 2),
    "one exchange": lambda f, g, one, w: alternate(f, Helper(one, OneExchange(one.S, one.eta, w)), w, 3),
}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("mischief", MISCHIEF)
@settings(max_examples=2)
@given(seed=seeds, d=dimensions)
def test_mischief_changes_nothing(lib, run, mischief, seed, d):
    rng = np.random.default_rng(seed)
    first, second, w = agent(rng, d, lib), agent(rng, d, lib), lib(rng.standard_normal(d))
    before = numbers_of([w, vars(first), vars(second)])
    pure = numbers_of(run(first, second, first, w))
    assert np.array_equal(numbers_of(run(mischief(first), mischief(second), first, w)), pure)
    assert np.array_equal(numbers_of([w, vars(first), vars(second)]), before)


@pytest.mark.parametrize("mischief", MISCHIEF)
@settings(max_examples=2)
@given(seed=seeds, d=dimensions)
def test_a_turn_is_read_off_any_agent(mischief, seed, d):
    rng = np.random.default_rng(seed)
    first, second = agent(rng, d), agent(rng, d)
    assert np.array_equal(turn_matrix(mischief(first), mischief(second), d), turn_matrix(first, second, d))


@pytest.mark.parametrize("mischief", [spoils_what_it_read, cannot_be_written])
def test_the_derivative_is_read_off_any_agent(rng, mischief):
    one, w = agent(rng, 3, torch.tensor), rng.standard_normal((2, 3))
    assert np.array_equal(jacobian(mischief(one), w), jacobian(one, w))


def test_an_answer_that_does_not_follow_from_w_has_no_derivative():
    with pytest.raises(ValueError, match="must follow from w by torch's operations"):
        jacobian(lambda w: torch.ones(2, dtype=torch.float64), np.ones(2))


@pytest.mark.parametrize("mischief", MISCHIEF)
def test_an_objective_may_spoil_what_it_reads(rng, mischief):
    X, w, rule = rng.standard_normal((5, 3)), rng.standard_normal((2, 3)), agent(rng, 3)
    layer = LinearSelfAttention.gradient_step(3, 0.3)
    pure, other = (Relabeller(layer, X, objective, rule.M) for objective in (rule, mischief(rule)))
    assert np.array_equal([other(w), other(2 * w)], [pure(w), pure(2 * w)])
    assert np.array_equal(other.variation(w, 0.1), pure.variation(w, 0.1))


def test_a_relabeller_keeps_its_arrays(rng):
    X, w, rule = rng.standard_normal((5, 3)), rng.standard_normal((2, 3)), agent(rng, 3)
    steering = rule.M.copy()
    made = Relabeller(LinearSelfAttention.gradient_step(3, 0.3), X, rule, steering)
    before = numbers_of([made(w), made.slope(w)])
    X[...] = steering[...] = NAN
    assert np.array_equal(numbers_of([made(w), made.slope(w)]), before)


def test_a_statistic_may_sort_its_samples(rng):
    values, other = rng.standard_normal((2, 50))

    def correlation(one, two):
        return ((one - one.mean(-1, keepdims=True)) * two).mean(-1)

    def spoiling(one, two):
        found = correlation(one, two)
        one.sort(axis=-1)
        return found

    before = values.copy()
    found, pure = (bootstrap(f, values, other, rng=np.random.default_rng(0), draws=40) for f in (spoiling, correlation))
    assert (found.value, found.interval()) == (pure.value, pure.interval()) and np.array_equal(values, before)


S, V, X, Y = [[1.0, 0.3], [0.3, 0.8]], [1.1, 0.2], [[1.0, 0.2], [-0.4, 0.9], [0.3, 1.3]], [0.5, -0.1, 0.7]


def read_later(X, y):
    """What a prompt gives is worked out when it is asked for."""
    prompt = Prompt(X, y)
    return lambda w: (prompt.S, prompt.theta)


MADE = {
    "AffineMap": (lambda M, c: AffineMap(M, c), [S, V]),
    "GradientAgent": (lambda S, theta, eta: GradientAgent(S, theta, eta), [S, V, [0.5, 0.6]]),
    "one step size": (lambda S, theta, eta: GradientAgent(S, theta, eta), [S, V, 0.5]),
    "Prompt": (read_later, [X, Y]),
    "Anderson": (Anderson, [V]),
    "Identifying": (Identifying, [V]),
    "OneExchange": (OneExchange, [S, 0.5, V]),
    "RedrawingAgent": (lambda theta: RedrawingAgent(theta, 0.5, 3, np.random.default_rng(0)), [V]),
}


@pytest.mark.parametrize(("make", "values"), MADE.values(), ids=MADE)
def test_what_was_made_of_arrays_keeps_its_numbers(lib, make, values):
    w = lib(np.ones(2))
    handed = [lib(np.asarray(value)) for value in values]
    made, pure = make(*handed), make(*[lib(np.asarray(value)) for value in values])
    for array in handed:
        array[...] = NAN
    assert np.array_equal(numbers_of([made, made(w)]), numbers_of([pure, pure(w)]))


TARGETS = {
    "Anderson": Anderson,
    "identifying": Identifying,
    "one exchange": lambda w0: OneExchange(w0[:, None] * w0, 0.5, w0),
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_a_target_keeps_what_it_was_handed_and_what_it_answered(lib, rng, target):
    handed = rng.standard_normal((4, 2))

    def answers(spoilt):
        made = target(lib(np.asarray(V)))
        for w in map(lib, handed.copy()):
            written = made(w)
            yield numbers_of(written)
            if spoilt:
                w[...] = written[...] = NAN

    assert np.array_equal([*answers(True)], [*answers(False)])


def test_a_helper_keeps_the_hessian_that_it_was_given(lib, rng):
    main, other, w, hessian = agent(rng, 2, lib), agent(rng, 2, lib), lib(np.ones(2)), lib(np.asarray(S))
    helper = newton_helper(other, main, hessian=hessian)
    answer = helper(w)
    hessian[...] = NAN
    assert np.array_equal(numbers_of(helper(w)), numbers_of(answer))
