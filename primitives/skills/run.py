"""The one entrance to the motor programs: check the hand, run, end at the ready pose, report."""

from types import MappingProxyType

import numpy as np

from hiermap.primitives.hand import EMPTY_WIDTH_M, OPEN_WIDTH_M
from hiermap.primitives.motion.arm import Arm
from hiermap.primitives.motion.control import Driver, Ending, GivenUp
from hiermap.primitives.skills.grasp import grasp
from hiermap.primitives.skills.phases import go_home
from hiermap.primitives.skills.place import place
from hiermap.primitives.skills.pull import pull
from hiermap.primitives.skills.push import push
from hiermap.primitives.skills.rotate import rotate
from hiermap.primitives.specs import PRIMITIVES, Command, PrimitiveResult, PrimitiveSpec, Reason

PROGRAMS = MappingProxyType({"grasp": grasp, "place": place, "push": push, "pull": pull, "rotate": rotate})


def is_holding(arm: Arm) -> bool:
    """Whether the resting gripper has something between its pads, judged by its width alone."""
    return EMPTY_WIDTH_M < arm.width() < OPEN_WIDTH_M


def run_primitive(arm: Arm, command: Command) -> PrimitiveResult:
    """Run one motor program from the ready pose to the ready pose, within its `bound_seconds`.

    Contact ends early enough to leave time for the way home; an arm that does not come home in time either is left where it is.
    Moves nothing when the hand is not as the primitive needs it (HAND_FULL, HAND_EMPTY) or the pose cannot be reached (UNREACHABLE).
    Raises ValueError for an unknown primitive, bin or a point or normal that is not finite, ArmFault on divergence.
    """
    spec = _checked(command)
    driver = Driver(arm, spec.bound_seconds)
    holding = is_holding(arm)
    if holding != spec.needs_object:
        return PrimitiveResult(False, Reason.HAND_FULL if holding else Reason.HAND_EMPTY, 0.0, 0.0)
    (driver.squeeze if holding else driver.open_to)()
    try:
        ending = _there_and_back(driver, command)
    except GivenUp as given_up:
        ending = Ending(given_up.reason)
    return PrimitiveResult(ending.reason == Reason.DONE, ending.reason, driver.elapsed(), float(ending.displacement))


def _there_and_back(driver: Driver, command: Command) -> Ending:
    """Raises GivenUp when nothing has moved, or when not even the way home fits into the bound."""
    try:
        ending = PROGRAMS[command.primitive](driver, command)
    except GivenUp as given_up:
        if given_up.reason == Reason.UNREACHABLE:
            raise
        ending = Ending(given_up.reason)
        go_home(driver)
    # These two leave the fingers as they are meant to be.
    if command.primitive not in ("grasp", "place"):
        driver.open_to()
    driver.hold(0.8, driver.arm.ready)
    driver.open_fully()
    return ending


def _checked(command: Command) -> PrimitiveSpec:
    spec = PRIMITIVES.get(command.primitive)
    if spec is None:
        raise ValueError(f"unknown primitive {command.primitive!r}; known: {', '.join(PRIMITIVES)}")
    if not 0 <= command.rotation_index < len(spec.rotations):
        raise ValueError(f"{command.primitive} has bins 0..{len(spec.rotations) - 1} {spec.rotations}, got {command.rotation_index}")
    if not np.isfinite([*command.point_world, *command.normal_world]).all():
        raise ValueError(f"expected a finite point and normal [m], got {command.point_world} and {command.normal_world}")
    return spec
