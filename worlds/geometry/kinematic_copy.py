"""A scene whose parts and arm are put anywhere to ask what would touch: MuJoCo's collision detection without its physics."""

import copy
from collections.abc import Mapping, Sequence

import mujoco
import numpy as np

from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.spec import ArmSpec
from hiermap.worlds.mjcf.parts import Fixture, Parts, base_of, inside, is_robots, on_top
from hiermap.worlds.perception.fusion import SpatialView
from hiermap.worlds.simulator.robot_scene import RobotScene

MARGIN_M = 0.015
"""Distances up to this are told apart; what is further off does not touch."""
STATIC, ROBOT, FINGERS = 0, 1, 2
"""Groups of geoms: what stands still, the robot, what opens and closes of it, and then a part each."""
AWAY = np.array([0.0, 0.0, -30.0, 1.0, 0.0, 0.0, 0.0])
"""Where things are put that are not there; each a little further away."""
ATTEMPTS, ASKEW_RAD, ASKEW_AXIS, GOLDEN = 5, 2e-3, np.array([0.6, 0.48, 0.64]), 0.618
"""How often, how far and about which axis parallel boxes are turned out of each other; shares of it follow the golden ratio."""
SOLID, AIR = 0, 1
"""Geom groups by which rays tell what can be touched."""


class KinematicCopy:
    """A copy of a scene's model to be posed.

    Attributes:
        parts: of the scene.
        scene: the copy as something that can be looked at and whose arm knows its kinematics.
        groups: name of a part -> its group.
        written: thing -> pose `[7]` as the scene is written.
    """

    def __init__(self, model: mujoco.MjModel, parts: Parts, arm: ArmSpec = PANDA) -> None:
        self.model = copy.deepcopy(model)
        self.model.geom_margin[:] = MARGIN_M
        self.model.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)
        self.parts = parts
        self.scene = RobotScene(self.model, parts.owners, "a kinematic copy", arm=arm)
        self.data = self.scene.data
        self.groups = {name: number for number, name in enumerate((*parts.fixtures, *parts.things), FINGERS + 1)}
        robots = [is_robots(self.model, geom) for geom in range(self.model.ngeom)]
        owned = {geom: self.groups[name] for geom, name in parts.owners.items() if name in self.groups}
        owned |= {geom: FINGERS if self._is_finger(geom) else ROBOT for geom in np.flatnonzero(robots)}
        self._group = np.array([owned.get(geom, STATIC) for geom in range(self.model.ngeom)])
        self._solid = copy.deepcopy(self.model)
        touchable = (self.model.geom_contype != 0) | (self.model.geom_conaffinity != 0)
        self._solid.geom_group[:] = np.where(touchable & ~np.array(robots), SOLID, AIR)
        mujoco.mj_kinematics(self.model, self.data)
        self._pose_address = {name: self._address(body) for name, body in parts.things.items()}
        self.written = {name: self.data.qpos[at : at + 7].copy() for name, at in self._pose_address.items()}
        self.base_offset = {name: base_of(self.model, self.data, body) - self.written[name][:3] for name, body in parts.things.items()}
        self._balls = {name: self._ball(name) for name in parts.things}
        self._lines = {name: (self.data.xanchor[f.joint].copy(), self.data.xaxis[f.joint].copy()) for name, f in parts.fixtures.items()}
        self.reset()

    def _is_finger(self, geom: int) -> bool:
        """Whether a geom of the robot is moved by joints of its hand."""
        body = self.model.geom_bodyid[geom]
        while body and not self.model.body_jntnum[body]:
            body = self.model.body_parentid[body]
        return bool(body) and self._address(body) not in self.scene.arm.qpos

    def _ball(self, thing: str) -> tuple[np.ndarray, float]:
        """A ball that a thing does not leave: its middle [3] from the middle of its base, and its radius [m]."""
        own = self._group == self.groups[thing]
        centres, radii = self.data.geom_xpos[own], self.model.geom_rbound[own]
        middle = ((centres - radii[:, None]).min(axis=0) + (centres + radii[:, None]).max(axis=0)) / 2
        radius = float((np.linalg.norm(centres - middle, axis=1) + radii).max())
        return middle - self.written[thing][:3] - self.base_offset[thing], radius

    def _address(self, body: int) -> int:
        return int(self.model.jnt_qposadr[self.model.body_jntadr[body]])

    def reset(self) -> None:
        """Fixtures at rest, nothing there that could be carried, the arm at ready."""
        for name in self.parts.fixtures:
            self.turn(name, 0.0)
        for name in self.parts.things:
            self.take_away(name)
        self.pose_arm(self.scene.arm.ready, self.scene.arm.finger_limit)

    def follow(self, qpos: np.ndarray) -> None:
        """Everything as the scene's own state `[nq]` says."""
        self.data.qpos[:] = qpos
        mujoco.mj_kinematics(self.model, self.data)

    def turn(self, fixture: str, fraction: float) -> None:
        """A fixture to a fraction of its range."""
        part = self.parts.fixtures[fixture]
        self.data.qpos[self.model.jnt_qposadr[part.joint]] = part.rest + fraction * (part.far - part.rest)

    def stand(self, thing: str, base_world: np.ndarray, quaternion: np.ndarray | None = None) -> None:
        """A thing with the middle of its base at a point [3], turned as written or as the unit quaternion says."""
        at = self._pose_address[thing]
        self.data.qpos[at : at + 7] = self.written[thing]
        self.data.qpos[at : at + 3] = base_world - self.base_offset[thing]
        if quaternion is not None:
            self.data.qpos[at + 3 : at + 7] = quaternion

    def take_away(self, thing: str) -> None:
        """A thing is not there."""
        at = self._pose_address[thing]
        self.data.qpos[at : at + 7] = AWAY - np.array([0.0, 0.0, float(self.groups[thing]), 0.0, 0.0, 0.0, 0.0])

    def pose_arm(self, joints: np.ndarray, finger: float) -> None:
        """The arm to joint angles [n], each finger so far from the middle [m]."""
        self.scene.pose_arm(joints, finger)

    def distances(self) -> np.ndarray:
        """Signed distance of the nearest pair of geoms that could touch, between groups: `[G, G]` [m], infinite beyond `MARGIN_M`."""
        mujoco.mj_kinematics(self.model, self.data)
        self._collide()
        count = len(self.groups) + FINGERS + 1
        least = np.full((count, count), np.inf)
        first, second = self._group[self.data.contact.geom[: self.data.ncon]].T
        np.minimum.at(least, (first, second), self.data.contact.dist[: self.data.ncon])
        return np.minimum(least, least.T)

    def may_touch(self, thing: str, bases_world: np.ndarray, groups: Sequence[int]) -> np.ndarray:
        """Whether a thing with its base at points `[N, 3]` could come within `MARGIN_M` of groups as they are posed, `[N]` bool."""
        (middle, radius), others = self._balls[thing], np.isin(self._group, list(groups))
        boxes, axes = self.model.geom_aabb[others], self.data.geom_xmat[others].reshape(-1, 3, 3)
        # In the frame of every geom, from the middle of its box.
        offset = np.einsum("ngi,gij->ngj", (bases_world + middle)[:, None] - self.data.geom_xpos[others], axes) - boxes[:, :3]
        away = np.linalg.norm(np.maximum(np.abs(offset) - boxes[:, 3:], 0.0), axis=2)
        return (away <= radius + MARGIN_M).any(axis=1)

    def _collide(self) -> None:
        """MuJoCo's collision detection, which allows itself fewer contacts than it may find between boxes that lie parallel in each other:
        then all are turned a little, each differently."""
        for attempt in range(ATTEMPTS):
            try:
                mujoco.mj_collision(self.model, self.data)
                return
            except mujoco.FatalError:
                for geom, turn in enumerate(ASKEW_RAD * (np.arange(self.model.ngeom) * GOLDEN * (attempt + 1) % 1.0)):
                    matrix = self.data.geom_xmat[geom].reshape(3, 3)
                    self.data.geom_xmat[geom] = (rotation_about(ASKEW_AXIS, turn) @ matrix).ravel()
        mujoco.mj_collision(self.model, self.data)

    def look(self) -> tuple[SpatialView, Mapping[str, np.ndarray]]:
        """The fused view of what is posed, and the cells `[H, W]` bool of everything in it."""
        mujoco.mj_forward(self.model, self.data)
        return self.scene.view(), self.scene.masks()

    def is_inside(self, fixture: str, point_world: np.ndarray) -> bool:
        """Whether a base point [3] is inside a fixture as it is posed."""
        mujoco.mj_kinematics(self.model, self.data)
        return inside(self.model, self.data, self.parts.fixtures[fixture], point_world)

    def is_on(self, surface: str, point_world: np.ndarray) -> bool:
        """Whether a base point [3] is on a surface."""
        mujoco.mj_kinematics(self.model, self.data)
        return on_top(self.model, self.data, self.parts.surfaces[surface], point_world)

    def first_met(self, start: np.ndarray, way: np.ndarray) -> tuple[float, int]:
        """How far along a way [3] from a point [3] something solid but the robot begins [m], and its group; infinite and -1 for nothing."""
        geom, length = np.full(1, -1, np.int32), float(np.linalg.norm(way))
        groups = np.array([1, 0, 0, 0, 0, 0], np.uint8)
        met = mujoco.mj_ray(self._solid, self.data, start, way / length, groups, True, -1, geom)
        return (met, int(self._group[geom[0]])) if 0 <= met <= length else (np.inf, -1)

    def carried(self, fixture: str, points_world: np.ndarray, start: float, end: float) -> np.ndarray:
        """Where points [..., 3] that are fixed to a fixture at fraction `start` are at fraction `end` [m]."""
        part, (anchor, axis) = self.parts.fixtures[fixture], self._lines[fixture]
        way = (end - start) * (part.far - part.rest)
        if self.slides(part):
            return points_world + way * axis
        return (points_world - anchor) @ rotation_about(axis, way).T + anchor

    def turned(self, fixture: str, start: float, end: float) -> np.ndarray:
        """The rotation [3, 3] of a fixture between two fractions."""
        part = self.parts.fixtures[fixture]
        return np.eye(3) if self.slides(part) else rotation_about(self._lines[fixture][1], (end - start) * (part.far - part.rest))

    def off_axis(self, fixture: str, points_world: np.ndarray) -> np.ndarray:
        """How far points `[N, 3]` are from the axis of what turns, `[N]` [m]; 0 for what slides."""
        part, (anchor, axis) = self.parts.fixtures[fixture], self._lines[fixture]
        return np.zeros(len(points_world)) if self.slides(part) else np.linalg.norm(np.cross(points_world - anchor, axis), axis=1)

    def slides(self, part: Fixture) -> bool:
        """Whether a fixture moves straight."""
        return bool(self.model.jnt_type[part.joint] == mujoco.mjtJoint.mjJNT_SLIDE)

    def opening_axis(self, fixture: str) -> np.ndarray:
        """Unit direction [3] along or about which a fixture moves from rest to far."""
        part = self.parts.fixtures[fixture]
        return np.sign(part.far - part.rest) * self._lines[fixture][1]


def rotation_about(axis: np.ndarray, angle_rad: float) -> np.ndarray:
    """The rotation [3, 3] about a unit axis [3]."""
    quaternion, matrix = np.empty(4), np.empty(9)
    mujoco.mju_axisAngle2Quat(quaternion, axis, angle_rad)
    mujoco.mju_quat2Mat(matrix, quaternion)
    return matrix.reshape(3, 3)
