"""From a cell of the view to metres: what a motor program is told."""

import numpy as np

from hiermap.primitives.hand import YAWS_RAD
from hiermap.primitives.specs import PRIMITIVES, Command
from hiermap.worlds.base import Action
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import UP_WORLD
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.perception.middle import middle
from hiermap.worlds.perception.normals import FACE, UPRIGHT

SIDEWAYS = ("left", "right")
"""Effects of pushes that follow the face."""
BESIDE, STANDS_OFF_M = 2, 0.015
"""A pull at a face is meant for what stands at least so far off it [m] within so many cells."""


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
