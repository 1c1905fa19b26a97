"""The oracle: dense maps of where each primitive would have its effect, from the exact rules and the view's own depth."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.base import Action
from hiermap.worlds.goals import PREDICATES
from hiermap.worlds.kitchen.spec import OPENABLE, KitchenSpec, ObjectSpec, SceneState
from hiermap.worlds.oracle.regions import counter_floor, drawer_floor, face_region, grip_region, handle_distance, object_top, rocker_half
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.rules.moves import Move, conceivable, hand_over, opening_axis
from hiermap.worlds.rules.obstacles import fixed_slabs, standing, stops
from hiermap.worlds.rules.places import LOW, common_places, place_at
from hiermap.worlds.rules.slabs import NOMINAL, cylinder_overlaps, overlaps, part_slabs
from hiermap.worlds.rules.transitions import legal_moves, rotations

SPOT_RADIUS, SAME_LEVEL = 0.025, 0.02
"""A cell this near to a place, and this near to its height, means that place [m]."""
_INDEX = {name: index for index, name in enumerate(PRIMITIVES)}


def oracle_maps(spec: KitchenSpec, scene: SceneState, view: SpatialView, masks: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
    """Every cell and orientation bin where a primitive would have its effect, `[P, R, H, W]` bool.

    `masks` (name -> `[H, W]` bool of the things' visible cells in this view) narrows handles, faces and tops down to the thing itself.
    """
    maps = np.zeros((len(PRIMITIVES), ROTATION_BINS, *view.depth.shape), bool)
    for move in legal_moves(spec, scene):
        if move.primitive == "place":
            continue
        for rotation in rotations(spec, scene, move):
            maps[_INDEX[move.primitive], rotation] |= move_cells(spec, scene, view, move, rotation, masks)[0]
    if scene.held is not None:
        for rotation in range(len(PRIMITIVES["place"].rotations)):
            maps[_INDEX["place"], rotation] = place_cells(spec, scene, view, rotation)
    return maps


def action_for(
    spec: KitchenSpec, scene: SceneState, view: SpatialView, move: Move, masks: Mapping[str, np.ndarray] | None = None
) -> Action | None:
    """The best visible cell for a move, or None if the rules do not allow it or nothing of it is seen."""
    for rotation in rotations(spec, scene, move):
        region, distance = move_cells(spec, scene, view, move, rotation, masks)
        if region.any():
            best = int(np.argmin(np.where(region, distance, np.inf)))
            row, column = np.unravel_index(best, region.shape)
            return Action(move.primitive, (int(row), int(column)), rotation)
    return None


def move_for(spec: KitchenSpec, scene: SceneState, action: Action, view: SpatialView) -> Move | None:
    """The move that an action means in a scene, whether or not the rules allow it, or None if its cell belongs to no such move."""
    if action.primitive == "place":
        return _placing(spec, scene, action, view)
    best, found, here = np.inf, None, np.zeros(view.valid.shape, bool)
    here[action.cell] = True
    for move in conceivable(spec, scene, action.primitive, action.rotation_index):
        region, distance = move_cells(spec, scene, view, move, action.rotation_index, among=here)
        if region[action.cell] and distance[action.cell] < best:
            best, found = float(distance[action.cell]), move
    return found


def _placing(spec: KitchenSpec, scene: SceneState, action: Action, view: SpatialView) -> Move | None:
    """Putting the held object down at the nearest named place, or at the very point."""
    if scene.held is None or not view.valid[action.cell]:
        return None
    point = view.points[action.cell].astype(float)
    near, place = SPOT_RADIUS, place_at(spec, point)
    for named in common_places(spec):
        x, y, z = point - np.array(named.point_world)
        if abs(z) <= SAME_LEVEL and np.hypot(x, y) < near:
            near, place = float(np.hypot(x, y)), named
    return Move("place", scene.held, action.rotation_index, place=place)


def move_cells(
    spec: KitchenSpec,
    scene: SceneState,
    view: SpatialView,
    move: Move,
    rotation: int,
    masks: Mapping[str, np.ndarray] | None = None,
    among: ArrayLike = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Cells `[H, W]` bool, of those `among`, at which the primitive in that orientation bin means the move, and how far each is from the
    best point [m], infinite where there was nothing to ask.

    Whether or not the rules allow the move.
    """
    asked = view.valid & np.asarray(among)
    if move.place is None and masks is not None and move.target in masks:
        asked &= masks[move.target]
    region, distance = np.zeros(asked.shape, bool), np.full(asked.shape, np.inf)
    points = view.points[asked]
    if move.place is None:
        region[asked], distance[asked] = _thing_region(spec, scene, points, move, rotation)
        return region, distance
    offset = points - np.array(move.place.point_world)
    distance[asked] = np.hypot(offset[:, 0], offset[:, 1])
    region[asked] = np.abs(offset[:, 2]) <= SAME_LEVEL
    return place_cells(spec, scene, view, rotation, region & (distance <= SPOT_RADIUS)), distance


def _thing_region(spec: KitchenSpec, scene: SceneState, points: np.ndarray, move: Move, rotation: int) -> tuple[np.ndarray, np.ndarray]:
    if move.target in scene.poses:
        thing, pose = spec.object(move.target), scene.poses[move.target]
        if move.primitive == "grasp":
            return grip_region(thing, pose, points, opening_axis("grasp", rotation))
        return object_top(thing, pose, points)
    fixture = spec.fixture(move.target)
    fraction = scene.fractions[move.target]
    if fixture.kind == "switch":
        return rocker_half(fixture, points, fraction, move.to == "on")
    # An open oven door is carried shut by its bar: its face points down and away.
    if move.primitive in ("pull", "rotate") or fixture.kind in ("sliding_door", "oven_door"):
        return handle_distance(fixture, points, fraction)
    return face_region(fixture, points, fraction)


def place_cells(spec: KitchenSpec, scene: SceneState, view: SpatialView, rotation: int, among: ArrayLike = True) -> np.ndarray:
    """Cells `[H, W]` bool, of those `among`, where the held object can be set down on free ground that the hand reaches."""
    cells = np.zeros(view.depth.shape, bool)
    if scene.held is None:
        return cells
    thing, asked = spec.object(scene.held), view.valid & np.asarray(among)
    points = view.points[asked].astype(float)
    there = _ground(spec, scene, thing, view.points[asked], rotation)
    there[there] = _reachable(spec, scene, thing, points[there], rotation)
    cells[asked] = there
    return cells


def _ground(spec: KitchenSpec, scene: SceneState, thing: ObjectSpec, points: np.ndarray, rotation: int) -> np.ndarray:
    ground = counter_floor(spec, thing, points)
    for drawer in spec.drawers:
        covered = drawer.above is not None and not PREDICATES["closed"].holds_at(scene.fractions[drawer.above])
        if rotation == 0 and PREDICATES["open"].holds_at(scene.fractions[drawer.name]) and not covered:
            ground = ground | drawer_floor(drawer, thing, points)
    return ground


def _reachable(spec: KitchenSpec, scene: SceneState, thing: ObjectSpec, points: np.ndarray, rotation: int) -> np.ndarray:
    """Which ground points `[N, 3]` are clear of other objects and of everything open, for the object and the hand: `[N]` bool."""

    def meets(hits: np.ndarray) -> np.ndarray:
        return hits.any(axis=1).reshape(len(points), -1).any(axis=1)

    rows = hand_over(thing, points, "place", rotation, NOMINAL).reshape(-1, 8)
    free = ~meets(cylinder_overlaps(rows, np.concatenate([stops(spec), standing(spec, scene)]), NOMINAL.gap))
    free &= ~meets(overlaps(rows, fixed_slabs(spec), 0.0))
    low = points[:, 2] < spec.counter_world[4] - LOW
    for fixture in spec.fixtures:
        fraction = scene.fractions[fixture.name]
        if fixture.kind in OPENABLE and not PREDICATES["closed"].holds_at(fraction):
            hit = meets(overlaps(rows, part_slabs(fixture, fraction), NOMINAL.gap))
            free &= ~(hit & ~(low & (fixture.kind == "drawer")))
    return free
