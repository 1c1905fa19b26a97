"""`Kitchen`: one procedural kitchen in MuJoCo with its robot; build and teleport."""

import mujoco
import numpy as np

from hiermap.primitives.arms.panda import PANDA
from hiermap.primitives.arms.spec import ArmSpec
from hiermap.worlds.frame import SpatialFrame
from hiermap.worlds.kitchen.called import called
from hiermap.worlds.kitchen.layouts import sample_kitchen
from hiermap.worlds.kitchen.scene_sampling import initial_scene
from hiermap.worlds.kitchen.spec import KitchenSpec, SceneState
from hiermap.worlds.perception.fusion import FRAME
from hiermap.worlds.perception.sensing_options import SensingOptions
from hiermap.worlds.simulator.dressing import stage
from hiermap.worlds.simulator.robosuite_env import HiermapKitchen, kitchen_model
from hiermap.worlds.simulator.robot_scene import RobotScene

__all__ = ["HiermapKitchen", "Kitchen"]

SETTLE_S = 0.24
"""Long enough for objects teleported half a millimetre too high to come to rest [s]."""
GRASP_S = 0.6
"""Long enough for the fingers to close on an object put between them [s]."""
DROP_M = 0.0005
"""Objects are teleported this much above their place [m], so that no contact starts in penetration."""


class Kitchen(RobotScene):
    """A kitchen that a robot can look at and act in.

    Attributes:
        spec: what it is made of; `geom_owner` names its fixtures, objects and surfaces.
    """

    def __init__(
        self,
        spec_or_seed: KitchenSpec | int,
        sensing: SensingOptions | None = None,
        sensing_seed: int = 0,
        frame: SpatialFrame = FRAME,
        arm: ArmSpec = PANDA,
    ) -> None:
        self.spec = sample_kitchen(int(spec_or_seed)) if isinstance(spec_or_seed, int | np.integer) else spec_or_seed
        model = kitchen_model(self.spec, arm)
        names = {f.name for f in self.spec.fixtures} | {o.name for o in self.spec.objects} | {s.name for s in self.spec.surfaces}
        owners = [model.geom(i).name.split("/")[0] for i in range(model.ngeom)]
        geom_owner = {i: owner for i, owner in enumerate(owners) if owner in names}
        super().__init__(model, geom_owner, f"kitchen {self.spec.seed}", sensing, (self.spec.seed, sensing_seed), frame, arm)
        self.set_scene(initial_scene(self.spec))

    # The truth, for labels, oracle and judge only.

    def scene(self) -> SceneState:
        """True articulation and object poses now."""
        return SceneState(self.fractions(), {o.name: self._pose(o.name) for o in self.spec.objects}, self._held())

    def fractions(self) -> dict[str, float]:
        return {f.name: float(np.clip(self.data.joint(f.name).qpos[0] / f.joint_range, 0.0, 1.0)) for f in self.spec.fixtures}

    def _pose(self, name: str) -> tuple[float, float, float, float]:
        x, y, z, qw, qx, qy, qz = self.data.joint(name).qpos
        yaw = np.arctan2(2 * (qw * qz + qx * qy), 1 - 2 * (qy * qy + qz * qz))
        return float(x), float(y), float(z), float(yaw)

    def upright(self, name: str) -> float:
        """Cosine of the angle between an object's axis and the vertical, in [-1, 1]."""
        qx, qy = self.data.joint(name).qpos[4:6]
        return float(1 - 2 * (qx * qx + qy * qy))

    def _held(self) -> str | None:
        touched = self.between_fingers()
        return min((thing.name for thing in self.spec.objects if thing.name in touched), default=None)

    def dressed(self) -> mujoco.MjModel:
        """With the robot's meshes, materials, light and a wall."""
        model = kitchen_model(self.spec, self.arm.spec, dressed=True)
        stage(model)
        return model

    def called(self) -> dict[str, str]:
        """As `hiermap.worlds.kitchen.called`."""
        return called(self.spec)

    def set_scene(self, scene: SceneState) -> None:
        """Teleport: fixtures and objects as given, the arm at ready, everything settled and at rest.

        Raises:
            PhysicsError: the scene makes the simulation diverge.
        """
        mujoco.mj_resetData(self.model, self.data)
        data = self.data
        self._put_arm_at_ready()
        for fixture in self.spec.fixtures:
            data.joint(fixture.name).qpos[0] = scene.fractions.get(fixture.name, 0.0) * fixture.joint_range
        for thing in self.spec.objects:
            x, y, z, yaw = scene.poses[thing.name]
            data.joint(thing.name).qpos[:] = x, y, z + DROP_M, np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)
        mujoco.mj_forward(self.model, data)
        if scene.held is not None:
            self._put_between_fingers(scene.held)
            self._hold(GRASP_S, -self.arm.finger_limit)
        self._come_to_rest(SETTLE_S, -self.arm.finger_limit if scene.held else self.arm.finger_limit)

    def _put_between_fingers(self, name: str) -> None:
        """As a grasp from above leaves it: its axis along the hand, its grip point at the grip site, its grip axis as the fingers open."""
        spec = next(o for o in self.spec.objects if o.name == name)
        point, hand = self.data.site_xpos[self._site], self.data.site_xmat[self._site].reshape(3, 3)
        axes = np.column_stack([hand[:, 1], hand[:, 0], -hand[:, 2]])
        pose = self.data.joint(name).qpos
        pose[:3] = point - axes @ np.array(spec.grip_offset)
        mujoco.mju_mat2Quat(pose[3:], axes.ravel())
        half = 0.5 * spec.grip_width + 0.002
        self._put_fingers(half)
        # Until the fingers are closed nothing carries the object: it starts at rest and falls less than a millimetre.
        mujoco.mj_forward(self.model, self.data)
