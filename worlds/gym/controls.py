"""What a step of an environment does: one primitive, or a twenty-fifth of a second of joint or hand motion."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from gymnasium import spaces
from scipy.spatial.transform import Rotation

from hiermap.primitives.motion.kinematics import rotation_error
from hiermap.primitives.motion.laws import DIVERGED, impedance, look, stay, track
from hiermap.primitives.specs import PRIMITIVES, ROTATION_BINS, PrimitiveResult, Reason
from hiermap.worlds.base import Action
from hiermap.worlds.errors import ConfigError, InvalidObservationError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.gym.moment import Moment
from hiermap.worlds.scene import Scene
from hiermap.worlds.simulator.robot_scene import RobotScene

HZ = 25
"""Steps per second under "joint" and "osc"."""
JOINT_STEP_RAD = 0.04
"""A joint's target moves at most so far in a step, 1 rad/s: faster ones overshoot by more than the torques can take back."""
HAND_STEP_M, HAND_STEP_RAD = 0.016, 0.04
"""The hand's target moves and turns at most so far in a step along and about each axis, 0.4 m/s and 1 rad/s."""
JOINT_LEASH_RAD, HAND_LEASH_M, HAND_LEASH_RAD = 0.2, 0.03, 0.3
"""A target is never farther than this from where the arm really is, so that pushing against something stores up no way to spring back."""


class Control(Protocol):
    """A way of acting.

    Attributes:
        space: of actions.
        hz: steps per second of simulated time; of a primitive, which takes as long as it takes, pictures per second of a video.
        most_steps: an episode is truncated after so many, unless said otherwise.
        lasting_steps: a goal is reached when it has truly held for so many steps in a row.
    """

    space: spaces.Space[Any]
    hz: int
    most_steps: int
    lasting_steps: int

    def begin(self, scene: Scene) -> None:
        """A new episode; ConfigError if its scene has nothing that can be driven this way."""

    def act(self, action: np.ndarray, moment: Moment) -> PrimitiveResult | None:
        """One step, with the primitive's own report if there is one; PhysicsError if the simulation diverges."""


class PrimitiveControl:
    """A step is one motor program, from its start to the arm's return: (primitive, row, column, orientation bin) in the fused view."""

    hz, most_steps, lasting_steps = 2, 30, 1
    space: spaces.Space[Any]

    def __init__(self, frame: SpatialFrame) -> None:
        self.space = spaces.MultiDiscrete([len(PRIMITIVES), *frame.shape, ROTATION_BINS])

    def begin(self, scene: Scene) -> None:
        """Nothing is kept from one step to the next."""

    def act(self, action: np.ndarray, moment: Moment) -> PrimitiveResult:
        number, row, column, rotation = map(int, action)
        try:
            return moment.scene.act(Action(tuple(PRIMITIVES)[number], (row, column), rotation), moment.view)
        except InvalidObservationError:
            # An action space of cells includes cells where nothing is and bins that a primitive does not use.
            return PrimitiveResult(False, Reason.NOTHING_THERE, 0.0, 0.0)


class ServoControl:
    """A step moves a target for 1 / `HZ` s at even speed; the arm follows it by its own law at 125 Hz.

    Every number of an action is in [-1, 1]. The last one is the gripper: each finger is driven to that share of its way from the middle,
    -1 fully open, 1 pressed together with full force.
    """

    hz, most_steps, lasting_steps = HZ, 4000, HZ // 2
    space: spaces.Space[Any]
    numbers: int

    def __init__(self, frame: SpatialFrame) -> None:
        self.space = spaces.Box(-1.0, 1.0, (self.numbers + 1,), np.float32)

    def begin(self, scene: Scene) -> None:
        if not isinstance(scene, RobotScene):
            raise ConfigError(f"a {type(scene).__name__} has no arm to drive, expected a simulated robot; take control=primitive")
        self.arm, self.plant = scene.arm, scene.arm.plant
        self.arm.reset()
        self.plant.deadline, self.plant.tare[:] = np.inf, 0.0
        look(self.plant)
        self.ticks = max(1, round(1 / (HZ * self.arm.period)))
        self.aim_at_here()

    def act(self, action: np.ndarray, moment: Moment) -> None:
        assert isinstance(moment.scene, RobotScene)  # `begin` refuses others
        self.plant.fingers = -float(action[-1]) * self.arm.finger_limit
        with moment.scene.watched(type(self).__name__):
            if self.follow(action[:-1].astype(float)) == DIVERGED:
                raise self.arm.fault()

    def aim_at_here(self) -> None:
        """The target is where the arm is."""
        raise NotImplementedError

    def follow(self, action: np.ndarray) -> int:
        """Move the target and follow it for one step; the status of the last tick."""
        raise NotImplementedError


class JointControl(ServoControl):
    """Targets of the seven joints in the order of the arm, 1 is `JOINT_STEP_RAD`; followed by computed torque."""

    numbers = 7

    def aim_at_here(self) -> None:
        self.q = self.plant.q.copy()

    def follow(self, action: np.ndarray) -> int:
        plant, here = self.plant, self.plant.q.copy()
        start = here + np.clip(self.q - here, -JOINT_LEASH_RAD, JOINT_LEASH_RAD)
        self.q = np.clip(start + JOINT_STEP_RAD * action, plant.lower, plant.upper)
        share = np.arange(1, self.ticks + 1)[:, None] / self.ticks
        way = np.ascontiguousarray(start + share * (self.q - start))
        speed = np.tile((self.q - start) / (self.ticks * self.arm.period), (self.ticks, 1))
        return int(track(plant, way, speed, np.zeros_like(way), False)[0])


class HandControl(ServoControl):
    """The hand's target pose, axes of the arm's base: three numbers move it, 1 is `HAND_STEP_M`, three turn it about its place (a rotation
    vector), 1 is `HAND_STEP_RAD`; followed by an impedance of 1500 N/m and 60 N m/rad, at most 40 N and 15 N m.
    """

    numbers = 6

    def aim_at_here(self) -> None:
        self.goal = impedance(self.plant.rotation.copy(), self.plant.position.copy())

    def follow(self, action: np.ndarray) -> int:
        plant, goal, status = self.plant, self.goal, 0
        goal.position[:] = plant.position + shortened(goal.position - plant.position, HAND_LEASH_M)
        behind = shortened(rotation_error(goal.rotation, plant.rotation), HAND_LEASH_RAD)
        goal.rotation[:] = Rotation.from_rotvec(behind).as_matrix() @ plant.rotation
        move = HAND_STEP_M * action[:3] / self.ticks
        turn = Rotation.from_rotvec(HAND_STEP_RAD * action[3:] / self.ticks).as_matrix()
        goal.velocity[:] = move / self.arm.period
        for _ in range(self.ticks):
            goal.position[:] += move
            goal.rotation[:] = turn @ goal.rotation
            status = int(stay(plant, goal, self.arm.ready, 1))
            if status == DIVERGED:
                break
        return status


def shortened(vector: np.ndarray, most: float) -> np.ndarray:
    """A vector no longer than `most`."""
    length = float(np.linalg.norm(vector))
    return vector if length <= most else vector * (most / length)


CONTROLS: Mapping[str, type[PrimitiveControl] | type[ServoControl]] = {
    "primitive": PrimitiveControl,
    "joint": JointControl,
    "osc": HandControl,
}
"""Name -> a `Control`, made with the frame of the views."""
