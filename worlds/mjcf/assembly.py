"""Putting the arm into a scene: the scene is moved so that the arm's base is the world's origin, as it is at home."""

from xml.etree.ElementTree import tostring

import mujoco
import numpy as np

from hiermap.primitives.arms.robosuite_arm import ROBOT_PREFIXES, arm_joints
from hiermap.primitives.arms.spec import ArmSpec
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.kitchen.layouts import FLOOR_Z
from hiermap.worlds.mjcf.parts import PLATFORM, bounds, geoms_of, is_robots, opening, parts_of
from hiermap.worlds.mjcf.scene_file import compiled
from hiermap.worlds.perception.fusion import FRAME
from hiermap.worlds.simulator.rays import CAMERA_GROUP, EXACT_GROUP, SHAPES
from hiermap.worlds.simulator.robosuite_env import prepared, robot_alone
from hiermap.worlds.simulator.segmentation import segment

Base = tuple[float, float, float, float]
"""Where the arm stands in the scene's own coordinates: x, y, z [m] and the yaw that it faces [rad]."""
PLATFORM_HALF_M, PLATFORM_AT_M = (0.5, 0.6, 0.02), (0.0, 0.0, FLOOR_Z - 0.02)
"""What the arm stands on, wherever it is put: a board whose top lies as far below the arm's base as the floor does at home."""
VISIBLE_GROUPS = (0, 1, 2)
"""Groups of geoms that MuJoCo's viewer shows unless told otherwise; collision geoms that nobody shall see are in others."""
UNSEEN_GROUP = 4
WITHIN = np.array([[0.40, -0.50, -0.05], [0.80, 0.50, 0.65]])
"""What the arm reaches before it, lowest and highest corner [m]."""
MIDDLE = np.array([0.68, 0.0, 0.28])
"""Where the middle of a kitchen front is at home [m]."""
YAWS, STEPS_M = 16, (-0.15, 0.0, 0.15)
"""Bases tried: so many directions to face, and the middle of the parts so far to the front or side of `MIDDLE`."""
LOOKED_FROM = 12
"""Bases, the most promising first, from which it is asked what is seen."""
SEEN_CELLS = 12
"""A part that fewer cells show cannot be named in a goal."""


def assembled(scene: mujoco.MjSpec, base: Base, name: str, arm: ArmSpec, dressed: bool = False) -> mujoco.MjModel:
    """The model of a scene with an arm at `base`, as physics or, dressed, as photographs have it."""
    robot = mujoco.MjSpec.from_string(tostring(robot_alone(arm.robot, dressed), encoding="unicode"))
    floor = robot.geom("floor")
    floor.name, floor.type, floor.size, floor.pos = PLATFORM, mujoco.mjtGeom.mjGEOM_BOX, PLATFORM_HALF_M, PLATFORM_AT_M
    return prepared(_shown(_moved(robot, scene, base, name)), arm)


def best_base(scene: mujoco.MjSpec, name: str, arm: ArmSpec) -> Base:
    """The base from which the arm reaches and sees most parts of a scene, their fronts before it.

    Raises:
        ConfigError: from none of the bases tried anything is within reach.
    """
    model = compiled(scene.copy(), name)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    parts = parts_of(model, data)
    bodies = [*(f.body for f in parts.fixtures.values()), *parts.things.values()]
    middles = np.array([np.mean(bounds(model, data, geoms_of(model, body)), axis=0) for body in bodies])
    fronts = [opening(model, data, fixture) for fixture in parts.fixtures.values()]
    bases = [base for yaw in np.arange(YAWS) * 2 * np.pi / YAWS for base in _facing(middles, float(yaw))]
    ranks = {base: (_reached(middles, base), _faced(fronts, base) - _off_middle(middles, base)) for base in bases}
    promising = sorted(bases, key=lambda base: ranks[base], reverse=True)[:LOOKED_FROM]
    if ranks[promising[0]][0] == 0:
        raise ConfigError(f"{name}: none of its {len(bodies)} parts comes within the arm's reach; give kitchen.base='X Y Z YAW'")
    seen = {base: _seen(scene, base, name) for base in promising}
    ordered = sorted(promising, key=lambda base: (seen[base], *ranks[base]), reverse=True)
    return next((base for base in ordered if not _stands_in(assembled(scene, base, name, arm), arm)), ordered[0])


def _moved(around: mujoco.MjSpec, scene: mujoco.MjSpec, base: Base, name: str) -> mujoco.MjModel:
    """What is `around` the origin, compiled with the scene moved so that `base` is there."""
    x, y, z, yaw = base
    cosine, sine = np.cos(yaw), np.sin(yaw)
    pose = {"pos": (-cosine * x - sine * y, sine * x - cosine * y, -z), "quat": (np.cos(yaw / 2), 0.0, 0.0, -np.sin(yaw / 2))}
    try:
        around.attach(scene.copy(), prefix="", frame=around.worldbody.add_frame(**pose))
    except ValueError as error:
        raise ConfigError(f"{name}: {' '.join(str(error).split())}; names like {ROBOT_PREFIXES[0]}... are the robot's") from error
    return compiled(around, name)


def _shown(model: mujoco.MjModel) -> mujoco.MjModel:
    """The model with every geom of the scene in the group in which rays look for it."""
    for geom in range(model.ngeom):
        if not is_robots(model, geom):
            visible = model.geom_group[geom] in VISIBLE_GROUPS and model.geom_rgba[geom, 3] > 0
            simple = model.geom_type[geom] in SHAPES
            model.geom_group[geom] = (CAMERA_GROUP if simple else EXACT_GROUP) if visible else UNSEEN_GROUP
    return model


def _facing(middles: np.ndarray, yaw: float) -> list[Base]:
    """Bases that face `yaw` with the middle of the parts around `MIDDLE`."""
    forward, left = np.array([np.cos(yaw), np.sin(yaw)]), np.array([-np.sin(yaw), np.cos(yaw)])
    x, y, z = (middles.min(axis=0) + middles.max(axis=0)) / 2
    moved = [(x, y) - (MIDDLE[0] + ahead) * forward - aside * left for ahead in STEPS_M for aside in STEPS_M]
    return [(float(at[0]), float(at[1]), float(z - MIDDLE[2]), yaw) for at in moved]


def _from(middles: np.ndarray, base: Base) -> np.ndarray:
    """Points `[N, 3]` of the scene as seen from a base."""
    x, y, z, yaw = base
    offset = middles - (x, y, z)
    return np.column_stack([offset[:, :2] @ (np.cos(yaw), np.sin(yaw)), offset[:, :2] @ (-np.sin(yaw), np.cos(yaw)), offset[:, 2]])


def _reached(middles: np.ndarray, base: Base) -> int:
    """How many points are within reach."""
    local = _from(middles, base)
    return int(((local >= WITHIN[0]) & (local <= WITHIN[1])).all(axis=1).sum())


def _faced(fronts: list[np.ndarray], base: Base) -> float:
    """How well the fronts look at a base: the sum of the cosines."""
    return float(sum(-front[:2] @ (np.cos(base[3]), np.sin(base[3])) for front in fronts))


def _off_middle(middles: np.ndarray, base: Base) -> float:
    """How far the furthest part is from the middle of what is within reach [m]."""
    return float(np.linalg.norm(_from(middles, base) - MIDDLE, axis=1).max())


def _seen(scene: mujoco.MjSpec, base: Base, name: str) -> int:
    """How many parts are seen from a base."""
    model = _shown(_moved(mujoco.MjSpec(), scene, base, name))
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    parts = parts_of(model, data)
    masks = segment(model, data, FRAME, parts.owners, ())
    return sum(bool(masks[part].sum() >= SEEN_CELLS) for part in (*parts.fixtures, *parts.things))


def _stands_in(model: mujoco.MjModel, arm: ArmSpec) -> bool:
    """Whether the arm at ready touches the scene."""
    data = mujoco.MjData(model)
    data.qpos[model.jnt_qposadr[arm_joints(model)]] = arm.ready
    mujoco.mj_forward(model, data)
    return any(is_robots(model, a) or is_robots(model, b) for a, b in data.contact.geom[: data.ncon].tolist())
