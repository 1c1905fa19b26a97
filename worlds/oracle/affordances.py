"""The oracle: dense maps of where each primitive would have its effect, from the exact rules and the view's own depth."""

from collections.abc import Iterator, Mapping

import numpy as np

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.base import Action
from hiermap.worlds.kitchen.spec import OPENABLE, KitchenSpec, ObjectSpec, SceneState
from hiermap.worlds.oracle.regions import counter_floor, drawer_floor, face_region, grip_region, handle_distance, object_top, rocker_half
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.rules.judge import is_closed, is_open
from hiermap.worlds.rules.moves import Move, fixture_primitive, opening_axis
from hiermap.worlds.rules.obstacles import fixed_slabs
from hiermap.worlds.rules.places import FREE_PREFIX, Place, common_places, stops
from hiermap.worlds.rules.slabs import FINGERS_HALF_WIDTH, NOMINAL, cylinder_overlaps, overlaps, part_slabs
from hiermap.worlds.rules.transitions import moves, rotations

SPOT_RADIUS = 0.025
"""A cell this near to a place means that place [m]."""
SAME_LEVEL = 0.02
"""And this near to its height [m]."""
_INDEX = {name: index for index, name in enumerate(PRIMITIVES)}


def oracle_maps(spec: KitchenSpec, scene: SceneState, view: SpatialView, masks: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
    """Every cell and orientation bin where a primitive would have its effect, `[P, R, H, W]` bool.

    `masks` (name -> `[H, W]` bool of the things' visible cells in this view) narrows handles, faces and tops down to the thing itself.
    """
    maps = np.zeros((len(PRIMITIVES), ROTATION_BINS, *view.depth.shape), bool)
    for move in moves(spec, scene):
        if move.primitive == "place":
            continue
        for rotation in rotations(spec, scene, move):
            maps[_INDEX[move.primitive], rotation] |= _cells(spec, scene, view, move, rotation, masks)[0]
    if scene.held is not None:
        for rotation in range(len(PRIMITIVES["place"].rotations)):
            maps[_INDEX["place"], rotation] = place_cells(spec, scene, view, rotation)
    return maps


def action_for(
    spec: KitchenSpec, scene: SceneState, view: SpatialView, move: Move, masks: Mapping[str, np.ndarray] | None = None
) -> Action | None:
    """The best visible cell for a move, or None if the rules do not allow it or nothing of it is seen."""
    for rotation in rotations(spec, scene, move) or ((move.rotation_index,) if move.argument.startswith(FREE_PREFIX) else ()):
        region, distance = _cells(spec, scene, view, move, rotation, masks)
        if region.any():
            best = int(np.argmin(np.where(region, distance, np.inf)))
            row, column = np.unravel_index(best, region.shape)
            return Action(move.primitive, (int(row), int(column)), rotation)
    return None


def move_for(spec: KitchenSpec, scene: SceneState, action: Action, view: SpatialView) -> Move | None:
    """The move that an action means in a scene, whether or not the rules allow it, or None if its cell belongs to no such move."""
    if action.primitive == "place":
        return _placing(spec, scene, action, view)
    best, found = np.inf, None
    for move in _candidates(spec, scene, action):
        region, distance = _cells(spec, scene, view, move, action.rotation_index, None)
        if region[action.cell] and distance[action.cell] < best:
            best, found = float(distance[action.cell]), move
    return found


def _placing(spec: KitchenSpec, scene: SceneState, action: Action, view: SpatialView) -> Move | None:
    """Putting the held object down at the nearest named place, or at the very point."""
    if scene.held is None or not view.valid[action.cell]:
        return None
    point = view.points[action.cell].astype(float)
    near: tuple[float, str] = (SPOT_RADIUS, f"{FREE_PREFIX}{point[0]:.3f},{point[1]:.3f},{point[2]:.3f}")
    for place in common_places(spec):
        offset = point - np.array(place.point_world)
        if abs(offset[2]) <= SAME_LEVEL:
            near = min(near, (float(np.hypot(offset[0], offset[1])), place.name))
    return Move("place", scene.held, near[1], action.rotation_index)


def _candidates(spec: KitchenSpec, scene: SceneState, action: Action) -> Iterator[Move]:
    rotation = action.rotation_index
    for fixture in spec.fixtures:
        for argument in ("open", "closed") if fixture.kind in OPENABLE else ("on", "off"):
            primitive, bins = fixture_primitive(fixture, argument, scene.fractions[fixture.name])
            if primitive == action.primitive and rotation in bins:
                yield Move(primitive, fixture.name, argument, rotation)
    for name in scene.poses:
        if action.primitive == "grasp":
            yield Move("grasp", name, "", rotation)
        if action.primitive == "push" and rotation in (1, 2):
            yield Move("push", name, "left" if rotation == 1 else "right", rotation)


def move_cells(
    spec: KitchenSpec, scene: SceneState, view: SpatialView, move: Move, rotation: int, masks: Mapping[str, np.ndarray] | None = None
) -> np.ndarray:
    """Cells `[H, W]` bool at which the primitive in that orientation bin means the move, whether or not the rules allow it."""
    return _cells(spec, scene, view, move, rotation, masks)[0]


def _cells(
    spec: KitchenSpec, scene: SceneState, view: SpatialView, move: Move, rotation: int, masks: Mapping[str, np.ndarray] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Cells `[H, W]` bool at which the move is made in an orientation bin, and how far each is from the best point [m]."""
    if move.primitive == "place":
        return _place_region(spec, scene, view, move, rotation)
    region, distance = _thing_region(spec, scene, view, move, rotation)
    region = region & view.valid
    if masks is not None and move.target in masks:
        region &= masks[move.target]
    return region, distance


def _thing_region(spec: KitchenSpec, scene: SceneState, view: SpatialView, move: Move, rotation: int) -> tuple[np.ndarray, np.ndarray]:
    points = view.points
    things = {o.name: o for o in spec.objects}
    if move.target in things:
        thing, pose = things[move.target], scene.poses[move.target]
        if move.primitive == "grasp":
            return grip_region(thing, pose, points, opening_axis("grasp", rotation))
        return object_top(thing, pose, points)
    fixture = spec.fixture(move.target)
    fraction = scene.fractions[move.target]
    if fixture.kind == "switch":
        return rocker_half(fixture, points, fraction, move.argument == "on")
    # An open oven door is carried shut by its bar: its face points down and away.
    if move.primitive in ("pull", "rotate") or fixture.kind in ("sliding_door", "oven_door"):
        return handle_distance(fixture, points, fraction)
    return face_region(fixture, points, fraction)


def _place_region(spec: KitchenSpec, scene: SceneState, view: SpatialView, move: Move, rotation: int) -> tuple[np.ndarray, np.ndarray]:
    place = next((p for p in common_places(spec) if p.name == move.argument), None)
    if place is None:
        return np.zeros(view.depth.shape, bool), np.zeros(view.depth.shape)
    offset = view.points - np.array(place.point_world)
    distance = np.hypot(offset[..., 0], offset[..., 1])
    level = (distance <= SPOT_RADIUS) & (np.abs(offset[..., 2]) <= SAME_LEVEL)
    return place_cells(spec, scene, view, rotation, place) & level, distance


def place_cells(spec: KitchenSpec, scene: SceneState, view: SpatialView, rotation: int, near: Place | None = None) -> np.ndarray:
    """Cells `[H, W]` bool where the held object can be set down on free ground that the hand reaches: all, or those `near` a place."""
    cells = np.zeros(view.depth.shape, bool)
    thing = next((o for o in spec.objects if o.name == scene.held), None)
    if thing is None:
        return cells
    ground = _ground(spec, scene, thing, view.points, rotation) & view.valid
    if near is not None:
        offset = view.points[..., :2] - np.array(near.point_world[:2])
        ground &= np.hypot(offset[..., 0], offset[..., 1]) <= SPOT_RADIUS
    where = np.argwhere(ground)
    if len(where):
        points = view.points[ground].astype(float)
        cells[tuple(where[_reachable(spec, scene, thing, points, rotation)].T)] = True
    return cells


def _ground(spec: KitchenSpec, scene: SceneState, thing: ObjectSpec, points: np.ndarray, rotation: int) -> np.ndarray:
    ground = counter_floor(spec, thing, points)
    for drawer in (f for f in spec.fixtures if f.kind == "drawer"):
        covered = drawer.above is not None and not is_closed(scene.fractions[drawer.above])
        if rotation == 0 and is_open(scene.fractions[drawer.name]) and not covered:
            ground = ground | drawer_floor(drawer, thing, points)
    return ground


def _reachable(spec: KitchenSpec, scene: SceneState, thing: ObjectSpec, points: np.ndarray, rotation: int) -> np.ndarray:
    """Which ground points `[N, 3]` are clear of other objects and of everything open, for the object and the hand: `[N]` bool."""
    slabs = _hand_slabs(thing, points, opening_axis("place", rotation))
    free = np.ones(len(points), bool)
    standing = [(o, scene.poses[o.name]) for o in spec.objects if o.name in scene.poses and o.name != scene.held]
    rows = [np.array([[x, y, o.radius, z + 0.005, z + o.height]]) for o, (x, y, z, _) in standing]
    cylinders = np.concatenate([stops(spec), *rows])
    free &= ~cylinder_overlaps(slabs, cylinders, NOMINAL.gap).any(axis=1).reshape(3, -1).any(axis=0)
    free &= ~overlaps(slabs, fixed_slabs(spec), 0.0).any(axis=1).reshape(3, -1).any(axis=0)
    for fixture in spec.fixtures:
        fraction = scene.fractions[fixture.name]
        if fixture.kind in OPENABLE and not is_closed(fraction):
            low = points[:, 2] < spec.counter_world[4] - 0.03
            hit = overlaps(slabs, part_slabs(fixture, fraction), NOMINAL.gap).any(axis=1).reshape(3, -1).any(axis=0)
            free &= ~(hit & ~(low & (fixture.kind == "drawer")))
    return free


def _hand_slabs(thing: ObjectSpec, points: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Fingers, palm and object at every point, `[3 N, 8]`."""
    count = len(points)
    grip = points[:, 2] + thing.grip_offset[2]
    palm_z = grip + NOMINAL.finger_height

    def rows(half_along: float, half_across: float, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        fixed = np.tile([axis[0], axis[1], half_along, half_across], (count, 1))
        return np.column_stack([points[:, :2], fixed, low, high])

    fingers = rows(FINGERS_HALF_WIDTH, 0.015, grip - 0.01, palm_z)
    palm = rows(NOMINAL.hand_half_width, NOMINAL.hand_half_thickness, palm_z, grip + 0.35)
    body = rows(thing.radius, thing.radius, points[:, 2] + 0.005, points[:, 2] + thing.height)
    return np.concatenate([fingers, palm, body])
