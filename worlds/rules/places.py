"""The finite set of places where objects may be: spots and surfaces of the counter, drawers, and where they are now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hiermap.primitives.hand import PUSH_DISTANCE_M
from hiermap.worlds.kitchen.spec import DRAWER_INSET, FixtureSpec, KitchenSpec, ObjectSpec, Pose, SceneState, SurfaceSpec
from hiermap.worlds.rules.reachability import GRASP_LIFT, reached_from_above

SIDES = {"left": 1.0, "right": -1.0}
"""Along y, of a sideways push."""
LOW = 0.03
"""What lies this far below the counter top is in a drawer [m]."""
SAME_PLACE = 0.02
"""An object this near to a place stands at it [m]."""
POINT_DIGITS = 4
"""A point to set something down at is known to a tenth of a millimetre."""
WALL_MARGIN = 0.005
"""An object's centre counts as inside a drawer from this distance within its outer walls [m]."""
SURFACE_HEIGHT = 0.025
"""An object stands on a surface when its base is at most this far from the surface's top [m]; it rests within 2 mm."""


@dataclass(frozen=True)
class Place:
    """Where an object may be.

    Attributes:
        point_world: base centre, [3] [m]; for a drawer while it is fully open.
        name: "spot_3", or a surface's or drawer's name; None for any other point.
        drawer: the drawer it is in, or None.
        owner: the only object that may be there, which is there now or was pushed there, or None.
        side: "left" or "right" if a push takes its owner there, else None.
    """

    point_world: tuple[float, float, float]
    name: str | None = None
    drawer: str | None = None
    owner: str | None = None
    side: str | None = None

    def __str__(self) -> str:
        return self.name or "at " + ", ".join(f"{coordinate:.3f}" for coordinate in self.point_world)


def in_drawer(drawer: FixtureSpec, fraction: float, point_world: Sequence[float]) -> bool:
    """Whether an object whose base centre is at `point_world` [3] lies in the drawer at `fraction`."""
    width, height, depth = drawer.size
    face = drawer.moved(np.array(drawer.face_world), fraction)
    low, high = face - np.array([0.0, width / 2, height / 2]), face + np.array([depth, width / 2, height / 2])
    sideways, point = np.array([WALL_MARGIN, WALL_MARGIN, 0.0]), np.asarray(point_world, float)
    return bool((point >= low + sideways).all() and (point <= high - sideways).all())


def drawer_around(spec: KitchenSpec, scene: SceneState, point_world: Sequence[float]) -> FixtureSpec | None:
    """The drawer in which a point lies in a scene, or None."""
    return next((d for d in spec.drawers if in_drawer(d, scene.fractions[d.name], point_world)), None)


def on_surface(surface: SurfaceSpec, point_world: Sequence[float], inset: float = 0.0) -> bool:
    """Whether an object whose base centre is at `point_world` [3] stands on the surface, `inset` [m] within its edge."""
    offset = np.abs(np.asarray(point_world, float) - np.array(surface.centre_world))
    return bool(offset[0] <= surface.half_size[0] - inset and offset[1] <= surface.half_size[1] - inset and offset[2] <= SURFACE_HEIGHT)


def drawer_place(drawer: FixtureSpec) -> Place:
    """The place in an open drawer that the hand reaches from above."""
    x, y, _ = drawer.moved(np.array(drawer.face_world), 1.0)
    return Place((float(x) + DRAWER_INSET, float(y), drawer.drawer_floor_z), drawer.name, drawer=drawer.name)


def common_places(spec: KitchenSpec) -> list[Place]:
    """Spots, surfaces and drawers, in a fixed order."""
    z = spec.counter_world[4]
    surfaces = [Place(s.centre_world, s.name) for s in spec.surfaces]
    spots = [
        Place((x, y, z), f"spot_{index}")
        for index, (x, y) in enumerate(spec.spots_world)
        if not any(np.hypot(x - s.centre_world[0], y - s.centre_world[1]) < SAME_PLACE for s in spec.surfaces)
    ]
    return spots + surfaces + [drawer_place(drawer) for drawer in spec.drawers]


def place_at(spec: KitchenSpec, point_world: Sequence[float]) -> Place:
    """A point of the counter or of an open drawer, whether or not it has a name."""
    x, y, z = (round(float(coordinate), POINT_DIGITS) for coordinate in point_world)
    low = z < spec.counter_world[4] - LOW
    drawer = next((d.name for d in spec.drawers if low and in_drawer(d, 1.0, (x, y, z))), None)
    return Place((x, y, z), drawer=drawer)


def own_places(spec: KitchenSpec, scene: SceneState, thing: ObjectSpec) -> list[Place]:
    """Where the object is now, in the coordinates of an open drawer if it is in one, and where a push would take it and
    the hand still reaches it; none in the hand."""
    if scene.held == thing.name:
        return []
    point = np.array(scene.poses[thing.name][:3])
    drawer = drawer_around(spec, scene, scene.poses[thing.name][:3])
    if drawer is not None:
        opened = point + (1.0 - scene.fractions[drawer.name]) * drawer.joint_range * np.array(drawer.joint_axis_world)
        return [Place(tuple(opened.tolist()), drawer=drawer.name, owner=thing.name)]
    places = [Place(tuple(point.tolist()), owner=thing.name)]
    for side, sign in SIDES.items():
        moved = point + np.array([0.0, sign * PUSH_DISTANCE_M, 0.0])
        on_counter = spec.counter_world[2] + thing.radius <= moved[1] <= spec.counter_world[3] - thing.radius
        if on_counter and reached_from_above(moved + np.array([0.0, 0.0, thing.height]), GRASP_LIFT):
            places.append(Place(tuple(moved.tolist()), owner=thing.name, side=side))
    return places


def pose_at(spec: KitchenSpec, place: Place, fractions: Mapping[str, float], yaw_rad: float) -> Pose:
    """The pose of an object at the place, given how far the drawers are open."""
    x, y, z = place.point_world
    if place.drawer is None:
        return x, y, z, yaw_rad
    drawer = spec.fixture(place.drawer)
    back = (fractions[place.drawer] - 1.0) * drawer.joint_range * np.array(drawer.joint_axis_world)
    return float(x + back[0]), float(y + back[1]), float(z + back[2]), yaw_rad


def fits(thing: ObjectSpec, drawer: FixtureSpec) -> bool:
    """Whether the object can stand in the drawer while it is shut."""
    top = drawer.face_world[2] + drawer.size[1] / 2
    return thing.height <= top - drawer.drawer_floor_z - 0.004 and 2 * thing.radius <= drawer.size[0] - 0.03
