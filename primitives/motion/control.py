"""Two ways to move: stiff joint paths in free space, soft impedance in contact. Nothing is kept from one program to the next."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from hiermap.primitives.hand import OPEN_WIDTH_M
from hiermap.primitives.motion.arm import Arm, JointState
from hiermap.primitives.motion.kinematics import SerialChain, length_of, rotation_error
from hiermap.primitives.specs import Reason

JOINT_STIFFNESS, JOINT_DAMPING = 400.0, 40.0
"""[1/s2], [1/s] of the computed torque: critically damped at 20 rad/s."""
PEAK_JOINT_SPEED = 1.8
"""[rad/s] of a free path."""
CARRYING_PACE = 0.6
"""Share of that speed with something in the hand."""
TORQUE_CAP = 15.0
"""[N m] at the hand."""
POSTURE_STIFFNESS, POSTURE_DAMPING = 10.0, 4.0
"""[N m/rad], [N m s/rad] in the null space."""
LIMIT_ZONE_RAD, LIMIT_STIFFNESS = 0.08, 150.0
"""Springs [N m/rad] push back inside this distance of a joint limit."""
TRACKING_LIMIT_RAD = 0.10
"""A joint this far behind a free path has something in its way."""
TRACKING_TICKS = 3
PATH_STEP_RAD, ROUNDING_STEPS = 0.01, 12
"""Free paths are sampled this finely; their corners are rounded over this many samples to either side."""
OPENING_TRIES, OPENING_S = 12, 0.05
"""Open fingers that something keeps from opening get this much time [s], this often."""
HOME_RESERVE_S = 6.0
"""A contact phase ends this long before the program's bound, so that the way home fits in."""


class GivenUp(Exception):
    """A program cannot go on: its pose is UNREACHABLE (nothing has moved), a free path BLOCKED, or its time over (TIMEOUT)."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Ending(NamedTuple):
    """What a program, or its motion in contact, came to.

    Attributes:
        reason: of a followed joint STALLED (end stop or blocked), SLIPPED (lost, or still on its way at the end) or TIMEOUT.
        displacement: in contact [m], or [rad] for rotate.
        progress: of a followed joint: net way along the first or the last direction, whichever is more [m]; sliding sideways on a face
            is none.
    """

    reason: Reason
    displacement: float = 0.0
    progress: float = 0.0


@dataclass(frozen=True, eq=False)
class Impedance:
    """How the hand yields in one control tick; world axes.

    Attributes:
        rotation, position: where it is drawn to, [3, 3], [3] [m].
        velocity: of that point, [3] [m/s].
        stiffness, damping: [3, 3] [N/m], [N s/m]; unless said otherwise 0.3 mm static error, 16 mm lag at 10 cm/s.
        angular_stiffness, angular_damping: [N m/rad], [N m s/rad].
        force, torque: added on top, [3] [N], [3] [N m].
        force_cap: largest total force [N].
    """

    rotation: np.ndarray
    position: np.ndarray
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(3))
    stiffness: np.ndarray = field(default_factory=lambda: 1500.0 * np.eye(3))
    damping: np.ndarray = field(default_factory=lambda: 220.0 * np.eye(3))
    angular_stiffness: float = 60.0
    angular_damping: float = 11.0
    force: np.ndarray = field(default_factory=lambda: np.zeros(3))
    torque: np.ndarray = field(default_factory=lambda: np.zeros(3))
    force_cap: float = 40.0


@dataclass(frozen=True, eq=False)
class Hand:
    """The hand in one tick: `rotation` [3, 3], `position` [3] [m], `velocity` [3] [m/s], `spin` [3] [rad/s], `force` on it [3] [N]."""

    rotation: np.ndarray
    position: np.ndarray
    velocity: np.ndarray
    spin: np.ndarray
    force: np.ndarray


def joint_torque(state: JointState, q: np.ndarray, qd: np.ndarray, qdd: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """Computed torque toward (q, qd, qdd), [7] [N m]; if a joint saturates the whole correction shrinks, keeping its direction."""
    correction = state.mass_matrix @ (JOINT_STIFFNESS * (q - state.q) + JOINT_DAMPING * (qd - state.qd) + qdd)
    room = np.where(correction > 0, limit - state.bias, limit + state.bias)
    scale = np.min(np.clip(room, 0.5, None) / np.maximum(np.abs(correction), 1e-9))
    return state.bias + min(1.0, float(scale)) * correction


def impedance_torque(state: JointState, chain: SerialChain, goal: Impedance, posture: np.ndarray) -> np.ndarray:
    """J' (K e - D v + F) with gravity compensation, null-space posture and springs at the joint limits, [7] [N m]."""
    R, p, J = chain.forward(state.q)
    twist = J @ state.qd
    force = goal.stiffness @ (goal.position - p) + goal.damping @ (goal.velocity - twist[:3]) + goal.force
    force = force * min(1.0, goal.force_cap / max(length_of(force), 1e-9))
    torque = goal.angular_stiffness * rotation_error(goal.rotation, R) - goal.angular_damping * twist[3:] + goal.torque
    torque = torque * min(1.0, TORQUE_CAP / max(length_of(torque), 1e-9))
    rest = POSTURE_STIFFNESS * (posture - state.q) - POSTURE_DAMPING * state.qd
    rest = rest - J.T @ np.linalg.solve(J @ J.T + 1e-3 * np.eye(6), J @ rest)
    low, high = chain.lower + LIMIT_ZONE_RAD - state.q, state.q - chain.upper + LIMIT_ZONE_RAD
    spring = LIMIT_STIFFNESS * (np.clip(low, 0, None) - np.clip(high, 0, None))
    return J.T @ np.concatenate([force, torque]) + rest + spring + state.bias - 1.0 * state.qd


class Driver:
    """Runs one program on an arm: keeps the clock, the fingers' target and the tare of the wrist.

    Args:
        arm: any `Arm`.
        bound_seconds: no tick ends later than this after the start [s]; until `leaving` is called, none later than HOME_RESERVE_S before.
    """

    def __init__(self, arm: Arm, bound_seconds: float) -> None:
        arm.reset()
        self.arm = arm
        self._start = arm.time()
        self._bound, self._reserve = bound_seconds, HOME_RESERVE_S
        self._fingers = arm.width() / 2
        self._tare = np.zeros(3)
        self._pace = 1.0

    def open_to(self, half_width: float | None = None) -> None:
        """From the next tick on hold each finger `half_width` [m] from the middle (None: fully open); nothing is carried now."""
        limit = self.arm.finger_limit
        self._fingers = limit if half_width is None else min(limit, half_width)
        self._pace = 1.0

    def squeeze(self) -> None:
        """From the next tick on press the fingers together."""
        self._fingers = -self.arm.finger_limit

    def leaving(self) -> None:
        """Contact is over: from here on the way home may use the time kept for it."""
        self._reserve = 0.0

    def carry(self) -> None:
        """Something is in the hand: move so gently that it does not swing in the grip."""
        self._pace = CARRYING_PACE

    def elapsed(self) -> float:
        """Time since the program began [s]."""
        return self.arm.time() - self._start

    def hand(self) -> Hand:
        """Where the hand is and what pushes it (less the tare)."""
        state = self.arm.read()
        R, p, J = self.arm.chain.forward(state.q)
        twist = J @ state.qd
        return Hand(R, p, twist[:3], twist[3:], self.arm.wrist_force() - self._tare)

    def tick(self, torque: np.ndarray) -> None:
        """One control period; raises GivenUp instead of one that would use the time for the way home, or pass the bound."""
        if self.elapsed() + self.arm.period > self._bound - self._reserve:
            raise GivenUp(Reason.TIMEOUT)
        self.arm.apply(torque, self._fingers)

    def servo(self, goal: Impedance, posture: np.ndarray) -> Hand:
        """One tick of impedance control; the hand after it."""
        self.tick(impedance_torque(self.arm.read(), self.arm.chain, goal, posture))
        return self.hand()

    def follow(self, path: np.ndarray, speed: float = 1.0, guarded: bool = True) -> bool:
        """Drive the joints along `path` [K, 7] from where they are; True on arrival.

        When a joint falls behind (something is in the way) and `guarded`, stops, returns the way it came and gives False.
        """
        reference = time_path(np.vstack([self.arm.read().q, path]), self.arm.period, speed * self._pace * PEAK_JOINT_SPEED)
        late = 0
        for k, (q, qd, qdd) in enumerate(zip(*reference, strict=True)):
            state = self.arm.read()
            late = late + 1 if np.abs(q - state.q).max() > TRACKING_LIMIT_RAD else 0
            if guarded and late >= TRACKING_TICKS:
                passed = reference[0][:k]
                if k > 10:
                    self.follow(passed[::-1][5 :: max(1, k // 8)], guarded=False)
                return False
            self.tick(joint_torque(state, q, qd, qdd, self.arm.torque_limit))
        return True

    def hold(self, seconds: float, rest: np.ndarray | None = None) -> None:
        """Keep the joints where they are now, or at `rest` [7], and then only until the arm rests there."""
        q, zero = self.arm.read().q if rest is None else rest, np.zeros(7)
        for _ in range(round(seconds / self.arm.period)):
            state = self.arm.read()
            if rest is not None and np.abs(state.qd).max() < 2e-3 and np.abs(state.q - q).max() < 2e-3:
                return
            self.tick(joint_torque(state, q, zero, zero, self.arm.torque_limit))

    def open_fully(self) -> None:
        """Give a hand that is meant to be open a little time to end open, whatever a program left it doing."""
        for _ in range(OPENING_TRIES if self._fingers > 0 else 0):
            if self.arm.width() >= OPEN_WIDTH_M:
                return
            self.hold(OPENING_S)

    def take_tare(self, ticks: int = 4) -> None:
        """Average the wrist force over a few ticks of rest and call it zero."""
        total = np.zeros(3)
        for _ in range(ticks):
            self.hold(self.arm.period)
            total += self.arm.wrist_force()
        self._tare = total / ticks


def time_path(knots: np.ndarray, period: float, peak_speed: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Minimum-jerk timing of a path through `knots` [K, n] with rounded corners: angles, speeds and accelerations, each [T, n].

    The first and last knot are met exactly, and no joint exceeds `peak_speed` [rad/s].
    """
    # The polygon is sampled every PATH_STEP_RAD of its fastest joint, its corners are rounded by a moving average.
    along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(knots, axis=0)).max(axis=1))])
    count = max(2, int(np.ceil(along[-1] / PATH_STEP_RAD)) + 1)
    keep = np.concatenate([[True], np.diff(along) > 1e-9])
    curve = np.column_stack([np.interp(np.linspace(0, along[-1], count), along[keep], joint[keep]) for joint in knots.T])
    width = min(ROUNDING_STEPS, (count - 1) // 2)
    for _ in range(2 if width > 0 else 0):
        # Odd reflection at the ends keeps them where they are.
        before, after = 2 * curve[0] - curve[width:0:-1], 2 * curve[-1] - curve[-2 : -width - 2 : -1]
        total = np.cumsum(np.vstack([np.zeros_like(curve[:1]), before, curve, after]), axis=0)
        curve = (total[2 * width + 1 :] - total[: -2 * width - 1]) / (2 * width + 1)
    length = PATH_STEP_RAD * (len(curve) - 1)
    duration = max(0.25, 1.875 * length / peak_speed)
    t = np.linspace(0, 1, max(3, round(duration / period)))[1:]
    s = (10 * t**3 - 15 * t**4 + 6 * t**5) * (len(curve) - 1)
    q = np.column_stack([np.interp(s, np.arange(len(curve)), joint) for joint in curve.T])
    rate = np.gradient(np.vstack([curve[:1], q]), period, axis=0)
    rate[-1] = 0.0
    return q, rate[1:], np.gradient(rate, period, axis=0)[1:]
