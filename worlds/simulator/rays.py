"""Rays through the pixels of an image against simple shapes, compiled: each shape is tried only where its box projects to.

MuJoCo's own `mj_multiRay` tries every shape for every ray that its bounding angles let through, at some fifteen times the cost.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import mujoco
import numpy as np
from numba import njit

from hiermap.worlds.errors import ConfigError

PLANE, SPHERE, CAPSULE, CYLINDER, BOX, MESH = (
    int(getattr(mujoco.mjtGeom, f"mjGEOM_{kind}")) for kind in ("PLANE", "SPHERE", "CAPSULE", "CYLINDER", "BOX", "MESH")
)
CAMERA_GROUP = 0
"""Rays meet geoms of this group: simple shapes that carry the colours; groups above hold meshes that cost ten times as much."""
EXACT_GROUP = 1
"""And geoms of this one, whatever their shape, by MuJoCo's own rays: what strangers' scenes show besides simple shapes."""
SHAPES = frozenset((PLANE, SPHERE, CAPSULE, CYLINDER, BOX))
"""Simple enough for the compiled rays."""
FAR = 1e9
"""No ray is longer, in lengths of its direction."""
PARALLEL = 1e-15
"""A direction's component below this is taken as none."""


@dataclass(frozen=True, eq=False)
class PixelRays:
    """The rays through the pixels of an image, from `origin_world` [3] [m] along `directions @ (u, v, 1)` (u right, v down).

    `directions` `[3, 3]` is invertible; `shape` is rows and columns.
    """

    origin_world: np.ndarray
    directions: np.ndarray
    shape: tuple[int, int]


def cast(model: mujoco.MjModel, data: mujoco.MjData, rays: PixelRays, hidden: Collection[int] = ()) -> tuple[np.ndarray, np.ndarray]:
    """First hits, looking through `hidden` geoms: geom ids `[rows, columns]` int32, -1 for none, and how many of its direction each ray
    is long, `[rows, columns]`, infinite for none. A mesh of `CAMERA_GROUP` counts as the box around its origin.

    Raises:
        ConfigError: the model shows a shape that is not supported.
    """
    shown = np.setdiff1d(np.flatnonzero(model.geom_group == CAMERA_GROUP), list(hidden))
    geom, length = cast_shapes(model, data, rays, shown)
    if np.setdiff1d(np.flatnonzero(model.geom_group == EXACT_GROUP), list(hidden)).size:
        v, u = np.mgrid[: rays.shape[0], : rays.shape[1]]
        other, further, _ = _exactly(model, data, rays, v.ravel(), u.ravel(), hidden)
        nearer = further.reshape(length.shape) < length
        geom[nearer], length[nearer] = other.reshape(length.shape)[nearer], further.reshape(length.shape)[nearer]
    return geom, length


def cast_shapes(
    model: mujoco.MjModel, data: mujoco.MjData, rays: PixelRays, shown: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """As `cast`, of the `shown` geoms alone.

    Raises:
        ConfigError: one of them is of a shape that is not supported.
    """
    kinds, sizes, positions, axes = _shapes(model, data)
    if unknown := set(kinds[shown]) - SHAPES:
        raise ConfigError(f"rays meet planes, spheres, capsules, cylinders, boxes and meshes; got geom types {sorted(unknown)}")
    pixels, (rows, columns) = np.linalg.inv(rays.directions), rays.shape
    return _cast(np.asarray(shown), kinds, sizes, positions, axes, rays.origin_world, rays.directions, pixels, rows, columns)


def normals(model: mujoco.MjModel, data: mujoco.MjData, rays: PixelRays, geom: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Outward unit normals `[rows, columns, 3]` where `cast` found hits, 0 elsewhere."""
    found = shape_normals(model, data, rays, geom, length)
    exact = (geom >= 0) & (model.geom_group[geom] == EXACT_GROUP)
    if exact.any():
        found[exact] = _exactly(model, data, rays, *np.nonzero(exact))[2]
    return found


def shape_normals(model: mujoco.MjModel, data: mujoco.MjData, rays: PixelRays, geom: np.ndarray, length: np.ndarray) -> np.ndarray:
    """As `normals`, after `cast_shapes`."""
    kinds, sizes, positions, axes = _shapes(model, data)
    return _normals(geom, length, kinds, sizes, positions, axes, rays.origin_world, rays.directions)


def _exactly(
    model: mujoco.MjModel, data: mujoco.MjData, rays: PixelRays, v: np.ndarray, u: np.ndarray, hidden: Collection[int] = ()
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Geom ids `[n]`, lengths `[n]` and normals `[n, 3]` where rays through pixels `v`, `u` `[n]` meet `EXACT_GROUP`."""
    directions = np.ascontiguousarray(np.column_stack([u, v, np.ones_like(u)]) @ rays.directions.T)
    groups = (np.arange(6) == EXACT_GROUP).astype(np.uint8)
    geom, length, normal = np.full(len(v), -1, np.int32), np.empty(len(v)), np.zeros((len(v), 3))
    shown = model.geom_group[list(hidden)].copy()
    model.geom_group[list(hidden)] = len(groups) - 1
    mujoco.mj_multiRay(model, data, rays.origin_world, directions.ravel(), groups, True, -1, geom, length, normal.reshape(-1), len(v), FAR)
    model.geom_group[list(hidden)] = shown
    return geom, np.where(geom >= 0, length, np.inf), normal


def _shapes(model: mujoco.MjModel, data: mujoco.MjData) -> tuple[np.ndarray, ...]:
    """Kinds `[n]`, sizes `[n, 3]`, positions `[n, 3]` and axes `[n, 3, 3]` of all geoms."""
    return np.where(model.geom_type == MESH, BOX, model.geom_type), model.geom_size, data.geom_xpos, data.geom_xmat.reshape(-1, 3, 3)


@njit(cache=True)
def _cast(shown, kinds, sizes, positions, axes, origin, directions, pixels, rows, columns):
    """Nearest geom and length factor per pixel; `pixels` is the inverse of `directions`."""
    geom, length = np.full((rows, columns), -1, np.int32), np.full((rows, columns), np.inf)
    for g in shown:
        kind, size = kinds[g], _triple(sizes[g])
        start, per_u, per_v, at_0 = _local(positions[g], axes[g], origin, directions)
        top, bottom, left, right = _extent(kind, sizes[g], positions[g], axes[g], origin, pixels, rows, columns)
        for v in range(top, bottom):
            for u in range(left, right):
                x = per_u[0] * u + per_v[0] * v + at_0[0]
                y = per_u[1] * u + per_v[1] * v + at_0[1]
                z = per_u[2] * u + per_v[2] * v + at_0[2]
                t = _hit(kind, size, start, (x, y, z))
                if t < length[v, u]:
                    length[v, u], geom[v, u] = t, g
    return geom, length


@njit(cache=True)
def _triple(vector):
    """Tuples instead of arrays in the inner loops: those are counted references."""
    return vector[0], vector[1], vector[2]


@njit(cache=True)
def _local(position, axes, origin, directions):
    """Origin of the rays in a geom's own axes, and the three columns of `directions`."""
    start, turned = np.zeros(3), np.zeros((3, 3))
    for i in range(3):
        for k in range(3):
            start[i] += axes[k, i] * (origin[k] - position[k])
            turned[i] += axes[k, i] * directions[k]
    return _triple(start), _triple(turned[:, 0]), _triple(turned[:, 1]), _triple(turned[:, 2])


@njit(cache=True)
def _extent(kind, size, position, axes, origin, pixels, rows, columns):
    """First and last (exclusive) row and column of the pixels whose rays may meet a geom: where the corners of its box lie."""
    low_u, high_u, low_v, high_v = np.inf, -np.inf, np.inf, -np.inf
    half = np.array([size[0], size[0] if kind != BOX else size[1], size[0]])
    if kind == BOX:
        half[2] = size[2]
    elif kind != SPHERE:
        half[2] = size[1] + (size[0] if kind == CAPSULE else 0.0)
    offset = np.empty(3)
    for corner in range(8):
        for i in range(3):
            offset[i] = position[i] - origin[i]
            for k in range(3):
                offset[i] += axes[i, k] * half[k] * (1.0 if corner >> k & 1 else -1.0)
        scale = pixels[2, 0] * offset[0] + pixels[2, 1] * offset[1] + pixels[2, 2] * offset[2]
        if kind == PLANE or scale < 1e-9:
            return 0, rows, 0, columns
        u = (pixels[0, 0] * offset[0] + pixels[0, 1] * offset[1] + pixels[0, 2] * offset[2]) / scale
        v = (pixels[1, 0] * offset[0] + pixels[1, 1] * offset[1] + pixels[1, 2] * offset[2]) / scale
        low_u, high_u, low_v, high_v = min(low_u, u), max(high_u, u), min(low_v, v), max(high_v, v)
    # The corners are rounded; a hundredth of a pixel is far more than that.
    top, bottom = max(0, math.ceil(low_v - 0.01)), min(rows, math.floor(high_v + 0.01) + 1)
    return top, bottom, max(0, math.ceil(low_u - 0.01)), min(columns, math.floor(high_u + 0.01) + 1)


@njit(cache=True)
def _hit(kind, size, start, along):
    """How many `along` the ray from `start`, in a geom's own axes, is long when it first meets the geom; infinite if it does not."""
    if kind == BOX:
        return _hit_box(size, start, along)
    if kind == PLANE:
        return _hit_plane(size, start, along)
    if kind == SPHERE:
        return _hit_ball(size[0], start[0], start[1], start[2], along)
    return _hit_round(kind, size[0], size[1], start, along)


@njit(cache=True)
def _hit_box(size, start, along):
    near, far = -np.inf, np.inf
    for i in range(3):
        if abs(along[i]) > PARALLEL:
            middle, half = -start[i] / along[i], size[i] / abs(along[i])
            near, far = max(near, middle - half), min(far, middle + half)
        elif abs(start[i]) > size[i]:
            return np.inf
    if near > far or far < 0:
        return np.inf
    return near if near >= 0 else far


@njit(cache=True)
def _hit_plane(size, start, along):
    """Planes are seen from their front only; a size of 0 means infinite."""
    if along[2] > -PARALLEL or start[2] < 0:
        return np.inf
    t = -start[2] / along[2]
    for i in range(2):
        if size[i] > 0 and abs(start[i] + t * along[i]) > size[i]:
            return np.inf
    return t


@njit(cache=True)
def _hit_ball(radius, x, y, z, along):
    a = along[0] ** 2 + along[1] ** 2 + along[2] ** 2
    near, far = _roots(a, x * along[0] + y * along[1] + z * along[2], x * x + y * y + z * z - radius**2)
    return near if near >= 0 else far


@njit(cache=True)
def _hit_round(kind, radius, half, start, along):
    """Cylinders and capsules about z."""
    best = np.inf
    across = along[0] ** 2 + along[1] ** 2
    if across > PARALLEL:
        b, c = start[0] * along[0] + start[1] * along[1], start[0] ** 2 + start[1] ** 2 - radius**2
        for t in _roots(across, b, c):
            if 0 <= t < best and abs(start[2] + t * along[2]) <= half:
                best = t
    for side in (-1.0, 1.0):
        if kind == CAPSULE:
            # Both ends of the ball count only beyond the cylinder, inside of which the ray would have left it.
            a = across + along[2] ** 2
            z = start[2] - side * half
            b = start[0] * along[0] + start[1] * along[1] + z * along[2]
            for t in _roots(a, b, start[0] ** 2 + start[1] ** 2 + z * z - radius**2):
                if 0 <= t < best and side * (start[2] + t * along[2]) >= half:
                    best = t
        elif abs(along[2]) > PARALLEL:
            t = (side * half - start[2]) / along[2]
            if 0 <= t < best and (start[0] + t * along[0]) ** 2 + (start[1] + t * along[1]) ** 2 <= radius**2:
                best = t
    return best


@njit(cache=True)
def _roots(a, b, c):
    """The solutions of `a t^2 + 2 b t + c = 0`, the nearer first; infinite, or negative, where there is none ahead."""
    determinant = b * b - a * c
    if determinant < PARALLEL:
        return np.inf, np.inf
    root = math.sqrt(determinant)
    near, far = (-b - root) / a, (-b + root) / a
    return near, far if far >= 0 else np.inf


@njit(cache=True)
def _normals(geom, length, kinds, sizes, positions, axes, origin, directions):
    rows, columns = geom.shape
    normal = np.zeros((rows, columns, 3))
    offset, own = np.empty(3), np.empty(3)
    for v in range(rows):
        for u in range(columns):
            g = geom[v, u]
            if g < 0:
                continue
            for i in range(3):
                along = directions[i, 0] * u + directions[i, 1] * v + directions[i, 2]
                offset[i] = origin[i] + length[v, u] * along - positions[g, i]
            for i in range(3):
                own[i] = axes[g, 0, i] * offset[0] + axes[g, 1, i] * offset[1] + axes[g, 2, i] * offset[2]
            _outward(kinds[g], sizes[g], own)
            for i in range(3):
                normal[v, u, i] = axes[g, i, 0] * own[0] + axes[g, i, 1] * own[1] + axes[g, i, 2] * own[2]
    return normal


@njit(cache=True)
def _outward(kind, size, point):
    """The outward unit normal at a point on a geom's surface, in its own axes, in place."""
    if kind == PLANE:
        point[:] = 0.0, 0.0, 1.0
    elif kind == BOX:
        face = 0
        for i in range(1, 3):
            if abs(point[i]) - size[i] > abs(point[face]) - size[face]:
                face = i
        side = 1.0 if point[face] > 0 else -1.0
        point[:] = 0.0
        point[face] = side
    elif kind == CYLINDER and abs(point[2]) - size[1] > math.hypot(point[0], point[1]) - size[0]:
        point[:] = 0.0, 0.0, 1.0 if point[2] > 0 else -1.0
    else:
        half = 0.0 if kind == SPHERE else size[1]
        point[2] = 0.0 if kind == CYLINDER else point[2] - min(max(point[2], -half), half)
        point /= math.sqrt(point[0] ** 2 + point[1] ** 2 + point[2] ** 2)
