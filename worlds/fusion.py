"""Fuse calibrated RGB-D images into one oblique parallel view: nearest point per cell, small holes filled by medians."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from worlds.base import CameraView, InvalidObservationError, Observation
from worlds.cameras import check_view
from worlds.frame import SpatialFrame, depth_to_points
from worlds.planes import robust_normal

CHANNELS = 10
"""Of `SpatialView.channels`: colour 3, depth, height, normal 3, validity, holding."""
MAX_VIEW_DEPTH_M = 2.4
"""Points farther from the eye plane belong to no kitchen."""
SAME_SURFACE_M = 0.015
"""Neighbouring pixels whose depth differs by less see one surface, and the points between them are interpolated; a bar stands
at least 25 mm before its face, so nothing is invented between the two."""
SEE_THROUGH_M = 0.03
"""A cell this much farther than most of its neighbours was missed by the near surface's samples."""
FILL_ROUNDS = 3
"""Holes up to six cells wide are filled from their rims."""
MEAN_DEPTH_M, DEPTH_SCALE_M = 0.95, 0.25
MEAN_HEIGHT_M, HEIGHT_SCALE_M = 0.25, 0.25
"""Bring the metric channels to about zero mean and unit range."""
_QUANTUM_M = 1e-5
_INDEX_BITS = 24
_EMPTY = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class SpatialView:
    """What is seen now, in the spatial frame, with `H x W = frame.shape` cells.

    Attributes:
        rgb: `[H, W, 3]` uint8.
        depth: `[H, W]` float32 view depth of the nearest surface [m]; 0 where invalid.
        valid: `[H, W]` bool, seen or filled from seen neighbours.
        holding: whether the gripper holds something (its own knowledge; the held object itself is filtered out as part of the robot).
        frame: the cells' geometry.
    """

    rgb: np.ndarray
    depth: np.ndarray
    valid: np.ndarray
    holding: bool
    frame: SpatialFrame = SpatialFrame()

    @cached_property
    def points(self) -> np.ndarray:
        """World points of all cells, `[H, W, 3]` float32 [m]; meaningless where invalid."""
        return self.frame.cell_to_point(self.frame.grid(), self.depth).astype(np.float32)

    @property
    def height(self) -> np.ndarray:
        """World z of all cells, `[H, W]` float32 [m]; 0 where invalid."""
        return np.where(self.valid, self.points[..., 2], np.float32(0))

    @cached_property
    def normals(self) -> np.ndarray:
        """Local outward unit normals, `[H, W, 3]` float32; 0 where invalid. Noisy at edges: to act, use `normal`."""
        return local_normals(self.depth, self.valid, self.frame)

    def point(self, cell: tuple[int, int]) -> np.ndarray:
        """World point on the surface seen in a cell, [3] [m]; of the nearest valid cell when this one is a small hole.

        Raises:
            InvalidObservationError: the cell lies outside the frame or nothing near it is seen.
        """
        row, column = self._seen(cell)
        return self.frame.cell_to_point(np.array([row, column]), np.array(float(self.depth[row, column])))

    def normal(self, cell: tuple[int, int]) -> np.ndarray:
        """Outward unit normal of the face a cell belongs to (a handle belongs to the face behind it), [3]; raises as `point`."""
        return robust_normal(self.points, self.valid, self._seen(cell), self.frame.view_direction)

    def channels(self) -> np.ndarray:
        """Network input `[CHANNELS, H, W]` float32 of about unit range; 0 where invalid, except for validity and holding."""
        seen = self.valid.astype(np.float32)
        planes = np.empty((CHANNELS, *self.depth.shape), np.float32)
        planes[0:3] = np.moveaxis(self.rgb, -1, 0) * np.float32(1 / 255)
        planes[3] = (self.depth - MEAN_DEPTH_M) / DEPTH_SCALE_M
        planes[4] = (self.height - MEAN_HEIGHT_M) / HEIGHT_SCALE_M
        planes[5:8] = np.moveaxis(self.normals, -1, 0)
        planes[:8] *= seen
        planes[8] = seen
        planes[9] = float(self.holding)
        return planes

    def _seen(self, cell: tuple[int, int], reach: int = 4) -> tuple[int, int]:
        row, column = int(cell[0]), int(cell[1])
        if not self.frame.contains(np.array([row, column])):
            raise InvalidObservationError(f"cell ({row}, {column}) lies outside the frame of {self.frame.rows} x {self.frame.columns} cells")
        if self.valid[row, column]:
            return row, column
        near = np.argwhere(self.valid)
        distance = ((near - [row, column]) ** 2).sum(axis=1) if len(near) else np.array([np.inf])
        if distance.min() > reach**2:
            raise InvalidObservationError(f"nothing is seen within {reach} cells of cell ({row}, {column}); expected a cell on a visible surface")
        best = near[int(distance.argmin())]
        return int(best[0]), int(best[1])


def view_from_arrays(rgb: np.ndarray, depth_tenth_mm: np.ndarray, holding: bool, frame: SpatialFrame = SpatialFrame()) -> SpatialView:  # noqa: B008
    """A view from stored arrays: rgb `[H, W, 3]` uint8 and depth `[H, W]` uint16 in 0.1 mm, 0 = invalid."""
    return SpatialView(rgb, depth_tenth_mm.astype(np.float32) * np.float32(1e-4), depth_tenth_mm > 0, bool(holding), frame)


def depth_to_tenth_mm(view: SpatialView) -> np.ndarray:
    """The view's depth for storage, `[H, W]` uint16 in 0.1 mm, 0 = invalid."""
    return np.where(view.valid, np.rint(view.depth * 1e4), 0).astype(np.uint16)


def fuse(observation: Observation, frame: SpatialFrame = SpatialFrame()) -> SpatialView:  # noqa: B008
    """Check every camera, drop the robot's own pixels and project all points into the frame; the nearest point wins a cell.

    Raises:
        InvalidObservationError: no camera, an unusable image or calibration, or nothing of the frame is seen.
    """
    if not observation.views:
        raise InvalidObservationError("the observation has no camera views; expected at least one calibrated RGB-D image")
    nearest = np.full(frame.rows * frame.columns, _EMPTY)
    colours: list[np.ndarray] = []
    for index, view in enumerate(observation.views):
        check_view(view, f"camera {index}")
        points, rgb = _dense_points(view)
        _splat(points, frame, nearest, offset=sum(map(len, colours)))
        colours.append(rgb)
    seen = nearest != _EMPTY
    if not seen.any():
        raise InvalidObservationError("no camera sees any cell of the frame; check that T_camera_to_world is camera to world, in metres, with z forward")
    depth = np.where(seen, (nearest >> _INDEX_BITS) * _QUANTUM_M, np.nan).reshape(frame.shape)
    source = np.where(seen, nearest & ((1 << _INDEX_BITS) - 1), 0)
    rgb = np.where(seen[:, None], np.concatenate(colours)[source], 0).astype(np.uint8).reshape(*frame.shape, 3)
    depth, rgb = _repair(depth, rgb)
    valid = np.isfinite(depth)
    return SpatialView(rgb, np.where(valid, depth, 0).astype(np.float32), valid, bool(observation.gripper.holding), frame)


def _dense_points(view: CameraView) -> tuple[np.ndarray, np.ndarray]:
    """Points `[n, 3]` (NaN for none) and colours `[n, 3]`, at twice the image's density where neighbours see one surface."""
    depth = np.where(view.depth > 0, view.depth, np.nan).astype(np.float32)
    if view.is_robot is not None:
        depth[view.is_robot] = np.nan
    points = depth_to_points(depth, view.K, view.T_camera_to_world)
    with np.errstate(invalid="ignore"):
        across = np.abs(np.diff(depth, axis=1)) < SAME_SURFACE_M
        down = np.abs(np.diff(depth, axis=0)) < SAME_SURFACE_M
        middle = across[:-1] & across[1:] & down[:, :-1] & down[:, 1:]
    parts = [points.reshape(-1, 3)]
    parts.append((0.5 * (points[:, :-1] + points[:, 1:]))[across])
    parts.append((0.5 * (points[:-1] + points[1:]))[down])
    parts.append((0.25 * (points[:-1, :-1] + points[1:, 1:] + points[1:, :-1] + points[:-1, 1:]))[middle])
    rgb = view.rgb
    colours = [rgb.reshape(-1, 3), rgb[:, :-1][across], rgb[:-1][down], rgb[:-1, :-1][middle]]
    return np.concatenate(parts), np.concatenate(colours)


def _splat(points: np.ndarray, frame: SpatialFrame, nearest: np.ndarray, offset: int) -> None:
    """Lower `nearest` `[H * W]` (depth quanta above point indices) by `points` `[n, 3]` numbered from `offset`."""
    up, ahead = frame.up_direction.astype(np.float32), frame.view_direction.astype(np.float32)
    x, y, z = points[:, 0], points[:, 1], points[:, 2]
    row = (np.float32(frame.top) - (x * up[0] + z * up[2])) * np.float32(1 / frame.cell_size)
    column = (np.float32(frame.left) - y) * np.float32(1 / frame.cell_size)
    depth = x * ahead[0] + z * ahead[2] - np.float32(frame.eye)
    with np.errstate(invalid="ignore"):
        inside = (row >= 0) & (row < frame.rows) & (column >= 0) & (column < frame.columns) & (depth > 0.01) & (depth < MAX_VIEW_DEPTH_M)
    kept = np.flatnonzero(inside)
    cell = row[kept].astype(np.int64) * frame.columns + column[kept].astype(np.int64)
    code = (np.rint(depth[kept] / np.float32(_QUANTUM_M)).astype(np.int64) << _INDEX_BITS) | (kept + offset)
    np.minimum.at(nearest, cell, code)


def _repair(depth: np.ndarray, rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Close see-through cells, then fill small holes; every filled cell copies the median one of its neighbours, never a mean."""
    around, order, count = _neighbours(depth)
    with np.errstate(invalid="ignore"):
        seen_through = (count >= 6) & (depth - np.take_along_axis(around, order[5:6], axis=0)[0] > SEE_THROUGH_M)
    depth, rgb = _copy_median(depth, rgb, seen_through, around, order, count)
    for _ in range(FILL_ROUNDS):
        around, order, count = _neighbours(depth)
        depth, rgb = _copy_median(depth, rgb, np.isnan(depth) & (count >= 3), around, order, count)
    return depth, rgb


_SHIFTS = tuple((r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0))


def _neighbours(depth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depths of the eight neighbours `[8, H, W]`, their order from near to far (unknown last) and how many are known `[H, W]`."""
    padded = np.pad(depth, 1, constant_values=np.nan)
    height, width = depth.shape
    around = np.stack([padded[1 + r : 1 + r + height, 1 + c : 1 + c + width] for r, c in _SHIFTS])
    return around, np.argsort(around, axis=0), np.isfinite(around).sum(axis=0)


def _copy_median(
    depth: np.ndarray, rgb: np.ndarray, where: np.ndarray, around: np.ndarray, order: np.ndarray, count: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.nonzero(where)
    chosen = order[np.maximum(count[rows, columns] - 1, 0) // 2, rows, columns]
    shifts = np.array(_SHIFTS)[chosen]
    depth, rgb = depth.copy(), rgb.copy()
    depth[rows, columns] = around[chosen, rows, columns]
    rgb[rows, columns] = rgb[np.clip(rows + shifts[:, 0], 0, depth.shape[0] - 1), np.clip(columns + shifts[:, 1], 0, depth.shape[1] - 1)]
    return depth, rgb


def local_normals(depth: np.ndarray, valid: np.ndarray, frame: SpatialFrame, reach_m: float = 0.025) -> np.ndarray:
    """Unit normals `[H, W, 3]` float32 toward the eye of planes through each cell's 5 x 5 neighbours that are within `reach_m` of its depth."""
    padded, known = np.pad(depth, 2), np.pad(valid, 2)
    height, width = depth.shape
    sums = np.zeros((8, height, width), np.float32)
    for r in range(-2, 3):
        for c in range(-2, 3):
            difference = padded[2 + r : 2 + r + height, 2 + c : 2 + c + width] - depth
            weight: np.ndarray = (known[2 + r : 2 + r + height, 2 + c : 2 + c + width] & valid & (np.abs(difference) < reach_m)).astype(np.float32)
            difference = difference * weight
            for k, factor in enumerate((1.0, r, c, r * r, r * c, c * c)):
                if factor:
                    sums[k] += factor * weight
            sums[6] += r * difference
            sums[7] += c * difference
    _, _, _, rr, rc, cc, rd, cd = sums
    determinant = rr * cc - rc * rc
    safe = np.where(determinant > 1e-3, determinant, 1)
    slope_row = np.where(determinant > 1e-3, (rd * cc - cd * rc) / safe, 0) / frame.cell_size
    slope_column = np.where(determinant > 1e-3, (cd * rr - rd * rc) / safe, 0) / frame.cell_size
    # Depth grows by slope_row along -up and by slope_column along -y.
    normal = -frame.view_direction - slope_row[..., None] * frame.up_direction
    normal[..., 1] -= slope_column
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.where(valid[..., None], normal, 0).astype(np.float32)
