"""The spatial frame: one oblique parallel projection, the only place that converts cell <-> metre <-> camera pixel."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SpatialFrame:
    """Parallel projection along one direction looking obliquely down at the kitchen front.

    A cell's centre lies at `right` and `up` coordinates in the image plane; `depth` is the distance [m] along the view direction
    from the plane through the world origin. World axes: x forward to the kitchen, y left, z up, origin at the robot's base.

    Attributes:
        rows, columns: cells.
        cell_size: edge of a cell [m].
        pitch_rad: angle of the view direction below the horizontal.
        top: `up` coordinate of the upper edge of row 0 [m].
        left: `y` coordinate of the left edge of column 0 [m].
    """

    rows: int = 96
    columns: int = 128
    cell_size: float = 0.01
    pitch_rad: float = float(np.deg2rad(40.0))
    top: float = 1.06
    left: float = 0.64

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.columns

    @property
    def view_direction(self) -> np.ndarray:
        """Unit vector from the eye into the scene, [3]."""
        return np.array([np.cos(self.pitch_rad), 0.0, -np.sin(self.pitch_rad)])

    @property
    def up_direction(self) -> np.ndarray:
        """Unit vector of decreasing row, [3]."""
        return np.array([np.sin(self.pitch_rad), 0.0, np.cos(self.pitch_rad)])

    def cell_to_point(self, cell: np.ndarray, depth: np.ndarray) -> np.ndarray:
        """World points `[..., 3]` [m] at the centres of cells `[..., 2]` (row, column) at view depths `[...]` [m]."""
        cell, depth = np.asarray(cell, float), np.asarray(depth, float)
        up = self.top - (cell[..., 0] + 0.5) * self.cell_size
        y = self.left - (cell[..., 1] + 0.5) * self.cell_size
        point = up[..., None] * self.up_direction + depth[..., None] * self.view_direction
        point[..., 1] = y
        return point

    def point_to_cell(self, point_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cells `[..., 2]` int (row, column; may lie outside) and view depths `[...]` [m] of world points `[..., 3]`."""
        point = np.asarray(point_world, float)
        row = np.floor((self.top - point @ self.up_direction) / self.cell_size).astype(int)
        column = np.floor((self.left - point[..., 1]) / self.cell_size).astype(int)
        return np.stack([row, column], axis=-1), point @ self.view_direction

    def contains(self, cell: np.ndarray) -> np.ndarray:
        """Which of the cells `[..., 2]` lie inside the frame, `[...]` bool."""
        cell = np.asarray(cell)
        return ((cell >= 0) & (cell < np.array(self.shape))).all(axis=-1)
