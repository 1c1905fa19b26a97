"""What the cameras see: RGB-D images by ray casting (default, no graphics library) or by MuJoCo's renderer (needs EGL or OSMesa)."""

from collections.abc import Collection
from dataclasses import dataclass

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from hiermap.worlds.base import CameraView, RobotBody
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.frame import point_to_pixel
from hiermap.worlds.perception.cameras import CameraSpec
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.rays import CAMERA_GROUP, EXACT_GROUP, PixelRays, cast, normals

LIGHT_WORLD = np.array([-0.45, 0.25, 0.86])
"""Where the light comes from (unit vector up to rounding): over the robot's left shoulder, so that no two faces of a box look the same."""
AMBIENT = 0.55
"""Brightness of a face that gets no direct light."""
BACKGROUND_RGB = np.array([200, 205, 210], np.uint8)
FIDUCIALS_WORLD = np.array([[x, y, z] for x in (0.55, 0.80) for y in (-0.45, 0.45) for z in (0.0, 0.5)])
"""Eight calibration marks around the kitchen front [m]; their detection is simulated, with `fiducial_noise_px`."""


@dataclass(frozen=True, eq=False)
class Drift:
    """What the calibration does not know: true poses `[4, 4]` of the cameras, where the light comes from [3], a factor of all colours."""

    T_camera_to_world: tuple[np.ndarray, ...]
    light_world: np.ndarray
    brightness: float


def draw_drift(options: SensingOptions, rng: np.random.Generator) -> Drift:
    """Draw how cameras and light have changed since the calibration."""
    poses = tuple(_moved(camera.T_camera_to_world, options, rng) for camera in options.cameras)
    aside = options.light * rng.uniform() * _direction(rng)
    return Drift(poses, Rotation.from_rotvec(aside).apply(LIGHT_WORLD), 1.0 + options.light * rng.uniform(-1, 1))


def _moved(T: np.ndarray, options: SensingOptions, rng: np.random.Generator) -> np.ndarray:
    moved = T.copy()
    moved[:3, 3] += options.camera_shift_m * _direction(rng)
    moved[:3, :3] = Rotation.from_rotvec(options.camera_turn_rad * _direction(rng)).as_matrix() @ T[:3, :3]
    return moved


def _direction(rng: np.random.Generator) -> np.ndarray:
    """A random unit vector, [3]."""
    vector = rng.normal(size=3)
    return vector / np.linalg.norm(vector)


def sense(
    model: mujoco.MjModel, data: mujoco.MjData, options: SensingOptions, drift: Drift, rng: np.random.Generator
) -> tuple[CameraView, ...]:
    """One RGB-D image per camera, with the pose it was calibrated to; `rng` draws the noise of this look."""
    views = []
    for camera, T_true in zip(options.cameras, drift.T_camera_to_world, strict=True):
        if options.backend == "rays":
            rgb, depth = ray_image(model, data, camera, T_true, drift.light_world)
        else:
            rgb, depth = _rendered_image(model, data, camera, T_true)
        rgb, depth = _noisy(rgb, depth, drift.brightness, options, rng)
        pixels = _fiducial_pixels(camera, T_true, options, rng)
        views.append(CameraView(rgb, depth, camera.K, camera.T_camera_to_world, None, FIDUCIALS_WORLD, pixels))
    return tuple(views)


def robot_body(
    model: mujoco.MjModel, data: mujoco.MjData, robot_geom_ids: Collection[int], held_world: np.ndarray | None = None
) -> RobotBody:
    """Boxes around the robot's links where its joint angles put them, which is all that its geoms' poses depend on."""
    ids = sorted(robot_geom_ids)
    # Rays meet a mesh as the box around its geom's own origin, which is larger than the box around the mesh.
    half_sizes = np.abs(model.geom_aabb[ids, :3]) + model.geom_aabb[ids, 3:]
    return RobotBody(data.geom_xpos[ids], data.geom_xmat[ids].reshape(-1, 3, 3), half_sizes, held_world)


def pixel_rays(camera: CameraSpec, T: np.ndarray) -> PixelRays:
    """Rays of a camera at pose `T` `[4, 4]` through its pixel centres; a ray's length is optical depth."""
    return PixelRays(T[:3, 3], T[:3, :3] @ np.linalg.inv(camera.K), (camera.height, camera.width))


def geom_colours(model: mujoco.MjModel) -> np.ndarray:
    """Plain colour of each geom, `[ngeom, 3]` in 0..1: its material's if it has one."""
    colours = model.geom_rgba[:, :3].astype(float).copy()
    has_material = model.geom_matid >= 0
    colours[has_material] = model.mat_rgba[model.geom_matid[has_material], :3]
    return colours


def ray_image(
    model: mujoco.MjModel, data: mujoco.MjData, camera: CameraSpec, T: np.ndarray, light_world: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Colours `[h, w, 3]` uint8 and depth `[h, w]` float32 [m], NaN where nothing is met."""
    rays = pixel_rays(camera, T)
    geom, depth = cast(model, data, rays)
    light = AMBIENT + (1 - AMBIENT) * np.clip(normals(model, data, rays, geom, depth) @ light_world, 0, 1)
    rgb = ((255 * geom_colours(model))[geom] * light[..., None]).astype(np.uint8)
    rgb[geom < 0], depth[geom < 0] = BACKGROUND_RGB, np.nan
    return rgb, depth.astype(np.float32)


def _rendered_image(model: mujoco.MjModel, data: mujoco.MjData, camera: CameraSpec, T: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    try:
        renderer = mujoco.Renderer(model, camera.height, camera.width)
    # Each graphics loader raises its own kind of error.
    except Exception as error:
        raise ConfigError(
            f"the 'mujoco' sensing backend found no graphics library ({error}); set MUJOCO_GL=egl or osmesa, or use sensing backend 'rays'"
        ) from error
    option = mujoco.MjvOption()
    option.geomgroup[:] = np.isin(np.arange(len(option.geomgroup)), (CAMERA_GROUP, EXACT_GROUP))
    with renderer:
        renderer.update_scene(data, scene_option=option)
        aim(renderer, camera, T)
        rgb = renderer.render().copy()
        renderer.enable_depth_rendering()
        depth = renderer.render().copy()
        renderer.enable_segmentation_rendering()
        is_geom = renderer.render()[..., 1] == mujoco.mjtObj.mjOBJ_GEOM
    return rgb, np.where(is_geom, depth, np.nan).astype(np.float32)


def aim(renderer: mujoco.Renderer, camera: CameraSpec, T: np.ndarray) -> None:
    """Make a renderer's picture that of a camera at pose `T` `[4, 4]`; call after `update_scene`."""
    for eye in renderer.scene.camera:
        half_height = eye.frustum_near * np.tan(0.5 * camera.fovy_rad)
        eye.pos[:], eye.forward[:], eye.up[:] = T[:3, 3], T[:3, 2], -T[:3, 1]
        eye.frustum_bottom, eye.frustum_top, eye.frustum_center = -half_height, half_height, 0.0
        eye.frustum_width = half_height * camera.width / camera.height


def _noisy(
    rgb: np.ndarray, depth: np.ndarray, brightness: float, options: SensingOptions, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    if options.depth_noise_m > 0:
        depth = depth + rng.normal(0, options.depth_noise_m, depth.shape).astype(np.float32) * depth**2
    if options.depth_dropout > 0:
        depth = np.where(rng.random(depth.shape) < options.depth_dropout, np.float32(np.nan), depth)
    if options.rgb_noise > 0 or options.light > 0:
        rgb = np.clip(brightness * rgb + rng.normal(0, options.rgb_noise, rgb.shape), 0, 255).astype(np.uint8)
    return rgb, depth


def _fiducial_pixels(camera: CameraSpec, T_true: np.ndarray, options: SensingOptions, rng: np.random.Generator) -> np.ndarray:
    pixels, _ = point_to_pixel(FIDUCIALS_WORLD, camera.K, T_true)
    if options.fiducial_noise_px > 0:
        pixels = pixels + rng.normal(0, options.fiducial_noise_px, pixels.shape)
    outside = ((pixels < 0) | (pixels > [camera.width - 1, camera.height - 1])).any(axis=-1)
    pixels[outside] = np.nan
    return pixels
