"""Photographs of simulated scenes: by MuJoCo's renderer where a graphics library draws, by ray casting where none does."""

import os
from dataclasses import replace

import mujoco
import numpy as np

from hiermap.system.graphics import probe_gl
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.perception.cameras import CameraSpec
from hiermap.worlds.records import one_of
from hiermap.worlds.simulator.dressing import CAMERAS, LARGEST, SHOWN_GROUP
from hiermap.worlds.simulator.ray_photograph import FINER, traced
from hiermap.worlds.simulator.robot_scene import RobotScene
from hiermap.worlds.simulator.sensors import aim, pixel_rays

RENDERERS = ("auto", "gl", "rays")
"""auto is gl if the graphics library that MuJoCo was loaded with draws, and rays otherwise."""
ASKED_FOR = ("egl", "osmesa")
"""What `MUJOCO_GL` must say for MuJoCo to be loaded with it; without, it is a library that needs a display."""
VIEW = CAMERAS["agentview"]
"""Over the robot's shoulder."""


def photograph(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    camera: CameraSpec | str = VIEW,
    size: tuple[int, int] = (640, 480),
    renderer: str = "auto",
) -> np.ndarray:
    """One photograph `[height, width, 3]` uint8.

    Args:
        model: dressed and staged (`hiermap.worlds.simulator.dressing`), or any other whose visible geoms are in `SHOWN_GROUP`.
        data: with its kinematics.
        camera: where from, or the name of one of the model's.
        size: width and height [px]; `camera.width` and `camera.height` do not count.
        renderer: from `RENDERERS`.

    Raises:
        ConfigError: an unknown renderer or camera, a size that is none, or gl where no graphics library draws.
    """
    return Photographer(model, size, renderer)(data, camera)


class Photographer:
    """Takes photographs of one model; arguments and errors as those of `photograph`."""

    def __init__(self, model: mujoco.MjModel, size: tuple[int, int] = (640, 480), renderer: str = "auto") -> None:
        one_of("renderer", renderer, RENDERERS)
        if not all(1 <= pixels <= most for pixels, most in zip(size, LARGEST, strict=True)):
            raise ConfigError(f"a photograph of {size[0]} x {size[1]} pixels; expected 1 x 1 to {LARGEST[0]} x {LARGEST[1]}")
        self.model, self.size = model, size
        self._gl = None if renderer == "rays" else _gl(model, size, needed=renderer == "gl")

    @property
    def drawn_by(self) -> str:
        """The graphics library, or "ray casting"."""
        return "ray casting" if self._gl is None else _backend()

    def __call__(self, data: mujoco.MjData, camera: CameraSpec | str = VIEW) -> np.ndarray:
        """`[height, width, 3]` uint8 of the present."""
        width, height = self.size
        spec, T = self._pose(data, camera)
        if self._gl is None:
            finer = replace(spec, width=width * FINER, height=height * FINER)
            return traced(self.model, data, pixel_rays(finer, T))
        option = mujoco.MjvOption()
        option.geomgroup[:] = np.arange(len(option.geomgroup)) == SHOWN_GROUP
        option.sitegroup[:] = 0
        self._gl.update_scene(data, scene_option=option)
        aim(self._gl, replace(spec, width=width, height=height), T)
        return self._gl.render().copy()

    def _pose(self, data: mujoco.MjData, camera: CameraSpec | str) -> tuple[CameraSpec, np.ndarray]:
        if isinstance(camera, CameraSpec):
            return camera, camera.T_camera_to_world
        names = [self.model.camera(index).name for index in range(self.model.ncam)]
        one_of("camera", camera, names)
        index, T = names.index(camera), np.eye(4)
        # MuJoCo's cameras look back along their z, with y up.
        T[:3, :3] = data.cam_xmat[index].reshape(3, 3) * (1.0, -1.0, -1.0)
        T[:3, 3] = data.cam_xpos[index]
        fovy_rad = float(np.deg2rad(self.model.cam_fovy[index]))
        return CameraSpec(tuple(T[:3, 3]), tuple(T[:3, 3] + T[:3, 2]), fovy_rad), T


def _gl(model: mujoco.MjModel, size: tuple[int, int], needed: bool) -> mujoco.Renderer | None:
    backend = _backend()
    if not needed and backend not in ASKED_FOR and "DISPLAY" not in os.environ:
        return None
    if (said := probe_gl(backend)) is None:
        return mujoco.Renderer(model, height=size[1], width=size[0])
    if needed:
        raise ConfigError(
            f"renderer=gl, but MuJoCo was loaded for {backend}, which does not draw here ({said}); set MUJOCO_GL=egl or osmesa "
            "(`hiermap doctor` says which are there), or take renderer=rays"
        )
    return None


def _backend() -> str:
    """The graphics library that MuJoCo was loaded for; robosuite changes what MUJOCO_GL says."""
    return getattr(mujoco, "GLContext", type(None)).__module__.rpartition(".")[2]


class Portrait:
    """Photographs of a scene: of a dressed model of its own, brought into the scene's state; the scene is only read.

    Args:
        scene: a robot in a simulated scene.
    """

    def __init__(self, scene: RobotScene, size: tuple[int, int] = (640, 480), renderer: str = "auto") -> None:
        model = scene.dressed()
        self._data, self._take = mujoco.MjData(model), Photographer(model, size, renderer)
        if self._data.qpos.shape != scene.data.qpos.shape:
            raise ValueError("the dressed model of a scene has other joints than the scene")
        self.drawn_by = self._take.drawn_by

    def __call__(self, qpos: np.ndarray, camera: CameraSpec | str = VIEW) -> np.ndarray:
        """`[height, width, 3]` uint8 of the scene with its joints at `qpos` `[nq]`."""
        self._data.qpos[:] = qpos
        mujoco.mj_kinematics(self._take.model, self._data)
        mujoco.mj_comPos(self._take.model, self._data)
        mujoco.mj_camlight(self._take.model, self._data)
        return self._take(self._data, camera)
