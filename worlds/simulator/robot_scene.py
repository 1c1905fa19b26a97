"""`RobotScene`: a robot in a simulated scene, whatever stands there: look, act, snapshot."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import mujoco
import numpy as np

from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.robosuite_arm import HAND, ROBOT_PREFIXES, STATE, RobosuiteArm
from hiermap.primitives.arms.spec import ArmSpec
from hiermap.primitives.motion.arm import ArmFault
from hiermap.primitives.motion.laws import DIVERGED, hold
from hiermap.primitives.skills.run import is_holding, run_primitive
from hiermap.primitives.specs import Command, PrimitiveResult
from hiermap.worlds.base import Action, GripperState, Observation
from hiermap.worlds.errors import PhysicsError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.perception.cameras import CameraSpec
from hiermap.worlds.perception.fusion import FRAME, SpatialView, fuse
from hiermap.worlds.perception.grounding import ground
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.segmentation import segment
from hiermap.worlds.simulator.sensors import LIGHT_WORLD, draw_drift, ray_image, robot_body, sense

OVER_THE_SHOULDER = CameraSpec((-0.1, 1.05, 1.15), (0.56, 0.02, 0.28), 0.75, 640, 480)
"""Of pictures for people."""


@dataclass(frozen=True)
class ThingState:
    """What is true of a thing.

    Attributes:
        middle_world: of its shapes [m].
        quaternion: of its body, w, x, y, z.
        fraction: how far it is open or on, in [0, 1]; -1 on no joint.
        held: between the fingers.
    """

    middle_world: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]
    fraction: float
    held: bool


class RobotScene:
    """A model with an arm of robosuite's in it, which looks and acts.

    Attributes:
        model, data: raw MuJoCo.
        arm: as motor programs drive it.
        frame: the cells of its views.
        geom_owner: geom id -> name of the thing that it belongs to.
        robot_geom_ids: geoms of the robot's own body.
        drift: how cameras and light have changed since the calibration.
        about: what errors call the scene.

    Args:
        seeds: of the noise of its looks: of the scene and of its sensing.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        geom_owner: Mapping[int, str],
        about: str,
        sensing: SensingOptions | None = None,
        seeds: tuple[int, int] = (0, 0),
        frame: SpatialFrame = FRAME,
        arm: ArmSpec = PANDA,
    ) -> None:
        self.model, self.data = model, mujoco.MjData(model)
        self.geom_owner, self.about, self.frame = geom_owner, about, frame
        self.sensing = SensingOptions() if sensing is None else sensing
        self.arm = RobosuiteArm(arm, self.model, self.data)
        self._seeds = seeds
        self.drift = draw_drift(self.sensing, np.random.default_rng(seeds))
        self.robot_geom_ids = frozenset(i for i in range(model.ngeom) if model.geom(i).name.startswith(ROBOT_PREFIXES))
        self._site = model.site(HAND + "grip_site").id
        self._finger_geoms = [{model.geom(HAND + name).id for name in names} for names in arm.hand.fingers]

    # The truth, for labels, oracle and judge only.

    def between_fingers(self) -> set[str]:
        """Names of the things that both fingers touch."""
        contacts = self.data.contact.geom[: self.data.ncon]
        pairs = [*contacts.tolist(), *contacts[:, ::-1].tolist()]
        left, right = ({self.geom_owner.get(other) for geom, other in pairs if geom in fingers} for fingers in self._finger_geoms)
        return {name for name in left & right if name is not None}

    def pose_arm(self, joints: np.ndarray, finger: float) -> None:
        """Teleport: the arm to joint angles [n], each finger so far from the middle [m]."""
        self.data.qpos[self.arm.qpos] = joints
        self._put_fingers(finger)

    def dressed(self) -> mujoco.MjModel:
        """Another model of this scene, with the same joints, as photographs show it."""
        raise NotImplementedError

    def called(self) -> Mapping[str, str]:
        """Name of every thing -> what people would call it, without an article."""
        return {name: name.replace("_", " ") for name in set(self.geom_owner.values())}

    def fractions(self) -> dict[str, float]:
        """Name -> how far a fixture is open or on, in [0, 1]."""
        raise NotImplementedError

    def things(self) -> dict[str, ThingState]:
        """What is true of everything that goals may name."""
        mujoco.mj_kinematics(self.model, self.data)
        geoms: dict[str, list[int]] = {}
        for geom, name in self.geom_owner.items():
            geoms.setdefault(name, []).append(geom)
        fractions, held = self.fractions(), self.between_fingers()
        found = {}
        for name, ids in geoms.items():
            x, y, z = self.data.geom_xpos[ids].mean(axis=0).tolist()
            qw, qx, qy, qz = self.data.xquat[self.model.geom_bodyid[ids[0]]].tolist()
            found[name] = ThingState((x, y, z), (qw, qx, qy, qz), fractions.get(name, -1.0), name in held)
        return found

    def _put_arm_at_ready(self) -> None:
        self.pose_arm(self.arm.ready, self.arm.finger_limit)

    def _put_fingers(self, half_width: float) -> None:
        """Both pads so far from the middle [m], and the links that follow."""
        self.data.qpos[self.arm.finger_qpos] = self.arm.spec.hand.joints(half_width)
        for joint, motor, ratio in self.arm.spec.hand.coupled:
            self.data.joint(HAND + joint).qpos = ratio * self.data.joint(HAND + motor).qpos

    def _come_to_rest(self, seconds: float, finger_target: float) -> None:
        """Settle for some seconds and stop whatever still moves."""
        self._hold(seconds, finger_target)
        self.data.qpos[self.arm.qpos] = self.arm.ready
        self.data.qvel[:] = 0.0
        self.data.qacc_warmstart[:] = 0.0
        self.arm.reset()

    def _hold(self, seconds: float, finger_target: float) -> None:
        """Let time pass with the arm at ready."""
        self.arm.reset()
        self.arm.plant.fingers, self.arm.plant.deadline = finger_target, np.inf
        if hold(self.arm.plant, self.arm.ready, max(1, round(seconds / self.arm.period)), False) == DIVERGED:
            fault = self.arm.fault()
            raise PhysicsError(f"the scene of {self.about} does not settle: {fault}; check it for overlapping things")

    def snapshot(self) -> np.ndarray:
        """Everything the physics needs to go on bit for bit, [n] float64; take it at primitive boundaries only."""
        state = np.empty(mujoco.mj_stateSize(self.model, STATE))
        mujoco.mj_getState(self.model, self.data, state, STATE)
        return state

    def restore(self, snapshot: np.ndarray) -> None:
        """Back to a snapshot of this or of an equally built scene."""
        mujoco.mj_setState(self.model, self.data, snapshot, STATE)
        self.arm.reset()

    # What a robot may do.

    def observe(self) -> Observation:
        """Calibrated RGB-D views, the gripper's state and the robot's body; noise is a function of the time and the sensing seed."""
        rng = np.random.default_rng([*self._seeds, round(self.data.time * 1e4)])
        gripper = self.gripper()
        views = sense(self.model, self.data, self.sensing, self.drift, rng)
        held = self.data.site_xpos[self._site].copy() if gripper.holding else None
        return Observation(views, gripper, body=robot_body(self.model, self.data, self.robot_geom_ids, held))

    def gripper(self) -> GripperState:
        """Opening, and whether something keeps the fingers apart."""
        return GripperState(self.arm.width(), is_holding(self.arm))

    def picture(self) -> np.ndarray:
        """The scene and the arm over the robot's shoulder, `[h, w, 3]` uint8, for people to look at."""
        camera = OVER_THE_SHOULDER
        return ray_image(self.model, self.data, camera, camera.T_camera_to_world, LIGHT_WORLD)[0]

    def view(self) -> SpatialView:
        """The fused spatial frame of a fresh look."""
        return fuse(self.observe(), self.frame)

    def run(self, command: Command) -> PrimitiveResult:
        """Execute a motor program.

        Raises:
            PhysicsError: the simulation diverged; the episode is void.
        """
        with self.watched(command.primitive):
            return run_primitive(self.arm, command)

    @contextmanager
    def watched(self, what: str) -> Iterator[None]:
        """In here the arm may be driven; PhysicsError if the simulation diverges, since the arm was reset."""
        started = float(self.data.time)
        try:
            yield
        except ArmFault as fault:
            raise PhysicsError(f"{what} in {self.about}: {fault}") from fault
        # Divergence is silent in MuJoCo: it resets itself and goes on; only time, NaN and counters tell, which a program begins at 0.
        warnings = tuple(int(w.number) for w in self.data.warning)
        finite = bool(np.isfinite(self.data.qpos).all() and np.isfinite(self.data.qvel).all())
        if self.data.time < started or any(warnings) or not finite:
            raise PhysicsError(
                f"{what} in {self.about}: time {started:.3f} -> {self.data.time:.3f} s, "
                f"MuJoCo warnings {warnings}, finite state {finite}; the episode is void"
            )

    def act(self, action: Action, view: SpatialView) -> PrimitiveResult:
        """Ground an action in the view it was chosen in and run it."""
        return self.run(ground(view, action))

    def masks(self) -> dict[str, np.ndarray]:
        """Privileged segmentation in the spatial frame: name -> `[H, W]` bool for every thing."""
        return segment(self.model, self.data, self.frame, self.geom_owner, self.robot_geom_ids)
