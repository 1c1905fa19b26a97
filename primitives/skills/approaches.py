"""How the hand would come to what a command names: what each program chooses from, for whoever asks before anything moves."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hiermap.primitives.hand import FINGER_LIMIT_M, STANDOFFS_M, TIP_M, YAWS_RAD
from hiermap.primitives.motion.ik_branches import Option
from hiermap.primitives.motion.kinematics import UP, unit
from hiermap.primitives.skills import downward, grasp, pull, push, rotate, sideways
from hiermap.primitives.skills.phases import level
from hiermap.primitives.specs import PRIMITIVES, Command


@dataclass(frozen=True, eq=False)
class Approach:
    """What a program would do first.

    Attributes:
        options: ways to bring the hand there.
        finger: how far each finger is from the middle meanwhile [m]; that of a full hand is whatever it holds.
        grips: whether the fingers then close on what is there.
        sought: from an option's contact back to where something is touched first, [3] [m].
        beside: from an option's contact on, the way on which a bar is met, [3] [m]; 0 where there is no bar.
    """

    options: Iterator[Option]
    finger: float
    grips: bool
    sought: np.ndarray = field(default_factory=lambda: np.zeros(3))
    beside: np.ndarray = field(default_factory=lambda: np.zeros(3))


def approach_of(command: Command) -> Approach:
    """Of a command that `run_primitive` would take."""
    point, normal = np.array(command.point_world), unit(np.array(command.normal_world))
    name, rotation = command.primitive, command.rotation_index
    effect = PRIMITIVES[name].bins[rotation].effect
    if name == "grasp":
        return Approach(grasp.down_options(point, YAWS_RAD[name][rotation], STANDOFFS_M[name], grasp.DEPTH_M), FINGER_LIMIT_M, True)
    if name == "place":
        return Approach(grasp.down_options(point, YAWS_RAD[name][rotation], STANDOFFS_M[name], 0.0), FINGER_LIMIT_M, False)
    if name == "pull":
        return Approach(pull.options(point, level(normal), rotation), pull.PRESHAPE_M, True)
    if name == "rotate":
        return Approach(rotate.options(point, normal, rotation // 2, 1.0 if effect == "ccw" else -1.0), FINGER_LIMIT_M, True)
    if effect == "inward":
        return Approach(push.inward_options(point, normal), 0.0, False, push.SEEK_M * level(normal))
    if effect == "down":
        return Approach(downward.options_from_above(point), 0.0, False, (downward.SEEK_M + TIP_M) * UP)
    side = 1.0 if effect == "left" else -1.0
    if normal[0] >= push.FRONTAL:
        return Approach(sideways.beside_thing_options(point, side), FINGER_LIMIT_M, False)
    outward = level(normal)
    way = sideways.SEEK_M * sideways.along_front(outward, side)
    return Approach(sideways.beside_bar_options(point, outward, side), 0.0, False, beside=way)
