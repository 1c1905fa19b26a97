"""Push: inward against a face until it stops, or a flap up by its bar, sideways (see `sideways`) or down (see `downward`)."""

from collections.abc import Iterator

import numpy as np

from hiermap.primitives.hand import MAX_APPROACH_YAW_RAD, TIP_M
from hiermap.primitives.motion.compliance import Compliance, follow_joint
from hiermap.primitives.motion.control import Driver, Ending
from hiermap.primitives.motion.guarded import advance, back_off, draw_back
from hiermap.primitives.motion.ik_branches import Option, straight
from hiermap.primitives.motion.kinematics import UP, cross, unit
from hiermap.primitives.skills.downward import push_down
from hiermap.primitives.skills.phases import go_home, level, pitched, reach_for, twins
from hiermap.primitives.skills.sideways import TOUCH_N, slide, sweep
from hiermap.primitives.specs import PRIMITIVES, Command, Reason

SEEK_M = 0.04
"""Contact is sought this far behind the visible surface."""
LIGHT_TOUCH_N = 0.8
"""A rocker gives way to more before it is felt."""
PALM_Z_M = 0.30
"""Above this a vertical palm would scrape the counter on its way in."""
FOLLOW = Compliance(
    lateral_stiffness=300.0,
    vertical_stiffness=800.0,
    turn_per_metre=6.0,
    planar=True,
    hand_gain=0.6,
    hand_max_turn=0.9,
    hand_stiffness=25.0,
    contact_force=1.5,
    free_travel=0.08,
)
FLAP = Compliance(speed=0.12, force=35.0, max_travel=0.35, turn_per_metre=8.0, hand_gain=0.0, hand_stiffness=30.0)
FLAP_TILT, FLAP_BELOW_M = 0.4, 0.032
"""A face tilted more than this is a flap that hangs open (an oven door); the fingers go this far below the visible top of its bar."""
FLAP_UP = unit(np.array([0.5, 0.0, 0.85]))
"""The way that a flap is carried at first."""
FLAP_GIVE_M = 0.05
"""A flap pushed straight on gives less than this."""
LEAST_TRAVEL_M = 0.008
"""A push that moved its face less than this met something that does not give."""
FORWARD = np.array([1.0, 0.0, 0.0])
INNER_M, SLID_M, CLEAR_M = 0.10, 0.04, 0.08
"""An open door is pressed shut so far from where it was touched, away from its hinge; fingers that left it by more go around its bar."""
LOST_INNER_M = 0.18
"""One that the fingers slid past may hang where that is hardly beside its hinge: it is pressed again this far from where it was touched."""
MISSED_M, DEEPER_M = 0.15, 0.08
"""Fingers that lost an open door before they went so far had only its edge: they push again so much nearer to its hinge."""
MEET_M, PRESS_M = 0.3, 0.2
"""Ahead of the hand the door is met within this way, and then pressed over this way."""
FRONTAL = -0.8
"""A face whose normal points at the robot like this is a front, and what stands off it a bar; else it is a thing on
the counter or, pushed inward, a door that stands open."""


def push(driver: Driver, command: Command) -> Ending:
    """Pushes in the direction of the bin; the displacement is the travel [m]."""
    point, normal = np.array(command.point_world), unit(np.array(command.normal_world))
    # Held at zero, not squeezed: two fingers that squeeze each other give way sideways together.
    driver.open_to(0.0)
    direction = PRIMITIVES["push"].bins[command.rotation_index].effect
    side = 1.0 if direction == "left" else -1.0
    if direction in ("left", "right") and normal[0] >= FRONTAL:
        return sweep(driver, point, side)
    outward = level(normal)
    if direction == "down":
        travel = push_down(driver, point)
    elif direction != "inward":
        travel = slide(driver, point, outward, side)
    elif abs(normal[2]) > FLAP_TILT:
        outward = np.array([-1.0, 0.0, 0.0])
        posture, _ = reach_for(driver, inward_options(point, normal), TOUCH_N)
        travel = follow_joint(driver, FLAP_UP, FLAP, posture)
    else:
        travel = _inward(driver, point, outward)
        if _missed(travel) and outward[0] > FRONTAL:
            back_off(driver, outward, CLEAR_M)
            travel = _inward(driver, point + DEEPER_M * _toward_hinge(outward), outward)
    away = UP if direction == "down" else outward - 0.2 * driver.hand().rotation[:, 2]
    draw_back(driver, unit(away), 0.06)
    if direction == "inward" and outward[0] > FRONTAL:
        for inner in (INNER_M,) if travel.reason == Reason.STALLED else (INNER_M, LOST_INNER_M):
            _press(driver, point[1] - inner * np.sign(outward[1]))
    go_home(driver, rise=0.06)
    gave = travel.reason == Reason.STALLED and travel.progress > LEAST_TRAVEL_M
    return travel._replace(reason=Reason.DONE) if gave else travel


def _inward(driver: Driver, point: np.ndarray, outward: np.ndarray) -> Ending:
    posture, _ = reach_for(driver, _front_options(point, outward), LIGHT_TOUCH_N, rise=0.12, soft=SEEK_M + 0.025)
    travel = follow_joint(driver, -outward, FOLLOW, posture)
    if travel.reason == Reason.STALLED and point[2] < PALM_Z_M and LEAST_TRAVEL_M < travel.progress < FLAP_GIVE_M:
        return max(travel, _lift(driver, posture, outward), key=lambda ending: ending.progress)
    return travel


def _missed(travel: Ending) -> bool:
    return travel.reason == Reason.SLIPPED and travel.progress < MISSED_M


def _toward_hinge(outward: np.ndarray) -> np.ndarray:
    """Along a door that stands open, away from the robot."""
    along = cross(UP, outward)
    return along if along[0] > 0.0 else -along


def _press(driver: Driver, beside: float) -> None:
    """The fingers may slide along a door that swings and past its edge: press it once more, `beside` [m] to the left of the base."""
    hand, way = driver.hand(), beside - driver.hand().position[1]
    if abs(way) > SLID_M:
        back_off(driver, -FORWARD, CLEAR_M)
        advance(driver, driver.joints(), hand.rotation, driver.hand().position + np.array([0.0, way, 0.0]), TOUCH_N)
    for way, felt in ((MEET_M, TOUCH_N), (PRESS_M, np.inf)):
        advance(driver, driver.joints(), hand.rotation, driver.hand().position + way * FORWARD, felt)
    back_off(driver, -FORWARD, 0.06)


def _lift(driver: Driver, posture: np.ndarray, outward: np.ndarray) -> Ending:
    """What gave a little and then stood firm may be a flap that hangs open: go under its bar and carry it up."""
    rotation = driver.hand().rotation
    for step in (0.05 * outward, -FLAP_BELOW_M * UP, -0.09 * outward):
        advance(driver, posture, rotation, driver.hand().position + step, TOUCH_N)
    return follow_joint(driver, FLAP_UP, FLAP, posture)


def inward_options(point: np.ndarray, normal: np.ndarray) -> Iterator[Option]:
    """Ways to push inward at a point [3] of a face with a unit normal [3]: against it, or below the bar of a flap that hangs open."""
    if abs(normal[2]) > FLAP_TILT:
        return _flap_options(point + np.array([0.035, 0.0, -FLAP_BELOW_M]))
    return _front_options(point, level(normal))


def _front_options(point: np.ndarray, normal: np.ndarray) -> Iterator[Option]:
    straight_yaw = float(np.clip(np.arctan2(-normal[1], -normal[0]), -MAX_APPROACH_YAW_RAD, MAX_APPROACH_YAW_RAD))
    for yaw in (straight_yaw, 0.6 * straight_yaw, 0.25 * straight_yaw):
        for pitch in (0.0, 0.15, 0.3, 0.5, 0.9):
            approach = pitched(np.array([np.cos(yaw), np.sin(yaw), 0.0]), pitch)
            side, touch = cross(UP, approach), point - TIP_M * approach
            for wide, dislike in ((cross(approach, side), 0.0 if point[2] < PALM_Z_M else 0.6), (side, 0.3)):
                cost = 1.5 * pitch + dislike + abs(straight_yaw - yaw)
                for rotation in twins(approach, wide):
                    ahead = [straight(rotation, touch, touch - 0.2 * normal)]
                    yield Option(rotation, touch - SEEK_M * normal, touch + 0.08 * normal, cost, ahead)


def _flap_options(touch: np.ndarray) -> Iterator[Option]:
    for pitch in (0.0, 0.2, -0.2, 0.4):
        approach = pitched(np.array([1.0, 0.0, 0.0]), pitch)
        for wide, dislike in ((np.array([0.0, 1.0, 0.0]), 0.0), (UP, 0.6)):
            for rotation in twins(approach, wide):
                yield Option(rotation, touch, touch - 0.14 * approach, 1.5 * abs(pitch) + dislike)
