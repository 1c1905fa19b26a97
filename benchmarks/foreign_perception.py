"""What shipped maps offer in a kitchen by other people, seen from random places, and whether the planner knows that it has not seen it.

FrankaKitchen (gymnasium-robotics, its scene file alone: no environment is made and no state is read) is scaled, turned and moved at
random in front of the frame and looked at by cameras that stand at random around ours. A part counts as offered when the map of its right
action reaches 0.5 within 3 cm of where the part is seen. Familiarity is compared with that of our kitchens of the same seeds.

    pip install 'hiermap[franka-kitchen]'
    OMP_NUM_THREADS=1 python benchmarks/foreign_perception.py [seed=118900] [placements=20] [weights=default]
"""

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import mujoco
import numpy as np
from results_table import table
from scipy.ndimage import binary_dilation
from scipy.spatial.transform import Rotation
from tqdm import tqdm

from hiermap.model.weights import load_weights
from hiermap.primitives.specs import PRIMITIVES
from hiermap.worlds.base import CameraView, Observation
from hiermap.worlds.goals import Goal
from hiermap.worlds.imagined.latent import LatentWorld
from hiermap.worlds.perception.cameras import CameraSpec, default_cameras
from hiermap.worlds.perception.fusion import FRAME, MEAN_DEPTH_M, SpatialView, fuse
from hiermap.worlds.simulator.kitchen import Kitchen
from hiermap.worlds.simulator.sensors import AMBIENT, BACKGROUND_RGB, LIGHT_WORLD, geom_colours, pixel_rays
from hiermap.worlds.tasks.chains import sample_task

SCENE = "envs/assets/kitchen_franka/kitchen_assets/kitchen_env_model.xml"
PARTS: Mapping[str, tuple[str, str, str]] = {
    "bottom knob": ("knob 2", "rotate", "cw"),
    "top knob": ("knob 4", "rotate", "cw"),
    "light": ("lightswitchroot", "push", "left"),
    "slide cabinet": ("slidelink", "push", "right"),
    "hinge cabinet": ("hingerightdoor", "pull", ""),
    "microwave": ("microdoorroot", "pull", ""),
    "kettle": ("kettle", "grasp", ""),
}
"""Part -> its body, the primitive that is right for it, and how the names of the right orientation bins begin."""
GROUPS = np.array([1, 1, 1, 0, 0, 0], np.uint8)
"""Visible geoms of the scene."""
OFFERED, WITHIN_M = 0.5, 0.03


@dataclass(frozen=True)
class Placement:
    """Where the scene stands: a point p of it lies at `scale * turn @ p + shift` in our world."""

    scale: float
    turn: np.ndarray
    shift: np.ndarray

    def home(self, points: np.ndarray) -> np.ndarray:
        """World points `[..., 3]` in the scene's own coordinates."""
        return (points - self.shift) @ self.turn / self.scale


def bodies(model: mujoco.MjModel, name: str) -> list[int]:
    """A body and all that hangs from it."""
    found = [model.body(name).id]
    for body in range(found[0] + 1, model.nbody):
        if model.body_parentid[body] in found:
            found.append(body)
    return found


def placed(data: mujoco.MjData, rng: np.random.Generator) -> Placement:
    """The middle of the parts somewhere near the middle of the frame."""
    scale = rng.uniform(0.7, 1.0)
    turn = (Rotation.from_euler("z", rng.uniform(-0.3, 0.3)) * Rotation.from_euler("z", -np.pi / 2)).as_matrix()
    middle = np.mean([data.body(body).xpos for body, *_ in PARTS.values()], axis=0)
    target = FRAME.cell_to_point(np.array(FRAME.shape) / 2 + rng.uniform(-8, 8, 2), np.array(MEAN_DEPTH_M + rng.uniform(-0.1, 0.1)))
    return Placement(scale, turn, target - scale * turn @ middle)


def moved(camera: CameraSpec, rng: np.random.Generator) -> CameraSpec:
    """A camera like one of ours, some centimetres from it."""
    return replace(
        camera,
        position_world=tuple(np.add(camera.position_world, rng.uniform(-0.08, 0.08, 3))),
        target_world=tuple(np.add(camera.target_world, rng.uniform(-0.05, 0.05, 3))),
    )


def image(model: mujoco.MjModel, data: mujoco.MjData, camera: CameraSpec, placement: Placement) -> CameraView:
    """What a camera sees of the scene without its robot."""
    rays = pixel_rays(camera, camera.T_camera_to_world)
    rows, columns = np.mgrid[: camera.height, : camera.width]
    pixels = np.stack([columns, rows, np.ones_like(rows)], axis=-1).reshape(-1, 3)
    directions = pixels @ rays.directions.T @ placement.turn
    geom, length, normal = np.empty(len(pixels), np.int32), np.empty(len(pixels)), np.empty((len(pixels), 3))
    origin = placement.home(rays.origin_world)
    mujoco.mj_multiRay(
        model, data, origin, np.ascontiguousarray(directions).ravel(), GROUPS, True, -1, geom, length, normal.ravel(), len(pixels), 1e6
    )
    light = AMBIENT + (1 - AMBIENT) * np.clip(normal @ placement.turn.T @ LIGHT_WORLD, 0, 1)
    rgb = (255 * geom_colours(model)[geom] * light[:, None]).astype(np.uint8)
    depth = placement.scale * length
    rgb[geom < 0], depth[geom < 0] = BACKGROUND_RGB, np.nan
    shape = camera.height, camera.width
    return CameraView(rgb.reshape(*shape, 3), depth.reshape(shape).astype(np.float32), camera.K, camera.T_camera_to_world)


def parts_seen(model: mujoco.MjModel, data: mujoco.MjData, view: SpatialView, placement: Placement) -> dict[str, np.ndarray]:
    """Which cells show each part, `[H, W]` bool: the nearest geom to what is seen there, by a short ray onto it."""
    eye = placement.turn.T @ view.frame.view_direction
    starts = placement.home(view.points.astype(float)) - 0.03 * eye
    owner = np.full(view.frame.shape, -1)
    geom = np.zeros(1, np.int32)
    for cell in np.argwhere(view.valid):
        distance = mujoco.mj_ray(model, data, starts[tuple(cell)], eye, GROUPS, True, -1, geom)
        if 0 <= distance < 0.08:
            owner[tuple(cell)] = model.geom_bodyid[geom[0]]
    return {part: np.isin(owner, bodies(model, body)) for part, (body, *_) in PARTS.items()}


def offered(maps: np.ndarray, seen: np.ndarray, primitive: str, orientation: str) -> float:
    """The highest value `[P, R, H, W]` of a part's right action near where it is seen."""
    reach = int(WITHIN_M / FRAME.cell_size)
    near = binary_dilation(seen, iterations=reach) if seen.any() else seen
    index = list(PRIMITIVES).index(primitive)
    right = [r for r, name in enumerate(PRIMITIVES[primitive].rotations) if name.startswith(orientation)]
    return float(maps[index, right][:, near].max(initial=0.0))


def auroc(home: list[float], abroad: list[float]) -> float:
    """Chance that something at home is more familiar than something abroad."""
    pairs = np.subtract.outer(home, abroad)
    return float(((pairs > 0) + 0.5 * (pairs == 0)).mean())


def foreign_scene() -> tuple[mujoco.MjModel, mujoco.MjData]:
    """FrankaKitchen at its default positions, its robot invisible."""
    found = importlib.util.find_spec("gymnasium_robotics")
    if found is None or found.origin is None:
        sys.exit("gymnasium-robotics is not installed; run: pip install 'hiermap[franka-kitchen]'")
    model = mujoco.MjModel.from_xml_path(str(Path(found.origin).parent / SCENE))
    robot = [g for g in range(model.ngeom) if model.body(model.geom_bodyid[g]).name.startswith(("panda", "robot"))]
    model.geom_group[robot] = len(GROUPS) - 1
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


def main(arguments: list[str]) -> None:
    """Print how often each part is offered, and familiarity at home, of noise and abroad."""
    options = dict(word.split("=", 1) for word in arguments)
    seed, count = int(options.get("seed", 118900)), int(options.get("placements", 20))
    world = LatentWorld(load_weights(options.get("weights", "default")).model)
    model, data = foreign_scene()
    best: dict[str, list[float]] = {part: [] for part in PARTS}
    home, noise, abroad = list[float](), list[float](), list[float]()
    for number in tqdm(range(count)):
        rng = np.random.default_rng([seed, number])
        placement = placed(data, rng)
        images = [image(model, data, moved(camera, rng), placement) for camera in default_cameras()]
        own = Kitchen(sample_task("chain-3", seed + number).spec)
        view = fuse(Observation(tuple(images), own.observe().gripper))
        node = world.root(view, Goal((), {}))
        seen = parts_seen(model, data, view, placement)
        for part, (_, primitive, orientation) in PARTS.items():
            best[part].append(offered(world.maps([node])[0], seen[part], primitive, orientation))
        abroad.append(world.familiarity(node))
        home.append(world.familiarity(world.root(own.view(), Goal((), {}))))
        noisy = rng.integers(0, 256, (*FRAME.shape, 3)).astype(np.uint8), rng.uniform(0.6, 1.3, FRAME.shape).astype(np.float32)
        noise.append(world.familiarity(world.root(SpatialView(*noisy, np.ones(FRAME.shape, bool), False), Goal((), {}))))
    rows = [(part, f"{np.median(v):.2f}", f"{np.mean(np.array(v) >= OFFERED):.2f}", f"{max(v):.2f}") for part, v in best.items()]
    print(table(("part", "median peak", f"share >= {OFFERED}", "best"), rows))
    enough = np.mean(np.sum([np.array(v) >= OFFERED for v in best.values()], axis=0) >= 5)
    print(f"\nat least 5 of {len(PARTS)} parts offered in {enough:.0%} of {count} placements")
    for name, values in (("home", home), ("FrankaKitchen", abroad), ("noise", noise)):
        print(f"familiarity, {name}: median {np.median(values):.2f}, {min(values):.2f} to {max(values):.2f}")
    print(f"AUROC of home against FrankaKitchen {auroc(home, abroad):.3f}, against noise {auroc(home, noise):.3f}")


if __name__ == "__main__":
    main(sys.argv[1:])
