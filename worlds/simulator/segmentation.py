"""Privileged: which thing a parallel ray through each cell meets. For first-view masks, labels and the judge, never for planning."""

from collections.abc import Collection, Mapping

import mujoco
import numpy as np

from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.simulator.rays import PixelRays, cast

FAR_M = 1000.0
"""Rays from one point this far away are parallel to within 0.6 mm over the kitchen, and can all be cast in one call."""
SUBCELLS = 2
"""Rays per cell edge; the nearest hit owns the cell, as in fusion."""


def parallel_rays(frame: SpatialFrame, subcells: int = SUBCELLS) -> PixelRays:
    """Rays through the `subcells`^2 parts of every cell, `[rows * subcells, columns * subcells]`; their lengths are depth plus `FAR_M`."""
    per_part = frame.cell_size / subcells
    first = frame.cell_to_point(np.full(2, (1 / subcells - 1) / 2), np.array(0.0))
    centre = frame.cell_to_point(np.array([0.5 * frame.rows - 0.5, 0.5 * frame.columns - 0.5]), np.array(0.0))
    origin = centre - FAR_M * frame.view_direction
    columns = [-per_part * frame.left_direction, -per_part * frame.up_direction, first - origin]
    return PixelRays(origin, np.stack(columns, axis=1) / FAR_M, (frame.rows * subcells, frame.columns * subcells))


def parallel_hits(
    model: mujoco.MjModel, data: mujoco.MjData, frame: SpatialFrame, hidden_geom_ids: Collection[int], subcells: int = SUBCELLS
) -> tuple[np.ndarray, np.ndarray]:
    """Geom ids `[H, W]` (-1 for none) and exact view depths `[H, W]` [m] (NaN for none) of the nearest of `subcells`^2 rays per cell."""
    geom, length = cast(model, data, parallel_rays(frame, subcells), hidden_geom_ids)
    shape = frame.rows, subcells, frame.columns, subcells
    depth, geom = (layer.reshape(shape).swapaxes(1, 2).reshape(-1, subcells**2) for layer in (length - FAR_M, geom))
    nearest = depth.argmin(axis=1)
    picked = np.take_along_axis(depth, nearest[:, None], axis=1)[:, 0]
    owner = np.take_along_axis(geom, nearest[:, None], axis=1)[:, 0]
    return owner.reshape(frame.shape), np.where(np.isfinite(picked), picked, np.nan).reshape(frame.shape)


def segment(
    model: mujoco.MjModel, data: mujoco.MjData, frame: SpatialFrame, geom_owner: Mapping[int, str], hidden_geom_ids: Collection[int]
) -> dict[str, np.ndarray]:
    """Masks `[H, W]` bool of every named thing in `geom_owner` (geom id -> name); a thing that cannot be seen has an empty mask.

    `hidden_geom_ids` (the robot's) are looked through.
    """
    geom, _ = parallel_hits(model, data, frame, hidden_geom_ids)
    names = sorted(set(geom_owner.values()))
    number = np.full(model.ngeom + 1, -1)
    number[list(geom_owner)] = [names.index(name) for name in geom_owner.values()]
    labels = number[geom]
    return {name: labels == index for index, name in enumerate(names)}
