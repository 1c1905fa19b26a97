"""The middle of what fingers close on from above: they come down on both sides of it, whichever of its cells was meant."""

import numpy as np

from hiermap.primitives.hand import OPEN_WIDTH_M
from hiermap.worlds.perception.fusion import SpatialView

FALL_M = 0.012
"""Where the surface lies this much lower than at the cell that was meant, the thing has ended."""
STRIP_M = 0.008
"""Half the width of the fingers: so far beside a point a surface counts."""
GAP_M = 0.018
"""Cells of one thing follow each other at least this closely."""


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
