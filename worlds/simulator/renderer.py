"""RGB-D through MuJoCo's renderer: for photographs and video; needs a graphics library (EGL or OSMesa)."""

import mujoco
import numpy as np

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.perception.cameras import CameraSpec


def rendered_image(
    model: mujoco.MjModel, data: mujoco.MjData, camera: CameraSpec, T_camera_to_world: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Colour `[h, w, 3]` uint8 and optical depth `[h, w]` float32 [m] (NaN for none)."""
    try:
        renderer = mujoco.Renderer(model, camera.height, camera.width)
    # Each graphics loader raises its own kind of error.
    except Exception as error:
        raise ConfigError(
            f"the 'mujoco' sensing backend found no graphics library ({error}); set MUJOCO_GL=egl or osmesa, or use sensing backend 'rays'"
        ) from error
    try:
        option = mujoco.MjvOption()
        option.geomgroup[:] = [1, 0, 0, 0, 0, 0]
        renderer.update_scene(data, scene_option=option)
        _aim(renderer, camera, T_camera_to_world)
        rgb = renderer.render().copy()
        renderer.enable_depth_rendering()
        depth = renderer.render().copy()
        renderer.disable_depth_rendering()
        renderer.enable_segmentation_rendering()
        is_geom = renderer.render()[..., 1] == mujoco.mjtObj.mjOBJ_GEOM
    finally:
        renderer.close()
    return rgb, np.where(is_geom, depth, np.nan).astype(np.float32)


def _aim(renderer: mujoco.Renderer, camera: CameraSpec, T: np.ndarray) -> None:
    for eye in renderer.scene.camera:
        half_height = eye.frustum_near * np.tan(0.5 * camera.fovy_rad)
        eye.pos[:], eye.forward[:], eye.up[:] = T[:3, 3], T[:3, 2], -T[:3, 1]
        eye.frustum_bottom, eye.frustum_top, eye.frustum_center = -half_height, half_height, 0.0
        eye.frustum_width = half_height * camera.width / camera.height
