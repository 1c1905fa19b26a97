"""Points of depth images drawn into the cells of a frame, and the holes they leave closed; compiled, in float32 on every machine."""

import math

import numpy as np
from numba import njit

from hiermap.worlds.base import CameraView
from hiermap.worlds.frame import SpatialFrame

MAX_VIEW_DEPTH_M = 2.4
"""Points farther from the eye plane belong to no kitchen."""
SAME_SURFACE_M = np.float32(0.015)
"""Neighbouring pixels whose depth differs by less see one surface; a bar stands at least 25 mm before its face."""
SEE_THROUGH_M = 0.03
"""A cell this much farther than most of its neighbours was missed by the near surface's samples."""
FILL_ROUNDS = 3
"""Holes up to six cells wide are filled from their rims."""
EMPTY = np.iinfo(np.int32).max
_QUARTER, _HALF, _QUANTA_PER_M = np.float32(0.25), np.float32(0.5), np.float32(1e4)


class Canvas:
    """What all cameras see in the cells of a frame, the nearest point winning each.

    Attributes:
        quanta: `[H, W]` int32 view depth in tenths of a millimetre, `EMPTY` where nothing was drawn.
        rgb: `[H, W, 3]` uint8.
        offset: `[H, W, 2]` float32, where in its cell the point lies.
    """

    def __init__(self, frame: SpatialFrame) -> None:
        self.frame = frame
        self.quanta = np.full(frame.shape, EMPTY, np.int32)
        self.rgb, self.offset = np.zeros((*frame.shape, 3), np.uint8), np.zeros((*frame.shape, 2), np.float32)

    def draw(self, view: CameraView, depth: np.ndarray) -> None:
        """Add four points of every pixel of a view whose `depth` `[h, w]` float32 is known, a quarter of a pixel off its centre toward
        its corners, on the surface the pixel sees: so there are no gaps between cells, and a thin bar is as wide as it is.
        """
        frame, T = self.frame, np.asarray(view.T_camera_to_world)
        to_world, start = (T[:3, :3] @ np.linalg.inv(view.K)).astype(np.float32), T[:3, 3].astype(np.float32)
        # Tuples: in the inner loop each slice of an array would cost as much as a point.
        axes = tuple(tuple(axis.astype(np.float32)) for axis in (frame.up_direction, frame.left_direction, frame.view_direction))
        edges = tuple(np.array([frame.top, frame.left, frame.eye, 1 / frame.cell_size], np.float32))
        _draw(depth, np.asarray(view.rgb), to_world, start, axes, edges, self.quanta, self.rgb, self.offset)


@njit(cache=True)
def _draw(depth, colours, to_world, start, axes, edges, quanta, rgb, offset):
    (rows, columns), (top, left, eye, per_m) = quanta.shape, edges
    for down in (False, True):
        for right in (False, True):
            shift_v, shift_u = _QUARTER if down else -_QUARTER, _QUARTER if right else -_QUARTER
            for v in range(depth.shape[0]):
                for u in range(depth.shape[1]):
                    if math.isnan(depth[v, u]):
                        continue
                    d = depth[v, u] + _QUARTER * (_slope(depth, v, u, 1, 0, down) + _slope(depth, v, u, 0, 1, right))
                    x, y, z = _point(to_world, start, np.float32(u) + shift_u, np.float32(v) + shift_v, d)
                    row, column = (top - _along(axes[0], x, y, z)) * per_m, (left - _along(axes[1], x, y, z)) * per_m
                    ahead = _along(axes[2], x, y, z) - eye
                    if not (0 <= row < rows and 0 <= column < columns and 0.01 < ahead < MAX_VIEW_DEPTH_M):
                        continue
                    r, c, tenths = int(row), int(column), int(np.rint(ahead * _QUANTA_PER_M))
                    if tenths < quanta[r, c]:
                        quanta[r, c] = tenths
                        offset[r, c, 0], offset[r, c, 1] = row - np.float32(r) - _HALF, column - np.float32(c) - _HALF
                        rgb[r, c] = colours[v, u]


@njit(cache=True)
def _slope(depth, v, u, down, right, forward):
    """How depth grows from a pixel to the next one in a direction, or falls to the one before, along the surface the pixel sees."""
    inside = v >= down and u >= right
    before = depth[v, u] - depth[v - down, u - right] if inside else np.float32(np.inf)
    inside = v + down < depth.shape[0] and u + right < depth.shape[1]
    after = depth[v + down, u + right] - depth[v, u] if inside else np.float32(np.inf)
    is_before, is_after = abs(before) < SAME_SURFACE_M, abs(after) < SAME_SURFACE_M
    if forward:
        return after if is_after else before if is_before else np.float32(0)
    return -before if is_before else -after if is_after else np.float32(0)


@njit(cache=True)
def _point(to_world, start, u, v, depth):
    x = depth * (to_world[0, 0] * u + to_world[0, 1] * v + to_world[0, 2]) + start[0]
    y = depth * (to_world[1, 0] * u + to_world[1, 1] * v + to_world[1, 2]) + start[1]
    return x, y, depth * (to_world[2, 0] * u + to_world[2, 1] * v + to_world[2, 2]) + start[2]


@njit(cache=True)
def _along(axis, x, y, z):
    return x * axis[0] + y * axis[1] + z * axis[2]


def repair(depth: np.ndarray, rgb: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Close see-through cells, then fill small holes; every filled cell copies its neighbours' median one, never a mean.

    `depth` `[H, W]` is NaN where unknown, in the result too; `rgb` and `offset` `[H, W, ...]` are copied along.
    """
    depth, rgb, offset = _copy_median(depth, rgb, offset, True, 6)
    for _ in range(FILL_ROUNDS):
        depth, rgb, offset = _copy_median(depth, rgb, offset, False, 3)
    return depth, rgb, offset


@njit(cache=True)
def _copy_median(depth, rgb, offset, see_through, least):
    """Unknown cells, or those that are seen through, with at least `least` known neighbours become the one that is their (lower) median."""
    rows, columns = depth.shape
    new_depth, new_rgb, new_offset = depth.copy(), rgb.copy(), offset.copy()
    near, place = np.empty(8, np.float32), np.empty((8, 2), np.int64)
    for r in range(rows):
        for c in range(columns):
            if see_through != (depth[r, c] > 0):
                continue
            known = _neighbours(depth, r, c, near, place)
            if known < least or (see_through and not depth[r, c] - near[5] > SEE_THROUGH_M):
                continue
            y, x = place[(known - 1) // 2, 0], place[(known - 1) // 2, 1]
            new_depth[r, c], new_rgb[r, c], new_offset[r, c] = depth[y, x], rgb[y, x], offset[y, x]
    return new_depth, new_rgb, new_offset


@njit(cache=True)
def _neighbours(depth, row, column, near, place):
    """Fill in depths `near` [8] of the known neighbours of a cell, rising, and which cells they are; returns how many."""
    known = 0
    for r in range(max(row - 1, 0), min(row + 2, depth.shape[0])):
        for c in range(max(column - 1, 0), min(column + 2, depth.shape[1])):
            if (r == row and c == column) or math.isnan(depth[r, c]):
                continue
            at = known
            while at > 0 and near[at - 1] > depth[r, c]:
                near[at], place[at, 0], place[at, 1] = near[at - 1], place[at - 1, 0], place[at - 1, 1]
                at -= 1
            near[at], place[at, 0], place[at, 1] = depth[r, c], r, c
            known += 1
    return known
