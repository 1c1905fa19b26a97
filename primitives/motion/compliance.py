"""Following a joint nobody described: push or pull with a force along the path, and let the path itself turn the force."""

from typing import NamedTuple

import numpy as np
from numba import njit

from hiermap.primitives.motion.control import Driver, Ending
from hiermap.primitives.motion.kinematics import cross, dot, length_of, product, turned_about, unit
from hiermap.primitives.motion.laws import DIVERGED, ONWARD, OVER, TIME_UP, Impedance, hand_of, servo
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


class Compliance(NamedTuple):
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


def follow_joint(
    driver: Driver, start_direction: np.ndarray, how: Compliance, posture: np.ndarray, grip: tuple[float, float] = (-np.inf, np.inf)
) -> Ending:
    """Drive the hand along `start_direction` [3] and then along whatever path it is led, until a stall, a loss or `max_travel`.

    It is lost when the pads are not as far apart as `grip` says, from and to [m], for several ticks.
    """
    begin, first = driver.hand(), unit(start_direction)
    status, stalled, length, direction = _follow_path(driver.rig, begin, first, how, posture, grip)
    if status == DIVERGED:
        raise driver.arm.fault()
    net = driver.hand().position - begin.position
    reason = Reason.TIMEOUT if status == TIME_UP else Reason.STALLED if stalled else Reason.SLIPPED
    return Ending(reason, length, float(max(net @ first, net @ direction)))


@njit(cache=True)
def _follow_path(rig, begin, first, how, posture, grip):
    """How it ended, whether with a stall, and the path's length [m] and last direction [3]."""
    hand, u, line, knot, chord = begin, first, begin.position, begin.position, np.zeros(3)
    force, limit, angular_stiffness, tried = LEAST_FORCE_N, how.force, how.hand_stiffness, how.second_force <= how.force
    length, still, slow, gone, dt = 0.0, 0.0, np.inf, 0, rig.period
    while length <= how.max_travel:
        speed = dot(hand.velocity, u)
        force = min(max(force + SPEED_GAIN * (how.speed - speed) * dt, LEAST_FORCE_N), limit)
        line = line + u * dot(u, hand.position - line)
        status = servo(rig, _goal(how, begin.rotation, first, u, line, angular_stiffness, force), posture)
        if status != ONWARD:
            return status, False, length, u
        before, hand = hand.position, hand_of(rig)
        length += length_of(hand.position - before)
        if length_of(hand.position - knot) > CHORD_M:
            last, chord = chord, (hand.position - knot) / length_of(hand.position - knot)
            knot, last = hand.position, last if last.any() else chord
            u = _turned(how, first, u, last, chord, -dot(hand.force, u))
        slow = 0.0 if speed < SLOW_SPEED and force > 0.5 * limit else slow + dt
        gone = 0 if grip[0] < rig.plant.width[0] < grip[1] else gone + 1
        if gone >= LOST_TICKS:
            # A grip that slides off under force and just after standing still was at the end stop.
            return OVER, slow < SLIP_MEMORY_S, length, u
        still = still + dt if speed < STALL_SPEED and force > 0.95 * limit else 0.0
        if still > STALL_SECONDS:
            if tried:
                return OVER, True, length, u
            tried, limit, angular_stiffness, still = True, how.second_force, min(2.0, angular_stiffness), 0.0
    return OVER, False, length, u


@njit(cache=True)
def _goal(how, rotation, first, u, line, angular_stiffness, force):
    """The hand held on its line, turned with the path and pushed along it."""
    axis = cross(first, u)
    size, led = length_of(axis), rotation
    if size > 1e-6:
        turn = min(max(how.hand_gain * _angle(first, u), 0.0), how.hand_max_turn)
        led = product(turned_about(axis / size, turn), rotation)
    across = np.eye(3) - np.outer(u, u)
    up = across[2] / max(1e-6, length_of(across[2]))
    vertical = np.outer(up, up)
    lateral = across - vertical
    roots = np.sqrt(how.lateral_stiffness) * lateral + np.sqrt(how.vertical_stiffness) * vertical
    stiffness = how.lateral_stiffness * lateral + how.vertical_stiffness * vertical
    damping = DAMPING * np.eye(3) + EFFECTIVE_DAMPING * roots
    angular_damping, zero = 2.0 if angular_stiffness <= 10.0 else 4.0, np.zeros(3)
    return Impedance(led, line, zero, stiffness, damping, angular_stiffness, angular_damping, force * u, zero, FORCE_CAP)


@njit(cache=True)
def _turned(how, first, u, last, chord, pushed):
    """The direction after blending in the last chord, extrapolated by half its turn, within the limits; `pushed` [N] against it."""
    ahead = np.array([chord[0], chord[1], u[2]]) if how.planar else chord + 0.5 * (chord - last)
    if dot(ahead, u) < 0.2 or (how.contact_force > 0 and pushed <= how.contact_force):
        return u
    wanted = (1 - BLEND) * u + BLEND / length_of(ahead) * ahead
    wanted = wanted / length_of(wanted)
    angle, most = _angle(u, wanted), how.turn_per_metre * CHORD_M
    if angle > most:
        wanted = u + (most / angle) * (wanted - u)
        wanted = wanted / length_of(wanted)
    return wanted if _angle(first, wanted) < how.max_turn else u


@njit(cache=True)
def _angle(a, b):
    return np.arctan2(length_of(cross(a, b)), dot(a, b))
