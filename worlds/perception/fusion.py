"""Fuse calibrated RGB-D images into one oblique parallel view: nearest point per cell, small holes filled by medians."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from hiermap.worlds.base import Observation
from hiermap.worlds.errors import InvalidObservationError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.perception.calibration import calibrated
from hiermap.worlds.perception.cameras import check_view
from hiermap.worlds.perception.consistency import check_consistency
from hiermap.worlds.perception.denoising import denoised
from hiermap.worlds.perception.normals import FACE, Around, local_normals, robust_normal
from hiermap.worlds.perception.projection import EMPTY, Canvas, repair
from hiermap.worlds.perception.self_filter import own_pixels

FRAME = SpatialFrame()
"""The default cells."""
CHANNELS = 10
"""Of `SpatialView.channels`: colour 3, depth, height, normal 3 (along the frame's forward, left and up), validity, holding."""
MEAN_DEPTH_M, DEPTH_SCALE_M = 0.95, 0.25
MEAN_HEIGHT_M, HEIGHT_SCALE_M = 0.25, 0.25
"""Bring the metric channels to about zero mean and unit range."""
_QUANTUM_M = np.float32(1e-4)
"""Depth is rounded to what is stored, so that a view from a data set is bit for bit the one that was seen."""


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
        source: what it was fused from; None if it was not, or is not stored.
    """

    rgb: np.ndarray
    depth: np.ndarray
    valid: np.ndarray
    holding: bool
    frame: SpatialFrame = FRAME
    offset: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    source: Observation | None = None

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
        """World point on the surface seen in a cell, `[3]` [m]; of the nearest valid cell when this one is a small hole.

        Raises:
            InvalidObservationError: the cell lies outside the frame or nothing near it is seen.
        """
        return self.points[self._seen(cell)].astype(float)

    def normal(self, cell: tuple[int, int], around: Around = FACE) -> np.ndarray:
        """Outward unit normal of the face a cell belongs to (a handle belongs to the face behind it), [3]; raises as `point`."""
        return robust_normal(self.points, self.valid, self._seen(cell), self.frame.view_direction, around)

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
        InvalidObservationError: no camera, an unusable image or calibration, cameras that contradict the robot or each other, or nothing of
            the frame is seen.
    """
    if not observation.views:
        raise InvalidObservationError("the observation has no camera views; expected at least one calibrated RGB-D image")
    for index, view in enumerate(observation.views):
        check_view(view, f"camera {index}")
    views, notes = calibrated(observation.views)
    check_consistency(views, observation.body)
    canvas = Canvas(frame)
    for view in views:
        known = denoised(np.where(view.depth > 0, view.depth, np.nan).astype(np.float32))
        canvas.draw(view, np.where(own_pixels(view, observation.body), np.float32(np.nan), known))
    seen = canvas.quanta != EMPTY
    if not seen.any():
        raise InvalidObservationError(
            "no camera sees any cell of the frame; check that T_camera_to_world is camera to world, in metres, with z forward"
        )
    depth = np.where(seen, canvas.quanta.astype(np.float32) * _QUANTUM_M, np.float32(np.nan))
    depth, rgb, offset = repair(depth, canvas.rgb, canvas.offset)
    valid = np.isfinite(depth)
    known = np.where(valid, depth, np.float32(0))
    return SpatialView(rgb, known, valid, bool(observation.gripper.holding), frame, offset, notes, observation)
