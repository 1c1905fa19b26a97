"""Oracle maps of any scene by its geometry: where in a view every move that the rules allow would be made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.geometry.grips import Cell, grips_at, standing_off, thing_grips_at
from hiermap.worlds.geometry.scene_geometry import SceneGeometry
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.rules.places import Place
from hiermap.worlds.rules.state_table import Operator, StateTable

ALIKE_M = {"push": 0.06, "pull": 0.04, "rotate": 0.03, "grasp": 0.015}
"""Where the same orientation grips this near to a grip that leads through, it leads through as well."""
FORGIVING = ("grasp", "rotate")
"""What is closed on from both sides comes to the middle of the fingers: a cell beside one that fits will do."""
SPOT_M, SAME_LEVEL_M = 0.025, 0.02
"""A cell this near to a place, and this near to its height, means that place."""
_INDEX = {name: index for index, name in enumerate(PRIMITIVES)}


@dataclass(frozen=True, eq=False)
class Region:
    """Where one orientation of an operator's move would be made: `cells` `[H, W]` bool, not empty, and the `best` of those that fit by
    themselves, not only beside one that does."""

    operator: Operator
    rotation: int
    cells: np.ndarray
    best: Cell


def regions(
    geometry: SceneGeometry, rules: StateTable, qpos: np.ndarray, view: SpatialView, masks: Mapping[str, np.ndarray]
) -> Iterator[Region]:
    """Of every move that the rules allow where they begin; `qpos` is the scene's then, `masks` (name -> `[H, W]` bool) are of the view."""
    geometry.copy.follow(qpos)
    for number in rules.applicable(np.array([rules.start], np.int64))[0]:
        operator = rules.operators[number]
        free = rules.free_rotations(rules.start, operator)
        known = _known(geometry, rules, operator)
        cells = _cells(geometry, operator, known, view, masks)
        for rotation in (r for r in free if r in cells and cells[r].any()):
            away = np.linalg.norm(view.points - known[rotation], axis=-1)
            row, column = np.unravel_index(np.argmin(np.where(cells[rotation], away, np.inf)), away.shape)
            yield Region(operator, rotation, _forgiven(operator, cells[rotation], view, masks), (int(row), int(column)))
    geometry.copy.reset()


def maps_of(found: Sequence[Region], shape: tuple[int, int]) -> np.ndarray:
    """Every cell and orientation bin where a primitive would have its effect, `[P, R, H, W]` bool."""
    maps = np.zeros((len(PRIMITIVES), ROTATION_BINS, *shape), bool)
    for region in found:
        maps[_INDEX[region.operator.move.primitive], region.rotation] |= region.cells
    return maps


def _known(geometry: SceneGeometry, rules: StateTable, operator: Operator) -> dict[int, np.ndarray]:
    """Orientation -> the point [3] at which the move is known to lead through."""
    move = operator.move
    if move.place is not None:
        return dict.fromkeys(range(ROTATION_BINS), np.array(move.place.point_world))
    if move.to is None:
        ways = geometry.thing_ways[move.target, int(rules.things[move.target].of(np.array(operator.need_value)))]
    else:
        ways = geometry.fixture_ways[move.target, 1 - rules.ends[move.target].index(move.to)]
    return {passing.command.rotation_index: np.array(passing.command.point_world) for passing in ways.get(move.primitive, ())}


def _cells(
    geometry: SceneGeometry, operator: Operator, known: Mapping[int, np.ndarray], view: SpatialView, masks: Mapping[str, np.ndarray]
) -> Mapping[int, np.ndarray]:
    """Orientation -> cells `[H, W]` bool of an operator's move."""
    move, copy = operator.move, geometry.copy
    if move.place is not None:
        return dict.fromkeys(known, _near_place(view, move.place))
    seen = masks[move.target] & view.valid
    near = {rotation: seen & (np.linalg.norm(view.points - point, axis=-1) <= ALIKE_M[move.primitive]) for rotation, point in known.items()}
    if move.to is None:
        found = thing_grips_at(copy, view, _listed(near), move.target)
    else:
        end = geometry.copy.parts.fixtures[move.target].ends.index(move.to)
        found = grips_at(copy, view, _listed(near), seen, standing_off(view, seen), move.target, 1 - end, end)
    cells = {rotation: np.zeros_like(seen) for rotation in near}
    for cell, command in found:
        if command.primitive == move.primitive and command.rotation_index in cells:
            cells[command.rotation_index][cell] = near[command.rotation_index][cell]
    return cells


def _forgiven(operator: Operator, cells: np.ndarray, view: SpatialView, masks: Mapping[str, np.ndarray]) -> np.ndarray:
    """The cells `[H, W]` bool that fit, and of what forgives it those beside them on the same thing."""
    if operator.move.primitive not in FORGIVING:
        return cells
    return binary_dilation(cells) & masks[operator.move.target] & view.valid


def _listed(near: Mapping[int, np.ndarray]) -> list[Cell]:
    """The cells of any orientation, in order."""
    return [(int(row), int(column)) for row, column in np.argwhere(np.any(list(near.values()), axis=0))] if near else []


def _near_place(view: SpatialView, place: Place) -> np.ndarray:
    offset = view.points - np.array(place.point_world)
    return view.valid & (np.hypot(offset[..., 0], offset[..., 1]) <= SPOT_M) & (np.abs(offset[..., 2]) <= SAME_LEVEL_M)
