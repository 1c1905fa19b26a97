"""Where there is room to set a thing down around a place of the rules, which number only some points of every floor."""

import numpy as np

from hiermap.primitives.motion.kinematics import UP
from hiermap.worlds.geometry.kinematic_copy import FINGERS, KinematicCopy
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.rules.places import Place

ROOM_M, FARTHER_M = 0.30, 0.03
"""So far around a place room is asked for, and so much farther from the arm than it, which is in reach."""
SAME_LEVEL_M = 0.02
"""A cell this near to the height of a place shows its floor."""
ASKED_M = 0.016
"""Cells within squares of this size have one answer."""
APART_M, RAISED_M = 0.014, 0.02
"""A thing has room where it keeps so far from everything when it is lifted a little more: the hand opens beside it."""
FOOT_M = 0.02
"""A floor goes on for so much around the middle of what stands on it."""


def room_around(copy: KinematicCopy, view: SpatialView, thing: str, place: Place) -> np.ndarray:
    """Cells `[H, W]` bool of a place's floor around it where a thing would stand free of all but the robot, as `copy` is posed."""
    point, base = np.array(place.point_world), np.array(copy.scene.arm.spec.base)
    offset = np.abs(view.points - point)
    farther = _along(view.points - base) - _along(point - base)
    room = view.valid & (_along(offset) <= ROOM_M) & (offset[..., 2] <= SAME_LEVEL_M) & (farther <= FARTHER_M)
    squares, of = np.unique(np.round(view.points[room][:, :2] / ASKED_M), axis=0, return_inverse=True)
    pose = copy.data.qpos.copy()
    free = [_stands(copy, thing, np.array([*square * ASKED_M, place.point_world[2]])) for square in squares]
    copy.follow(pose)
    room[room] = np.array(free, bool)[of.ravel()]
    return room


def _stands(copy: KinematicCopy, thing: str, base_world: np.ndarray) -> bool:
    """Whether a thing has room with the middle of its base at a point [3] of a floor."""
    copy.take_away(thing)
    copy.follow(copy.data.qpos)
    above = base_world + RAISED_M * UP
    feet = (above + FOOT_M * np.array([x, y, 0.0]) for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)))
    if not all(copy.first_met(foot, -2 * RAISED_M * UP)[1] >= 0 for foot in feet):
        return False
    copy.stand(thing, above)
    near = copy.distances()[copy.groups[thing]]
    return bool(np.delete(near, [*range(1, FINGERS + 1)]).min() >= APART_M)


def _along(offsets: np.ndarray) -> np.ndarray:
    """Lengths `[...]` along the ground of offsets `[..., 3]` [m]."""
    return np.hypot(offsets[..., 0], offsets[..., 1])
