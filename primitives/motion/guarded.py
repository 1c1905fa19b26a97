"""Moving until something is felt: straight lines in impedance, into a contact and out of it."""

import numpy as np

from hiermap.primitives.compiled import compiled
from hiermap.primitives.motion.control import Driver, Hand
from hiermap.primitives.motion.ik_branches import straight
from hiermap.primitives.motion.kinematics import dot, length_of, unit
from hiermap.primitives.motion.laws import ONWARD, OVER, impedance, servo

APPROACH_SPEED, BACK_SPEED = 0.08, 0.25
"""[m/s] in impedance: of the hand on its way into a contact, and leaving it."""
GENTLE_TICKS, BACK_GENTLE_TICKS = 12, 24
"""A line gets up to speed in this many, into a contact and out of it: the jerk of a sudden start would feel like a contact, and the arm's
inertia turns it aside, so that a finger on a drawer's bar drags it open again by 28 mm."""
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
    speed = _gently(APPROACH_SPEED, GENTLE_TICKS, int(length / (APPROACH_SPEED * period)))
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
    enough = BACK_GENTLE_TICKS // 2 + int(np.ceil(distance / (BACK_SPEED * period))) + BACK_REST_TICKS
    speed = _gently(BACK_SPEED, BACK_GENTLE_TICKS, enough + round(BACK_PATIENCE_S / period))
    way = np.minimum(np.cumsum(speed * period), distance)
    speed, line = np.where(way < distance, speed, 0.0), impedance(hand.rotation, hand.position, force_cap=cap)
    enough_way, direction = BACK_SHARE * distance, np.array(direction, float)
    driver.check(along_line(driver.plant, line, driver.joints(), hand.position, direction, way, speed, np.inf, enough, enough_way))
    here = driver.hand().position
    if dot(here - hand.position, direction) < enough_way:
        rotations, positions = straight(hand.rotation, here, hand.position + distance * direction)
        path, reached, *_ = driver.arm.chain.follow(driver.joints()[None], rotations, positions)
        possible = path[0, : int(np.cumprod(reached[0]).sum())]
        if len(possible):
            driver.follow(possible)


def _gently(peak: float, rising: int, more: int) -> np.ndarray:
    """Speeds [rising + more] that rise to `peak` [m/s] in so many ticks and stay there."""
    return peak * np.minimum(np.arange(1, rising + more + 1) / rising, 1.0)
