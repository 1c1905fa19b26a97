"""Place: lower what is held at a point until it stands, open, and go home."""

import numpy as np

from hiermap.primitives.hand import STANDOFFS_M, YAWS_RAD
from hiermap.primitives.motion.control import Driver, Ending, GivenUp
from hiermap.primitives.motion.guarded import advance, back_off
from hiermap.primitives.motion.ik_branches import Reach, best_reach
from hiermap.primitives.motion.kinematics import UP, distance, length_of
from hiermap.primitives.skills.grasp import down_options
from hiermap.primitives.skills.phases import enter, go_home, release
from hiermap.primitives.specs import Command, Reason

TOUCH_N = 3.0
LEAST_OFFSET_M, MOST_OFFSET_M = 0.02, 0.15
"""A thing held by its rim or handle hangs beside the grip point: the wrist's torque tells how far, and its centre is put on the target."""
CLEAR_M = 0.06
"""Straight up before any detour, so that the open fingers do not take the thing along."""
SPREAD_M = 0.014
"""Each finger opens by this much, so that it frees the thing without knocking what stands beside it."""
BORNE_N, HIGHER_M = 1.0, 0.10
"""A load that has changed by more than this on the way bears on something: what hangs far down meets the walls of a drawer, or a counter
beside it, and is brought over the point from so much higher."""


def place(driver: Driver, command: Command) -> Ending:
    """Puts the held thing down at the point; the displacement is how far it was lowered [m].

    Raises GivenUp, and keeps the thing, where that meets something before it is lowered.
    """
    point = np.array(command.point_world)
    reach = best_reach(driver.arm, down_options(point, YAWS_RAD["place"][command.rotation_index], STANDOFFS_M["place"], 0.0))
    driver.carry()
    rotation = reach.option.rotation
    posture = _enter_freely(driver, reach, soft=reach.option.standoff[2] - point[2] - 0.01)
    before = driver.hand().position
    offset = driver.arm.load_offset()
    if LEAST_OFFSET_M < length_of(offset) < MOST_OFFSET_M:
        advance(driver, posture, rotation, before - offset, 30.0)
        driver.take_tare()
    else:
        offset = np.zeros(3)
    hand = advance(driver, posture, rotation, reach.option.contact - offset, TOUCH_N)
    touched = hand.position[2] > reach.option.contact[2] + 0.004
    release(driver, posture, extra=SPREAD_M)
    back_off(driver, UP, CLEAR_M)
    go_home(driver, rise=0.08)
    driver.open_to()
    driver.hold(0.3)
    return Ending(Reason.DONE if touched else Reason.MISSED, float(before[2] - hand.position[2]))


def _enter_freely(driver: Driver, reach: Reach, soft: float) -> np.ndarray:
    """`enter`, and higher over the point where what is held bears on something; GivenUp if it does there too."""
    driver.take_tare()
    weight = driver.plant.tare.copy()
    posture = enter(driver, reach, soft=soft)
    if distance(driver.plant.tare, weight) > BORNE_N:
        for goal in (driver.hand().position + HIGHER_M * UP, reach.option.standoff + HIGHER_M * UP):
            advance(driver, posture, reach.option.rotation, goal, 30.0)
        driver.take_tare()
        if distance(driver.plant.tare, weight) > BORNE_N:
            raise GivenUp(Reason.BLOCKED)
    return posture
