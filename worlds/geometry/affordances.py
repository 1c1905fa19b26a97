"""Oracle maps of any scene by its geometry: where in a view every move that the rules allow would be made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS
from hiermap.worlds.geometry.grips import grips_at, standing_off, thing_grips_at
from hiermap.worlds.geometry.scene_geometry import Passing, SceneGeometry, Ways
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.rules.places import Place
from hiermap.worlds.rules.state_table import Operator, StateTable

ALIKE_M = {"push": 0.06, "pull": 0.04, "rotate": 0.03, "grasp": 0.02}
"""Where the same orientation grips this near to a grip that leads through, it leads through as well."""
FORGIVING = ("grasp", "rotate")
"""What is closed on from both sides comes to the middle of the fingers: a cell beside one that fits will do."""
SPOT_M, SAME_LEVEL_M = 0.025, 0.02
"""A cell this near to a place, and this near to its height, means that place."""
_INDEX = {name: index for index, name in enumerate(PRIMITIVES)}


@dataclass(frozen=True, eq=False)
class Region:
    """Where one orientation of an operator's move would be made: `cells` `[H, W]` bool."""

    operator: Operator
    rotation: int
    cells: np.ndarray


def regions(
    geometry: SceneGeometry, rules: StateTable, qpos: np.ndarray, view: SpatialView, masks: Mapping[str, np.ndarray]
) -> Iterator[Region]:
    """Of every move that the rules allow where they begin; `qpos` is the scene's then, `masks` (name -> `[H, W]` bool) are of the view."""
    geometry.copy.follow(qpos)
    for number in rules.applicable(np.array([rules.start], np.int64))[0]:
        operator = rules.operators[number]
        free = rules.free_rotations(rules.start, operator)
        for rotation, cells in _cells(geometry, rules, operator, view, masks).items():
            if rotation in free and cells.any():
                yield Region(operator, rotation, cells)
    geometry.copy.reset()


def maps_of(found: Sequence[Region], shape: tuple[int, int]) -> np.ndarray:
    """Every cell and orientation bin where a primitive would have its effect, `[P, R, H, W]` bool."""
    maps = np.zeros((len(PRIMITIVES), ROTATION_BINS, *shape), bool)
    for region in found:
        maps[_INDEX[region.operator.move.primitive], region.rotation] |= region.cells
    return maps


def _cells(
    geometry: SceneGeometry, rules: StateTable, operator: Operator, view: SpatialView, masks: Mapping[str, np.ndarray]
) -> Mapping[int, np.ndarray]:
    """Orientation -> cells `[H, W]` bool of an operator's move."""
    move, copy = operator.move, geometry.copy
    if move.place is not None:
        here = _near_place(view, move.place)
        return dict.fromkeys(range(ROTATION_BINS), here)
    seen = masks[move.target] & view.valid
    if move.to is None:
        number = int(rules.things[move.target].of(np.array(operator.need_value)))
        near = _near(geometry.thing_ways[move.target, number], move.primitive, view, seen)
        found = thing_grips_at(copy, view, _listed(near), move.target)
    else:
        start = 1 - rules.ends[move.target].index(move.to)
        near = _near(geometry.fixture_ways[move.target, start], move.primitive, view, seen)
        found = grips_at(copy, view, _listed(near), seen, standing_off(view, seen), move.target, start, 1 - start)
    cells = {rotation: np.zeros_like(seen) for rotation in near}
    for cell, command in found:
        if command.primitive == move.primitive and command.rotation_index in cells:
            cells[command.rotation_index][cell] = near[command.rotation_index][cell]
    if move.primitive in FORGIVING:
        return {rotation: binary_dilation(own) & near[rotation] for rotation, own in cells.items()}
    return cells


def _near(ways: Ways, primitive: str, view: SpatialView, seen: np.ndarray) -> dict[int, np.ndarray]:
    """Orientation -> the seen cells near the grip that leads through in it."""
    passings: Sequence[Passing] = ways.get(primitive, ())
    return {
        passing.command.rotation_index: seen & (np.linalg.norm(view.points - passing.command.point_world, axis=-1) <= ALIKE_M[primitive])
        for passing in passings
    }


def _listed(near: Mapping[int, np.ndarray]) -> list[tuple[int, int]]:
    """The cells of any orientation, in order."""
    return [(int(row), int(column)) for row, column in np.argwhere(np.any(list(near.values()), axis=0))] if near else []


def _near_place(view: SpatialView, place: Place) -> np.ndarray:
    offset = view.points - np.array(place.point_world)
    return view.valid & (np.hypot(offset[..., 0], offset[..., 1]) <= SPOT_M) & (np.abs(offset[..., 2]) <= SAME_LEVEL_M)
