"""What two agents do in one of the other settings, against what exact agents would do there in as many turns."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from a2a import GradientAgent, spectral_radius
from a2a.chat.experiment import Experiment, LeftOut
from a2a.chat.pairs import Pair, Talk
from a2a.chat.rivals import rivals
from a2a.chat.settings import Setting
from a2a.intervals import Estimate, from_draws
from a2a.linalg import norm


@dataclass(frozen=True)
class Varied:
    """What was seen in a setting.

    Attributes:
        eta: the step size asked for; where none was, the one read off the first half of the turns.
        r_squared: of all steps of both agents against exact ones, the lesser.
        off: how far from where exact agents are at the end, as a share of their plateau, of A or B the worse.
        nearest: to A and to B, of all places where they might settle.
    """

    eta: float
    r_squared: float
    off: Estimate
    nearest: tuple[str, str]


def turn_rate(pair: Pair) -> float:
    """The spectral radius of a turn of exact agents, where they don't settle, too."""
    return float(spectral_radius(pair.first.M @ pair.second.M))


def converse_in(setting: Setting, pair: Pair, name: str, experiment: Experiment, turns: int) -> Talk:
    """The conversation of two agents of a name in a setting; `experiment` asks as it says.

    Raises:
        LeftOut: if exact agents wouldn't settle, or the agent takes no step along the gradient where none is named.
    """
    _require_settling(pair)
    first, second = (
        experiment.agent(name, prompt, stream)
        for stream, prompt in enumerate((pair.prompt_first, pair.prompt_second), start=1)
    )
    talk = pair.talk(first, second, turns)
    if setting.asking.eta is None:
        talk = replace(talk, pair=replace(pair, eta=step_size(talk)))
        _require_settling(talk.pair)
    return talk


def step_size(talk: Talk) -> float:
    """The step size that explains the first half of the turns of both agents best.

    Raises:
        LeftOut: if it isn't above 0.
    """
    moved, along = 0.0, 0.0
    for agent, exact in enumerate((talk.pair.first, talk.pair.second)):
        read, written = talk.first_half(agent)
        unit = (exact(read) - read) / exact.eta
        moved, along = moved + float(np.sum((written - read) * unit)), along + float(np.sum(unit**2))
    if not moved > 0:
        raise LeftOut("its steps don't go down")
    return moved / along


def varied(talk: Talk, rng: np.random.Generator, resamples: int) -> Varied:
    """What a conversation at one gap says, by the second half of its turns.

    Exact agents are met turn by turn, from the same starts, so that neither need have settled; the bootstrap draws the
    differences from them again.
    """
    pair, exact = talk.pair, talk.pair.exact(talk.turns)
    seen, wanted = _second_half(talk), _second_half(exact)
    chosen = rng.integers(seen.shape[1], size=(resamples, seen.shape[1]))
    plateau = norm(wanted.mean(axis=1) - pair.objectives[:, 0])
    off = norm((seen - wanted).mean(axis=1)) / plateau
    draws = norm((seen - wanted)[:, chosen].mean(axis=2)) / plateau[:, None]
    worse = int(np.argmax(off))
    estimate = from_draws(float(off[worse]), draws[worse], seen.shape[1], "answers")
    return Varied(pair.eta, min(_fit(talk, 0), _fit(talk, 1)), estimate, _nearest(talk))


def _second_half(talk: Talk) -> np.ndarray:
    """What A and B wrote then, (2, turns and starts, d)."""
    both = np.stack([talk.run.first, talk.run.second])[:, talk.turns // 2 :, 0]
    return both.reshape(2, -1, talk.pair.d)


def _nearest(talk: Talk) -> tuple[str, str]:
    """The places nearest to where A and B ended."""
    places = rivals(talk.pair)
    distances = norm(talk.settled[:, 0].mean(axis=1) - np.stack(list(places.values()))[:, :, 0])
    first, second = (list(places)[at] for at in np.argmin(distances, axis=0))
    return first, second


def _fit(talk: Talk, agent: int) -> float:
    """R^2 of the steps of A (0) or B (1) against exact ones."""
    exact: GradientAgent = (talk.pair.first, talk.pair.second)[agent]
    read, written = talk.exchanges[agent]
    wanted = exact(read)
    return float(1 - np.sum((written - wanted) ** 2) / np.sum((wanted - read) ** 2))


def _require_settling(pair: Pair) -> None:
    if not (rate := turn_rate(pair)) < 1:
        raise LeftOut(f"nothing settles: a turn's rate is {rate:.2f}")
