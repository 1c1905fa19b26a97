"""Whether the fingers of a hand get around something, by rays through what is solid."""

import numpy as np

from hiermap.primitives.hand import OPEN_WIDTH_M, TIP_M
from hiermap.primitives.motion.ik_branches import Option
from hiermap.primitives.motion.kinematics import UP
from hiermap.primitives.skills.approaches import approach_of
from hiermap.primitives.specs import Command
from hiermap.worlds.geometry.kinematic_copy import KinematicCopy

WIDTH_M, SLACK_M = 0.008, 0.004
"""The fingers are half as wide, and may meet the part this much too early."""
PAD_M = (0.0, 0.006, 0.012)
"""How far behind the grip point the pads still hold something."""
OFF_CENTRE_M = 0.013
"""The middle of the fingers may be this far from the middle of what is gripped."""
NARROW_M = 0.025
"""What is no thicker between the fingers is a handle: it is held as well anywhere along it."""
ASKEW_M = 0.007
"""Over the width of the fingers what they close on may recede this much: by some 20 degrees."""
CLEAR_M = 0.08
"""Straight before the grip point the fingers must come freely."""
BESIDE_PADS_M = (-0.002, 0.006)
"""From the pad of an open finger: as far as it may stray inward, and its middle."""
PALM_M, PALM_HALF_M = 0.042, (0.03, 0.015)
"""How far the palm is behind the grip point, and half of what of it matters along the opening and across."""


def is_top(copy: KinematicCopy, command: Command, name: str) -> bool:
    """Whether what comes straight down on a point meets the thing there, and not higher."""
    length, group = copy.first_met(np.array(command.point_world) + CLEAR_M * UP, -2 * CLEAR_M * UP)
    return group == copy.groups[name] and abs(length - CLEAR_M) <= SLACK_M


def may_take(copy: KinematicCopy, command: Command, name: str) -> bool:
    """Whether the fingers of a primitive that grips come down on both sides of a part with something of it between them, and those that
    push a bar aside meet it; True for others.

    The plainest of the program's options tells.
    """
    approach, group = approach_of(command), copy.groups[name]
    if not approach.grips and not approach.beside.any():
        return True
    option = next(approach.options)
    if not approach.grips:
        return _is_met(copy, option, approach.beside, group)
    return _comes(copy, option, approach.finger) and _is_between(copy, option, approach.finger, group) and _is_below_palm(copy, option)


def is_narrow(copy: KinematicCopy, command: Command, name: str) -> bool:
    """Whether the fingers of a grip close on as little of a thing as of a handle."""
    approach = approach_of(command)
    gaps = _gaps(copy, next(approach.options), approach.finger, copy.groups[name])
    return gaps is not None and _opening(approach.finger) - gaps.mean(axis=1).sum() <= NARROW_M


def _is_met(copy: KinematicCopy, option: Option, way: np.ndarray, group: int) -> bool:
    """Whether the middle of closed fingers meets something of a group first on a way [3] from contact."""
    ahead = option.rotation[:, 2]
    return any(copy.first_met(option.contact - back * ahead, way)[1] == group for back in PAD_M)


def _comes(copy: KinematicCopy, option: Option, finger: float) -> bool:
    """Whether both finger tips, each `finger` [m] from the middle, come straight to the grip point without meeting anything."""
    opening, across, ahead = option.rotation.T
    for side in (sign * (finger + out) for sign in (1.0, -1.0) for out in BESIDE_PADS_M):
        for beside in (-WIDTH_M, 0.0, WIDTH_M):
            tip = option.contact + side * opening + beside * across
            if np.isfinite(copy.first_met(tip - CLEAR_M * ahead, (CLEAR_M + TIP_M - SLACK_M) * ahead)[0]):
                return False
    return True


def _is_between(copy: KinematicCopy, option: Option, finger: float, group: int) -> bool:
    """Whether the fingers close on something of a group, on all of their width and about its middle."""
    gaps = _gaps(copy, option, finger, group)
    if gaps is None:
        return False
    square = (np.abs(gaps[:, 0] - gaps[:, 2]) <= ASKEW_M).all()
    return bool(square and (np.abs(gaps[0] - gaps[1]) <= 2 * OFF_CENTRE_M).all())


def _opening(finger: float) -> float:
    return 2 * min(finger, OPEN_WIDTH_M / 2)


def _gaps(copy: KinematicCopy, option: Option, finger: float, group: int) -> np.ndarray | None:
    """How far each finger closes until it meets something of a group, `[2, 3]` [m] over its width; None where one meets none of it."""
    opening, across, ahead = option.rotation.T
    width = _opening(finger)
    for back in PAD_M:
        centre = option.contact - back * ahead
        met = [
            copy.first_met(centre + beside * across - sign * width / 2 * opening, sign * width * opening)
            for sign in (1.0, -1.0)
            for beside in (-WIDTH_M, 0.0, WIDTH_M)
        ]
        if all(other == group for _, other in met):
            return np.array([length for length, _ in met]).reshape(2, 3)
    return None


def _is_below_palm(copy: KinematicCopy, option: Option) -> bool:
    """Whether nothing reaches as far as the palm where the fingers close."""
    opening, across, ahead = option.rotation.T
    starts = (
        option.contact - CLEAR_M * ahead + along * PALM_HALF_M[0] * opening + beside * PALM_HALF_M[1] * across
        for along in (-1.0, -0.5, 0.0, 0.5, 1.0)
        for beside in (-1.0, 0.0, 1.0)
    )
    return all(not np.isfinite(copy.first_met(start, (CLEAR_M - PALM_M) * ahead)[0]) for start in starts)
