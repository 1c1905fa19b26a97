"""What a scene is made of, read off its model: joints become fixtures, free bodies things, level tops surfaces."""

from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from hiermap.primitives.arms.robosuite_arm import ROBOT_PREFIXES
from hiermap.worlds.errors import ConfigError
from hiermap.worlds.goals import Predicate

SLIDE, HINGE, FREE, BALL = (int(getattr(mujoco.mjtJoint, f"mjJNT_{kind}")) for kind in ("SLIDE", "HINGE", "FREE", "BALL"))
DRAWER_TRAVEL_M = 0.05
"""What slides so far is open or closed, anything less is a button that is on or off."""
DOOR_REACH_M = 0.10
"""What reaches so far from its hinge is a door, open or closed; a knob, lever or switch reaches less and is on or off."""
SURFACE_HALF_M = 0.04
"""A surface is at least twice as long and as wide."""
LEVEL = 0.98
"""Cosine of the steepest slope of a surface."""
COVERED_M, COVER_M = 0.06, 0.005
"""What lies within the first distance over a top, and is thicker than the second, covers it."""
PLATFORM = "robot_platform"
"""The board that is put under the arm."""
NOT_OF_THE_SCENE = ("left_eef_target", "right_eef_target", PLATFORM)
"""robosuite's markers, which nothing meets, and ours."""
ON_SURFACE_M = 0.025
"""A thing stands on a surface when its base is at most this far from the surface's top."""


@dataclass(frozen=True)
class Fixture:
    """A part on a hinge or slide.

    Attributes:
        joint, body: ids in the model.
        ends: what holds of it at `rest` and at `far`: ("closed", "open") or ("off", "on").
        rest, far: the joint at either end of its range [m or rad]; at rest it is nearer to how the scene is written.
        holds_things: whether something can be inside: it slides and has a bottom.
    """

    name: str
    joint: int
    body: int
    ends: tuple[str, str]
    rest: float
    far: float
    holds_things: bool

    def fraction(self, position: float) -> float:
        """How far it is open or on, in [0, 1]."""
        return float(np.clip((position - self.rest) / (self.far - self.rest), 0.0, 1.0))


@dataclass(frozen=True)
class Parts:
    """Everything of a scene that goals may name, by name.

    Attributes:
        things: name -> id of the free body.
        surfaces: name -> geom id.
        owners: geom id -> name of what it belongs to.
    """

    fixtures: Mapping[str, Fixture]
    things: Mapping[str, int]
    surfaces: Mapping[str, int]
    owners: Mapping[int, str]

    def vocabulary(self) -> list[Predicate]:
        """Every predicate that makes sense, in a fixed order."""
        found = [Predicate(end, (f.name,)) for f in self.fixtures.values() for end in reversed(f.ends)]
        for thing in self.things:
            found.append(Predicate("held", (thing,)))
            found += [Predicate("inside", (thing, f.name)) for f in self.fixtures.values() if f.holds_things]
            found += [Predicate("on_top", (thing, surface)) for surface in self.surfaces]
        return found


def parts_of(model: mujoco.MjModel, data: mujoco.MjData) -> Parts:
    """The parts of a model but for its robot, `data` being how it is written.

    Raises:
        ConfigError: a joint that cannot be used, or a scene with nothing to move.
    """
    fixtures, things = dict[str, Fixture](), dict[str, int]()
    for joint in range(model.njnt):
        body = int(model.jnt_bodyid[joint])
        name = model.joint(joint).name or model.body(body).name or f"joint_{joint}"
        if name.startswith(ROBOT_PREFIXES):
            continue
        if model.jnt_type[joint] == FREE:
            if geoms_of(model, body):
                things[model.body(body).name or name] = body
        else:
            fixtures[name] = _fixture(model, data, joint, name)
    surfaces = {model.geom(g).name: g for g in range(model.ngeom) if _is_surface(model, data, g)}
    if not fixtures and not things:
        raise ConfigError("the scene has nothing that moves; give a body a <joint> with a range, or a <freejoint/>")
    if twice := [name for name in fixtures if name in things or name in surfaces] + [name for name in things if name in surfaces]:
        raise ConfigError(f"{twice[0]!r} names two parts of the scene; give every joint, free body and surface its own name")
    by_body = {f.body: name for name, f in fixtures.items()} | {body: name for name, body in things.items()}
    owners = {geom: by_body[owner] for geom in range(model.ngeom) if (owner := _owner(model, geom, by_body)) is not None}
    return Parts(fixtures, things, surfaces, owners | {geom: name for name, geom in surfaces.items()})


def is_robots(model: mujoco.MjModel, geom: int) -> bool:
    """Whether a geom came with the robot."""
    names = model.geom(geom).name, model.body(model.geom_bodyid[geom]).name
    return any(name.startswith((*ROBOT_PREFIXES, *NOT_OF_THE_SCENE)) for name in names)


def opening(model: mujoco.MjModel, data: mujoco.MjData, fixture: Fixture) -> np.ndarray:
    """Which way the middle of a fixture sets out from rest, unit vector [3]; 0 for what turns about its middle."""
    axis, sign = data.xaxis[fixture.joint], np.sign(fixture.far - fixture.rest)
    if model.jnt_type[fixture.joint] == SLIDE:
        return sign * axis
    middle = np.mean(bounds(model, data, geoms_of(model, fixture.body)), axis=0)
    way = np.cross(axis, middle - data.xanchor[fixture.joint])
    return sign * way / np.linalg.norm(way) if fixture.ends[0] == "closed" and np.linalg.norm(way) > 1e-3 else np.zeros(3)


def inside(model: mujoco.MjModel, data: mujoco.MjData, fixture: Fixture, point_world: np.ndarray) -> bool:
    """Whether a base point [3] lies within the box around a sliding part."""
    low, high = bounds(model, data, geoms_of(model, fixture.body), data.xmat[fixture.body].reshape(3, 3), data.xpos[fixture.body])
    point = (point_world - data.xpos[fixture.body]) @ data.xmat[fixture.body].reshape(3, 3)
    return bool((point >= low - 1e-6).all() and (point <= high + 1e-6).all())


def on_top(model: mujoco.MjModel, data: mujoco.MjData, geom: int, point_world: np.ndarray) -> bool:
    """Whether a base point [3] lies on the top of a box or cylinder."""
    axes, size = data.geom_xmat[geom].reshape(3, 3), model.geom_size[geom]
    local = (point_world - data.geom_xpos[geom]) @ axes
    round_ = model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_CYLINDER
    half_height = size[1] if round_ else size[2]
    beside = np.hypot(*local[:2]) <= size[0] if round_ else bool((np.abs(local[:2]) <= size[:2]).all())
    return bool(beside and abs(local[2] - half_height) <= ON_SURFACE_M)


def base_of(model: mujoco.MjModel, data: mujoco.MjData, body: int) -> np.ndarray:
    """The lowest point below the centre of mass of a free body, which a hand puts over the point that it is told, [3] [m]."""
    geoms = geoms_of(model, body)
    own = sorted({int(model.geom_bodyid[geom]) for geom in geoms})
    x, y, _ = np.average(data.xipos[own], axis=0, weights=model.body_mass[own])
    low, _ = bounds(model, data, geoms)
    return np.array([x, y, low[2]])


def geoms_of(model: mujoco.MjModel, body: int) -> list[int]:
    """Geoms of a body and of what is fixed to it, without parts that move by themselves."""
    return [g for g in range(model.ngeom) if _owner(model, g, {body: ""}) is not None]


def bounds(
    model: mujoco.MjModel, data: mujoco.MjData, geoms: list[int], axes: np.ndarray | None = None, origin: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest corner [3] of the box around geoms, along the world's axes or along the columns of `axes` from `origin`."""
    signs = np.array(np.meshgrid(*[(-1, 1)] * 3)).reshape(3, -1).T
    boxes = model.geom_aabb[geoms]
    local = boxes[:, None, :3] + signs * boxes[:, None, 3:]
    corners = np.einsum("gij,gkj->gki", data.geom_xmat[geoms].reshape(-1, 3, 3), local) + data.geom_xpos[geoms][:, None]
    corners = corners.reshape(-1, 3)
    if axes is not None and origin is not None:
        corners = (corners - origin) @ axes
    return corners.min(axis=0), corners.max(axis=0)


def _fixture(model: mujoco.MjModel, data: mujoco.MjData, joint: int, name: str) -> Fixture:
    body, kind = int(model.jnt_bodyid[joint]), model.jnt_type[joint]
    low, high = model.jnt_range[joint]
    if kind == BALL or model.body_jntnum[body] > 1:
        raise ConfigError(f"joint {name!r}: expected one hinge or slide a body; give every further joint a body of its own")
    if not model.jnt_limited[joint] or not high > low:
        raise ConfigError(f"joint {name!r} has no limits; give it range='LOW HIGH', so that open and closed, on and off mean something")
    written = data.qpos[model.jnt_qposadr[joint]]
    rest, far = (low, high) if abs(written - low) <= abs(written - high) else (high, low)
    geoms = geoms_of(model, body)
    if not geoms:
        raise ConfigError(f"joint {name!r} moves nothing that can be seen; give its body a geom")
    corners = np.array(np.meshgrid(*np.array(bounds(model, data, geoms)).T)).reshape(3, -1).T - data.xanchor[joint]
    across = np.linalg.norm(np.cross(corners, data.xaxis[joint]), axis=1).max()
    wide = high - low >= DRAWER_TRAVEL_M if kind == SLIDE else across >= DOOR_REACH_M
    level = abs(data.xaxis[joint][2]) < 0.5
    holds_things = bool(kind == SLIDE and wide and level and _has_bottom(model, data, geoms))
    return Fixture(name, joint, body, ("closed", "open") if wide else ("off", "on"), rest, far, holds_things)


def _has_bottom(model: mujoco.MjModel, data: mujoco.MjData, geoms: list[int]) -> bool:
    """Whether what lets itself fall in most of the box around some geoms lands on them, low enough to be inside."""
    low, high = bounds(model, data, geoms)
    hit, normal, landed = np.full(1, -1, np.int32), np.zeros(3), 0
    for x, y in ((0.5, 0.5), (0.3, 0.3), (0.3, 0.7), (0.7, 0.3), (0.7, 0.7)):
        start = low + (high - low) * (x, y, 0.5)
        mujoco.mj_ray(model, data, start, np.array([0.0, 0.0, -1.0]), None, True, -1, hit, normal)
        landed += bool(hit[0] in geoms and normal[2] > 0.0)  # a ray that begins within a geom leaves it by its underside
    return landed > 2


def _owner(model: mujoco.MjModel, geom: int, bodies: Mapping[int, str]) -> int | None:
    """Which of `bodies` a geom is fixed to."""
    body = int(model.geom_bodyid[geom])
    while body not in bodies:
        if body == 0 or model.body_jntnum[body]:
            return None
        body = int(model.body_parentid[body])
    return body


def _is_surface(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> bool:
    """Whether a geom has a name, stands still and has a level top of some size."""
    kind, size = model.geom_type[geom], model.geom_size[geom]
    if not model.geom(geom).name or model.body_weldid[model.geom_bodyid[geom]] != 0 or is_robots(model, geom):
        return False
    if kind not in (mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER) or data.geom_xmat[geom][8] < LEVEL:
        return False
    box = kind == mujoco.mjtGeom.mjGEOM_BOX
    wide = min(size[0], size[1]) if box else size[0]
    return bool(wide >= SURFACE_HALF_M) and not _is_covered(model, data, geom, size[2] if box else size[1])


def _is_covered(model: mujoco.MjModel, data: mujoco.MjData, geom: int, half_height: float) -> bool:
    """Whether something that stands still lies right over most of a top."""
    axes, hit = data.geom_xmat[geom].reshape(3, 3), np.full(1, -1, np.int32)
    covered = 0
    for x, y in ((0.0, 0.0), (0.5, 0.5), (0.5, -0.5), (-0.5, 0.5), (-0.5, -0.5)):
        across = model.geom_size[geom, 0], model.geom_size[geom, 1 if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_BOX else 0]
        top = data.geom_xpos[geom] + axes @ (x * across[0], y * across[1], half_height)
        length = mujoco.mj_ray(model, data, top + np.array([0.0, 0.0, COVERED_M]), np.array([0.0, 0.0, -1.0]), None, True, -1, hit)
        covered += bool(length < COVERED_M - COVER_M and model.body_weldid[model.geom_bodyid[hit[0]]] == 0)
    return covered > 2
