"""Two agents that feed on each other's output: the dynamics of papers 2511.08710 and 2512.06256, checked."""

from typing import Any

from a2a.adversary import Asymmetry, asymmetry, attack_prompt, probe_attack
from a2a.affine import AffineMap, spectral_radius
from a2a.agents import Agent, GradientAgent, NoisyAgent, sample_pair
from a2a.equilibrium import Equilibrium, bias_bound, equilibrium, small_step_bias
from a2a.exchanges import resample
from a2a.helper import Helper, newton_objective, newton_target, probe, steering_objective
from a2a.identification import IdentifiedMap, identify
from a2a.interaction import Interaction, alternate, take_turns, turns_to
from a2a.linearity import linearity_test
from a2a.noise import noise_floor
from a2a.prompts import Prompt, random_covariance, sample_prompt
from a2a.ring import ring_equilibrium
from a2a.solving import IllConditioned
from a2a.stability import UnstableInteraction
from a2a.targets import Anderson, OneExchange, objective_from_exchange

__all__ = [
    "AffineMap",
    "Agent",
    "Anderson",
    "Asymmetry",
    "Equilibrium",
    "GradientAgent",
    "Helper",
    "IdentifiedMap",
    "IllConditioned",
    "Interaction",
    "NoisyAgent",
    "OneExchange",
    "Prompt",
    "UnstableInteraction",
    "alternate",
    "asymmetry",
    "attack_prompt",
    "bias_bound",
    "equilibrium",
    "identify",
    "linearity_test",
    "newton_objective",
    "newton_target",
    "noise_floor",
    "objective_from_exchange",
    "probe",
    "probe_attack",
    "random_covariance",
    "resample",
    "ring_equilibrium",
    "sample_pair",
    "sample_prompt",
    "small_step_bias",
    "spectral_radius",
    "steering_objective",
    "take_turns",
    "turns_to",
]


def __getattr__(name: str) -> Any:
    """`__version__`, looked up when it is asked for: reading the installed packages' metadata takes its time."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("a2a")
