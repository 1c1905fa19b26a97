"""Fuse calibrated RGB-D images into one oblique parallel view: nearest point per cell, small holes filled by medians."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hiermap.worlds.base import CameraView, Observation, RobotBody
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import SpatialFrame, depth_to_points
from hiermap.worlds.perception.calibration import calibrated
from hiermap.worlds.perception.cameras import check_view
from hiermap.worlds.perception.denoising import denoised
from hiermap.worlds.perception.normals import local_normals, robust_normal
from hiermap.worlds.perception.self_filter import own_pixels

FRAME = SpatialFrame()
"""The default cells."""
CHANNELS = 10
"""Of `SpatialView.channels`: colour 3, depth, height, normal 3 (along the frame's forward, left and up), validity, holding."""
MAX_VIEW_DEPTH_M = 2.4
"""Points farther from the eye plane belong to no kitchen."""
SAME_SURFACE_M = 0.015
"""Neighbouring pixels whose depth differs by less see one surface; a bar stands at least 25 mm before its face."""
SEE_THROUGH_M = 0.03
"""A cell this much farther than most of its neighbours was missed by the near surface's samples."""
FILL_ROUNDS = 3
"""Holes up to six cells wide are filled from their rims."""
MEAN_DEPTH_M, DEPTH_SCALE_M = 0.95, 0.25
MEAN_HEIGHT_M, HEIGHT_SCALE_M = 0.25, 0.25
"""Bring the metric channels to about zero mean and unit range."""
_QUANTUM_M = np.float32(1e-4)
"""Depth is rounded to what is stored, so that a view from a data set is bit for bit the one that was seen."""
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
        offset: `[H, W, 2]` float32, where in its cell the seen point lies (row, column), in cells within +-0.5; None if not stored.
        notes: what was done about cameras that were moved since their calibration; empty where all agree.
    """

    rgb: np.ndarray
    depth: np.ndarray
    valid: np.ndarray
    holding: bool
    frame: SpatialFrame = FRAME
    offset: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    @cached_property
    def points(self) -> np.ndarray:
        """World points of all cells, `[H, W, 3]` float32 [m]; meaningless where invalid."""
        cells = self.frame.grid() if self.offset is None else self.frame.grid() + self.offset
        return self.frame.cell_to_point(cells, self.depth).astype(np.float32)

    @cached_property
    def normals(self) -> np.ndarray:
        """Local outward unit normals, `[H, W, 3]` float32; 0 where invalid. Noisy at edges: to act, use `normal`."""
        return local_normals(self.depth, self.valid, self.frame)

    def point(self, cell: tuple[int, int]) -> np.ndarray:
        """World point on the surface seen in a cell, [3] [m]; of the nearest valid cell when this one is a small hole.

        Raises:
            InvalidObservationError: the cell lies outside the frame or nothing near it is seen.
        """
        return self.points[self._seen(cell)].astype(float)

    def normal(self, cell: tuple[int, int]) -> np.ndarray:
        """Outward unit normal of the face a cell belongs to (a handle belongs to the face behind it), [3]; raises as `point`."""
        return robust_normal(self.points, self.valid, self._seen(cell), self.frame.view_direction)

    def channels(self) -> np.ndarray:
        """Network input `[CHANNELS, H, W]` float32 of about unit range; 0 where invalid, except for validity and holding."""
        seen = self.valid.astype(np.float32)
        planes = np.empty((CHANNELS, *self.depth.shape), np.float32)
        planes[0:3] = np.moveaxis(self.rgb, -1, 0) * np.float32(1 / 255)
        planes[3] = (self.depth - MEAN_DEPTH_M) / DEPTH_SCALE_M
        height = np.where(self.valid, self.frame.cell_to_point(self.frame.grid(), self.depth)[..., 2], 0).astype(np.float32)
        planes[4] = (height - MEAN_HEIGHT_M) / HEIGHT_SCALE_M
        # A network sees the same kitchen wherever it stands, so its normals are those of a frame that is not turned.
        planes[5:8] = np.moveaxis(local_normals(self.depth, self.valid, replace(self.frame, yaw_rad=0.0)), -1, 0)
        planes[:8] *= seen
        planes[8] = seen
        planes[9] = float(self.holding)
        return planes

    def _seen(self, cell: tuple[int, int], reach: int = 4) -> tuple[int, int]:
        row, column = int(cell[0]), int(cell[1])
        if not self.frame.contains(np.array([row, column])):
            raise InvalidObservationError(f"cell ({row}, {column}) lies outside the {self.frame.rows} x {self.frame.columns} frame")
        if self.valid[row, column]:
            return row, column
        near = np.argwhere(self.valid)
        distance = ((near - [row, column]) ** 2).sum(axis=1) if len(near) else np.array([np.inf])
        if distance.min() > reach**2:
            raise InvalidObservationError(
                f"nothing is seen within {reach} cells of cell ({row}, {column}); expected a cell on a visible surface"
            )
        best = near[int(distance.argmin())]
        return int(best[0]), int(best[1])


def view_from_arrays(rgb: np.ndarray, depth_tenth_mm: np.ndarray, holding: bool, frame: SpatialFrame = FRAME) -> SpatialView:
    """A view from stored arrays: rgb `[H, W, 3]` uint8 and depth `[H, W]` uint16 in 0.1 mm, 0 = invalid."""
    return SpatialView(rgb, depth_tenth_mm.astype(np.float32) * _QUANTUM_M, depth_tenth_mm > 0, bool(holding), frame)


def depth_to_tenth_mm(view: SpatialView) -> np.ndarray:
    """The view's depth for storage, `[H, W]` uint16 in 0.1 mm, 0 = invalid."""
    return np.where(view.valid, np.rint(view.depth * 1e4), 0).astype(np.uint16)


def see(seen: Observation | SpatialView, frame: SpatialFrame = FRAME) -> SpatialView:
    """The fused view of what a robot hands over: images are fused here, a view is one already."""
    return seen if isinstance(seen, SpatialView) else fuse(seen, frame)


def fuse(observation: Observation, frame: SpatialFrame = FRAME) -> SpatialView:
    """Check every camera, put moved ones back, drop the robot's own pixels and project all points; the nearest one wins a cell.

    Raises:
        InvalidObservationError: no camera, an unusable image or calibration, or nothing of the frame is seen.
    """
    if not observation.views:
        raise InvalidObservationError("the observation has no camera views; expected at least one calibrated RGB-D image")
    for index, view in enumerate(observation.views):
        check_view(view, f"camera {index}")
    views, notes = calibrated(observation.views)
    points = zip(*(_project(view, observation.body, frame) for view in views), strict=True)
    cell, quanta, colour, within = (np.concatenate(parts) for parts in points)
    nearest = np.full(frame.rows * frame.columns, _EMPTY)
    np.minimum.at(nearest, cell, (quanta << _INDEX_BITS) | np.arange(len(cell)))
    seen = nearest != _EMPTY
    if not seen.any():
        raise InvalidObservationError(
            "no camera sees any cell of the frame; check that T_camera_to_world is camera to world, in metres, with z forward"
        )
    depth = np.where(seen, (nearest >> _INDEX_BITS).astype(np.float32) * _QUANTUM_M, np.nan).astype(np.float32).reshape(frame.shape)
    source = np.where(seen, nearest & ((1 << _INDEX_BITS) - 1), 0)
    rgb, offset = ((layer[source] * seen[:, None]).reshape(*frame.shape, -1) for layer in (colour, within))
    depth, rgb, offset = _repair(depth, rgb, offset)
    valid = np.isfinite(depth)
    return SpatialView(rgb, np.where(valid, depth, np.float32(0)), valid, bool(observation.gripper.holding), frame, offset, notes)


def _project(view: CameraView, body: RobotBody | None, frame: SpatialFrame) -> tuple[np.ndarray, ...]:
    """What a camera sees besides the robot: cell numbers and depth quanta `[n]`, colours `[n, 3]`, and places within the cells `[n, 2]`."""
    known = np.where(view.depth > 0, view.depth, np.nan).astype(np.float32)
    depth = np.where(own_pixels(view, body), np.float32(np.nan), denoised(known))
    points = _quarter_points(depth, view.K, view.T_camera_to_world)
    row = (np.float32(frame.top) - _along(points, frame.up_direction)) * np.float32(1 / frame.cell_size)
    column = (np.float32(frame.left) - _along(points, frame.left_direction)) * np.float32(1 / frame.cell_size)
    ahead_m = _along(points, frame.view_direction) - np.float32(frame.eye)
    with np.errstate(invalid="ignore"):
        inside = (row >= 0) & (row < frame.rows) & (column >= 0) & (column < frame.columns)
        inside &= (ahead_m > 0.01) & (ahead_m < MAX_VIEW_DEPTH_M)
    kept = np.flatnonzero(inside)
    row, column, ahead_m = row.ravel()[kept], column.ravel()[kept], ahead_m.ravel()[kept]
    cell_row, cell_column = row.astype(np.int64), column.astype(np.int64)
    quanta = np.rint(ahead_m * np.float32(1e4)).astype(np.int64)
    within = np.stack([row - cell_row, column - cell_column], axis=-1) - np.float32(0.5)
    colour = np.asarray(view.rgb).reshape(-1, 3)[kept % depth.size]
    return cell_row * frame.columns + cell_column, quanta, colour, within.astype(np.float32)


def _along(points: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Coordinates `[...]` of points `[..., 3]` along a direction [3], summed in one order on every machine."""
    x, y, z = direction.astype(np.float32)
    return points[..., 0] * x + points[..., 1] * y + points[..., 2] * z


def _quarter_points(depth: np.ndarray, K: np.ndarray, T_camera_to_world: np.ndarray) -> np.ndarray:
    """World points `[4, h, w, 3]` a quarter of a pixel off each pixel's centre toward its corners, on the surface the pixel sees.

    Four points a pixel leave no gaps between cells, and make a thin bar as wide as it is, not as narrow as its pixel centres.
    """
    left, right = _slopes(depth)
    upper, lower = (slope.T for slope in _slopes(depth.T))
    corners = []
    for v, down in ((-0.25, -upper), (0.25, lower)):
        for u, across in ((-0.25, -left), (0.25, right)):
            corners.append(depth_to_points(depth + np.float32(0.25) * (down + across), K, T_camera_to_world, (u, v)))
    return np.stack(corners)


def _slopes(depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How depth grows to the right, on the left and on the right of each pixel `[h, w]`, along the surface the pixel sees."""
    steps = np.pad(np.diff(depth, axis=1), ((0, 0), (1, 1)), constant_values=np.nan)
    with np.errstate(invalid="ignore"):
        steps[~(np.abs(steps) < SAME_SURFACE_M)] = np.nan
    left, right = steps[:, :-1], steps[:, 1:]
    some = np.where(np.isnan(left), np.nan_to_num(right), left)
    return some, np.where(np.isnan(right), some, right)


def _repair(depth: np.ndarray, *layers: np.ndarray) -> list[np.ndarray]:
    """Close see-through cells, then fill small holes; every filled cell copies its neighbours' median one, never a mean.

    `depth` `[H, W]` is NaN where unknown, in the result too; `layers` `[H, W, ...]` are copied along.
    """
    around = _neighbours(depth, *np.indices(depth.shape))
    with np.errstate(invalid="ignore"):
        # Unknown neighbours sort last, so the sixth is known only if at least six are.
        seen_through = depth - np.partition(around, 5, axis=0)[5] > SEE_THROUGH_M
    images = _copy_median([depth, *layers], seen_through, least=6)
    for _ in range(FILL_ROUNDS):
        images = _copy_median(images, np.isnan(images[0]), least=3)
    return images


_SHIFTS = np.array([(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if (r, c) != (0, 0)])


def _neighbours(depth: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Depths of the eight neighbours of cells `[...]`, `[8, ...]`; NaN where unknown or outside."""
    padded = np.pad(depth, 1, constant_values=np.nan)
    return np.stack([padded[rows + 1 + r, columns + 1 + c] for r, c in _SHIFTS])


def _copy_median(images: list[np.ndarray], where: np.ndarray, least: int) -> list[np.ndarray]:
    """Cells `where` `[H, W]` with at least `least` known neighbours take all images' values from the (lower) median of these in depth."""
    depth = images[0]
    rows, columns = np.nonzero(where)
    around = _neighbours(depth, rows, columns)
    known = np.isfinite(around).sum(axis=0)
    enough = known >= least
    rows, columns, around, known = rows[enough], columns[enough], around[:, enough], known[enough]
    chosen = np.argsort(around, axis=0)[(known - 1) // 2, np.arange(len(rows))]
    sources = rows + _SHIFTS[chosen, 0], columns + _SHIFTS[chosen, 1]
    copies = [image.copy() for image in images]
    for copy, image in zip(copies, images, strict=True):
        copy[rows, columns] = image[sources]
    return copies
