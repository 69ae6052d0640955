"""What kinds of arrays the public functions take: each call right, or one ValueError in one short line with a name."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from calls import CALLS, numbers_of

import a2a


def sparse(array):
    return scipy.sparse.csr_array(np.atleast_2d(array))


def masked(array):
    return np.ma.array(array, mask=np.arange(np.size(array)).reshape(np.shape(array)) == 0)


REFUSED = {
    "masked": masked,
    "a list of masked": lambda array: [masked(array), masked(array)],
    "a masked number": lambda array: np.ma.masked,
    "float16 tensor without data": lambda array: torch.tensor(array).half().to("meta"),
    "bfloat16 sparse": lambda array: torch.tensor(np.atleast_2d(array)).bfloat16().to_sparse(),
    "sparse": sparse,
    "sparse tensor": lambda array: torch.tensor(np.atleast_2d(array)).to_sparse(),
    "quantised": lambda array: quantised(np.atleast_1d(array)),
    "nested": lambda array: nested(),
    "meta": lambda array: torch.tensor(array, device="meta"),
    "complex": lambda array: array + 0j,
    "complex tensor": lambda array: torch.tensor(array) + 0j,
    "objects": lambda array: np.asarray(array, dtype=object),
    "strings": lambda array: np.asarray(array).astype(str),
    "bytes": lambda array: b"1",
    "structured": lambda array: np.zeros(2, [(f"field {i}", float) for i in range(500)]),
    "record": lambda array: np.rec.array([(1.0, 2.0)], dtype=[("a", float), ("b", float)]),
    "dates": lambda array: np.array(["2020-01-01"], "M8[D]"),
    "ragged": lambda array: [[1.0], [1.0, 2.0]],
    "categories": lambda array: pd.Series(["a\n", "b"], dtype="category"),
    "half a million texts": lambda array: ["text"] * 500,
    "a long text": lambda array: "x" * 5_000_000,
    "a dictionary": lambda array: {"a": 1},
    "an endless whole number": lambda array: 10**5000,
    "a function": lambda array: masked,
}
TAKEN = {
    "list": lambda array: np.asarray(array).tolist(),
    "matrix": lambda array: quietly(np.matrix, array),
    "memory map's class": lambda array: np.asarray(array).view(np.memmap),
    "not contiguous": lambda array: np.repeat(np.asarray(array)[..., None], 2, axis=-1)[..., 0],
    "reversed": lambda array: np.flip(np.flip(array).copy()),
    "read-only": lambda array: np.broadcast_to(array, np.shape(array)),
    "series": lambda array: pd.Series(np.ravel(array)),
    "no dimension": lambda array: np.array(0.5),
    "Boolean": lambda array: np.asarray(array) > 0,
    "whole": lambda array: np.sign(array).astype("i1"),
    "unsigned": lambda array: np.abs(np.sign(array)).astype("u8"),
}


def quietly(function, *arguments):
    """A function that warns of being new or old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments)


def quantised(array):
    return quietly(torch.quantize_per_tensor, torch.tensor(array).float(), 0.1, 0, torch.qint8)


def nested():
    return quietly(torch.nested.nested_tensor, [torch.ones(2), torch.ones(3)])


NAMES = ["w", "agent", "theta", "S", "X", "y", "M", "c", "eta", "spectrum", "samples"]
"""What a function may call an argument that it hands on."""


def is_short(message, call):
    """Whether a message is one short line that names something that was given."""
    return len(message) < 300 and "\n" not in message and any(name in message for name in [*call.arguments, *NAMES])


ARRAYS = [(name, argument) for name, call in CALLS.items() for argument in call.arrays]


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize(("name", "argument"), ARRAYS, ids=map("-".join, ARRAYS))
def test_no_other_kind_of_array_gets_in(name, argument):
    call = CALLS[name]
    for kind, made in REFUSED.items():
        with pytest.raises(ValueError, match="must") as caught:
            call(**{argument: made(call.arguments[argument])})
            pytest.fail(f"{kind} was taken")
        assert is_short(str(caught.value), call), (kind, str(caught.value))


def outcome(name, argument, value):
    """The numbers that come of a call, or that it is refused."""
    try:
        return numbers_of(CALLS[name](**{argument: value})).tolist()
    except ValueError:
        return "refused"


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize(("name", "argument"), ARRAYS, ids=map("-".join, ARRAYS))
def test_a_kind_that_gets_in_counts_as_its_numbers(name, argument):
    for kind, made in TAKEN.items():
        given = made(CALLS[name].arguments[argument])
        plain = np.array(np.asarray(given), dtype=float)
        if name == "bootstrap" and np.ndim(plain) != 1:
            continue  # its statistic is for rows
        of_kind, of_plain = outcome(name, argument, given), outcome(name, argument, plain)
        assert isinstance(of_kind, str) == isinstance(of_plain, str), kind
        assert isinstance(of_kind, str) or np.allclose(of_kind, of_plain, 1e-12, 1e-12, equal_nan=True), kind


@pytest.mark.parametrize("kind", ["reversed", "read-only"])
def test_step_sizes_of_any_memory_go_with_tensors(kind):
    S, theta, eta = torch.eye(2).expand(2, 2, 2), torch.ones(2), TAKEN[kind](np.array([0.5, 0.4]))
    assert a2a.GradientAgent(S, theta, eta).eta.tolist() == pytest.approx([0.5, 0.4])


WRONG_GENERATORS = [None, 3, np.random.RandomState(0), torch.Generator(), "seed"]
GENERATORS = [(name, argument) for name, call in CALLS.items() for argument in call.generators]


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize(("name", "argument"), GENERATORS, ids=map("-".join, GENERATORS))
@pytest.mark.parametrize("wrong", WRONG_GENERATORS, ids=lambda wrong: type(wrong).__name__)
def test_only_numpys_generator_draws(name, argument, wrong):
    with pytest.raises(ValueError, match=r"rng must be a numpy\.random\.Generator, got"):
        CALLS[name](**{argument: wrong})


PUBLIC = [name for name in a2a.__all__ if callable(getattr(a2a, name))]
WITHOUT_ARRAYS = {"asymmetry", "bias_bound", "ring_equilibrium", "small_step_bias"}
RESULTS = {"Agent", "Asymmetry", "Equilibrium", "IdentifiedMap", "IllConditioned", "Interaction", "UnstableInteraction"}


@pytest.mark.parametrize("name", sorted({*PUBLIC} - WITHOUT_ARRAYS - RESULTS))
def test_every_public_function_is_in_the_table(name):
    assert any(re.split(r"[ (.]", entry)[0] == name for entry in CALLS)
