"""The driver of a program: knows its time, fingers and tare, and runs compiled motions. Nothing is kept from one program to the next."""

from typing import NamedTuple

import numpy as np

from hiermap.primitives.hand import OPEN_WIDTH_M
from hiermap.primitives.motion.arm import Arm
from hiermap.primitives.motion.laws import DIVERGED, ONWARD, OVER, TIME_UP, hold, look, stay, track
from hiermap.primitives.specs import Reason

PEAK_JOINT_SPEED = 1.8
"""[rad/s] of a free path."""
CARRYING_PACE = 0.6
"""Share of that speed with something in the hand."""
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


class Hand(NamedTuple):
    """The hand in one tick: `rotation` [3, 3], `position` [3] [m], `velocity` [3] [m/s], `spin` [3] [rad/s], `force` on it [3] [N]."""

    rotation: np.ndarray
    position: np.ndarray
    velocity: np.ndarray
    spin: np.ndarray
    force: np.ndarray


class Driver:
    """Runs one program on an arm: keeps the bound, the fingers' target and the tare of the wrist.

    Args:
        arm: any `Arm`.
        bound_seconds: no tick ends later than this after the start [s]; until `leaving` is called, none later than HOME_RESERVE_S before.
    """

    def __init__(self, arm: Arm, bound_seconds: float) -> None:
        arm.reset()
        self.arm, self.plant = arm, arm.plant
        self._start = float(self.plant.time)
        self._end = self._start + bound_seconds
        self.plant.deadline, self.plant.fingers, self.plant.tare[:] = self._end - HOME_RESERVE_S, arm.width() / 2, 0.0
        self._pace = 1.0

    def open_to(self, half_width: float | None = None) -> None:
        """From the next tick on hold each finger `half_width` [m] from the middle (None: fully open); nothing is carried now."""
        limit = self.arm.finger_limit
        self.plant.fingers = limit if half_width is None else min(limit, half_width)
        self._pace = 1.0

    def squeeze(self) -> None:
        """From the next tick on press the fingers together."""
        self.plant.fingers = -self.arm.finger_limit

    def leaving(self) -> None:
        """Contact is over: from here on the way home may use the time kept for it."""
        self.plant.deadline = self._end

    def carry(self) -> None:
        """Something is in the hand: move so gently that it does not swing in the grip."""
        self._pace = CARRYING_PACE

    def elapsed(self) -> float:
        """Time since the program began [s]."""
        return float(self.plant.time) - self._start

    def joints(self) -> np.ndarray:
        """The joint angles now, `[n]` [rad]."""
        return self.plant.q.copy()

    def hand(self) -> Hand:
        """Where the hand is and what pushes it (less the tare)."""
        plant = self.plant
        look(plant)
        return Hand(*(part.copy() for part in (plant.rotation, plant.position, plant.velocity, plant.spin, plant.force)))

    def check(self, status: int) -> None:
        """Raises GivenUp when a motion ended for want of time: the next tick would use that for the way home, or pass the bound."""
        if status == TIME_UP:
            raise GivenUp(Reason.TIMEOUT)
        if status == DIVERGED:
            raise self.arm.fault()

    def follow(self, path: np.ndarray, speed: float = 1.0, guarded: bool = True) -> bool:
        """Drive the joints along `path` [K, n] from where they are; True on arrival.

        When a joint falls behind (something is in the way) and `guarded`, stops, returns the way it came and gives False.
        """
        reference = time_path(np.vstack([self.joints(), path]), self.arm.period, speed * self._pace * PEAK_JOINT_SPEED)
        status, k = track(self.plant, *reference, guarded)
        self.check(status)
        if status == ONWARD and k > 10:
            self.follow(reference[0][:k][::-1][5 :: max(1, k // 8)], guarded=False)
        return status == OVER

    def stay(self, goal: np.record, posture: np.ndarray, seconds: float) -> None:
        """Impedance control toward one goal, an IMPEDANCE."""
        self.check(stay(self.plant, goal, posture, round(seconds / self.arm.period)))

    def hold(self, seconds: float, rest: np.ndarray | None = None) -> None:
        """Keep the joints where they are now, or at `rest` [n], and then only until the arm rests there."""
        q = self.joints() if rest is None else rest
        self.check(hold(self.plant, q, round(seconds / self.arm.period), rest is not None))

    def open_fully(self) -> None:
        """Give a hand that is meant to be open a little time to end open, whatever a program left it doing."""
        for _ in range(OPENING_TRIES if self.plant.fingers > 0 else 0):
            if self.arm.width() >= OPEN_WIDTH_M:
                return
            self.hold(OPENING_S)

    def take_tare(self, ticks: int = 4) -> None:
        """Average the wrist force over a few ticks of rest and call it zero."""
        total = np.zeros(3)
        for _ in range(ticks):
            self.hold(self.arm.period)
            total += self.plant.wrist_force
        self.plant.tare[:] = total / ticks


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
