"""Pull: grip a bar or knob and follow wherever it leads, as far as it goes."""

from collections.abc import Iterator

import numpy as np

from hiermap.primitives.hand import EMPTY_WIDTH_M
from hiermap.primitives.motion.compliance import Compliance, follow_joint
from hiermap.primitives.motion.control import Driver, Ending
from hiermap.primitives.motion.guarded import back_off
from hiermap.primitives.motion.ik_branches import Option, straight
from hiermap.primitives.motion.kinematics import UP, cross, turned_about, unit
from hiermap.primitives.skills.phases import close_fingers, go_home, level, pitched, reach_for, release, twins
from hiermap.primitives.specs import Command, Reason

PRESHAPE_M = 0.03
"""Per finger: wide open, a pitched hand's lower finger would hit the face."""
GRIP_DEPTH_M = 0.016
"""The grip point goes this far behind the visible surface, or until the fingertips touch the face."""
TOUCH_N = 6.0
FORCED_M = 0.012
"""Pads forced open by more than this no longer hold."""
LEAST_TRAVEL_M = 0.05
"""A pull shorter than this opened nothing worth the name."""
LOOK_AHEAD_M, ARC_RADIUS_M = 0.22, 0.24
"""Paths that a branch should be able to follow: a drawer's and both hypothetical doors'."""
DOOR_M = 0.75
"""The bar of a door half a metre broad that opens by 90 degrees goes so far."""
PREFERRED_PITCH_RAD = 0.25, 0.4
"""For vertical and for horizontal bars, as FOLLOW."""
FOLLOW = Compliance(second_force=65.0, max_travel=DOOR_M), Compliance(force=28.0, second_force=40.0, hand_gain=0.6)
"""A horizontal bar turns in the grip, so the hand need not follow an oven door all the way down; a drawer never turns."""


def pull(driver: Driver, command: Command) -> Ending:
    """Opens what is gripped at the point; the displacement is the travel [m]."""
    point, flat = np.array(command.point_world), level(command.normal_world)
    driver.open_to(PRESHAPE_M)
    posture, option = reach_for(driver, options(point, flat, command.rotation_index), TOUCH_N)
    travel = Ending(Reason.MISSED)
    if close_fingers(driver, posture, option.rotation):
        widest = driver.arm.width() + FORCED_M
        how = FOLLOW[command.rotation_index]
        travel = follow_joint(driver, flat, how, posture, (EMPTY_WIDTH_M, widest))
    driver.leaving()
    release(driver, driver.joints())
    away = -driver.hand().rotation[:, 2]
    # Never downward: a bar that was pulled down would be lifted again on the way up.
    back_off(driver, unit(np.array([away[0], away[1], max(0.0, away[2])])), 0.10)
    go_home(driver, rise=0.12)
    opened = travel.reason == Reason.STALLED and travel.displacement > LEAST_TRAVEL_M
    return travel._replace(reason=Reason.DONE) if opened else travel


def options(point: np.ndarray, flat: np.ndarray, roll: int) -> Iterator[Option]:
    """Both twins of the gripper roll at several pitches, with look-ahead along a drawer's and two doors' paths."""
    for pitch in (0.0, 0.2, 0.4, 0.6, 0.75, 0.9, 1.05):
        approach = pitched(-flat, pitch)
        across = cross(UP, approach) if roll == 0 else cross(approach, cross(UP, approach))
        contact = point + GRIP_DEPTH_M * approach
        cost = 1.5 * abs(pitch - PREFERRED_PITCH_RAD[roll])
        for rotation in twins(approach, across):
            yield Option(rotation, contact, point - 0.10 * approach, cost, _ahead(rotation, contact, flat, roll))


def _ahead(rotation: np.ndarray, contact: np.ndarray, normal: np.ndarray, roll: int) -> list[tuple[np.ndarray, np.ndarray]]:
    paths = [straight(rotation, contact, contact + LOOK_AHEAD_M * normal)]
    if roll == 0:
        side = cross(UP, normal)
        for sign in (1.0, -1.0):
            pivot = contact + sign * ARC_RADIUS_M * side
            angles = sign * np.linspace(0.25, 1.25, 5)
            positions = np.array([pivot + turned_about(UP, angle) @ (contact - pivot) for angle in angles])
            paths.append((np.array([turned_about(UP, 0.8 * angle) @ rotation for angle in angles]), positions))
    return paths
