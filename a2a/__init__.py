"""Two agents that feed on each other's output: the dynamics of papers 2511.08710 and 2512.06256, checked."""

from importlib.metadata import version

from a2a.adversary import Asymmetry, asymmetry, attack_prompt, probe_attack
from a2a.affine import AffineMap, spectral_radius
from a2a.agents import Agent, GradientAgent, NoisyAgent, sample_pair
from a2a.equilibrium import (
    Equilibrium,
    UnstableInteraction,
    bias_bound,
    equilibrium,
    noise_floor,
    ring_equilibrium,
    small_step_bias,
)
from a2a.helper import (
    Anderson,
    Helper,
    OneExchange,
    newton_objective,
    newton_target,
    objective_from_exchange,
    probe,
    steering_objective,
)
from a2a.identification import IdentifiedMap, identify, linearity_test, resample
from a2a.interaction import Interaction, alternate, take_turns, turns_to
from a2a.prompts import Prompt, random_covariance, sample_prompt
from a2a.solving import IllConditioned

__version__ = version("a2a")

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
