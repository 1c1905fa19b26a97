"""The finite set of places where objects may be: spots and surfaces of the counter, drawers, and where they are now."""

from dataclasses import dataclass

import numpy as np

from hiermap.primitives.hand import PUSH_DISTANCE_M
from hiermap.worlds.kitchen.scene_sampling import DRAWER_INSET, drawer_floor_z
from hiermap.worlds.kitchen.spec import FixtureSpec, KitchenSpec, ObjectSpec, SceneState, SurfaceSpec
from hiermap.worlds.rules.reachability import GRASP_LIFT, reached_from_above

LOW = 0.03
"""What lies this far below the counter top is in a drawer [m]."""
SAME_PLACE = 0.02
"""An object this near to a place stands at it [m]."""

WALL_MARGIN = 0.005
"""An object's centre counts as inside a drawer from this distance within its outer walls [m]."""
SURFACE_HEIGHT = 0.025
"""An object stands on a surface when its base is at most this far from the surface's top [m]; it rests within 2 mm."""


FREE_PREFIX = "at "
"""A place called "at X,Y,Z" is that point of the counter or of a drawer [m], not one of the kitchen's named places."""


@dataclass(frozen=True)
class Place:
    """Where an object may be.

    Attributes:
        name: "spot_3", a surface's or drawer's name, or "mug@here", "mug@left", "mug@right" for where an object is and may be pushed to.
        point_world: base centre, [3] [m]; for a drawer while it is fully open.
        drawer: the drawer it is in, or None.
        surface: the surface it is on, or None.
        owner: the only object that may be there, or None.
    """

    name: str
    point_world: tuple[float, float, float]
    drawer: str | None = None
    surface: str | None = None
    owner: str | None = None


def drawer_box(drawer: FixtureSpec, fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corners, [3] each [m], of the box a drawer fills at `fraction`, from its face to its back."""
    width, height, depth = drawer.size
    face = drawer.moved(np.array(drawer.face_world), fraction)
    low = face - np.array([0.0, width / 2, height / 2])
    return low, face + np.array([depth, width / 2, height / 2])


def in_drawer(drawer: FixtureSpec, fraction: float, point_world: np.ndarray) -> bool:
    """Whether an object whose base centre is at `point_world` [3] lies in the drawer."""
    low, high = drawer_box(drawer, fraction)
    point = np.asarray(point_world, float)
    sideways = np.array([WALL_MARGIN, WALL_MARGIN, 0.0])
    return bool((point >= low + sideways).all() and (point <= high - sideways).all())


def on_surface(surface: SurfaceSpec, point_world: np.ndarray, inset: float = 0.0) -> bool:
    """Whether an object whose base centre is at `point_world` [3] stands on the surface, `inset` [m] within its edge."""
    offset = np.abs(np.asarray(point_world, float) - np.array(surface.centre_world))
    return bool(offset[0] <= surface.half_size[0] - inset and offset[1] <= surface.half_size[1] - inset and offset[2] <= SURFACE_HEIGHT)


def drawer_place(drawer: FixtureSpec) -> Place:
    """The place in an open drawer that the hand reaches from above."""
    x, y, _ = drawer.moved(np.array(drawer.face_world), 1.0)
    return Place(drawer.name, (float(x) + DRAWER_INSET, float(y), drawer_floor_z(drawer)), drawer=drawer.name)


def common_places(spec: KitchenSpec) -> list[Place]:
    """Spots, surfaces and drawers, in a fixed order."""
    z = spec.counter_world[4]
    surfaces = [Place(s.name, s.centre_world, surface=s.name) for s in spec.surfaces]
    spots = []
    for index, (x, y) in enumerate(spec.spots_world):
        if not any(np.hypot(x - s.centre_world[0], y - s.centre_world[1]) < SAME_PLACE for s in spec.surfaces):
            spots.append(Place(f"spot_{index}", (x, y, z), surface=_surface_at(spec, (x, y, z))))
    return spots + surfaces + [drawer_place(f) for f in spec.fixtures if f.kind == "drawer"]


def place_named(spec: KitchenSpec, name: str) -> Place:
    """The spot, surface or drawer of that name, or the point of an "at X,Y,Z"; KeyError lists what exists."""
    if name.startswith(FREE_PREFIX):
        x, y, z = (float(number) for number in name.removeprefix(FREE_PREFIX).split(","))
        low = z < spec.counter_world[4] - LOW
        return Place(name, (x, y, z), drawer=_drawer_at(spec, (x, y, z)) if low else None, surface=_surface_at(spec, (x, y, z)))
    places = {place.name: place for place in common_places(spec)}
    if name not in places:
        raise KeyError(f"no place {name!r}; this kitchen has {sorted(places)}")
    return places[name]


def _drawer_at(spec: KitchenSpec, point_world: tuple[float, float, float]) -> str | None:
    opened = (f for f in spec.fixtures if f.kind == "drawer" and in_drawer(f, 1.0, np.array(point_world)))
    return next((f.name for f in opened), None)


def _surface_at(spec: KitchenSpec, point_world: tuple[float, float, float]) -> str | None:
    return next((s.name for s in spec.surfaces if on_surface(s, np.array(point_world))), None)


def own_places(spec: KitchenSpec, scene: SceneState, thing: ObjectSpec) -> list[Place]:
    """Where the object is now, in the coordinates of an open drawer if it is in one, and where a push would take it and
    the hand still reaches it; none in the hand."""
    if scene.held == thing.name:
        return []
    point = np.array(scene.poses[thing.name][:3])
    for drawer in (f for f in spec.fixtures if f.kind == "drawer"):
        fraction = scene.fractions[drawer.name]
        if in_drawer(drawer, fraction, point):
            opened = point + (1.0 - fraction) * drawer.joint_range * np.array(drawer.joint_axis_world)
            return [Place(f"{thing.name}@here", _triple(opened), drawer=drawer.name, owner=thing.name)]
    places = [Place(f"{thing.name}@here", _triple(point), surface=_surface_at(spec, _triple(point)), owner=thing.name)]
    for side, sign in (("left", 1.0), ("right", -1.0)):
        moved = point + np.array([0.0, sign * PUSH_DISTANCE_M, 0.0])
        on_counter = spec.counter_world[2] + thing.radius <= moved[1] <= spec.counter_world[3] - thing.radius
        if on_counter and reached_from_above(moved + np.array([0.0, 0.0, thing.height]), GRASP_LIFT):
            places.append(Place(f"{thing.name}@{side}", _triple(moved), surface=_surface_at(spec, _triple(moved)), owner=thing.name))
    return places


def pose_at(spec: KitchenSpec, place: Place, fractions: dict[str, float], yaw_rad: float) -> tuple[float, float, float, float]:
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
    return thing.height <= top - drawer_floor_z(drawer) - 0.004 and 2 * thing.radius <= drawer.size[0] - 0.03


def stops(spec: KitchenSpec) -> np.ndarray:
    """The low stops that stand on the counter beside doors as x, y, radius, lowest and highest z, `[N, 5]` [m]."""
    rows = []
    for panel in spec.panels:
        if panel.name.startswith("stop_"):
            (x, y, z), (half_x, half_y, half_z) = panel.centre_world, panel.half_size
            rows.append([x, y, float(np.hypot(half_x, half_y)), z - half_z, z + half_z])
    return np.array(rows).reshape(-1, 5)


def _triple(point: np.ndarray) -> tuple[float, float, float]:
    return float(point[0]), float(point[1]), float(point[2])
