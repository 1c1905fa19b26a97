"""Following a joint nobody described: push or pull with a force along the path, and let the path itself turn the force."""

from dataclasses import astuple, dataclass, fields

import numpy as np

from hiermap.primitives.compiled import compiled
from hiermap.primitives.motion.control import Driver, Ending
from hiermap.primitives.motion.kinematics import UP, cross, distance, dot, length_of, multiply, turned_about, unit
from hiermap.primitives.motion.laws import DIVERGED, ONWARD, OVER, TIME_UP, impedance, servo
from hiermap.primitives.specs import Reason

LEAST_FORCE_N, FORCE_CAP = 2.0, 100.0
"""Of the push, and of all forces together."""
CHORD_M = 0.012
"""The direction is estimated anew after this much travel."""
BLEND = 0.6
"""Share of the new chord in the direction."""
STALL_SPEED, STALL_SECONDS = 0.008, 0.35
"""Slower than this [m/s] at full force for this long is the end stop, or an obstacle."""
DAMPING, EFFECTIVE_DAMPING = 20.0, 3.5
"""[N s/m] everywhere, and across the line per root of its stiffness [sqrt(kg)/s]: about critical for the hand's 3 kg."""
SLOW_SPEED, SLIP_MEMORY_S = 0.03, 0.5
"""A loss within this time [s] after moving slower than this [m/s] under force happened at the end stop."""
LOST_TICKS = 3
"""A loss that lasts this long is one."""
SPEED_GAIN = 400.0
"""[N/m]: the force grows by this times the missing speed, per second."""


@dataclass(frozen=True)
class Compliance:
    """How to follow.

    Attributes:
        speed: wanted along the path [m/s].
        force: largest push [N].
        second_force: tried at the first stall, 0 for not [N].
        lateral_stiffness, vertical_stiffness: that hold the hand on its line [N/m]; 0 leaves it free.
        max_turn: of the direction, in all [rad].
        turn_per_metre: largest turn of the direction [rad/m].
        planar: turn the direction only about the vertical.
        hand_gain: share of the direction's turn that the hand follows.
        hand_max_turn: of the hand [rad].
        hand_stiffness: that turns the hand [N m/rad].
        max_travel: stops here [m].
        contact_force: the direction only turns while the hand is pushed at least this hard [N].
        free_travel, felt: stops where it has gone so far [m] against less than so much [N], past the end of what it led,
        firm_travel, firm: but not before it has gone so far [m] against more than so much [N].
    """

    speed: float = 0.15
    force: float = 45.0
    second_force: float = 0.0
    lateral_stiffness: float = 0.0
    vertical_stiffness: float = 0.0
    max_turn: float = 1.7
    turn_per_metre: float = 12.0
    planar: bool = False
    hand_gain: float = 0.8
    hand_max_turn: float = 1.2
    hand_stiffness: float = 10.0
    max_travel: float = 0.5
    contact_force: float = 0.0
    free_travel: float = np.inf
    felt: float = 0.3
    firm_travel: float = 0.0
    firm: float = 0.0


def follow_joint(
    driver: Driver, start_direction: np.ndarray, how: Compliance, posture: np.ndarray, grip: tuple[float, float] = (-np.inf, np.inf)
) -> Ending:
    """Drive the hand along `start_direction` [3] and then along whatever path it is led, until a stall, a loss, or far enough.

    It is lost when the pads are not as far apart as `grip` says, from and to [m], for several ticks.
    """
    begin, first = driver.hand(), unit(start_direction)
    goal = impedance(begin.rotation, begin.position, 0.0, DAMPING, how.hand_stiffness, force_cap=FORCE_CAP)
    direction = first.copy()
    status, stalled, length = _follow_path(driver.plant, goal, begin.rotation, first, direction, _numbers(how), posture, grip)
    if status == DIVERGED:
        raise driver.arm.fault()
    net = driver.hand().position - begin.position
    reason = Reason.TIMEOUT if status == TIME_UP else Reason.STALLED if stalled else Reason.SLIPPED
    return Ending(reason, length, float(max(net @ first, net @ direction)))


def _numbers(how: Compliance) -> np.record:
    """The same as compiled code reads it."""
    kinds = [(field.name, bool if field.name == "planar" else float) for field in fields(how)]
    return np.rec.array(np.array([astuple(how)], kinds))[0]


@compiled
def _follow_path(plant, goal, rotation, first, u, how, posture, grip):
    """How it ended, whether with a stall, and the path's length [m]; `u` [3] becomes its last direction."""
    here, knot, chord, turns = goal.position.copy(), goal.position.copy(), np.zeros(3), 0
    force, limit, tried = LEAST_FORCE_N, how.force, how.second_force <= how.force
    length, free, firm, still, slow, gone, dt = 0.0, 0.0, 0.0, 0.0, np.inf, 0, plant.period
    while length <= how.max_travel and free <= how.free_travel:
        speed = dot(plant.velocity, u)
        force = min(max(force + SPEED_GAIN * (how.speed - speed) * dt, LEAST_FORCE_N), limit)
        _aim(goal, plant.position, how, rotation, first, u, force)
        status = servo(plant, goal, posture)
        if status != ONWARD:
            return status, False, length
        way = distance(plant.position, here)
        length += way
        pushed = -dot(plant.force, u)
        firm += way if pushed > how.firm else 0.0
        free = free + way if firm >= how.firm_travel and pushed < how.felt else 0.0
        for r in range(3):
            here[r] = plant.position[r]
        if distance(here, knot) > CHORD_M:
            turns += 1
            _turn(how, first, u, chord, knot, here, turns, pushed)
        slow = 0.0 if speed < SLOW_SPEED and force > 0.5 * limit else slow + dt
        gone = 0 if grip[0] < plant.width < grip[1] else gone + 1
        if gone >= LOST_TICKS:
            # A grip that slides off under force and just after standing still was at the end stop.
            return OVER, slow < SLIP_MEMORY_S, length
        still = still + dt if speed < STALL_SPEED and force > 0.95 * limit else 0.0
        if still > STALL_SECONDS:
            if tried:
                return OVER, True, length
            tried, limit, goal.angular_stiffness, still = True, how.second_force, min(2.0, goal.angular_stiffness), 0.0
    return OVER, False, length


@compiled
def _aim(goal, position, how, rotation, first, u, force):
    """Hold the hand on the line along `u` through the last goal, turned with the path and pushed along it."""
    axis = cross(first, u)
    size, up = length_of(axis), np.empty(3)
    for r in range(3):
        axis[r] /= max(size, 1e-6)
    multiply(turned_about(axis, min(max(how.hand_gain * _angle(first, u), 0.0), how.hand_max_turn)), rotation, goal.rotation)
    goal.angular_damping = 2.0 if goal.angular_stiffness <= 10.0 else 4.0
    gone = dot(u, position) - dot(u, goal.position)
    # Up as far as it is across the line, and the rest of what is across.
    _blend(UP, u, -u[2], up)
    roots = np.sqrt(how.lateral_stiffness), np.sqrt(how.vertical_stiffness)
    for r in range(3):
        goal.position[r] += u[r] * gone
        goal.force[r] = force * u[r]
        for c in range(3):
            one = 1.0 if r == c else 0.0
            vertical = up[r] * up[c]
            lateral = one - u[r] * u[c] - vertical
            goal.stiffness[r, c] = how.lateral_stiffness * lateral + how.vertical_stiffness * vertical
            goal.damping[r, c] = DAMPING * one + EFFECTIVE_DAMPING * (roots[0] * lateral + roots[1] * vertical)


@compiled
def _turn(how, first, u, chord, knot, here, turns, pushed):
    """Blend the last chord, extrapolated by half its turn, into the direction within the limits; `pushed` [N] against it."""
    length, ahead, wanted = distance(here, knot), np.empty(3), np.empty(3)
    for r in range(3):
        last, chord[r], knot[r] = chord[r], (here[r] - knot[r]) / length, here[r]
        ahead[r] = chord[r] if turns == 1 or how.planar else chord[r] + 0.5 * (chord[r] - last)
    if how.planar:
        ahead[2] = u[2]
    if dot(ahead, u) < 0.2 or (how.contact_force > 0 and pushed <= how.contact_force):
        return
    _blend(u, ahead, BLEND / length_of(ahead) / (1 - BLEND), wanted)
    angle, most = _angle(u, wanted), how.turn_per_metre * CHORD_M
    if angle > most:
        _blend(u, wanted, most / (angle - most), wanted)
    if _angle(first, wanted) < how.max_turn:
        _blend(wanted, u, 0.0, u)


@compiled
def _blend(a, b, weight, result):
    """The direction of a + `weight` b."""
    for r in range(3):
        result[r] = a[r] + weight * b[r]
    length = length_of(result)
    for r in range(3):
        result[r] /= max(length, 1e-9)


@compiled
def _angle(a, b):
    return np.arctan2(length_of(cross(a, b)), dot(a, b))
