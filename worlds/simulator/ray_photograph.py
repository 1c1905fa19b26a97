"""Photographs by ray casting, where there is no graphics library: sun, sky, shadows and the materials of the model."""

from dataclasses import dataclass

import mujoco
import numpy as np
from numba import njit

from hiermap.worlds.simulator.dressing import BACKDROP, SHOWN_GROUP, SUN_WORLD
from hiermap.worlds.simulator.mesh_rays import Triangles, cast_triangles, smooth_normals, triangles
from hiermap.worlds.simulator.rays import MESH, PLANE, PixelRays, cast_shapes, shape_normals

FINER = 2
"""Rays per pixel's edge, of which the pixel is the mean."""
SUN_RGB, SKY_RGB, BOUNCE_RGB = np.array([0.95, 0.88, 0.78]), np.array([0.86, 0.91, 1.0]), np.array([0.16, 0.15, 0.14])
"""Light of the sun, of the whole sky, and what comes back from everywhere."""
SKY_DIRECTIONS = 20
"""The sky shines from so many directions, each with its shadows."""
SUN_PIXELS, SKY_PIXELS = 1400, 360
"""Edges of the images in which a light sees what it reaches."""
LIT_CENTRE, LIT_HALF_M = np.array([0.35, 0.0, 0.35]), 1.15
"""What can cast shadows: a ball in which robot and kitchen are."""
FAR_M = 100.0
"""Light from a point so far away is parallel."""
SUN_BIAS_M, SKY_BIAS_M = 0.003, 0.010
"""A surface does not shade itself where its light's image has it this much deeper."""
BACKGROUND_RGB = (0.80, 0.84, 0.88)
GAMMA, EXPOSURE, WHITE = 2.2, 1.25, 1.9
"""Of the screen; how much light is let in, and how much of it is white."""
PLAIN_SHINE = (0.2, 0.3, 0.0)
"""Specular, shininess and reflectance of what has no material."""
COLOURS_ROLE = int(mujoco.mjtTextureRole.mjTEXROLE_RGB)


@dataclass(frozen=True, eq=False)
class Stage:
    """A staged model with its kinematics: the geoms `shown`, those of them that keep light off others, and the triangles of meshes."""

    model: mujoco.MjModel
    data: mujoco.MjData
    shown: np.ndarray
    casters: np.ndarray
    meshes: Triangles


@dataclass(frozen=True, eq=False)
class Points:
    """Points of surfaces: geom ids `[n]`, and each `[n, 3]` where they are [m], the surface's normal, and the direction to the eye."""

    geom: np.ndarray
    world: np.ndarray
    facing: np.ndarray
    toward: np.ndarray


def traced(model: mujoco.MjModel, data: mujoco.MjData, rays: PixelRays) -> np.ndarray:
    """What is seen along `rays` of a staged model, `[rows // FINER, columns // FINER, 3]` uint8; `data` has its kinematics."""
    shown = np.flatnonzero((model.geom_group == SHOWN_GROUP) & (colours_of(model)[:, 3] > 0))
    casters = [g for g in shown if model.geom_type[g] != PLANE and not model.geom(g).name.startswith(BACKDROP)]
    stage = Stage(model, data, shown, np.array(casters, int), triangles(model, data, shown))
    found, points = _first(stage, rays)
    image = np.empty((*rays.shape, 3))
    image[:] = np.array(BACKGROUND_RGB) ** GAMMA
    image[found] = _lit(stage, points)
    rows, columns = (size // FINER for size in rays.shape)
    mean = image[: rows * FINER, : columns * FINER].reshape(rows, FINER, columns, FINER, 3).mean(axis=(1, 3))
    return (255.0 * _exposed(mean) ** (1 / GAMMA) + 0.5).astype(np.uint8)


def _first(stage: Stage, rays: PixelRays) -> tuple[np.ndarray, Points]:
    """Which rays `[rows, columns]` meet anything, and what these meet first."""
    geom, length, met = _cast(stage, rays, stage.shown)
    normals = shape_normals(stage.model, stage.data, rays, np.where(met >= 0, -1, geom), length)
    found = geom >= 0
    v, u = np.nonzero(found)
    along = np.column_stack([u, v, np.ones_like(u)]) @ rays.directions.T
    world, facing, met = rays.origin_world + length[found][:, None] * along, normals[found], met[found]
    facing[met >= 0] = smooth_normals(stage.meshes, met[met >= 0], world[met >= 0])
    toward = -along / np.linalg.norm(along, axis=1, keepdims=True)
    facing *= np.where((facing * toward).sum(axis=1, keepdims=True) < 0, -1.0, 1.0)  # seen from within or behind
    return found, Points(geom[found], world, facing, toward)


def _cast(stage: Stage, rays: PixelRays, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Geom, length and triangle of every ray's first hit; -1, infinite and -1 for none."""
    geom, length = cast_shapes(stage.model, stage.data, rays, shown[stage.model.geom_type[shown] != MESH])
    met = cast_triangles(stage.meshes, rays, length)
    geom[met >= 0] = stage.meshes.geom[met[met >= 0]]
    return geom, length, met


def _exposed(light: np.ndarray) -> np.ndarray:
    """Light as film takes it, in [0, 1]: dark tones stay as they are, bright ones come ever nearer to white."""
    light = EXPOSURE * light
    return np.clip(light * (1 + light / WHITE**2) / (1 + light), 0.0, 1.0)


def _lit(stage: Stage, at: Points) -> np.ndarray:
    """Light `[n, 3]` that comes from points: of sun and sky where they reach, the glint of both, and what comes from everywhere."""
    sun = _shine_on(at, stage, SUN_WORLD[None], SUN_PIXELS, SUN_BIAS_M)
    sky = _shine_on(at, stage, _dome(SKY_DIRECTIONS), SKY_PIXELS, SKY_BIAS_M)
    albedo, (specular, shininess, reflectance) = _albedo(stage, at), _shine(stage.model)[at.geom].T
    half = at.toward + SUN_WORLD
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    glint = specular * np.clip((at.facing * half).sum(axis=1), 0, 1) ** (4 + 120 * shininess) * (sun > 0)
    cosine = (at.facing * at.toward).sum(axis=1)
    up = 2 * cosine * at.facing[:, 2] - at.toward[:, 2]
    mirror = np.where(up > 0, 0.35 + 0.65 * up, 0.25 + 0.1 * up) * (0.3 + 0.7 * sky)
    share = reflectance + (1 - reflectance) * 0.12 * specular * (1 - np.clip(cosine, 0, 1)) ** 4
    light = SUN_RGB * sun[:, None] + SKY_RGB * sky[:, None] + BOUNCE_RGB
    # Metal tints what it mirrors.
    return albedo * ((1 - share)[:, None] * light + (0.7 * share * mirror)[:, None]) + (0.3 * share * mirror + 0.5 * glint)[:, None]


def _dome(count: int) -> np.ndarray:
    """Directions `[count, 3]` spread evenly over the upper half of the sphere (a Fibonacci lattice)."""
    k = np.arange(count)
    z, turn = (k + 0.5) / count, k * np.pi * (3.0 - np.sqrt(5.0))
    return np.column_stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z])


def _shine_on(at: Points, stage: Stage, directions: np.ndarray, size: int, bias_m: float) -> np.ndarray:
    """How much light points get from far lights at `directions` `[k, 3]` together, `[n]`; each looks at the stage in `size` pixels an edge,
    and a surface does not shade itself within `bias_m`.
    """
    rays = [_light_rays(direction, size) for direction in directions]
    lengths = np.stack([_cast(stage, each, stage.casters)[1] for each in rays])
    pixels, origins = np.stack([np.linalg.inv(each.directions) for each in rays]), np.stack([each.origin_world for each in rays])
    return _shone(pixels, origins, np.ascontiguousarray(directions), lengths, bias_m, at.world, at.facing)


def _light_rays(direction: np.ndarray, size: int) -> PixelRays:
    """What a far light sees of `LIT_CENTRE` and around."""
    right = np.cross(direction, [0.0, 1.0, 0.0] if abs(direction[1]) < 0.9 else [1.0, 0.0, 0.0])
    right /= np.linalg.norm(right)
    down, step = np.cross(right, direction), 2 * LIT_HALF_M / size
    corner = -FAR_M * direction - 0.5 * (size - 1) * step * (right + down)
    return PixelRays(LIT_CENTRE + FAR_M * direction, np.stack([step * right, step * down, corner], axis=1) / FAR_M, (size, size))


@njit(cache=True)
def _shone(pixels, origins, directions, lengths, bias, points, facing):
    """How much light all together give each of `points` `[n, 3]`, `[n]`: the mean of cosines times the share of four neighbouring rays
    that come so far."""
    shone = np.zeros(len(points))
    count, rows, columns = lengths.shape
    for i in range(len(points)):
        for k in range(count):
            cosine = facing[i, 0] * directions[k, 0] + facing[i, 1] * directions[k, 1] + facing[i, 2] * directions[k, 2]
            if cosine <= 0.0:
                continue
            x = points[i, 0] + bias * facing[i, 0] - origins[k, 0]
            y = points[i, 1] + bias * facing[i, 1] - origins[k, 1]
            z = points[i, 2] + bias * facing[i, 2] - origins[k, 2]
            w = pixels[k, 2, 0] * x + pixels[k, 2, 1] * y + pixels[k, 2, 2] * z
            u = (pixels[k, 0, 0] * x + pixels[k, 0, 1] * y + pixels[k, 0, 2] * z) / w
            v = (pixels[k, 1, 0] * x + pixels[k, 1, 1] * y + pixels[k, 1, 2] * z) / w
            if not (0.0 <= u < columns - 1.0 and 0.0 <= v < rows - 1.0):
                shone[i] += cosine
                continue
            left, top, limit = int(u), int(v), w - bias / FAR_M
            right, down = u - left, v - top
            share = 0.0
            if limit < lengths[k, top, left]:
                share += (1.0 - right) * (1.0 - down)
            if limit < lengths[k, top, left + 1]:
                share += right * (1.0 - down)
            if limit < lengths[k, top + 1, left]:
                share += (1.0 - right) * down
            if limit < lengths[k, top + 1, left + 1]:
                share += right * down
            shone[i] += cosine * share
        shone[i] /= count
    return shone


def colours_of(model: mujoco.MjModel) -> np.ndarray:
    """Plain colour of each geom, `[ngeom, 4]` in 0..1: its own unless that is MuJoCo's default, else its material's."""
    colours = model.geom_rgba.astype(float).copy()
    default = (np.abs(colours - (0.5, 0.5, 0.5, 1.0)) < 1e-6).all(axis=1) & (model.geom_matid >= 0)
    colours[default] = model.mat_rgba[model.geom_matid[default]]
    return colours


def _shine(model: mujoco.MjModel) -> np.ndarray:
    """Specular, shininess and reflectance of each geom, `[ngeom, 3]` in [0, 1]."""
    materials = np.column_stack([model.mat_specular, model.mat_shininess, model.mat_reflectance])
    return np.concatenate([materials, [PLAIN_SHINE]])[model.geom_matid]  # of no material, which is -1, the last


def _albedo(stage: Stage, at: Points) -> np.ndarray:
    """Linear colour `[n, 3]` of points: their geom's, times its texture's."""
    model, geom = stage.model, at.geom
    colours = colours_of(model)[geom, :3]
    texture = np.append(model.mat_texid[:, COLOURS_ROLE], -1)[model.geom_matid]  # of no material, which is -1, none
    order = np.argsort(geom, kind="stable")
    ends = np.searchsorted(geom[order], np.arange(model.ngeom + 1))
    for one in np.flatnonzero((texture >= 0) & (np.diff(ends) > 0)):
        where = order[ends[one] : ends[one + 1]]
        axes = stage.data.geom_xmat[one].reshape(3, 3)
        local, normal = (at.world[where] - stage.data.geom_xpos[one]) @ axes, at.facing[where] @ axes
        colours[where] *= _textured(model, one, texture[one], local, normal)
    return colours**GAMMA


def _textured(model: mujoco.MjModel, geom: int, texture: int, local: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """The texture's colours `[n, 3]` in 0..1 at points in a geom's own axes, laid on from the side that they face."""
    width, channels, start = model.tex_width[texture], model.tex_nchannel[texture], model.tex_adr[texture]
    height = min(width, model.tex_height[texture])  # a cube's faces lie below each other
    image = model.tex_data[start : start + width * height * channels].reshape(height, width, channels)[..., :3]
    if model.geom_type[geom] == PLANE:
        across = local[:, :2] * model.mat_texrepeat[model.geom_matid[geom]]
    else:
        side = np.abs(normal).argmax(axis=1)
        whole = local / np.maximum(2 * model.geom_size[geom].max(), 1e-6)
        across = np.stack([whole[np.arange(len(side)), (side + 1) % 3], whole[np.arange(len(side)), (side + 2) % 3]], axis=1)
    column, row = (across[:, 0] % 1.0 * width).astype(int) % width, (across[:, 1] % 1.0 * height).astype(int) % height
    return image[row, column] / 255.0
