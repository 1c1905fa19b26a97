"""Rays through the pixels of an image against the triangles of meshes, compiled: each is tried only where it projects to."""

from dataclasses import dataclass

import mujoco
import numpy as np
from numba import njit

from hiermap.worlds.simulator.rays import MESH, PixelRays

BEHIND = 1e-6
"""A corner nearer to the rays' origin than this, in lengths of their direction, has no pixel: its triangle is not seen."""


@dataclass(frozen=True, eq=False)
class Triangles:
    """Triangles of meshes in world coordinates.

    Attributes:
        corners_world: `[n, 3, 3]` [m].
        normals_world: of the surface at the corners, `[n, 3, 3]`, unit vectors.
        geom: geom id of each, `[n]` int32.
    """

    corners_world: np.ndarray
    normals_world: np.ndarray
    geom: np.ndarray


def triangles(model: mujoco.MjModel, data: mujoco.MjData, shown: np.ndarray) -> Triangles:
    """The triangles of those of the `shown` geoms that are meshes."""
    corners, normals, owners = [np.empty((0, 3, 3))], [np.empty((0, 3, 3))], [np.empty(0, np.int32)]
    for geom in shown[model.geom_type[shown] == MESH]:
        mesh, axes = model.geom_dataid[geom], data.geom_xmat[geom].reshape(3, 3)
        faces = slice(model.mesh_faceadr[mesh], model.mesh_faceadr[mesh] + model.mesh_facenum[mesh])
        vertex = model.mesh_vertadr[mesh] + model.mesh_face[faces]
        normal = model.mesh_normaladr[mesh] + model.mesh_facenormal[faces]
        corners.append(model.mesh_vert[vertex] @ axes.T + data.geom_xpos[geom])
        normals.append(model.mesh_normal[normal] @ axes.T)
        owners.append(np.full(len(vertex), geom, np.int32))
    return Triangles(np.concatenate(corners), np.concatenate(normals), np.concatenate(owners))


def cast_triangles(meshes: Triangles, rays: PixelRays, length: np.ndarray) -> np.ndarray:
    """Which triangle each ray meets before the `length` `[rows, columns]` that it is long so far, which is shortened; -1 for none."""
    met = np.full(rays.shape, -1, np.int32)
    _cast(meshes.corners_world - rays.origin_world, np.linalg.inv(rays.directions), length, met)
    return met


def smooth_normals(meshes: Triangles, met: np.ndarray, points_world: np.ndarray) -> np.ndarray:
    """Unit normals `[m, 3]` at points `[m, 3]` of the triangles `met` `[m]`, blended from those at their corners."""
    a, b, c = np.moveaxis(meshes.corners_world[met], 1, 0)
    across = np.cross(b - a, c - a)
    area = np.maximum((across * across).sum(axis=-1), 1e-30)
    weight_b = (np.cross(points_world - a, c - a) * across).sum(axis=-1) / area
    weight_c = (np.cross(b - a, points_world - a) * across).sum(axis=-1) / area
    weights = np.stack([1 - weight_b - weight_c, weight_b, weight_c], axis=-1)
    blended = (weights[..., None] * meshes.normals_world[met]).sum(axis=-2)
    return blended / np.maximum(np.linalg.norm(blended, axis=-1, keepdims=True), 1e-12)


@njit(cache=True)
def _cast(corners, pixels, length, met):
    """A ray through (u, v) meets a triangle where all weights of its corners are positive; their sum is one over the ray's length."""
    rows, columns = length.shape
    q, edges = np.empty((3, 3)), np.empty((3, 3))
    for t in range(len(corners)):
        low_u, high_u, low_v, high_v = np.inf, -np.inf, np.inf, -np.inf
        seen = True
        for k in range(3):
            for i in range(3):
                q[k, i] = pixels[i, 0] * corners[t, k, 0] + pixels[i, 1] * corners[t, k, 1] + pixels[i, 2] * corners[t, k, 2]
            if q[k, 2] < BEHIND:
                seen = False
                break
            u, v = q[k, 0] / q[k, 2], q[k, 1] / q[k, 2]
            low_u, high_u, low_v, high_v = min(low_u, u), max(high_u, u), min(low_v, v), max(high_v, v)
        if not seen:
            continue
        first_u, last_u = max(0, int(np.ceil(low_u))), min(columns - 1, int(np.floor(high_u)))
        first_v, last_v = max(0, int(np.ceil(low_v))), min(rows - 1, int(np.floor(high_v)))
        if first_u > last_u or first_v > last_v:
            continue
        for k in range(3):
            a, b = q[(k + 1) % 3], q[(k + 2) % 3]
            edges[k, 0], edges[k, 1], edges[k, 2] = a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]
        volume = q[0, 0] * edges[0, 0] + q[0, 1] * edges[0, 1] + q[0, 2] * edges[0, 2]
        if volume == 0.0:
            continue
        for v in range(first_v, last_v + 1):
            for u in range(first_u, last_u + 1):
                total = 0.0
                for k in range(3):
                    weight = (edges[k, 0] * u + edges[k, 1] * v + edges[k, 2]) / volume
                    if weight < 0.0:
                        total = -1.0
                        break
                    total += weight
                if total > 0.0 and 1.0 / total < length[v, u]:
                    length[v, u], met[v, u] = 1.0 / total, t
