"""Following a joint nobody described: push or pull with a force along the path, and let the path itself turn the force."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hiermap.primitives.motion.control import Driver, Ending, GivenUp, Hand, Impedance
from hiermap.primitives.motion.guarded import Until, guarded_move
from hiermap.primitives.motion.kinematics import UP, cross, length_of, turned_about, unit
from hiermap.primitives.specs import Reason

LEAST_FORCE_N = 2.0
CHORD_M = 0.012
"""The direction is estimated anew after this much travel."""
BLEND = 0.6
"""Share of the new chord in the direction."""
STALL_SPEED, STALL_SECONDS = 0.008, 0.35
"""Slower than this [m/s] at full force for this long is the end stop, or an obstacle."""
DAMPING, EFFECTIVE_DAMPING = 20.0, 3.5
"""[N s/m] everywhere, and across the line per root of its stiffness [sqrt(kg)/s]: about critical for the hand's 3 kg."""
SLOW_SPEED, SLIP_MEMORY_S = 0.03, 0.5
"""A loss within this time [s] after moving slower than this [m/s] under force happened at the end stop."""
LOST_TICKS = 3
"""A loss that lasts this long is one."""
SPEED_GAIN = 400.0
"""[N/m]: the force grows by this times the missing speed, per second."""


@dataclass(frozen=True)
class Compliance:
    """How to follow.

    Attributes:
        speed: wanted along the path [m/s].
        force: largest push [N].
        second_force: tried at the first stall, 0 for not [N].
        lateral_stiffness, vertical_stiffness: that hold the hand on its line [N/m]; 0 leaves it free.
        max_turn: of the direction, in all [rad].
        turn_per_metre: largest turn of the direction [rad/m].
        planar: turn the direction only about the vertical.
        hand_gain: share of the direction's turn that the hand follows.
        hand_max_turn: of the hand [rad].
        hand_stiffness: that turns the hand [N m/rad].
        max_travel: stops here [m].
        contact_force: the direction only turns while the hand is pushed at least this hard [N].
    """

    speed: float = 0.15
    force: float = 45.0
    second_force: float = 0.0
    lateral_stiffness: float = 0.0
    vertical_stiffness: float = 0.0
    max_turn: float = 1.7
    turn_per_metre: float = 12.0
    planar: bool = False
    hand_gain: float = 0.8
    hand_max_turn: float = 1.2
    hand_stiffness: float = 10.0
    max_travel: float = 0.5
    contact_force: float = 0.0


def follow_joint(driver: Driver, start_direction: np.ndarray, how: Compliance, posture: np.ndarray, lost: Until | None = None) -> Ending:
    """Drive the hand along `start_direction` [3] and then along whatever path it is led, until a stall, a loss or `max_travel`.

    It is lost when `lost(hand)` holds for several ticks.
    """
    path = _Path(how, driver.hand(), unit(start_direction), driver.arm.period)
    try:
        guarded_move(driver, posture, path.goals(), lambda hand: path.ended(hand, lost is not None and lost(hand)))
    except GivenUp as given_up:
        path.reason = given_up.reason
    net = path.hand.position - path.begin.position
    return Ending(path.reason, path.length, float(max(net @ path.first, net @ path.direction)))


class _Path:
    """The path that a hand is led along: where it has been, where it goes on and how hard it may be pushed."""

    def __init__(self, how: Compliance, hand: Hand, direction: np.ndarray, period: float) -> None:
        self.how, self.begin, self.hand, self.dt = how, hand, hand, period
        self.first = self.direction = direction
        self.line = self.knot = hand.position
        self.chord: np.ndarray | None = None
        self.force, self.limit, self.stiffness = LEAST_FORCE_N, how.force, how.hand_stiffness
        self.speed, self.length, self.reason = 0.0, 0.0, Reason.SLIPPED
        self.still, self.slow, self.gone, self.tried = 0.0, np.inf, 0, how.second_force <= how.force

    def goals(self) -> Iterator[Impedance]:
        while True:
            how, u = self.how, self.direction
            self.speed = float(self.hand.velocity @ u)
            self.force = float(np.clip(self.force + SPEED_GAIN * (how.speed - self.speed) * self.dt, LEAST_FORCE_N, self.limit))
            self.line = self.line + u * (u @ (self.hand.position - self.line))
            stiffness, damping = self._across()
            axis = cross(self.first, u)
            size = length_of(axis)
            turn = float(np.clip(how.hand_gain * _angle(self.first, u), 0, how.hand_max_turn))
            led = turned_about(axis / size, turn) if size > 1e-6 else np.eye(3)
            yield Impedance(
                led @ self.begin.rotation,
                self.line,
                stiffness=stiffness,
                damping=damping,
                angular_stiffness=self.stiffness,
                angular_damping=2.0 if self.stiffness <= 10.0 else 4.0,
                force=self.force * u,
                force_cap=100.0,
            )

    def _across(self) -> tuple[np.ndarray, np.ndarray]:
        """Stiffness and damping [3, 3] that hold the hand on its line."""
        how, across = self.how, np.eye(3) - np.outer(self.direction, self.direction)
        up = across @ UP
        up = up / max(1e-6, length_of(up))
        vertical = np.outer(up, up)
        lateral = across - vertical
        roots = np.sqrt(how.lateral_stiffness) * lateral + np.sqrt(how.vertical_stiffness) * vertical
        stiffness = how.lateral_stiffness * lateral + how.vertical_stiffness * vertical
        return stiffness, DAMPING * np.eye(3) + EFFECTIVE_DAMPING * roots

    def ended(self, hand: Hand, lost: bool) -> bool:
        """Take in where the hand is now; whether that is the end, for `reason`."""
        self.length += length_of(hand.position - self.hand.position)
        self.hand = hand
        if length_of(hand.position - self.knot) > CHORD_M:
            self._turn_to(unit(hand.position - self.knot))
        self.slow = 0.0 if self.speed < SLOW_SPEED and self.force > 0.5 * self.limit else self.slow + self.dt
        self.gone = self.gone + 1 if lost else 0
        if self.gone >= LOST_TICKS:
            # A grip that slides off under force and just after standing still was at the end stop.
            self.reason = Reason.STALLED if self.slow < SLIP_MEMORY_S else Reason.SLIPPED
            return True
        return self._stalled() or self.length > self.how.max_travel

    def _turn_to(self, chord: np.ndarray) -> None:
        """Blend the last chord, extrapolated by half its turn, into the direction, within the limits."""
        how, u, last = self.how, self.direction, self.chord
        self.knot, self.chord = self.hand.position, chord
        ahead = chord if last is None else chord + 0.5 * (chord - last)
        if how.planar:
            ahead = np.array([chord[0], chord[1], u[2]])
        if ahead @ u < 0.2 or (how.contact_force > 0 and -self.hand.force @ u <= how.contact_force):
            return
        wanted = unit((1 - BLEND) * u + BLEND * unit(ahead))
        angle, most = _angle(u, wanted), how.turn_per_metre * CHORD_M
        if angle > most:
            wanted = unit(u + (most / angle) * (wanted - u))
        if _angle(self.first, wanted) < how.max_turn:
            self.direction = wanted

    def _stalled(self) -> bool:
        """Whether full force moves nothing any more; the first time a larger one may be tried."""
        self.still = self.still + self.dt if self.speed < STALL_SPEED and self.force > 0.95 * self.limit else 0.0
        if self.still <= STALL_SECONDS:
            return False
        if self.tried:
            self.reason = Reason.STALLED
            return True
        self.tried, self.limit, self.stiffness, self.still = True, self.how.second_force, min(2.0, self.stiffness), 0.0
        return False


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.arctan2(length_of(cross(a, b)), a @ b))
