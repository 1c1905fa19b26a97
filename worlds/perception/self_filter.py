"""Which pixels show the robot itself: those whose points lie where its joint angles put its links."""

import numpy as np
from numba import njit

from hiermap.worlds.base import CameraView, RobotBody
from hiermap.worlds.frame import depth_to_points

MARGIN_M = 0.025
"""Boxes grow by this on every side: more than five standard deviations of a depth noise of 3 mm at 1 m, and what calibration leaves."""
HELD_RADIUS_M = 0.14
"""Everything this near to the closed fingers counts as held: half a pot."""


def own_pixels(view: CameraView, body: RobotBody | None) -> np.ndarray:
    """Pixels `[h, w]` bool that show the robot or what it holds, `view.is_robot` included."""
    own = np.zeros(np.shape(view.depth), bool) if view.is_robot is None else np.asarray(view.is_robot)
    return own if body is None else own | own_points(depth_to_points(view.depth, view.K, view.T_camera_to_world), body)


def own_points(points_world: np.ndarray, body: RobotBody) -> np.ndarray:
    """Which of the points `[..., 3]` [m] belong to the robot or to what it holds, `[...]` bool; NaN belongs to nobody."""
    points = points_world.reshape(-1, 3)
    own = _in_reach(points, body)
    # Four pixels in five are not near any link.
    near = points[own]
    mine = _in_boxes(near, body.centres_world, body.axes_world, body.half_sizes + MARGIN_M)
    if body.held_world is not None:
        mine |= ((near - body.held_world) ** 2).sum(axis=1) < HELD_RADIUS_M**2
    own[own] = mine
    return own.reshape(points_world.shape[:-1])


def _in_reach(points: np.ndarray, body: RobotBody) -> np.ndarray:
    """Which points `[n, 3]` lie in the upright box around everything that can be the robot's own."""
    extent = (np.abs(body.axes_world) * (body.half_sizes + MARGIN_M)[:, None, :]).sum(axis=-1)
    corners = np.concatenate([body.centres_world - extent, body.centres_world + extent])
    if body.held_world is not None:
        corners = np.vstack([corners, body.held_world - HELD_RADIUS_M, body.held_world + HELD_RADIUS_M])
    inside = np.ones(len(points), bool)
    for axis in range(3):
        inside &= (points[:, axis] >= corners[:, axis].min(initial=np.inf)) & (points[:, axis] <= corners[:, axis].max(initial=-np.inf))
    return inside


@njit(cache=True)
def _in_boxes(points, centres, axes, half_sizes):
    """Which points `[n, 3]` lie in some box, `[n]` bool."""
    inside = np.zeros(len(points), np.bool_)
    for i in range(len(points)):
        for b in range(len(centres)):
            x, y, z = points[i, 0] - centres[b, 0], points[i, 1] - centres[b, 1], points[i, 2] - centres[b, 2]
            within = True
            for k in range(3):
                within &= abs(x * axes[b, 0, k] + y * axes[b, 1, k] + z * axes[b, 2, k]) <= half_sizes[b, k]
            inside[i] |= within
    return inside
