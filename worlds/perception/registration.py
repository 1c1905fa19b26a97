"""Register cameras without marks to each other: each one's points to the planes of what the others see (point-to-plane ICP).

What a camera sees of flat faces is a cloud `[n, 6]`: points [m] and the unit normals there.
"""

from collections.abc import Collection, Sequence

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from hiermap.worlds.base import CameraView
from hiermap.worlds.frame import depth_to_points

STEP_PX = 3
"""Every third pixel is enough, and neighbours that far apart (25 mm) give normals in 3 mm of noise."""
FLAT_M = 0.01
"""Where the middle of the neighbours lies further from the point itself there is an edge and no normal."""
NEAR_M, SAME_FACE_COSINE = 0.03, 0.9
"""Two cameras see the same face where their points and normals differ by less."""
RESIDUAL_M = 0.005
"""Gaps beyond this weigh less and less (Cauchy): they lie between different faces."""
LEVER_M = 0.4
"""Radius of what a camera sees: turns times this compare with shifts."""
LEAST_LEVERAGE = 0.14
"""Motions that close gaps by less than this share of what the best one does are left out: a front says little of a slide along it."""
AGREE_M = 0.001
"""Cameras whose gaps would close by less stay exactly as they are: 3 mm of noise feign 0.5 mm, a shift of 5 mm shows as 2 mm or more."""
MAX_SHIFT_M, MAX_TURN_RAD = 0.05, 0.06
"""Beyond this the nearest points belong to other things and a registration means nothing."""
ROUNDS = 10


def registered(views: Sequence[CameraView], movable: Collection[int]) -> dict[int, np.ndarray]:
    """New poses `[4, 4]` of those `movable` cameras that disagree with the others.

    The one that disagrees most moves first, so that one bumped camera is put back and the others stay.
    """
    clouds = [_cloud(view) for view in views] if movable else []
    poses = [np.asarray(view.T_camera_to_world, float) for view in views]
    left, found = set(movable), {}
    while left and len(views) > 1:
        others = {i: np.concatenate([_at(poses[j], clouds[j]) for j in range(len(views)) if j != i]) for i in left}
        gap_m = {i: _step(_at(poses[i], clouds[i]), others[i], cKDTree(others[i][:, :3]))[1] for i in left}
        worst = max(sorted(left), key=lambda i: gap_m[i])
        if gap_m[worst] < AGREE_M:
            break
        left.remove(worst)
        T = _aligned(clouds[worst], poses[worst], others[worst])
        shift_m, turn_rad = motion(poses[worst], T)
        if shift_m < MAX_SHIFT_M and turn_rad < MAX_TURN_RAD:
            poses[worst] = found[worst] = T
    return found


def motion(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """How far apart [m] and how turned [rad] two poses `[4, 4]` are."""
    turn = Rotation.from_matrix(after[:3, :3] @ before[:3, :3].T)
    return float(np.linalg.norm(after[:3, 3] - before[:3, 3])), float(turn.magnitude())


def turned(T: np.ndarray, twist: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """The pose `[4, 4]` turned by `twist[:3]` [rad] about `centre` [m], then moved by `twist[3:]` [m]."""
    turn = Rotation.from_rotvec(twist[:3]).as_matrix()
    moved = np.eye(4)
    moved[:3, :3] = turn @ T[:3, :3]
    moved[:3, 3] = turn @ (T[:3, 3] - centre) + centre + twist[3:]
    return moved


def _cloud(view: CameraView) -> np.ndarray:
    """What a camera sees, in its own coordinates."""
    depth = np.where(np.asarray(view.depth) > 0, view.depth, np.nan)
    points = depth_to_points(depth, view.K, np.eye(4))[::STEP_PX, ::STEP_PX].astype(float)
    here = points[1:-1, 1:-1]
    left, right, upper, lower = points[1:-1, :-2], points[1:-1, 2:], points[:-2, 1:-1], points[2:, 1:-1]
    normals = np.cross(right - left, lower - upper)
    bends = [np.linalg.norm(0.5 * (first + second) - here, axis=-1) for first, second in ((left, right), (upper, lower))]
    flat = np.maximum(*bends) < FLAT_M
    return np.hstack([here[flat], normals[flat] / np.linalg.norm(normals[flat], axis=-1, keepdims=True)])


def _at(T: np.ndarray, cloud: np.ndarray) -> np.ndarray:
    return np.hstack([cloud[:, :3] @ T[:3, :3].T + T[:3, 3], cloud[:, 3:] @ T[:3, :3].T])


def _aligned(cloud: np.ndarray, T: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The pose near `T` at which a cloud fits the target best."""
    tree = cKDTree(target[:, :3])
    for _ in range(ROUNDS):
        here = _at(T, cloud)
        T = turned(T, _step(here, target, tree)[0], here[:, :3].mean(axis=0))
    return T


def _step(cloud: np.ndarray, target: np.ndarray, tree: cKDTree) -> tuple[np.ndarray, float]:
    """One Gauss-Newton step: turn [rad] and shift [m] of the cloud about its middle `[6]`, and the root mean square gap it closes [m]."""
    distance, nearest = tree.query(cloud[:, :3], distance_upper_bound=NEAR_M)
    found = np.flatnonzero(np.isfinite(distance))
    found = found[(cloud[found, 3:] * target[nearest[found], 3:]).sum(axis=1) > SAME_FACE_COSINE]
    if len(found) == 0:
        return np.zeros(6), 0.0
    points, faces = cloud[found, :3], target[nearest[found]]
    normals = faces[:, 3:]
    gap = ((points - faces[:, :3]) * normals).sum(axis=1)
    weight = 1 / np.hypot(1, gap / RESIDUAL_M)
    jacobian = np.hstack([np.cross(points - cloud[:, :3].mean(axis=0), normals) / LEVER_M, normals]) * weight[:, None]
    twist = np.linalg.lstsq(jacobian, -weight * gap, rcond=LEAST_LEVERAGE)[0]
    closed_m = np.linalg.norm(jacobian @ twist) / np.linalg.norm(weight)
    return twist / np.repeat([LEVER_M, 1.0], 3), float(closed_m)
