"""The two control laws and the ticks that apply them, compiled: stiff joint paths in free space, soft impedance in contact.

Everything is done in place in two records, the arm's plant and a goal: temporaries would take longer to compile than to write.
"""

import numpy as np

from hiermap.primitives.compiled import compiled
from hiermap.primitives.motion.arm import call
from hiermap.primitives.motion.kinematics import apart, back_substitute, dot, factor, forward_into, length_of, rotation_error_into

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
VECTORS, MATRICES = ("position", "velocity", "force", "torque"), ("rotation", "stiffness", "damping")
SCALARS = "angular_stiffness", "angular_damping", "force_cap"
IMPEDANCE = np.dtype([(name, float, 3) for name in VECTORS] + [(name, float, (3, 3)) for name in MATRICES] + [(n, float) for n in SCALARS])
"""How the hand yields in one control tick; world axes.

    rotation, position: where it is drawn to, [3, 3], [3] [m].
    velocity: of that point, [3] [m/s].
    stiffness, damping: [3, 3] [N/m], [N s/m].
    angular_stiffness, angular_damping: [N m/rad], [N m s/rad].
    force, torque: added on top, [3] [N], [3] [N m].
    force_cap: largest total force [N].
"""


def impedance(
    rotation: np.ndarray,
    position: np.ndarray,
    stiffness: float = 1500.0,
    damping: float = 220.0,
    angular_stiffness: float = 60.0,
    angular_damping: float = 11.0,
    force_cap: float = 40.0,
) -> np.record:
    """An IMPEDANCE alike in all directions; unless said otherwise 0.3 mm static error, 16 mm lag at 10 cm/s."""
    goal = np.rec.array(np.zeros(1, IMPEDANCE))[0]
    goal.rotation[:], goal.position[:] = rotation, position
    goal.stiffness[:], goal.damping[:] = stiffness * np.eye(3), damping * np.eye(3)
    goal.angular_stiffness, goal.angular_damping, goal.force_cap = angular_stiffness, angular_damping, force_cap
    return goal


@compiled
def joint_torque(plant, q, qd, qdd):
    """Computed torque toward (q, qd, qdd), into `plant.torque`; where a joint saturates all of it shrinks, keeping its direction."""
    n, scale = q.shape[0], 1.0
    for i in range(n):
        correction = 0.0
        for j in range(n):
            wanted = JOINT_STIFFNESS * (q[j] - plant.q[j]) + JOINT_DAMPING * (qd[j] - plant.qd[j]) + qdd[j]
            correction += plant.mass_matrix[i, j] * wanted
        room = plant.limit[i] - plant.bias[i] if correction > 0 else plant.limit[i] + plant.bias[i]
        scale = min(scale, max(room, 0.5) / max(abs(correction), 1e-9))
        plant.torque[i] = correction
    for i in range(n):
        plant.torque[i] = plant.bias[i] + scale * plant.torque[i]


@compiled
def impedance_torque(plant, goal, posture):
    """J' (K e - D v + F) with gravity compensation, null-space posture and springs at the joint limits, into `plant.torque`."""
    n, J, wrench, moved, rest = posture.shape[0], plant.jacobian, np.empty(6), np.zeros(6), np.empty(posture.shape[0])
    rotation_error_into(goal.rotation, plant.rotation, wrench[3:])
    for r in range(3):
        wrench[r] = goal.force[r]
        for c in range(3):
            wrench[r] += goal.stiffness[r, c] * (goal.position[c] - plant.position[c])
            wrench[r] += goal.damping[r, c] * (goal.velocity[c] - plant.velocity[c])
        wrench[3 + r] = goal.angular_stiffness * wrench[3 + r] - goal.angular_damping * plant.spin[r] + goal.torque[r]
    force = min(1.0, goal.force_cap / max(length_of(wrench[:3]), 1e-9))
    torque = min(1.0, TORQUE_CAP / max(length_of(wrench[3:]), 1e-9))
    for i in range(n):
        rest[i] = POSTURE_STIFFNESS * (posture[i] - plant.q[i]) - POSTURE_DAMPING * plant.qd[i]
        for r in range(6):
            moved[r] += J[r, i] * rest[i]
    # What of the way to the posture would move the hand is taken off.
    back_substitute(factor(J, NULL_SPACE_DAMPING), moved)
    for r in range(6):
        wrench[r] = wrench[r] * (force if r < 3 else torque) - moved[r]
    for i in range(n):
        low, high = plant.lower[i] + LIMIT_ZONE_RAD - plant.q[i], plant.q[i] - plant.upper[i] + LIMIT_ZONE_RAD
        spring = LIMIT_STIFFNESS * (max(low, 0.0) - max(high, 0.0))
        plant.torque[i] = rest[i] + spring + plant.bias[i] - JOINT_FRICTION * plant.qd[i] + dot(J[:, i], wrench)


@compiled
def look(plant):
    """Bring the hand up to date with the joints."""
    forward_into(plant.q, plant.offset, plant.turn, plant.rotation, plant.position, plant.jacobian, plant.origins)
    for r in range(3):
        plant.velocity[r] = dot(plant.jacobian[r], plant.qd)
        plant.spin[r] = dot(plant.jacobian[3 + r], plant.qd)
        plant.force[r] = plant.wrist_force[r] - plant.tare[r]


@compiled
def tick(plant):
    """One control period of `plant.torque`; ONWARD, or why not."""
    if plant.time + plant.period > plant.deadline:
        return TIME_UP
    for i in range(plant.torque.shape[0]):
        plant.torque[i] = min(max(plant.torque[i], -plant.limit[i]), plant.limit[i])
    if call(plant.step, (plant.context,)) != 0:
        return DIVERGED
    look(plant)
    return ONWARD


@compiled
def servo(plant, goal, posture):
    """One tick of impedance control."""
    impedance_torque(plant, goal, posture)
    return tick(plant)


@compiled
def stay(plant, goal, posture, ticks):
    """Impedance control toward one goal for so many ticks."""
    status = ONWARD
    while status == ONWARD and ticks > 0:
        status, ticks = servo(plant, goal, posture), ticks - 1
    return max(status, OVER)


@compiled
def track(plant, q, qd, qdd, guarded):
    """Follow a timed path, each [T, n]: how that ended and, if a joint fell behind (ONWARD, only when `guarded`), after how many ticks."""
    late = 0
    for k in range(q.shape[0]):
        late = late + 1 if apart(q[k], plant.q) > TRACKING_LIMIT_RAD else 0
        if guarded and late >= TRACKING_TICKS:
            return ONWARD, k
        joint_torque(plant, q[k], qd[k], qdd[k])
        status = tick(plant)
        if status != ONWARD:
            return status, k
    return OVER, q.shape[0]


@compiled
def hold(plant, q, ticks, until_still):
    """Keep the joints at `q` [n] for so many ticks, or only until the arm rests there."""
    zero, status = np.zeros(q.shape[0]), ONWARD
    while status == ONWARD and ticks > 0 and not (until_still and apart(plant.q, q) < STILL and apart(plant.qd, zero) < STILL):
        joint_torque(plant, q, zero, zero)
        status, ticks = tick(plant), ticks - 1
    return max(status, OVER)
