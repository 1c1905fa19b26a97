"""Shared phases of every program: to the standoff, along the approach, out of contact and home again."""

from collections.abc import Sequence

import numpy as np

from primitives.control import Driver, Hand, Impedance
from primitives.kinematics import turned_about, unit
from primitives.reach import Option, Reach, best_reach

UP = np.array([0.0, 0.0, 1.0])
SOFT_APPROACH_M = 0.03
"""The last part of an approach is done in impedance, so that a point a little off does no harm."""
APPROACH_SPEED = 0.08
"""[m/s] in impedance."""
VIA_HEIGHT_M, VIA_X_M = 0.42, 0.40
"""The hand comes from and leaves to a place at least this high and this near the robot, out of reach of open doors."""
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
    side = np.cross(direction, UP)
    if np.linalg.norm(side) < 1e-6:
        return direction
    return turned_about(unit(side), -pitch_rad) @ direction


def enter(driver: Driver, reach: Reach, via: Sequence[np.ndarray] = (), soft: float = SOFT_APPROACH_M) -> np.ndarray:
    """From ready over `via` points [3] (hand positions, same orientation) to the last `soft` metres of the approach; the joints there [7].

    Raises Blocked after returning to where it came from.
    """
    chain = driver.arm.chain
    entry = _joints_along(driver, reach.approach[0], reach.option.rotation, via)[::-1]
    length = float(np.linalg.norm(reach.option.contact - reach.option.standoff))
    inner = max(0.0, 1.0 - soft / max(length, 1e-6))
    stop = reach.option.standoff + inner * (reach.option.contact - reach.option.standoff)
    goal = np.linspace(reach.option.standoff, stop, 4)[None, 1:]
    path, _, _ = chain.follow(reach.approach[:1], np.broadcast_to(reach.option.rotation, (1, 3, 3, 3)), goal)
    if not driver.follow(np.vstack([*entry, reach.approach[:1]])):
        raise Blocked
    if not driver.follow(path[0], speed=0.6):
        raise Blocked
    driver.take_tare()
    return path[0, -1]


def _joints_along(driver: Driver, start: np.ndarray, rotation: np.ndarray, points: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Joints for hand positions `points` continued from `start` [7]; stops at the first that cannot be reached."""
    result: list[np.ndarray] = []
    q = start
    for point in points:
        _, here, _ = driver.arm.chain.forward(q)
        line = np.linspace(here, point, 4)[None, 1:]
        path, reached, _ = driver.arm.chain.follow(q[None], np.broadcast_to(rotation, (1, 3, 3, 3)), line)
        for row, good in zip(path[0], reached[0], strict=True):
            if not good or np.abs(row - q).max() > 0.8:
                return result
            q = row
            result.append(q)
    return result


def via_points(standoff: np.ndarray, rise: float = 0.0) -> list[np.ndarray]:
    """Points between a standoff and the free space before the robot: up by `rise`, then back and high."""
    points = []
    if rise > 0:
        points.append(standoff + rise * UP)
    here = points[-1] if points else standoff
    points.append(np.array([min(here[0], VIA_X_M), 0.85 * here[1], max(here[2], VIA_HEIGHT_M)]))
    return points


def advance(driver: Driver, posture: np.ndarray, rotation: np.ndarray, goal: np.ndarray, contact_force: float, cap: float = 35.0) -> Hand:
    """Move in impedance to `goal` [3], or until the force against the motion exceeds `contact_force` [N]."""
    hand = driver.hand()
    direction = unit(goal - hand.position)
    start, length = hand.position, float(np.linalg.norm(goal - hand.position))
    ticks = int(np.ceil(length / (APPROACH_SPEED * driver.arm.period)))
    for k in range(1, ticks + 20):
        travelled = min(length, k * APPROACH_SPEED * driver.arm.period)
        speed = APPROACH_SPEED if travelled < length else 0.0
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
    for k in range(1, ticks + 12):
        travelled = min(distance, k * BACK_SPEED * driver.arm.period)
        speed = BACK_SPEED if travelled < distance else 0.0
        driver.servo(Impedance(hand.rotation, hand.position + travelled * direction, speed * direction, force_cap=cap), posture)


def go_home(driver: Driver, via: Sequence[np.ndarray] = ()) -> None:
    """Over `via` points to the ready pose, and rest there."""
    driver.leaving()
    state = driver.arm.read()
    rotation, _, _ = driver.arm.chain.forward(state.q)
    ready = driver.arm.ready
    out = _joints_along(driver, state.q, rotation, via)
    if out and not driver.follow(np.array(out)):
        back_off(driver, UP, 0.10)
    driver.follow(ready[None], guarded=False)
    driver.settle(ready)
