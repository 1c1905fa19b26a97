"""Rotate: grip a knob, ridge or lever and turn it about the panel's normal until it stops."""

from collections.abc import Iterable, Iterator

import numpy as np

from hiermap.primitives.compiled import compiled
from hiermap.primitives.hand import EMPTY_WIDTH_M
from hiermap.primitives.motion.control import Driver, Ending
from hiermap.primitives.motion.guarded import back_off
from hiermap.primitives.motion.ik_branches import Option
from hiermap.primitives.motion.kinematics import UP, cross, distance, dot, length_of, multiply, turned_about, unit
from hiermap.primitives.motion.laws import DIVERGED, ONWARD, OVER, TIME_UP, impedance, servo
from hiermap.primitives.skills.phases import close_fingers, go_home, reach_for, release, twins
from hiermap.primitives.specs import PRIMITIVES, Command, Reason

DEPTH_M = 0.014
"""The grip point goes this far behind the visible front of the knob, or until the fingertips touch the panel."""
TOUCH_N = 6.0
TURN_SPEED = 1.2
"""[rad/s] of the target."""
TORQUE_N_M = 4.0
STIFFNESS, DAMPING = 30.0, 3.0
"""[N m/rad], [N m s/rad] of the turning hand."""
TILT_STIFFNESS = 12.0
"""[N m/rad] across the turn: soft, because the panel's normal may be ten degrees off the knob's axis."""
CENTRE_STIFFNESS, CENTRE_DAMPING, FORCE_CAP = 150.0, 20.0, 40.0
"""[N/m], [N s/m], [N]: weak and re-centred every tick, so that a lever may carry the hand round its own pivot."""
DRIFT_M, ASSIST_N = 0.008, 10.0
"""A hand that drifts this far is on a lever: help it along its own path with this force."""
MOST_RAD = 2.1
LOOK_AHEAD_WEIGHT = 3.0
"""A branch whose wrist cannot make the whole turn is useless."""
DONE_RAD = 1.1
"""A turn of less than this did not switch anything."""
AGAIN_S = 13.0
"""A grip that was lost before this time is tried once more across [s]: fingers that closed beside the middle of a knob find it that way."""
STALL_SPEED, STALL_DRIFT, STALL_SECONDS = 0.06, 0.01, 0.4
"""[rad/s], [m/s], [s]."""


def rotate(driver: Driver, command: Command) -> Ending:
    """Turns what is gripped at the point; the displacement is the angle [rad]."""
    point, normal = np.array(command.point_world), unit(np.array(command.normal_world))
    sense = 1.0 if PRIMITIVES["rotate"].bins[command.rotation_index].effect == "ccw" else -1.0
    roll = command.rotation_index // 2
    turn = _gripped(driver, options(point, normal, roll, sense), sense * normal)
    if turn.reason == Reason.SLIPPED and driver.elapsed() < AGAIN_S:
        turn = _gripped(driver, options(point, normal, 1 - roll, sense), sense * normal)
    go_home(driver, rise=0.06)
    done = turn.reason == Reason.STALLED and turn.displacement > DONE_RAD
    return turn._replace(reason=Reason.DONE) if done else turn


def _gripped(driver: Driver, ways: Iterable[Option], axis: np.ndarray) -> Ending:
    """Reach, grip, turn about `axis` [3] and let go."""
    driver.open_to()
    posture, option = reach_for(driver, ways, TOUCH_N)
    turn = Ending(Reason.MISSED)
    if close_fingers(driver, posture, option.rotation):
        turn = _turn(driver, posture, option.rotation, axis)
    driver.leaving()
    release(driver, driver.joints())
    back_off(driver, -driver.hand().rotation[:, 2], 0.08)
    return turn


def _turn(driver: Driver, posture: np.ndarray, rotation: np.ndarray, axis: np.ndarray) -> Ending:
    goal = impedance(rotation, driver.hand().position, CENTRE_STIFFNESS, CENTRE_DAMPING, TILT_STIFFNESS, DAMPING, FORCE_CAP)
    status, held, angle = _turning(driver.plant, goal, posture, np.ascontiguousarray(rotation), axis)
    if status == DIVERGED:
        raise driver.arm.fault()
    return Ending(Reason.TIMEOUT if status == TIME_UP else Reason.STALLED if held else Reason.SLIPPED, angle)


@compiled
def _turning(plant, goal, posture, rotation, axis):
    """A target turns ahead of the hand, at most TORQUE_N_M: how that ended, whether the grip held, and how far the hand turned [rad]."""
    back, knot, step = np.empty((3, 3)), goal.position.copy(), np.empty((3, 3))
    lead, angle, still = 0.0, 0.0, 0.0
    while angle < MOST_RAD and still <= STALL_SECONDS:
        lead = min(lead + TURN_SPEED * plant.period, angle + TORQUE_N_M / STIFFNESS)
        multiply(turned_about(axis, angle), rotation, goal.rotation)
        for r in range(3):
            for c in range(3):
                back[c, r] = plant.rotation[r, c]
            goal.position[r], goal.torque[r] = plant.position[r], STIFFNESS * (lead - angle) * axis[r]
        status = servo(plant, goal, posture)
        if status != ONWARD:
            return status, False, angle
        drift = distance(plant.position, knot)
        if drift > DRIFT_M:
            for r in range(3):
                goal.force[r] = ASSIST_N / drift * (plant.position[r] - knot[r])
                knot[r] = plant.position[r]
        multiply(plant.rotation, back, step)
        for r in range(3):
            a, b = (r + 1) % 3, (r + 2) % 3
            angle += 0.5 * (step[b, a] - step[a, b]) * axis[r]
        if plant.width < EMPTY_WIDTH_M:
            return OVER, False, angle
        resting = dot(plant.spin, axis) < STALL_SPEED and length_of(plant.velocity) < STALL_DRIFT
        still = still + plant.period if resting and lead > angle + 0.8 * TORQUE_N_M / STIFFNESS else 0.0
    return OVER, True, angle


def options(point: np.ndarray, normal: np.ndarray, roll: int, sense: float) -> Iterator[Option]:
    """Both twins of the roll, slightly pitched if need be, with the whole turn as look-ahead."""
    side = unit(cross(UP, -normal)) if abs(normal[2]) < 0.95 else np.array([0.0, 1.0, 0.0])
    for pitch in (0.0, 0.2, -0.2, 0.35):
        approach = turned_about(side, pitch) @ -normal
        contact = point + DEPTH_M * approach
        for rotation in twins(approach, side if roll == 0 else cross(approach, side)):
            turns = np.array([turned_about(normal, sense * angle) @ rotation for angle in np.linspace(0.3, 1.6, 5)])
            ahead = [(turns, np.tile(contact, (5, 1)))]
            yield Option(rotation, contact, point - 0.09 * approach, 1.5 * abs(pitch), ahead, LOOK_AHEAD_WEIGHT)
