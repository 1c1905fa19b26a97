"""Grasp: straight down over a thing, close, lift, and bring it to the ready pose."""

from collections.abc import Iterator, Sequence

import numpy as np

from hiermap.primitives.hand import EMPTY_WIDTH_M, STANDOFFS_M, TIP_M, YAWS_RAD
from hiermap.primitives.motion.control import Driver, Ending, Hand
from hiermap.primitives.motion.guarded import advance, back_off
from hiermap.primitives.motion.ik_branches import Option
from hiermap.primitives.motion.kinematics import UP, hand_rotation, turned_about
from hiermap.primitives.skills.phases import close_fingers, go_home, reach_for, release
from hiermap.primitives.specs import Command, Reason

DEPTH_M = 0.018
"""The grip point goes this far below the visible top, or until something is touched."""
TOUCH_N = 8.0
LIFT_M = 0.15
SOFT_M = 0.06
"""The walls of a drawer may stand higher than what lies in it."""
SHORT_M, RISE_M, NARROW_M, ASIDE_M = 0.008, 0.025, 0.031, 0.008
"""Stopped this far above the grip, the hand rises and tries again with each finger opened only so far, and this much aside."""
LEVEL_M, ONTO_M = 0.004, 0.004
"""A finger that stopped within so much of the height of the visible top landed on the thing itself: the open hand goes over to that side,
until the finger is this much beyond where it was felt."""
TOO_HIGH_M = 0.015
"""Still stopped this far above the grip, there is nothing but an obstacle between the fingers."""
CLEAR_M = 0.07
"""Of which straight up, out of a drawer or from between neighbours."""


def grasp(driver: Driver, command: Command) -> Ending:
    """Takes what stands at the point; the displacement is the height lifted [m]."""
    point = np.array(command.point_world)
    driver.open_to()
    options = down_options(point, YAWS_RAD["grasp"][command.rotation_index], STANDOFFS_M["grasp"], DEPTH_M)
    posture, option = reach_for(driver, options, TOUCH_N, soft=SOFT_M)
    rotation, contact, hand = option.rotation, option.contact, driver.hand()
    if hand.position[2] > contact[2] + SHORT_M:
        hand = _beside(driver, posture, rotation, contact, point)
    if hand.position[2] > contact[2] + TOO_HIGH_M:
        return _given_up(driver, Reason.BLOCKED)
    if not close_fingers(driver, posture, rotation):
        release(driver, posture)
        return _given_up(driver, Reason.MISSED)
    driver.carry()
    back_off(driver, UP, CLEAR_M, cap=60.0)
    go_home(driver, rise=LIFT_M - CLEAR_M)
    if driver.arm.width() < EMPTY_WIDTH_M:
        driver.open_to()
        driver.hold(0.4)
        return Ending(Reason.SLIPPED)
    return Ending(Reason.DONE, LIFT_M)


def _given_up(driver: Driver, reason: Reason) -> Ending:
    back_off(driver, UP, CLEAR_M)
    # Fingers left half open would pass for fingers that hold something.
    driver.open_to()
    go_home(driver, rise=LIFT_M - CLEAR_M)
    return Ending(reason)


def _beside(driver: Driver, posture: np.ndarray, rotation: np.ndarray, contact: np.ndarray, point: np.ndarray) -> Hand:
    """The open fingers landed on something: rise, and come down again on the side where there is room.

    If it is the thing itself, that stands farther to the side that was hit; a wall or a neighbour is kept off, with less opened fingers.
    """
    opening = rotation[:, 0]
    side = float(driver.arm.load_offset() @ opening)
    over, above = abs(side) - driver.arm.width() / 2, driver.hand().position[2] - TIP_M - point[2]
    if over > 0.0 and abs(above) < LEVEL_M:
        way, width = over + ONTO_M, driver.arm.finger_limit
    else:
        way, width = -ASIDE_M if abs(side) > ASIDE_M else 0.0, NARROW_M
    shift = way * np.sign(side) * opening
    advance(driver, posture, rotation, driver.hand().position + RISE_M * UP + shift, 30.0)
    driver.open_to(width)
    driver.hold(0.2)
    driver.take_tare()
    return advance(driver, posture, rotation, contact + shift, TOUCH_N)


def down_options(point: np.ndarray, yaw_rad: float, standoffs: Sequence[float], depth: float) -> Iterator[Option]:
    """Both twins of a hand that points straight down, opening at `yaw_rad` from +y, from each of `standoffs` [m] above the point."""
    for rank, standoff in enumerate(standoffs):
        for turn in (0.0, np.pi):
            opening = turned_about(UP, yaw_rad + turn) @ np.array([0.0, 1.0, 0.0])
            yield Option(hand_rotation(-UP, opening), point - depth * UP, point + standoff * UP, 0.4 * rank)
