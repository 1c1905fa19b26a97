"""Where moving parts and the hand are: upright slabs, their sweeps, and whether they keep clear of each other.

A slab is an upright prism over an oriented rectangle, a row of eight numbers: centre x, y [m], unit direction ux, uy,
half sizes along and across that direction [m], lowest and highest z [m]. Sets of slabs are arrays `[N, 8]`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from hiermap.primitives.hand import MAX_APPROACH_YAW_RAD
from hiermap.worlds.kitchen.spec import DOORS, FixtureSpec

FINGER_REACH = 0.02
"""The fingers beyond this distance behind the contact point are too thin to matter [m]; from there on the hand counts."""
HAND_LENGTH = 0.16
"""How far behind the contact point the hand and the wrist are as wide as the hand [m]."""
FINGERS_HALF_WIDTH = 0.05
"""Half of the outer width of the open fingers [m]."""
FINGERS_HALF_THICKNESS = 0.015
"""Half of a finger across the axis along which they open [m]."""
FINGERTIP_HALF_THICKNESS = 0.006
"""The same of their very tips [m], fitted to 71 grips of a latch beside a level lever; 37 of 40 others come out as foretold, and all 21
that are surely free."""
PALM_TO_FOREARM = 0.35
"""How far above the contact point the hand and what carries it are as wide as the palm, when it comes from above [m]."""


@dataclass(frozen=True)
class Clearance:
    """What counts as free space.

    Attributes:
        hand_half_width: half of the hand along the axis the fingers open [m].
        hand_half_thickness: half of the hand across that axis [m].
        gap: distance kept between things [m]; negative allows a slight overlap.
        arm_above: how far the wrist may stick up above a hand that reaches from the front [m].
        finger_height: how far above the fingertips' middle the fingers are free of the palm [m].
        crowding: True if things also get in the way of a hand that sets something down (elsewhere may be free).
    """

    hand_half_width: float
    hand_half_thickness: float
    gap: float
    arm_above: float
    finger_height: float
    crowding: bool


STRICT = Clearance(0.115, 0.045, 0.02, 0.06, 0.07, True)
"""What is free even so is surely free."""
NOMINAL = Clearance(0.10, 0.04, 0.008, 0.0, 0.09, True)
"""The hand's own measures: 20 cm wide, 7 to 8 cm thick, its palm 10 cm behind the grip point."""
LOOSE = Clearance(0.06, 0.025, -0.01, 0.0, 0.10, False)
"""What is blocked even so is surely blocked."""


def slab(centre: np.ndarray, direction: np.ndarray, half_along: float, half_across: float, z_low: float, z_high: float) -> np.ndarray:
    """One slab as `[1, 8]`; `centre` and `direction` may be [2] or [3]."""
    unit = np.asarray(direction, float)[:2]
    unit = unit / np.linalg.norm(unit)
    return np.array([[centre[0], centre[1], unit[0], unit[1], half_along, half_across, z_low, z_high]])


def outward(fixture: FixtureSpec, fraction: float) -> np.ndarray:
    """Unit outward normal `[3]` of the part's front at `fraction`."""
    origin = np.array(fixture.face_world)
    return fixture.moved(origin + np.array(fixture.normal_world), fraction) - fixture.moved(origin, fraction)


def part_slabs(fixture: FixtureSpec, fraction: float) -> np.ndarray:
    """The panel or box and its handle at `fraction`, `[N, 8]`; small things are never in the way: `[0, 8]`."""
    if fixture.kind != "drawer" and fixture.kind not in DOORS:
        return np.zeros((0, 8))
    width, height, depth = fixture.size
    along = fixture.handle_length / 2 if fixture.handle.startswith("bar") else fixture.handle_radius
    half_y = along if fixture.handle == "bar_horizontal" else fixture.handle_radius
    half_z = along if fixture.handle == "bar_vertical" else fixture.handle_radius
    reach = max(fixture.face_world[0] - fixture.handle_world[0], 0.0)
    boxes = (fixture.face_world, depth, width / 2, height / 2), (fixture.handle_world, reach, half_y, half_z)
    return np.concatenate([_bounding(fixture, fraction, *box) for box in boxes])


def lever_slabs(tap: FixtureSpec, fraction: float) -> np.ndarray:
    """The lever of a tap at `fraction`, in pieces as long as they are thick: `[N, 8]`."""
    radius, stand = tap.handle_radius, tap.size[2] * np.array(tap.normal_world)
    along = np.arange(radius, tap.handle_length - radius / 2, radius)
    pieces = tap.moved(np.array(tap.joint_anchor_world) + stand + along[:, None] * np.array(tap.handle_axis_world), fraction)
    return upright(pieces, np.array([1.0, 0.0]), radius, radius, pieces[:, 2] - radius, pieces[:, 2] + radius)


def fingers_at(point_world: np.ndarray, across: bool) -> np.ndarray:
    """The tips of the open fingers about to grip a point from the front, `[1, 8]`; `across`: they open horizontally."""
    wide, flat = (FINGERS_HALF_WIDTH, FINGERTIP_HALF_THICKNESS)[:: 1 if across else -1]
    return slab(point_world, np.array([1.0, 0.0]), FINGER_REACH, wide, point_world[2] - flat, point_world[2] + flat)


def _bounding(fixture: FixtureSpec, fraction: float, front: Sequence[float], depth: float, half_y: float, half_z: float) -> np.ndarray:
    """The smallest slab, aligned with the turned front, around a box whose front has its middle at `front` [3] at fraction 0."""
    corners = np.array([[dx, dy, dz] for dx in (0.0, depth) for dy in (-half_y, half_y) for dz in (-half_z, half_z)])
    points = np.array(front) + corners
    moved = fixture.moved(points, fraction)
    normal = outward(fixture, fraction)[:2]
    if np.linalg.norm(normal) < 0.9:  # an oven door tips over: keep the slab aligned with the front
        normal = np.array([-1.0, 0.0])
    normal = normal / np.linalg.norm(normal)
    across = np.array([-normal[1], normal[0]])
    a, b = moved[:, :2] @ normal, moved[:, :2] @ across
    centre = normal * (a.min() + a.max()) / 2 + across * (b.min() + b.max()) / 2
    return slab(centre, normal, np.ptp(a) / 2, np.ptp(b) / 2, moved[:, 2].min(), moved[:, 2].max())


def front_hand(point_world: np.ndarray, outward_world: np.ndarray, half_width: float, half_height: float, above: float = 0.0) -> np.ndarray:
    """The hand reaching a point from the front, `[1, 8]`, turned no further than the arm can; `above` [m] is added on top."""
    yaw = np.arctan2(outward_world[1], -outward_world[0])
    yaw = np.clip(yaw, -MAX_APPROACH_YAW_RAD, MAX_APPROACH_YAW_RAD)
    back = np.array([-np.cos(yaw), np.sin(yaw)])
    half = (HAND_LENGTH - FINGER_REACH) / 2
    centre = np.asarray(point_world)[:2] + back * (FINGER_REACH + half)
    return slab(centre, back, half, half_width, point_world[2] - half_height, point_world[2] + half_height + above)


def upright(
    points_world: np.ndarray, axis: np.ndarray, half_along: float, half_across: float, z_low: np.ndarray, z_high: np.ndarray
) -> np.ndarray:
    """A slab of one size and direction [2] around every one of `points_world` `[N, 2 or 3]`, from `z_low` to `z_high` `[N]`: `[N, 8]`."""
    shape = np.tile([axis[0], axis[1], half_along, half_across], (len(points_world), 1))
    return np.column_stack([points_world[:, :2], shape, z_low, z_high])


def top_hand(grips_world: np.ndarray, opening_axis: np.ndarray, clearance: Clearance) -> np.ndarray:
    """The hand over grip points `[N, 3]` from above, `[N, 2, 8]`: the fingers wide open, and the palm with the wrist."""
    z = grips_world[:, 2]
    palm_z = z + clearance.finger_height
    fingers = upright(grips_world, opening_axis, FINGERS_HALF_WIDTH, FINGERS_HALF_THICKNESS, z - 0.01, palm_z)
    palm = upright(grips_world, opening_axis, clearance.hand_half_width, clearance.hand_half_thickness, palm_z, z + PALM_TO_FOREARM)
    return np.stack([fingers, palm], axis=1)


@njit(cache=True)
def overlaps(first, second, gap):
    """Which slabs of `first` `[A, 8]` come nearer than `gap` [m] to which of `second` `[B, 8]`: `[A, B]` bool (separating axes)."""
    meet = np.empty((len(first), len(second)), np.bool_)
    for i in range(len(first)):
        for j in range(len(second)):
            a, b = first[i], second[j]
            level = a[6] < b[7] + gap and b[6] < a[7] + gap
            meet[i, j] = level and not _separated(a, b, gap) and not _separated(b, a, gap)
    return meet


@njit(cache=True)
def _separated(a, b, gap):
    """Whether `b` lies beyond a side of `a`, seen from above."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    cosine, sine = abs(a[2] * b[2] + a[3] * b[3]), abs(a[2] * b[3] - a[3] * b[2])
    along, across = abs(dx * a[2] + dy * a[3]), abs(-dx * a[3] + dy * a[2])
    return along >= a[4] + b[4] * cosine + b[5] * sine + gap or across >= a[5] + b[4] * sine + b[5] * cosine + gap


@njit(cache=True)
def cylinder_overlaps(slabs, cylinders, gap):
    """Which slabs `[A, 8]` come nearer than `gap` to which upright cylinders `[B, 5]` (x, y, radius, z low, z high): `[A, B]` bool."""
    meet = np.empty((len(slabs), len(cylinders)), np.bool_)
    for i in range(len(slabs)):
        for j in range(len(cylinders)):
            a, b = slabs[i], cylinders[j]
            dx, dy = b[0] - a[0], b[1] - a[1]
            along, across = max(abs(dx * a[2] + dy * a[3]) - a[4], 0.0), max(abs(-dx * a[3] + dy * a[2]) - a[5], 0.0)
            meet[i, j] = math.hypot(along, across) < b[2] + gap and a[6] < b[4] + gap and b[3] < a[7] + gap
    return meet
