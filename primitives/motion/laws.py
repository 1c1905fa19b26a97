"""The two control laws and the ticks that apply them, compiled: stiff joint paths in free space, soft impedance in contact."""

from typing import NamedTuple

import numpy as np
from numba import njit

from hiermap.primitives.motion.arm import Arm, Plant, call
from hiermap.primitives.motion.kinematics import back_substitute, factor, forward, rotation_error

JOINT_STIFFNESS, JOINT_DAMPING = 400.0, 40.0
"""[1/s2], [1/s] of the computed torque: critically damped at 20 rad/s."""
TORQUE_CAP = 15.0
"""[N m] at the hand."""
POSTURE_STIFFNESS, POSTURE_DAMPING = 10.0, 4.0
"""[N m/rad], [N m s/rad] in the null space."""
NULL_SPACE_DAMPING = 1e-3**0.5
JOINT_FRICTION = 1.0
"""[N m s/rad]"""
LIMIT_ZONE_RAD, LIMIT_STIFFNESS = 0.08, 150.0
"""Springs [N m/rad] push back inside this distance of a joint limit."""
TRACKING_LIMIT_RAD = 0.10
"""A joint this far behind a free path has something in its way."""
TRACKING_TICKS = 3
STILL = 2e-3
"""An arm rests where no joint is farther [rad] or faster [rad/s] than this."""
ONWARD, OVER, TIME_UP, DIVERGED = range(4)
"""How a motion stands: it goes on, or ended as it was meant to, or for one of the two reasons that end every motion."""


class Impedance(NamedTuple):
    """How the hand yields in one control tick; world axes.

    Attributes:
        rotation, position: where it is drawn to, [3, 3], [3] [m].
        velocity: of that point, [3] [m/s].
        stiffness, damping: [3, 3] [N/m], [N s/m].
        angular_stiffness, angular_damping: [N m/rad], [N m s/rad].
        force, torque: added on top, [3] [N], [3] [N m].
        force_cap: largest total force [N].
    """

    rotation: np.ndarray
    position: np.ndarray
    velocity: np.ndarray
    stiffness: np.ndarray
    damping: np.ndarray
    angular_stiffness: float
    angular_damping: float
    force: np.ndarray
    torque: np.ndarray
    force_cap: float


class Hand(NamedTuple):
    """The hand in one tick: `rotation` [3, 3], `position` [3] [m], `velocity` [3] [m/s], `spin` [3] [rad/s], `force` on it [3] [N]."""

    rotation: np.ndarray
    position: np.ndarray
    velocity: np.ndarray
    spin: np.ndarray
    force: np.ndarray


class Rig(NamedTuple):
    """What compiled motions work on.

    Attributes:
        plant: of the arm.
        offset, turn, lower, upper: its chain.
        limit: of its torques [n] [N m].
        period: of one tick [s].
        deadline: no tick ends later than this on the plant's clock, [1] [s].
        tare: what the wrist feels at rest, [3] [N].
    """

    plant: Plant
    offset: np.ndarray
    turn: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    limit: np.ndarray
    period: float
    deadline: np.ndarray
    tare: np.ndarray


def rig_of(arm: Arm) -> Rig:
    """The rig of an arm, without a deadline and not tared."""
    chain = arm.chain
    geometry = chain.offset, chain.turn, chain.lower, chain.upper
    return Rig(arm.plant, *geometry, arm.torque_limit, arm.period, np.full(1, np.inf), np.zeros(3))


def compliant(
    rotation: np.ndarray,
    position: np.ndarray,
    stiffness: float = 1500.0,
    damping: float = 220.0,
    angular_stiffness: float = 60.0,
    angular_damping: float = 11.0,
    force_cap: float = 40.0,
) -> Impedance:
    """A hand drawn to a pose alike in all directions, see `Impedance`; unless said otherwise 0.3 mm static error, 16 mm lag at 10 cm/s."""
    zero, pose = np.zeros(3), (np.ascontiguousarray(rotation), np.array(position, float))
    return Impedance(*pose, zero, stiffness * np.eye(3), damping * np.eye(3), angular_stiffness, angular_damping, zero, zero, force_cap)


@njit(cache=True)
def joint_torque(plant, q, qd, qdd, limit):
    """Computed torque toward (q, qd, qdd), [n] [N m]; if a joint saturates the whole correction shrinks, keeping its direction."""
    n = q.shape[0]
    wanted = JOINT_STIFFNESS * (q - plant.q) + JOINT_DAMPING * (qd - plant.qd) + qdd
    correction, scale = np.zeros(n), 1.0
    for i in range(n):
        for j in range(n):
            correction[i] += plant.mass_matrix[i, j] * wanted[j]
        room = limit[i] - plant.bias[i] if correction[i] > 0 else limit[i] + plant.bias[i]
        scale = min(scale, max(room, 0.5) / max(abs(correction[i]), 1e-9))
    return plant.bias + scale * correction


@njit(cache=True)
def capped(vector, most):
    """A vector [3], shortened to a length of `most` if it is longer."""
    return vector * min(1.0, most / max(np.sqrt((vector * vector).sum()), 1e-9))


@njit(cache=True)
def times(matrix, vector):
    """A matrix [m, n] times a vector [n]: BLAS costs more than so few products."""
    result = np.zeros(matrix.shape[0])
    for r in range(matrix.shape[0]):
        for c in range(matrix.shape[1]):
            result[r] += matrix[r, c] * vector[c]
    return result


@njit(cache=True)
def impedance_torque(rig, goal, posture):
    """J' (K e - D v + F) with gravity compensation, null-space posture and springs at the joint limits, [n] [N m]."""
    q, qd = rig.plant.q, rig.plant.qd
    R, p, J, _ = forward(q, rig.offset, rig.turn)
    twist = times(J, qd)
    force = times(goal.stiffness, goal.position - p) + times(goal.damping, goal.velocity - twist[:3]) + goal.force
    torque = goal.angular_stiffness * rotation_error(goal.rotation, R) - goal.angular_damping * twist[3:] + goal.torque
    rest = POSTURE_STIFFNESS * (posture - q) - POSTURE_DAMPING * qd
    moved = times(J, rest)
    back_substitute(factor(J, NULL_SPACE_DAMPING), moved)
    wrench = np.concatenate((capped(force, goal.force_cap), capped(torque, TORQUE_CAP))) - moved
    spring = np.maximum(rig.lower + LIMIT_ZONE_RAD - q, 0.0) - np.maximum(q - rig.upper + LIMIT_ZONE_RAD, 0.0)
    return times(J.T, wrench) + rest + LIMIT_STIFFNESS * spring + rig.plant.bias - JOINT_FRICTION * qd


@njit(cache=True)
def hand_of(rig):
    """Where the hand is and what pushes it (less the tare)."""
    R, p, J, _ = forward(rig.plant.q, rig.offset, rig.turn)
    twist = times(J, rig.plant.qd)
    return Hand(R, p, twist[:3].copy(), twist[3:].copy(), rig.plant.wrist_force - rig.tare)


@njit(cache=True)
def tick(rig, torque):
    """One control period; ONWARD, or why not."""
    plant = rig.plant
    if plant.time[0] + rig.period > rig.deadline[0]:
        return TIME_UP
    for i in range(torque.shape[0]):
        plant.torque[i] = min(max(torque[i], -rig.limit[i]), rig.limit[i])
    return ONWARD if call(plant.step, (plant.context,)) == 0 else DIVERGED


@njit(cache=True)
def servo(rig, goal, posture):
    """One tick of impedance control."""
    return tick(rig, impedance_torque(rig, goal, posture))


@njit(cache=True)
def stay(rig, goal, posture, ticks):
    """Impedance control toward one goal for so many ticks."""
    for _ in range(ticks):
        status = servo(rig, goal, posture)
        if status != ONWARD:
            return status
    return OVER


@njit(cache=True)
def hold(rig, q, ticks, until_still):
    """Keep the joints at `q` for so many ticks, or only until the arm rests there."""
    plant, zero = rig.plant, np.zeros(q.shape[0])
    for _ in range(ticks):
        if until_still and max(np.abs(plant.qd).max(), np.abs(plant.q - q).max()) < STILL:
            return OVER
        status = tick(rig, joint_torque(plant, q, zero, zero, rig.limit))
        if status != ONWARD:
            return status
    return OVER


@njit(cache=True)
def track(rig, q, qd, qdd, guarded):
    """Follow a timed path, each [T, n]: how that ended and, if a joint fell behind (ONWARD, only when `guarded`), after how many ticks."""
    plant, late = rig.plant, 0
    for k in range(q.shape[0]):
        late = late + 1 if np.abs(q[k] - plant.q).max() > TRACKING_LIMIT_RAD else 0
        if guarded and late >= TRACKING_TICKS:
            return ONWARD, k
        status = tick(rig, joint_torque(plant, q[k], qd[k], qdd[k], rig.limit))
        if status != ONWARD:
            return status, k
    return OVER, q.shape[0]
