"""From a cell of the view to metres: what a motor program is told."""

import numpy as np

from hiermap.primitives.hand import OPEN_WIDTH_M, YAWS_RAD
from hiermap.primitives.specs import PRIMITIVES, Command
from hiermap.worlds.base import Action
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import UP_WORLD
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.perception.normals import FACE, UPRIGHT

SIDEWAYS = ("left", "right")
"""Effects of pushes that follow the face."""
BESIDE, STANDS_OFF_M = 2, 0.015
"""A pull at a face is meant for what stands at least so far off it [m] within so many cells."""
FALL_M = 0.012
"""Where the surface lies this much lower than at the cell that was meant, the thing has ended."""
STRIP_M = 0.008
"""Half the width of the fingers: so far beside a point a surface counts."""
GAP_M = 0.018
"""Cells of one thing follow each other at least this closely."""


def ground(view: SpatialView, action: Action) -> Command:
    """The metric command of an action: the visible surface point of its cell and the face's outward normal there.

    A pull that misses a bar by a cell or two is meant for the bar, a grasp of any cell for the middle of what the fingers close on there.

    Raises:
        InvalidObservationError: unknown primitive or orientation bin, a cell outside the frame or where nothing is seen.
    """
    spec = PRIMITIVES.get(action.primitive)
    if spec is None:
        raise InvalidObservationError(f"unknown primitive {action.primitive!r}; known: {', '.join(PRIMITIVES)}")
    if not 0 <= action.rotation_index < len(spec.rotations):
        raise InvalidObservationError(
            f"{action.primitive} has orientation bins 0..{len(spec.rotations) - 1} {spec.rotations}, got {action.rotation_index}"
        )
    goes_level = action.primitive == "pull" or spec.bins[action.rotation_index].effect in SIDEWAYS
    around = UPRIGHT if goes_level else FACE
    cell, normal = action.cell, UP_WORLD if spec.from_above else view.normal(action.cell, around)
    if action.primitive == "pull" and (bar := _bar_beside(view, cell, normal)) is not None:
        cell, normal = bar, view.normal(bar, around)
    is_grasp = action.primitive == "grasp"
    point = middle(view, cell, YAWS_RAD["grasp"][action.rotation_index]) if is_grasp else view.point(cell)
    return Command(action.primitive, tuple(point.tolist()), tuple(normal.tolist()), action.rotation_index)


def _bar_beside(view: SpatialView, cell: tuple[int, int], normal: np.ndarray) -> tuple[int, int] | None:
    """The nearest cell that stands off the face at a cell; None if there is none, or if the cell stands off a face itself."""
    row, column = cell
    top, left = max(row - BESIDE, 0), max(column - BESIDE, 0)
    around = slice(top, row + BESIDE + 1), slice(left, column + BESIDE + 1)
    off = np.where(view.valid[around], (view.points[around] - view.point(cell)) @ normal, 0.0)
    bar = np.argwhere(off > STANDS_OFF_M) + np.array([top, left])
    if len(bar) == 0 or off.min() < -STANDS_OFF_M:
        return None
    nearest = bar[np.linalg.norm(bar - cell, axis=1).argmin()]
    return int(nearest[0]), int(nearest[1])


def middle(view: SpatialView, cell: tuple[int, int], yaw_rad: float) -> np.ndarray:
    """The seen point [3] in the middle of what is at a cell, between fingers that open at `yaw_rad` from +y.

    Of a handle, longer than the fingers open, it stays as far along as the cell. What is too wide for the fingers, or seen to no end, has
    no middle: there it is the point of the cell itself.

    Raises:
        InvalidObservationError: as `SpatialView.point`.
    """
    point = view.point(cell)
    reach = int(np.ceil(OPEN_WIDTH_M / view.frame.cell_size))
    around = tuple(slice(max(at - reach, 0), at + reach + 1) for at in cell)
    local = view.points[around][view.valid[around]] - point
    local = local[local[:, 2] > -FALL_M]
    opening, across = np.array([-np.sin(yaw_rad), np.cos(yaw_rad)]), np.array([np.cos(yaw_rad), np.sin(yaw_rad)])
    shift = _to_middle(local[:, :2], opening, across)
    if shift is None:
        return point
    along = _to_middle(local[:, :2] - shift, across, opening)
    shift = shift if along is None else shift + along
    nearest = local[np.linalg.norm(local[:, :2] - shift, axis=1).argmin()]
    return point + np.array([*(shift + _unseen(view)), nearest[2]])


def _unseen(view: SpatialView) -> np.ndarray:
    """How much farther from the eye [2] the middle lies: of a level top the last row is seen on average half a row before its end."""
    across_rows = view.frame.cell_size / np.sin(view.frame.pitch_rad)
    return across_rows / 4 * view.frame.forward_direction[:2]


def _to_middle(flat: np.ndarray, way: np.ndarray, across: np.ndarray) -> np.ndarray | None:
    """From the origin to the middle of what goes on along a way [2] there, of points [n, 2]; None of what is wider than fingers open."""
    along = np.sort(flat[np.abs(flat @ across) <= STRIP_M] @ way)
    ends = np.array([_end(along[along >= 0.0]), -_end(-along[along <= 0.0][::-1])])
    return None if ends[0] - ends[1] > OPEN_WIDTH_M else ends.mean() * way


def _end(ahead: np.ndarray) -> float:
    """How far what begins here goes on, of rising distances [n] of cells ahead."""
    gaps = np.flatnonzero(np.diff(ahead, prepend=0.0) > GAP_M)
    known = ahead[: gaps[0]] if len(gaps) else ahead
    return float(known[-1]) if len(known) else 0.0
