"""Privileged: which thing a parallel ray through each cell meets. For first-view masks, labels and the judge, never for planning."""

from collections.abc import Collection, Mapping

import mujoco
import numpy as np

from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.simulator.sensors import cast

FAR_M = 1000.0
"""Rays from one point this far away are parallel to within 0.6 mm over the kitchen, and can all be cast in one call."""
HIDDEN_GROUP = 5
SUBCELLS = 2
"""Rays per cell edge; the nearest hit owns the cell, as in fusion."""


def parallel_hits(
    model: mujoco.MjModel, data: mujoco.MjData, frame: SpatialFrame, hidden_geom_ids: Collection[int], subcells: int = SUBCELLS
) -> tuple[np.ndarray, np.ndarray]:
    """Geom ids `[H, W]` (-1 for none) and exact view depths `[H, W]` [m] (NaN for none) of the nearest of `subcells`^2 rays per cell."""
    offsets = (np.arange(subcells) + 0.5) / subcells - 0.5
    steps = np.stack(np.meshgrid(offsets, offsets, indexing="ij"), axis=-1).reshape(-1, 2)
    cells = frame.grid().reshape(-1, 1, 2) + steps
    ends = frame.cell_to_point(cells, np.zeros(cells.shape[:2])).reshape(-1, 3)
    centre = frame.cell_to_point(np.array([0.5 * frame.rows - 0.5, 0.5 * frame.columns - 0.5]), np.array(0.0))
    origin = centre - FAR_M * frame.view_direction
    hidden = list(hidden_geom_ids)
    groups = model.geom_group[hidden].copy()
    try:
        model.geom_group[hidden] = HIDDEN_GROUP
        geom, length, _ = cast(model, data, origin, (ends - origin) / FAR_M, 2 * FAR_M)
    finally:
        model.geom_group[hidden] = groups
    depth = np.where(geom >= 0, length - FAR_M, np.inf).reshape(-1, subcells**2)
    nearest = depth.argmin(axis=1)
    picked = np.take_along_axis(depth, nearest[:, None], axis=1)[:, 0]
    owner = np.take_along_axis(geom.reshape(depth.shape), nearest[:, None], axis=1)[:, 0]
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
