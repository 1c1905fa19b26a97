"""How anyone's policy acts and what it sees, by name: what a config is checked against, without loading what simulates."""

from dataclasses import dataclass
from math import inf
from typing import Annotated, ClassVar

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.records import check_fields, one_of, shown

CONTROLS = ("primitive", "joint", "osc")
OBSERVATIONS = ("fused", "cameras", "state")


@dataclass(frozen=True)
class PolicyOptions:
    """A policy of yours in the Gymnasium environment.

    Attributes:
        factory: module:name of a function or class that makes the policy, called with policy_options; policy=module:name says the same.
        control: a step is one primitive, or a twenty-fifth of a second of joint or hand motion (osc).
        obs: fused (the spatial frame), cameras (RGB-D images), or state (privileged: what the simulator knows).
        max_steps: of an episode; null for as many as suit the control.
    """

    SHORT: ClassVar[str] = "factory"
    factory: str = ""
    control: str = "primitive"
    obs: str = "fused"
    max_steps: Annotated[int, 1, inf] | None = None

    def __post_init__(self) -> None:
        check_fields(self, "policy")
        one_of("policy.control", self.control, CONTROLS)
        one_of("policy.obs", self.obs, OBSERVATIONS)
        module, colon, name = self.factory.partition(":")
        if self.factory and not (colon and module and name.isidentifier()):
            raise ConfigError(f"policy={shown(self.factory)}; expected module:name, for example my_policy:MyPolicy")
