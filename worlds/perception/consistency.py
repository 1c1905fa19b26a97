"""Whether what cameras measure can be true: each sees the arm where its joint angles put it, none looks through what another sees."""

from collections.abc import Sequence

import numpy as np
from numba import njit

from hiermap.worlds.base import CameraView, RobotBody
from hiermap.worlds.errors import InvalidObservationError

SLACK_M, SLACK_PER_M = 0.015, 0.01
"""What a depth z may be off: the first, and the second times z^2; more than three standard deviations of a noise of 3 mm at 1 m."""
CORE = 0.5
"""Inner part of a link's box that the link fills whatever its shape: at ready 96 % of the rays through it meet a Panda's true meshes."""
LEAST_ARM_PX = 60
"""An arm that fills fewer pixels, of those looked at, says nothing."""
ARM_COLUMNS, POINT_COLUMNS = 80, 40
"""About so many pixels of a row are looked at."""
LEAST_ARM = 0.9
"""Share of the pixels that look at the arm that must show it; moved by 5 cm less than 0.9 do in 99 of 100 directions."""
LINK_M = (0.001, 1.0)
"""Half sizes of links lie between; others are of another unit."""
MOST_BEFORE = 0.03
"""Share of a camera's points that may lie before what another camera sees there; true views with noise stay below 0.005."""
LEAST_COMMON = 0.1
"""A camera that shares fewer of its points with every other one is confirmed by none."""
_TRY = (
    "check that depth is in metres along the optical axis, neither z-buffer, inverse nor ray length, of this camera and the right way "
    "round, and that K and T_camera_to_world (camera to world, OpenCV axes, metres) are this camera's"
)


def check_consistency(views: Sequence[CameraView], body: RobotBody | None) -> None:
    """Check depth and calibration of all cameras against the robot's body, where it is known, and against each other.

    Raises:
        InvalidObservationError: with the camera, what was found, what was expected and what to try.
    """
    if body is not None:
        _check_body(body)
    depths = [np.where(np.isfinite(view.depth) & (view.depth > 0), view.depth, np.nan).astype(np.float32) for view in views]
    arm = [body is not None and _shows_arm(view, depth, body, i) for i, (view, depth) in enumerate(zip(views, depths, strict=True))]
    if len(views) < 2:
        return
    before, common = np.zeros((2, len(views), len(views)))
    for i, j in np.argwhere(~np.eye(len(views), dtype=bool)):
        before[i, j], common[i, j] = _compared(views[i], depths[i], views[j], depths[j])
    if before.max() > MOST_BEFORE:
        worst = int((before + before.T).sum(axis=0).argmax())
        other = int((before + before.T)[worst].argmax())
        raise InvalidObservationError(
            f"camera {worst}: its depth and calibration contradict camera {other}'s, {max(before[worst, other], before[other, worst]):.0%} "
            f"of the points in common lie before what the other sees there, expected at most {MOST_BEFORE:.0%}; {_TRY}"
        )
    for i in range(len(views)):
        if common[i].max() < LEAST_COMMON and not arm[i]:
            raise InvalidObservationError(
                f"camera {i}: other cameras see {common[i].max():.0%} of its points, expected at least {LEAST_COMMON:.0%} or the robot's "
                f"arm in view, so nothing confirms its calibration; {_TRY}"
            )


def _check_body(body: RobotBody) -> None:
    boxes = (body.centres_world, body.axes_world, body.half_sizes)
    if not all(np.isfinite(values).all() for values in boxes):
        raise InvalidObservationError("the robot's body is not finite; expected metres: are all joint angles known?")
    least, most = body.half_sizes.min(initial=LINK_M[1]), body.half_sizes.max(initial=LINK_M[0])
    if least < LINK_M[0] or most > LINK_M[1]:
        raise InvalidObservationError(
            f"the robot's links have half sizes from {least:.3g} to {most:.3g}, expected metres between {LINK_M[0]} and {LINK_M[1]}; "
            "give the body in metres"
        )


def _shows_arm(view: CameraView, depth: np.ndarray, body: RobotBody, index: int) -> bool:
    """Whether the arm is seen where it must be; False where too little of it can be in view."""
    T, in_boxes = np.asarray(view.T_camera_to_world, float), np.swapaxes(body.axes_world, 1, 2)
    offsets = np.einsum("bik,bk->bi", in_boxes, body.centres_world - T[:3, 3])
    looked, shown, behind = _arm(depth, in_boxes @ T[:3, :3] @ np.linalg.inv(view.K), offsets, body.half_sizes)
    if looked < LEAST_ARM_PX:
        return False
    if shown < LEAST_ARM * looked:
        raise InvalidObservationError(
            f"camera {index}: of {looked} pixels that look at the robot's arm, where its joint angles put it, {shown / looked:.0%} show it "
            f"and {behind / looked:.0%} something behind it, expected at least {LEAST_ARM:.0%} to show it; {_TRY}, and that the joint "
            "angles are of this moment"
        )
    return True


@njit(cache=True)
def _arm(depth, directions, offsets, half_sizes):
    """How many pixels look through the core of a link, and how many of their depths lie on that link or behind it.

    Of each box: directions `[n, 3, 3]` of the rays along its axes, times (u, v, 1), and how far its centre lies along them, `[n, 3]`.
    """
    looked, shown, behind, step = 0, 0, 0, max(1, depth.shape[1] // ARM_COLUMNS)
    for v in range(0, depth.shape[0], step):
        for u in range(0, depth.shape[1], step):
            if np.isnan(depth[v, u]):
                continue
            first, core = np.inf, np.inf
            for b in range(len(offsets)):
                near, far, core_near, core_far = -np.inf, np.inf, -np.inf, np.inf
                for k in range(3):
                    along = directions[b, k, 0] * u + directions[b, k, 1] * v + directions[b, k, 2]
                    along = along if abs(along) > 1e-12 else 1e-12
                    middle, half = offsets[b, k] / along, half_sizes[b, k] / abs(along)
                    near, far = max(near, middle - half), min(far, middle + half)
                    if near >= far:
                        break
                    core_near, core_far = max(core_near, middle - CORE * half), min(core_far, middle + CORE * half)
                if 0 < near < far:
                    first = min(first, near)
                    if core_near < core_far:
                        core = min(core, core_near)
            if core < np.inf:
                slack = SLACK_M + SLACK_PER_M * core**2
                looked += 1
                shown += first - slack <= depth[v, u] <= core + slack
                behind += depth[v, u] > core + slack
    return looked, shown, behind


def _compared(view: CameraView, depth: np.ndarray, other: CameraView, other_depth: np.ndarray) -> tuple[float, float]:
    """Share of a camera's points that lie before what another sees there, of those in common, and share of all that are in common."""
    T = np.linalg.inv(other.T_camera_to_world) @ view.T_camera_to_world
    points, agree, before = _count(depth, other_depth, other.K @ T[:3, :3] @ np.linalg.inv(view.K), other.K @ T[:3, 3])
    return before / max(agree + before, 1), agree / max(points, 1)


@njit(cache=True)
def _count(depth, other, to_other, start):
    """How many points there are, how many lie on what the other camera sees next to where it must see them, and how many before it."""
    points, agree, before, step = 0, 0, 0, max(1, depth.shape[1] // POINT_COLUMNS)
    reach = max(1, other.shape[1] // (4 * POINT_COLUMNS))
    for v in range(0, depth.shape[0], step):
        for u in range(0, depth.shape[1], step):
            d = depth[v, u]
            if np.isnan(d):
                continue
            points += 1
            z = d * (to_other[2, 0] * u + to_other[2, 1] * v + to_other[2, 2]) + start[2]
            if z <= 0:
                continue
            column = int(np.rint((d * (to_other[0, 0] * u + to_other[0, 1] * v + to_other[0, 2]) + start[0]) / z))
            row = int(np.rint((d * (to_other[1, 0] * u + to_other[1, 1] * v + to_other[1, 2]) + start[1]) / z))
            if not (reach <= row < other.shape[0] - reach and reach <= column < other.shape[1] - reach):
                continue
            near, far = np.inf, -np.inf
            for r in range(row - reach, row + reach + 1):
                for c in range(column - reach, column + reach + 1):
                    if not np.isnan(other[r, c]):
                        near, far = min(near, other[r, c]), max(far, other[r, c])
            slack = SLACK_M + SLACK_PER_M * z * z
            before += z < near - slack and far > 0
            agree += near - slack <= z <= far + slack
    return points, agree, before
