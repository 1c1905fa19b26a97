"""Push: inward against a face until it stops, or sideways with the closed fingers beside a thing."""

import numpy as np

from hiermap.primitives.motion.compliance import Compliance, Travel, follow_joint
from hiermap.primitives.motion.control import Driver, Impedance, OutOfTime
from hiermap.primitives.motion.ik_branches import Option, straight
from hiermap.primitives.motion.kinematics import cross, hand_rotation, turned_about, unit
from hiermap.primitives.skills.phases import UP, advance, back_off, choose, enter, go_home, level, pitched
from hiermap.primitives.specs import Command

INWARD, LEFT, RIGHT, DOWN = range(4)
TIP_M = 0.009
"""The fingers end this far ahead of the grip point."""
STANDOFF_M = 0.08
SEEK_M = 0.04
"""Contact is sought this far behind the visible surface."""
TOUCH_N, LIGHT_TOUCH_N = 4.0, 0.8
"""A rocker gives way to the first before it is felt, so a push inward begins at the second."""
PITCHES_RAD = (0.0, 0.15, 0.3, 0.5)
MAX_YAW_RAD = 0.9
"""The hand points at most this far away from straight ahead."""
COUNTER_Z = 0.30
"""Above this a vertical palm would scrape the counter on its way in."""
FOLLOW = Compliance(
    speed=0.15,
    force=45.0,
    second_force=0.0,
    lateral_stiffness=300.0,
    vertical_stiffness=800.0,
    turn_per_metre=6.0,
    planar=True,
    hand_gain=0.6,
    hand_max_turn=0.9,
    hand_stiffness=25.0,
    contact_force=1.5,
)
FLAP = Compliance(speed=0.12, force=35.0, second_force=0.0, max_travel=0.35, turn_per_metre=8.0, hand_gain=0.0, hand_stiffness=30.0)
SLIDE = Compliance(
    speed=0.12,
    force=45.0,
    second_force=0.0,
    lateral_stiffness=500.0,
    vertical_stiffness=800.0,
    max_turn=0.2,
    hand_gain=0.0,
    hand_stiffness=30.0,
    max_travel=0.25,
)
PRESS = Compliance(
    speed=0.08, force=40.0, second_force=0.0, lateral_stiffness=300.0, max_turn=0.6, hand_gain=0.0, hand_stiffness=30.0, max_travel=0.1
)
FLAP_TILT, FLAP_BELOW_M = 0.4, 0.032
"""A face tilted more than this is a flap; the fingers go this far below the visible top of its bar."""
FLAP_GIVE_M = 0.05
"""A flap pushed straight on gives less than this."""
LEAST_TRAVEL_M = 0.008
"""A push that moved its face less than this met something that does not give."""
LEANS = ((np.pi / 2, 0.40, 0.0), (np.pi / 2, 0.25, 0.3), (1.42, 0.40, 0.6), (1.42, 0.25, 0.8), (1.25, 0.30, 1.4))
"""Of the hand in a sweep: how far below the horizontal [rad], how far the fingertips lead it, and dislike.

They lead because the hand is wider than a finger and must not touch a tall thing at its top.
"""
FRONTAL = -0.8
"""A face whose normal points at the robot like this is a front, and what stands off it a bar; everything else is a thing on the counter."""
FINGER_AT_M = 0.048
"""Distance of an open finger from the middle of the hand, and a little more to keep off the fronts behind the counter."""
SIDE_GAP_M = 0.10
"""A sideways sweep of a thing seen from above begins this far beside the point."""
BESIDE_BAR_M = 0.05
"""And this far beside a bar seen from the front."""
SWEEP_M = 0.10
"""A sideways push carries a thing this far after the touch."""
MOST_SWEEP_M = 0.27
"""Where a sweep that met nothing ends."""
SWEEP_SPEED = 0.08
"""[m/s]."""
SWEEP_NEAR_M = 0.08
"""No thing that stands at the point is touched before the hand is this near to it."""
SWEEP_TOUCH_N, SWEEP_HIT_N, SWEEP_TOUCH_TICKS = 0.35, 12.0, 7
"""A force as small as that of a sliding bowl counts once it lasts; more than the second is not a thing that slides."""
FINGER_HEIGHT_M = 0.01
"""Of the fingertips over the counter while they push: higher, tall things topple."""
LEAST_HEIGHT_M = 0.025
"""The counter lies at least this far below the visible top of a thing."""
TRIES, STEP_ASIDE_M, STEP_BACK_M = 3, 0.025, 0.022
"""Fingers that land on top of something rise and try again this much farther beside the point and nearer to the robot."""


def push(driver: Driver, command: Command) -> tuple[bool, str, float]:
    """Pushes in the direction of the bin; (succeeded, reason, travel [m])."""
    point, normal = np.array(command.point_world), unit(np.array(command.normal_world))
    # Held at zero, not squeezed: two fingers that squeeze each other give way sideways together.
    driver.fingers = 0.0
    if command.rotation_index == INWARD:
        return _flap(driver, point) if abs(normal[2]) > FLAP_TILT else _inward(driver, point, normal)
    if command.rotation_index == DOWN:
        return _press(driver, point)
    side = 1.0 if command.rotation_index == LEFT else -1.0
    return _slide(driver, point, normal, side) if normal[0] < FRONTAL else _sweep(driver, point, side)


def _inward(driver: Driver, point: np.ndarray, normal: np.ndarray) -> tuple[bool, str, float]:
    flat = level(normal)
    reach = choose(driver, _inward_options(point, flat))
    posture = enter(driver, reach, rise=0.12, soft=SEEK_M + 0.025)
    advance(driver, posture, reach.option.rotation, reach.option.contact, LIGHT_TOUCH_N)
    travel = _follow(driver, -flat, FOLLOW, posture)
    if travel.reason == "stalled" and point[2] < COUNTER_Z and LEAST_TRAVEL_M < travel.progress < FLAP_GIVE_M:
        travel = _lift(driver, posture, flat, travel)
    return _leave(driver, travel, flat)


def _lift(driver: Driver, posture: np.ndarray, outward: np.ndarray, travel: Travel) -> Travel:
    """What gave a little and then stood firm may be a flap that hangs open: go under its bar and carry it up."""
    rotation = driver.hand().rotation
    advance(driver, posture, rotation, driver.hand().position + 0.05 * outward, TOUCH_N)
    advance(driver, posture, rotation, driver.hand().position - FLAP_BELOW_M * UP, TOUCH_N)
    advance(driver, posture, rotation, driver.hand().position - 0.09 * outward, TOUCH_N)
    lifted = _follow(driver, unit(np.array([0.5, 0.0, 0.85])), FLAP, posture)
    return lifted if lifted.progress > travel.progress else travel


def _leave(driver: Driver, travel: Travel, outward: np.ndarray) -> tuple[bool, str, float]:
    back_off(driver, unit(outward - 0.2 * driver.hand().rotation[:, 2]), 0.06)
    go_home(driver, rise=0.06)
    if travel.reason == "stalled" and travel.progress > LEAST_TRAVEL_M:
        return True, "done", travel.length
    return False, "slipped" if travel.reason in ("lost", "travelled") else travel.reason, travel.length


def _follow(driver: Driver, direction: np.ndarray, how: Compliance, posture: np.ndarray) -> Travel:
    try:
        return follow_joint(driver, direction, how, posture)
    except OutOfTime:
        return Travel(0.0, 0.0, "timeout")


def _inward_options(point: np.ndarray, normal: np.ndarray) -> list[Option]:
    straight_yaw = float(np.clip(np.arctan2(-normal[1], -normal[0]), -MAX_YAW_RAD, MAX_YAW_RAD))
    made = []
    for share in (1.0, 0.6, 0.25):
        yaw = share * straight_yaw
        ahead_level = np.array([np.cos(yaw), np.sin(yaw), 0.0])
        for pitch in PITCHES_RAD:
            approach = pitched(ahead_level, pitch)
            side = cross(UP, approach)
            for wide, dislike in ((cross(approach, side), 0.0 if point[2] < COUNTER_Z else 0.6), (side, 0.3)):
                for sign in (1.0, -1.0):
                    rotation = hand_rotation(approach, sign * wide)
                    touch = point - TIP_M * approach
                    ahead = [straight(rotation, touch, touch - 0.2 * normal)]
                    cost = 1.5 * pitch + dislike + abs(straight_yaw - yaw)
                    made.append(Option(rotation, touch - SEEK_M * normal, touch + STANDOFF_M * normal, cost, ahead))
    return sorted(made, key=lambda option: option.cost)


def _flap(driver: Driver, point: np.ndarray) -> tuple[bool, str, float]:
    """A face that hangs open below its own handle (an oven door): reach under the bar and carry it up and inward."""
    made = []
    for pitch in (0.0, 0.2, -0.2, 0.4):
        approach = pitched(np.array([1.0, 0.0, 0.0]), pitch)
        for wide, dislike in ((np.array([0.0, 1.0, 0.0]), 0.0), (np.array([0.0, 0.0, 1.0]), 0.6)):
            for sign in (1.0, -1.0):
                rotation = hand_rotation(approach, sign * wide)
                touch = point + np.array([0.035, 0.0, -FLAP_BELOW_M])
                made.append(Option(rotation, touch, touch - 0.14 * approach, 1.5 * abs(pitch) + dislike))
    reach = choose(driver, sorted(made, key=lambda option: option.cost))
    posture = enter(driver, reach)
    advance(driver, posture, reach.option.rotation, reach.option.contact, TOUCH_N)
    travel = _follow(driver, unit(np.array([0.5, 0.0, 0.85])), FLAP, posture)
    return _leave(driver, travel, np.array([-1.0, 0.0, 0.0]))


def _slide(driver: Driver, point: np.ndarray, normal: np.ndarray, side: float) -> tuple[bool, str, float]:
    """Fingers beside a bar seen from the front, then sideways as far as it goes."""
    flat = level(normal)
    along = side * cross(flat, UP)
    along = along if along[1] * side > 0 else -along
    beside = point - BESIDE_BAR_M * along
    made = []
    for pitch in (0.2, 0.35, 0.0, 0.5):
        approach = pitched(-flat, pitch)
        across = cross(UP, approach)
        # Fingers stacked vertically cannot be pushed apart by the bar.
        for wide, dislike in ((cross(approach, across), 0.0), (across, 0.6)):
            for sign in (1.0, -1.0):
                rotation = hand_rotation(approach, sign * wide)
                contact = beside + 0.014 * approach
                ahead = [straight(rotation, contact, contact + 0.2 * along)]
                made.append(Option(rotation, contact, contact - 0.10 * approach, abs(pitch - 0.2) + dislike, ahead))
    reach = choose(driver, sorted(made, key=lambda option: option.cost))
    posture = enter(driver, reach)
    advance(driver, posture, reach.option.rotation, reach.option.contact, TOUCH_N)
    advance(driver, posture, reach.option.rotation, driver.hand().position + 0.08 * along, TOUCH_N)
    travel = _follow(driver, along, SLIDE, posture)
    back_off(driver, -along, 0.015)
    driver.leaving()
    return _leave(driver, travel, flat)


def _sweep(driver: Driver, point: np.ndarray, side: float) -> tuple[bool, str, float]:
    """One finger of an open hand beside a thing, down to the counter, then sideways until it has moved on by SWEEP_M.

    The hand is open toward the robot and away from it, and pushes with the farther finger: so the wide hand neither reaches the fronts
    behind the counter nor lies on its edge.
    """
    driver.fingers = driver.arm.finger_limit
    along = np.array([0.0, side, 0.0])
    start = point - SIDE_GAP_M * along - np.array([FINGER_AT_M, 0.0, 0.0])
    reach = choose(driver, _leaning_options(start, along))
    posture = enter(driver, reach, rise=0.06)
    rotation = reach.option.rotation
    floor = _land(driver, posture, rotation, point, along)
    if floor is None:
        go_home(driver, rise=0.10)
        return False, "blocked", 0.0
    advance(driver, posture, rotation, floor + FINGER_HEIGHT_M * UP, 30.0)
    travel, touched = _sweep_along(driver, rotation, point, along, posture)
    back_off(driver, -along, 0.02)
    go_home(driver, rise=0.15)
    if not touched:
        return False, "missed", 0.0
    return travel > 0.8 * SWEEP_M, "done" if travel > 0.8 * SWEEP_M else "stalled", travel


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


def _leaning_options(start: np.ndarray, along: np.ndarray) -> list[Option]:
    """A hand from above whose fingers open toward and away from the robot; it leans back where it cannot reach straight down."""
    made = []
    for pitch, lead, dislike in LEANS:
        approach = np.array([np.cos(pitch), 0.0, -np.sin(pitch)]) + lead * along
        for sign in (1.0, -1.0):
            rotation = hand_rotation(approach, sign * np.array([np.sin(pitch), 0.0, np.cos(pitch)]))
            low = start - 0.05 * UP
            ahead = [straight(rotation, low, low + 0.2 * along)]
            made.append(Option(rotation, start - 0.02 * UP, start + 0.025 * UP, dislike, ahead))
    return made


def _sweep_along(driver: Driver, rotation: np.ndarray, point: np.ndarray, along: np.ndarray, posture: np.ndarray) -> tuple[float, bool]:
    """Sideways at constant speed; a lasting force against the motion is the touch: (travel since the touch [m], whether there was one)."""
    driver.take_tare(10)
    start = driver.hand().position
    wanted, touch, pushed, ticks, sure = 0.0, 0.0, 0.0, 0, False
    while wanted < MOST_SWEEP_M:
        ticks += 1
        speed = SWEEP_SPEED * min(1.0, ticks * driver.arm.period / 0.15)
        wanted += speed * driver.arm.period
        hand = driver.servo(Impedance(rotation, start + wanted * along, speed * along, force_cap=25.0), posture)
        gone = float((hand.position - start) @ along)
        # A sliding thing sticks and slips, so its force comes and goes; what was only brushed is forgotten again.
        near = (point - hand.position) @ along < SWEEP_NEAR_M
        felt = near and SWEEP_TOUCH_N < -hand.force @ along < SWEEP_HIT_N
        touch = gone if pushed <= 0 else touch
        pushed = min(pushed + 1, 2 * SWEEP_TOUCH_TICKS) if felt else max(0.0, pushed - 0.2)
        sure = pushed > 0 and (sure or pushed >= SWEEP_TOUCH_TICKS)
        if sure and gone > touch + SWEEP_M:
            break
        if wanted - gone > 0.06:
            break
    gone = float((driver.hand().position - start) @ along)
    return (gone - touch, True) if sure else (0.0, False)


def _down_options(standoff: np.ndarray, contact: np.ndarray) -> list[Option]:
    made = []
    for yaw in (0.0, np.pi / 4, -np.pi / 4, np.pi / 2):
        for turn in (0.0, np.pi):
            opening = turned_about(UP, yaw + turn) @ np.array([1.0, 0.0, 0.0])
            made.append(Option(hand_rotation(-UP, opening), contact, standoff, 0.2 * abs(yaw)))
    return made


def _press(driver: Driver, point: np.ndarray) -> tuple[bool, str, float]:
    """Straight down on a point."""
    reach = choose(driver, _down_options(point + STANDOFF_M * UP, point - SEEK_M * UP))
    posture = enter(driver, reach)
    advance(driver, posture, reach.option.rotation, reach.option.contact, TOUCH_N)
    travel = _follow(driver, -UP, PRESS, posture)
    back_off(driver, UP, 0.1)
    go_home(driver, rise=0.1)
    done = travel.reason == "stalled" and travel.progress > LEAST_TRAVEL_M
    return done, "done" if done else "stalled", travel.length
