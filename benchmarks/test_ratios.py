"""Speed as ratios, both sides measured in one run on the same machine and checked to compute the same thing.

`make bench` prints them. They are no part of the tests: a busy machine must not fail a build.
"""

import statistics
import time
import tracemalloc

import numpy as np
import pytest
import torch

from a2a import GradientAgent, alternate, sample_pair
from a2a.lsa import LinearSelfAttention


def seconds(function, repeats=5):
    """Median wall time of a call, after one to warm up."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def report(what, slow, fast):
    print(f"\n{what}: {slow / fast:.0f} times faster ({slow * 1e3:.1f} ms against {fast * 1e3:.1f} ms)")


def full_attention(layer, X, y, w):
    """LSA over all n + 1 tokens, every column computed, as published code for this layer does it."""
    batch, n, d = X.shape
    Z = X.new_zeros(batch, 2 * d + 2, n + 1)
    Z[:, :d, :n], Z[:, d, :n] = X.mT, y
    Z[:, d + 1 : 2 * d + 1, n], Z[:, 2 * d + 1, n] = w, 1.0
    out = Z + layer.V @ Z @ (Z.mT @ layer.W @ Z) / n
    return out[:, d + 1 : 2 * d + 1, n]


@pytest.fixture
def one_thread():
    """Threads that wait for a busy core would be what is measured."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
def test_last_column_against_full_attention(d=10, n=20, batch=4096):
    generator = torch.Generator().manual_seed(0)
    layer = LinearSelfAttention.gradient_step(d, 0.3)
    X, y, w = (torch.randn(batch, *shape, generator=generator, dtype=torch.float64) for shape in ((n, d), (n,), (d,)))
    with torch.no_grad():
        torch.testing.assert_close(layer(X, y, w), full_attention(layer, X, y, w))
        slow = seconds(lambda: full_attention(layer, X, y, w))
        fast = seconds(lambda: layer(X, y, w))
    report(f"LSA step, last column against all tokens (d = {d}, n = {n}, batch {batch:,})", slow, fast)


def loop(S_first, theta_first, S_second, theta_second, eta, turns):
    """What a user would write: one pair after the other, one turn after the other."""
    ends = []
    for S_A, theta_A, S_B, theta_B in zip(S_first, theta_first, S_second, theta_second, strict=True):
        w = np.zeros(len(theta_A))
        for _ in range(turns):
            w = w - eta * S_A @ (w - theta_A)
            w = w - eta * S_B @ (w - theta_B)
        ends.append(w)
    return np.array(ends)


def test_batched_turns_against_a_loop(d=4, n=20, pairs=10_000, turns=50, eta=0.2):
    first, second = sample_pair(np.random.default_rng(0), n, d, eta, eta, batch=(pairs,))
    arguments = (first.S, first.theta, second.S, second.theta, eta, turns)

    def batched():
        return alternate(first, second, np.zeros((pairs, d)), turns, history=False).second[-1]

    np.testing.assert_allclose(batched(), loop(*arguments), rtol=1e-9, atol=1e-12)
    report(
        f"{pairs:,} pairs x {turns} turns (d = {d}), batched against a loop",
        seconds(lambda: loop(*arguments), 1),
        seconds(batched),
    )


def test_memory_without_history(d=10, n=20, pairs=1000):
    first, second = sample_pair(np.random.default_rng(0), n, d, 0.2, 0.2, batch=(pairs,))
    peaks = [peak_bytes(first, second, np.zeros((pairs, d)), turns) for turns in (10, 1000)]
    print(f"\nmemory without history: {peaks[1] / peaks[0]:.2f} times as much for 100 times as many turns")
    assert peaks[1] < 1.2 * peaks[0]


def peak_bytes(first: GradientAgent, second: GradientAgent, w0, turns):
    tracemalloc.start()
    alternate(first, second, w0, turns, history=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
