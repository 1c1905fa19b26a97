"""`Kitchen`: one procedural kitchen in MuJoCo with its robot; build, teleport, look, act, snapshot."""

import mujoco
import numpy as np

from hiermap.primitives.arms.panda import STATE, PandaArm
from hiermap.primitives.motion.arm import ArmFault
from hiermap.primitives.motion.laws import DIVERGED, hold
from hiermap.primitives.skills.run import is_holding, run_primitive
from hiermap.primitives.specs import Command, PrimitiveResult
from hiermap.worlds.base import Action, GripperState, Observation
from hiermap.worlds.errors import PhysicsError
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.kitchen.layouts import sample_kitchen
from hiermap.worlds.kitchen.scene_sampling import initial_scene
from hiermap.worlds.kitchen.spec import KitchenSpec, SceneState
from hiermap.worlds.perception.fusion import FRAME, SpatialView, fuse
from hiermap.worlds.perception.grounding import ground
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.robosuite_env import HiermapKitchen, kitchen_model
from hiermap.worlds.simulator.segmentation import segment
from hiermap.worlds.simulator.sensors import draw_drift, robot_body, sense

__all__ = ["HiermapKitchen", "Kitchen"]

SETTLE_S = 0.24
"""Long enough for objects teleported half a millimetre too high to come to rest [s]."""
GRASP_S = 0.6
"""Long enough for the fingers to close on an object put between them [s]."""
DROP_M = 0.0005
"""Objects are teleported this much above their place [m], so that no contact starts in penetration."""


class Kitchen:
    """A kitchen that a robot can look at and act in.

    Attributes:
        spec: what it is made of.
        model, data: raw MuJoCo.
        arm: the Panda, as motor programs drive it.
        frame: the cells of its views.
        geom_owner: geom id -> name of the fixture, object or surface it belongs to.
        robot_geom_ids: geoms of the robot's own body.
        drift: how cameras and light have changed since the calibration.
    """

    def __init__(
        self, spec_or_seed: KitchenSpec | int, sensing: SensingOptions | None = None, sensing_seed: int = 0, frame: SpatialFrame = FRAME
    ) -> None:
        self.spec = sample_kitchen(int(spec_or_seed)) if isinstance(spec_or_seed, int | np.integer) else spec_or_seed
        self.model = kitchen_model(self.spec)
        self.data = mujoco.MjData(self.model)
        self.sensing = SensingOptions() if sensing is None else sensing
        self.arm = PandaArm(self.model, self.data)
        self.drift = draw_drift(self.sensing, np.random.default_rng([self.spec.seed, sensing_seed]))
        self.sensing_seed, self.frame = sensing_seed, frame
        model = self.model
        names = {f.name for f in self.spec.fixtures} | {o.name for o in self.spec.objects} | {s.name for s in self.spec.surfaces}
        owners = [model.geom(i).name.split("/")[0] for i in range(model.ngeom)]
        self.geom_owner = {i: owner for i, owner in enumerate(owners) if owner in names}
        self.robot_geom_ids = frozenset(i for i, owner in enumerate(owners) if owner.startswith(("robot0_", "gripper0_")))
        self._site = model.site("gripper0_right_grip_site").id
        self._finger_geoms = [{model.geom(f"gripper0_right_finger{i}{part}_collision").id for part in ("", "_pad")} for i in (1, 2)]
        self._finger_qpos = [model.joint(f"gripper0_right_finger_joint{i}").qposadr[0] for i in (1, 2)]
        self._arm_qpos = [model.joint(f"robot0_joint{i}").qposadr[0] for i in range(1, 8)]
        self.set_scene(initial_scene(self.spec))

    # The truth, for labels, oracle and judge only.

    def scene(self) -> SceneState:
        """True articulation and object poses now."""
        fractions = {f.name: float(np.clip(self.data.joint(f.name).qpos[0] / f.joint_range, 0.0, 1.0)) for f in self.spec.fixtures}
        return SceneState(fractions, {o.name: self._pose(o.name) for o in self.spec.objects}, self._held())

    def _pose(self, name: str) -> tuple[float, float, float, float]:
        x, y, z, qw, qx, qy, qz = self.data.joint(name).qpos
        yaw = np.arctan2(2 * (qw * qz + qx * qy), 1 - 2 * (qy * qy + qz * qz))
        return float(x), float(y), float(z), float(yaw)

    def upright(self, name: str) -> float:
        """Cosine of the angle between an object's axis and the vertical, in [-1, 1]."""
        qx, qy = self.data.joint(name).qpos[4:6]
        return float(1 - 2 * (qx * qx + qy * qy))

    def _held(self) -> str | None:
        contacts = self.data.contact.geom[: self.data.ncon]
        pairs = [*contacts.tolist(), *contacts[:, ::-1].tolist()]
        left, right = ({self.geom_owner.get(other) for geom, other in pairs if geom in fingers} for fingers in self._finger_geoms)
        return min((thing.name for thing in self.spec.objects if thing.name in left & right), default=None)

    def set_scene(self, scene: SceneState) -> None:
        """Teleport: fixtures and objects as given, the arm at ready, everything settled and at rest.

        Raises:
            PhysicsError: the scene makes the simulation diverge.
        """
        mujoco.mj_resetData(self.model, self.data)
        data = self.data
        data.qpos[self._arm_qpos] = self.arm.ready
        data.qpos[self._finger_qpos] = self.arm.finger_limit, -self.arm.finger_limit
        for fixture in self.spec.fixtures:
            data.joint(fixture.name).qpos[0] = scene.fractions.get(fixture.name, 0.0) * fixture.joint_range
        for thing in self.spec.objects:
            x, y, z, yaw = scene.poses[thing.name]
            data.joint(thing.name).qpos[:] = x, y, z + DROP_M, np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)
        mujoco.mj_forward(self.model, data)
        if scene.held is not None:
            self._put_between_fingers(scene.held)
            self._hold(GRASP_S, -self.arm.finger_limit)
        self._hold(SETTLE_S, -self.arm.finger_limit if scene.held else self.arm.finger_limit)
        data.qpos[self._arm_qpos] = self.arm.ready
        data.qvel[:] = 0.0
        data.qacc_warmstart[:] = 0.0
        self.arm.reset()

    def _put_between_fingers(self, name: str) -> None:
        """As a grasp from above leaves it: its axis along the hand, its grip point at the grip site, its grip axis as the fingers open."""
        spec = next(o for o in self.spec.objects if o.name == name)
        point, hand = self.data.site_xpos[self._site], self.data.site_xmat[self._site].reshape(3, 3)
        axes = np.column_stack([hand[:, 1], hand[:, 0], -hand[:, 2]])
        pose = self.data.joint(name).qpos
        pose[:3] = point - axes @ np.array(spec.grip_offset)
        mujoco.mju_mat2Quat(pose[3:], axes.ravel())
        half = 0.5 * spec.grip_width + 0.002
        self.data.qpos[self._finger_qpos] = half, -half
        # Until the fingers are closed nothing carries the object: it starts at rest and falls less than a millimetre.
        mujoco.mj_forward(self.model, self.data)

    def _hold(self, seconds: float, finger_target: float) -> None:
        """Let time pass with the arm at ready."""
        self.arm.reset()
        self.arm.plant.fingers, self.arm.plant.deadline = finger_target, np.inf
        if hold(self.arm.plant, self.arm.ready, max(1, round(seconds / self.arm.period)), False) == DIVERGED:
            fault = self.arm.fault()
            raise PhysicsError(f"the scene of kitchen {self.spec.seed} does not settle: {fault}; check it for overlapping things")

    def snapshot(self) -> np.ndarray:
        """Everything the physics needs to go on bit for bit, [n] float64; take it at primitive boundaries only."""
        state = np.empty(mujoco.mj_stateSize(self.model, STATE))
        mujoco.mj_getState(self.model, self.data, state, STATE)
        return state

    def restore(self, snapshot: np.ndarray) -> None:
        """Back to a snapshot of this or of an equally built kitchen."""
        mujoco.mj_setState(self.model, self.data, snapshot, STATE)
        self.arm.reset()

    # What a robot may do.

    def observe(self) -> Observation:
        """Calibrated RGB-D views, the gripper's state and the robot's body; noise is a function of the time and the sensing seed."""
        rng = np.random.default_rng([self.spec.seed, self.sensing_seed, round(self.data.time * 1e4)])
        gripper = self.gripper()
        views = sense(self.model, self.data, self.sensing, self.drift, rng)
        held = self.data.site_xpos[self._site].copy() if gripper.holding else None
        return Observation(views, gripper, body=robot_body(self.model, self.data, self.robot_geom_ids, held))

    def gripper(self) -> GripperState:
        """Opening, and whether something keeps the fingers apart."""
        return GripperState(self.arm.width(), is_holding(self.arm))

    def view(self) -> SpatialView:
        """The fused spatial frame of a fresh look."""
        return fuse(self.observe(), self.frame)

    def run(self, command: Command) -> PrimitiveResult:
        """Execute a motor program.

        Raises:
            PhysicsError: the simulation diverged; the episode is void.
        """
        started = float(self.data.time)
        try:
            result = run_primitive(self.arm, command)
        except ArmFault as fault:
            raise PhysicsError(f"{command.primitive} in kitchen {self.spec.seed}: {fault}") from fault
        # Divergence is silent in MuJoCo: it resets itself and goes on; only time, NaN and counters tell, which a program begins at 0.
        warnings = tuple(int(w.number) for w in self.data.warning)
        finite = bool(np.isfinite(self.data.qpos).all() and np.isfinite(self.data.qvel).all())
        if self.data.time < started or any(warnings) or not finite:
            raise PhysicsError(
                f"{command.primitive} in kitchen {self.spec.seed}: time {started:.3f} -> {self.data.time:.3f} s, "
                f"MuJoCo warnings {warnings}, finite state {finite}; the episode is void"
            )
        return result

    def act(self, action: Action, view: SpatialView) -> PrimitiveResult:
        """Ground an action in the view it was chosen in and run it."""
        return self.run(ground(view, action))

    def masks(self) -> dict[str, np.ndarray]:
        """Privileged segmentation in the spatial frame: name -> `[H, W]` bool for every fixture, object and surface."""
        return segment(self.model, self.data, self.frame, self.geom_owner, self.robot_geom_ids)
