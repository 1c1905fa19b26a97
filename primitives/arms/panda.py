"""robosuite's Panda as an `Arm`: reads joints, drives torques and fingers, and steps the physics between two control ticks."""

from itertools import pairwise

import mujoco
import numpy as np

from hiermap.primitives.hand import FINGER_LIMIT_M
from hiermap.primitives.motion.arm import ArmFault, JointState
from hiermap.primitives.motion.kinematics import SerialChain, cross

CONTROL_PERIOD_S = 0.01
"""Torques change this often; 50 to 250 Hz gave the same success, the physics in between runs without Python."""
ARMATURE = 0.2
"""[kg m2]; robosuite's default of 5/(i+1) makes the hand feel like tens of kilograms and ruins force control."""
READY = (0.0, -0.95, 0.0, -2.45, 0.0, 2.4, 0.785)
"""Hand at x 0.38, z 0.64, pointing down."""
LEAST_LOAD_N = 0.5
"""A smaller vertical force says nothing about where it acts."""
GRAVITY = np.array([0.0, 0.0, -9.81])
WATCHED_WARNINGS = (mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC)


def prepare_panda(model: mujoco.MjModel) -> None:
    """Give robosuite's Panda believable motors and no air drag; call once after the model is built (calling again changes nothing)."""
    joints = [model.joint(f"robot0_joint{i}").id for i in range(1, 8)]
    model.dof_armature[model.jnt_dofadr[joints]] = ARMATURE
    # The hand's inertias are far too large for its mass, so MuJoCo's drag sees a paddle a metre wide.
    model.opt.density = model.opt.viscosity = 0.0
    # So that the finger motors squeeze with their full force whatever is between them.
    for i in (1, 2):
        model.actuator_ctrlrange[model.actuator(f"gripper0_right_gripper_finger_joint{i}").id] = (-FINGER_LIMIT_M, FINGER_LIMIT_M)
    mujoco.mj_setConst(model, mujoco.MjData(model))


class PandaArm:
    """The `Arm` of a MuJoCo model that contains robosuite's Panda with its gripper, found by robosuite's names.

    Drives torques itself and advances `data` by `mj_step(model, data, n)` per control period. The base must stand unrotated.
    """

    ready = np.array(READY)
    finger_limit = FINGER_LIMIT_M

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        prepare_panda(model)
        self.model, self.data = model, data
        joints = [model.joint(f"robot0_joint{i}").id for i in range(1, 8)]
        self._qpos, self._dof = model.jnt_qposadr[joints], model.jnt_dofadr[joints]
        self._finger_qpos = [model.joint(f"gripper0_right_finger_joint{i}").qposadr[0] for i in (1, 2)]
        self._motor = [model.actuator(f"robot0_torq_j{i}").id for i in range(1, 8)]
        self._finger_motor = [model.actuator(f"gripper0_right_gripper_finger_joint{i}").id for i in (1, 2)]
        self.torque_limit = model.actuator_ctrlrange[self._motor, 1].copy()
        # Views into `data`: always what is true now.
        self._grip, self._wrist = data.site("gripper0_right_grip_site"), data.site("gripper0_right_ft_frame")
        self._force, self._torque = (data.sensor(f"gripper0_right_{kind}_ee").data for kind in ("force", "torque"))
        self._hand = data.body(model.site_bodyid[self._wrist.id])
        self._hand_weight = model.body_subtreemass[self._hand.id] * GRAVITY
        self.chain = _chain(model, joints, self._grip.id)
        self._substeps = max(1, round(CONTROL_PERIOD_S / model.opt.timestep))
        self.period = self._substeps * model.opt.timestep
        self._block = np.ix_(self._dof, self._dof)
        self._full = np.zeros((model.nv, model.nv))

    def reset(self) -> None:
        """Bring the derived quantities up to the present state, so that a restored snapshot and a continued run start alike."""
        # Only position and velocity stages: the solver's warm start must stay as it was stored.
        mujoco.mj_fwdPosition(self.model, self.data)
        mujoco.mj_fwdVelocity(self.model, self.data)

    def time(self) -> float:
        return float(self.data.time)

    def read(self) -> JointState:
        data = self.data
        mujoco.mj_fullM(self.model, self._full, data.qM)
        return JointState(data.qpos[self._qpos], data.qvel[self._dof], self._full[self._block], data.qfrc_bias[self._dof])

    def wrist_force(self) -> np.ndarray:
        # The sensor gives the force of the hand on the wrist, i.e. its weight plus what pushes it (up to slow accelerations).
        return -(self._wrist.xmat.reshape(3, 3) @ self._force) - self._hand_weight

    def load_offset(self) -> np.ndarray:
        load = self.wrist_force()
        if abs(load[2]) < LEAST_LOAD_N:
            return np.zeros(3)
        torque = -(self._wrist.xmat.reshape(3, 3) @ self._torque)
        torque = torque - cross(self._hand.subtree_com - self._wrist.xpos, self._hand_weight)
        # torque = r x load with load along z gives the horizontal part of r.
        arm = np.array([-torque[1], torque[0], 0.0]) / load[2]
        return (self._wrist.xpos + arm - self._grip.xpos) * (1.0, 1.0, 0.0)

    def width(self) -> float:
        left, right = self.data.qpos[self._finger_qpos]
        return float(left - right)

    def apply(self, torque: np.ndarray, finger_target: float) -> None:
        data = self.data
        before = data.time
        data.ctrl[self._motor] = np.clip(torque, -self.torque_limit, self.torque_limit)
        data.ctrl[self._finger_motor] = finger_target, -finger_target
        mujoco.mj_step(self.model, data, self._substeps)
        # MuJoCo silently resets a diverged simulation, time included; the counters tell which of its checks failed.
        if data.time <= before:
            counters = tuple(data.warning[w].number for w in WATCHED_WARNINGS)
            raise ArmFault(f"the simulation diverged at t = {before:.3f} s (MuJoCo's warning counters {counters})")


def _chain(model: mujoco.MjModel, joints: list[int], site: int) -> SerialChain:
    """Read the fixed transforms between the joints, and from the last one to the site, off the model."""
    links = [0, *model.jnt_bodyid[joints]]
    frames = [_seen_from(model, root, link, np.eye(3), np.zeros(3)) for root, link in pairwise(links)]
    frames.append(_seen_from(model, links[-1], model.site_bodyid[site], _matrix(model.site_quat[site]), model.site_pos[site]))
    turn, offset = (np.array(parts) for parts in zip(*frames, strict=True))
    lower, upper = model.jnt_range[joints].T.copy()
    return SerialChain(offset, turn, lower, upper)


def _seen_from(model: mujoco.MjModel, root: int, body: int, R: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A frame `R`, `p` of `body` in the frame of its ancestor `root`, everything at zero."""
    while body != root:
        step = _matrix(model.body_quat[body])
        R, p = step @ R, model.body_pos[body] + step @ p
        body = model.body_parentid[body]
    return R, p


def _matrix(quaternion: np.ndarray) -> np.ndarray:
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, quaternion)
    return matrix.reshape(3, 3)
