"""Moving until something is felt: straight lines in impedance, into a contact and out of it."""

import numpy as np

from hiermap.primitives.compiled import compiled
from hiermap.primitives.motion.control import Driver, Hand
from hiermap.primitives.motion.ik_branches import straight
from hiermap.primitives.motion.kinematics import dot, length_of, unit
from hiermap.primitives.motion.laws import ONWARD, OVER, impedance, servo

APPROACH_SPEED, BACK_SPEED = 0.08, 0.25
"""[m/s] in impedance: of the hand on its way into a contact, and leaving it."""
GENTLE_TICKS = 12
"""An approach gets up to speed in this many: the jerk of a sudden start would feel like a contact."""
REST_TICKS = 19
"""An approach that met nothing waits this long where it ends."""
BACK_PATIENCE_S, BACK_REST_TICKS, BACK_SHARE = 0.6, 12, 0.93
"""A hand that is held up by what it leaves gets this much longer; this much of the way, after so many ticks of rest, is all of it."""


@compiled
def line_tick(plant, goal, posture, start, direction, way, speed):
    """One tick toward `way` [m] from `start` along `direction` [3], at `speed` [m/s]; `goal` says how."""
    for r in range(3):
        goal.position[r], goal.velocity[r] = start[r] + way * direction[r], speed * direction[r]
    return servo(plant, goal, posture)


@compiled
def along_line(plant, goal, posture, start, direction, way, speed, felt, enough_ticks, enough_way):
    """From `start` along `direction` [3], each tick by its `way` [m] at its `speed` [m/s], [T].

    Ends when the force against the motion exceeds `felt` [N], or `enough_ticks` have passed and `enough_way` [m] has been made.
    """
    begin = dot(start, direction)
    for k in range(way.shape[0]):
        status = line_tick(plant, goal, posture, start, direction, way[k], speed[k])
        if status != ONWARD:
            return status
        enough = k + 1 >= enough_ticks and dot(plant.position, direction) - begin > enough_way
        if enough or -dot(plant.force, direction) > felt:
            break
    return OVER


def advance(driver: Driver, posture: np.ndarray, rotation: np.ndarray, goal: np.ndarray, contact_force: float, cap: float = 35.0) -> Hand:
    """Move in impedance to `goal` [3], or until the force against the motion exceeds `contact_force` [N]; the hand then."""
    here = driver.hand().position
    length, period = length_of(goal - here), driver.arm.period
    starting = APPROACH_SPEED * np.arange(1, GENTLE_TICKS) / GENTLE_TICKS
    speed = np.append(starting, np.full(int(length / (APPROACH_SPEED * period)) + 1, APPROACH_SPEED))
    way = np.minimum(np.cumsum(speed * period), length)
    moving = 1 + int(np.searchsorted(way, length))
    way, speed = np.append(way[:moving], np.full(REST_TICKS, length)), np.append(speed[:moving], np.zeros(REST_TICKS))
    line = impedance(rotation, here, force_cap=cap)
    driver.check(along_line(driver.plant, line, posture, here, unit(goal - here), way, speed, float(contact_force), 0, np.inf))
    return driver.hand()


def back_off(driver: Driver, direction: np.ndarray, distance: float, cap: float = 40.0) -> None:
    """Leave a contact: straight along `direction` [3] by `distance` [m], in impedance, and where the arm cannot be drawn so, by its joints.

    Near a singular posture it hardly gives way to a force on the hand; on its way home a hand that is still there would take along what
    it has just let go.
    """
    driver.leaving()
    hand, period = driver.hand(), driver.arm.period
    enough = int(np.ceil(distance / (BACK_SPEED * period))) + BACK_REST_TICKS
    way = np.minimum(np.arange(1, enough + round(BACK_PATIENCE_S / period)) * BACK_SPEED * period, distance)
    speed, line = np.where(way < distance, BACK_SPEED, 0.0), impedance(hand.rotation, hand.position, force_cap=cap)
    enough_way, direction = BACK_SHARE * distance, np.array(direction, float)
    driver.check(along_line(driver.plant, line, driver.joints(), hand.position, direction, way, speed, np.inf, enough, enough_way))
    if dot(driver.hand().position - hand.position, direction) < enough_way:
        _by_joints(driver, hand.rotation, hand.position + distance * direction)


def draw_back(driver: Driver, direction: np.ndarray, distance: float) -> None:
    """Leave a face that was pressed: straight along `direction` [3] by `distance` [m], by the joints, and in impedance where they cannot.

    Joints hold the line, while in impedance the arm's inertia turns a pull aside: a finger that comes to press on the bar of a drawer just
    shut drags it open again by centimetres.
    """
    driver.leaving()
    hand, direction = driver.hand(), np.array(direction, float)
    _by_joints(driver, hand.rotation, hand.position + distance * direction)
    left = distance - dot(driver.hand().position - hand.position, direction)
    if left > (1.0 - BACK_SHARE) * distance:
        back_off(driver, direction, left)


def _by_joints(driver: Driver, rotation: np.ndarray, goal: np.ndarray) -> None:
    """As far as there is a path of the joints along the straight line to `goal` [3]."""
    path, reached, *_ = driver.arm.chain.follow(driver.joints()[None], *straight(rotation, driver.hand().position, goal))
    possible = path[0, : int(np.cumprod(reached[0]).sum())]
    if len(possible):
        driver.follow(possible)
