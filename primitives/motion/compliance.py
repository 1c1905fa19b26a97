"""Following a joint nobody described: push or pull with a force along the path, and let the path itself turn the force."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hiermap.primitives.motion.control import Driver, Hand, Impedance
from hiermap.primitives.motion.kinematics import UP, cross, length_of, turned_about, unit

CHORD_M = 0.012
"""The direction is estimated anew after this much travel."""
BLEND = 0.6
"""Share of the new chord in the direction."""
STALL_SPEED, STALL_SECONDS = 0.008, 0.35
"""Slower than this [m/s] at full force for this long is the end stop, or an obstacle."""
EFFECTIVE_DAMPING = 3.5
"""Damping across the line per root of its stiffness [sqrt(kg)/s]: about critical for the hand's 3 kg."""
SLOW_SPEED, SLIP_MEMORY_S = 0.03, 0.5
"""A loss within this time [s] after moving slower than this [m/s] under force happened at the end stop."""
SPEED_GAIN = 400.0
"""[N/m]: the force grows by this times the missing speed, per second."""


@dataclass(frozen=True)
class Compliance:
    """How to follow.

    Attributes:
        speed: wanted along the path [m/s].
        force, least_force: largest and smallest push [N].
        second_force: tried for half a second at the first stall, 0 for not [N].
        lateral_stiffness, vertical_stiffness: that hold the hand on its line [N/m]; 0 leaves it free.
        damping: [N s/m].
        max_turn: of the direction, in all [rad].
        turn_per_metre: largest turn of the direction [rad/m].
        planar: turn the direction only about the vertical.
        hand_gain: share of the direction's turn that the hand follows.
        hand_stiffness: that turns the hand [N m/rad].
        max_travel: stops here [m].
        contact_force: the direction only turns while the hand is pushed at least this hard [N].
    """

    speed: float = 0.15
    force: float = 60.0
    least_force: float = 2.0
    second_force: float = 80.0
    lateral_stiffness: float = 0.0
    vertical_stiffness: float = 0.0
    damping: float = 20.0
    max_turn: float = 1.7
    turn_per_metre: float = 12.0
    planar: bool = False
    hand_gain: float = 0.8
    hand_max_turn: float = 1.2
    hand_stiffness: float = 10.0
    max_travel: float = 0.5
    contact_force: float = 0.0


@dataclass(frozen=True, eq=False)
class Travel:
    """What following came to: path `length` [m], `turn` of the direction [rad], why it ended, and `progress` [m].

    `progress` is the net way along the first or the last direction, whichever is more: sliding sideways on a face is none.
    """

    length: float
    turn: float
    reason: str
    progress: float = 0.0


def follow_joint(
    driver: Driver, start_direction: np.ndarray, how: Compliance, posture: np.ndarray, lost: Callable[[Hand], bool] = lambda hand: False
) -> Travel:
    """Drive the hand along `start_direction` [3] and then along whatever path it is led, until a stall, a loss or `max_travel`.

    `reason` is "stalled" (end stop or blocked), "lost" (`lost(hand)` held for several ticks) or "travelled".
    """
    hand = driver.hand()
    origin_rotation = hand.rotation
    first = u = unit(start_direction)
    force, length, still, gone, slow = how.least_force, 0.0, 0.0, 0, np.inf
    knot, chord, line = hand.position, None, hand.position
    previous, limit, stiffness, tried = hand.position, how.force, how.hand_stiffness, how.second_force <= how.force
    dt, begin = driver.arm.period, hand.position

    def end(reason: str) -> Travel:
        net = hand.position - begin
        return Travel(length, _angle(first, u), reason, float(max(net @ first, net @ u)))

    while True:
        speed = float(hand.velocity @ u)
        force = float(np.clip(force + SPEED_GAIN * (how.speed - speed) * dt, how.least_force, limit))
        line = line + u * (u @ (hand.position - line))
        goal = _goal(how, hand, u, first, origin_rotation, force, line, stiffness)
        hand = driver.servo(goal, posture)
        length += length_of(hand.position - previous)
        previous = hand.position
        if length_of(hand.position - knot) > CHORD_M:
            new = unit(hand.position - knot)
            if how.contact_force <= 0 or -hand.force @ u > how.contact_force:
                u = _turned(u, new, chord, how, first)
            knot, chord = hand.position, new
        slow = 0.0 if speed < SLOW_SPEED and force > 0.5 * limit else slow + dt
        gone = gone + 1 if lost(hand) else 0
        if gone >= 3:
            # A grip that slides off under force and just after standing still was at the end stop.
            reason = "stalled" if slow < SLIP_MEMORY_S else "lost"
            return end(reason)
        still = still + dt if speed < STALL_SPEED and force > 0.95 * limit else 0.0
        if still > STALL_SECONDS:
            if tried:
                return end("stalled")
            tried, limit, stiffness, still = True, how.second_force, min(2.0, stiffness), 0.0
        if length > how.max_travel:
            return end("travelled")


def _goal(
    how: Compliance, hand: Hand, u: np.ndarray, first: np.ndarray, rotation: np.ndarray, force: float, line: np.ndarray, stiffness: float
) -> Impedance:
    across = np.eye(3) - np.outer(u, u)
    up = across @ UP
    up = up / max(1e-6, length_of(up))
    vertical = np.outer(up, up)
    lateral = across - vertical
    K = how.lateral_stiffness * lateral + how.vertical_stiffness * vertical
    roots = np.sqrt(how.lateral_stiffness) * lateral + np.sqrt(how.vertical_stiffness) * vertical
    D = how.damping * np.eye(3) + EFFECTIVE_DAMPING * roots
    turn = np.clip(how.hand_gain * _angle(first, u), 0, how.hand_max_turn)
    axis = cross(first, u)
    size = length_of(axis)
    target = turned_about(axis / size, float(turn)) @ rotation if size > 1e-6 else rotation
    damping = 2.0 if stiffness <= 10.0 else 4.0
    return Impedance(
        target, line, stiffness=K, damping=D, angular_stiffness=stiffness, angular_damping=damping, force=force * u, force_cap=100.0
    )


def _turned(u: np.ndarray, new: np.ndarray, chord: np.ndarray | None, how: Compliance, first: np.ndarray) -> np.ndarray:
    """The next direction: the last chord, extrapolated by half its turn, blended in and limited."""
    if how.planar:
        new = np.array([new[0], new[1], u[2]])
    ahead = new if chord is None or how.planar else new + 0.5 * (new - chord)
    if ahead @ u < 0.2:
        return u
    wanted = unit((1 - BLEND) * u + BLEND * unit(ahead))
    angle, most = _angle(u, wanted), how.turn_per_metre * CHORD_M
    if angle > most:
        wanted = unit(u + (most / angle) * (wanted - u))
    return wanted if _angle(first, wanted) < how.max_turn else u


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.arctan2(length_of(cross(a, b)), a @ b))
