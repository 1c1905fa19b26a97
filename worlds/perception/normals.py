"""Robust planes through some cells: the direction in which a face looks, whatever handle stands before it."""

from dataclasses import dataclass
from functools import lru_cache
from math import inf

import numpy as np
from numba import njit

from hiermap.worlds.frame import SpatialFrame


@dataclass(frozen=True)
class Around:
    """What has a say about the face of a touched point.

    Attributes:
        half_window: cells in every direction.
        reach_m, sigma_m: only points this near vote, fading: in space, not in cells, so that a counter far below a handle has no say.
        behind_m: a face lies at most this far behind the touched point: a bar's clearance and thickness.
        tilt: the most by which a face may look up or down, as the vertical part of its unit normal.
    """

    half_window: int
    reach_m: float
    sigma_m: float
    behind_m: float
    tilt: float = inf


FACE = Around(8, 0.11, 0.10, 0.075)
"""17 x 17 cells: an open door seen at a grazing angle is only a few columns wide, so the window must reach past its handle."""
UPRIGHT = Around(12, 0.16, 0.12, 0.13, 0.4)
"""Of what is pulled or pushed aside level, which no counter or bar's top says anything of: at 348 cells of bars that stand off 28 to 120 mm
in 40 unseen kitchens the face is missed by more than 15 degrees at one in ten so, by `FACE` at one in three, beyond 90 mm at nearly all."""
TRIPLETS, TRIPLET_CELLS = 300, 4
"""Candidate planes, each through three cells at most this far apart: a face with a tenth of the cells still gets dozens."""
INLIER_M = 0.004
"""Distance to a plane at which a point's vote has fallen to zero: sensor noise, and what a median fill moves."""
AHEAD_M = 0.012
"""A face lies at most this far before the touched point: noise."""
GRAZING = 0.08
"""A visible face looks at the eye by at least this cosine."""
MAX_AREA = 3.0
"""Planes are compared by surface, not by cells: a cell of a face seen at a cosine c covers 1 / c of it, up to this factor.
Without it a handle (bar and posts, seen broadside) outvotes the open door it is fixed to."""


@lru_cache(maxsize=2)
def _window(half: int) -> tuple[np.ndarray, np.ndarray]:
    """Cell offsets `[n, 2]` of a window and index triplets `[t, 3]` into them, the same in every run."""
    side = 2 * half + 1
    offsets = np.indices((side, side)).reshape(2, -1).T - half
    rng = np.random.default_rng(0)
    first = rng.integers(-half, half + 1, (40 * TRIPLETS, 2))
    steps = rng.integers(-TRIPLET_CELLS, TRIPLET_CELLS + 1, (2, 40 * TRIPLETS, 2))
    area = np.abs(steps[0, :, 0] * steps[1, :, 1] - steps[0, :, 1] * steps[1, :, 0])
    corners = np.stack([first, first + steps[0], first + steps[1]], axis=1)
    usable = (area >= TRIPLET_CELLS) & (np.abs(corners) <= half).all(axis=(1, 2))
    return offsets, (corners[usable] + half) @ np.array([side, 1])


def robust_normal(
    points: np.ndarray, valid: np.ndarray, cell: tuple[int, int], view_direction: np.ndarray, around: Around = FACE
) -> np.ndarray:
    """Outward unit normal [3] of the plane that has the most surface around `cell`.

    Args:
        points: `[H, W, 3]` world points [m].
        valid: `[H, W]` bool.
        cell: (row, column) of a valid cell.
        view_direction: unit vector into the scene, [3].
        around: which surface counts.

    Returns the direction toward the eye when no plane is found.
    """
    offsets, triplets = _window(around.half_window)
    where = offsets + np.asarray(cell)
    clipped = np.clip(where, 0, np.array(valid.shape) - 1)
    local = (points[clipped[:, 0], clipped[:, 1]] - points[cell]).astype(float)
    squared = (local**2).sum(axis=1)
    known = (where == clipped).all(axis=1) & valid[clipped[:, 0], clipped[:, 1]] & (squared < around.reach_m**2)
    votes = np.exp(-squared / (2 * around.sigma_m**2)) * known
    normals, origins = _candidates(local, triplets[known[triplets].all(axis=1)][:TRIPLETS], view_direction, around)
    if len(normals) == 0:
        return -view_direction
    distance = local[known] @ normals.T - (origins * normals).sum(axis=1)
    cells = votes[known] @ np.clip(1 - (distance / INLIER_M) ** 2, 0, 1)
    best = int((cells * np.minimum(-1 / (normals @ view_direction), MAX_AREA)).argmax())
    return _refined(local, votes, normals[best], origins[best])


def _candidates(local: np.ndarray, triplets: np.ndarray, view_direction: np.ndarray, around: Around) -> tuple[np.ndarray, np.ndarray]:
    """Planes `[c, 3]` normals and `[c, 3]` origins through triplets that could be the face of the point at the origin."""
    origin = local[triplets[:, 0]]
    normal = np.cross(local[triplets[:, 1]] - origin, local[triplets[:, 2]] - origin)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    normal = normal / np.maximum(length, 1e-12)
    normal *= -np.sign(normal @ view_direction)[:, None]
    behind = -(origin * normal).sum(axis=1)
    plausible = (length[:, 0] > 1e-9) & (-(normal @ view_direction) > GRAZING) & (np.abs(normal[:, 2]) <= around.tilt)
    plausible &= (behind < around.behind_m) & (behind > -AHEAD_M)
    return normal[plausible], origin[plausible]


def _refined(local: np.ndarray, votes: np.ndarray, normal: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Least squares over the plane's inliers, twice."""
    for _ in range(2):
        weight = votes * (np.abs((local - origin) @ normal) < INLIER_M)
        if (weight > 0).sum() < 4:
            return normal
        origin = (local * weight[:, None]).sum(axis=0) / weight.sum()
        centred = local - origin
        _, vectors = np.linalg.eigh((centred * weight[:, None]).T @ centred)
        smallest = vectors[:, 0]
        normal = smallest if smallest @ normal > 0 else -smallest
    return normal


def local_normals(depth: np.ndarray, valid: np.ndarray, frame: SpatialFrame, reach_m: float = 0.025) -> np.ndarray:
    """Unit normals `[H, W, 3]` float32 toward the eye, from each cell's 5 x 5 neighbours within `reach_m` of its depth."""
    rr, rc, cc, rd, cd = _moments(np.asarray(depth, np.float32), valid, np.float32(2 / reach_m))
    determinant = rr * cc - rc * rc
    safe = np.where(determinant > 1e-3, determinant, 1)
    slope_row = np.where(determinant > 1e-3, (rd * cc - cd * rc) / safe, 0) / frame.cell_size
    slope_column = np.where(determinant > 1e-3, (cd * rr - rd * rc) / safe, 0) / frame.cell_size
    # Depth grows by slope_row along -up and by slope_column along -left.
    normal = -frame.view_direction - slope_row[..., None] * frame.up_direction - slope_column[..., None] * frame.left_direction
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.where(valid[..., None], normal, 0).astype(np.float32)


@njit(cache=True, nogil=True)
def _moments(depth: np.ndarray, valid: np.ndarray, sharpness: np.float32) -> np.ndarray:
    """Weighted sums `[5, H, W]` float32 over every valid cell's neighbours, of r r, r c, c c, r d and c d: r rows down and c columns right
    of it they lie d deeper.
    """
    rows, columns = depth.shape
    sums = np.zeros((5, rows, columns), np.float32)
    zero, one, two = np.float32(0), np.float32(1), np.float32(2)
    for i in range(rows):
        for r in range(max(-2, -i), min(3, rows - i)):
            for c in range(-2, 3):
                rr, rc, cc, down, right = np.float32(r * r), np.float32(r * c), np.float32(c * c), np.float32(r), np.float32(c)
                for j in range(max(0, -c), min(columns, columns - c)):
                    deeper = depth[i + r, j + c] - depth[i, j]
                    both = one if valid[i, j] and valid[i + r, j + c] else zero
                    weight = min(max(two - abs(deeper) * sharpness, zero), one) * both
                    deeper *= weight
                    sums[0, i, j] += rr * weight
                    sums[1, i, j] += rc * weight
                    sums[2, i, j] += cc * weight
                    sums[3, i, j] += down * deeper
                    sums[4, i, j] += right * deeper
    return sums
