"""Which kitchens tasks take place in: what a config is checked against, without loading what builds them."""

from dataclasses import dataclass, field
from math import inf
from typing import Annotated, ClassVar

from hiermap.primitives.arms import ARMS
from hiermap.primitives.arms.spec import ArmSpec
from hiermap.system.run_folder import OutOptions
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.records import check_fields, one_of
from hiermap.worlds.wide.options import DRAWN, WideOptions

KITCHENS = ("hiermap", "wide", "toy", "mjcf")


@dataclass(frozen=True)
class KitchenOptions:
    """Where tasks take place.

    Attributes:
        name: hiermap (procedural kitchens), wide (kitchens of any size, height and yaw, for weights=wide), toy (a numpy
            puzzle, with world=simulator maps=oracle) or mjcf (a scene of yours, at path); kitchen=NAME says the same.
        path: file of a scene in MJCF, without a robot.
        arm: the robot that is put before it: panda, ur5e, sawyer, iiwa, kinova3 or jaco.
        wide: from what wide kitchens are drawn.
        base: where the arm stands in the scene's own coordinates, "X Y Z YAW" [m, rad]; null for where it reaches and sees most.
    """

    SHORT: ClassVar[str] = "name"
    name: str = "hiermap"
    path: str | None = None
    arm: str = "panda"
    base: str | None = None
    wide: WideOptions = DRAWN

    def __post_init__(self) -> None:
        check_fields(self, "kitchen")
        one_of("kitchen", self.name, KITCHENS)
        one_of("kitchen.arm", self.arm, ARMS)
        if (self.name == "mjcf") != (self.path is not None):
            raise ConfigError(f"kitchen={self.name} with kitchen.path={self.path}; a path goes with kitchen=mjcf, which needs one")
        if self.wide.told and self.name != "wide":
            raise ConfigError(f"kitchen.wide ({self.wide.told.strip()}) and kitchen={self.name} do not go together; take kitchen=wide")
        _ = self.place

    @property
    def robot(self) -> ArmSpec:
        """`arm` as what there is to know of it."""
        return ARMS[self.arm]

    @property
    def place(self) -> tuple[float, float, float, float] | None:
        """`base` as numbers."""
        try:
            x, y, z, yaw = map(float, self.base.split()) if self.base is not None else (0.0, 0.0, 0.0, 0.0)
        except ValueError:
            raise ConfigError(f"kitchen.base={self.base!r}; expected four numbers 'X Y Z YAW' [m, rad]") from None
        if not all(abs(number) < 1e3 for number in (x, y, z, yaw)):
            raise ConfigError(f"kitchen.base={self.base!r}; expected metres and radians below 1000")
        return None if self.base is None else (x, y, z, yaw)


@dataclass(frozen=True, kw_only=True)
class LookOptions(OutOptions):
    """The keys of `hiermap kitchen`.

    Attributes:
        seed: of a procedural kitchen and its random state; of a perturbed start of a scene of yours, 0 for how it is written.
        kitchen: which kitchens.
        sensing: how well the cameras see.
    """

    seed: Annotated[int, 0, inf] = 0
    kitchen: KitchenOptions = field(default_factory=KitchenOptions)
    sensing: SensingOptions = field(default_factory=SensingOptions)

    def __post_init__(self) -> None:
        check_fields(self)
        if self.kitchen.name == "toy":
            raise ConfigError("kitchen=toy has nothing to look at; take hiermap or mjcf")
