"""The spatial frame: one oblique parallel projection, the only place that converts cell <-> metre <-> camera pixel."""

from dataclasses import dataclass, replace

import numpy as np

UP_WORLD = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class SpatialFrame:
    """Parallel projection along one direction looking obliquely down at the kitchen front.

    A cell's centre lies at `left` and `up` coordinates in the image plane; `depth` is the distance [m] along the view direction from
    the eye plane, which lies before everything a kitchen can move, so that every depth is positive. World axes: z up, origin at the
    robot's base; without yaw, x forward to the kitchen and y left.

    Attributes:
        rows, columns: cells.
        cell_size: edge of a cell [m].
        pitch_rad: angle of the view direction below the horizontal.
        top: `up` coordinate of the upper edge of row 0 [m].
        left: `left` coordinate of the left edge of column 0 [m].
        eye: where the eye plane lies, along the view direction from the world origin [m].
        yaw_rad: how far the frame is turned about world z, counterclockwise from above.
    """

    rows: int = 96
    columns: int = 128
    cell_size: float = 0.008
    pitch_rad: float = float(np.deg2rad(40.0))
    top: float = 0.985
    left: float = 0.512
    eye: float = -0.6
    yaw_rad: float = 0.0

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1 or not self.cell_size > 0:
            raise ValueError(f"a frame needs cells, got {self.rows} x {self.columns} of {self.cell_size} m")
        if not 0 < self.pitch_rad < np.pi / 2:
            raise ValueError(f"pitch_rad must lie between 0 and pi/2, got {self.pitch_rad}")

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.columns

    @property
    def forward_direction(self) -> np.ndarray:
        """Level unit vector to the kitchen, [3]."""
        return np.array([np.cos(self.yaw_rad), np.sin(self.yaw_rad), 0.0])

    @property
    def left_direction(self) -> np.ndarray:
        """Level unit vector of decreasing column, [3]."""
        return np.array([-np.sin(self.yaw_rad), np.cos(self.yaw_rad), 0.0])

    @property
    def view_direction(self) -> np.ndarray:
        """Unit vector from the eye into the scene, [3]."""
        return np.cos(self.pitch_rad) * self.forward_direction - np.sin(self.pitch_rad) * UP_WORLD

    @property
    def up_direction(self) -> np.ndarray:
        """Unit vector of decreasing row, [3]."""
        return np.sin(self.pitch_rad) * self.forward_direction + np.cos(self.pitch_rad) * UP_WORLD

    def cell_to_point(self, cell: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """World points `[..., 3]` [m] at the centres of cells `[..., 2]` (row, column) at view depths `[...]` [m]."""
        cell, depth = np.asarray(cell, float), np.asarray(depth, float)
        up = self.top - (cell[..., 0] + 0.5) * self.cell_size
        left = self.left - (cell[..., 1] + 0.5) * self.cell_size
        along = ((up, self.up_direction), (depth + self.eye, self.view_direction), (left, self.left_direction))
        return sum(distance[..., None] * direction for distance, direction in along)

    def point_to_cell(self, point_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cells `[..., 2]` int (row, column; may lie outside) and view depths `[...]` [m] of world points `[..., 3]`."""
        point = np.asarray(point_world, float)
        row = np.floor((self.top - point @ self.up_direction) / self.cell_size).astype(int)
        column = np.floor((self.left - point @ self.left_direction) / self.cell_size).astype(int)
        return np.stack([row, column], axis=-1), point @ self.view_direction - self.eye

    def contains(self, cell: np.ndarray) -> np.ndarray:
        """Which of the cells `[..., 2]` lie inside the frame, `[...]` bool."""
        cell = np.asarray(cell)
        return ((cell >= 0) & (cell < np.array(self.shape))).all(axis=-1)

    def wider(self, cells: int) -> "SpatialFrame":
        """The same frame with so many more cells on every side."""
        more = cells * self.cell_size
        return replace(self, rows=self.rows + 2 * cells, columns=self.columns + 2 * cells, top=self.top + more, left=self.left + more)

    def grid(self) -> np.ndarray:
        """Every cell, `[rows, columns, 2]` int (row, column)."""
        return np.moveaxis(np.indices(self.shape), 0, -1)


def point_to_pixel(point_world: np.ndarray, K: np.ndarray, T_camera_to_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels `[..., 2]` (u right, v down) and optical depths `[...]` [m] of world points `[..., 3]`; NaN pixels behind the camera.

    `K` `[3, 3]` [px] and `T_camera_to_world` `[4, 4]` [m] follow OpenCV: x right, y down, z forward, pixel centres at whole numbers.
    """
    point_camera = (np.asarray(point_world, float) - T_camera_to_world[:3, 3]) @ T_camera_to_world[:3, :3]
    optical_depth = point_camera[..., 2]
    scale = np.where(optical_depth > 0, optical_depth, np.nan)
    return (point_camera @ K.T)[..., :2] / scale[..., None], optical_depth


def depth_to_points(
    depth: np.ndarray, K: np.ndarray, T_camera_to_world: np.ndarray, shift_px: tuple[float, float] = (0.0, 0.0)
) -> np.ndarray:
    """World points `[h, w, 3]` [m] of a depth image `[h, w]` [m]; NaN where depth is NaN.

    `shift_px` (u, v) says where in each pixel the depth was taken, relative to its centre.
    """
    height, width = depth.shape
    u = (np.arange(width, dtype=np.float32) + np.float32(shift_px[0]))[None, :]
    v = (np.arange(height, dtype=np.float32) + np.float32(shift_px[1]))[:, None]
    to_world = (T_camera_to_world[:3, :3] @ np.linalg.inv(K)).astype(np.float32)
    points = np.empty((height, width, 3), np.float32)
    for axis in range(3):
        row, start = to_world[axis], np.float32(T_camera_to_world[axis, 3])
        points[..., axis] = depth * (row[0] * u + row[1] * v + row[2]) + start
    return points
