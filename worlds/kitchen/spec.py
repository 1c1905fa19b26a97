"""What a procedural kitchen is made of, as plain data: everything the builder, the rules and the oracle need.

World axes: x forward to the kitchen front, y left, z up [m]; origin at the robot's base.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numba import njit

RGBA = tuple[float, float, float, float]
Pose = tuple[float, float, float, float]
"""Base centre x, y, z [m] and yaw [rad] of an object."""
OBJECT_KINDS = ("mug", "bowl", "can", "pot", "box")
"""At most one object of each kind stands in a kitchen."""
DOORS = ("left_door", "right_door", "latched_door", "microwave", "oven_door", "sliding_door")
HINGED = ("left_door", "right_door", "latched_door", "microwave")
"""Doors that swing over the counter."""
OPENABLE = ("drawer", *DOORS)
"""Fixture kinds with `open`/`closed`."""
SWITCHABLE = ("knob", "tap", "switch", "latch")
"""Fixture kinds with `on`/`off`; a latch that is on lets its door open."""
PANEL_FRICTION = 0.35
"""Of everything but objects' feet and the robot's pads (robosuite gives those 2.0; MuJoCo takes the larger of the two)."""
DRAWER_FRONT = 0.088
"""Height of a drawer's front above its bottom [m]: every object fits (8 cm), and over it the oblique view sees the bottom from 12 cm
behind the front on, where the hand sets things down before it meets the counter's edge."""
DRAWER_INSET = 0.14
"""Objects stand this far behind the outer face of a drawer [m]."""
FINGER_ROOM = 0.055
"""Between an object and a drawer's outer side [m]: the wall, and an open finger with its own thickness of 2 cm, go in between."""


@dataclass(frozen=True)
class FixtureSpec:
    """One moving fixture, placed. Its joint has the same name; its fraction is `q / joint_range`, 0 when closed or off.

    Attributes:
        name: unique, for example "left_drawer_1".
        kind: from `OPENABLE` or `SWITCHABLE`.
        face_world: centre of the front face at fraction 0, [3] [m].
        size: width (y), height (z) and depth (x) of the moving part at fraction 0 [m].
        joint_type: "slide" or "hinge".
        joint_axis_world, joint_anchor_world: [3]; a positive displacement opens or switches on.
        joint_range: [m] or [rad].
        handle: "bar_horizontal", "bar_vertical", "knob", "ridge" (a knob with a ridge), "lever", "plate".
        handle_world: centre of the outermost grip surface at fraction 0, [3] [m].
        handle_radius, handle_length, clearance: bar or knob radius, bar or lever length, gap behind a bar [m].
        damping, frictionloss: of the joint [N s/m, N] or [N m s, N m].
        above: the drawer directly above in the same stack, which must be shut to reach this one, or None.
        latch: the latch fixture that holds it shut while off, or None.
        normal_world: outward unit normal of the front face at fraction 0, [3].
        handle_axis_world: unit direction of the bar, ridge or lever (from its pivot) at fraction 0, [3].
    """

    name: str
    kind: str
    face_world: tuple[float, float, float]
    size: tuple[float, float, float]
    joint_axis_world: tuple[float, float, float]
    joint_anchor_world: tuple[float, float, float]
    joint_range: float
    handle: str
    handle_world: tuple[float, float, float]
    handle_radius: float
    handle_length: float
    damping: float
    frictionloss: float
    rgba: RGBA
    joint_type: str = "hinge"
    clearance: float = 0.0
    above: str | None = None
    latch: str | None = None
    normal_world: tuple[float, float, float] = (-1.0, 0.0, 0.0)
    handle_axis_world: tuple[float, float, float] = (0.0, 0.0, 1.0)

    def moved(self, point_world: np.ndarray, fraction: float) -> np.ndarray:
        """Where points `[..., 3]` of the moving part, given at fraction 0, lie at `fraction` of the range [m]."""
        point, q = np.asarray(point_world, float), fraction * self.joint_range
        if self.joint_type == "slide":
            return point + q * np.asarray(self.joint_axis_world, float)
        return _turned(point.reshape(-1, 3), self.joint_anchor_world, self.joint_axis_world, q).reshape(point.shape)

    def handle_at(self, fraction: float) -> np.ndarray:
        """Centre of the outermost grip surface at `fraction`, [3] [m]."""
        return self.moved(np.array(self.handle_world), fraction)

    @property
    def ends(self) -> tuple[str, str]:
        """What holds of it at fraction 0 and at fraction 1."""
        return ("closed", "open") if self.kind in OPENABLE else ("off", "on")

    @property
    def drawer_floor_z(self) -> float:
        """Height of the top of a drawer's bottom [m]."""
        z, height = self.face_world[2], self.size[1]
        return float(max(z - height / 2 + 0.008, z + height / 2 - DRAWER_FRONT))


@njit(cache=True)
def _turned(points, anchor, axis, angle):
    """Points `[N, 3]` turned about an axis through an anchor; compiled, for the rules ask of a point or two a thousand times."""
    (ux, uy, uz), cosine, sine = axis, np.cos(angle), np.sin(angle)
    turned = np.empty(points.shape)
    for i in range(len(points)):
        x, y, z = points[i, 0] - anchor[0], points[i, 1] - anchor[1], points[i, 2] - anchor[2]
        along = (x * ux + y * uy + z * uz) * (1 - cosine)
        turned[i, 0] = x * cosine + (uy * z - uz * y) * sine + ux * along + anchor[0]
        turned[i, 1] = y * cosine + (uz * x - ux * z) * sine + uy * along + anchor[1]
        turned[i, 2] = z * cosine + (ux * y - uy * x) * sine + uz * along + anchor[2]
    return turned


@dataclass(frozen=True)
class ObjectSpec:
    """One free object. `name` is its kind, from `OBJECT_KINDS`.

    Attributes:
        radius: of the footprint's bounding circle [m].
        height: [m].
        grip_offset: where the hand grips, relative to the body's base centre, at yaw 0, [3] [m].
        grip_width: what the fingers span there [m].
        mass: [kg].
        length: of a box along its x at yaw 0 [m]; 0 for round objects.
        friction: of its feet.
    """

    name: str
    radius: float
    height: float
    grip_offset: tuple[float, float, float]
    grip_width: float
    mass: float
    rgba: RGBA
    length: float = 0.0
    friction: float = 0.45


Thing = TypeVar("Thing", FixtureSpec, ObjectSpec)


@dataclass(frozen=True)
class PanelSpec:
    """One static box of the carcass: `centre_world` and `half_size` along its axes [m], turned by `pitch_rad` about +y.

    `is_stop` says that it stands on the counter to stop what a door pushes along.
    """

    name: str
    centre_world: tuple[float, float, float]
    half_size: tuple[float, float, float]
    rgba: RGBA
    pitch_rad: float = 0.0
    friction: float = PANEL_FRICTION
    is_stop: bool = False


@dataclass(frozen=True)
class SurfaceSpec:
    """A visible flat place on the counter that goals may name, such as "board" or "burner_left"."""

    name: str
    centre_world: tuple[float, float, float]
    half_size: tuple[float, float]
    rgba: RGBA


@dataclass(frozen=True)
class KitchenSpec:
    """A whole kitchen, a pure function of its seed.

    Attributes:
        counter_world: x_min, x_max, y_min, y_max, z of the counter top [m].
        spots_world: where objects may stand on the counter, a tuple of (x, y) [m].
        upper_front_x: front face of the upper tier [m].
        floor_z: height of the floor [m].
        panels: every static box of the kitchen but the floor.
    """

    seed: int
    family: str
    fixtures: tuple[FixtureSpec, ...]
    objects: tuple[ObjectSpec, ...]
    surfaces: tuple[SurfaceSpec, ...]
    counter_world: tuple[float, float, float, float, float]
    spots_world: tuple[tuple[float, float], ...]
    upper_front_x: float
    floor_z: float
    panels: tuple[PanelSpec, ...] = ()

    def __hash__(self) -> int:
        """Of what names it: caches ask often, and all of it takes long."""
        return hash((self.seed, self.family))

    def fixture(self, name: str) -> FixtureSpec:
        """The fixture of that name; KeyError lists what exists."""
        return _named(self.fixtures, name, "fixture")

    @property
    def drawers(self) -> tuple[FixtureSpec, ...]:
        """The fixtures that are drawers."""
        return tuple(f for f in self.fixtures if f.kind == "drawer")

    def object(self, name: str) -> ObjectSpec:
        """The object of that name; KeyError lists what exists."""
        return _named(self.objects, name, "object")


def _named(things: tuple[Thing, ...], name: str, what: str) -> Thing:
    found = {thing.name: thing for thing in things}
    if name not in found:
        raise KeyError(f"no {what} {name!r}; this kitchen has {list(found)}")
    return found[name]


@dataclass(frozen=True)
class SceneState:
    """The true articulation and object state at a primitive boundary.

    Attributes:
        fractions: fixture name -> fraction of its range, 0 closed or off, 1 open or on.
        poses: object name -> base centre x, y, z [m] and yaw [rad].
        held: the object in the gripper, or None.
    """

    fractions: Mapping[str, float]
    poses: Mapping[str, Pose] = field(default_factory=dict)
    held: str | None = None


def side_room(drawer: FixtureSpec, thing: ObjectSpec) -> float:
    """How far from the middle of a drawer an object may stand to either side [m]."""
    return max(0.0, drawer.size[0] / 2 - FINGER_ROOM - thing.radius)
