"""Scenes by other people, standing at random before our cameras: their scene files alone, no environment is made and no state is read."""

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import mujoco
import numpy as np
from scipy.spatial.transform import Rotation

from hiermap.worlds.base import CameraView, GripperState, Observation
from hiermap.worlds.perception.cameras import CameraSpec, default_cameras
from hiermap.worlds.perception.fusion import FRAME, MEAN_DEPTH_M, SpatialView, fuse
from hiermap.worlds.simulator.sensors import AMBIENT, BACKGROUND_RGB, LIGHT_WORLD, geom_colours, pixel_rays

GROUPS = np.array([1, 1, 1, 0, 0, 0], np.uint8)
"""Visible geoms."""
FRANKA_FILE = "envs/assets/kitchen_franka/kitchen_assets/kitchen_env_model.xml"
FRANKA_PARTS: Mapping[str, str] = {
    "bottom knob": "knob 2",
    "top knob": "knob 4",
    "light": "lightswitchroot",
    "slide cabinet": "slidelink",
    "hinge cabinet": "hingerightdoor",
    "microwave": "microdoorroot",
    "kettle": "kettle",
}
OGBENCH_FILES, OGBENCH_INCLUDED = "manipspace/descriptions", ("floor_wall", "cube", "buttons", "drawer", "window")
OGBENCH_PARTS: Mapping[str, str] = {
    "drawer": "drawer_link",
    "window": "windowb_a",
    "first button": "button_0",
    "second button": "button_1",
    "cube": "object_0",
}
"""What moves there -> its body."""


@dataclass(frozen=True)
class Placement:
    """Where a scene stands: a point p of it lies at `scale * turn @ p + shift` in our world."""

    scale: float
    turn: np.ndarray
    shift: np.ndarray

    def home(self, points: np.ndarray) -> np.ndarray:
        """World points `[..., 3]` in the scene's own coordinates."""
        return (points - self.shift) @ self.turn / self.scale


@dataclass(frozen=True, eq=False)
class ForeignScene:
    """A scene at its default positions without its robot.

    Attributes:
        parts: what moves -> its body.
        bodies: what shall stand in the middle of the frame.
        yaw_rad: turns the scene's front towards our robot.
    """

    model: mujoco.MjModel
    data: mujoco.MjData
    parts: Mapping[str, str]
    bodies: tuple[str, ...]
    yaw_rad: float

    def seen(self, rng: np.random.Generator) -> tuple[SpatialView, Placement]:
        """What cameras see that stand like ours, each some centimetres aside, and where the scene stands."""
        placement = self._placed(rng)
        images = tuple(self._image(_moved(camera, rng), placement) for camera in default_cameras())
        return fuse(Observation(images, GripperState(0.08, False))), placement

    def _placed(self, rng: np.random.Generator) -> Placement:
        """The middle of the bodies somewhere near the middle of the frame."""
        scale = rng.uniform(0.7, 1.0)
        turn = (Rotation.from_euler("z", rng.uniform(-0.3, 0.3)) * Rotation.from_euler("z", self.yaw_rad)).as_matrix()
        middle = np.mean([self.data.body(body).xpos for body in self.bodies], axis=0)
        target = FRAME.cell_to_point(np.array(FRAME.shape) / 2 + rng.uniform(-8, 8, 2), np.array(MEAN_DEPTH_M + rng.uniform(-0.1, 0.1)))
        return Placement(scale, turn, target - scale * turn @ middle)

    def _image(self, camera: CameraSpec, placement: Placement) -> CameraView:
        rays = pixel_rays(camera, camera.T_camera_to_world)
        rows, columns = np.mgrid[: camera.height, : camera.width]
        pixels = np.stack([columns, rows, np.ones_like(rows)], axis=-1).reshape(-1, 3)
        directions = np.ascontiguousarray(pixels @ rays.directions.T @ placement.turn).ravel()
        geom, length, normal = np.empty(len(pixels), np.int32), np.empty(len(pixels)), np.empty((len(pixels), 3))
        origin = placement.home(rays.origin_world)
        found = geom, length, normal.ravel(), len(pixels), 1e6
        mujoco.mj_multiRay(self.model, self.data, origin, directions, GROUPS, True, -1, *found)
        light = AMBIENT + (1 - AMBIENT) * np.clip(normal @ placement.turn.T @ LIGHT_WORLD, 0, 1)
        rgb = (255 * geom_colours(self.model)[geom] * light[:, None]).astype(np.uint8)
        depth = placement.scale * length
        rgb[geom < 0], depth[geom < 0] = BACKGROUND_RGB, np.nan
        shape = camera.height, camera.width
        return CameraView(rgb.reshape(*shape, 3), depth.reshape(shape).astype(np.float32), camera.K, camera.T_camera_to_world)


def _moved(camera: CameraSpec, rng: np.random.Generator) -> CameraSpec:
    return replace(
        camera,
        position_world=tuple(np.add(camera.position_world, rng.uniform(-0.08, 0.08, 3))),
        target_world=tuple(np.add(camera.target_world, rng.uniform(-0.05, 0.05, 3))),
    )


def franka_kitchen() -> ForeignScene:
    """FrankaKitchen of gymnasium-robotics."""
    model = mujoco.MjModel.from_xml_path(str(_installed("gymnasium_robotics", "gymnasium-robotics") / FRANKA_FILE))
    robot = [g for g in range(model.ngeom) if model.body(model.geom_bodyid[g]).name.startswith(("panda", "robot"))]
    model.geom_group[robot] = len(GROUPS) - 1
    return _at_rest(model, FRANKA_PARTS, tuple(FRANKA_PARTS.values()), -np.pi / 2)


def ogbench_scene() -> ForeignScene:
    """OGBench's table with drawer, window, buttons and cube, from where its own robot stands: drawer and window face each other."""
    folder = _installed("ogbench", "--no-deps ogbench") / OGBENCH_FILES
    included = "".join(f'<include file="{name}.xml"/>' for name in OGBENCH_INCLUDED)
    spec = mujoco.MjSpec.from_string(f"<mujoco>{included}</mujoco>", {path.name: path.read_bytes() for path in folder.glob("*.xml")})
    spec.meshdir = spec.texturedir = str(folder)
    model = spec.compile()
    model.geom_group[model.geom_bodyid == model.body("object_target_0").id] = len(GROUPS) - 1  # a ghost of the goal
    return _at_rest(model, OGBENCH_PARTS, ("object_0", "buttonbox_0", "buttonbox_1", "drawer_base", "window"), 0.0)


FOREIGN: Mapping[str, Callable[[], ForeignScene]] = {"FrankaKitchen": franka_kitchen, "OGBench": ogbench_scene}


def _at_rest(model: mujoco.MjModel, parts: Mapping[str, str], bodies: tuple[str, ...], yaw_rad: float) -> ForeignScene:
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return ForeignScene(model, data, parts, bodies, yaw_rad)


def _installed(module: str, wheel: str) -> Path:
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        sys.exit(f"{module} is not installed; run: pip install {wheel}")
    return Path(found.origin).parent
