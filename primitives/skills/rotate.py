"""Rotate: grip a knob, ridge or lever and turn it about the panel's normal until it stops."""

import numpy as np

from hiermap.primitives.motion.control import Driver, Impedance, OutOfTime
from hiermap.primitives.motion.ik_branches import Option
from hiermap.primitives.motion.kinematics import cross, hand_rotation, length_of, turned_about, unit
from hiermap.primitives.skills.phases import UP, advance, back_off, choose, close_fingers, enter, go_home, release
from hiermap.primitives.specs import Command

STANDOFF_M = 0.09
DEPTH_M = 0.014
"""The grip point goes this far behind the visible front of the knob, or until the fingertips touch the panel."""
TOUCH_N = 6.0
PITCHES_RAD = (0.0, 0.2, -0.2, 0.35)
MISSED_M = 0.004
TURN_SPEED = 1.2
"""[rad/s] of the target."""
TORQUE_N_M = 4.0
STIFFNESS, DAMPING = 30.0, 3.0
"""[N m/rad], [N m s/rad] of the turning hand."""
TILT_STIFFNESS = 12.0
"""[N m/rad] across the turn: soft, because the panel's normal may be ten degrees off the knob's axis."""
CENTRE_STIFFNESS = 150.0
"""[N/m]: weak and re-centred every tick, so that a lever may carry the hand round its own pivot."""
DRIFT_M, ASSIST_N = 0.008, 10.0
"""A hand that drifts this far is on a lever: help it along its own path with this force."""
MOST_RAD = 2.1
LOOK_AHEAD_WEIGHT = 3.0
"""A branch whose wrist cannot make the whole turn is useless."""
DONE_RAD = 1.1
"""A turn of less than this did not switch anything."""
STALL_SPEED, STALL_DRIFT, STALL_SECONDS = 0.06, 0.01, 0.4
"""[rad/s], [m/s], [s]."""


def rotate(driver: Driver, command: Command) -> tuple[bool, str, float]:
    """Turns what is gripped at the point; (succeeded, reason, angle [rad])."""
    point, normal = np.array(command.point_world), unit(np.array(command.normal_world))
    sense = 1.0 if command.rotation_index in (0, 2) else -1.0
    reach = choose(driver, options(point, normal, command.rotation_index // 2, sense))
    driver.fingers = driver.arm.finger_limit
    rotation = reach.option.rotation
    posture = enter(driver, reach)
    advance(driver, posture, rotation, reach.option.contact, TOUCH_N)
    if close_fingers(driver, posture, rotation, driver.hand().position, 0.5) < MISSED_M:
        angle, reason = 0.0, "missed"
    else:
        angle, reason = _turn(driver, rotation, normal, sense, posture)
    driver.leaving()
    release(driver, driver.arm.read().q)
    back_off(driver, -driver.hand().rotation[:, 2], 0.08)
    go_home(driver, rise=0.06)
    done = reason in ("turned", "stalled") and angle > DONE_RAD
    return done, "done" if done else "stalled" if reason == "turned" else reason, angle


def _turn(driver: Driver, rotation: np.ndarray, normal: np.ndarray, sense: float, posture: np.ndarray) -> tuple[float, str]:
    """Turn the target ahead of the hand, at most TORQUE_N_M ahead; the angle reached and why it ended."""
    lead, angle, still, dt = 0.0, 0.0, 0.0, driver.arm.period
    hand = driver.hand()
    previous, knot, assist = hand.rotation, hand.position, np.zeros(3)
    try:
        while angle < MOST_RAD:
            lead = min(lead + TURN_SPEED * dt, angle + TORQUE_N_M / STIFFNESS)
            goal = Impedance(
                turned_about(normal, sense * angle) @ rotation,
                hand.position,
                stiffness=CENTRE_STIFFNESS * np.eye(3),
                damping=20.0 * np.eye(3),
                angular_stiffness=TILT_STIFFNESS,
                angular_damping=DAMPING,
                force=assist,
                torque=sense * STIFFNESS * (lead - angle) * normal,
            )
            hand = driver.servo(goal, posture)
            if length_of(hand.position - knot) > DRIFT_M:
                assist, knot = ASSIST_N * unit(hand.position - knot), hand.position
            step = hand.rotation @ previous.T
            turned = 0.5 * np.array([step[2, 1] - step[1, 2], step[0, 2] - step[2, 0], step[1, 0] - step[0, 1]]) @ normal
            angle, previous = angle + sense * float(turned), hand.rotation
            if driver.arm.width() < MISSED_M:
                return angle, "slipped"
            resting = sense * (hand.spin @ normal) < STALL_SPEED and length_of(hand.velocity) < STALL_DRIFT
            still = still + dt if resting and lead > angle + 0.8 * TORQUE_N_M / STIFFNESS else 0.0
            if still > STALL_SECONDS:
                return angle, "stalled"
    except OutOfTime:
        return angle, "timeout"
    return angle, "turned"


def options(point: np.ndarray, normal: np.ndarray, roll: int, sense: float) -> list[Option]:
    """Both twins of the roll, slightly pitched if need be, with the whole turn as look-ahead."""
    made = []
    side = unit(cross(UP, -normal)) if abs(normal[2]) < 0.95 else np.array([0.0, 1.0, 0.0])
    for pitch in PITCHES_RAD:
        approach = turned_about(side, pitch) @ -normal
        across = side if roll == 0 else cross(approach, side)
        for sign in (1.0, -1.0):
            rotation = hand_rotation(approach, sign * across)
            contact = point + DEPTH_M * approach
            turns = np.array([turned_about(normal, sense * angle) @ rotation for angle in np.linspace(0.3, 1.6, 5)])
            ahead = [(turns, np.tile(contact, (5, 1)))]
            made.append(Option(rotation, contact, point - STANDOFF_M * approach, 1.5 * abs(pitch), ahead, LOOK_AHEAD_WEIGHT))
    return made
