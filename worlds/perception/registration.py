"""Register cameras without marks to each other: each one's points to the planes of what the others see (point-to-plane ICP)."""

from collections.abc import Collection, Sequence
from functools import cached_property

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
ROUNDS, SETTLED_M = 12, 1e-4


def registered(views: Sequence[CameraView], movable: Collection[int]) -> dict[int, np.ndarray]:
    """New poses `[4, 4]` of those `movable` cameras that disagree with the others.

    The one that disagrees most moves first, so that one bumped camera is put back and the others stay.
    """
    clouds = [_Cloud.seen(view) for view in views] if movable else []
    poses = [np.asarray(view.T_camera_to_world, float) for view in views]
    left, found = set(movable), {}
    while left:
        targets = {i: _Cloud.union([clouds[j].at(poses[j]) for j in range(len(views)) if j != i]) for i in left}
        closed_m = {i: targets[i].step(clouds[i].at(poses[i]))[1] for i in left}
        worst = max(left, key=lambda i: (closed_m[i], i))
        if closed_m[worst] < AGREE_M:
            break
        left.remove(worst)
        T = _aligned(clouds[worst], poses[worst], targets[worst])
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


class _Cloud:
    """Points `[n, 3]` [m] on flat faces and the unit normals `[n, 3]` there."""

    def __init__(self, points: np.ndarray, normals: np.ndarray) -> None:
        self.points, self.normals = points, normals

    @classmethod
    def seen(cls, view: CameraView) -> "_Cloud":
        """What a camera sees, in its own coordinates."""
        depth = np.where(np.asarray(view.depth) > 0, view.depth, np.nan)
        points = depth_to_points(depth, view.K, np.eye(4))[::STEP_PX, ::STEP_PX].astype(float)
        here = points[1:-1, 1:-1]
        left, right, upper, lower = points[1:-1, :-2], points[1:-1, 2:], points[:-2, 1:-1], points[2:, 1:-1]
        normals = np.cross(right - left, lower - upper)
        bends = [np.linalg.norm(0.5 * (first + second) - here, axis=-1) for first, second in ((left, right), (upper, lower))]
        flat = np.maximum(*bends) < FLAT_M
        return cls(here[flat], normals[flat] / np.linalg.norm(normals[flat], axis=-1, keepdims=True))

    @classmethod
    def union(cls, clouds: Sequence["_Cloud"]) -> "_Cloud":
        """All of them; a single empty one for none."""
        clouds = [cls(np.empty((0, 3)), np.empty((0, 3))), *clouds]
        return cls(np.concatenate([cloud.points for cloud in clouds]), np.concatenate([cloud.normals for cloud in clouds]))

    def at(self, T: np.ndarray) -> "_Cloud":
        """In the coordinates to which the pose `[4, 4]` leads."""
        return _Cloud(self.points @ T[:3, :3].T + T[:3, 3], self.normals @ T[:3, :3].T)

    @cached_property
    def tree(self) -> cKDTree:
        return cKDTree(self.points)

    def step(self, cloud: "_Cloud") -> tuple[np.ndarray, float]:
        """One Gauss-Newton step of another cloud toward this one: turn and shift about its middle `[6]` [rad, m], the gap it closes [m]."""
        distance, nearest = self.tree.query(cloud.points, distance_upper_bound=NEAR_M)
        found = np.flatnonzero(np.isfinite(distance))
        found = found[(self.normals[nearest[found]] * cloud.normals[found]).sum(axis=1) > SAME_FACE_COSINE]
        if len(found) == 0:
            return np.zeros(6), 0.0
        points, normals = cloud.points[found], self.normals[nearest[found]]
        gap = ((points - self.points[nearest[found]]) * normals).sum(axis=1)
        weight = 1 / np.hypot(1, gap / RESIDUAL_M)
        jacobian = np.hstack([np.cross(points - cloud.points.mean(axis=0), normals) / LEVER_M, normals]) * weight[:, None]
        twist = np.linalg.lstsq(jacobian, -weight * gap, rcond=LEAST_LEVERAGE)[0]
        closed_m = np.linalg.norm(jacobian @ twist) / np.linalg.norm(weight)
        return twist / np.repeat([LEVER_M, 1.0], 3), float(closed_m)


def _aligned(cloud: _Cloud, T: np.ndarray, target: _Cloud) -> np.ndarray:
    """The pose near `T` at which a cloud fits the target best."""
    for _ in range(ROUNDS):
        here = cloud.at(T)
        twist, closed_m = target.step(here)
        T = turned(T, twist, here.points.mean(axis=0))
        if closed_m < SETTLED_M:
            break
    return T
