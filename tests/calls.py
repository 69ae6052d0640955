"""A valid call of each public function of the theory, of the layer and of the intervals, with every array argument."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

import a2a
from a2a import (
    agents,
    counting,
    crafted,
    ensembles,
    imperfect,
    isotropy,
    longrun,
    lsa,
    pairs,
    prompts,
    redraw,
    rest,
    rounding,
    significance,
    small_steps,
    takeover,
)
from a2a import intervals as estimates


class Call(NamedTuple):
    """A function with arguments that it takes, called each time as if for the first time.

    `arrays` and `generators` name the arguments that are arrays, or numbers, and random generators.
    """

    function: Callable[..., Any]
    arguments: dict[str, Any]

    def __call__(self, **changed: Any) -> Any:
        function, arguments = deepcopy((self.function, self.arguments))
        return function(**{**arguments, **changed})

    @property
    def arrays(self) -> list[str]:
        return [name for name, value in self.arguments.items() if isinstance(value, np.ndarray | float)]

    @property
    def generators(self) -> list[str]:
        return [name for name, value in self.arguments.items() if isinstance(value, np.random.Generator)]


def numbers_of(result: Any) -> np.ndarray:
    """All numbers in what a function returned, in one row."""
    return np.concatenate([np.ravel(part).astype(float) for part in _parts(result)] or [np.empty(0)])


def _parts(result: Any) -> Iterator[np.ndarray]:
    if isinstance(result, np.ndarray | float | int | np.generic):
        yield np.asarray(result)
    elif hasattr(result, "detach"):
        yield result.detach().numpy()
    elif hasattr(result, "state_dict"):
        yield from _parts([*result.state_dict().values()])
    elif isinstance(result, list | tuple):
        for part in result:
            yield from _parts(part)
    elif isinstance(result, dict) or hasattr(result, "__dict__"):
        yield from _parts([*(result if isinstance(result, dict) else vars(result)).values()])


S = np.array([[1.0, 0.3], [0.3, 0.8]])
S_B = np.array([[0.6, -0.2], [-0.2, 1.1]])
W, V = np.array([0.4, -0.7]), np.array([1.1, 0.2])
X, Y = np.array([[1.0, 0.2], [-0.4, 0.9], [0.3, 1.3]]), np.array([0.5, -0.1, 0.7])


def _calls() -> dict[str, Call]:
    """The table."""
    first, second = a2a.GradientAgent(S, V, 0.5), a2a.GradientAgent(S_B, -W, 0.7)
    many = a2a.GradientAgent(np.stack([S, S_B]), np.stack([V, W]), 0.5)
    layer, prompt, rng = lsa.LinearSelfAttention.gradient_step(2, 0.3), a2a.Prompt(X, Y), np.random.default_rng(3)
    w_in = np.random.default_rng(4).standard_normal((9, 2))
    w_out = first(w_in)
    read = {"w_in": w_in, "w_out": w_out}
    run = a2a.alternate(first, second, W, 4)
    pair = {"first": first, "second": second}
    table = {
        "AffineMap": (a2a.AffineMap, {"M": S, "c": V}),
        "AffineMap()": (a2a.AffineMap(S, V), {"w": W}),
        "GradientAgent": (a2a.GradientAgent, {"S": S, "theta": V, "eta": 0.5}),
        "GradientAgent of a batch": (a2a.GradientAgent, {"S": S, "theta": V, "eta": np.array([0.5, 0.6])}),
        "GradientAgent()": (first, {"w": W}),
        "NoisyAgent": (lambda noise, rng: a2a.NoisyAgent(first, noise, rng)(W), {"noise": 0.1, "rng": rng}),
        "NoisyAgent()": (a2a.NoisyAgent(first, 0.1, rng), {"w": W}),
        "held": (lambda far: agents.held(first, far)(W), {"far": 9.0}),
        "held()": (agents.held(first, 9.0), {"w": W}),
        "left_alone": (agents.left_alone, {"agent": first, "w": W, "steps": 3}),
        "sample_pair": (
            a2a.sample_pair,
            {"rng": rng, "n": 3, "d": 2, "eta_first": 0.5, "eta_second": np.array([0.2]), "batch": (1,), "noise": 0.1},
        ),
        "equilibrium": (a2a.equilibrium, {**pair, "w0": W}),
        "resample": (a2a.resample, {"rng": rng, **read, "resamples": 2}),
        "Helper()": (a2a.Helper(second, lambda w: first.theta), {"w": W}),
        "newton_target": (a2a.newton_target, {"main": first, "w": W, "damping": 0.5, "hessian": S_B}),
        "newton_objective": (
            a2a.newton_objective,
            {"main": first, "helper": second, "w": W, "damping": 0.5, "hessian": S_B},
        ),
        "steering_objective": (a2a.steering_objective, {"helper": second, "w": W, "target": V}),
        "probe": (a2a.probe, {"agent": first, "w0": W}),
        "identify": (a2a.identify, {**read, "structure": "step size", "S": S}),
        "identify symmetric": (a2a.identify, {**read, "structure": "symmetric"}),
        "alternate": (a2a.alternate, {**pair, "w0": W, "turns": 3}),
        "take_turns": (a2a.take_turns, {"agents": [first, second], "w0": W, "turns": 2}),
        "turns_to": (a2a.turns_to, {"rate": np.array([0.5, 0.2]), "share": 0.1}),
        "turns_to at most": (a2a.turns_to, {"rate": 0.5, "share": 0.1, "at_most": 9}),
        "linearity_test": (a2a.linearity_test, read),
        "noise_floor": (a2a.noise_floor, {**pair, "noise_first": S, "noise_second": S_B}),
        "Prompt": (a2a.Prompt, {"X": X, "y": Y}),
        "Prompt.from_objective": (a2a.Prompt.from_objective, {"X": X, "theta": V, "noise": 0.2, "rng": rng}),
        "random_covariance": (a2a.random_covariance, {"rng": rng, "spectrum": V, "batch": (3,)}),
        "sample_prompt": (
            a2a.sample_prompt,
            {"rng": rng, "n": 3, "d": 2, "theta": V, "covariance": S, "noise": 0.1},
        ),
        "label_noise_error": (prompts.label_noise_error, {"n": 9, "d": 2, "noise": 0.1}),
        "spectral_radius": (a2a.spectral_radius, {"M": S}),
        "Anderson": (lambda w0: a2a.Anderson(w0)(V), {"w0": W}),
        "Anderson()": (a2a.Anderson(W), {"w": V}),
        "OneExchange": (lambda S, eta, w0: a2a.OneExchange(S, eta, w0)(V), {"S": S, "eta": 0.5, "w0": W}),
        "OneExchange()": (a2a.OneExchange(S, 0.5, W), {"w": V}),
        "objective_from_exchange": (
            a2a.objective_from_exchange,
            {"S": S, "eta": 0.5, "w_in": W, "w_out": first(W)},
        ),
        "attack_prompt": (a2a.attack_prompt, {"victim": second, "theta": V, "eta": 0.4}),
        "probe_attack": (a2a.probe_attack, {"victim": second, "theta": V, "eta": 0.4}),
        "along": (crafted.along, {"v": V}),
        "blind": (crafted.blind, {"agent": first, "v": V}),
        "crossing": (crafted.crossing, {"agent": first, "v": V}),
        "attacker_against": (crafted.attacker_against, {"victim": second, "theta": V, "eta": 0.4}),
        "landing": (crafted.landing, {"inputs": np.eye(2), "theta": V, "eta": 0.4}),
        "attackers_by_size": (
            crafted.attackers_by_size,
            {"v": np.array([1.0, 0.0]), "unseen": np.array([[0.0, 1.0]]), "theta": V, "eta": 0.4},
        ),
        "never_moved": (crafted.never_moved, {"unseen": np.array([[0.0, 1.0]]), "error": W}),
        "visible_errors": (lambda a, b: crafted.visible_errors(first, second, (a, b)), {"a": V, "b": W}),
        "displacement_spectrum": (crafted.displacement_spectrum, {"run": run, "w0": W}),
        "most_turns": (counting.most_turns, {"norms": np.array([0.5, 0.9]), "share": 0.1, "agents": 1}),
        "turns_to_share": (counting.turns_to_share, {"M": S / 2, "error": V, "share": 0.1, "longest": 20.0}),
        "doublings_to_rest": (counting.doublings_to_rest, {"rate": np.array([0.5, 0.9]), "share": 0.1}),
        "conditioned_agents": (
            ensembles.conditioned_agents,
            {"rng": rng, "kappa": np.array([2.0, 3.0]), "d": 2, "eta": 0.5},
        ),
        "root_mean_square": (ensembles.root_mean_square, {"errors": X}),
        "isotropic_gain": (isotropy.isotropic_gain, {"p": V / 2, "q": 0.4}),
        "isotropic_agent": (isotropy.isotropic_agent, {"theta": V, "kept": np.array([0.5, 0.6])}),
        "lopsided_spectra": (isotropy.lopsided_spectra, {"conditions": np.array([2.0, 3.0]), "d": 2}),
        "lopsided_pairs": (isotropy.lopsided_pairs, {"rng": rng, "spectra": V, "eta": 0.5, "draws": 2}),
        "partly_sighted": (imperfect.partly_sighted, {"rng": rng, "rank": 1, "theta": V, "eta": 0.5}),
        "wrong_hessian": (imperfect.wrong_hessian, {"rng": rng, "S": S, "sigma": 0.5}),
        "exchange_matrix": (imperfect.exchange_matrix, {"main": first, "hessian": S_B}),
        "root_loss": (imperfect.root_loss, {"S": S, "error": W}),
        "rescaled_exchanges": (
            imperfect.rescaled_exchanges,
            {"main": first, "helper": second, "w0": W, "turns": 3},
        ),
        "Identifying": (lambda w0: imperfect.Identifying(w0)(V), {"w0": W}),
        "Identifying()": (imperfect.Identifying(W), {"w": V}),
        "newton_helper": (
            lambda hessian, damping: imperfect.newton_helper(second, first, hessian=hessian, damping=damping)(W),
            {"hessian": S_B, "damping": 0.5},
        ),
        "log_norms": (longrun.log_norms, {"M": S, "squarings": 3}),
        "turn_matrix": (longrun.turn_matrix, {**pair, "d": 2}),
        "with_largest": (pairs.with_largest, {"agent": many, "largest": np.array([0.5, 1.5])}),
        "random_pairs": (
            pairs.random_pairs,
            {"rng": rng, "pairs": 2, "n": 3, "d": 2, "eta_first": 0.5, "eta_second": 0.4},
        ),
        "random_ring": (pairs.random_ring, {"rng": rng, "agents": 2, "batch": 2, "n": 3, "d": 2}),
        "RedrawingAgent": (
            lambda theta, eta, rng: redraw.RedrawingAgent(theta, eta, 3, rng)(W),
            {"theta": V, "eta": 0.5, "rng": rng},
        ),
        "RedrawingAgent()": (redraw.RedrawingAgent(V, 0.5, 3, rng), {"w": W}),
        "redraw_factor": (redraw.redraw_factor, {"n": 9, "d": 2, "eta": 0.5}),
        "redrawn_mean_squares": (
            redraw.redrawn_mean_squares,
            {"first": first, "gap": V, "error": W, "eta": 0.5, "n": 9, "turns": 2},
        ),
        "at_rest": (rest.at_rest, {**pair, "w0": W, "slowest": 0.99}),
        "turns_until_rest": (rest.turns_until_rest, {"rate": np.array([0.5, 0.6])}),
        "held_below": (rest.held_below, {"growth": np.array([1.5, 2.0]), "turns": 9, "limit": 100.0}),
        "settled_error": (rest.settled_error, {**pair, "gaps": V, "turns": 4}),
        "RoundingAgent": (lambda grid: rounding.RoundingAgent(first, grid)(W), {"grid": 0.01}),
        "RoundingAgent()": (rounding.RoundingAgent(first, 0.01), {"w": W}),
        "dead_zone": (rounding.dead_zone, {"grid": 0.1, "stride": V}),
        "error_of_noise": (rounding.error_of_noise, {"grid": 0.1, "stride": V}),
        "slowed": (lambda factor: small_steps.slowed(factor, first)[0], {"factor": 0.5}),
        "take_over": (
            takeover.take_over,
            {"ordinary": first, "attacker": first, "victim": second, "w0": W, "before": 2, "after": 2},
        ),
        "share_lost": (takeover.share_lost, {"first": first, "victim": second, "theta": V, "w0": W}),
        "LinearSelfAttention()": (layer, {"X": X, "y": Y, "w": W}),
        "LinearSelfAttention.gradient_step": (lsa.LinearSelfAttention.gradient_step, {"d": 2, "eta": 0.3}),
        "LSAAgent()": (lsa.LSAAgent(layer, prompt), {"w": W}),
        "relative_step_error": (lsa.relative_step_error, {"layer": layer, "X": X, "y": Y, "w": W, "eta": 0.3}),
        "jacobian": (lsa.jacobian, {"agent": lsa.LSAAgent(layer, prompt), "w": W}),
        "own_variation": (lsa.own_variation, {"layer": layer, "w": W, "n": 3, "radius": 0.5}),
        "bootstrap": (
            lambda values, rng: estimates.bootstrap(lambda x: x.mean(-1), values, rng=rng, draws=9),
            {"values": Y, "rng": rng},
        ),
        "mean": (lambda values, rng: estimates.mean(values, rng, 9), {"values": Y, "rng": rng}),
        "from_draws": (lambda draws: estimates.from_draws(0.5, draws, 3), {"draws": Y}),
        "difference_of_shares": (
            lambda rng: estimates.difference_of_shares((1, 3), (2, 5), rng, 9),
            {"rng": rng},
        ),
        "random_signs": (significance.random_signs, {"changes": Y, "rng": rng, "draws": 99}),
        "holm": (significance.holm, {"p_values": np.array([0.1, 0.3])}),
        "adjusted_p": (
            lambda changes, rng: significance.adjusted_p({"one": changes}, rng, 99),
            {"changes": Y, "rng": rng},
        ),
    }
    return {name: Call(*call) for name, call in table.items()}


CALLS = _calls()
"""By the name of the function; with () where an object that was made is called."""
