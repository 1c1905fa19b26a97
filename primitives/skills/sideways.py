"""Push sideways: with closed fingers beside a bar seen from the front, or with one finger of an open hand beside a thing on the counter."""

from collections.abc import Iterator

import numpy as np

from hiermap.primitives.compiled import compiled
from hiermap.primitives.hand import PUSH_DISTANCE_M
from hiermap.primitives.motion.compliance import Compliance, follow_joint
from hiermap.primitives.motion.control import Driver, Ending
from hiermap.primitives.motion.guarded import advance, back_off, line_tick
from hiermap.primitives.motion.ik_branches import Option, best_reach, straight
from hiermap.primitives.motion.kinematics import UP, cross, dot, length_of
from hiermap.primitives.motion.laws import ONWARD, OVER, impedance
from hiermap.primitives.skills.phases import enter, go_home, pitched, reach_for, twins
from hiermap.primitives.specs import Reason

TOUCH_N = 4.0
BESIDE_BAR_M, SEEK_M, MET_SHARE = 0.05, 0.08, 0.9
"""A slide begins this far beside a bar, which is sought over the second way [m] and was met within this share of it."""
SLIDE = Compliance(
    speed=0.12,
    lateral_stiffness=1000.0,
    vertical_stiffness=800.0,
    max_turn=0.0,
    hand_gain=0.0,
    hand_stiffness=30.0,
    max_travel=0.25,
    free_travel=0.015,
    felt=0.7,
    firm_travel=0.02,
    firm=3.0,
)
"""A lever gives way to less than is felt until it is at its end; past its tip the hand stops, since another one may stand there."""
SHORT_M, BACK_M, LEVEL = 0.008, 0.10, 0.5
"""A hand that is stopped so far before it is beside a bar draws back by the second and comes with its fingers side by side, which open at
less than this sine from the level."""
LEANS = ((np.pi / 2, 0.40, 0.0), (np.pi / 2, 0.25, 0.3), (1.42, 0.40, 0.6), (1.42, 0.25, 0.8), (1.25, 0.30, 1.4))
"""Of the hand in a sweep: how far below the horizontal [rad], how far the fingertips lead it, and dislike.

They lead because the hand is wider than a finger and must not touch a tall thing at its top.
"""
FINGER_AT_M = 0.048
"""Distance of an open finger from the middle of the hand, and a little more to keep off the fronts behind the counter."""
SIDE_GAP_M = 0.10
"""A sweep begins this far beside the point."""
MOST_SWEEP_M, SWEEP_LAG_M = 0.27, 0.06
"""Where a sweep that met nothing ends, and how far the hand may stay behind."""
SWEEP_SPEED, SWEEP_START_S = 0.08, 0.15
"""[m/s], and the time [s] that it takes to get there."""
NEAR_M = 0.08
"""No thing that stands at the point is touched before the hand is this near to it."""
FELT_N, HIT_N, FELT_TICKS = 0.35, 12.0, 7
"""A force as small as that of a sliding bowl counts once it lasts; more than the second is not a thing that slides."""
FINGER_HEIGHT_M = 0.01
"""Of the fingertips over the counter while they push: higher, tall things topple."""
LEAST_HEIGHT_M = 0.025
"""The counter lies at least this far below the visible top of a thing."""
TRIES, STEP_ASIDE_M, STEP_BACK_M = 3, 0.025, 0.022
"""Fingers that land on top of something rise and try again this much farther beside the point and nearer to the robot."""


def slide(driver: Driver, point: np.ndarray, outward: np.ndarray, side: float) -> Ending:
    """Fingers beside a bar, then sideways as far as it goes, to +y for `side` 1, -y for -1; what it came to."""
    along, ways = along_front(outward, side), list(beside_bar_options(point, outward, side))
    posture, option = reach_for(driver, ways, TOUCH_N)
    if length_of(option.contact - driver.hand().position) > SHORT_M:
        # The palm lies on a counter's edge: it is broad along the fingers' opening, so that comes level now.
        back_off(driver, -option.rotation[:, 2], BACK_M)
        go_home(driver)
        posture, option = reach_for(driver, [way for way in ways if abs(way.rotation[2, 0]) < LEVEL], TOUCH_N)
    start = driver.hand().position
    met = advance(driver, posture, option.rotation, start + SEEK_M * along, TOUCH_N).position
    travel = follow_joint(driver, along, SLIDE, posture)
    back_off(driver, -along, 0.015)
    # A lever leans away from under the fingers where it ends.
    gave_way = travel.reason == Reason.SLIPPED and dot(met - start, along) < MET_SHARE * SEEK_M
    return travel._replace(reason=Reason.STALLED) if gave_way else travel


def along_front(outward: np.ndarray, side: float) -> np.ndarray:
    """The unit way [3] along a front with a level normal [3], to its left as the robot sees it for `side` 1, to its right for -1."""
    return side * cross(outward, UP)


def beside_bar_options(point: np.ndarray, outward: np.ndarray, side: float) -> Iterator[Option]:
    """Ways to bring closed fingers beside a bar at a point [3] of a front with a level normal [3], to push it to `side`."""
    along = along_front(outward, side)
    beside = point - BESIDE_BAR_M * along
    for pitch in (0.2, 0.35, 0.0, 0.5):
        approach = pitched(-outward, pitch)
        across, contact = cross(UP, approach), beside + 0.014 * approach
        # Fingers stacked vertically cannot be pushed apart by the bar.
        for wide, dislike in ((cross(approach, across), 0.0), (across, 0.6)):
            for rotation in twins(approach, wide):
                ahead = [straight(rotation, contact, contact + 0.2 * along)]
                yield Option(rotation, contact, contact - 0.10 * approach, abs(pitch - 0.2) + dislike, ahead)


def sweep(driver: Driver, point: np.ndarray, side: float) -> Ending:
    """One finger of an open hand beside a thing, down to the counter, then sideways until it has moved on by PUSH_DISTANCE_M.

    The hand is open toward the robot and away from it, and pushes with the farther finger: so the wide hand neither reaches the fronts
    behind the counter nor lies on its edge.
    """
    driver.open_to()
    along = np.array([0.0, side, 0.0])
    reach = best_reach(driver.arm, beside_thing_options(point, side))
    posture = enter(driver, reach, rise=0.06)
    rotation = reach.option.rotation
    floor = _land(driver, posture, rotation, point, along)
    if floor is None:
        go_home(driver, rise=0.10)
        return Ending(Reason.BLOCKED)
    advance(driver, posture, rotation, floor + FINGER_HEIGHT_M * UP, 30.0)
    # Sideways at constant speed; a lasting force against the motion is the touch.
    driver.take_tare(10)
    touched, travel = _sweeping(driver, posture, rotation, point, along)
    back_off(driver, -along, 0.02)
    go_home(driver, rise=0.15)
    if not touched:
        return Ending(Reason.MISSED)
    return Ending(Reason.DONE if travel > 0.8 * PUSH_DISTANCE_M else Reason.STALLED, travel)


def beside_thing_options(point: np.ndarray, side: float) -> Iterator[Option]:
    """A hand from above, beside a thing at a point [3], whose fingers open toward and away from the robot; it leans back where it cannot
    reach straight down."""
    along = np.array([0.0, side, 0.0])
    start = point - SIDE_GAP_M * along - np.array([FINGER_AT_M, 0.0, 0.0])
    low = start - 0.05 * UP
    for pitch, lead, dislike in LEANS:
        approach = np.array([np.cos(pitch), 0.0, -np.sin(pitch)]) + lead * along
        for rotation in twins(approach, np.array([np.sin(pitch), 0.0, np.cos(pitch)])):
            yield Option(rotation, start - 0.02 * UP, start + 0.025 * UP, dislike, [straight(rotation, low, low + 0.2 * along)])


def _land(driver: Driver, posture: np.ndarray, rotation: np.ndarray, point: np.ndarray, along: np.ndarray) -> np.ndarray | None:
    """Down beside the point until the counter is felt: the hand's position there [3], or None if something is always in the way."""
    for _ in range(TRIES):
        above = driver.hand().position
        floor = advance(driver, posture, rotation, above - 0.16 * UP, TOUCH_N).position
        if floor[2] < point[2] - LEAST_HEIGHT_M:
            return floor
        advance(driver, posture, rotation, above, 30.0)
        advance(driver, posture, rotation, above - STEP_ASIDE_M * along - np.array([STEP_BACK_M, 0.0, 0.0]), TOUCH_N)
        driver.take_tare()
    return None


def _sweeping(driver: Driver, posture: np.ndarray, rotation: np.ndarray, point: np.ndarray, along: np.ndarray) -> tuple[bool, float]:
    """Sideways until a thing was carried far enough or the hand is held up: whether one was felt, and how far it came [m]."""
    start = driver.hand().position
    line = impedance(rotation, start, force_cap=25.0)
    ticks = np.arange(1, round(MOST_SWEEP_M / (SWEEP_SPEED * driver.arm.period) + SWEEP_START_S / driver.arm.period))
    speed = SWEEP_SPEED * np.minimum(1.0, ticks * driver.arm.period / SWEEP_START_S)
    way = np.cumsum(speed * driver.arm.period)
    moving = 1 + int(np.searchsorted(way, MOST_SWEEP_M))
    status, touched, travel = _sweep(driver.plant, line, posture, start, point, along, way[:moving], speed[:moving])
    driver.check(status)
    return touched, travel


@compiled
def _sweep(plant, line, posture, start, point, along, way, speed):
    """How it ended, whether a thing that slides was met, and how far it was carried; ways [m] count along the sweep from its start."""
    begin, goal = dot(start, along), dot(point, along)
    gone, at, pushed, sure = 0.0, 0.0, 0.0, False
    for k in range(way.shape[0]):
        status = line_tick(plant, line, posture, start, along, way[k], speed[k])
        if status != ONWARD:
            return status, sure, gone - at
        gone = dot(plant.position, along) - begin
        # A sliding thing sticks and slips, so its force comes and goes; what was only brushed is forgotten again.
        felt = goal - begin - gone < NEAR_M and FELT_N < -dot(plant.force, along) < HIT_N
        at = gone if pushed <= 0 else at
        pushed = min(pushed + 1, 2.0 * FELT_TICKS) if felt else max(0.0, pushed - 0.2)
        sure = pushed > 0 and (sure or pushed >= FELT_TICKS)
        if (sure and gone > at + PUSH_DISTANCE_M) or way[k] - gone > SWEEP_LAG_M:
            break
    return OVER, sure, gone - at
