"""Oracle maps of any scene by its geometry: where in a view every move that the rules allow would be made."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation

from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS, Command
from hiermap.worlds.geometry.fingers import is_narrow
from hiermap.worlds.geometry.grips import Cell, grips_at, standing_off, thing_grips_at
from hiermap.worlds.geometry.room import SAME_LEVEL_M, room_around
from hiermap.worlds.geometry.scene_geometry import SceneGeometry
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.rules.places import Place
from hiermap.worlds.rules.state_table import Operator, StateTable

ALIKE_M = {"push": 0.06, "pull": 0.04, "rotate": 0.03, "grasp": 0.015}
"""Where the same orientation grips this near to a grip that leads through, it leads through as well [m]."""
OPENS_ALIKE_M, SPARSE = 0.15, 3
"""The same of a push on what opens, where beyond `ALIKE_M` one of so many rows and columns speaks for its neighbours."""
HANDLE_M = 0.08
"""Cells of a thing are asked about so far from such a grip [m]: they lead through if they mean the same middle, or the same handle."""
FORGIVING = "rotate"
"""What is turned is closed on from both sides and comes to the middle of the fingers: a cell beside one that fits will do."""
SPOT_M = 0.025
"""A cell of its floor this near to a place means that place."""
_INDEX = {name: index for index, name in enumerate(PRIMITIVES)}


@dataclass(frozen=True, eq=False)
class Region:
    """Where one orientation of an operator's move would be made.

    Attributes:
        cells: `[H, W]` bool, not empty.
        best: of those that fit by themselves, not only beside one that does.
        beside: `[H, W]` bool, where the same move sets a thing down as well, at no place that the rules have a number for.
    """

    operator: Operator
    rotation: int
    cells: np.ndarray
    best: Cell
    beside: np.ndarray


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
        place = operator.move.place
        beside = np.zeros(view.valid.shape, bool) if place is None else room_around(geometry.copy, view, operator.move.target, place)
        for rotation in (r for r in free if r in cells and cells[r].any()):
            away = np.linalg.norm(view.points - known[rotation], axis=-1)
            row, column = np.unravel_index(np.argmin(np.where(cells[rotation], away, np.inf)), away.shape)
            yield Region(operator, rotation, _forgiven(operator, cells[rotation], view, masks), (int(row), int(column)), beside)
    geometry.copy.reset()


def maps_of(found: Sequence[Region], shape: tuple[int, int]) -> np.ndarray:
    """Every cell and orientation bin where a primitive would have its effect, `[P, R, H, W]` bool."""
    maps = np.zeros((len(PRIMITIVES), ROTATION_BINS, *shape), bool)
    for region in found:
        maps[_INDEX[region.operator.move.primitive], region.rotation] |= region.cells | region.beside
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
    away = {rotation: np.where(seen, np.linalg.norm(view.points - point, axis=-1), np.inf) for rotation, point in known.items()}
    if move.to is None:
        along = {rotation: metres <= HANDLE_M for rotation, metres in away.items()}

        def alike(command: Command) -> bool:
            metres = np.linalg.norm(command.point_world - known[command.rotation_index])
            return bool(metres <= ALIKE_M["grasp"]) or is_narrow(copy, command, move.target)

        grips = thing_grips_at(copy, view, _listed(along), move.target)
        return _fitting(along, ((cell, command) for cell, command in grips if command.rotation_index in known and alike(command)))
    part = copy.parts.fixtures[move.target]
    end = part.ends.index(move.to)

    def fitting(asked: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
        grips = grips_at(copy, view, _listed(asked), seen, standing_off(view, seen), move.target, 1 - end, end)
        return _fitting(asked, ((cell, command) for cell, command in grips if command.primitive == move.primitive))

    near = {rotation: metres <= ALIKE_M[move.primitive] for rotation, metres in away.items()}
    cells = fitting(near)
    if move.primitive == "push" and part.ends[0] == "closed":
        farther = {rotation: (metres <= OPENS_ALIKE_M) & ~near[rotation] for rotation, metres in away.items()}
        lattice = np.logical_and.outer(*(np.arange(size) % SPARSE == SPARSE // 2 for size in seen.shape))
        for rotation, fit in fitting({rotation: mask & lattice for rotation, mask in farther.items()}).items():
            cells[rotation] |= binary_dilation(fit, np.ones((SPARSE, SPARSE))) & farther[rotation]
    return cells


def _fitting(asked: Mapping[int, np.ndarray], grips: Iterable[tuple[Cell, Command]]) -> dict[int, np.ndarray]:
    """Orientation -> of the cells asked about those with a grip of that orientation."""
    cells = {rotation: np.zeros_like(mask) for rotation, mask in asked.items()}
    for cell, command in grips:
        if command.rotation_index in cells:
            cells[command.rotation_index][cell] = asked[command.rotation_index][cell]
    return cells


def _forgiven(operator: Operator, cells: np.ndarray, view: SpatialView, masks: Mapping[str, np.ndarray]) -> np.ndarray:
    """The cells `[H, W]` bool that fit, and of what forgives it those beside them on the same thing."""
    if operator.move.primitive != FORGIVING:
        return cells
    return binary_dilation(cells) & masks[operator.move.target] & view.valid


def _listed(near: Mapping[int, np.ndarray]) -> list[Cell]:
    """The cells of any orientation, in order."""
    return [(int(row), int(column)) for row, column in np.argwhere(np.any(list(near.values()), axis=0))] if near else []


def _near_place(view: SpatialView, place: Place) -> np.ndarray:
    offset = view.points - np.array(place.point_world)
    return view.valid & (np.hypot(offset[..., 0], offset[..., 1]) <= SPOT_M) & (np.abs(offset[..., 2]) <= SAME_LEVEL_M)
