"""The one entrance to the motor programs: check the hand, run, end at the ready pose, report."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from hiermap.primitives.motion.arm import Arm
from hiermap.primitives.motion.control import Driver, OutOfTime
from hiermap.primitives.skills.grasp import grasp
from hiermap.primitives.skills.phases import Blocked, Unreachable, go_home
from hiermap.primitives.skills.place import place
from hiermap.primitives.skills.pull import pull
from hiermap.primitives.skills.push import push
from hiermap.primitives.skills.rotate import rotate
from hiermap.primitives.specs import PRIMITIVES, Command, PrimitiveResult

EMPTY_WIDTH_M, OPEN_WIDTH_M = 0.004, 0.0765
"""Resting pads between these widths hold something."""
Program = Callable[[Driver, Command], tuple[bool, str, float]]
PROGRAMS: Mapping[str, Program] = MappingProxyType({"grasp": grasp, "place": place, "push": push, "pull": pull, "rotate": rotate})


def is_holding(arm: Arm) -> bool:
    """Whether the resting gripper has something between its pads, judged by its width alone."""
    return EMPTY_WIDTH_M < arm.width() < OPEN_WIDTH_M


def run_primitive(arm: Arm, command: Command) -> PrimitiveResult:
    """Run one motor program from the ready pose to the ready pose.

    Moves nothing when the hand is not as the primitive needs it ("hand_full", "hand_empty") or the pose cannot be reached
    ("unreachable"). Raises ValueError for an unknown primitive, bin or a point or normal that is not finite, ArmFault on divergence.
    """
    spec = _checked(command)
    driver = Driver(arm, spec.bound_seconds)
    holding = is_holding(arm)
    if holding != spec.needs_object:
        return PrimitiveResult(False, "hand_full" if holding else "hand_empty", 0.0, 0.0)
    driver.fingers = -arm.finger_limit if holding else arm.finger_limit
    try:
        succeeded, reason, displacement = PROGRAMS[command.primitive](driver, command)
    except Unreachable:
        return PrimitiveResult(False, "unreachable", 0.0, 0.0)
    except Blocked:
        succeeded, reason, displacement = False, "blocked", 0.0
        _return(driver)
    except OutOfTime:
        succeeded, reason, displacement = False, "timeout", 0.0
        _return(driver)
    if command.primitive not in ("grasp", "place") and not holding:
        driver.fingers = arm.finger_limit
    driver.settle(arm.ready, seconds=0.8)
    _open_fully(driver)
    return PrimitiveResult(bool(succeeded), reason, driver.elapsed(), float(displacement))


def _return(driver: Driver) -> None:
    """Home from wherever a program was given up."""
    driver.bound = np.inf
    go_home(driver)


def _open_fully(driver: Driver) -> None:
    """A hand that is meant to be open ends open, whatever the program left it doing."""
    if driver.fingers > 0 and driver.arm.width() < OPEN_WIDTH_M:
        driver.bound = np.inf
        for _ in range(12):
            driver.hold(0.05)
            if driver.arm.width() >= OPEN_WIDTH_M:
                return


def _checked(command: Command):
    spec = PRIMITIVES.get(command.primitive)
    if spec is None:
        raise ValueError(f"unknown primitive {command.primitive!r}; known: {', '.join(PRIMITIVES)}")
    if not 0 <= command.rotation_index < len(spec.rotations):
        raise ValueError(f"{command.primitive} has bins 0..{len(spec.rotations) - 1} {spec.rotations}, got {command.rotation_index}")
    if not np.isfinite([*command.point_world, *command.normal_world]).all():
        raise ValueError(f"expected a finite point and normal [m], got {command.point_world} and {command.normal_world}")
    return spec
