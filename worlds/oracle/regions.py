"""Which seen points belong to a move: handles, faces, knobs, object tops and free ground, as tests on points of the view.

Every function takes world points `[..., 3]` [m] and returns `[...]` bool or distances; membership tolerates the view's resolution.
"""

import numpy as np

from hiermap.worlds.kitchen.spec import OPENABLE, FixtureSpec, KitchenSpec, ObjectSpec, Pose, side_room
from hiermap.worlds.rules.moves import PUSH_LEVER
from hiermap.worlds.rules.places import drawer_place
from hiermap.worlds.rules.reachability import GRASP_LIFT, PLACE_LIFT, reached_from_above

TOLERANCE = 0.010
"""A seen point may lie this far off a surface [m]: half a cell sideways, and what fusion adds."""
GRIP_OFF_CENTRE = 0.013
"""A hand closing on something 5.5 cm wide may be this far off its middle [m]."""
BOWL_ALIGNMENT_RAD = 0.4
"""The wall of a bowl may be turned this far from the direction in which the fingers close."""
LEVER_RANGE = (0.42, 0.85)
"""Doors are pushed shut between these parts of their width from the hinge."""
FLAP_RANGE = (0.80, 1.02)
"""An open oven door is lifted by its free edge."""
RAIL = 0.010
"""Depth of the rail along the front edge of the counter [m]."""
PALM_ROOM = 0.06
"""The hand keeps this far from the upper fronts [m]."""
GRIPPED_LEVER_M = 0.03
"""A lever is gripped this near to its grip point [m]."""


def _at_front(fixture: FixtureSpec, points: np.ndarray, fraction: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points moved back to fraction 0, from the middle of the face there; outward, along it horizontally (to +y) and up along it."""
    offset = fixture.moved(points, -fraction) - np.array(fixture.face_world)
    normal = np.array(fixture.normal_world)
    up = np.array([0.0, 0.0, 1.0]) - normal[2] * normal
    up /= np.linalg.norm(up)
    side = np.cross(normal, up)
    return offset, normal, side if side[1] > 0 else -side, up


def handle_distance(fixture: FixtureSpec, points: np.ndarray, fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Whether points are on the handle, and their distance [m] from where it is best gripped."""
    normal = np.array(fixture.normal_world)
    offset = fixture.moved(points, -fraction) - np.array(fixture.handle_world)
    if fixture.handle in ("bar_horizontal", "bar_vertical", "lever"):
        axis = np.array(fixture.handle_axis_world)
        half = GRIPPED_LEVER_M if fixture.handle == "lever" else max(fixture.handle_length / 2 - 0.012, 0.01)
        offset = offset + fixture.handle_radius * normal
        along = offset @ axis
        across = np.linalg.norm(offset - along[..., None] * axis, axis=-1)
        on = (np.abs(along) <= half) & (across <= fixture.handle_radius + TOLERANCE)
        return on, np.abs(along) + 0.5 * across
    out = offset @ normal
    across = np.linalg.norm(offset - out[..., None] * normal, axis=-1)
    reach = fixture.handle_radius + 0.002 if fixture.kind in OPENABLE else fixture.handle_radius - 0.004
    return (across <= reach) & (out >= -0.012) & (out <= TOLERANCE), across


def face_region(fixture: FixtureSpec, points: np.ndarray, fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Whether points are where the part is pushed shut, and their distance [m] from the best of those."""
    offset, normal, side, up = _at_front(fixture, points, fraction)
    width, height, _ = fixture.size
    out, y, z = offset @ normal, offset @ side, offset @ up
    on = np.abs(out) <= TOLERANCE
    if fixture.kind == "drawer":
        beside = fixture.handle_length / 2 if fixture.handle == "bar_horizontal" else fixture.handle_radius
        on &= (np.abs(y) >= beside + 0.02) & (np.abs(y) <= width / 2 - 0.02) & (np.abs(z) <= height / 2 - 0.012)
        return on, np.hypot(np.abs(y) - (beside + 0.045), z)
    if fixture.kind == "oven_door":
        lever = 0.5 + z / height
        on = (out <= TOLERANCE) & (out >= -fixture.size[2] - TOLERANCE)
        on &= (lever >= FLAP_RANGE[0]) & (lever <= FLAP_RANGE[1]) & (np.abs(y) <= width / 2 - 0.03)
        return on, np.hypot((lever - 0.95) * height, y)
    anchor = np.array(fixture.joint_anchor_world)
    hinge_side = np.sign((np.array(fixture.face_world) - anchor) @ side)
    lever = 0.5 + hinge_side * y / width
    on &= (lever >= LEVER_RANGE[0]) & (lever <= LEVER_RANGE[1]) & (np.abs(z) <= 0.32 * height)
    return on, np.hypot((lever - PUSH_LEVER) * width, z)


def rocker_half(fixture: FixtureSpec, points: np.ndarray, fraction: float, upper: bool) -> tuple[np.ndarray, np.ndarray]:
    """Whether points are on the upper or lower half of a rocker, and their distance [m] from the middle of that half."""
    offset, normal, side, _ = _at_front(fixture, points, fraction)
    up = np.array(fixture.handle_axis_world)
    half = fixture.handle_length / 2
    out, y, z = offset @ normal, offset @ side, (offset @ up) * (1.0 if upper else -1.0)
    on = (np.abs(out) <= TOLERANCE) & (np.abs(y) <= fixture.size[0] / 2) & (z >= 0.35 * half) & (z <= half + 0.003)
    return on, np.hypot(y, z - 0.7 * half)


def object_top(thing: ObjectSpec, pose: Pose, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether points are on the top of an object, and their horizontal distance [m] from its axis."""
    offset = points - np.array(pose[:3])
    distance = np.hypot(offset[..., 0], offset[..., 1])
    on = (distance <= thing.radius) & (np.abs(offset[..., 2] - thing.height) <= TOLERANCE)
    return on, distance


def grip_region(thing: ObjectSpec, pose: Pose, points: np.ndarray, opening_axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether a hand coming down on points, its fingers opening along `opening_axis` [2], takes the object; how far off they are [m]."""
    offset = points - np.array(pose[:3])
    rim = float(np.hypot(thing.grip_offset[0], thing.grip_offset[1]))
    across = np.abs(offset[..., :2] @ opening_axis)
    along = np.abs(offset[..., 0] * -opening_axis[1] + offset[..., 1] * opening_axis[0])
    high = (np.abs(offset[..., 2] - thing.height) <= TOLERANCE) & reached_from_above(points, GRASP_LIFT)
    if rim > 0.02:
        distance = np.hypot(across, along)
        aligned = np.arctan2(along, across) <= BOWL_ALIGNMENT_RAD
        return high & aligned & (np.abs(distance - rim) <= TOLERANCE), np.hypot(across - rim, along)
    reach = min(0.02, 0.4 * thing.grip_width + 0.004)
    return high & (across <= GRIP_OFF_CENTRE) & (along <= reach), np.hypot(across, along)


def drawer_floor(drawer: FixtureSpec, thing: ObjectSpec, points: np.ndarray) -> np.ndarray:
    """Whether the object may be set down at points of an open drawer: on its bottom, clear of its walls and of the counter's edge.

    Open drawers lie well within the arm's reach, so nothing is cut there.
    """
    x, y, z = drawer_place(drawer).point_world
    offset = np.abs(points - np.array([x, y, z]))
    return (offset[..., 0] <= 0.025) & (offset[..., 1] <= max(side_room(drawer, thing), 0.02)) & (offset[..., 2] <= 0.016)


def counter_floor(spec: KitchenSpec, thing: ObjectSpec, points: np.ndarray) -> np.ndarray:
    """Whether the object may be set down at points of the counter, as far as the counter itself and the arm go."""
    x_min, x_max, y_min, y_max, z = spec.counter_world
    inset = thing.radius + 0.008
    x, y = points[..., 0], points[..., 1]
    deep = (x >= x_min + RAIL + inset) & (x <= x_max - inset)
    # The palm needs room before the upper fronts as well.
    deep |= np.abs(x - (x_min + x_max) / 2 + 0.02) <= 0.012
    deep &= (x <= x_max - PALM_ROOM) & reached_from_above(points, PLACE_LIFT)
    return deep & (y >= y_min + inset) & (y <= y_max - inset) & (np.abs(points[..., 2] - z) <= 0.012)
