"""robosuite's Panda as an `Arm`: where its joints, motors and sensors are in MuJoCo's memory."""

from itertools import pairwise

import mujoco
import numpy as np

from hiermap.primitives.arms.mujoco_step import RECORD, addresses, functions, gather, step
from hiermap.primitives.hand import FINGER_LIMIT_M
from hiermap.primitives.motion.arm import ArmFault, new_plant
from hiermap.primitives.motion.kinematics import SerialChain, cross

CONTROL_PERIOD_S = 0.01
"""Torques change this often; 50 to 250 Hz gave the same success, the physics in between runs without Python."""
ARMATURE = 0.2
"""[kg m2]; robosuite's default of 5/(i+1) makes the hand feel like tens of kilograms and ruins force control."""
READY = (0.0, -0.95, 0.0, -2.45, 0.0, 2.4, 0.785)
"""Hand at x 0.38, z 0.64, pointing down."""
ROBOT_PREFIXES = ("robot0_", "gripper0_")
"""How robosuite begins the names of everything that belongs to its robot."""
LEAST_LOAD_N = 0.5
"""A smaller vertical force says nothing about where it acts."""
GRAVITY = np.array([0.0, 0.0, -9.81])
STATE = mujoco.mjtState.mjSTATE_INTEGRATION
"""Everything MuJoCo goes on from, but for what sleeps."""
IMPLICIT = mujoco.mjtIntegrator.mjINT_IMPLICIT, mujoco.mjtIntegrator.mjINT_IMPLICITFAST
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


def wake(model: mujoco.MjModel, data: mujoco.MjData) -> None:
    """Wake whatever sleeps; keeps the state, forgets what is derived from it and MuJoCo's warnings."""
    state = np.empty(mujoco.mj_stateSize(model, STATE))
    mujoco.mj_getState(model, data, state, STATE)
    # Sleep is no part of the state: only a reset brings its counters to where a fresh simulation begins.
    mujoco.mj_resetData(model, data)
    mujoco.mj_setState(model, data, state, STATE)


class PandaArm:
    """The `Arm` of a MuJoCo model that contains robosuite's Panda with its gripper, found by robosuite's names.

    Drives torques itself and advances `data` by whole control periods. The base must stand unrotated.
    Raises ValueError when the model's integrator is not an implicit one, which `mujoco_step.step` calls by name.
    """

    ready = np.array(READY)
    finger_limit = FINGER_LIMIT_M

    def __init__(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        if model.opt.integrator not in IMPLICIT:
            raise ValueError(f"expected an implicit integrator, got number {model.opt.integrator}: set implicitfast in <option>")
        prepare_panda(model)
        self.model, self.data = model, data
        joints = [model.joint(f"robot0_joint{i}").id for i in range(1, 8)]
        motors = [model.actuator(f"robot0_torq_j{i}").id for i in range(1, 8)]
        self.torque_limit = model.actuator_ctrlrange[motors, 1].copy()
        # Views into `data`: always what is true now.
        self._grip, self._wrist = data.site("gripper0_right_grip_site"), data.site("gripper0_right_ft_frame")
        self._force, self._torque = (data.sensor(f"gripper0_right_{kind}_ee").data for kind in ("force", "torque"))
        self._hand = data.body(model.site_bodyid[self._wrist.id])
        self._hand_weight = model.body_subtreemass[self._hand.id] * GRAVITY
        self.chain = _chain(model, joints, self._grip.id)
        substeps = max(1, round(CONTROL_PERIOD_S / model.opt.timestep))
        self.period = substeps * model.opt.timestep
        self._connect(joints, motors, substeps)

    def _connect(self, joints: list[int], motors: list[int], substeps: int) -> None:
        """Lay the wires between MuJoCo's memory and `plant`."""
        model, data = self.model, self.data
        dofs, zero = model.jnt_dofadr[joints], np.zeros(1)
        finger_motors = [model.actuator(f"gripper0_right_gripper_finger_joint{i}").id for i in (1, 2)]
        self._finger_qpos = [model.joint(f"gripper0_right_finger_joint{i}").qposadr[0] for i in (1, 2)]
        qpos, qvel, bias, ctrl = (addresses(x) for x in (data.qpos, data.qvel, data.qfrc_bias, data.ctrl))
        mass = _mass_addresses(model, data, dofs, int(addresses(zero)[0]))
        # In the order of the plant's first fields.
        sources = np.concatenate([qpos[model.jnt_qposadr[joints]], qvel[dofs], bias[dofs], mass.ravel()])
        fingers, targets = qpos[self._finger_qpos], ctrl[[*motors, *finger_motors]]
        self.plant = plant = new_plant(self.chain, self.torque_limit, self.period)
        fields = (array.ctypes.data for array in (plant.q, plant.wrist_force, plant.torque))
        tables = (x.ctypes.data for x in (sources, targets, fingers, self._force, self._wrist.xmat, self._hand_weight))
        memory = model._address, data._address, *fields, *tables
        record = np.array([(*functions(), *memory, substeps, len(sources), len(joints) + 1)], RECORD)
        # Addresses keep nothing alive.
        self._memory = record, zero, sources, targets, fingers
        plant.step, plant.context = int(step.address or 0), record.ctypes.data

    def reset(self) -> None:
        """Wake everything and bring the derived quantities up to the present state: a restored snapshot and a continued run start alike."""
        wake(self.model, self.data)
        mujoco.mj_forward(self.model, self.data)
        gather(self.plant.context)

    def load_offset(self) -> np.ndarray:
        load = self.plant.wrist_force
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

    def fault(self) -> ArmFault:
        counters = tuple(self.data.warning[w].number for w in WATCHED_WARNINGS)
        return ArmFault(f"the simulation diverged before t = {self.data.time:.3f} s (MuJoCo's warning counters {counters})")


def _mass_addresses(model: mujoco.MjModel, data: mujoco.MjData, dofs: np.ndarray, zero: int) -> np.ndarray:
    """Where each number of the mass matrix between `dofs` lies in MuJoCo's sparse one, [n, n]; `zero` for what is not there."""
    where = addresses(data.qM)
    found = np.full((len(dofs), len(dofs)), zero)
    for row, dof in enumerate(dofs):
        # A row of the sparse matrix goes from the diagonal up through the ancestors.
        ancestor, at = dof, model.dof_Madr[dof]
        while ancestor >= 0:
            for column in np.flatnonzero(dofs == ancestor):
                found[row, column] = found[column, row] = where[at]
            ancestor, at = model.dof_parentid[ancestor], at + 1
    return found


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
