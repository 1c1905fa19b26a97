"""Rotate: grip a knob, ridge or lever and turn it about the panel's normal until it stops."""

from collections.abc import Iterator

import numpy as np

from hiermap.primitives.hand import EMPTY_WIDTH_M
from hiermap.primitives.motion.control import Driver, Ending, GivenUp, Hand, Impedance
from hiermap.primitives.motion.guarded import back_off, guarded_move
from hiermap.primitives.motion.ik_branches import Option
from hiermap.primitives.motion.kinematics import UP, cross, length_of, turned_about, unit
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


def rotate(driver: Driver, command: Command) -> Ending:
    """Turns what is gripped at the point; the displacement is the angle [rad]."""
    point, normal = np.array(command.point_world), unit(np.array(command.normal_world))
    sense = 1.0 if PRIMITIVES["rotate"].bins[command.rotation_index].effect == "ccw" else -1.0
    driver.open_to()
    posture, option = reach_for(driver, options(point, normal, command.rotation_index // 2, sense), TOUCH_N)
    turn = Ending(Reason.MISSED)
    if close_fingers(driver, posture, option.rotation):
        turning = _Turning(driver, option.rotation, sense * normal)
        try:
            guarded_move(driver, posture, turning.goals(), turning.ended)
        except GivenUp as given_up:
            turning.reason = given_up.reason
        turn = Ending(turning.reason, turning.angle)
    driver.leaving()
    release(driver, driver.arm.read().q)
    back_off(driver, -driver.hand().rotation[:, 2], 0.08)
    go_home(driver, rise=0.06)
    done = turn.reason == Reason.STALLED and turn.displacement > DONE_RAD
    return turn._replace(reason=Reason.DONE) if done else turn


class _Turning:
    """A target that turns ahead of the hand, at most TORQUE_N_M ahead, and how far the hand has turned [rad]."""

    def __init__(self, driver: Driver, rotation: np.ndarray, axis: np.ndarray) -> None:
        self.arm, self.rotation, self.axis = driver.arm, rotation, axis
        self.hand = driver.hand()
        self.knot, self.assist = self.hand.position, np.zeros(3)
        self.lead, self.angle, self.still, self.reason = 0.0, 0.0, 0.0, Reason.STALLED

    def goals(self) -> Iterator[Impedance]:
        while self.angle < MOST_RAD:
            self.lead = min(self.lead + TURN_SPEED * self.arm.period, self.angle + TORQUE_N_M / STIFFNESS)
            yield Impedance(
                turned_about(self.axis, self.angle) @ self.rotation,
                self.hand.position,
                stiffness=CENTRE_STIFFNESS * np.eye(3),
                damping=20.0 * np.eye(3),
                angular_stiffness=TILT_STIFFNESS,
                angular_damping=DAMPING,
                force=self.assist,
                torque=STIFFNESS * (self.lead - self.angle) * self.axis,
            )

    def ended(self, hand: Hand) -> bool:
        """Take in where the hand is now; whether that is the end, for `reason`."""
        if length_of(hand.position - self.knot) > DRIFT_M:
            self.assist, self.knot = ASSIST_N * unit(hand.position - self.knot), hand.position
        step = hand.rotation @ self.hand.rotation.T
        self.angle += float(0.5 * np.array([step[2, 1] - step[1, 2], step[0, 2] - step[2, 0], step[1, 0] - step[0, 1]]) @ self.axis)
        self.hand = hand
        if self.arm.width() < EMPTY_WIDTH_M:
            self.reason = Reason.SLIPPED
        resting = hand.spin @ self.axis < STALL_SPEED and length_of(hand.velocity) < STALL_DRIFT
        held_up = resting and self.lead > self.angle + 0.8 * TORQUE_N_M / STIFFNESS
        self.still = self.still + self.arm.period if held_up else 0.0
        return self.reason == Reason.SLIPPED or self.still > STALL_SECONDS


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
