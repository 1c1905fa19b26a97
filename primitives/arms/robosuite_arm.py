"""Any single arm of robosuite's as an `Arm`: where its joints, motors and sensors are in MuJoCo's memory."""

from itertools import pairwise

import mujoco
import numpy as np

from hiermap.primitives.arms.mujoco_step import RECORD, addresses, functions, gather, step
from hiermap.primitives.arms.spec import ArmSpec
from hiermap.primitives.motion.arm import ArmFault, new_plant
from hiermap.primitives.motion.kinematics import SerialChain, cross

CONTROL_PERIOD_S = 0.01
"""Torques change this often; 50 to 250 Hz gave the same success, the physics in between runs without Python."""
ARM, HAND = "robot0_", "gripper0_right_"
"""How robosuite begins the names of what belongs to its arm and to its gripper."""
ROBOT_PREFIXES = (ARM, "gripper0_")
FREE_RAD = 2 * np.pi
"""A joint without limits turns so far to either side."""
POSTURES, AROUND_RAD, PRIMES = 32, 2.2, (2, 3, 5, 7, 11, 13, 17)
"""How many starting points of the inverse kinematics there are around the ready pose, and how far around; what spreads them evenly."""
TURNING = 4
"""`condim` of contacts that resist a turn about their normal."""
LEAST_LOAD_N = 0.5
"""A smaller vertical force says nothing about where it acts."""
GRAVITY = np.array([0.0, 0.0, -9.81])
STATE = mujoco.mjtState.mjSTATE_INTEGRATION
"""Everything MuJoCo goes on from, but for what sleeps."""
IMPLICIT = mujoco.mjtIntegrator.mjINT_IMPLICIT, mujoco.mjtIntegrator.mjINT_IMPLICITFAST
WATCHED_WARNINGS = (mujoco.mjtWarning.mjWARN_BADQPOS, mujoco.mjtWarning.mjWARN_BADQVEL, mujoco.mjtWarning.mjWARN_BADQACC)


def arm_joints(model: mujoco.MjModel) -> list[int]:
    """Ids of the arm's joints, from the base on."""
    return [j for j in range(model.njnt) if model.joint(j).name.startswith(ARM)]


def finger_motors(model: mujoco.MjModel) -> list[int]:
    """Ids of the hand's two motors, in robosuite's order."""
    return [a for a in range(model.nu) if model.actuator(a).name.startswith(HAND)]


def prepare(model: mujoco.MjModel, spec: ArmSpec) -> None:
    """Give robosuite's arm believable motors and no air drag; call once after the model is built (calling again changes nothing)."""
    model.dof_armature[model.jnt_dofadr[arm_joints(model)]] = spec.armature
    # The hands' inertias are far too large for their mass, so MuJoCo's drag sees a paddle a metre wide.
    model.opt.density = model.opt.viscosity = 0.0
    hand, motors = spec.hand, finger_motors(model)
    # So that the finger motors squeeze with their full force whatever is between them.
    away = np.abs(hand.joints(hand.limit) - hand.closed)
    model.actuator_ctrlrange[motors] = np.column_stack([hand.closed - away, hand.closed + away])
    dofs = [model.jnt_dofadr[j] for j in range(model.njnt) if model.joint(j).name.startswith(HAND)]
    if hand.squeeze is not None:
        model.actuator_forcelimited[motors], model.actuator_forcerange[motors] = True, (-hand.squeeze, hand.squeeze)
    if hand.armature is not None:
        model.dof_armature[dofs] = hand.armature
    if hand.damping is not None:
        model.dof_damping[dofs] = hand.damping
    if hand.friction is not None:
        pads = [model.geom(HAND + name).id for finger in hand.fingers for name in finger]
        model.geom_friction[pads], model.geom_condim[pads] = hand.friction, TURNING
    mujoco.mj_setConst(model, mujoco.MjData(model))


def wake(model: mujoco.MjModel, data: mujoco.MjData) -> None:
    """Wake whatever sleeps; keeps the state, forgets what is derived from it and MuJoCo's warnings."""
    state = np.empty(mujoco.mj_stateSize(model, STATE))
    mujoco.mj_getState(model, data, state, STATE)
    # Sleep is no part of the state: only a reset brings its counters to where a fresh simulation begins.
    mujoco.mj_resetData(model, data)
    mujoco.mj_setState(model, data, state, STATE)


class RobosuiteArm:
    """The `Arm` of a MuJoCo model that contains an arm of robosuite's with its gripper, found by robosuite's names.

    Drives torques itself and advances `data` by whole control periods. The base must stand unrotated.
    Raises ValueError when the model's integrator is not an implicit one, which `mujoco_step.step` calls by name.

    Attributes:
        spec: which arm it is.
        qpos: where its joints are in `data.qpos`, [n].
        finger_qpos: where those of its two finger motors are.
    """

    def __init__(self, spec: ArmSpec, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        if model.opt.integrator not in IMPLICIT:
            raise ValueError(f"expected an implicit integrator, got number {model.opt.integrator}: set implicitfast in <option>")
        prepare(model, spec)
        self.spec, self.model, self.data = spec, model, data
        self.ready, self.finger_limit, self.folding = np.array(spec.ready), spec.hand.limit, np.array(spec.folding)
        joints = arm_joints(model)
        motors = [int(np.flatnonzero(model.actuator_trnid[:, 0] == joint)[0]) for joint in joints]
        self.torque_limit = model.actuator_ctrlrange[motors, 1].copy()
        # Views into `data`: always what is true now.
        self._grip, self._wrist = data.site(HAND + "grip_site"), data.site(HAND + "ft_frame")
        self._force, self._torque = (data.sensor(f"{HAND}{kind}_ee").data for kind in ("force", "torque"))
        self._hand = data.body(model.site_bodyid[self._wrist.id])
        self._hand_weight = model.body_subtreemass[self._hand.id] * GRAVITY
        self.chain = _chain(model, joints, self._grip.id)
        self.postures = np.array(spec.postures) if len(spec.postures) else spread(self.ready, self.chain.lower, self.chain.upper)
        substeps = max(1, round(CONTROL_PERIOD_S / model.opt.timestep))
        self.period = substeps * model.opt.timestep
        self._connect(joints, motors, substeps)

    def _connect(self, joints: list[int], motors: list[int], substeps: int) -> None:
        """Lay the wires between MuJoCo's memory and `plant`."""
        model, data = self.model, self.data
        dofs, zero = model.jnt_dofadr[joints], np.zeros(1)
        grippers = finger_motors(model)
        self.qpos, self.finger_qpos = model.jnt_qposadr[joints], model.jnt_qposadr[model.actuator_trnid[grippers, 0]]
        self._jaw = np.column_stack([self.spec.hand.closed, self.spec.hand.opening])
        qpos, qvel, bias, ctrl = (addresses(x) for x in (data.qpos, data.qvel, data.qfrc_bias, data.ctrl))
        mass = _mass_addresses(model, data, dofs, int(addresses(zero)[0]))
        # In the order of the plant's first fields.
        sources = np.concatenate([qpos[self.qpos], qvel[dofs], bias[dofs], mass.ravel()])
        fingers, targets = qpos[self.finger_qpos], ctrl[[*motors, *grippers]]
        self.plant = plant = new_plant(self.chain, self.torque_limit, self.period)
        fields = (array.ctypes.data for array in (plant.q, plant.wrist_force, plant.torque))
        tables = (x.ctypes.data for x in (sources, targets, fingers, self._jaw, self._force, self._wrist.xmat, self._hand_weight))
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
        left, right = self.spec.hand.half_widths(self.data.qpos[self.finger_qpos])
        return float(left + right)

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


def spread(ready: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Starting points that find an unknown arm's branches: `ready` and POSTURES evenly around it within the limits, [N, n]."""
    # Multiples of irrational numbers fill a box more evenly than random ones, and are the same every time.
    share = np.arange(1, POSTURES + 1)[:, None] * np.sqrt(PRIMES[: len(ready)]) % 1.0
    return np.vstack([ready, np.clip(ready + AROUND_RAD * (2 * share - 1), lower, upper)])


def _chain(model: mujoco.MjModel, joints: list[int], site: int) -> SerialChain:
    """Read the fixed transforms between the joints, and from the last one to the site, off the model."""
    links = [0, *model.jnt_bodyid[joints]]
    frames = [_seen_from(model, root, link, np.eye(3), np.zeros(3)) for root, link in pairwise(links)]
    frames.append(_seen_from(model, links[-1], model.site_bodyid[site], _matrix(model.site_quat[site]), model.site_pos[site]))
    # A chain's joints turn about z, whatever axes the model has.
    axes = [np.eye(3), *(_along(axis) for axis in model.jnt_axis[joints]), np.eye(3)]
    turn = np.array([before.T @ R @ after for (R, _p), (before, after) in zip(frames, pairwise(axes), strict=True)])
    offset = np.array([before.T @ p for (_R, p), before in zip(frames, axes, strict=False)])
    lower, upper = model.jnt_range[joints].T.copy()
    free = ~model.jnt_limited[joints].astype(bool)
    lower[free], upper[free] = -FREE_RAD, FREE_RAD
    return SerialChain(offset, turn, lower, upper)


def _seen_from(model: mujoco.MjModel, root: int, body: int, R: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A frame `R`, `p` of `body` in the frame of its ancestor `root`, everything at zero."""
    while body != root:
        step = _matrix(model.body_quat[body])
        R, p = step @ R, model.body_pos[body] + step @ p
        body = model.body_parentid[body]
    return R, p


def _along(axis: np.ndarray) -> np.ndarray:
    """A rotation [3, 3] that takes z to `axis`."""
    quaternion = np.zeros(4)
    mujoco.mju_quatZ2Vec(quaternion, axis)
    return _matrix(quaternion)


def _matrix(quaternion: np.ndarray) -> np.ndarray:
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, quaternion)
    return matrix.reshape(3, 3)
