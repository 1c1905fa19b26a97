"""RGB-D through MuJoCo's renderer: for photographs and video; needs a graphics library (EGL or OSMesa)."""

import mujoco
import numpy as np

from hiermap.worlds.errors import ConfigError
from hiermap.worlds.perception.cameras import CameraSpec


class Renderings:
    """Captures by `mujoco.Renderer`, one per image size."""

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        self.model, self.data = model, data

    def __call__(self, camera: CameraSpec, T_camera_to_world: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Colour `[h, w, 3]` uint8 and optical depth `[h, w]` float32 [m] (NaN for none)."""
        try:
            renderer = mujoco.Renderer(self.model, camera.height, camera.width)
        # Each graphics loader raises its own kind of error.
        except Exception as error:
            raise ConfigError(
                f"the 'mujoco' sensing backend found no graphics library ({error}); "
                "set MUJOCO_GL=egl or osmesa, or use sensing backend 'rays'"
            ) from error
        try:
            self._aim(renderer, camera, T_camera_to_world)
            rgb = renderer.render().copy()
            renderer.enable_depth_rendering()
            depth = renderer.render().copy()
            renderer.disable_depth_rendering()
            renderer.enable_segmentation_rendering()
            segments = renderer.render()
        finally:
            renderer.close()
        is_geom = segments[..., 1] == mujoco.mjtObj.mjOBJ_GEOM
        return rgb, np.where(is_geom, depth, np.nan).astype(np.float32)

    def _aim(self, renderer: mujoco.Renderer, camera: CameraSpec, T: np.ndarray) -> None:
        option = mujoco.MjvOption()
        option.geomgroup[:] = [1, 0, 0, 0, 0, 0]
        renderer.update_scene(self.data, scene_option=option)
        for eye in renderer.scene.camera:
            half_height = eye.frustum_near * np.tan(0.5 * camera.fovy_rad)
            eye.pos[:], eye.forward[:], eye.up[:] = T[:3, 3], T[:3, 2], -T[:3, 1]
            eye.frustum_bottom, eye.frustum_top, eye.frustum_center = -half_height, half_height, 0.0
            eye.frustum_width = half_height * camera.width / camera.height
