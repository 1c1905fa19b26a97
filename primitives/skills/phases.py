"""Shared phases of every program: to the standoff, along the approach, out of contact and home again."""

from collections.abc import Sequence

import numpy as np

from hiermap.primitives.motion.control import Driver, Hand, Impedance
from hiermap.primitives.motion.detours import way_out
from hiermap.primitives.motion.ik_branches import Option, Reach, best_reach
from hiermap.primitives.motion.kinematics import UP, cross, length_of, turned_about, unit

SOFT_APPROACH_M = 0.03
"""The last part of an approach is done in impedance, so that a point a little off does no harm."""
APPROACH_SPEED = 0.08
"""[m/s] in impedance."""
BACK_PATIENCE_S = 0.6
"""A hand that is held up by what it leaves gets this much longer."""
BACK_SPEED = 0.25
"""[m/s] of the hand leaving a contact."""


class Blocked(Exception):
    """Something stands in a free path; `moved` says whether the arm is back where it began."""


class Unreachable(Exception):
    """No branch of the arm reaches the commanded pose; nothing has moved."""


def choose(driver: Driver, options: Sequence[Option]) -> Reach:
    """The best branch over `options`; raises Unreachable."""
    reach = best_reach(driver.arm.chain, driver.arm.ready, options)
    if reach is None:
        raise Unreachable
    return reach


def pitched(direction: np.ndarray, pitch_rad: float) -> np.ndarray:
    """`direction` [3] tilted downward by `pitch_rad`, within its vertical plane."""
    side = cross(direction, UP)
    if length_of(side) < 1e-6:
        return direction
    return turned_about(unit(side), -pitch_rad) @ direction


def level(normal_world: Sequence[float] | np.ndarray) -> np.ndarray:
    """The horizontal part of an outward normal, unit [3]; toward the robot when there is hardly any."""
    flat = np.array([normal_world[0], normal_world[1], 0.0])
    return unit(flat) if length_of(flat) > 0.3 and flat[0] < 0.3 else np.array([-1.0, 0.0, 0.0])


def enter(driver: Driver, reach: Reach, rise: float = 0.0, soft: float = SOFT_APPROACH_M) -> np.ndarray:
    """From ready around what may stand open to the last `soft` metres of the approach; the joints there [7].

    The hand reaches the standoff from `rise` [m] above it. Raises Blocked after returning to where it came from.
    """
    chain = driver.arm.chain
    option = reach.option
    entry = way_out(chain, reach.approach[0], driver.arm.ready, rise)[::-1]
    length = length_of(option.contact - option.standoff)
    inner = max(0.0, 1.0 - soft / max(length, 1e-6))
    stop = option.standoff + inner * (option.contact - option.standoff)
    goal = np.linspace(option.standoff, stop, 4)[None, 1:]
    path, *_ = chain.follow(reach.approach[:1], np.broadcast_to(option.rotation, (1, 3, 3, 3)), goal)
    if not driver.follow(np.vstack([*entry[1:], reach.approach[:1]])):
        raise Blocked
    if not driver.follow(path[0], speed=0.6):
        raise Blocked
    driver.take_tare()
    return path[0, -1]


def advance(driver: Driver, posture: np.ndarray, rotation: np.ndarray, goal: np.ndarray, contact_force: float, cap: float = 35.0) -> Hand:
    """Move in impedance to `goal` [3], or until the force against the motion exceeds `contact_force` [N]."""
    hand = driver.hand()
    direction = unit(goal - hand.position)
    start, length = hand.position, length_of(goal - hand.position)
    travelled, waited, k = 0.0, 0, 0
    while waited < 20:
        k += 1
        # A gentle start: the jerk of a sudden one would feel like a contact.
        speed = APPROACH_SPEED * min(1.0, k / 12) if travelled < length else 0.0
        travelled = min(length, travelled + speed * driver.arm.period)
        waited += travelled >= length
        hand = driver.servo(Impedance(rotation, start + travelled * direction, speed * direction, force_cap=cap), posture)
        if -hand.force @ direction > contact_force:
            break
    return hand


def close_fingers(driver: Driver, posture: np.ndarray, rotation: np.ndarray, position: np.ndarray, seconds: float = 0.5) -> float:
    """Squeeze softly in place; the width between the pads afterwards [m]."""
    driver.fingers = -driver.arm.finger_limit
    _wait(driver, posture, rotation, position, seconds)
    return driver.arm.width()


def release(driver: Driver, posture: np.ndarray, extra: float | None = None, seconds: float = 0.35) -> None:
    """Open the fingers softly in place: fully, or by `extra` [m] per finger."""
    hand = driver.hand()
    limit = driver.arm.finger_limit
    driver.fingers = limit if extra is None else min(limit, driver.arm.width() / 2 + extra)
    _wait(driver, posture, hand.rotation, hand.position, seconds)


def _wait(driver: Driver, posture: np.ndarray, rotation: np.ndarray, position: np.ndarray, seconds: float) -> None:
    # A soft hand gives way to an off-centre grip instead of pulling on it.
    goal = Impedance(rotation, position, stiffness=150.0 * np.eye(3), damping=60.0 * np.eye(3), angular_stiffness=20.0, angular_damping=5.0)
    for _ in range(round(seconds / driver.arm.period)):
        driver.servo(goal, posture)


def back_off(driver: Driver, direction: np.ndarray, distance: float, cap: float = 40.0) -> None:
    """Leave a contact: straight along `direction` [3] by `distance` [m], in impedance."""
    driver.leaving()
    hand, posture = driver.hand(), driver.arm.read().q
    ticks = int(np.ceil(distance / (BACK_SPEED * driver.arm.period)))
    most = ticks + 12 + round(BACK_PATIENCE_S / driver.arm.period)
    for k in range(1, most):
        travelled = min(distance, k * BACK_SPEED * driver.arm.period)
        speed = BACK_SPEED if travelled < distance else 0.0
        now = driver.servo(Impedance(hand.rotation, hand.position + travelled * direction, speed * direction, force_cap=cap), posture)
        if k >= ticks + 12 and (now.position - hand.position) @ direction > 0.93 * distance:
            break


def go_home(driver: Driver, rise: float = 0.0) -> None:
    """Around what may stand open to the ready pose, first up by `rise` [m] where possible, and rest there."""
    driver.leaving()
    ready = driver.arm.ready
    path = way_out(driver.arm.chain, driver.arm.read().q, ready, rise)
    if not driver.follow(path):
        back_off(driver, unit(np.array([-0.5, 0.0, 1.0])), 0.12)
        driver.follow(ready[None], guarded=False)
    driver.settle(ready)
