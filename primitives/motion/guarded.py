"""Moving until something is felt: the one loop of every contact, and straight lines through it."""

from collections.abc import Callable, Iterable

import numpy as np

from hiermap.primitives.motion.control import Driver, Hand, Impedance
from hiermap.primitives.motion.kinematics import length_of, unit

APPROACH_SPEED, BACK_SPEED = 0.08, 0.25
"""[m/s] in impedance: of the hand on its way into a contact, and leaving it."""
GENTLE_TICKS = 12
"""An approach gets up to speed in this many: the jerk of a sudden start would feel like a contact."""
REST_TICKS = 20
"""An approach that met nothing waits this long where it ends."""
BACK_PATIENCE_S, BACK_REST_TICKS, BACK_SHARE = 0.6, 12, 0.93
"""A hand that is held up by what it leaves gets this much longer; this much of the way, after so many ticks of rest, is all of it."""
Until = Callable[[Hand], bool]
"""Whether something was felt; asked once a tick."""
Steps = Iterable[tuple[float, float]]
"""Per tick of a straight line: the way made good [m] and the speed [m/s]."""


def guarded_move(driver: Driver, posture: np.ndarray, goals: Iterable[Impedance], until: Until | None = None) -> Hand:
    """Servo toward one goal a tick until `until(hand)` holds or there are no more; the hand then.

    A goal is asked for only when the one before was servoed to and judged, so goals may depend on what `until` saw.
    """
    hand = driver.hand()
    for goal in goals:
        hand = driver.servo(goal, posture)
        if until is not None and until(hand):
            break
    return hand


def along_line(
    driver: Driver, posture: np.ndarray, rotation: np.ndarray, direction: np.ndarray, steps: Steps, cap: float, until: Until | None = None
) -> Hand:
    """A guarded move from where the hand is along `direction`, unit [3], with at most `cap` [N]."""
    start = driver.hand().position
    goals = (Impedance(rotation, start + gone * direction, speed * direction, force_cap=cap) for gone, speed in steps)
    return guarded_move(driver, posture, goals, until)


def advance(driver: Driver, posture: np.ndarray, rotation: np.ndarray, goal: np.ndarray, contact_force: float, cap: float = 35.0) -> Hand:
    """Move in impedance to `goal` [3], or until the force against the motion exceeds `contact_force` [N]."""
    way = goal - driver.hand().position
    direction, steps = unit(way), _gentle(length_of(way), driver.arm.period)
    return along_line(driver, posture, rotation, direction, steps, cap, lambda hand: bool(-hand.force @ direction > contact_force))


def _gentle(length: float, period: float) -> Steps:
    travelled, tick = 0.0, 0
    while travelled < length:
        tick += 1
        speed = APPROACH_SPEED * min(1.0, tick / GENTLE_TICKS)
        travelled = min(length, travelled + speed * period)
        yield travelled, speed
    for _ in range(REST_TICKS - 1):
        yield length, 0.0


def back_off(driver: Driver, direction: np.ndarray, distance: float, cap: float = 40.0) -> None:
    """Leave a contact: straight along `direction` [3] by `distance` [m], in impedance."""
    driver.leaving()
    hand, period = driver.hand(), driver.arm.period
    enough = int(np.ceil(distance / (BACK_SPEED * period))) + BACK_REST_TICKS

    def steps() -> Steps:
        for tick in range(1, enough + round(BACK_PATIENCE_S / period)):
            if tick > enough and (driver.hand().position - hand.position) @ direction > BACK_SHARE * distance:
                return
            gone = min(distance, tick * BACK_SPEED * period)
            yield gone, BACK_SPEED if gone < distance else 0.0

    along_line(driver, driver.arm.read().q, hand.rotation, direction, steps(), cap)
